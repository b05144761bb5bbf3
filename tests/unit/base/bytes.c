#include <criterion/criterion.h>
#include <stdint.h>

#include "tests/unit/base/support.h"

#define NONE                                                                                       \
    {                                                                                              \
        NULL, 0                                                                                    \
    }

Test(base_bytes, eq_compares_all_bytes)
{
    static const struct {
        struct bytes a, b;
        bool eq, eq_nocase;
    } rows[] = {
        {NONE, NONE, true, true},
        {NONE, LITERAL(""), true, true},
        {LITERAL("a"), LITERAL("a"), true, true},
        {LITERAL("a"), LITERAL("A"), false, true},
        {LITERAL("aB-9"), LITERAL("Ab-9"), false, true},
        {LITERAL("a"), LITERAL("ab"), false, false},
        {LITERAL("a"), NONE, false, false},
        {LITERAL("a\0b"), LITERAL("a\0b"), true, true},
        {LITERAL("a\0b"), LITERAL("a\0c"), false, false},
        /* Only letters have a case, and only those of ASCII. */
        {LITERAL("@"), LITERAL("`"), false, false},
        {LITERAL("["), LITERAL("{"), false, false},
        {LITERAL("\xc3\x89"), LITERAL("\xc3\xa9"), false, false},
        {LITERAL("\xe1"), LITERAL("\xc1"), false, false},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        cr_expect_eq(svc__bytes_eq(rows[i].a, rows[i].b), rows[i].eq, "row %zu", i);
        cr_expect_eq(svc__bytes_eq(rows[i].b, rows[i].a), rows[i].eq, "row %zu", i);
        cr_expect_eq(svc__bytes_eq_nocase(rows[i].a, rows[i].b), rows[i].eq_nocase, "row %zu", i);
        cr_expect_eq(svc__bytes_eq_nocase(rows[i].b, rows[i].a), rows[i].eq_nocase, "row %zu", i);
    }
}

/* Every pair of bytes at every place of texts up to two words and a half. */
Test(base_bytes, case_is_ignored_wherever_a_letter_stands)
{
    char a[20], b[20];
    for (size_t len = 1; len <= sizeof a; len++) {
        for (size_t at = 0; at < len; at++) {
            memset(a, 'x', len);
            memset(b, 'X', len);
            for (int c = 0; c < 256; c++) {
                for (int d = 0; d < 256; d++) {
                    a[at] = (char)c;
                    b[at] = (char)d;
                    bool want = svc__bytes_lower((char)c) == svc__bytes_lower((char)d);
                    bool seen = svc__bytes_eq_nocase(svc__bytes(a, len), svc__bytes(b, len));
                    if (seen != want) /* an assertion for each is slow */
                        cr_assert_fail("0x%02x and 0x%02x at %zu of %zu", c, d, at, len);
                }
            }
        }
    }
}

Test(base_bytes, the_view_of_null_is_none)
{
    cr_expect_null(svc__bytes_z(NULL).data);
    cr_expect_eq(svc__bytes_z(NULL).len, 0);
    cr_expect_not_null(svc__bytes_z("").data);
    cr_expect(svc__bytes_eq_z(BYTES("abc"), "abc"));
    cr_expect_not(svc__bytes_eq_z(BYTES("abc\0"), "abc"));
}

Test(base_bytes, lower_changes_the_26_letters_only)
{
    for (int c = 0; c < 256; c++) {
        int want = c >= 'A' && c <= 'Z' ? c + 32 : c;
        cr_expect_eq((unsigned char)svc__bytes_lower((char)c), want, "0x%02x", c);
    }
}

Test(base_bytes, trim_takes_spaces_and_tabs_off_both_ends)
{
    static const struct {
        struct bytes text, trimmed;
    } rows[] = {
        {NONE, NONE},
        {LITERAL(""), LITERAL("")},
        {LITERAL(" \t "), LITERAL("")},
        {LITERAL("a"), LITERAL("a")},
        {LITERAL("\t a b \t"), LITERAL("a b")},
        {LITERAL("\na\r"), LITERAL("\na\r")},
        {LITERAL("\xa0 a"), LITERAL("\xa0 a")},
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect(svc__bytes_eq(svc__bytes_trim(rows[i].text), rows[i].trimmed), "row %zu", i);
}

Test(base_bytes, unquote_takes_off_one_pair_of_quotes)
{
    static const struct {
        struct bytes text, unquoted;
    } rows[] = {
        {NONE, NONE},
        {LITERAL(""), LITERAL("")},
        {LITERAL("\""), LITERAL("\"")},
        {LITERAL("\"\""), LITERAL("")},
        {LITERAL("\"a b\""), LITERAL("a b")},
        {LITERAL("\"a"), LITERAL("\"a")},
        {LITERAL("a\""), LITERAL("a\"")},
        {LITERAL("\"\"a\"\""), LITERAL("\"a\"")},
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect(svc__bytes_eq(svc__bytes_unquote(rows[i].text), rows[i].unquoted), "row %zu", i);
}

Test(base_bytes, cut_gives_every_part_also_empty_ones)
{
    static const struct {
        struct bytes list;
        size_t count;
        struct bytes parts[4];
    } rows[] = {
        {NONE, 0, {NONE}},
        {LITERAL(""), 1, {LITERAL("")}},
        {LITERAL("a"), 1, {LITERAL("a")}},
        {LITERAL("a,b"), 2, {LITERAL("a"), LITERAL("b")}},
        {LITERAL(","), 2, {LITERAL(""), LITERAL("")}},
        {LITERAL("a,,b,"), 4, {LITERAL("a"), LITERAL(""), LITERAL("b"), LITERAL("")}},
        {LITERAL("a\0,b"), 2, {LITERAL("a\0"), LITERAL("b")}},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct bytes rest = rows[i].list;
        size_t count = 0;
        while (rest.data != NULL) {
            struct bytes part = svc__bytes_cut(&rest, ',');
            cr_assert_lt(count, rows[i].count, "row %zu", i);
            cr_expect(svc__bytes_eq(part, rows[i].parts[count]), "row %zu part %zu", i, count);
            count++;
        }
        cr_expect_eq(count, rows[i].count, "row %zu", i);
    }
}

Test(base_bytes, find_word_takes_whole_words)
{
    static const struct {
        struct bytes wanted;
        size_t index;
    } rows[] = {
        {LITERAL("on"), 0},
        {LITERAL("once"), 1},
        {LITERAL("off"), 2},
        {LITERAL("o"), SIZE_MAX},
        {LITERAL("onc"), SIZE_MAX},
        {LITERAL("On"), SIZE_MAX},
        {LITERAL("off "), SIZE_MAX},
        {LITERAL("on once"), SIZE_MAX},
        {LITERAL("on\0"), SIZE_MAX},
        {LITERAL(""), SIZE_MAX},
        {NONE, SIZE_MAX},
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_eq(svc__bytes_find_word("on once off", rows[i].wanted), rows[i].index, "row %zu",
                     i);
    cr_expect_eq(svc__bytes_find_word(NULL, BYTES("on")), SIZE_MAX);
}
