#include <criterion/criterion.h>
#include <string.h>

#include "libsvc/proto/token.h"
#include "tests/unit/proto/vectors.h"

static bool is_tchar(int c)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    bool digit = c >= '0' && c <= '9';
    return letter || digit || (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

Test(proto_token, each_of_the_256_bytes_is_a_tchar_or_not)
{
    for (int c = 0; c < 256; c++) {
        char alone = (char)c;
        char text[3] = {'a', (char)c, 'z'};
        cr_expect_eq(svc__token_valid(svc__bytes(&alone, 1)), is_tchar(c), "0x%02x", c);
        cr_expect_eq(svc__token_valid(svc__bytes(text, 3)), is_tchar(c), "0x%02x", c);
        cr_expect_eq(svc__token_span(svc__bytes(text, 3)), is_tchar(c) ? 3 : 1, "0x%02x", c);
    }
}

Test(proto_token, an_empty_text_is_no_token)
{
    cr_expect_not(svc__token_valid(svc__bytes(NULL, 0)));
    cr_expect_not(svc__token_valid(BYTES("")));
    cr_expect_eq(svc__token_span(svc__bytes(NULL, 0)), 0);
}

/* Every byte at every place of texts up to two blocks and a half: blocks, words and single bytes.
 */
Test(proto_token, each_of_the_256_bytes_is_a_value_byte_or_not_wherever_it_stands)
{
    for (int c = 0; c < 256; c++) {
        bool allowed = c == '\t' || (c >= 0x20 && c != 0x7f);
        for (size_t len = 1; len <= 40; len++) {
            for (size_t at = 0; at < len; at++) {
                char text[40];
                memset(text, (int)('a' + at % 26), len);
                text[at] = (char)c;
                cr_assert_eq(svc__token_value_valid(svc__bytes(text, len)), allowed,
                             "0x%02x at %zu of %zu", c, at, len);
            }
        }
    }
}

Test(proto_token, a_control_character_is_found_beside_any_neighbour)
{
    for (int bad = 0; bad < 256; bad++) {
        if (bad == '\t' || (bad >= 0x20 && bad != 0x7f))
            continue;
        for (int good = 0x20; good < 256; good++) {
            if (good == 0x7f)
                continue;
            for (size_t at = 0; at < 16; at++) {
                char text[16];
                memset(text, good, sizeof(text));
                text[at] = (char)bad;
                cr_assert_not(svc__token_value_valid(svc__bytes(text, 16)), "0x%02x in 0x%02x", bad,
                              good);
                cr_assert_not(svc__token_value_valid(svc__bytes(text + at / 8 * 8, 8)),
                              "0x%02x in 0x%02x", bad, good);
            }
        }
    }
}

Test(proto_token, any_two_good_neighbours_are_good)
{
    for (int a = 0x20; a < 256; a++) {
        for (int b = 0x20; b < 256; b++) {
            if (a == 0x7f || b == 0x7f)
                continue;
            char text[16] = {(char)a, (char)b, (char)a, (char)b,
                             (char)b, (char)a, (char)a, (char)b};
            memcpy(text + 8, text, 8);
            cr_assert(svc__token_value_valid(svc__bytes(text, 8)), "0x%02x 0x%02x", a, b);
            cr_assert(svc__token_value_valid(svc__bytes(text, 16)), "0x%02x 0x%02x", a, b);
        }
    }
}

Test(proto_token, a_value_may_be_empty_and_may_have_white_space_at_its_ends)
{
    cr_expect(svc__token_value_valid(svc__bytes(NULL, 0)));
    cr_expect(svc__token_value_valid(BYTES("")));
    cr_expect(svc__token_value_valid(BYTES(" \tvalue with spaces, and more\t ")));
    cr_expect_not(svc__token_value_valid(BYTES("tab\tthen a late\rreturn")));
    cr_expect_not(svc__token_value_valid(BYTES("1\0evil")));
}
