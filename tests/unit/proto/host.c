#include <criterion/criterion.h>
#include <string.h>

#include "libsvc/proto/host.h"
#include "tests/unit/proto/vectors.h"

Test(proto_host, hosts_are_valid_by_the_grammar_of_an_authority)
{
    static const struct {
        struct bytes host;
        bool valid;
        const char *name;
    } rows[] = {
        {{NULL, 0}, true, ""},
        {LITERAL(""), true, ""},
        {LITERAL("1.2.3.4"), true, "1.2.3.4"},
        {LITERAL("foo.com"), true, "foo.com"},
        {LITERAL("foo-bar_baz.com"), true, "foo-bar_baz.com"},
        {LITERAL("foo.com:80"), true, "foo.com"},
        {LITERAL("foo.com:"), true, "foo.com"},
        {LITERAL(":80"), true, ""},
        {LITERAL("foo.com:0"), true, "foo.com"},
        {LITERAL("foo.com:65535"), true, "foo.com"},
        {LITERAL("foo.com:00080"), true, "foo.com"},
        {LITERAL("[::1]"), true, "[::1]"},
        {LITERAL("[::1]:80"), true, "[::1]"},
        {LITERAL("[::1%25en0]:80"), true, "[::1%25en0]"},
        {LITERAL("[2001:DB8::ffff:1.2.3.4]"), true, "[2001:DB8::ffff:1.2.3.4]"},
        {LITERAL("a%20b"), true, "a%20b"},
        {LITERAL("!$&'()*+,;=~"), true, "!$&'()*+,;=~"},
        {LITERAL("\x06"), false, NULL},
        {LITERAL("\xff"), false, NULL},
        {LITERAL("{"), false, NULL},
        {LITERAL("}"), false, NULL},
        {LITERAL("a b"), false, NULL},
        {LITERAL("a\tb"), false, NULL},
        {LITERAL("a\0b"), false, NULL},
        {LITERAL("a/b"), false, NULL},
        {LITERAL("a?b"), false, NULL},
        {LITERAL("a#b"), false, NULL},
        {LITERAL("a\\b"), false, NULL},
        {LITERAL("user@a"), false, NULL},
        {LITERAL("a%zz"), false, NULL},
        {LITERAL("a%4"), false, NULL},
        {LITERAL("::1"), false, NULL},
        {LITERAL("a:b"), false, NULL},
        {LITERAL("a:80:80"), false, NULL},
        {LITERAL("a:+80"), false, NULL},
        {LITERAL("a:-1"), false, NULL},
        {LITERAL("a: 80"), false, NULL},
        {LITERAL("a:80 "), false, NULL},
        {LITERAL("a:65536"), false, NULL},
        {LITERAL("a:99999999999999999999"), false, NULL},
        {LITERAL("["), false, NULL},
        {LITERAL("]"), false, NULL},
        {LITERAL("[]"), false, NULL},
        {LITERAL("[]:80"), false, NULL},
        {LITERAL("[::1"), false, NULL},
        {LITERAL("[::1]80"), false, NULL},
        {LITERAL("[::1]]"), false, NULL},
        {LITERAL("[[::1]]"), false, NULL},
        {LITERAL("x[::1]"), false, NULL},
        {LITERAL("[1.2.3.4]"), false, NULL},
        {LITERAL("[foo]"), false, NULL},
        {LITERAL("[:]"), false, NULL},
        {LITERAL("[::1::]"), false, NULL},
        {LITERAL("[12345::]"), false, NULL},
        {LITERAL("[::1\0]"), false, NULL},
        {LITERAL("[::1%en0]"), false, NULL},
        {LITERAL("[::1%25]"), false, NULL},
        {LITERAL("[%25en0]"), false, NULL},
        {LITERAL("[::1%25{]"), false, NULL},
        {LITERAL("[v1.x]"), false, NULL},
        {LITERAL("[1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1]"), false, NULL},
        {LITERAL("a,b:80"), true, "a,b"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        cr_expect_eq(svc__host_valid(rows[i].host), rows[i].valid, "row %zu: %.*s", i,
                     SHOW(rows[i].host));
        if (rows[i].valid)
            cr_expect(svc__bytes_eq_z(svc__host_name(rows[i].host), rows[i].name), "%.*s",
                      SHOW(rows[i].host));
    }
}

Test(proto_host, each_of_the_256_bytes_may_stand_in_a_name_or_not)
{
    for (int c = 0; c < 256; c++) {
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool digit = c >= '0' && c <= '9';
        bool allowed = letter || digit || (c != 0 && strchr("-._~!$&'()*+,;=", c) != NULL);
        char host[] = {'a', (char)c, 'z'};
        cr_expect_eq(svc__host_valid(svc__bytes(host, 3)), allowed, "0x%02x", c);
    }
}
