/* Every value of every request is checked here, by blocks; tokens by a table. */
#include "libsvc/proto/token.h"

#include <stdint.h>
#include <string.h>

#include "libsvc/proto/scan.h"

/* 1 for a tchar: a letter, a digit, or one of !#$%&'*+-.^_`|~ */
/* clang-format off */
static const unsigned char tchar[256] = {
    [0x20] =
    /* 0x20 */ 0, 1, 0, 1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 1, 1, 0,
    /* 0x30 */ 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0,
    /* 0x40 */ 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    /* 0x50 */ 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1,
    /* 0x60 */ 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    /* 0x70 */ 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1, 0,
};
/* clang-format on */

size_t svc__token_span(struct bytes text)
{
    size_t i = 0;
    while (i < text.len && tchar[(unsigned char)text.data[i]])
        i++;
    return i;
}

bool svc__token_valid(struct bytes text)
{
    return text.len > 0 && svc__token_span(text) == text.len;
}

static bool bytes_valid(const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (svc__scan_ends_at(SCAN_VALUE, at[i]))
            return false;
    return true;
}

/*
 * Whether one of the eight bytes is below 0x20, be it a tab, or is 0x7f. The subtractions borrow
 * across bytes only above a byte that is found itself, so the answer for the word is exact.
 */
static bool word_has_control(const char *at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones * 0x80;
    uint64_t word;
    memcpy(&word, at, sizeof word);
    uint64_t low = (word - ones * 0x20) & ~word;
    uint64_t not_del = word ^ (ones * 0x7f);
    uint64_t del = (not_del - ones) & ~not_del;
    return ((low | del) & tops) != 0;
}

static bool block_valid(const char *at)
{
#ifdef __SSE2__
    return svc__scan_ends(SCAN_VALUE, at) == 0;
#else
    return (!word_has_control(at) && !word_has_control(at + SCAN_BLOCK / 2)) ||
           bytes_valid(at, SCAN_BLOCK);
#endif
}

/* A rest shorter than a block is checked as the end of a whole block, which may overlap the last
 * one. */
bool svc__token_value_valid(struct bytes text)
{
    size_t i = 0, half = SCAN_BLOCK / 2;
    for (; text.len - i >= SCAN_BLOCK; i += SCAN_BLOCK)
        if (!block_valid(text.data + i))
            return false;
    if (i > 0)
        return i == text.len || block_valid(text.data + (text.len - SCAN_BLOCK));
    if (text.len >= half && !word_has_control(text.data) &&
        !word_has_control(text.data + (text.len - half)))
        return true;
    return bytes_valid(text.data, text.len);
}
