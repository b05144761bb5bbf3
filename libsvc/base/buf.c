/* The growth of a buffer up to its ceiling, and the appends that are more than a copy. */
#include "libsvc/base/buf.h"

#include <stdio.h>
#include <stdlib.h>

#include <svc/errors.h>

#include "libsvc/base/json_text.h"
#include "libsvc/base/num.h"
#include "libsvc/base/utf8.h"

enum { SMALLEST = 64 };

void svc__buf_init(struct buf *b, size_t ceiling)
{
    memset(b, 0, sizeof *b);
    /* This limit leaves room for the byte of svc__buf_terminate, and keeps doubling from
     * overflowing. */
    b->ceiling = ceiling > PTRDIFF_MAX / 2 ? PTRDIFF_MAX / 2 : ceiling;
}

void svc__buf_over(struct buf *b, char *data, size_t size)
{
    svc__buf_init(b, size - 1);
    b->data = data;
    b->cap = b->ceiling;
}

void svc__buf_free(struct buf *b)
{
    if (b == NULL)
        return;
    free(b->data);
    svc__buf_init(b, b->ceiling);
}

void svc__buf_clear(struct buf *b)
{
    b->len = 0;
    b->error = 0;
}

static int grow_to(struct buf *b, size_t n)
{
    if (n > b->ceiling - b->len)
        return SVC_ETOOBIG;
    size_t cap = b->cap < SMALLEST / 2 ? SMALLEST : b->cap * 2;
    if (cap < b->len + n)
        cap = b->len + n;
    if (cap > b->ceiling)
        cap = b->ceiling;
    char *data = realloc(b->data, cap + 1);
    if (data == NULL)
        return SVC_ENOMEM;
    b->data = data;
    b->cap = cap;
    return 0;
}

char *svc__buf_grow(struct buf *b, size_t n)
{
    if (b->error != 0)
        return NULL;
    if (b->data == NULL || n > b->cap - b->len)
        b->error = grow_to(b, n);
    return b->error == 0 ? b->data + b->len : NULL;
}

void svc__buf_u64(struct buf *b, uint64_t n)
{
    char digits[NUM_U64_LEN];
    svc__buf_append(b, digits, svc__num_format_u64(digits, n));
}

/* Formats into `space` bytes of the buffer and its byte for a NUL. Returns the length needed, or
 * -1. */
__attribute__((format(printf, 3, 0))) static int format_into(struct buf *b, size_t space,
                                                             const char *format, va_list args)
{
    char *to = svc__buf_reserve(b, space);
    if (to == NULL)
        return -1;
    int n = vsnprintf(to, space + 1, format, args);
    if (n < 0)
        b->error = SVC_EINVAL;
    return n;
}

void svc__buf_vprintf(struct buf *b, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    size_t space = b->cap - b->len;
    int n = format_into(b, space, format, args);
    if (n >= 0 && (size_t)n > space)
        n = format_into(b, (size_t)n, format, again);
    if (n > 0)
        b->len += (size_t)n;
    va_end(again);
}

void svc__buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    svc__buf_vprintf(b, format, args);
    va_end(args);
}

/* Appends the first character, which is not plain; `invalid` in place of a sequence that is no
 * UTF-8, which is an error where `invalid` is NULL. Returns the length of either in `text`. */
static size_t append_escape(struct buf *b, struct bytes text, const char *invalid)
{
    char escape[JSON_TEXT_ESCAPE_LEN];
    size_t len, taken = svc__json_text_escape(escape, &len, text);
    if (taken > 0)
        svc__buf_append(b, escape, len);
    else if (invalid != NULL)
        svc__buf_puts(b, invalid);
    else if (b->error == 0)
        b->error = SVC_EINVAL;
    return taken > 0 ? taken : svc__utf8_bad(text);
}

static void append_inside(struct buf *b, struct bytes text, const char *invalid)
{
    while (text.len > 0 && b->error == 0) {
        char *to = svc__buf_reserve(b, text.len); /* the JSON text is no shorter */
        if (to != NULL)
            b->len += svc__json_text_write(to, b->cap - b->len, &text);
        if (text.len == 0 || b->error != 0)
            break;
        size_t n = append_escape(b, text, invalid);
        text = svc__bytes(text.data + n, text.len - n);
    }
}

static void append_string(struct buf *b, struct bytes text, const char *invalid)
{
    size_t start = b->len;
    char *to = svc__buf_reserve(b, text.len + 2); /* the JSON text is no shorter */
    if (to == NULL)
        return;
    *to++ = '"';
    to += svc__json_text_write(to, b->cap - b->len - 1, &text);
    b->len = (size_t)(to - b->data);
    if (text.len > 0)
        append_inside(b, text, invalid);
    svc__buf_putc(b, '"');
    if (b->error != 0)
        b->len = start;
}

void svc__buf_json_string(struct buf *b, struct bytes text)
{
    append_string(b, text, UTF8_REPLACEMENT);
}

void svc__buf_json_text(struct buf *b, struct bytes text)
{
    append_string(b, text, NULL);
}

void svc__buf_json_inside(struct buf *b, struct bytes text)
{
    size_t start = b->len;
    append_inside(b, text, NULL);
    if (b->error != 0)
        b->len = start;
}

void svc__buf_utf8(struct buf *b, struct bytes text)
{
    while (text.len > 0) {
        size_t n = svc__utf8_sequence(text), taken = n > 0 ? n : svc__utf8_bad(text);
        if (n > 0)
            svc__buf_append(b, text.data, n);
        else
            svc__buf_puts(b, UTF8_REPLACEMENT);
        text = svc__bytes(text.data + taken, text.len - taken);
    }
}

void svc__buf_terminate(struct buf *b)
{
    if (b->data == NULL)
        svc__buf_reserve(b, 0);
    if (b->data != NULL)
        b->data[b->len] = '\0';
}
