/* Checks UTF-8, with a quick path for ASCII, since most text is. */
#include "libsvc/base/utf8.h"

#include <stdint.h>

static bool within(unsigned char c, unsigned lowest, unsigned highest)
{
    return c >= lowest && c <= highest;
}

/* The length that a lead byte announces, and the range that it leaves for the second byte, which is
 * where overlong forms, surrogates and too high code points show. 0 for a byte that is no lead
 * byte. */
static size_t announced(unsigned char lead, unsigned *lowest, unsigned *highest)
{
    *lowest = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    *highest = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (lead < 0x80)
        return 1;
    if (within(lead, 0xc2, 0xdf))
        return 2;
    if (within(lead, 0xe0, 0xef))
        return 3;
    return within(lead, 0xf0, 0xf4) ? 4 : 0;
}

size_t svc__utf8_sequence(struct bytes text)
{
    if (text.len == 0)
        return 0;
    const unsigned char *at = (const unsigned char *)text.data;
    unsigned lowest;
    unsigned highest;
    size_t n = announced(at[0], &lowest, &highest);
    if (n <= 1)
        return n;
    if (n > text.len || !within(at[1], lowest, highest))
        return 0;
    for (size_t i = 2; i < n; i++) {
        if (!within(at[i], 0x80, 0xbf))
            return 0;
    }
    return n;
}

size_t svc__utf8_bad(struct bytes text)
{
    const unsigned char *at = (const unsigned char *)text.data;
    unsigned lowest;
    unsigned highest;
    size_t n = announced(at[0], &lowest, &highest), bad = 1;
    if (n < 2 || text.len < 2 || !within(at[1], lowest, highest))
        return 1;
    do
        bad++;
    while (bad < n && bad < text.len && within(at[bad], 0x80, 0xbf));
    return bad;
}

/* The number of ASCII bytes at the beginning, in groups of eight that have no other byte. */
static size_t ascii_run(struct bytes text)
{
    size_t at = 0;
    for (uint64_t group; text.len - at >= sizeof group; at += sizeof group) {
        memcpy(&group, text.data + at, sizeof group);
        if ((group & UINT64_C(0x8080808080808080)) != 0)
            return at;
    }
    while (at < text.len && (unsigned char)text.data[at] < 0x80)
        at++;
    return at;
}

bool svc__utf8_valid(struct bytes text)
{
    while (text.len > 0) {
        size_t n = ascii_run(text);
        if (n == 0)
            n = svc__utf8_sequence(text);
        if (n == 0)
            return false;
        text = svc__bytes(text.data + n, text.len - n);
    }
    return true;
}

bool svc__utf8_text(struct bytes text)
{
    return (text.len == 0 || !memchr(text.data, '\0', text.len)) && svc__utf8_valid(text);
}

/* Bytes 10xxxxxx continue a character; all others begin one. Eight are looked at at once, and the
 * product adds their bits up in its highest byte. */
size_t svc__utf8_count(struct bytes text)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    size_t at = 0, continued = 0;
    for (; text.len - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t group;
        memcpy(&group, text.data + at, sizeof group);
        continued += (size_t)(((group >> 7 & ~group >> 6 & ones) * ones) >> 56);
    }
    for (; at < text.len; at++)
        continued += ((unsigned char)text.data[at] & 0xc0) == 0x80;
    return text.len - continued;
}
