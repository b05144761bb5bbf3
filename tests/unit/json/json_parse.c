/* What is parsed is compared with what jansson makes of the same text. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>

#include "libsvc/base/json_scan.h"
#include "libsvc/base/thread.h"
#include "libsvc/json/json_parse.h"
#include "libsvc/json/json_tree.h"

/* As svc__json_parse, out of memory of just the text's size. */
static json_t *parse(const char *text, size_t len, unsigned max_depth, struct json_fault *fault)
{
    struct arena arena;
    struct buf scratch;
    char *copy = malloc(len + 1);
    memcpy(copy, text, len);
    copy[len] = '7'; /* which is not the text's */
    svc__arena_init(&arena, NULL, SIZE_MAX);
    svc__buf_init(&scratch, 2 * len + 2);
    json_t *json = svc__json_parse(svc__bytes(copy, len), max_depth, &arena, &scratch, fault);
    svc__buf_free(&scratch);
    svc__arena_reset(&arena);
    free(copy);
    return json;
}

Test(core_json_parse, faults_have_a_reason_and_a_place)
{
    static const struct {
        const char *text;
        size_t line, column;
        const char *reason;
    } rows[] = {
        {"", 1, 1, "a value is expected"},
        {" \n ", 2, 2, "a value is expected"},
        {"[1,\n2,]", 2, 3, "a value is expected"},
        {"[1 2]", 1, 4, "',' or ']' is expected"},
        {"{\"a\":1 \"b\"}", 1, 8, "',' or '}' is expected"},
        {"{\"\xc3\xa9\" 1}", 1, 6, "':' is expected"},
        {"{a:1}", 1, 2, "a name in quotes is expected"},
        {"{\"a\":1,}", 1, 8, "a name in quotes is expected"},
        {"{\"a\":1,\"\\u0061\":2}", 1, 9, "a duplicate name"},
        {"1 2", 1, 3, "the text goes on behind its value"},
        {"tru", 1, 1, "a value is expected"},
        {"-", 1, 2, "a digit is expected"},
        {"1.", 1, 3, "a digit is expected"},
        {"1e+", 1, 4, "a digit is expected"},
        {"\"a", 1, 3, "a string does not end"},
        {"\"a\n\"", 1, 3, "a control character in a string is not escaped"},
        {"\"a\\x\"", 1, 3, "an escape that JSON has not"},
        {"\"\\u12\"", 1, 2, "\\u needs four hexadecimal digits"},
        {"\"\\ud800\"", 1, 2, "half a surrogate pair"},
        {"[\"a\\u0000\"]", 1, 3, "\\u0000 is not taken: strings of C end there"},
        {"{\"\\u0000\":1}", 1, 3, "\\u0000 is not taken: strings of C end there"},
        {"[9223372036854775808]", 1, 2, "a whole number has more than 64 bits"},
        {"[1e400]", 1, 2, "a number is too large, or too long"},
        {"[[[[[]]]]]", 1, 5, "nested deeper than is allowed"},
        {"[\"\xff\"]", 1, 3, "the text is not UTF-8"},
        {"\xef\xbb\xbf[]", 1, 1, "a value is expected"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct json_fault fault = {"", 0, 0};
        cr_expect_null(parse(rows[i].text, strlen(rows[i].text), 4, &fault));
        cr_assert_not_null(fault.reason);
        cr_expect_str_eq(fault.reason, rows[i].reason, "%s: %s", rows[i].text, fault.reason);
        cr_expect(fault.line == rows[i].line && fault.column == rows[i].column,
                  "%s: line %zu, column %zu", rows[i].text, fault.line, fault.column);
    }
}

Test(core_json_parse, a_nul_in_the_text_is_named)
{
    struct json_fault fault;
    cr_expect_null(parse("[27\0]", 5, 4, &fault));
    cr_expect_str_eq(fault.reason, "NUL is not JSON");
}

static json_t *jansson(const char *text, size_t len)
{
    return json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
}

static void compare(const char *text, size_t len)
{
    struct json_fault fault;
    json_t *ours = parse(text, len, JSON_SCAN_DEPTH, &fault), *theirs = jansson(text, len);
    cr_assert(!ours == !theirs && (!ours || json_equal(ours, theirs)), "%.*s", (int)len, text);
    json_decref(ours);
    json_decref(theirs);
}

static const char *const texts[] = {
    "[]",
    "{}",
    " [ 1 , -0, 0.5 , 1e5, -1.25E-3, 9223372036854775807, -9223372036854775808 ] ",
    "{\"a\":{\"b\":[true,false,null]},\"\":\"\",\"c\":[{},[],[[]]]}",
    ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20ac\\ud83d\\ude00 "
     "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""),
    "{\"\\u0061\\n\":\"\\\\\",\"b\":\"no escape\",\"\xc3\xa9\":1}",
    "[\"\\uDBFF\\uDFFF\",\"\\u07ff\\u0800\\uffff\",\"\\u007f\\u0080\"]",
    "12.5",
    "-0.25e+2",
    "{\"a\":1,\"b\":2,\"c\":3,\"d\":\"a\",\"e\":\"\\u0041\",\"f\":[1,[2,[3,[4]]]]}",
};
enum { TEXTS = sizeof texts / sizeof *texts };

Test(core_json_parse, is_what_jansson_makes_of_it)
{
    for (size_t i = 0; i < TEXTS; i++) {
        size_t len = strlen(texts[i]);
        json_t *whole = jansson(texts[i], len);
        cr_expect_not_null(whole, "%s", texts[i]);
        json_decref(whole);
        for (size_t n = 0; n <= len; n++)
            compare(texts[i], n);
    }
}

/* Texts with a few bytes changed, so that most are close to JSON. */
Test(core_json_parse, agrees_with_jansson_on_what_is_none)
{
    static const char bytes[] = "[]{}\":,\\u0eE+-.1 9n/\n\t\x80\xc3";
    unsigned seed = 1;
    char text[256];
    for (int round = 0; round < 100000; round++) {
        const char *from = texts[(unsigned)rand_r(&seed) % TEXTS];
        size_t len = strlen(from);
        memcpy(text, from, len);
        for (int changes = rand_r(&seed) % 4; changes >= 0; changes--) {
            size_t at = (unsigned)rand_r(&seed) % len;
            text[at] = bytes[(unsigned)rand_r(&seed) % (sizeof bytes - 1)];
        }
        compare(text, len);
    }
}

static void *parse_deep(void *arg)
{
    char text[2 * JSON_SCAN_DEPTH + 1];
    struct json_fault fault;
    (void)arg;
    memset(text, '[', JSON_SCAN_DEPTH);
    memset(text + JSON_SCAN_DEPTH, ']', JSON_SCAN_DEPTH);
    json_t *json = parse(text, sizeof text - 1, JSON_SCAN_DEPTH, &fault);
    bool there = json != NULL;
    svc__json_tree_free(json);
    bool refused = !parse(text, sizeof text - 1, JSON_SCAN_DEPTH - 1, &fault);
    return there && refused ? parse_deep : NULL;
}

Test(core_json_parse, depth_is_no_matter_of_the_stack)
{
    pthread_t thread;
    void *good;
    cr_assert_eq(svc__thread_start(&thread, 32768, parse_deep, NULL), 0);
    pthread_join(thread, &good);
    cr_expect_not_null(good);
}

/* Memory that is not there is told apart from bad syntax. */
Test(core_json_parse, a_scratch_buffer_that_is_full_is_no_fault_of_the_text)
{
    struct arena arena;
    struct buf scratch;
    struct json_fault fault = {"", 0, 0};
    svc__arena_init(&arena, NULL, SIZE_MAX);
    svc__buf_init(&scratch, 4);
    struct bytes text = svc__bytes_z("{\"name\":1}");
    cr_expect_null(svc__json_parse(text, 4, &arena, &scratch, &fault));
    cr_expect_null(fault.reason);
    svc__arena_reset(&arena);
    svc__buf_free(&scratch);
}

static size_t left; /* of jansson's allocations, before they fail */

static void *allocate(size_t size)
{
    return left > 0 && left-- ? malloc(size) : NULL;
}

Test(core_json_parse, memory_that_jansson_has_not_is_no_fault_of_the_text)
{
    static const char text[] =
        "{\"a\":[1,2.5,\"b\",{\"c\\n\":null}],\"d\":[[[]]],\"e\":\"\\u00e9\"}";
    bool whole = false;
    json_set_alloc_funcs(allocate, free);
    for (size_t n = 0; !whole && n < 1000; n++) {
        struct json_fault fault = {"", 0, 0};
        left = n;
        json_t *json = parse(text, sizeof text - 1, 8, &fault);
        whole = json != NULL;
        cr_expect(whole || !fault.reason, "allocation %zu: %s", n, fault.reason);
        svc__json_tree_free(json);
    }
    json_set_alloc_funcs(malloc, free);
    cr_expect(whole);
}
