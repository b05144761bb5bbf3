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

/* Makes the memory larger for `len` more bytes. False, and the text has failed, when it cannot. */
bool svc__otlp_text_make_space(struct otlp_text *text, size_t len);

/* Room for `most` bytes at the end, for the caller to fill and to add to `len`; NULL, and the text
 * has failed, when there is none. */
static inline char *svc__otlp_text_reserve(struct otlp_text *text, size_t most)
{
    if (text->failed || (most > text->space - text->len && !svc__otlp_text_make_space(text, most)))
        return NULL;
    return text->data + text->len;
}

/* Appends bytes. Inline, since a span is written in about a hundred pieces. */
static inline void svc__otlp_text_add(struct otlp_text *text, const char *data, size_t len)
{
    char *to = svc__otlp_text_reserve(text, len);
    if (!to)
        return;
    if (len)
        memcpy(to, data, len);
    text->len += len;
}

/* Appends a string. */
static inline void svc__otlp_text_put(struct otlp_text *text, const char *z)
{
    svc__otlp_text_add(text, z, strlen(z));
}

/* Appends `len` of its own bytes, from `from` on. */
static inline void svc__otlp_text_repeat(struct otlp_text *text, size_t from, size_t len)
{
    char *to = svc__otlp_text_reserve(text, len);
    if (!to)
        return;
    memcpy(to, text->data + from, len);
    text->len += len;
}

/* Empties the text, which keeps its memory. */
void svc__otlp_text_clear(struct otlp_text *text);

/* Frees the memory. */
void svc__otlp_text_free(struct otlp_text *text);

#endif
