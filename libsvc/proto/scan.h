/*
 * How far runs of allowed bytes reach, sixteen bytes at a time where the processor has SSE2. Here
 * because the reader of heads asks three times a line.
 */
#ifndef SVC_PROTO_SCAN_H
#define SVC_PROTO_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "libsvc/base/bytes.h"

enum scan_run {
    SCAN_VALUE,   /* all but control characters; a tab is allowed: what a field value may hold */
    SCAN_VISIBLE, /* all but white space and control characters */
    SCAN_PLAIN    /* letters, digits and '-': what nearly all tokens consist of */
};

enum { SCAN_BLOCK = 16 };

/* Whether a run ends at a byte. Any thread. */
static inline bool svc__scan_ends_at(enum scan_run run, char byte)
{
    unsigned char c = (unsigned char)byte;
    if (run == SCAN_PLAIN)
        return !svc__bytes_is_letter(byte) && !svc__bytes_is_digit(byte) && byte != '-';
    if (c == ' ' || c == '\t')
        return run == SCAN_VISIBLE;
    return c < 0x20 || c == 0x7f;
}

/* A bit for each byte of a block, the first one's the lowest: set where a run ends. Any thread. */
static inline unsigned svc__scan_ends(enum scan_run run, const char *block)
{
#ifdef __SSE2__
    __m128i bytes = _mm_loadu_si128((const void *)block), ends;
    if (run == SCAN_PLAIN) {
        /* A byte is in a range if its distance from the beginning, modulo 256, is small enough. */
        __m128i letter = _mm_sub_epi8(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
        __m128i digit = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
        __m128i is_letter = _mm_cmpeq_epi8(letter, _mm_min_epu8(letter, _mm_set1_epi8(25)));
        __m128i is_digit = _mm_cmpeq_epi8(digit, _mm_min_epu8(digit, _mm_set1_epi8(9)));
        __m128i is_dash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-'));
        __m128i plain = _mm_or_si128(is_letter, _mm_or_si128(is_digit, is_dash));
        return (unsigned)_mm_movemask_epi8(plain) ^ 0xffff;
    }
    /* A byte is below a bound if it is the lesser of itself and the byte beneath the bound. */
    __m128i beneath = _mm_set1_epi8(run == SCAN_VISIBLE ? 0x20 : 0x1f);
    ends = _mm_cmpeq_epi8(bytes, _mm_min_epu8(bytes, beneath));
    if (run == SCAN_VALUE)
        ends = _mm_andnot_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t')), ends);
    ends = _mm_or_si128(ends, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)));
    return (unsigned)_mm_movemask_epi8(ends);
#else
    unsigned ends = 0;
    for (int i = 0; i < SCAN_BLOCK; i++)
        ends |= (unsigned)svc__scan_ends_at(run, block[i]) << i;
    return ends;
#endif
}

/*
 * Where the run that begins at `at` ends: at the first byte that it may not have, or at `end`. The
 * bytes from `begin` on can be read, of which a block may have to begin before `at`. Any thread.
 */
static inline const char *svc__scan_end(enum scan_run run, const char *begin, const char *at,
                                        const char *end)
{
    for (; end - at >= SCAN_BLOCK; at += SCAN_BLOCK) {
        unsigned ends = svc__scan_ends(run, at);
        if (ends)
            return at + __builtin_ctz(ends);
    }
    if (end - begin >= SCAN_BLOCK && at < end) {
        unsigned ends = svc__scan_ends(run, end - SCAN_BLOCK) >> (SCAN_BLOCK - (end - at));
        return ends ? at + __builtin_ctz(ends) : end;
    }
    while (at < end && !svc__scan_ends_at(run, *at))
        at++;
    return at;
}

#endif
