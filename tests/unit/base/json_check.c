#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/base/json_check.h"
#include "tests/unit/base/support.h"

/* Out of memory of just that size, so that the sanitizer sees a byte too many. */
static bool check(struct bytes text, unsigned max_depth)
{
    char *copy = malloc(text.len + !text.len);
    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    bool valid = svc__json_check(svc__bytes(copy, text.len), max_depth);
    free(copy);
    return valid;
}

Test(base_json_check, takes_the_grammar)
{
    static const struct bytes rows[] = {
        LITERAL("0"),
        LITERAL("-0"),
        LITERAL("120"),
        LITERAL("-1.50e+10"),
        LITERAL("1E-2"),
        LITERAL("0.0"),
        LITERAL("1e999"),
        LITERAL("123456789012345678901234567890"),
        LITERAL("true"),
        LITERAL("false"),
        LITERAL("null"),
        LITERAL("\"\""),
        LITERAL("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\uABCd\\ud83d\\uDE00\""),
        LITERAL("\"\xc3\xa9\xe2\x80\xa8\x7f\xf0\x9f\x98\x80\""),
        LITERAL("[]"),
        LITERAL("{}"),
        LITERAL(" [ ] "),
        LITERAL("\t{\n}\r\n"),
        LITERAL("[1,2 , 3]"),
        LITERAL("[[],{},[[]],[{}]]"),
        LITERAL("{\"a\":1,\"a\" : {\"\":[{\"b\":null}]} , \"c\":\"d\"}"),
        LITERAL("[[[[0]]]]"),
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect(check(rows[i], 4), "%.*s", SHOW(rows[i]));
}

Test(base_json_check, refuses_everything_else)
{
    static const struct bytes rows[] = {
        {NULL, 0},
        LITERAL(""),
        LITERAL(" "),
        LITERAL("01"),
        LITERAL("+1"),
        LITERAL("-"),
        LITERAL("- 1"),
        LITERAL(".5"),
        LITERAL("1."),
        LITERAL("1.e1"),
        LITERAL("1e"),
        LITERAL("1e+"),
        LITERAL("0x1"),
        LITERAL("NaN"),
        LITERAL("Infinity"),
        LITERAL("True"),
        LITERAL("tru"),
        LITERAL("truex"),
        LITERAL("null null"),
        LITERAL("1 2"),
        LITERAL("1,2"),
        LITERAL("0\0"),
        LITERAL("\0"),
        LITERAL("\xef\xbb\xbf"
                "0"),
        LITERAL("\""),
        LITERAL("\"\\\""),
        LITERAL("\"\\"),
        LITERAL("\"\n\""),
        LITERAL("\"\0\""),
        LITERAL("\"\\\0\""),
        LITERAL("\"\\x\""),
        LITERAL("\"\\u12\""),
        LITERAL("\"\\u12g4\""),
        LITERAL("\"\\ud83d\""),
        LITERAL("\"\\ud83dx\""),
        LITERAL("\"\\ud83d\\n\""),
        LITERAL("\"\\ud83d\\u0041\""),
        LITERAL("\"\\ud83d\\ud83d\""),
        LITERAL("\"\\ude00\""),
        LITERAL("\"\xff\""),
        LITERAL("\"\xed\xa0\x80\""),
        LITERAL("'a'"),
        LITERAL("["),
        LITERAL("]"),
        LITERAL("[1"),
        LITERAL("[1,"),
        LITERAL("[1,]"),
        LITERAL("[,1]"),
        LITERAL("[1 2]"),
        LITERAL("[1}"),
        LITERAL("{]"),
        LITERAL("{"),
        LITERAL("{\"a\""),
        LITERAL("{\"a\":"),
        LITERAL("{\"a\":1"),
        LITERAL("{\"a\":1,"),
        LITERAL("{\"a\":1,}"),
        LITERAL("{\"a\" 1}"),
        LITERAL("{\"a\"}"),
        LITERAL("{\"a\",1}"),
        LITERAL("{a:1}"),
        LITERAL("{1:1}"),
        LITERAL("{,}"),
        LITERAL("[\"a\":1]"),
        LITERAL("[]]"),
        LITERAL("[] []"),
        LITERAL("/**/1"),
        LITERAL("1}"),
        LITERAL("1,\"a\":2"),
        LITERAL("1},{\"a\":2"),
        LITERAL("[[[[[0]]]]]"),
        LITERAL("[[[[[]]]]]"),
        LITERAL("[[[{\"a\":[]}]]]"),
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_not(check(rows[i], 4), "%.*s", SHOW(rows[i]));
}

Test(base_json_check, the_depth_is_sharp)
{
    char text[2 * JSON_CHECK_DEPTH + 2];
    for (unsigned depth = 1; depth <= JSON_CHECK_DEPTH; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        cr_expect(check(svc__bytes(text, 2 * depth), depth));
        cr_expect_not(check(svc__bytes(text, 2 * depth), depth - 1));
        cr_expect_not(check(svc__bytes(text, 2 * depth - 1), depth));
        text[2 * depth] = ']';
        cr_expect_not(check(svc__bytes(text, 2 * depth + 1), depth));
    }
    cr_expect(check(BYTES("1"), 0));
}
