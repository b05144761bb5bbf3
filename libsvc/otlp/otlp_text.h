/* A text that grows up to a ceiling, and keeps that something failed, so that one look at the end
 * is enough. */
#ifndef SVC_OTLP_OTLP_TEXT_H
#define SVC_OTLP_OTLP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct otlp_text {
    char *data; /* not NUL-terminated; of malloc */
    size_t len, space;
    size_t ceiling;
    bool failed; /* it lacks something: no memory, or over the ceiling */
};

/* Appends bytes. */
void svc__otlp_text_add(struct otlp_text *text, const char *data, size_t len);

/* Appends a string. */
void svc__otlp_text_put(struct otlp_text *text, const char *z);

/* Empties the text, which keeps its memory. */
void svc__otlp_text_clear(struct otlp_text *text);

/* Frees the memory. */
void svc__otlp_text_free(struct otlp_text *text);

#endif
