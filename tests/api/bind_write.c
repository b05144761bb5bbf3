/* Structs written by the schemas that read them. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

enum state { OPEN = 1, DONE = 2, ENDED = 2 };

struct point {
    double x, y;
    const char *label;
};

struct tree {
    const char *name;
    struct tree *children;
    size_t child_count;
};

struct all {
    const char *text, *word, *never;
    int64_t whole, ranged;
    uint64_t natural;
    double real, share;
    bool flag;
    enum state state;
    struct point point, second;
    struct tree tree;
    json_t *raw;
    const char **tags, **few;
    size_t tag_count, few_count;
    int64_t *numbers;
    size_t number_count;
    uint64_t *naturals;
    size_t natural_count;
    double *reals;
    size_t real_count;
    bool *flags;
    size_t flag_count;
    enum state *states;
    size_t state_count;
    struct point *points;
    size_t point_count;
    svc_presence whole_is, point_is, tags_is;
};

static const svc_choice states[] = {{"open", OPEN}, {"done", DONE}, {"ended", ENDED}, {NULL, 0}};

static const svc_field point_fields[] = {
    SVC_FIELD_DOUBLE(struct point, x, .required = true),
    SVC_FIELD_DOUBLE(struct point, y, .fallback_double = 2.5),
    SVC_FIELD_TEXT(struct point, label, .max_length = 3),
    SVC_FIELD_END,
};

static const svc_field tree_fields[] = {
    SVC_FIELD_TEXT(struct tree, name, .required = true),
    SVC_FIELD_OBJECTS(struct tree, children, child_count, tree_fields),
    SVC_FIELD_END,
};

static const svc_field all_fields[] = {
    SVC_FIELD_TEXT(struct all, text, .name = "the text"),
    SVC_FIELD_TEXT(struct all, word, .nullable = true),
    SVC_FIELD_TEXT(struct all, never, .fallback_text = "never"),
    SVC_FIELD_INT64(struct all, whole, .nullable = true, SVC_FIELD_PRESENCE(struct all, whole_is)),
    SVC_FIELD_INT64(struct all, ranged, .min = 1, .max = 9),
    SVC_FIELD_UINT64(struct all, natural),
    SVC_FIELD_DOUBLE(struct all, real),
    SVC_FIELD_DOUBLE(struct all, share, .min_double = 0.25, .max_double = 1),
    SVC_FIELD_BOOL(struct all, flag),
    SVC_FIELD_ENUM(struct all, state, states),
    SVC_FIELD_OBJECT(struct all, point, point_fields, .nullable = true,
                     SVC_FIELD_PRESENCE(struct all, point_is)),
    SVC_FIELD_OBJECT(struct all, second, point_fields),
    SVC_FIELD_OBJECT(struct all, tree, tree_fields),
    SVC_FIELD_JSON(struct all, raw),
    SVC_FIELD_TEXTS(struct all, tags, tag_count, SVC_FIELD_PRESENCE(struct all, tags_is)),
    SVC_FIELD_TEXTS(struct all, few, few_count, .min_count = 1),
    SVC_FIELD_INT64S(struct all, numbers, number_count),
    SVC_FIELD_UINT64S(struct all, naturals, natural_count),
    SVC_FIELD_DOUBLES(struct all, reals, real_count),
    SVC_FIELD_BOOLS(struct all, flags, flag_count),
    SVC_FIELD_ENUMS(struct all, states, state_count, states),
    SVC_FIELD_OBJECTS(struct all, points, point_count, point_fields),
    SVC_FIELD_END,
};

/* ---- What a handler answers with */

static const svc_schema *schema;
static const void *value;
static int code; /* of the call */

static int answer(svc_request *req, svc_response *res)
{
    (void)req;
    return code = svc_response_bind(res, 201, schema, value);
}

static int answer_with_two(svc_request *req, svc_response *res)
{
    (void)req;
    svc_json_writer *w = svc_response_json_begin(res, 200);
    svc_json_open_object(w, NULL);
    svc_json_put_bound(w, "one", schema, value);
    svc_json_open_array(w, "more");
    svc_json_put_bound(w, NULL, schema, value);
    svc_json_close(w);
    svc_json_close(w);
    return code = svc_response_json_end(w);
}

/* Answers with what it has bound. */
static int echo(svc_request *req, svc_response *res)
{
    struct all all;
    if (!svc_request_bind(req, res, schema, &all))
        return 0;
    return svc_response_bind(res, 200, schema, &all);
}

static svc_app *make_app(const svc_field *fields, size_t size)
{
    svc_app *app = svc_app_new("bind");
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = config.metrics = config.request_id = 0;
    svc_app_configure(app, &config);
    svc_app_get(app, "/", answer, NULL);
    svc_app_get(app, "/two", answer_with_two, NULL);
    svc_app_post(app, "/", echo, NULL);
    schema = svc_schema_new(app, fields, size, 0);
    cr_assert(schema, "%s", svc_app_errors(app));
    return app;
}

/* What is answered with a value; "" for a failure, whose code is told. */
static void expect(svc_app *app, const char *target, const void *with, int error,
                   const char *document)
{
    value = with;
    svc_reply *reply = svc_app_test_get(app, target);
    cr_expect_eq(code, error, "%s", svc_error_text(code));
    cr_expect_eq(svc_reply_status(reply), error ? 500 : *target && target[1] ? 200 : 201);
    if (!error)
        cr_expect_str_eq(svc_reply_body(reply, NULL), document);
    svc_reply_free(reply);
}

/* ---- Values */

Test(bind_write, a_value_of_each_type_is_written)
{
    const char *tags[] = {"a", "\xc3\xa9 \"q\""}, *few[] = {"f"};
    int64_t numbers[] = {INT64_MIN, 7};
    uint64_t naturals[] = {UINT64_MAX};
    double reals[] = {0.1, -0.0};
    bool flags[] = {true, false};
    enum state of_states[] = {DONE, OPEN};
    struct point points[] = {{1, 2, NULL}, {3, 4, "p"}};
    struct tree leaves[] = {{"left", NULL, 0}, {"right", NULL, 0}};
    struct all all = {
        .text = "t",
        .word = "w",
        .never = "n",
        .whole = -1,
        .whole_is = SVC_PRESENT,
        .ranged = 99,
        .natural = 3,
        .real = 1e300,
        .share = 0.5,
        .flag = true,
        .state = ENDED,
        .point = {1, 2, "abcdef"},
        .point_is = SVC_PRESENT,
        .tree = {"root", leaves, 2},
        .raw = json_pack("[n, {}]"),
        .tags = tags,
        .tag_count = 2,
        .tags_is = SVC_PRESENT,
        .few = few,
        .few_count = 1,
        .numbers = numbers,
        .number_count = 2,
        .naturals = naturals,
        .natural_count = 1,
        .reals = reals,
        .real_count = 2,
        .flags = flags,
        .flag_count = 2,
        .states = of_states,
        .state_count = 2,
        .points = points,
        .point_count = 2,
    };
    svc_app *app = make_app(all_fields, sizeof(struct all));
    expect(app, "/", &all, 0,
           "{\"the text\":\"t\",\"word\":\"w\",\"never\":\"n\",\"whole\":-1,\"ranged\":99,"
           "\"natural\":3,\"real\":1e+300,\"share\":0.5,\"flag\":true,\"state\":\"done\","
           "\"point\":{\"x\":1,\"y\":2,\"label\":\"abcdef\"},\"second\":{\"x\":0,\"y\":0},"
           "\"tree\":{\"name\":\"root\",\"children\":[{\"name\":\"left\",\"children\":[]},"
           "{\"name\":\"right\",\"children\":[]}]},\"raw\":[null,{}],"
           "\"tags\":[\"a\",\"\xc3\xa9 \\\"q\\\"\"],\"few\":[\"f\"],"
           "\"numbers\":[-9223372036854775808,7],\"naturals\":[18446744073709551615],"
           "\"reals\":[0.1,-0],\"flags\":[true,false],\"states\":[\"done\",\"open\"],"
           "\"points\":[{\"x\":1,\"y\":2},{\"x\":3,\"y\":4,\"label\":\"p\"}]}");
    json_decref(all.raw);
    svc_app_free(app);
}

/* Arrays that may be empty, and numbers whose 0 is a value, are always there. */
#define OF_NOTHING                                                                                 \
    "\"natural\":0,\"real\":0,\"flag\":false,%s\"second\":{\"x\":0,\"y\":0},%s\"numbers\":[],"     \
    "\"naturals\":[],\"reals\":[],\"flags\":[],\"states\":[],\"points\":[]}"

Test(bind_write, what_is_nothing_is_left_out_or_null)
{
    struct all all = {.whole = 5};
    char expected[1024];
    svc_app *app = make_app(all_fields, sizeof(struct all));
    snprintf(expected, sizeof expected, "{\"word\":null," OF_NOTHING, "", "");
    expect(app, "/", &all, 0, expected);
    all.whole_is = all.point_is = SVC_NULL;
    all.tags_is = SVC_PRESENT;
    snprintf(expected, sizeof expected, "{\"word\":null,\"whole\":null," OF_NOTHING,
             "\"point\":null,", "\"tags\":[],");
    expect(app, "/", &all, 0, expected);
    svc_app_free(app);
}

Test(bind_write, values_stand_within_a_document)
{
    const struct point point = {1, 2, "p"};
    svc_app *app = make_app(point_fields, sizeof(struct point));
    expect(
        app, "/two", &point, 0,
        "{\"one\":{\"x\":1,\"y\":2,\"label\":\"p\"},\"more\":[{\"x\":1,\"y\":2,\"label\":\"p\"}]}");
    svc_app_free(app);
}

Test(bind_write, what_no_document_can_say_is_refused)
{
    const char *holed[] = {"a", NULL}, *bad[] = {"\xff"};
    enum state unknown[] = {OPEN, (enum state)3};
    struct tree nameless = {NULL, NULL, 0};
    const struct all refused[] = {
        {.state = (enum state)3},
        {.real = NAN},
        {.share = INFINITY},
        {.text = "\xff"},
        {.tags_is = SVC_NULL},
        {.whole_is = (svc_presence)9},
        {.few = NULL, .few_count = 2},
        {.few = holed, .few_count = 2},
        {.few = bad, .few_count = 1},
        {.states = unknown, .state_count = 2},
        {.tree = {"root", &nameless, 1}},
    };
    svc_app *app = make_app(all_fields, sizeof(struct all));
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        expect(app, "/", &refused[i], SVC_EINVAL, "");
    expect(app, "/", NULL, SVC_EINVAL, "");
    schema = NULL;
    expect(app, "/", &refused[0], SVC_EINVAL, "");
    cr_expect_eq(svc_response_bind(NULL, 200, schema, &refused[0]), SVC_ENOMEM);
    svc_app_free(app);
}

Test(bind_write, depth_and_size_have_ceilings)
{
    struct tree ring[2] = {{"a", ring, 2}, {"b", ring, 2}}; /* of 2^64 names, were there no end */
    struct tree wide[64], deep[31];
    svc_app *app = make_app(tree_fields, sizeof(struct tree));
    expect(app, "/", &ring[0], SVC_ETOOBIG, "");
    for (size_t i = 0; i < 64; i++) /* 4^16 of them, 32 levels deep */
        wide[i] = (struct tree){"a", &wide[i / 4 * 4 + 4], i < 60 ? 4 : 0};
    expect(app, "/", &wide[0], SVC_ETOOBIG, "");
    for (size_t i = 0; i < 31; i++) /* an object and an array each: 62 levels */
        deep[i] = (struct tree){"a", &deep[i + 1], i < 30};
    value = &deep[0];
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_eq(svc_reply_status(reply), 201, "%s", svc_error_text(code));
    svc_reply_free(reply);
    svc_app_free(app);
}

/* ---- What is written is read as it was */

static unsigned long state = 1;

static unsigned draw(unsigned below)
{
    state = state * 6364136223846793005UL + 1442695040888963407UL;
    return (unsigned)(state >> 33) % below;
}

static void add(json_t *object, const char *name, json_t *member)
{
    if (draw(3))
        json_object_set_new(object, name, member);
    else
        json_decref(member);
}

static json_t *some_text(void)
{
    static const char *const texts[] = {"", "a", "\xc3\xa9", "\"\\\n\x7f", "\xf0\x9f\x98\x80"};
    return json_string(texts[draw(5)]);
}

static json_t *some_number(void)
{
    static const json_int_t numbers[] = {0, 1, -1, INT64_MAX, INT64_MIN, 1234567890123};
    return json_integer(numbers[draw(6)]);
}

static json_t *some_natural(void)
{
    return json_integer(draw(2) ? (json_int_t)draw(1000) : INT64_MAX);
}

static json_t *some_real(void)
{
    static const double reals[] = {0, -0.5, 0.1, 1e300, 5e-324, -123.456, 9007199254740993.0};
    return json_real(reals[draw(7)]);
}

static json_t *some_bool(void)
{
    return json_boolean(draw(2));
}

static json_t *some_state(void)
{
    return json_string(draw(2) ? "open" : "done");
}

static json_t *some_point(void)
{
    json_t *point = json_pack("{s:o}", "x", some_real());
    add(point, "y", some_real());
    add(point, "label", json_string(draw(2) ? "" : "abc"));
    return point;
}

static json_t *some_of(json_t *(*make)(void), size_t least)
{
    json_t *array = json_array();
    for (size_t i = least + draw(4); i > 0; i--)
        json_array_append_new(array, make());
    return array;
}

static json_t *some_tree(unsigned depth)
{
    json_t *children = json_array();
    for (unsigned i = depth ? draw(3) : 0; i > 0; i--)
        json_array_append_new(children, some_tree(depth - 1));
    json_t *tree = json_pack("{s:o}", "name", some_text());
    add(tree, "children", children);
    return tree;
}

static json_t *some_document(void)
{
    json_t *all = json_object();
    add(all, "the text", some_text());
    add(all, "word", draw(2) ? json_null() : some_text());
    add(all, "never", some_text());
    add(all, "whole", draw(2) ? json_null() : some_number());
    add(all, "ranged", json_integer(1 + draw(9)));
    add(all, "natural", some_natural());
    add(all, "real", some_real());
    add(all, "share", json_real(draw(2) ? 0.25 : 1));
    add(all, "flag", some_bool());
    add(all, "state", some_state());
    add(all, "point", draw(2) ? json_null() : some_point());
    add(all, "second", some_point());
    add(all, "tree", some_tree(4));
    add(all, "raw", draw(2) ? some_of(some_point, 0) : some_text());
    add(all, "tags", some_of(some_text, 0));
    add(all, "few", some_of(some_text, 1));
    add(all, "numbers", some_of(some_number, 0));
    add(all, "naturals", some_of(some_natural, 0));
    add(all, "reals", some_of(some_real, 0));
    add(all, "flags", some_of(some_bool, 0));
    add(all, "states", some_of(some_state, 0));
    add(all, "points", some_of(some_point, 0));
    return all;
}

/* Whether all that `said` says is in `told` too, which may say more: what is there by default. */
static bool covers(const json_t *told, const json_t *said)
{
    const char *name;
    json_t *member;
    if (json_is_number(said))
        return json_is_number(told) && json_number_value(told) == json_number_value(said);
    if (json_is_array(said)) {
        bool same = json_is_array(told) && json_array_size(told) == json_array_size(said);
        for (size_t i = 0; same && i < json_array_size(said); i++)
            same = covers(json_array_get(told, i), json_array_get(said, i));
        return same;
    }
    if (!json_is_object(said))
        return json_equal(told, said);
    json_object_foreach((json_t *)(uintptr_t)said, name,
                        member) if (!covers(json_object_get(told, name), member)) return false;
    return json_is_object(told);
}

static svc_reply *send(svc_app *app, const char *document)
{
    svc_reply *reply = svc_app_test_json(app, "POST", "/", document);
    cr_assert_eq(svc_reply_status(reply), 200, "%s: %s", document, svc_reply_body(reply, NULL));
    return reply;
}

Test(bind_write, what_is_bound_is_written_as_it_was_said)
{
    svc_app *app = make_app(all_fields, sizeof(struct all));
    for (int i = 0; i < 2000; i++) {
        json_t *document = some_document();
        char *text = json_dumps(document, JSON_REAL_PRECISION(17));
        svc_reply *first = send(app, text);
        svc_reply *second = send(app, svc_reply_body(first, NULL));
        json_t *told = json_loads(svc_reply_body(first, NULL), 0, NULL);
        cr_assert(covers(told, document), "%s became %s", text, svc_reply_body(first, NULL));
        cr_assert_str_eq(svc_reply_body(second, NULL), svc_reply_body(first, NULL));
        json_decref(told);
        svc_reply_free(first);
        svc_reply_free(second);
        free(text);
        json_decref(document);
    }
    svc_app_free(app);
}
