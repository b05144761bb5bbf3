#include <criterion/criterion.h>

#include <svc/errors.h>

#include "libsvc/proto/structured.h"
#include "tests/unit/proto/vectors.h"

/* RFC 9651 4.2.3 to 4.2.10. */
Test(proto_structured, an_item_with_a_string_is_read_and_nothing_else)
{
    static const struct {
        struct bytes text;
        const char *string; /* NULL: refused */
    } rows[] = {
        {LITERAL("\"8e03978e-40d5-43dd-bc93-6894a57f9324\""),
         "8e03978e-40d5-43dd-bc93-6894a57f9324"},
        {LITERAL("\"\""), ""},
        {LITERAL("  \"a\"  "), "a"},
        {LITERAL("\"a b\""), "a b"},
        {LITERAL("\"\\\"\\\\\""), "\"\\"},
        {LITERAL("\"a\";b"), "a"},
        {LITERAL("\"a\"; b=1;c=-1.5;*d=\"e\\\"\";f=*g/h:;i=:YQ==:;j=?0;k=@-1;l=%\"%c3%a4\""), "a"},
        {LITERAL("\"a\";b=123456789012345;c=123456789012.123"), "a"},
        {{NULL, 0}, NULL},
        {LITERAL(""), NULL},
        {LITERAL(" "), NULL},
        {LITERAL("a"), NULL},
        {LITERAL("\""), NULL},
        {LITERAL("\"a"), NULL},
        {LITERAL("\"a\\"), NULL},
        {LITERAL("\"a\\\""), NULL},
        {LITERAL("\"a\\b\""), NULL},
        {LITERAL("\"a\tb\""), NULL},
        {LITERAL("\"a\x7f\""), NULL},
        {LITERAL("\"a\0\""), NULL},
        {LITERAL("\"\xc3\xa4\""), NULL},
        {LITERAL("\t\"a\""), NULL},
        {LITERAL("\"a\"\t"), NULL},
        {LITERAL("\"a\", \"b\""), NULL},
        {LITERAL("\"a\" b"), NULL},
        {LITERAL("\"a\" ;b"), NULL},
        {LITERAL("\"a\";"), NULL},
        {LITERAL("\"a\";B"), NULL},
        {LITERAL("\"a\";1b"), NULL},
        {LITERAL("\"a\";-b"), NULL},
        {LITERAL("\"a\";b="), NULL},
        {LITERAL("\"a\";b=-"), NULL},
        {LITERAL("\"a\";b=1."), NULL},
        {LITERAL("\"a\";b=1.2345"), NULL},
        {LITERAL("\"a\";b=1234567890123456"), NULL},
        {LITERAL("\"a\";b=1234567890123.1"), NULL},
        {LITERAL("\"a\";b=@1.5"), NULL},
        {LITERAL("\"a\";b=?2"), NULL},
        {LITERAL("\"a\";b=:YQ=="), NULL},
        {LITERAL("\"a\";b=%\"%C3\""), NULL},
        {LITERAL("\"a\";b=%\"%c\""), NULL},
        {LITERAL("\"a\";b=%a"), NULL},
        {LITERAL("\"a\";b=\"c"), NULL},
        {LITERAL("\"a\";b=(c)"), NULL},
        {LITERAL("(\"a\")"), NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[128];
        size_t len = 77;
        int result = svc__structured_string(rows[i].text, out, &len);
        cr_expect_eq(result, rows[i].string ? 0 : SVC_ESYNTAX, "row %zu", i);
        if (rows[i].string && !result)
            cr_expect(svc__bytes_eq_z(svc__bytes(out, len), rows[i].string), "row %zu", i);
        else
            cr_expect_eq(len, 77, "row %zu", i);
    }
}
