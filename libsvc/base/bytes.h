/*
 * A borrowed view of bytes, so that a parser can name a part of its input without copying it or
 * writing a NUL into it.
 */
#ifndef SVC_BASE_BYTES_H
#define SVC_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* `len` bytes that belong to someone else. `data` may be NULL only when `len` is 0; a NULL `data`
 * means "none" where that differs from "empty". Not NUL-terminated unless a contract says so. */
struct bytes {
    const char *data;
    size_t len;
};

/* A view of `len` bytes at `data`. Any thread. */
static inline struct bytes svc__bytes(const char *data, size_t len)
{
    struct bytes b = {data, len};
    return b;
}

/* A view of the string `z` without its NUL; the view of NULL is "none". Any thread. */
static inline struct bytes svc__bytes_z(const char *z)
{
    return svc__bytes(z, z == NULL ? 0 : strlen(z));
}

/* Whether both hold the same bytes; "none" equals "empty". Any thread. */
static inline bool svc__bytes_eq(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Whether `a` holds the bytes of the string `z`, which is not NULL. Any thread. */
static inline bool svc__bytes_eq_z(struct bytes a, const char *z)
{
    return svc__bytes_eq(a, svc__bytes_z(z));
}

/* The lower-case form of an ASCII letter; every other byte as it is, whatever the locale. Any
 * thread. */
static inline char svc__bytes_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Whether it is an ASCII letter, or an ASCII digit, whatever the locale. Any thread. */
static inline bool svc__bytes_is_letter(char c)
{
    return svc__bytes_lower(c) >= 'a' && svc__bytes_lower(c) <= 'z';
}

static inline bool svc__bytes_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Whether both hold the same bytes when ASCII letters of either case are taken as equal. Any
 * thread. */
bool svc__bytes_eq_nocase(struct bytes a, struct bytes b);

/* Copies the bytes and a NUL to `*to`, which moves behind them. Returns the copy. */
struct bytes svc__bytes_copy(char **to, struct bytes b);

/* `b` without the spaces and horizontal tabs at its ends. Any thread. */
struct bytes svc__bytes_trim(struct bytes b);

/* `b` without the double quotes at its two ends; unchanged when an end has none. Any thread. */
struct bytes svc__bytes_unquote(struct bytes b);

/*
 * Splits a list: returns the part of `*rest` before the first `sep` and moves `*rest` behind that
 * `sep`. When there is no `sep`, returns all of `*rest` and makes it "none" (data NULL). So a loop
 * `while (rest.data != NULL)` sees every part, also an empty last one. Any thread.
 */
struct bytes svc__bytes_cut(struct bytes *rest, char sep);

/* The index of `wanted` in a list of words with a space between each two; SIZE_MAX when the list
 * does not have it. Any thread. */
size_t svc__bytes_find_word(const char *words, struct bytes wanted);

#endif
