#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/base/json_text.h"
#include "libsvc/base/utf8.h"
#include "tests/unit/base/support.h"

enum { LONGEST = 70 };

static bool is_wide_control(const unsigned char *c, size_t n)
{
    return (n == 2 && c[0] == 0xc2 && c[1] < 0xa0) ||
           (n == 3 && c[0] == 0xe2 && c[1] == 0x80 && (c[2] == 0xa8 || c[2] == 0xa9));
}

/* What is to be written, by the definition, a character at a time, and where it stops; `extra` is
 * how many bytes more there may be than `text` has. */
static size_t write_by_definition(char *to, size_t extra, struct bytes *text)
{
    size_t len = 0;
    while (text->len > 0) {
        const unsigned char *c = (const unsigned char *)text->data;
        size_t n = svc__utf8_sequence(*text), escape = n;
        bool stands =
            n > 0 && !is_wide_control(c, n) && *c != 0x7f && *c != '"' && *c != '\\' && *c >= 0x20;
        if (!stands && (n != 1 || extra < JSON_TEXT_ESCAPE_LEN - 1))
            break;
        if (stands)
            memcpy(to + len, c, n);
        else
            svc__json_text_escape(to + len, &escape, *text);
        len += escape;
        extra -= escape - n;
        *text = svc__bytes(text->data + n, text->len - n);
    }
    return len;
}

/* Out of and into memory of just that size, so that the sanitizer sees a byte too many. */
static void expect_written(struct bytes text, size_t extra)
{
    char *from = malloc(text.len + !text.len), *to = malloc(text.len + extra + 1);
    char want[LONGEST + 64];
    memcpy(from, text.data, text.len);
    struct bytes left = {from, text.len}, want_left = left;
    size_t len = svc__json_text_write(to, text.len + extra, &left);
    size_t want_len = write_by_definition(want, extra, &want_left);
    cr_assert_eq(len, want_len, "%zu of \"%.*s\"", len, SHOW(text));
    cr_assert_eq(memcmp(to, want, len), 0, "\"%.*s\"", SHOW(text));
    cr_assert(left.data == want_left.data && left.len == want_left.len, "\"%.*s\"", SHOW(text));
    free(from);
    free(to);
}

static void expect_any_room(struct bytes text)
{
    expect_written(text, 0);
    expect_written(text, 9);
}

Test(base_json_text, any_byte_at_any_place)
{
    char text[LONGEST];
    for (size_t len = 0; len < LONGEST; len++)
        for (size_t at = 0; at <= len; at++)
            for (int c = 0; c < 256; c += at == len ? 256 : 1) {
                memset(text, 'x', len);
                if (at < len)
                    text[at] = (char)c;
                expect_any_room(svc__bytes(text, len));
            }
}

Test(base_json_text, escapes_as_long_as_there_is_room)
{
    char text[LONGEST];
    for (size_t at = 0; at < LONGEST; at++)
        text[at] = at % 7 == 3 ? '"' : at % 11 == 5 ? '\n' : at % 13 == 8 ? '\x01' : 'x';
    for (size_t len = 0; len < LONGEST; len++)
        for (size_t extra = 0; extra < 64; extra++)
            expect_written(svc__bytes(text, len), extra);
}

Test(base_json_text, sequences_at_any_place)
{
    static const char *const sequences[] = {
        "\xc2\xa0",         "\xc2\x9f",         "\xc3\xa9",         "\xdf\xbf",     "\xe0\xa0\x80",
        "\xe1\x80\x80",     "\xe2\x80\xa7",     "\xe2\x80\xa8",     "\xe2\x80\xa9", "\xe2\x82\xac",
        "\xe3\x81\x82",     "\xec\xbf\xbf",     "\xed\x9f\xbf",     "\xed\xa0\x80", "\xef\xbf\xbf",
        "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xc1\xbf",     "\xe0\x9f\xbf",
    };
    for (size_t i = 0; i < ROWS(sequences); i++) {
        size_t n = strlen(sequences[i]);
        for (size_t len = n; len < 40; len++)
            for (size_t at = 0; at + n <= len; at++) {
                char text[40];
                memset(text, 'x', len);
                memcpy(text + at, sequences[i], n);
                expect_any_room(svc__bytes(text, len));
                expect_any_room(svc__bytes(text, at + n - 1)); /* cut short */
            }
    }
}

/* All that begin with two given bytes: decided by the definition and by tables of first bytes. */
Test(base_json_text, any_first_bytes_of_a_sequence)
{
    for (int first = 0x80; first < 256; first++)
        for (int second = 0; second < 256; second++)
            for (int third = 0x7f; third <= 0xc0; third++) {
                const char text[] = {(char)first, (char)second, (char)third, (char)0x80, 'x'};
                expect_any_room(svc__bytes(text, sizeof text));
            }
}

Test(base_json_text, the_escape_stands_for_one_character)
{
    static const struct {
        struct bytes text;
        const char *escape;
        size_t taken;
    } rows[] = {
        {LITERAL("\"a"), "\\\"", 1},
        {LITERAL("\\"), "\\\\", 1},
        {LITERAL("\n\n"), "\\n", 1},
        {LITERAL("\0"), "\\u0000", 1},
        {LITERAL("\x1f"), "\\u001f", 1},
        {LITERAL("\x7f"), "\\u007f", 1},
        {LITERAL("\xc2\x85x"), "\\u0085", 2},
        {LITERAL("\xe2\x80\xa9"), "\\u2029", 3},
        {LITERAL("\xff"), "", 0},
        {LITERAL("\xc3"), "", 0},
        {LITERAL("\xed\xa0\x80"), "", 0},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        char escape[JSON_TEXT_ESCAPE_LEN];
        size_t len = 0, taken = svc__json_text_escape(escape, &len, rows[i].text);
        cr_expect_eq(taken, rows[i].taken, "row %zu", i);
        cr_expect(svc__bytes_eq_z(svc__bytes(escape, len), rows[i].escape), "row %zu", i);
    }
}
