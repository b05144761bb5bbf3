/* Every name and value of every request is checked here: by table, and by eight bytes at a time. */
#include "libsvc/proto/token.h"

#include <stdint.h>
#include <string.h>

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

static bool value_byte(unsigned char c)
{
    return (c >= 0x20 && c != 0x7f) || c == '\t';
}

/*
 * Whether one of the eight bytes is below 0x20 or is 0x7f. The subtractions borrow across bytes
 * only above a byte that is found itself, so the answer for the word as a whole is exact.
 */
static bool word_has_control(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t tops = ones * 0x80;
    uint64_t low = (word - ones * 0x20) & ~word;
    uint64_t not_del = word ^ (ones * 0x7f);
    uint64_t del = (not_del - ones) & ~not_del;
    return ((low | del) & tops) != 0;
}

bool svc__token_value_valid(struct bytes text)
{
    size_t i = 0;
    uint64_t word;
    for (; i + sizeof word <= text.len; i += sizeof word) {
        memcpy(&word, text.data + i, sizeof word);
        if (word_has_control(word))
            break; /* perhaps only a tab: the loop below tells */
    }
    if (i > 0 && text.len - i < sizeof word) {
        /* The last word may overlap the one before. */
        memcpy(&word, text.data + text.len - sizeof word, sizeof word);
        if (!word_has_control(word))
            return true;
    }
    while (i < text.len && value_byte((unsigned char)text.data[i]))
        i++;
    return i == text.len;
}
