#include <criterion/criterion.h>

#include "libsvc/base/json_scan.h"
#include "tests/unit/base/support.h"

Test(base_json_scan, reads_token_by_token)
{
    static const struct {
        enum json_token token;
        const char *text; /* NULL: it has none */
        unsigned depth;
    } rows[] = {
        {JSON_TOKEN_OBJECT, NULL, 1}, {JSON_TOKEN_NAME, "a\\n", 1},
        {JSON_TOKEN_ARRAY, NULL, 2},  {JSON_TOKEN_NUMBER, "-1.5", 2},
        {JSON_TOKEN_NUMBER, "20", 2}, {JSON_TOKEN_CLOSE, NULL, 1},
        {JSON_TOKEN_NAME, "b", 1},    {JSON_TOKEN_STRING, "c", 1},
        {JSON_TOKEN_NAME, "", 1},     {JSON_TOKEN_TRUE, "true", 1},
        {JSON_TOKEN_NAME, "d", 1},    {JSON_TOKEN_FALSE, "false", 1},
        {JSON_TOKEN_NAME, "e", 1},    {JSON_TOKEN_NULL, "null", 1},
        {JSON_TOKEN_CLOSE, NULL, 0},  {JSON_TOKEN_DONE, NULL, 0},
        {JSON_TOKEN_DONE, NULL, 0},
    };
    struct json_scan scan;
    svc__json_scan_begin(&scan,
                         svc__bytes_z(" {\"a\\n\" : [-1.5 ,20],\"b\":\"c\",\"\":true,\"d\":false,"
                                      "\"e\":null}\n"),
                         2);
    for (size_t i = 0; i < ROWS(rows); i++) {
        cr_expect_eq(svc__json_scan_next(&scan), rows[i].token, "token %zu", i);
        cr_expect_eq(scan.depth, rows[i].depth, "token %zu", i);
        if (rows[i].text)
            cr_expect(svc__bytes_eq_z(scan.text, rows[i].text), "%.*s", SHOW(scan.text));
        cr_expect(rows[i].token != JSON_TOKEN_NAME || scan.escaped == (i == 1));
        cr_expect(rows[i].token != JSON_TOKEN_NUMBER || scan.whole == (i == 4));
    }
}

Test(base_json_scan, a_fault_stays)
{
    struct json_scan scan;
    svc__json_scan_begin(&scan, svc__bytes_z("[1;2]"), 2);
    cr_expect_eq(svc__json_scan_next(&scan), JSON_TOKEN_ARRAY);
    cr_expect_eq(svc__json_scan_next(&scan), JSON_TOKEN_NUMBER);
    cr_expect_eq(svc__json_scan_next(&scan), JSON_TOKEN_FAULT);
    const char *reason = scan.reason;
    cr_expect_eq(svc__json_scan_next(&scan), JSON_TOKEN_FAULT);
    cr_expect_eq(scan.reason, reason);
}

Test(base_json_scan, its_user_may_find_a_fault)
{
    struct json_scan scan;
    size_t line, column;
    svc__json_scan_begin(&scan, svc__bytes_z("[\n1, 23]"), 2);
    while (svc__json_scan_next(&scan) != JSON_TOKEN_NUMBER || scan.text.len < 2)
        continue;
    cr_expect_eq(svc__json_scan_refuse(&scan, "too large"), JSON_TOKEN_FAULT);
    cr_expect_eq(svc__json_scan_next(&scan), JSON_TOKEN_FAULT);
    svc__json_scan_place(&scan, &line, &column);
    cr_expect(line == 2 && column == 4, "line %zu, column %zu", line, column);
}

Test(base_json_scan, escapes_stand_for_characters)
{
    static const struct {
        const char *text;
        struct bytes out;
    } rows[] = {
        {"", LITERAL("")},
        {"plain \xc3\xa9", LITERAL("plain \xc3\xa9")},
        {"\\\"\\\\\\/\\b\\f\\n\\r\\t", LITERAL("\"\\/\b\f\n\r\t")},
        {"a\\u0000b", LITERAL("a\0b")},
        {"\\u007f\\u0080\\u07FF\\u0800\\uffff",
         LITERAL("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf")},
        {"\\ud800\\udc00\\uDBFF\\uDFFF", LITERAL("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        char out[64];
        size_t len = svc__json_scan_unescape(out, svc__bytes_z(rows[i].text));
        cr_expect(svc__bytes_eq(svc__bytes(out, len), rows[i].out), "%s", rows[i].text);
    }
}
