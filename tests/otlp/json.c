/* Spans in OTLP's JSON, byte by byte. */
#include "libsvc/otlp/otlp_json.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

#include "libsvc/otlp/otlp_gzip.h"
#include "libsvc/otlp/otlp_verdict.h"

static svc_sys_span make_span(void)
{
    return (svc_sys_span){.size = sizeof(svc_sys_span),
                          .trace_id = {0x0a, 0xf7, [15] = 0xff},
                          .span_id = {[7] = 1},
                          .flags = 1,
                          .kind = SVC_SPAN_SERVER,
                          .name = "GET /orders/{id}",
                          .state = "",
                          .message = "",
                          .started_unix_ns = INT64_C(1700000000000000001),
                          .ended_unix_ns = INT64_C(1700000000000000002)};
}

static void expect_json(const svc_sys_span *span, const char *expected)
{
    struct otlp_json json = {.text = {.ceiling = 100000}};
    const struct otlp_text *text = &json.text;
    svc__otlp_json_span(&json, span);
    cr_assert_not(text->failed);
    cr_expect(text->len == strlen(expected) && !memcmp(text->data, expected, text->len),
              "%.*s\nand not\n%s", (int)text->len, text->data, expected);
    svc__otlp_text_free(&json.text);
}

#define IDS "{\"traceId\":\"0af700000000000000000000000000ff\",\"spanId\":\"0000000000000001\""
#define TIMES                                                                                      \
    "\"startTimeUnixNano\":\"1700000000000000001\",\"endTimeUnixNano\":\"1700000000000000002\""

Test(json, a_span_has_the_protocols_shape)
{
    svc_sys_span span = make_span();
    expect_json(&span, IDS ",\"flags\":257,\"name\":\"GET /orders/{id}\",\"kind\":2," TIMES
                           ",\"attributes\":[]}");
    static const svc_sys_link links[] = {{{[15] = 2}, {[7] = 3}, 1}, {{[15] = 4}, {[7] = 5}, 0}};
    span.parent_id[0] = 0xab;
    span.parent_is_remote = true;
    span.state = "a=b,c=d";
    span.links = links;
    span.link_count = 2;
    span.attributes_left_out = 7;
    span.links_left_out = 8;
    span.failed = true;
    span.message = "no \"answer\"";
    expect_json(&span, IDS
                ",\"parentSpanId\":\"ab00000000000000\",\"traceState\":\"a=b,c=d\",\"flags\":769,"
                "\"name\":\"GET /orders/{id}\",\"kind\":2," TIMES
                ",\"attributes\":[],\"droppedAttributesCount\":7,"
                "\"links\":[{\"traceId\":\"00000000000000000000000000000002\","
                "\"spanId\":\"0000000000000003\",\"flags\":769},"
                "{\"traceId\":\"00000000000000000000000000000004\","
                "\"spanId\":\"0000000000000005\",\"flags\":768}],\"droppedLinksCount\":8,"
                "\"status\":{\"code\":2,\"message\":\"no \\u0022answer\\u0022\"}}");
}

Test(json, each_kind_of_value_has_its_own_form)
{
    const svc_kv items[] = {
        svc_kv_str("s", "a\nb\\\x01\x7f"),
        svc_kv_str("none", NULL),
        svc_kv_int("i", INT64_MIN),
        svc_kv_uint("u", INT64_MAX),
        svc_kv_uint("large", UINT64_MAX),
        svc_kv_double("d", 0.5),
        svc_kv_double("e", 1e300),
        svc_kv_double("n", NAN),
        svc_kv_double("p", INFINITY),
        svc_kv_double("m", -INFINITY),
        svc_kv_bool("t", true),
        svc_kv_bool("f", false),
    };
    svc_sys_span span = make_span();
    span.attributes = items;
    span.attribute_count = sizeof items / sizeof *items;
    setlocale(LC_ALL, "de_DE.UTF-8"); /* where there is one, its comma does not come through */
    expect_json(&span, IDS
                ",\"flags\":257,\"name\":\"GET /orders/{id}\",\"kind\":2," TIMES ",\"attributes\":["
                "{\"key\":\"s\",\"value\":{\"stringValue\":\"a\\u000ab\\u005c\\u0001\\u007f\"}},"
                "{\"key\":\"none\",\"value\":{\"stringValue\":\"\"}},"
                "{\"key\":\"i\",\"value\":{\"intValue\":\"-9223372036854775808\"}},"
                "{\"key\":\"u\",\"value\":{\"intValue\":\"9223372036854775807\"}},"
                "{\"key\":\"large\",\"value\":{\"stringValue\":\"18446744073709551615\"}},"
                "{\"key\":\"d\",\"value\":{\"doubleValue\":0.5}},"
                "{\"key\":\"e\",\"value\":{\"doubleValue\":1e+300}},"
                "{\"key\":\"n\",\"value\":{\"doubleValue\":\"NaN\"}},"
                "{\"key\":\"p\",\"value\":{\"doubleValue\":\"Infinity\"}},"
                "{\"key\":\"m\",\"value\":{\"doubleValue\":\"-Infinity\"}},"
                "{\"key\":\"t\",\"value\":{\"boolValue\":true}},"
                "{\"key\":\"f\",\"value\":{\"boolValue\":false}}]}");
}

static char *name_of(const char *name)
{
    struct otlp_json json = {.text = {.ceiling = 100000}};
    svc_sys_span span = make_span();
    span.name = name;
    svc__otlp_json_span(&json, &span);
    json_t *document = json_loadb(json.text.data, json.text.len, 0, NULL);
    cr_assert(document, "%.*s", (int)json.text.len, json.text.data);
    char *found = strdup(json_string_value(json_object_get(document, "name")));
    json_decref(document);
    svc__otlp_text_free(&json.text);
    return found;
}

/* Whatever a program or a client has put there. */
Test(json, any_bytes_make_a_document)
{
    static const struct {
        const char *bytes, *text;
    } rows[] = {
        {"a\xff"
         "b",
         "a\xef\xbf\xbd"
         "b"},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"x\xf0\x9f", "x\xef\xbf\xbd"},
        {"\xe2\x82\xf0\x9f\x98z", "\xef\xbf\xbd\xef\xbf\xbdz"},
        {"\xf5\x80\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *name = name_of(rows[i].bytes);
        cr_expect_str_eq(name, rows[i].text, "row %zu", i);
        free(name);
    }
    for (unsigned i = 0; i < 20000; i++) {
        char bytes[9] = "";
        for (size_t n = 0; n < 8; n++)
            bytes[n] = (char)(rand() % 255 + 1);
        free(name_of(bytes));
    }
}

Test(json, a_request_is_one_document)
{
    const svc_kv resource[] = {svc_kv_str("service.name", "shop")};
    svc_sys_span span = make_span();
    struct otlp_json json = {.text = {.ceiling = 100000}};
    svc__otlp_json_begin(&json, resource, 1);
    svc__otlp_json_span(&json, &span);
    svc__otlp_json_span(&json, &span);
    svc__otlp_json_end(&json);
    json_t *document = json_loadb(json.text.data, json.text.len, JSON_REJECT_DUPLICATES, NULL);
    json_t *name = NULL, *spans = NULL;
    cr_assert_eq(json_unpack(document, "{s:[{s:{s:[{s:{s:o}}]},s:[{s:o}]}]}", "resourceSpans",
                             "resource", "attributes", "value", "stringValue", &name, "scopeSpans",
                             "spans", &spans),
                 0);
    cr_expect_str_eq(json_string_value(name), "shop");
    cr_expect_eq(json_array_size(spans), 2);
    json_decref(document);
    svc__otlp_text_free(&json.text);
}

Test(json, times_are_whole_numbers_of_nanoseconds)
{
    static const int64_t times[] = {
        INT64_MIN,  -1,         0,          1,         999999999,
        1000000000, 1000000001, 1000000010, INT64_MAX, 1700000000000000000};
    struct otlp_json json = {.text = {.ceiling = 100000}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char expected[128];
        svc_sys_span span = make_span();
        span.started_unix_ns = times[i];
        span.ended_unix_ns = times[sizeof times / sizeof *times - 1 - i];
        svc__otlp_text_clear(&json.text);
        svc__otlp_json_span(&json, &span);
        svc__otlp_text_add(&json.text, "", 1);
        snprintf(expected, sizeof expected,
                 ",\"startTimeUnixNano\":\"%lld\",\"endTimeUnixNano\":\"%lld\",",
                 (long long)span.started_unix_ns, (long long)span.ended_unix_ns);
        cr_expect(strstr(json.text.data, expected), "%s in %s", expected, json.text.data);
    }
    svc__otlp_text_free(&json.text);
}

/* ---- Spans that have much in common */

enum { MANY_ATTRIBUTES = OTLP_JSON_KNOWN + 6, MANY_SPANS = 200 };

/* One of few values, so that spans agree in some attributes and differ in others. */
static svc_kv pick_attribute(size_t i, char key[static 8], char value[static 8])
{
    static const char *const shared[] = {"", "GET", "\"quoted\"", "\xff\xfe"};
    snprintf(key, 8, "k%zu", i + (rand() % 16 == 0));
    switch (rand() % 8) {
    case 0:
        return svc_kv_int(key, rand() % 2);
    case 1:
        return svc_kv_bool(key, rand() % 2);
    case 2:
        return svc_kv_double(key, rand() % 2);
    case 3:
        snprintf(value, 8, "v%d", rand() % 3);
        return svc_kv_str(key, value);
    default:
        return svc_kv_str(key, shared[rand() % 4]);
    }
}

struct varied_span {
    svc_sys_span span;
    svc_kv items[MANY_ATTRIBUTES];
    char keys[MANY_ATTRIBUTES][8], values[MANY_ATTRIBUTES][8];
};

static void vary_span(struct varied_span *varied)
{
    size_t count = (size_t)rand() % (MANY_ATTRIBUTES + 1);
    varied->span = make_span();
    varied->span.kind = rand() % 7;
    varied->span.attributes = varied->items;
    varied->span.attribute_count = count;
    for (size_t i = 0; i < count; i++)
        varied->items[i] = pick_attribute(i, varied->keys[i], varied->values[i]);
}

/* A span that is a copy of the one before in part is written as it is alone. */
Test(json, a_span_does_not_depend_on_those_before)
{
    static struct varied_span spans[MANY_SPANS];
    struct otlp_json json = {.text = {.ceiling = 10000000}};
    svc__otlp_json_begin(&json, NULL, 0);
    for (size_t i = 0; i < MANY_SPANS; i++) {
        struct otlp_json alone = {.text = {.ceiling = 100000}};
        vary_span(&spans[i]);
        size_t before = json.text.len + (i > 0); /* a comma */
        svc__otlp_json_span(&json, &spans[i].span);
        svc__otlp_json_span(&alone, &spans[i].span);
        cr_assert(!json.text.failed && !alone.text.failed);
        cr_assert(json.text.len - before == alone.text.len &&
                      !memcmp(json.text.data + before, alone.text.data, alone.text.len),
                  "%.*s\nand not\n%.*s", (int)(json.text.len - before), json.text.data + before,
                  (int)alone.text.len, alone.text.data);
        svc__otlp_text_free(&alone.text);
    }
    svc__otlp_text_free(&json.text);
}

Test(json, a_text_over_its_ceiling_has_failed)
{
    struct otlp_text text = {.ceiling = 10};
    svc__otlp_text_put(&text, "0123456789");
    cr_expect(!text.failed && text.len == 10);
    svc__otlp_text_put(&text, "x");
    cr_expect(text.failed && text.len == 10);
    svc__otlp_text_clear(&text);
    cr_expect(!text.failed && text.len == 0);
    svc__otlp_text_free(&text);
}

Test(json, a_compressed_text_that_finds_no_room_has_failed)
{
    char data[50000];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)rand();
    const struct otlp_text from = {.data = data, .len = sizeof data};
    struct otlp_text to = {.ceiling = 20000};
    cr_expect_not(svc__otlp_gzip_write(&from, &to));
    svc__otlp_text_free(&to);
}

/* ---- Answers of a receiver */

Test(verdict, statuses_mean_what_the_protocol_says)
{
    static const struct {
        int status;
        enum otlp_verdict verdict;
    } rows[] = {{200, OTLP_TAKEN},   {202, OTLP_TAKEN},   {0, OTLP_AGAIN},     {100, OTLP_AGAIN},
                {429, OTLP_AGAIN},   {502, OTLP_AGAIN},   {503, OTLP_AGAIN},   {504, OTLP_AGAIN},
                {500, OTLP_REFUSED}, {501, OTLP_REFUSED}, {400, OTLP_REFUSED}, {401, OTLP_REFUSED},
                {404, OTLP_REFUSED}, {413, OTLP_REFUSED}, {302, OTLP_REFUSED}};
    struct otlp_rejection rejection;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(svc__otlp_verdict_read(rows[i].status, "{}", 2, 5, &rejection),
                     rows[i].verdict, "%d", rows[i].status);
}

Test(verdict, a_part_may_be_rejected)
{
    static const struct {
        const char *body;
        uint64_t count;
        const char *message;
    } rows[] = {
        {"{\"partialSuccess\":{\"rejectedSpans\":\"3\",\"errorMessage\":\"too old\"}}", 3,
         "too old"},
        {"{\"partialSuccess\":{\"rejectedSpans\":3}}", 3, ""},
        {"{\"partialSuccess\":{\"errorMessage\":\"only a hint\"}}", 0, "only a hint"},
        {"{\"partialSuccess\":{\"rejectedSpans\":\"99999999999999999999\"}}", 5, ""},
        {"{\"partialSuccess\":{\"rejectedSpans\":-1}}", 0, ""},
        {"{\"partialSuccess\":[1,2]}", 0, ""},
        {"{\"partialSuccess\":{\"rejectedSpans\":{}, \"errorMessage\":7}}", 0, ""},
        {"[]", 0, ""},
        {"", 0, ""},
        {"{\"partialSuccess\":", 0, ""},
        {"\xff\xfe<html>", 0, ""},
    };
    struct otlp_rejection rejection;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_expect_eq(svc__otlp_verdict_read(200, rows[i].body, strlen(rows[i].body), 5, &rejection),
                     OTLP_TAKEN);
        cr_expect_eq(rejection.count, rows[i].count, "row %zu", i);
        cr_expect_str_eq(rejection.message, rows[i].message, "row %zu", i);
    }
}
