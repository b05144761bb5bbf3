#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/base/utf8.h"
#include "tests/unit/base/support.h"

/* Encodes any 21-bit number by the rule of the format, valid or not. */
static size_t encode(char out[static 4], uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)((0xf00u >> n & 0xf0u) | code);
    return n;
}

Test(base_utf8, every_code_point_but_surrogates_is_valid)
{
    for (uint32_t code = 0; code < 0x1fffff; code++) {
        char text[4];
        size_t len = encode(text, code);
        bool valid = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
        cr_assert_eq(svc__utf8_sequence(svc__bytes(text, len)), valid ? len : 0, "U+%04X",
                     (unsigned)code);
        cr_assert_eq(svc__utf8_valid(svc__bytes(text, len)), valid, "U+%04X", (unsigned)code);
    }
}

Test(base_utf8, a_text_is_valid_without_nul)
{
    cr_expect(svc__utf8_text(svc__bytes("\xc3\xa9", 2)));
    cr_expect(svc__utf8_text(svc__bytes(NULL, 0)));
    cr_expect_not(svc__utf8_text(svc__bytes("a\0b", 3)));
    cr_expect_not(svc__utf8_text(svc__bytes("\xff", 1)));
    cr_expect_not(svc__utf8_text(svc__bytes("\xc3", 1)));
}

/* By the table of well-formed byte sequences of the Unicode standard. */
static bool pair_is_valid(unsigned lead, unsigned next)
{
    bool ascii = lead < 0x80 && next < 0x80;
    bool two = lead >= 0xc2 && lead <= 0xdf && next >= 0x80 && next <= 0xbf;
    return ascii || two;
}

Test(base_utf8, every_pair_of_bytes_is_valid_or_not)
{
    for (unsigned lead = 0; lead < 256; lead++)
        for (unsigned next = 0; next < 256; next++) {
            char text[2] = {(char)lead, (char)next};
            cr_assert_eq(svc__utf8_valid(svc__bytes(text, 2)), pair_is_valid(lead, next),
                         "%02x %02x", lead, next);
        }
}

Test(base_utf8, bad_sequences_are_refused)
{
    static const struct bytes rows[] = {
        LITERAL("\x80"),             /* a continuation alone */
        LITERAL("\xc0\x80"),         /* overlong NUL */
        LITERAL("\xc1\xbf"),         /* overlong */
        LITERAL("\xe0\x80\x80"),     /* overlong */
        LITERAL("\xe0\x9f\xbf"),     /* overlong */
        LITERAL("\xf0\x80\x80\x80"), /* overlong */
        LITERAL("\xf0\x8f\xbf\xbf"), /* overlong */
        LITERAL("\xed\xa0\x80"),     /* first surrogate */
        LITERAL("\xed\xbf\xbf"),     /* last surrogate */
        LITERAL("\xf4\x90\x80\x80"), /* U+110000 */
        LITERAL("\xf5\x80\x80\x80"),
        LITERAL("\xf8\x88\x80\x80\x80"),
        LITERAL("\xfe"),
        LITERAL("\xff"),
        LITERAL("\xc3"),
        LITERAL("\xe2\x82"),
        LITERAL("\xf0\x9f\x98"),
        LITERAL("\xc3\xc3\xa9"),
        LITERAL("\xe2\x82\x28"),
        LITERAL("\xf0\x9f\x28\x80"),
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        cr_expect_eq(svc__utf8_sequence(rows[i]), 0, "row %zu", i);
        cr_expect_not(svc__utf8_valid(rows[i]), "row %zu", i);
    }
}

Test(base_utf8, a_sequence_is_the_first_of_the_text_only)
{
    cr_expect_eq(svc__utf8_sequence(BYTES("a\xff")), 1);
    cr_expect_eq(svc__utf8_sequence(BYTES("\xc3\xa9\xff")), 2);
    cr_expect_eq(svc__utf8_sequence(BYTES("\0")), 1);
    cr_expect_eq(svc__utf8_sequence(BYTES("")), 0);
    cr_expect_eq(svc__utf8_sequence(svc__bytes(NULL, 0)), 0);
    cr_expect(svc__utf8_valid(svc__bytes(NULL, 0)));
}

/* The quick way looks at eight bytes at a time, so a bad byte stands at each place of each length.
 */
Test(base_utf8, a_bad_byte_is_found_wherever_it_stands)
{
    for (size_t len = 1; len < 40; len++) {
        char *text = malloc(len); /* exactly: the sanitizer watches both ends */
        memset(text, 'a', len);
        cr_assert(svc__utf8_valid(svc__bytes(text, len)));
        for (size_t at = 0; at < len; at++) {
            text[at] = (char)0x80;
            cr_assert_not(svc__utf8_valid(svc__bytes(text, len)), "%zu of %zu", at, len);
            text[at] = (char)0xc3;
            cr_assert_not(svc__utf8_valid(svc__bytes(text, len)), "%zu of %zu", at, len);
            text[at] = 'a';
        }
        free(text);
    }
}

Test(base_utf8, counts_characters_wherever_they_lie)
{
    static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z"; /* five of 1 to 4 bytes */
    for (size_t before = 0; before < 20; before++) {
        char padded[64];
        memset(padded, 'x', sizeof padded);
        memcpy(padded + before, text, sizeof text - 1);
        for (size_t after = 0; after < 20; after++)
            cr_assert_eq(svc__utf8_count(svc__bytes(padded, before + sizeof text - 1 + after)),
                         before + 5 + after);
    }
    cr_expect_eq(svc__utf8_count(svc__bytes(NULL, 0)), 0);
}

/* As Unicode recommends, and as Python and browsers decode. */
Test(base_utf8, one_replacement_stands_for_the_longest_beginning_of_a_sequence)
{
    static const struct {
        struct bytes text;
        size_t bad;
    } rows[] = {
        {LITERAL("\xff\x80"), 1},     {LITERAL("\x80\x80"), 1},
        {LITERAL("\xc3"), 1},         {LITERAL("\xc3("), 1},
        {LITERAL("\xe2\x82"), 2},     {LITERAL("\xe2\x82\xc3\xa9"), 2},
        {LITERAL("\xe0\x80\x80"), 1}, {LITERAL("\xed\xa0\x80"), 1},
        {LITERAL("\xf0\x9f\x98"), 3}, {LITERAL("\xf0\x9f\x98\xf0"), 3},
        {LITERAL("\xf4\x90\x80"), 1}, {LITERAL("\xf0\x9f("), 2},
        {LITERAL("\xf5\x80"), 1},
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_eq(svc__utf8_bad(rows[i].text), rows[i].bad, "%zu", i);
}
