#include "libsvc/base/listen_text.h"

#include <criterion/criterion.h>
#include <string.h>

#include <svc/errors.h>

#include "tests/unit/base/support.h"

enum { LIBMICROHTTPD, NATIVE };

Test(base_listen_text, an_address_comes_apart_from_its_options)
{
    static const struct {
        struct bytes text;
        const char *address, *name;
        int front;
    } rows[] = {
        {LITERAL(":8443"), ":8443", "", LISTEN_UNSET},
        {LITERAL(":8443;front=native"), ":8443", "", NATIVE},
        {LITERAL(":8443;front=libmicrohttpd"), ":8443", "", LIBMICROHTTPD},
        {LITERAL("[::1]:80;front=native"), "[::1]:80", "::1", NATIVE},
        {LITERAL("[fe80::1%eth0]:80;front=native"), "[fe80::1%eth0]:80", "fe80::1%eth0", NATIVE},
        {LITERAL("name.example:80;front=native"), "name.example:80", "name.example", NATIVE},
        {LITERAL(" \t:80 ;\tfront=native "), ":80", "", NATIVE},
        {LITERAL("unix:/s"), "unix:/s", "/s", LISTEN_UNSET},
        {LITERAL("unix:/s;front=libmicrohttpd"), "unix:/s", "/s", LIBMICROHTTPD},
        /* A blank inside a path is a part of it, and so is "=". */
        {LITERAL("unix:/a b;front=native"), "unix:/a b", "/a b", NATIVE},
        {LITERAL("unix:/front=native"), "unix:/front=native", "/front=native", LISTEN_UNSET},
        {LITERAL("unix:front=native;front=native"), "unix:front=native", "front=native", NATIVE},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct listen_text out;
        const char *reason = NULL;
        cr_assert_eq(svc__listen_text_parse(rows[i].text, &out, &reason), 0, "row %zu: %s", i,
                     reason);
        cr_expect(svc__bytes_eq_z(out.address, rows[i].address), "row %zu", i);
        cr_expect_str_eq(out.endpoint.name, rows[i].name);
        cr_expect_eq(out.options[LISTEN_FRONT], rows[i].front, "row %zu", i);
    }
}

/* The reason has the given words, so that a person finds the fault in a long text. */
Test(base_listen_text, an_option_that_is_not_possible_is_named)
{
    static const char missing[] = "missing", unknown[] = "unknown", repeated[] = "repeated",
                      value[] = "libmicrohttpd native";
    static const struct {
        struct bytes text;
        const char *reason;
    } rows[] = {
        {LITERAL(":80;"), missing},
        {LITERAL(":80; "), missing},
        {LITERAL(":80;;front=native"), missing},
        {LITERAL(":80;front=native;"), missing},
        {LITERAL(":80;\t;"), missing},
        {LITERAL(":80;fron=native"), unknown},
        {LITERAL(":80;fronts=native"), unknown},
        {LITERAL(":80;Front=native"), unknown},
        {LITERAL(":80;FRONT=native"), unknown},
        {LITERAL(":80;front =native"), unknown},
        {LITERAL(":80;front:native"), unknown},
        {LITERAL(":80;native"), unknown},
        {LITERAL(":80;=native"), unknown},
        {LITERAL(":80;="), unknown},
        {LITERAL(":80;\"front\"=native"), unknown},
        {LITERAL(":80;front\0=native"), unknown},
        {LITERAL(":80;\0"), unknown},
        {LITERAL(":80;tls"), unknown},
        {LITERAL(":80;tls=on;front=native"), unknown},
        {LITERAL(":80;front=native;x"), unknown},
        {LITERAL(":80;front=native front=native"), value},
        {LITERAL(":80;front"), value},
        {LITERAL(":80;front="), value},
        {LITERAL(":80;front= native"), value},
        {LITERAL(":80;front=Native"), value},
        {LITERAL(":80;front=nativ"), value},
        {LITERAL(":80;front=natives"), value},
        {LITERAL(":80;front=native\0"), value},
        {LITERAL(":80;front=native=native"), value},
        {LITERAL(":80;front=\"native\""), value},
        {LITERAL(":80;front='native'"), value},
        {LITERAL(":80;front=libmicrohttpd native"), value},
        {LITERAL(":80;front=mhd"), value},
        {LITERAL(":80;front=1"), value},
        {LITERAL(":80;front=native;front=native"), repeated},
        {LITERAL(":80;front=native;front=libmicrohttpd"), repeated},
        {LITERAL(":80;front=libmicrohttpd;front=x"), repeated},
        /* A path ends at the first semicolon. */
        {LITERAL("unix:/run/a;b"), unknown},
        {LITERAL("unix:/run/a;b;front=native"), unknown},
        {LITERAL("unix:/run/a\\;b"), unknown},
        {LITERAL("unix:\"/run/a;b\""), unknown},
        {LITERAL("unix:/run/a%3Bb;c"), unknown},
        /* An address that is malformed is reported before its options. */
        {LITERAL(""), "expected"},
        {{NULL, 0}, "expected"},
        {LITERAL(";"), "expected"},
        {LITERAL(";front=native"), "expected"},
        {LITERAL("front=native"), "expected"},
        {LITERAL("front=native;:80"), "expected"},
        {LITERAL("80;front=native"), "expected"},
        {LITERAL(":80 front=native"), "port"},
        {LITERAL(":80?front=native"), "port"},
        {LITERAL(":80#front=native"), "port"},
        {LITERAL(":65536;front=native"), "port"},
        {LITERAL("unix:;front=native"), "empty"},
        {LITERAL("unix: ;front=native"), "empty"},
        {LITERAL("unix:/;front=native"), "folder"},
        {LITERAL("unix:@a;front=native"), "abstract"},
        {LITERAL("::1:80;front=native"), "brackets"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct listen_text out = {.options = {7}};
        const char *reason = NULL;
        cr_expect_eq(svc__listen_text_parse(rows[i].text, &out, &reason), SVC_ESYNTAX, "row %zu",
                     i);
        cr_expect(reason && strstr(reason, rows[i].reason), "row %zu: %s", i, reason);
        cr_expect_eq(out.options[0], 7, "row %zu", i);
    }
}

Test(base_listen_text, a_list_has_a_text_between_any_two_commas)
{
    static const char *const texts[] = {"a:1", "b:2;front=native", "", "c:3", ""};
    struct bytes rest = svc__bytes_z(" a:1,b:2;front=native ,, \tc:3,");
    for (size_t i = 0; i < ROWS(texts); i++) {
        cr_assert(rest.data, "%zu", i);
        cr_expect(svc__bytes_eq_z(svc__listen_text_next(&rest), texts[i]), "%zu", i);
    }
    cr_expect_null(rest.data);
}
