#include <criterion/criterion.h>
#include <stdio.h>

#include "libsvc/proto/cookie.h"
#include "libsvc/proto/token.h"
#include "tests/unit/proto/vectors.h"

/* The value of the first cookie of that name; "none" when there is none. */
static struct bytes find(struct bytes header, struct bytes name)
{
    struct bytes found, value;
    while (svc__cookie_take(&header, &found, &value))
        if (svc__bytes_eq(found, name))
            return value;
    return svc__bytes(NULL, 0);
}

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
        struct bytes value = find(rows[i].header, svc__bytes_z(rows[i].name));
        cr_assert(value.data, "%.*s", SHOW(rows[i].header));
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
        cr_expect_null(find(rows[i].header, svc__bytes_z(rows[i].name)).data, "%.*s",
                       SHOW(rows[i].header));
    }
}

Test(proto_cookie, each_of_the_256_bytes_may_stand_in_a_value_or_not)
{
    for (int c = 0; c < 256; c++) {
        char header[] = {'a', '=', 'x', (char)c, 'y'};
        bool allowed = c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
        struct bytes value = find(svc__bytes(header, sizeof(header)), BYTES("a"));
        cr_expect_eq(value.data != NULL, allowed, "0x%02x", c);
        if (value.data)
            cr_expect_eq(value.len, c == ';' ? 1 : 3, "0x%02x", c);
    }
}

Test(proto_cookie, each_of_the_256_bytes_may_stand_in_a_name_or_not)
{
    for (int c = 0; c < 256; c++) {
        char header[] = {'x', (char)c, 'y', '=', 'v'};
        struct bytes rest = svc__bytes(header, sizeof(header)), name, value;
        bool taken = svc__cookie_take(&rest, &name, &value);
        if (svc__token_valid(svc__bytes(header, 3)))
            cr_expect(taken && name.len == 3 && value.len == 1, "0x%02x", c);
        else if (c == ';')
            cr_expect(taken && name.len == 1 && value.len == 1);
        else if (c == '=')
            cr_expect(taken && name.len == 1 && svc__bytes_eq_z(value, "y=v"));
        else
            cr_expect_not(taken, "0x%02x", c);
    }
}

/* ---- What browsers send, by the tests of the http-state working group: the Cookie fields that
 * these expect, and what is read of them. Cookies beyond ASCII or with quotes inside are skipped.
 */

Test(proto_cookie, the_cookies_of_the_http_state_tests_are_read)
{
    static const struct {
        const char *header;
        const char *pairs; /* [name|value] each */
    } rows[] = {
        {"foo=bar", "[foo|bar]"},
        {"foo1=bar; foo2=qux", "[foo1|bar][foo2|qux]"},
        {"z=y; a=b", "[z|y][a|b]"},
        {"z=y, a=b", "[z|y, a=b]"},
        {"a=b; x=; c=d", "[a|b][x|][c|d]"},
        {"foo=\xe6\x98\xa5; a=b", "[a|b]"},
        {"\xe6\x98\xa5=\xe5\xae\xb6; a=b", "[a|b]"},
        {"foo=\"\xe6\x98\xa5\"; a=b", "[a|b]"},
        {"aBc=\"zzz \"", "[aBc|zzz ]"},
        {"aBc=\"zz; a=b", "[a|b]"},
        {"aBc=\"zzz \"   \"ppp\"; a=b", "[a|b]"},
        {"aBc=A\"B; a=b", "[a|b]"},
        {"ABC=", "[ABC|]"},
        {"A=BC", "[A|BC]"},
        {"A=== BC", "[A|== BC]"},
        {"foo=\"zohNumRKgI0oxyhSsV3Z7D\"", "[foo|zohNumRKgI0oxyhSsV3Z7D]"},
        {"foo=bar, baz=qux", "[foo|bar, baz=qux]"},
        {"foo=\"bar, baz=qux\"", "[foo|bar, baz=qux]"},
        /* cookies without a name, which newer drafts allow browsers to send */
        {"foo; a=b", "[a|b]"},
        {"=x; a=b", "[a|b]"},
        {"; ;;a=b;", "[a|b]"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct bytes rest = svc__bytes_z(rows[i].header), name, value;
        char text[200] = "";
        size_t len = 0;
        while (svc__cookie_take(&rest, &name, &value))
            len += (size_t)snprintf(text + len, sizeof(text) - len, "[%.*s|%.*s]", SHOW(name),
                                    SHOW(value));
        cr_expect_str_eq(text, rows[i].pairs, "%s: %s", rows[i].header, text);
    }
}
