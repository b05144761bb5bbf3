/* A text that grows up to a ceiling, and keeps that something failed, so that one look at the end
 * is enough. */
#ifndef SVC_OTLP_OTLP_TEXT_H
#define SVC_OTLP_OTLP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct otlp_text {
    char *data; /* not NUL-terminated; of malloc */
    size_t len, space;
    size_t ceiling; /* of `space`; set before the first byte */
    bool failed;    /* it lacks something: no memory, or over the ceiling */
};

/* Appends bytes for which the memory must grow. */
void svc__otlp_text_grow(struct otlp_text *text, const char *data, size_t len);

/* Appends bytes. Inline, since a span is written in about a hundred pieces. */
static inline void svc__otlp_text_add(struct otlp_text *text, const char *data, size_t len)
{
    if (text->failed || len > text->space - text->len) {
        svc__otlp_text_grow(text, data, len);
        return;
    }
    if (len)
        memcpy(text->data + text->len, data, len);
    text->len += len;
}

/* Appends a string. */
static inline void svc__otlp_text_put(struct otlp_text *text, const char *z)
{
    svc__otlp_text_add(text, z, strlen(z));
}

/* Empties the text, which keeps its memory. */
void svc__otlp_text_clear(struct otlp_text *text);

/* Frees the memory. */
void svc__otlp_text_free(struct otlp_text *text);

#endif
