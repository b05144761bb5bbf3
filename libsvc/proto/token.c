/* Every value of every request is checked here, by blocks; tokens by a table. */
#include "libsvc/proto/token.h"

#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

enum { BLOCK = 16 };

/* Whether a byte ends a run: it is below `floor`, and no tab where tabs pass, or it is DEL. */
static inline bool ends_run(char byte, unsigned char floor, bool tabs)
{
    unsigned char c = (unsigned char)byte;
    return (c < floor && !(tabs && c == '\t')) || c == 0x7f;
}

static inline size_t bytes_span(const char *at, size_t len, unsigned char floor, bool tabs)
{
    size_t i = 0;
    while (i < len && !ends_run(at[i], floor, tabs))
        i++;
    return i;
}

/*
 * Whether one of the eight bytes is below `floor`, be it a tab, or is 0x7f. The subtractions borrow
 * across bytes only above a byte that is found itself, so the answer for the word is exact.
 */
static inline bool word_has_end(const char *at, unsigned char floor)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones * 0x80;
    uint64_t word;
    memcpy(&word, at, sizeof word);
    uint64_t low = (word - ones * floor) & ~word;
    uint64_t not_del = word ^ (ones * 0x7f);
    uint64_t del = (not_del - ones) & ~not_del;
    return ((low | del) & tops) != 0;
}

/* The length of the run at the beginning of a block. */
static inline size_t block_span(const char *at, unsigned char floor, bool tabs)
{
#ifdef __SSE2__
    __m128i block = _mm_loadu_si128((const void *)at);
    /* A byte is below the floor if it is the lesser of itself and the byte beneath the floor. */
    __m128i beneath = _mm_set1_epi8((char)(floor - 1));
    __m128i low = _mm_cmpeq_epi8(block, _mm_min_epu8(block, beneath));
    __m128i tab = _mm_cmpeq_epi8(block, _mm_set1_epi8('\t'));
    __m128i del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f));
    if (tabs)
        low = _mm_andnot_si128(tab, low);
    unsigned ends = (unsigned)_mm_movemask_epi8(_mm_or_si128(low, del));
    return ends ? (size_t)__builtin_ctz(ends) : BLOCK;
#else
    if (!word_has_end(at, floor) && !word_has_end(at + BLOCK / 2, floor))
        return BLOCK;
    return bytes_span(at, BLOCK, floor, tabs);
#endif
}

static inline size_t run_span(struct bytes text, unsigned char floor, bool tabs)
{
    for (size_t i = 0; text.len - i >= BLOCK; i += BLOCK) {
        size_t span = block_span(text.data + i, floor, tabs);
        if (span < BLOCK)
            return i + span;
    }
    size_t whole = text.len / BLOCK * BLOCK;
    return whole + bytes_span(text.data + whole, text.len - whole, floor, tabs);
}

size_t svc__token_value_span(struct bytes text)
{
    return run_span(text, 0x20, true);
}

size_t svc__token_visible_span(struct bytes text)
{
    return run_span(text, 0x21, false);
}

static bool block_valid(const char *at)
{
    return block_span(at, 0x20, true) == BLOCK;
}

/* A rest shorter than a block is checked as the end of a whole block, which may overlap the last
 * one. */
bool svc__token_value_valid(struct bytes text)
{
    size_t i = 0, half = BLOCK / 2;
    for (; text.len - i >= BLOCK; i += BLOCK)
        if (!block_valid(text.data + i))
            return false;
    if (i > 0)
        return i == text.len || block_valid(text.data + (text.len - BLOCK));
    if (text.len >= half && !word_has_end(text.data, 0x20) &&
        !word_has_end(text.data + (text.len - half), 0x20))
        return true;
    return bytes_span(text.data, text.len, 0x20, true) == text.len;
}
