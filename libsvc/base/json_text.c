/* Strings of JSON. Most text is ASCII without escapes, so it is looked at by blocks while it is
 * copied. */
#include "libsvc/base/json_text.h"

#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "libsvc/base/utf8.h"

enum { BLOCK = 16 };

static bool is_plain(char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* Whether eight bytes are all plain. In words whose bytes are all below 0x80 a subtraction sets a
 * top bit, from the lowest byte that is too small on. */
static bool word_is_plain(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones * 0x80;
    uint64_t control = word - ones * 0x20, quote = (word ^ ones * '"') - ones;
    uint64_t backslash = (word ^ ones * '\\') - ones, del = (word ^ ones * 0x7f) - ones;
    return ((word | control | quote | backslash | del) & tops) == 0;
}

static size_t copy_bytes(char *to, const char *from, size_t len)
{
    size_t n = 0;
    for (; n < len && is_plain(from[n]); n++)
        to[n] = from[n];
    return n;
}

/* Copies a block, and returns how much of it is plain. */
static size_t copy_block(char *to, const char *from)
{
#ifdef __SSE2__
    __m128i block = _mm_loadu_si128((const void *)from);
    _mm_storeu_si128((void *)to, block);
    /* As signed bytes and increased by one, bytes above "~" are less than a space as well. */
    __m128i higher = _mm_add_epi8(block, _mm_set1_epi8(1));
    __m128i outside = _mm_cmplt_epi8(higher, _mm_set1_epi8(' ' + 1));
    __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
    __m128i backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
    __m128i stops = _mm_or_si128(outside, _mm_or_si128(quote, backslash));
    unsigned mask = (unsigned)_mm_movemask_epi8(stops);
    return (size_t)__builtin_ctz(mask | 1U << BLOCK);
#else
    uint64_t words[2];
    memcpy(words, from, sizeof words);
    memcpy(to, words, sizeof words);
    bool plain = word_is_plain(words[0]) && word_is_plain(words[1]);
    return plain ? sizeof words : copy_bytes(to, from, sizeof words);
#endif
}

/* Copies less than a block in two halves, which may overlap. */
static size_t copy_short(char *to, const char *from, size_t len)
{
    uint64_t first, last;
    if (len >= sizeof first) {
        memcpy(&first, from, sizeof first);
        memcpy(&last, from + len - sizeof last, sizeof last);
        if (word_is_plain(first) && word_is_plain(last)) {
            memcpy(to, &first, sizeof first);
            memcpy(to + len - sizeof last, &last, sizeof last);
            return len;
        }
    }
    uint32_t halves[2];
    if (len >= sizeof halves[0] && len < sizeof halves) {
        memcpy(&halves[0], from, sizeof halves[0]);
        memcpy(&halves[1], from + len - sizeof halves[1], sizeof halves[1]);
        if (word_is_plain((uint64_t)halves[0] << 32 | halves[1])) {
            memcpy(to, &halves[0], sizeof halves[0]);
            memcpy(to + len - sizeof halves[1], &halves[1], sizeof halves[1]);
            return len;
        }
    }
    return copy_bytes(to, from, len);
}

static size_t copy_ascii(char *to, const char *from, size_t len)
{
    if (len < BLOCK)
        return copy_short(to, from, len);
    size_t at = 0;
    for (; len - at >= BLOCK; at += BLOCK) {
        size_t n = copy_block(to + at, from + at);
        if (n < BLOCK)
            return at + n;
    }
    /* The last block begins within bytes that are known to be plain. */
    return len - BLOCK + copy_block(to + len - BLOCK, from + len - BLOCK);
}

static bool in_range(struct bytes text, const char *prefix, unsigned lowest, unsigned highest)
{
    size_t n = strlen(prefix);
    unsigned char last = (unsigned char)text.data[n];
    return memcmp(text.data, prefix, n) == 0 && last >= lowest && last <= highest;
}

/* The code point of a valid sequence that some reader takes for a control or a line's end although
 * it is not ASCII: C1 controls, line and paragraph separator. 0 for all others. */
static unsigned wide_control(struct bytes sequence)
{
    if (sequence.len == 2 && in_range(sequence, "\xc2", 0x80, 0x9f))
        return (unsigned char)sequence.data[1];
    if (sequence.len == 3 && in_range(sequence, "\xe2\x80", 0xa8, 0xa9))
        return 0x2000u + ((unsigned char)sequence.data[2] & 0x3fu);
    return 0;
}

static bool continues(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* The length of the sequence of several bytes that `text` begins with, if it is a plain one. Most
 * of them are recognised by their first byte: no overlong form, surrogate or control begins with
 * it. */
static size_t wide_plain(struct bytes text)
{
    unsigned char lead = text.len > 0 ? (unsigned char)text.data[0] : 0;
    if (lead < 0x80)
        return 0;
    if (lead > 0xc2 && lead < 0xe0)
        return text.len >= 2 && continues(text.data[1]) ? 2 : 0;
    if (lead > 0xe2 && lead < 0xed)
        return text.len >= 3 && continues(text.data[1]) && continues(text.data[2]) ? 3 : 0;
    size_t n = svc__utf8_sequence(text);
    return n > 0 && wide_control(svc__bytes(text.data, n)) == 0 ? n : 0;
}

/* Copies whole sequences as long as they are plain ones of several bytes. */
static size_t copy_wide(char *to, const char *from, size_t len)
{
    size_t at = 0;
    for (size_t n; (n = wide_plain(svc__bytes(from + at, len - at))) > 0; at += n)
        for (size_t i = 0; i < n; i++)
            to[at + i] = from[at + i];
    return at;
}

static size_t escape_number(char *out, unsigned code)
{
    static const char hex[] = "0123456789abcdef";
    const char text[JSON_TEXT_ESCAPE_LEN] = {
        '\\', 'u', hex[code >> 12 & 15], hex[code >> 8 & 15], hex[code >> 4 & 15], hex[code & 15]};
    memcpy(out, text, sizeof text);
    return sizeof text;
}

static size_t escape_ascii(char *out, unsigned char c)
{
    static const char letters[128] = {['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
                                      ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't'};
    if (!letters[c])
        return escape_number(out, c);
    out[0] = '\\';
    out[1] = letters[c];
    return 2;
}

size_t svc__json_text_escape(char out[static JSON_TEXT_ESCAPE_LEN], size_t *len, struct bytes text)
{
    size_t n = svc__utf8_sequence(text);
    if (n == 1)
        *len = escape_ascii(out, (unsigned char)text.data[0]);
    else if (n > 1)
        *len = escape_number(out, wide_control(svc__bytes(text.data, n)));
    return n;
}

/* Takes `n` bytes off the front, and returns `n`. */
static size_t advance(struct bytes *text, size_t n)
{
    *text = svc__bytes(text->data + n, text->len - n);
    return n;
}

size_t svc__json_text_write(char *to, size_t room, struct bytes *text)
{
    struct bytes rest = *text;
    size_t len = 0;
    while (rest.len > 0) {
        len += advance(&rest, copy_ascii(to + len, rest.data, rest.len));
        if (rest.len == 0)
            break;
        if ((unsigned char)*rest.data >= 0x80) {
            size_t n = copy_wide(to + len, rest.data, rest.len);
            if (n == 0)
                break;
            len += advance(&rest, n);
        } else if (room - len >= rest.len - 1 + JSON_TEXT_ESCAPE_LEN) {
            len += escape_ascii(to + len, (unsigned char)*rest.data);
            advance(&rest, 1);
        } else {
            break;
        }
    }
    *text = rest;
    return len;
}
