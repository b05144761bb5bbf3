#include <criterion/criterion.h>

#include <svc/errors.h>

#include "libsvc/proto/etag.h"
#include "tests/unit/proto/vectors.h"

Test(proto_etag, one_tag_is_read_whole)
{
    static const struct {
        struct bytes text;
        const char *opaque; /* NULL: refused */
        bool weak;
    } rows[] = {
        /* RFC 9110 8.8.3 */
        {LITERAL("\"xyzzy\""), "\"xyzzy\"", false},
        {LITERAL("W/\"xyzzy\""), "\"xyzzy\"", true},
        {LITERAL("\"\""), "\"\"", false},
        {LITERAL("W/\"\""), "\"\"", true},
        {LITERAL("\"a,b\""), "\"a,b\"", false},
        {LITERAL("\"a\\\""), "\"a\\\"", false}, /* nothing escapes a quote */
        {LITERAL("\"W/\""), "\"W/\"", false},
        {LITERAL("\"!#~\x80\xff\""), "\"!#~\x80\xff\"", false},
        {LITERAL(""), NULL, false},
        {{NULL, 0}, NULL, false},
        {LITERAL("\""), NULL, false},
        {LITERAL("W/"), NULL, false},
        {LITERAL("W/\""), NULL, false},
        {LITERAL("xyzzy"), NULL, false},
        {LITERAL("*"), NULL, false},
        {LITERAL("w/\"a\""), NULL, false},
        {LITERAL("W\"a\""), NULL, false},
        {LITERAL("W/ \"a\""), NULL, false},
        {LITERAL(" \"a\""), NULL, false},
        {LITERAL("\"a\" "), NULL, false},
        {LITERAL("\"a\"b\""), NULL, false},
        {LITERAL("\"a\", \"b\""), NULL, false},
        {LITERAL("\"a b\""), NULL, false},
        {LITERAL("\"a\tb\""), NULL, false},
        {LITERAL("\"a\x7f\""), NULL, false},
        {LITERAL("\"a\0\""), NULL, false},
        {LITERAL("'a'"), NULL, false},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct etag tag = {.opaque = LITERAL("untouched")};
        int expected = rows[i].opaque ? 0 : SVC_ESYNTAX;
        cr_expect_eq(svc__etag_parse(rows[i].text, &tag), expected, "%.*s", SHOW(rows[i].text));
        cr_expect(svc__bytes_eq_z(tag.opaque, rows[i].opaque ? rows[i].opaque : "untouched"));
        cr_expect(!rows[i].opaque || tag.weak == rows[i].weak);
    }
}

Test(proto_etag, lists_are_read_tag_by_tag)
{
    static const struct {
        struct bytes list;
        const char *tags; /* each with a space behind it; '!' where it breaks */
    } rows[] = {
        {LITERAL("\"a\""), "\"a\" "},
        {LITERAL("\"xyzzy\", \"r2d2xxxx\", \"c3piozzzz\""),
         "\"xyzzy\" \"r2d2xxxx\" \"c3piozzzz\" "},
        {LITERAL("W/\"xyzzy\", W/\"r2d2xxxx\""), "W\"xyzzy\" W\"r2d2xxxx\" "},
        {LITERAL("\"a\",\"b\""), "\"a\" \"b\" "},
        {LITERAL("\"a\" \t,\t \"b\"\t"), "\"a\" \"b\" "},
        {LITERAL(",, \"a\" ,,\t, \"b\", "), "\"a\" \"b\" "},
        {LITERAL("\"a,b\", \"c\""), "\"a,b\" \"c\" "},
        {LITERAL(""), ""},
        {{NULL, 0}, ""},
        {LITERAL(" , \t,"), ""},
        {LITERAL("*"), "!"},
        {LITERAL("\"a\" \"b\""), "!"},
        {LITERAL("\"a\"\"b\""), "!"},
        {LITERAL("\"a\", b, \"c\""), "\"a\" !"},
        {LITERAL("\"a\", *"), "\"a\" !"},
        {LITERAL("a, \"b\""), "!"},
        {LITERAL("\"a"), "!"},
        {LITERAL("\"a\", \"b"), "\"a\" !"},
        {LITERAL("\"a\"; \"b\""), "!"},
        {LITERAL("W/W/\"a\""), "!"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        char seen[128] = "";
        struct bytes list = rows[i].list;
        struct etag tag;
        int taken;
        while ((taken = svc__etag_next(&list, &tag)) > 0) {
            strcat(seen, tag.weak ? "W" : "");
            strncat(seen, tag.opaque.data, tag.opaque.len);
            strcat(seen, " ");
        }
        strcat(seen, taken == SVC_ESYNTAX ? "!" : "");
        cr_expect_str_eq(seen, rows[i].tags, "%.*s", SHOW(rows[i].list));
    }
}

/* RFC 9110 8.8.3.2 */
Test(proto_etag, strong_and_weak_comparison)
{
    static const struct {
        struct bytes a, b;
        bool strong, weak;
    } rows[] = {
        {LITERAL("W/\"1\""), LITERAL("W/\"1\""), false, true},
        {LITERAL("W/\"1\""), LITERAL("W/\"2\""), false, false},
        {LITERAL("W/\"1\""), LITERAL("\"1\""), false, true},
        {LITERAL("\"1\""), LITERAL("\"1\""), true, true},
        {LITERAL("\"1\""), LITERAL("\"2\""), false, false},
        {LITERAL("\"a\""), LITERAL("\"A\""), false, false},
        {LITERAL("\"\""), LITERAL("\"\""), true, true},
        {LITERAL("\"1\""), LITERAL("\"12\""), false, false},
    };
    const struct etag none = {.weak = false};
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct etag a, b;
        cr_assert(!svc__etag_parse(rows[i].a, &a) && !svc__etag_parse(rows[i].b, &b));
        cr_expect_eq(svc__etag_equal(&a, &b, true), rows[i].strong, "row %zu", i);
        cr_expect_eq(svc__etag_equal(&b, &a, true), rows[i].strong, "row %zu", i);
        cr_expect_eq(svc__etag_equal(&a, &b, false), rows[i].weak, "row %zu", i);
        cr_expect_eq(svc__etag_equal(&b, &a, false), rows[i].weak, "row %zu", i);
        cr_expect_not(svc__etag_equal(&a, &none, false));
        cr_expect_not(svc__etag_equal(&none, &a, false));
    }
    cr_expect_not(svc__etag_equal(&none, &none, false));
}

Test(proto_etag, the_text_of_a_tag_has_no_quotes_spaces_or_controls)
{
    cr_expect(svc__etag_text_valid(BYTES("")));
    cr_expect(svc__etag_text_valid(BYTES("v1,2;\\~\x80")));
    cr_expect_not(svc__etag_text_valid(BYTES("a\"b")));
    cr_expect_not(svc__etag_text_valid(BYTES("a b")));
    cr_expect_not(svc__etag_text_valid(BYTES("a\r\nb")));
    cr_expect_not(svc__etag_text_valid(BYTES("a\x7f")));
    cr_expect_not(svc__etag_text_valid(BYTES("a\0b")));
}

Test(proto_etag, a_hash_is_written_as_base64_for_urls)
{
    static const unsigned char hash[ETAG_HASH_BYTES] = {0xff, 0xff, 0xbe, 0, 1, 2,  3,  4,
                                                        5,    6,    7,    8, 9, 10, 11, 0xff};
    char text[ETAG_HASH_TEXT + 1] = "";
    svc__etag_write_hash(text, hash);
    cr_expect_str_eq(text, "__--AAECAwQFBgcICQoL_w");
    cr_expect(svc__etag_text_valid(svc__bytes_z(text)));
}
