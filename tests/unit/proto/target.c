#include <criterion/criterion.h>
#include <string.h>

#include "libsvc/proto/target.h"
#include "tests/unit/proto/vectors.h"

static int parse(struct bytes raw, const char *method, struct target *out)
{
    const char *reason = NULL;
    int status = svc__target_parse(raw, svc__bytes_z(method), out, &reason);
    cr_expect_eq(status != 0, reason != NULL, "%.*s", SHOW(raw));
    return status;
}

#define NONE                                                                                       \
    {                                                                                              \
        NULL, 0                                                                                    \
    }

Test(proto_target, accepted_targets_come_apart)
{
    static const struct {
        struct bytes raw;
        enum target_form form;
        struct bytes path, query, authority;
        bool has_query, escaped, unclean;
    } rows[] = {
        {LITERAL("/"), TARGET_ORIGIN, LITERAL("/"), NONE, NONE, false, false, false},
        {LITERAL("/where?q=now"), TARGET_ORIGIN, LITERAL("/where"), LITERAL("q=now"), NONE, true,
         false, false},
        {LITERAL("/a?"), TARGET_ORIGIN, LITERAL("/a"), LITERAL(""), NONE, true, false, false},
        {LITERAL("/a?b?c"), TARGET_ORIGIN, LITERAL("/a"), LITERAL("b?c"), NONE, true, false, false},
        {LITERAL("/a?x=%41"), TARGET_ORIGIN, LITERAL("/a"), LITERAL("x=%41"), NONE, true, false,
         false},
        {LITERAL("/a%2Fb"), TARGET_ORIGIN, LITERAL("/a%2Fb"), NONE, NONE, false, true, false},
        {LITERAL("/a?x=%00"), TARGET_ORIGIN, LITERAL("/a"), LITERAL("x=%00"), NONE, true, false,
         false},
        {LITERAL("/a?/../x"), TARGET_ORIGIN, LITERAL("/a"), LITERAL("/../x"), NONE, true, false,
         false},
        {LITERAL("//a"), TARGET_ORIGIN, LITERAL("//a"), NONE, NONE, false, false, true},
        {LITERAL("//evil.example/a"), TARGET_ORIGIN, LITERAL("//evil.example/a"), NONE, NONE, false,
         false, true},
        {LITERAL("/a/../b"), TARGET_ORIGIN, LITERAL("/a/../b"), NONE, NONE, false, false, true},
        {LITERAL("/a/%2e%2E"), TARGET_ORIGIN, LITERAL("/a/%2e%2E"), NONE, NONE, false, true, true},
        {LITERAL("/a/."), TARGET_ORIGIN, LITERAL("/a/."), NONE, NONE, false, false, true},
        {LITERAL("/\xc3\xa9?\xff"), TARGET_ORIGIN, LITERAL("/\xc3\xa9"), LITERAL("\xff"), NONE,
         true, false, false},
        {LITERAL("/{a}|\"<>^`"), TARGET_ORIGIN, LITERAL("/{a}|\"<>^`"), NONE, NONE, false, false,
         false},
        {LITERAL("/a%5Cb?c\\d"), TARGET_ORIGIN, LITERAL("/a%5Cb"), LITERAL("c\\d"), NONE, true,
         true, false},
        {LITERAL("/*"), TARGET_ORIGIN, LITERAL("/*"), NONE, NONE, false, false, false},
        /* RFC 9112 3.2.2 */
        {LITERAL("http://www.example.org/pub/WWW/TheProject.html"), TARGET_ABSOLUTE,
         LITERAL("/pub/WWW/TheProject.html"), NONE, LITERAL("www.example.org"), false, false,
         false},
        {LITERAL("http://h"), TARGET_ABSOLUTE, LITERAL("/"), NONE, LITERAL("h"), false, false,
         false},
        {LITERAL("http://h?"), TARGET_ABSOLUTE, LITERAL("/"), LITERAL(""), LITERAL("h"), true,
         false, false},
        {LITERAL("HTTPS://h:8443?x=/y"), TARGET_ABSOLUTE, LITERAL("/"), LITERAL("x=/y"),
         LITERAL("h:8443"), true, false, false},
        {LITERAL("http://[::1]:80//a%20b"), TARGET_ABSOLUTE, LITERAL("//a%20b"), NONE,
         LITERAL("[::1]:80"), false, true, true},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct target t;
        cr_assert_eq(parse(rows[i].raw, "GET", &t), 0, "%.*s", SHOW(rows[i].raw));
        cr_expect(svc__bytes_eq(t.raw, rows[i].raw));
        cr_expect_eq(t.form, rows[i].form, "%.*s", SHOW(rows[i].raw));
        cr_expect(svc__bytes_eq(t.path, rows[i].path), "%.*s", SHOW(rows[i].raw));
        cr_expect(svc__bytes_eq(t.query, rows[i].query), "%.*s", SHOW(rows[i].raw));
        cr_expect(svc__bytes_eq(t.authority, rows[i].authority), "%.*s", SHOW(rows[i].raw));
        cr_expect_eq(t.has_query, rows[i].has_query, "%.*s", SHOW(rows[i].raw));
        cr_expect_eq(t.escaped, rows[i].escaped, "%.*s", SHOW(rows[i].raw));
        cr_expect_eq(t.unclean, rows[i].unclean, "%.*s", SHOW(rows[i].raw));
    }
}

Test(proto_target, refused_targets_give_400_and_leave_the_output_alone)
{
    static const struct bytes rows[] = {
        NONE,
        LITERAL(""),
        LITERAL("a"),
        LITERAL("?a=b"),
        LITERAL("a/b"),
        LITERAL("/a b"),
        LITERAL("/a\tb"),
        LITERAL("/a\r"),
        LITERAL("/a\n"),
        LITERAL("/a\0"),
        LITERAL("/a\0.png"),
        LITERAL("/a\x7f"),
        LITERAL("/a#b"),
        LITERAL("/a?b#c"),
        LITERAL("/%"),
        LITERAL("/%4"),
        LITERAL("/%zz"),
        LITERAL("/a?%"),
        LITERAL("/a?x=%4"),
        LITERAL("/a?x=%gg"),
        LITERAL("/a%?41"),
        LITERAL("/admin%00.png"),
        LITERAL("/%00"),
        LITERAL("/\\evil.example"),
        LITERAL("/./\\evil.example"),
        LITERAL("http://h/a\\b"),
        LITERAL("*"),
        LITERAL("**"),
        LITERAL("*/"),
        LITERAL("http:"),
        LITERAL("http:/a"),
        LITERAL("http://"),
        LITERAL("http:///a"),
        LITERAL("http://?a"),
        LITERAL("http://:80/a"),
        LITERAL("http://user@h/a"),
        LITERAL("http://user:pw@h/a"),
        LITERAL("http://h:port/"),
        LITERAL("http://h:65536/"),
        LITERAL("http://[::1/"),
        LITERAL("http://{/"),
        LITERAL("http://h\xff/"),
        LITERAL("http://h/%00"),
        LITERAL("http://%zz/"),
        LITERAL("ftp://h/a"),
        LITERAL("ws://h/a"),
        LITERAL("httpx://h/a"),
        LITERAL("javascript:alert(1)"),
        LITERAL("\\a"),
        LITERAL("%2Fa"),
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct target t = {.form = TARGET_ASTERISK};
        cr_expect_eq(parse(rows[i], i % 2 ? "GET" : "CONNECT", &t), 400, "row %zu: %.*s", i,
                     SHOW(rows[i]));
        cr_expect_eq(t.form, TARGET_ASTERISK);
        cr_expect_null(t.raw.data);
    }
}

Test(proto_target, a_host_with_a_port_is_for_connect_only)
{
    static const struct bytes good[] = {LITERAL("a:80"), LITERAL("www.example.com:443"),
                                        LITERAL("[::1]:80"), LITERAL("192.0.2.1:65535")};
    static const struct bytes bad[] = {LITERAL("a"),       LITERAL("a:"),     LITERAL(":80"),
                                       LITERAL("a:65536"), LITERAL("a:x"),    LITERAL("[::1]"),
                                       LITERAL("u@a:80"),  LITERAL("a:80/b"), LITERAL("a:80?b"),
                                       LITERAL("[::1]:"),  LITERAL("::1:80"), LITERAL("a:80#")};
    struct target t;
    for (size_t i = 0; i < ROWS(good); i++) {
        cr_assert_eq(parse(good[i], "CONNECT", &t), 0, "%.*s", SHOW(good[i]));
        cr_expect_eq(t.form, TARGET_AUTHORITY);
        cr_expect(svc__bytes_eq(t.authority, good[i]));
        cr_expect(svc__bytes_eq_z(t.path, "/"));
        cr_expect_not(t.has_query || t.escaped || t.unclean);
        cr_expect_eq(parse(good[i], "GET", &t), 400, "%.*s", SHOW(good[i]));
        cr_expect_eq(parse(good[i], "connect", &t), 400, "%.*s", SHOW(good[i]));
    }
    for (size_t i = 0; i < ROWS(bad); i++)
        cr_expect_eq(parse(bad[i], "CONNECT", &t), 400, "%.*s", SHOW(bad[i]));
    cr_assert_eq(parse(BYTES("http://a/b"), "CONNECT", &t), 0);
    cr_expect_eq(t.form, TARGET_ABSOLUTE);
    cr_assert_eq(parse(BYTES("/a:80"), "CONNECT", &t), 0);
    cr_expect_eq(t.form, TARGET_ORIGIN);
}

Test(proto_target, asterisk_is_for_options_only)
{
    struct target t;
    cr_assert_eq(parse(BYTES("*"), "OPTIONS", &t), 0);
    cr_expect_eq(t.form, TARGET_ASTERISK);
    cr_expect(svc__bytes_eq_z(t.path, "*"));
    cr_expect_not(t.has_query || t.escaped || t.unclean);
    cr_expect_eq(parse(BYTES("*"), "options", &t), 400);
    cr_expect_eq(parse(BYTES("*?a"), "OPTIONS", &t), 400);
    cr_expect_eq(parse(BYTES("/a"), "OPTIONS", &t), 0);
}

Test(proto_target, each_of_the_256_bytes_passes_or_not)
{
    for (int c = 0; c < 256; c++) {
        bool allowed = c > 0x20 && c != 0x7f && c != '#' && c != '%';
        char path[] = {'/', 'a', (char)c, 'b'};
        char query[] = {'/', '?', (char)c, 'b'};
        struct target t;
        cr_expect_eq(parse(svc__bytes(path, sizeof(path)), "GET", &t),
                     allowed && c != '\\' ? 0 : 400, "0x%02x", c);
        cr_expect_eq(parse(svc__bytes(query, sizeof(query)), "GET", &t), allowed ? 0 : 400,
                     "0x%02x", c);
    }
}
