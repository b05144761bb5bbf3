#include <criterion/criterion.h>

#include <svc/errors.h>

#include "libsvc/proto/cookie.h"
#include "tests/unit/proto/vectors.h"

Test(proto_cookie, the_first_well_formed_cookie_of_a_name_is_found)
{
    static const struct {
        struct bytes header;
        const char *name, *value;
    } rows[] = {
        /* RFC 6265 3.1 */
        {LITERAL("SID=31d4d96e407aad42; lang=en-US"), "SID", "31d4d96e407aad42"},
        {LITERAL("SID=31d4d96e407aad42; lang=en-US"), "lang", "en-US"},
        {LITERAL("a=1; a=2"), "a", "1"},
        {LITERAL("a=1;b=2"), "b", "2"},
        {LITERAL("  a=1 ;\tb=2  "), "b", "2"},
        {LITERAL("a="), "a", ""},
        {LITERAL("a=\"\""), "a", ""},
        {LITERAL("a=\"x y\""), "a", "x y"},
        {LITERAL("a=x y"), "a", "x y"},
        {LITERAL("a=x,y"), "a", "x,y"},
        {LITERAL("a=b=c=="), "a", "b=c=="},
        {LITERAL("junk; a=1"), "a", "1"},
        {LITERAL("=x; a=1"), "a", "1"},
        {LITERAL(";;; a=1;"), "a", "1"},
        {LITERAL("ba=0; a=1"), "a", "1"},
        {LITERAL("ab=0; a=1"), "a", "1"},
        {LITERAL("A=0; a=1"), "a", "1"},
        {LITERAL("a=\"; a=1"), "a", "1"},
        {LITERAL("a=\"x; a=1"), "a", "1"},
        {LITERAL("a=x\"; a=1"), "a", "1"},
        {LITERAL("a=x\\y; a=1"), "a", "1"},
        {LITERAL("a=x\ry; a=1"), "a", "1"},
        {LITERAL("a=x\0y; a=1"), "a", "1"},
        {LITERAL("a=\xc3\xa9; a=1"), "a", "1"},
        {LITERAL("a; a=1"), "a", "1"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct bytes value;
        cr_assert_eq(svc__cookie_find(rows[i].header, svc__bytes_z(rows[i].name), &value), 0,
                     "%.*s", SHOW(rows[i].header));
        cr_expect(svc__bytes_eq_z(value, rows[i].value), "%.*s gave %.*s", SHOW(rows[i].header),
                  SHOW(value));
    }
}

Test(proto_cookie, what_is_not_there_is_not_found)
{
    static const struct {
        struct bytes header;
        const char *name;
    } rows[] = {
        {{NULL, 0}, "a"},        {LITERAL(""), "a"},        {LITERAL("a"), "a"},
        {LITERAL("b=1"), "a"},   {LITERAL("a=\""), "a"},    {LITERAL("=1"), ""},
        {LITERAL("; =1"), ""},   {LITERAL("a =1"), "a"},    {LITERAL("a=\x7f"), "a"},
        {LITERAL("b=a=1"), "a"}, {LITERAL("b=\"a=1"), "a"}, {LITERAL("a,b=1"), "a"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct bytes value = {"untouched", 9};
        cr_expect_eq(svc__cookie_find(rows[i].header, svc__bytes_z(rows[i].name), &value),
                     SVC_ENOTFOUND, "%.*s", SHOW(rows[i].header));
        cr_expect(svc__bytes_eq_z(value, "untouched"));
    }
}

Test(proto_cookie, each_of_the_256_bytes_may_stand_in_a_value_or_not)
{
    for (int c = 0; c < 256; c++) {
        char header[] = {'a', '=', 'x', (char)c, 'y'};
        bool allowed = c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
        struct bytes value;
        int rc = svc__cookie_find(svc__bytes(header, sizeof(header)), BYTES("a"), &value);
        cr_expect_eq(rc, allowed ? 0 : SVC_ENOTFOUND, "0x%02x", c);
        if (rc == 0)
            cr_expect_eq(value.len, c == ';' ? 1 : 3, "0x%02x", c);
    }
}
