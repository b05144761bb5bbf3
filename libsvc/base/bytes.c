/* Comparing and splitting views of bytes: the functions that are not worth inlining. */
#include "libsvc/base/bytes.h"

#include <stdint.h>

/* Eight bytes with the ASCII letters among them in lower case. In bytes below 0x80 an addition sets
 * the top bit where the byte is at least 'A', or above 'Z', and carries into no other. */
static uint64_t lower_word(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones * 0x80;
    uint64_t low = word & ~tops;
    uint64_t from_a = low + ones * (0x80 - 'A'), above_z = low + ones * (0x80 - 'Z' - 1);
    return word | ((from_a ^ above_z) & ~word & tops) >> 2;
}

static bool words_eq_nocase(uint64_t a, uint64_t b)
{
    return a == b || lower_word(a) == lower_word(b);
}

static uint64_t load_word(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* All of 4 to 8 bytes: their first and their last four, which may overlap. */
static uint64_t load_short(const char *at, size_t len)
{
    uint32_t first, last;
    memcpy(&first, at, sizeof first);
    memcpy(&last, at + len - sizeof last, sizeof last);
    return (uint64_t)first << 32 | last;
}

bool svc__bytes_eq_nocase(struct bytes a, struct bytes b)
{
    const size_t len = a.len, word = sizeof(uint64_t);
    size_t i = 0;
    if (len != b.len)
        return false;
    if (len >= word / 2 && len <= word)
        return words_eq_nocase(load_short(a.data, len), load_short(b.data, len));
    for (; len - i > word; i += word)
        if (!words_eq_nocase(load_word(a.data + i), load_word(b.data + i)))
            return false;
    if (i > 0) /* the last word may overlap the one before */
        return words_eq_nocase(load_word(a.data + len - word), load_word(b.data + len - word));
    for (; i < len; i++)
        if (svc__bytes_lower(a.data[i]) != svc__bytes_lower(b.data[i]))
            return false;
    return true;
}

struct bytes svc__bytes_copy(char **to, struct bytes b)
{
    char *at = *to;
    if (b.len > 0)
        memcpy(at, b.data, b.len);
    at[b.len] = '\0';
    *to += b.len + 1;
    return svc__bytes(at, b.len);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct bytes svc__bytes_trim(struct bytes b)
{
    while (b.len > 0 && is_blank(b.data[0])) {
        b.data++;
        b.len--;
    }
    while (b.len > 0 && is_blank(b.data[b.len - 1]))
        b.len--;
    return b;
}

struct bytes svc__bytes_unquote(struct bytes b)
{
    bool quoted = b.len >= 2 && b.data[0] == '"' && b.data[b.len - 1] == '"';
    return quoted ? svc__bytes(b.data + 1, b.len - 2) : b;
}

struct bytes svc__bytes_cut(struct bytes *rest, char sep)
{
    struct bytes part = *rest;
    const char *at = part.len == 0 ? NULL : memchr(part.data, sep, part.len);
    if (at == NULL) {
        *rest = svc__bytes(NULL, 0);
        return part;
    }
    part.len = (size_t)(at - part.data);
    *rest = svc__bytes(at + 1, rest->len - part.len - 1);
    return part;
}

size_t svc__bytes_find_word(const char *words, struct bytes wanted)
{
    struct bytes rest = svc__bytes_z(words);
    for (size_t i = 0; rest.data; i++)
        if (svc__bytes_eq(svc__bytes_cut(&rest, ' '), wanted))
            return i;
    return SIZE_MAX;
}
