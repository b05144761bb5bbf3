#include <criterion/criterion.h>

#include <svc/errors.h>

#include "libsvc/proto/media.h"
#include "tests/unit/proto/vectors.h"

static struct fields read_fields(const struct field *list, size_t count)
{
    struct fields fields;
    svc__fields_read(&fields, list, count);
    return fields;
}

Test(proto_media, identity_is_no_coding)
{
    static const struct {
        const char *first, *second;
        bool coded;
    } rows[] = {{"identity", NULL, false},  {" IDENTITY\t", NULL, false},
                {"", NULL, false},          {",identity,", NULL, false},
                {"gzip", NULL, true},       {"identity,br", NULL, true},
                {"identity", "zstd", true}, {"identity", "identity", false}};
    for (size_t i = 0; i < ROWS(rows); i++) {
        const struct field fields[] = {
            {svc__bytes_z("Accept"), svc__bytes_z("gzip")},
            {svc__bytes_z("Content-Encoding"), svc__bytes_z(rows[i].first)},
            {svc__bytes_z("content-encoding"), svc__bytes_z(rows[i].second)},
        };
        struct fields read = read_fields(fields, rows[i].second ? 3 : 2);
        cr_expect_eq(svc__media_is_coded(&read), rows[i].coded, "row %zu", i);
    }
    struct fields none = read_fields(NULL, 0);
    cr_expect_not(svc__media_is_coded(&none));
}

Test(proto_media, types_and_parameters_are_taken_apart)
{
    static const struct {
        struct bytes text;
        const char *type, *subtype, *charset; /* NULL: no such parameter */
    } rows[] = {
        /* RFC 9110 8.3.1 */
        {LITERAL("text/html;charset=utf-8"), "text", "html", "utf-8"},
        {LITERAL("Text/HTML;Charset=\"utf-8\""), "Text", "HTML", "utf-8"},
        {LITERAL("text/html; charset=\"utf-8\""), "text", "html", "utf-8"},
        {LITERAL("text/html;charset=UTF-8"), "text", "html", "UTF-8"},
        {LITERAL("a/b"), "a", "b", NULL},
        {LITERAL(" \ta/b\t "), "a", "b", NULL},
        {LITERAL("a/b;"), "a", "b", NULL},
        {LITERAL("a/b ; ; ;"), "a", "b", NULL},
        {LITERAL("a/b ; x=1 ; charset=c"), "a", "b", "c"},
        {LITERAL("a/b;charset=1;charset=2"), "a", "b", "1"},
        {LITERAL("a/b;charset=\"\""), "a", "b", ""},
        {LITERAL("a/b;charset=\"a;b=c\";d=e"), "a", "b", "a;b=c"},
        {LITERAL("a/b;x=\"charset=z\";charset=y"), "a", "b", "y"},
        {LITERAL("a/b;charset=\"a\\\"b\""), "a", "b", "a\\\"b"},
        {LITERAL("a/b;charset=\"\\\\\""), "a", "b", "\\\\"},
        {LITERAL("*/*"), "*", "*", NULL},
        {LITERAL("application/vnd.api+json; version=1"), "application", "vnd.api+json", NULL},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct media media;
        struct bytes value = {NULL, 0};
        cr_assert_eq(svc__media_parse(rows[i].text, &media), 0, "%.*s", SHOW(rows[i].text));
        cr_expect(svc__bytes_eq_z(media.type, rows[i].type), "%.*s", SHOW(rows[i].text));
        cr_expect(svc__bytes_eq_z(media.subtype, rows[i].subtype), "%.*s", SHOW(rows[i].text));
        cr_expect(svc__media_is(&media, rows[i].type, rows[i].subtype));
        int rc = svc__media_param(&media, BYTES("charSet"), &value);
        cr_expect_eq(rc, rows[i].charset ? 0 : SVC_ENOTFOUND, "%.*s", SHOW(rows[i].text));
        cr_expect(!rows[i].charset || svc__bytes_eq_z(value, rows[i].charset), "%.*s gave %.*s",
                  SHOW(rows[i].text), SHOW(value));
    }
}

Test(proto_media, malformed_types_are_refused)
{
    static const struct bytes rows[] = {
        {NULL, 0},
        LITERAL(""),
        LITERAL(" "),
        LITERAL("text"),
        LITERAL("/"),
        LITERAL("text/"),
        LITERAL("/html"),
        LITERAL("text /html"),
        LITERAL("text/ html"),
        LITERAL("text/html x"),
        LITERAL("text/html, a/b"),
        LITERAL("te(xt/html"),
        LITERAL("text/ht\0ml"),
        LITERAL("text/html;charset"),
        LITERAL("text/html;charset="),
        LITERAL("text/html;=utf-8"),
        LITERAL("text/html;charset =utf-8"),
        LITERAL("text/html;charset= utf-8"),
        LITERAL("text/html;charset=utf-8 x"),
        LITERAL("text/html;charset=\"utf-8"),
        LITERAL("text/html;charset=\"utf-8\\\""),
        LITERAL("text/html;charset=\"utf-8\\"),
        LITERAL("text/html;charset=\"utf-8\"x"),
        LITERAL("text/html;charset=\"ut\nf\""),
        LITERAL("text/html;charset=a\"b\""),
        LITERAL("text/html/x"),
        LITERAL("text//html"),
        LITERAL("t\xc3\xa9xt/html"),
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct media media = {.type = LITERAL("untouched")};
        cr_expect_eq(svc__media_parse(rows[i], &media), SVC_ESYNTAX, "%.*s", SHOW(rows[i]));
        cr_expect(svc__bytes_eq_z(media.type, "untouched"));
    }
}

Test(proto_media, is_tells_types_apart)
{
    struct media media;
    cr_assert_eq(svc__media_parse(BYTES("Application/JSON;x=y"), &media), 0);
    cr_expect(svc__media_is(&media, "application", "json"));
    cr_expect_not(svc__media_is(&media, "application", "jso"));
    cr_expect_not(svc__media_is(&media, "text", "json"));
}

Test(proto_media, json_is_application_json_or_a_json_suffix_in_utf8)
{
    static const struct {
        struct bytes text;
        bool json;
    } rows[] = {
        {LITERAL("application/json"), true},
        {LITERAL("APPLICATION/Json"), true},
        {LITERAL("application/json;"), true},
        {LITERAL("application/json; charset=utf-8"), true},
        {LITERAL("application/json;charset=UTF-8"), true},
        {LITERAL("application/json;charset=\"utf-8\""), true},
        {LITERAL("application/json;odata=verbose"), true},
        {LITERAL("application/problem+json"), true},
        {LITERAL("application/vnd.api+JSON"), true},
        {LITERAL("image/x+json"), true},
        {LITERAL(""), false},
        {{NULL, 0}, false},
        {LITERAL("json"), false},
        {LITERAL("text/json"), false},
        {LITERAL("text/plain"), false},
        {LITERAL("application/jsonp"), false},
        {LITERAL("application/json-seq"), false},
        {LITERAL("application/+json"), false},
        {LITERAL("application/xjson"), false},
        {LITERAL("application/json;charset=latin1"), false},
        {LITERAL("application/json;charset=utf-16"), false},
        {LITERAL("application/json;charset=utf8"), false},
        {LITERAL("application/json;charset=utf-8;charset=latin1"), false},
        {LITERAL("application/json;charset"), false},
        {LITERAL("application/json, text/plain"), false},
        {LITERAL("application/json;x=\"y"), false},
        {LITERAL("application/x-www-form-urlencoded"), false},
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_eq(svc__media_is_json(rows[i].text), rows[i].json, "%.*s", SHOW(rows[i].text));
}

Test(proto_media, the_most_specific_range_of_accept_decides)
{
    static const char rfc[] = "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, "
                              "text/plain;format=fixed;q=0.4, */*;q=0.5";
    static const struct {
        struct bytes accept;
        const char *type, *subtype;
        unsigned weight;
    } rows[] = {
        /* RFC 9110 12.5.1 */
        {LITERAL("audio/*; q=0.2, audio/basic"), "audio", "basic", 1000},
        {LITERAL("audio/*; q=0.2, audio/basic"), "audio", "ogg", 200},
        {LITERAL("audio/*; q=0.2, audio/basic"), "text", "plain", 0},
        {LITERAL("text/plain; q=0.5, text/html, text/x-dvi; q=0.8, text/x-c"), "text", "html",
         1000},
        {LITERAL("text/plain; q=0.5, text/html, text/x-dvi; q=0.8, text/x-c"), "text", "x-dvi",
         800},
        {LITERAL(rfc), "text", "plain", 700},
        {LITERAL(rfc), "text", "html", 300},
        {LITERAL(rfc), "image", "jpeg", 500},
        {LITERAL("*/*, text/html;q=0"), "text", "html", 0},
        {LITERAL("text/html;q=0, */*"), "text", "plain", 1000},
        {LITERAL("text/*;q=0, */*"), "text", "plain", 0},
        {LITERAL("TEXT/HTML;Q=0.25"), "text", "html", 250},
        {LITERAL("a/b;q=0.1, a/b;q=0.9"), "a", "b", 900},
        {LITERAL("a/b;q=0.9, a/b;q=0.1"), "a", "b", 900},
        {LITERAL("a/b ; q=0.125 , c/d"), "a", "b", 125},
        {LITERAL("a/b;q=1.000;ext=1"), "a", "b", 1000},
        {LITERAL("a/b;q=0."), "a", "b", 0},
        {LITERAL("a/b;q=1."), "a", "b", 1000},
        {LITERAL("a/b;q=0.000"), "a", "b", 0},
        {LITERAL("a/b;q=0.001"), "a", "b", 1},
        {LITERAL("a/b;q=0.5;q=1"), "a", "b", 500},
        /* parameters: heard when nothing else matches */
        {LITERAL("application/json;charset=utf-8"), "application", "json", 1000},
        {LITERAL("application/json;charset=utf-8;q=0.5, */*;q=0.1"), "application", "json", 100},
        {LITERAL("text/html;level=1, text/*;q=0.3"), "text", "html", 300},
        {LITERAL("text/html;level=1;q=0.2, text/html;level=2;q=0.6"), "text", "html", 600},
        /* quoted strings hide commas */
        {LITERAL("a/b;x=\"c/d,e/f;q=0\", e/f"), "e", "f", 1000},
        {LITERAL("a/b;x=\"\\\",e/f\";q=0.4"), "a", "b", 400},
        /* malformed ranges are skipped */
        {LITERAL("*, a/b;q=0.5"), "a", "b", 500},
        {LITERAL("*; q=.2, */*; q=0.2"), "a", "b", 200},
        {LITERAL("a/b;q=2, */*;q=0.3"), "a", "b", 300},
        {LITERAL("a/b;q=1.001, */*;q=0.3"), "a", "b", 300},
        {LITERAL("a/b;q=0.1234, */*;q=0.3"), "a", "b", 300},
        {LITERAL("a/b;q=-1, */*;q=0.3"), "a", "b", 300},
        {LITERAL("a/b;q=x, */*;q=0.3"), "a", "b", 300},
        {LITERAL("a/b;q=0x1, */*;q=0.3"), "a", "b", 300},
        {LITERAL("a/b;q=00.5, */*;q=0.3"), "a", "b", 300},
        {LITERAL("a/b;q=\"\", */*;q=0.3"), "a", "b", 300},
        {LITERAL("*/b;q=0.9, */*;q=0.3"), "a", "b", 300},
        {LITERAL(",,, a/b;q=0.5,,"), "a", "b", 500},
        /* nothing well-formed says nothing */
        {LITERAL(""), "a", "b", 1000},
        {{NULL, 0}, "a", "b", 1000},
        {LITERAL(" , ,"), "a", "b", 1000},
        {LITERAL("garbage"), "a", "b", 1000},
        {LITERAL("c/d"), "a", "b", 0},
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_eq(svc__media_accept(rows[i].accept, rows[i].type, rows[i].subtype),
                     rows[i].weight, "%.*s for %s/%s gave %u", SHOW(rows[i].accept), rows[i].type,
                     rows[i].subtype,
                     svc__media_accept(rows[i].accept, rows[i].type, rows[i].subtype));
}

Test(proto_media, several_accept_fields_are_one_list)
{
    static const struct field fields[] = {
        {LITERAL("Accept"), LITERAL("a/*;q=0.9")},
        {LITERAL("Accept-Encoding"), LITERAL("a/b;q=0.8")},
        {LITERAL("ACCEPT"), LITERAL("a/b;q=0.1")},
    };
    struct fields all = read_fields(fields, ROWS(fields)), other = read_fields(fields + 1, 1);
    cr_expect_eq(svc__media_accept_fields(&all, "a", "b"), 100);
    cr_expect_eq(svc__media_accept_fields(&all, "a", "c"), 900);
    cr_expect_eq(svc__media_accept_fields(&all, "c", "d"), 0);
    cr_expect_eq(svc__media_accept_fields(&other, "c", "d"), 1000);
}

Test(proto_media, errors_are_json_unless_accept_excludes_it)
{
    static const struct {
        struct bytes accept;
        bool json;
    } rows[] = {
        {LITERAL("*/*"), true},
        {LITERAL(""), true},
        {LITERAL("application/json"), true},
        {LITERAL("application/problem+json"), true},
        {LITERAL("application/problem+json, application/json;q=0"), true},
        {LITERAL("application/json, application/problem+json;q=0"), true},
        {LITERAL("application/*;q=0.1"), true},
        {LITERAL("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"), true},
        {LITERAL("application/json;charset=utf-8"), true},
        {LITERAL("text/plain"), false},
        {LITERAL("text/html, image/*"), false},
        {LITERAL("*/*;q=0"), false},
        {LITERAL("application/*;q=0, */*"), false},
        {LITERAL("application/json;q=0, application/problem+json;q=0.000, */*"), false},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct field field = {LITERAL("accept"), rows[i].accept};
        struct fields fields = read_fields(&field, 1);
        cr_expect_eq(svc__media_accepts_json(&fields), rows[i].json, "%.*s", SHOW(rows[i].accept));
    }
    struct fields none = read_fields(NULL, 0);
    cr_expect(svc__media_accepts_json(&none));
}

Test(proto_media, a_form_is_urlencoded_and_utf8)
{
    cr_expect(svc__media_is_form(svc__bytes_z("application/x-www-form-urlencoded")));
    cr_expect(svc__media_is_form(svc__bytes_z("Application/X-WWW-Form-Urlencoded; charset=UTF-8")));
    cr_expect_not(
        svc__media_is_form(svc__bytes_z("application/x-www-form-urlencoded;charset=latin1")));
    cr_expect_not(svc__media_is_form(svc__bytes_z("multipart/form-data")));
    cr_expect_not(svc__media_is_form(svc__bytes_z("application/x-www-form-urlencoded,")));
    cr_expect_not(svc__media_is_form(svc__bytes(NULL, 0)));
}

Test(proto_media, a_version_is_met_by_its_own_parameter_and_by_ranges_without_one)
{
    static const struct {
        const char *accept;
        unsigned weight;
        bool named;
    } rows[] = {
        {NULL, 1000, false},
        {"", 1000, false},
        {"*/*;q=0.5", 500, false},
        {"a/*;q=0.5;x=1", 500, false},
        {"a/b", 1000, true},
        {"a/b;q=0.2;version=1", 200, true},
        {"a/b;version=1;q=0.3, a/b;q=0.9", 300, true},
        {"a/b;version=2;q=0.3, a/b;q=0.9", 900, true},
        {"a/b;version=2", 0, false},
        {"a/b;version=2, */*;q=0.1", 100, false},
        {"A/B;charset=utf-8;Version=\"1\"", 1000, true},
        {"a/b;escaping=x", 1000, true},
        {"a/b;version=1;q=0", 0, true},
        {"c/d", 0, false},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        const struct field field = {svc__bytes_z("accept"),
                                    svc__bytes_z(rows[i].accept ? rows[i].accept : "")};
        struct fields fields = read_fields(&field, rows[i].accept != NULL);
        struct media_answer answer = svc__media_accept_version(&fields, "a", "b", ";version=1");
        cr_expect_eq(answer.weight, rows[i].weight, "%s: %u", rows[i].accept, answer.weight);
        cr_expect_eq(answer.named, rows[i].named, "%s", rows[i].accept);
    }
}
