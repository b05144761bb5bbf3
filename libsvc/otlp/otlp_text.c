/* A text that grows. */
#include "libsvc/otlp/otlp_text.h"

#include <stdlib.h>

enum { FIRST_SPACE = 4096 };

static char *grow(struct otlp_text *text, size_t len)
{
    if (len > text->ceiling - text->len)
        return NULL;
    size_t wanted = text->space ? text->space : FIRST_SPACE;
    while (wanted < text->len + len)
        wanted *= 2;
    if (wanted > text->ceiling)
        wanted = text->ceiling;
    char *grown = realloc(text->data, wanted);
    if (!grown)
        return NULL;
    text->data = grown;
    text->space = wanted;
    return grown;
}

bool svc__otlp_text_make_space(struct otlp_text *text, size_t len)
{
    if (!text->failed && !grow(text, len))
        text->failed = true;
    return !text->failed;
}

void svc__otlp_text_clear(struct otlp_text *text)
{
    text->len = 0;
    text->failed = false;
}

void svc__otlp_text_free(struct otlp_text *text)
{
    free(text->data);
    text->data = NULL;
    text->len = text->space = 0;
}
