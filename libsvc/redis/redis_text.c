/* Commands in Redis' protocol, in one growing block. */
#include "libsvc/redis/redis_text.h"

#include <stdlib.h>
#include <string.h>

#include <svc/sys/number.h>

enum { FIRST_SPACE = 4096, KEPT_SPACE = 64 << 10 };

/* Room for `len` bytes more, or NULL. */
static char *extend(struct redis_text *text, size_t len)
{
    if (text->failed || len > text->ceiling - text->len) {
        text->failed = true;
        return NULL;
    }
    if (len > text->space - text->len) {
        size_t wanted = text->space ? text->space : FIRST_SPACE;
        while (wanted < text->len + len)
            wanted *= 2;
        char *grown = realloc(text->data, wanted);
        if (!grown) {
            text->failed = true;
            return NULL;
        }
        text->data = grown;
        text->space = wanted;
    }
    char *at = text->data + text->len;
    text->len += len;
    return at;
}

static void append_bytes(struct redis_text *text, const void *data, size_t len)
{
    char *at = len ? extend(text, len) : NULL;
    if (at)
        memcpy(at, data, len);
}

/* Appends a line of a mark and a number. */
static void append_header(struct redis_text *text, char mark, size_t number)
{
    char line[1 + SVC_SYS_INT_LEN + 2] = {mark};
    size_t len = 1 + svc_sys_uint_format(line + 1, number);
    line[len++] = '\r';
    line[len++] = '\n';
    append_bytes(text, line, len);
}

void svc__redis_text_begin(struct redis_text *text, size_t count)
{
    append_header(text, '*', count);
}

void svc__redis_text_parts(struct redis_text *text, const void *a, size_t a_len, const void *b,
                           size_t b_len)
{
    append_header(text, '$', a_len + b_len);
    append_bytes(text, a, a_len);
    append_bytes(text, b, b_len);
    append_bytes(text, "\r\n", 2);
}

void svc__redis_text_bytes(struct redis_text *text, const void *data, size_t len)
{
    svc__redis_text_parts(text, data, len, NULL, 0);
}

void svc__redis_text_string(struct redis_text *text, const char *z)
{
    svc__redis_text_bytes(text, z, strlen(z));
}

void svc__redis_text_number(struct redis_text *text, uint64_t number)
{
    char digits[SVC_SYS_INT_LEN];
    svc__redis_text_bytes(text, digits, svc_sys_uint_format(digits, number));
}

void svc__redis_text_cut(struct redis_text *text, size_t len)
{
    text->len = len;
    text->failed = false;
}

void svc__redis_text_clear(struct redis_text *text)
{
    if (text->space > KEPT_SPACE)
        svc__redis_text_free(text);
    text->len = text->sent = 0;
    text->failed = false;
}

void svc__redis_text_free(struct redis_text *text)
{
    free(text->data);
    text->data = NULL;
    text->len = text->sent = text->space = 0;
}

bool svc__redis_text_to_number(const char *data, size_t len, uint64_t most, uint64_t *number)
{
    uint64_t read = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned digit = (unsigned char)data[i] - (unsigned)'0';
        if (digit > 9 || digit > most || read > (most - digit) / 10)
            return false;
        read = read * 10 + digit;
    }
    if (len > 0)
        *number = read;
    return len > 0;
}
