#include <criterion/criterion.h>

#include <svc/errors.h>

#include "libsvc/proto/accept.h"
#include "tests/unit/proto/vectors.h"

enum { LIST = 5 };

static struct fields read_one(struct field *field, enum accept_kind kind, const char *value)
{
    struct fields fields;
    *field = (struct field){svc__field_name_text(svc__accept_field(kind)), svc__bytes_z(value)};
    svc__fields_read(&fields, field, value != NULL);
    return fields;
}

static unsigned type_weight(const char *accept, const char *offer)
{
    struct field field;
    struct fields fields = read_one(&field, ACCEPT_TYPE, accept);
    return svc__accept_weight(&fields, ACCEPT_TYPE, svc__bytes_z(offer));
}

Test(proto_accept, media_types_have_the_weights_of_the_rfc)
{
    /* RFC 9110 12.5.1, with erratum 7138, and the older example of RFC 7231 5.3.2. */
    static const char plain[] = "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, "
                                "text/plain;format=fixed;q=0.4, */*;q=0.5";
    static const char html[] = "text/*;q=0.3, text/html;q=0.7, text/html;level=1, "
                               "text/html;level=2;q=0.4, */*;q=0.5";
    static const struct {
        const char *accept, *offer;
        unsigned weight;
    } rows[] = {
        {plain, "text/plain;format=flowed", 1000},
        {plain, "text/plain", 700},
        {plain, "text/html", 300},
        {plain, "image/jpeg", 500},
        {plain, "text/plain;format=fixed", 400},
        {plain, "text/html;level=3", 300},
        {html, "text/html;level=1", 1000},
        {html, "text/html", 700},
        {html, "text/plain", 300},
        {html, "image/jpeg", 500},
        {html, "text/html;level=2", 400},
        {html, "text/html;level=3", 700},
        {"audio/*; q=0.2, audio/basic", "audio/basic", 1000},
        {"audio/*; q=0.2, audio/basic", "audio/mpeg", 200},
        {"audio/*; q=0.2, audio/basic", "video/mpeg", 0},
        {"text/plain; q=0.5, text/html, text/x-dvi; q=0.8, text/x-c", "text/x-dvi", 800},
        /* a parameter of the offer's own does not matter to a range without it */
        {"text/html;q=0.4", "text/html; charset=utf-8", 400},
        {"Text/HTML;Charset=\"UTF-8\"", "text/html; charset=utf-8", 1000},
        {"text/html;charset=latin1", "text/html; charset=utf-8", 0},
        {"a/b;x=1;y=2;q=0.2, a/b;x=1;q=0.9", "a/b;y=2;x=1", 200},
        {"a/b;x=A", "a/b;x=a", 0},
        {"a/b;x=1", "a/b", 1000},
        {"a/b;x=1, a/*;q=0.1", "a/b", 100},
        {"*/*;x=1;q=0.2, a/b", "a/b;x=1", 200},
        {NULL, "a/b", 1000},
        {"", "a/b", 1000},
        {"garbage", "a/b", 1000},
        {"a/b", "b", 0},
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_eq(type_weight(rows[i].accept, rows[i].offer), rows[i].weight, "%s for %s: %u",
                     rows[i].offer, rows[i].accept, type_weight(rows[i].accept, rows[i].offer));
}

Test(proto_accept, the_best_offer_is_chosen_and_of_equal_ones_the_first)
{
    static const struct {
        enum accept_kind kind;
        const char *accept;
        const char *offers[LIST];
        int chosen;
    } rows[] = {
        {ACCEPT_TYPE, NULL, {"a/b", "c/d"}, 0},
        {ACCEPT_TYPE, "*/*", {"a/b", "c/d"}, 0},
        {ACCEPT_TYPE, "a/b;q=0.1, c/d;q=0.2", {"a/b", "c/d"}, 1},
        {ACCEPT_TYPE, "a/b;q=0, */*", {"a/b", "c/d", "e/f"}, 1},
        {ACCEPT_TYPE, "x/y", {"a/b", "c/d"}, SVC_ENOTFOUND},
        {ACCEPT_TYPE,
         "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
         {"application/json", "text/html"},
         1},
        {ACCEPT_TYPE, "*/*", {NULL}, SVC_ENOTFOUND},
        {ACCEPT_LANGUAGE, "de-CH,de;q=0.9,en;q=0.8", {"en", "de"}, 1},
        {ACCEPT_LANGUAGE, "en-US", {"de", "en"}, 1},
        {ACCEPT_LANGUAGE, "fr", {"de", "en"}, SVC_ENOTFOUND},
        {ACCEPT_LANGUAGE, "*", {"de", "en"}, 0},
        {ACCEPT_CODING, "gzip, br", {"br", "gzip", "identity"}, 0},
        {ACCEPT_CODING, "gzip;q=1.0, identity; q=0.5, *;q=0", {"br", "gzip", "identity"}, 1},
        {ACCEPT_CODING, NULL, {"br", "gzip", "identity"}, 2},
        {ACCEPT_CODING, "", {"br", "gzip", "identity"}, 2},
        {ACCEPT_CODING, "compress", {"br", "identity"}, 1},
        {ACCEPT_CODING, "identity;q=0", {"br", "identity"}, SVC_ENOTFOUND},
        {ACCEPT_CODING, "*;q=0, identity;q=0.1", {"br", "identity"}, 1},
        /* without the field any coding may be sent, if there is no other form */
        {ACCEPT_CODING, NULL, {"gzip"}, 0},
        {ACCEPT_CODING, NULL, {NULL}, SVC_ENOTFOUND},
        {ACCEPT_CODING, "", {"gzip"}, SVC_ENOTFOUND},
        {ACCEPT_CODING, "br", {"gzip"}, SVC_ENOTFOUND},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct field field;
        struct fields fields = read_one(&field, rows[i].kind, rows[i].accept);
        int chosen = svc__accept_choose(&fields, rows[i].kind, rows[i].offers);
        cr_expect_eq(chosen, rows[i].chosen, "row %zu: %d", i, chosen);
    }
}

Test(proto_accept, fields_without_a_well_formed_element_are_malformed)
{
    static const struct {
        enum accept_kind kind;
        const char *value;
        bool malformed;
    } rows[] = {
        {ACCEPT_TYPE, NULL, false},           {ACCEPT_TYPE, "", false},
        {ACCEPT_TYPE, " ,, ", false},         {ACCEPT_TYPE, "json", true},
        {ACCEPT_TYPE, "json, a/b", false},    {ACCEPT_TYPE, "*, text", true},
        {ACCEPT_TYPE, "a/b;x=\"c/d", true},   {ACCEPT_LANGUAGE, "en_US", true},
        {ACCEPT_LANGUAGE, "en_US, *", false}, {ACCEPT_LANGUAGE, "de;q=7", true},
        {ACCEPT_CODING, "g zip", true},       {ACCEPT_CODING, "g zip, br", false},
        {ACCEPT_CODING, ",", false},          {ACCEPT_LANGUAGE, "\"x, de;q=0", false},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct field field;
        struct fields fields = read_one(&field, rows[i].kind, rows[i].value);
        cr_expect_eq(svc__accept_malformed(&fields, rows[i].kind), rows[i].malformed, "%s",
                     rows[i].value);
    }
}

Test(proto_accept, offers_are_without_wildcards_and_weights)
{
    static const struct {
        enum accept_kind kind;
        const char *offer;
        bool valid;
    } rows[] = {
        {ACCEPT_TYPE, "text/html", true},    {ACCEPT_TYPE, "text/html;level=1", true},
        {ACCEPT_TYPE, "text/*", false},      {ACCEPT_TYPE, "*/*", false},
        {ACCEPT_TYPE, "text", false},        {ACCEPT_TYPE, "text/html;q=1", false},
        {ACCEPT_LANGUAGE, "de-CH", true},    {ACCEPT_LANGUAGE, "*", false},
        {ACCEPT_LANGUAGE, "de_CH", false},   {ACCEPT_CODING, "gzip", true},
        {ACCEPT_CODING, "identity", true},   {ACCEPT_CODING, "*", false},
        {ACCEPT_CODING, "", false},          {ACCEPT_CODING, "gzip;q=1", false},
        {ACCEPT_TYPE, "a/b;x=1;X=2", false},
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_eq(svc__accept_offer_valid(rows[i].kind, svc__bytes_z(rows[i].offer)),
                     rows[i].valid, "%s", rows[i].offer);
}
