/*
 * A growable buffer that is born with a ceiling and remembers its first error, so that twenty
 * appends need one check.
 */
#ifndef SVC_BASE_BUF_H
#define SVC_BASE_BUF_H

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "libsvc/base/bytes.h"

/*
 * `len` bytes at `data`, with `cap` allocated. After an error nothing is appended any more and the
 * bytes stay; an append is done whole or not at all. One thread at a time.
 */
struct buf {
    char *data; /* NULL before the first byte */
    size_t len;
    size_t cap; /* one byte more is allocated, for svc__buf_terminate */
    size_t ceiling;
    int error; /* 0, SVC_ENOMEM, SVC_ETOOBIG or SVC_EINVAL: the first that happened */
};

/* Makes an empty buffer that never holds more than `ceiling` bytes. Allocates nothing. */
void svc__buf_init(struct buf *b, size_t ceiling);

/* Makes an empty buffer over `size` bytes of the caller's, of which it holds all but the last: it
 * allocates nothing, and is not freed. */
void svc__buf_over(struct buf *b, char *data, size_t size);

/* Frees the memory; the buffer is then as after svc__buf_init. Accepts NULL. */
void svc__buf_free(struct buf *b);

/* Drops the bytes and the error, and keeps the memory for later appends. */
void svc__buf_clear(struct buf *b);

/* Goes back to the first `len` bytes, of which there are at least so many, and drops the error. */
static inline void svc__buf_cut(struct buf *b, size_t len)
{
    b->len = len;
    b->error = 0;
}

/* 0, or the error of the first append that failed. */
static inline int svc__buf_error(const struct buf *b)
{
    return b->error;
}

/* The bytes, borrowed until the buffer changes; "none" when nothing was ever appended. */
static inline struct bytes svc__buf_view(const struct buf *b)
{
    return svc__bytes(b->data, b->len);
}

/* The part of svc__buf_reserve that is not inline. */
char *svc__buf_grow(struct buf *b, size_t n);

/*
 * `n` writable bytes behind `len`; the caller then adds the number of bytes that it has written to
 * `len`. Borrowed until the buffer changes. NULL after an error, also one of this call.
 */
static inline char *svc__buf_reserve(struct buf *b, size_t n)
{
    return n < b->cap - b->len && b->error == 0 ? b->data + b->len : svc__buf_grow(b, n);
}

/* Appends `n` bytes; `data` may be NULL when `n` is 0. */
static inline void svc__buf_append(struct buf *b, const char *data, size_t n)
{
    if (n == 0)
        return;
    char *to = svc__buf_reserve(b, n);
    if (to == NULL)
        return;
    memcpy(to, data, n);
    b->len += n;
}

/* Appends the string `z`, which is not NULL, without its NUL. */
static inline void svc__buf_puts(struct buf *b, const char *z)
{
    svc__buf_append(b, z, strlen(z));
}

/* Appends one byte. */
static inline void svc__buf_putc(struct buf *b, char c)
{
    svc__buf_append(b, &c, 1);
}

/* Appends a view. */
static inline void svc__buf_bytes(struct buf *b, struct bytes bytes)
{
    svc__buf_append(b, bytes.data, bytes.len);
}

/* Appends `n` in decimal. */
void svc__buf_u64(struct buf *b, uint64_t n);

/* Appends as printf does. A format that fails sets SVC_EINVAL. Floating point follows the locale.
 */
void svc__buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void svc__buf_vprintf(struct buf *b, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/*
 * Appends a JSON string with its quotes: a valid one whatever the bytes are, and one that no reader
 * splits into two lines. Quotes, backslash, C0 and C1 controls, DEL, U+2028 and U+2029 are
 * escaped; each bad sequence, as svc__utf8_bad has it, becomes U+FFFD. All of it or nothing is
 * appended.
 */
void svc__buf_json_string(struct buf *b, struct bytes text);

/* The same for text that must be UTF-8: invalid UTF-8 sets SVC_EINVAL. */
void svc__buf_json_text(struct buf *b, struct bytes text);

/* Appends the part of the same string between its quotes, for text that must be UTF-8: invalid
 * UTF-8 sets SVC_EINVAL. */
void svc__buf_json_inside(struct buf *b, struct bytes text);

/* Appends UTF-8: each bad sequence of the text, as svc__utf8_bad has it, becomes U+FFFD. */
void svc__buf_utf8(struct buf *b, struct bytes text);

/* Puts a NUL behind the bytes, which neither `len` nor the ceiling counts. After an error, and
 * without memory at all, `data` may still be NULL. */
void svc__buf_terminate(struct buf *b);

#endif
