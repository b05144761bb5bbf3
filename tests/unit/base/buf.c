#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include <svc/errors.h>

#include "libsvc/base/buf.h"
#include "libsvc/base/utf8.h"
#include "tests/unit/base/support.h"

static struct buf buf;

static void open_buf(void)
{
    svc__buf_init(&buf, 1 << 20);
}

static void close_buf(void)
{
    svc__buf_free(&buf);
}

TestSuite(base_buf, .init = open_buf, .fini = close_buf);

static void expect_text(struct bytes want)
{
    cr_expect(svc__bytes_eq(svc__buf_view(&buf), want), "got \"%.*s\" for \"%.*s\"",
              SHOW(svc__buf_view(&buf)), SHOW(want));
}

Test(base_buf, an_empty_buffer_is_none)
{
    cr_expect_null(svc__buf_view(&buf).data);
    svc__buf_append(&buf, NULL, 0);
    svc__buf_puts(&buf, "");
    cr_expect_null(buf.data, "nothing was appended, so nothing is allocated");
    cr_expect_eq(svc__buf_error(&buf), 0);
    svc__buf_free(NULL);
}

Test(base_buf, appends_follow_each_other)
{
    svc__buf_puts(&buf, "a");
    svc__buf_putc(&buf, '\0');
    svc__buf_bytes(&buf, BYTES("b\0"));
    svc__buf_u64(&buf, UINT64_MAX);
    svc__buf_printf(&buf, "-%d-%s", -7, "x");
    svc__buf_append(&buf, "cd", 1);
    cr_expect_eq(svc__buf_error(&buf), 0);
    expect_text(svc__bytes("a\0b\00018446744073709551615--7-xc", 30));
}

Test(base_buf, grows_without_losing_bytes)
{
    for (int i = 0; i < 100000; i++)
        svc__buf_putc(&buf, (char)(i % 251));
    cr_assert_eq(svc__buf_error(&buf), 0);
    cr_assert_eq(buf.len, 100000);
    for (int i = 0; i < 100000; i++)
        cr_assert_eq((unsigned char)buf.data[i], i % 251);
}

Test(base_buf, the_ceiling_holds_exactly)
{
    for (size_t ceiling = 0; ceiling < 300; ceiling++) {
        for (size_t piece = 1; piece < 7; piece++) {
            struct buf b;
            svc__buf_init(&b, ceiling);
            size_t want = 0;
            for (; want + piece <= ceiling; want += piece)
                svc__buf_append(&b, "abcdefg", piece);
            cr_assert_eq(svc__buf_error(&b), 0);
            svc__buf_append(&b, "abcdefg", piece);
            cr_assert_eq(svc__buf_error(&b), SVC_ETOOBIG);
            cr_assert_eq(b.len, want, "an append is whole or not at all");
            svc__buf_terminate(&b);
            cr_assert_eq(b.len, want);
            cr_assert(b.data == NULL || b.data[want] == '\0');
            svc__buf_free(&b);
        }
    }
}

Test(base_buf, the_first_error_stays_until_clear)
{
    svc__buf_init(&buf, 4);
    svc__buf_puts(&buf, "abc");
    svc__buf_puts(&buf, "de");
    svc__buf_puts(&buf, "f");
    svc__buf_printf(&buf, "%d", 1);
    svc__buf_json_string(&buf, BYTES(""));
    svc__buf_u64(&buf, 1);
    cr_expect_null(svc__buf_reserve(&buf, 0));
    cr_expect_eq(svc__buf_error(&buf), SVC_ETOOBIG);
    expect_text(BYTES("abc"));
    char *memory = buf.data;
    svc__buf_clear(&buf);
    svc__buf_puts(&buf, "defg");
    cr_expect_eq(svc__buf_error(&buf), 0);
    cr_expect_eq(buf.data, memory, "clear keeps the memory");
    expect_text(BYTES("defg"));
}

Test(base_buf, absurd_sizes_are_refused)
{
    svc__buf_init(&buf, SIZE_MAX);
    cr_expect_null(svc__buf_reserve(&buf, SIZE_MAX));
    cr_expect_eq(svc__buf_error(&buf), SVC_ETOOBIG);
    svc__buf_clear(&buf);
    svc__buf_puts(&buf, "abc");
    cr_expect_null(svc__buf_reserve(&buf, SIZE_MAX - 1));
    cr_expect_eq(svc__buf_error(&buf), SVC_ETOOBIG);
}

Test(base_buf, one_over_memory_of_the_callers_never_leaves_it)
{
    char memory[8] = "........";
    struct buf over;
    svc__buf_over(&over, memory, sizeof memory - 1);
    svc__buf_puts(&over, "abcdef");
    svc__buf_terminate(&over);
    cr_expect_eq(svc__buf_error(&over), 0);
    cr_expect_eq(over.data, memory);
    cr_expect_arr_eq(memory, "abcdef\0.", 8);
    svc__buf_putc(&over, 'g');
    cr_expect_eq(svc__buf_error(&over), SVC_ETOOBIG);
    cr_expect_eq(over.data, memory);
    cr_expect_arr_eq(memory, "abcdef\0.", 8);
}

Test(base_buf, reserved_bytes_count_once_they_are_written)
{
    svc__buf_puts(&buf, "ab");
    char *to = svc__buf_reserve(&buf, 1000);
    cr_assert_not_null(to);
    memset(to, 'c', 1000);
    expect_text(BYTES("ab"));
    buf.len += 1000;
    cr_expect_eq(buf.data[1001], 'c');
}

Test(base_buf, a_cut_goes_back_and_drops_the_error)
{
    struct buf b;
    svc__buf_init(&b, 8);
    svc__buf_puts(&b, "one");
    svc__buf_puts(&b, "two");
    svc__buf_puts(&b, "three");
    cr_expect_eq(svc__buf_error(&b), SVC_ETOOBIG);
    svc__buf_cut(&b, 3);
    cr_expect_eq(svc__buf_error(&b), 0);
    svc__buf_puts(&b, "three");
    cr_expect(svc__bytes_eq_z(svc__buf_view(&b), "onethree"));
    svc__buf_free(&b);
}

/* The first try of printf writes into what is left, which may be any number of bytes. */
Test(base_buf, printf_fits_whatever_space_is_left)
{
    for (size_t before = 0; before < 140; before++) {
        for (int width = 1; width < 140; width += 3) {
            svc__buf_clear(&buf);
            for (size_t i = 0; i < before; i++)
                svc__buf_putc(&buf, '.');
            svc__buf_printf(&buf, "%*d", width, 7);
            cr_assert_eq(buf.len, before + (size_t)width);
            cr_assert_eq(buf.data[buf.len - 1], '7');
        }
        close_buf();
    }
}

Test(base_buf, printf_over_the_ceiling_appends_nothing)
{
    for (size_t ceiling = 0; ceiling < 12; ceiling++) {
        struct buf b;
        svc__buf_init(&b, ceiling);
        svc__buf_printf(&b, "%s", "hello");
        svc__buf_printf(&b, "%s", "world");
        cr_expect_eq(b.len, ceiling / 5 * 5);
        cr_expect_eq(svc__buf_error(&b), ceiling < 10 ? SVC_ETOOBIG : 0);
        svc__buf_free(&b);
    }
}

Test(base_buf, terminate_works_at_any_length)
{
    svc__buf_terminate(&buf);
    cr_assert_not_null(buf.data);
    cr_expect_str_eq(buf.data, "");
    for (size_t n = 1; n < 300; n++) {
        svc__buf_putc(&buf, 'x');
        svc__buf_terminate(&buf);
        cr_assert_eq(strlen(buf.data), n);
        cr_assert_eq(buf.len, n);
    }
}

Test(base_buf, json_strings_are_escaped)
{
    static const struct {
        struct bytes text;
        const char *json;
    } rows[] = {
        {{NULL, 0}, "\"\""},
        {LITERAL(""), "\"\""},
        {LITERAL("plain / text"), "\"plain / text\""},
        {LITERAL("\"\\"), "\"\\\"\\\\\""},
        {LITERAL("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\""},
        {LITERAL("\0\1\x1f\x7f"), "\"\\u0000\\u0001\\u001f\\u007f\""},
        {LITERAL("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
         "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {LITERAL("\xc2\x80\xc2\x85\xc2\x9f\xc2\xa0"), "\"\\u0080\\u0085\\u009f\xc2\xa0\""},
        {LITERAL("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa"),
         "\"\xe2\x80\xa7\\u2028\\u2029\xe2\x80\xaa\""},
        {LITERAL("a\xff\x80z"), "\"a\xef\xbf\xbd\xef\xbf\xbdz\""},
        {LITERAL("\xc3"), "\"\xef\xbf\xbd\""},
        {LITERAL("\xe2\x82\""), "\"\xef\xbf\xbd\\\"\""},
        {LITERAL("\xf0\x9f\x98\xf0\x9f\xff"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {LITERAL("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        svc__buf_clear(&buf);
        svc__buf_json_string(&buf, rows[i].text);
        expect_text(svc__bytes_z(rows[i].json));
    }
}

/* A reader that knows nothing of this library must get the very text back where it was valid. */
static void expect_json_of(const char *text, size_t len)
{
    svc__buf_clear(&buf);
    svc__buf_json_string(&buf, svc__bytes(text, len));
    cr_assert_eq(svc__buf_error(&buf), 0);
    json_t *read = json_loadb(buf.data, buf.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    cr_assert_not_null(read, "%.*s", (int)buf.len, buf.data);
    if (svc__utf8_valid(svc__bytes(text, len))) {
        cr_assert_eq(json_string_length(read), len);
        cr_assert_eq(memcmp(json_string_value(read), text, len), 0);
    }
    json_decref(read);
    for (size_t i = 0; i < buf.len; i++)
        cr_assert(buf.data[i] != 0x7f && (unsigned char)buf.data[i] >= 0x20);
}

Test(base_buf, json_strings_of_any_two_bytes_read_back)
{
    for (int a = 0; a < 256; a++)
        for (int b = 0; b < 256; b++) {
            char text[4] = {(char)a, (char)b, 'x', '"'};
            expect_json_of(text, 2);
            expect_json_of(text, 4);
        }
}

Test(base_buf, a_json_string_over_the_ceiling_is_not_begun)
{
    for (size_t ceiling = 1; ceiling < 30; ceiling++) {
        struct buf b;
        svc__buf_init(&b, ceiling);
        svc__buf_putc(&b, ':');
        svc__buf_json_string(&b, BYTES("abc\ndef\x01"));
        bool fits = ceiling >= 1 + 16;
        cr_expect_eq(b.len, fits ? 17 : 1, "%zu", ceiling);
        cr_expect_eq(svc__buf_error(&b), fits ? 0 : SVC_ETOOBIG);
        svc__buf_free(&b);
    }
}

Test(base_buf, the_inside_of_a_json_string_must_be_utf8)
{
    svc__buf_json_inside(&buf, BYTES("a\"\n\xe2\x82\xac\xc2\x80"));
    svc__buf_json_inside(&buf, BYTES(""));
    expect_text(BYTES("a\\\"\\n\xe2\x82\xac\\u0080"));
    svc__buf_json_inside(&buf, BYTES("a lot of text that is good, and then\xff"));
    cr_expect_eq(svc__buf_error(&buf), SVC_EINVAL);
    svc__buf_json_inside(&buf, BYTES("more"));
    expect_text(BYTES("a\\\"\\n\xe2\x82\xac\\u0080"));
}

Test(base_buf, a_json_text_must_be_utf8)
{
    svc__buf_json_text(&buf, BYTES("a\"\n\xe2\x82\xac\xc2\x80"));
    svc__buf_json_text(&buf, BYTES(""));
    expect_text(BYTES("\"a\\\"\\n\xe2\x82\xac\\u0080\"\"\""));
    svc__buf_json_text(&buf, BYTES("a lot of text that is good, and then\xff"));
    cr_expect_eq(svc__buf_error(&buf), SVC_EINVAL);
    expect_text(BYTES("\"a\\\"\\n\xe2\x82\xac\\u0080\"\"\""));
}

Test(base_buf, what_is_no_utf8_is_replaced)
{
    svc__buf_utf8(&buf, BYTES("a\n\xe2\x82\xac\xff\xe2\x82 \xed\xa0\x80"));
    svc__buf_utf8(&buf, BYTES(""));
    expect_text(BYTES("a\n\xe2\x82\xac\xef\xbf\xbd\xef\xbf\xbd "
                      "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"));
}
