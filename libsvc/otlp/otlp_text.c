/* A text that grows. */
#include "libsvc/otlp/otlp_text.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SPACE = 4096 };

static bool make_space(struct otlp_text *text, size_t len)
{
    if (text->failed || len > text->ceiling - text->len)
        return false;
    size_t wanted = text->space ? text->space : FIRST_SPACE;
    while (wanted < text->len + len)
        wanted *= 2;
    char *grown = wanted == text->space ? text->data : realloc(text->data, wanted);
    if (!grown)
        return false;
    text->data = grown;
    text->space = wanted;
    return true;
}

void svc__otlp_text_add(struct otlp_text *text, const char *data, size_t len)
{
    if (!make_space(text, len)) {
        text->failed = true;
        return;
    }
    if (len)
        memcpy(text->data + text->len, data, len);
    text->len += len;
}

void svc__otlp_text_put(struct otlp_text *text, const char *z)
{
    svc__otlp_text_add(text, z, strlen(z));
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
