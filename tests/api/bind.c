/* Binding: each rule of a field, by JSON, query, form and path. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* ---- A struct with a field of each type */

enum state { OPEN = 1, DONE = 2, LOST = 7 };

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
    const char *text, *word, *code;
    int64_t whole, ranged;
    uint64_t natural, small;
    double real, share;
    bool flag, on;
    enum state state, fallen;
    struct point point;
    struct tree tree;
    json_t *raw;
    const char **tags;
    size_t tag_count;
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

static const svc_choice states[] = {{"open", OPEN}, {"done", DONE}, {"lost", LOST}, {NULL, 0}};

static const svc_field point_fields[] = {
    SVC_FIELD_DOUBLE(struct point, x, .required = true),
    SVC_FIELD_DOUBLE(struct point, y, .fallback_double = 2.5),
    SVC_FIELD_TEXT(struct point, label, .max_length = 3),
    SVC_FIELD_END,
};

static const svc_field tree_fields[] = {
    SVC_FIELD_TEXT(struct tree, name, .required = true),
    SVC_FIELD_OBJECTS(struct tree, children, child_count, tree_fields, .max_count = 2),
    SVC_FIELD_END,
};

/* What no text can fill is behind the first that a query may have. */
#define FLAT_FIELDS                                                                                \
    SVC_FIELD_TEXT(struct all, text), SVC_FIELD_TEXT(struct all, word, .min_length = 2),           \
        SVC_FIELD_TEXT(struct all, code, .max_length = 8, .pattern = "^[a-z]+$",                   \
                       .name = "the-code"),                                                        \
        SVC_FIELD_INT64(struct all, whole, SVC_FIELD_PRESENCE(struct all, whole_is),               \
                        .nullable = true),                                                         \
        SVC_FIELD_INT64(struct all, ranged, .min = -2, .max = 100, .fallback = 20),                \
        SVC_FIELD_UINT64(struct all, natural),                                                     \
        SVC_FIELD_UINT64(struct all, small, .min = 1, .max = 9),                                   \
        SVC_FIELD_DOUBLE(struct all, real),                                                        \
        SVC_FIELD_DOUBLE(struct all, share, .min_double = -0.5, .max_double = 1),                  \
        SVC_FIELD_BOOL(struct all, flag), SVC_FIELD_BOOL(struct all, on, .fallback = true),        \
        SVC_FIELD_ENUM(struct all, state, states),                                                 \
        SVC_FIELD_ENUM(struct all, fallen, states, .fallback = LOST),                              \
        SVC_FIELD_TEXTS(struct all, tags, tag_count, .min_count = 1, .max_count = 3,               \
                        .max_length = 2, SVC_FIELD_PRESENCE(struct all, tags_is)),                 \
        SVC_FIELD_INT64S(struct all, numbers, number_count, .min = 0, .max = 9),                   \
        SVC_FIELD_UINT64S(struct all, naturals, natural_count),                                    \
        SVC_FIELD_DOUBLES(struct all, reals, real_count),                                          \
        SVC_FIELD_BOOLS(struct all, flags, flag_count),                                            \
        SVC_FIELD_ENUMS(struct all, states, state_count, states)

static const svc_field flat_fields[] = {FLAT_FIELDS, SVC_FIELD_END};

static const svc_field all_fields[] = {
    FLAT_FIELDS,
    SVC_FIELD_OBJECT(struct all, point, point_fields, .nullable = true,
                     SVC_FIELD_PRESENCE(struct all, point_is)),
    SVC_FIELD_OBJECT(struct all, tree, tree_fields),
    SVC_FIELD_JSON(struct all, raw),
    SVC_FIELD_OBJECTS(struct all, points, point_count, point_fields),
    SVC_FIELD_END,
};

struct must {
    const char *a;
    int64_t b;
    struct point c;
    const char **d;
    size_t d_count;
};

static const svc_field must_fields[] = {
    SVC_FIELD_TEXT(struct must, a, .required = true),
    SVC_FIELD_INT64(struct must, b, .required = true, .nullable = true),
    SVC_FIELD_TEXTS(struct must, d, d_count, .required = true),
    SVC_FIELD_END,
};

/* ---- Asking */

/* One schema, and what a test does with a struct that was bound by it. */
static const svc_schema *schema;
static void (*look)(const void *bound);

typedef bool bind_call(svc_request *req, svc_response *res, const svc_schema *given, void *out);

static int bind_by(bind_call *call, svc_request *req, svc_response *res)
{
    union {
        struct all all;
        struct must must;
        char bytes[2048];
    } out;
    memset(&out, 0x5a, sizeof out);
    if (!call(req, res, schema, &out)) {
        for (size_t i = 0; i < sizeof out.bytes; i++)
            cr_assert_eq(out.bytes[i], 0x5a, "written without success");
        return 0;
    }
    if (look)
        look(&out);
    return svc_response_text(res, 200, "bound");
}

static int bind_body(svc_request *req, svc_response *res)
{
    return bind_by(svc_request_bind, req, res);
}

static int bind_query(svc_request *req, svc_response *res)
{
    return bind_by(svc_request_bind_query, req, res);
}

static int bind_path(svc_request *req, svc_response *res)
{
    return bind_by(svc_request_bind_path, req, res);
}

static svc_app *make_app(const svc_field *fields, size_t size, unsigned flags)
{
    svc_app *app = svc_app_new("bind");
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = config.metrics = config.request_id = 0;
    svc_app_configure(app, &config);
    svc_app_post(app, "/body", bind_body, NULL);
    svc_app_get(app, "/query", bind_query, NULL);
    svc_app_get(app, "/path/{whole}/{text}/{other}", bind_path, NULL);
    schema = svc_schema_new(app, fields, size, flags);
    cr_assert(schema, "%s", svc_app_errors(app));
    return app;
}

static svc_reply *ask(svc_app *app, const char *target, const char *type, const char *accept,
                      const char *body)
{
    const char *const headers[] = {"Accept", accept, type ? "Content-Type" : NULL, type, NULL};
    svc_test test = SVC_TEST_INIT;
    test.method = body ? "POST" : "GET";
    test.target = target;
    test.headers = headers;
    test.body = body;
    test.body_len = body ? strlen(body) : 0;
    svc_reply *reply = svc_app_test(app, &test);
    cr_assert(reply, "%s", svc_app_errors(app));
    return reply;
}

/* The lines of a 422 in plain text behind its first; "" when it was bound. */
static void expect(svc_app *app, const char *target, const char *type, const char *body,
                   const char *lines)
{
    svc_reply *reply = ask(app, target, type, "text/plain", body);
    const char *told = svc_reply_body(reply, NULL), *end = strchr(told, '\n');
    const char *what = body ? body : target;
    cr_expect_eq(svc_reply_status(reply), *lines ? 422 : 200, "%s: %d %s", what,
                 svc_reply_status(reply), told);
    cr_expect_str_eq(end ? end + 1 : "", lines, "%s: %s", what, told);
    svc_reply_free(reply);
}

static void expect_json(svc_app *app, const char *body, const char *lines)
{
    expect(app, "/body", "application/json", body, lines);
}

static void expect_status(svc_app *app, const char *target, const char *type, const char *body,
                          int status, const char *told)
{
    svc_reply *reply = ask(app, target, type, "application/json", body);
    cr_expect_eq(svc_reply_status(reply), status, "%s: %d", body ? body : target,
                 svc_reply_status(reply));
    cr_expect(strstr(svc_reply_body(reply, NULL), told), "%s", svc_reply_body(reply, NULL));
    svc_reply_free(reply);
}

/* ---- Values */

static void look_at_values(const void *bound)
{
    const struct all *all = bound;
    cr_expect_str_eq(all->text, "h\xc3\xa9llo");
    cr_expect_null(all->word);
    cr_expect_str_eq(all->code, "abc");
    cr_expect_eq(all->whole, INT64_MIN);
    cr_expect_eq(all->whole_is, SVC_PRESENT);
    cr_expect_eq(all->ranged, 20, "the default");
    cr_expect_eq(all->natural, INT64_MAX);
    cr_expect_eq(all->small, 9);
    cr_expect_eq(all->real, 1e300);
    cr_expect_eq(all->share, -0.5);
    cr_expect(all->flag && !all->on);
    cr_expect_eq(all->state, DONE);
    cr_expect_eq(all->fallen, LOST, "the default");
    cr_expect_eq(all->tag_count, 2);
    cr_expect_str_eq(all->tags[0], "a");
    cr_expect_str_eq(all->tags[1], "\xc3\xa9\xc3\xa9");
    cr_expect_eq(all->number_count, 3);
    cr_expect_eq(all->numbers[0] + all->numbers[1] * 10 + all->numbers[2] * 100, 921);
    cr_expect_eq(all->natural_count, 1);
    cr_expect_eq(all->naturals[0], 7);
    cr_expect_eq(all->reals[1], -0.125);
    cr_expect(all->flags[0] && !all->flags[1] && all->flag_count == 2);
    cr_expect_eq(all->states[1], OPEN);
}

static void look_at_all(const void *bound)
{
    const struct all *all = bound;
    look_at_values(bound);
    cr_expect_eq(all->point.x, 1);
    cr_expect_eq(all->point.y, 2.5, "the default");
    cr_expect_null(all->point.label);
    cr_expect_eq(all->point_is, SVC_PRESENT);
    cr_expect_str_eq(all->tree.name, "root");
    cr_expect_eq(all->tree.child_count, 2);
    cr_expect_str_eq(all->tree.children[1].name, "right");
    cr_expect_str_eq(all->tree.children[0].children[0].name, "leaf");
    cr_expect_eq(all->tree.children[1].child_count, 0);
    cr_expect_eq(json_array_size(all->raw), 2);
    cr_expect_eq(all->point_count, 2);
    cr_expect_eq(all->points[0].y, 4);
    cr_expect_eq(all->points[1].y, 2.5);
    cr_expect_str_eq(all->points[1].label, "ab");
}

static const char everything[] =
    "{\"text\": \"h\xc3\xa9llo\", \"the-code\": \"abc\", \"whole\": -9223372036854775808,"
    " \"natural\": 9223372036854775807, \"small\": 9.0, \"real\": 1e300, \"share\": -0.5,"
    " \"flag\": true, \"on\": false, \"state\": \"done\", \"tags\": [\"a\", \"\xc3\xa9\xc3\xa9\"],"
    " \"numbers\": [1, 2, 9], \"naturals\": [7], \"reals\": [1, -0.125], \"flags\": [true, false],"
    " \"states\": [\"lost\", \"open\"], \"point\": {\"x\": 1}, \"raw\": [null, {}],"
    " \"tree\": {\"name\": \"root\", \"children\": [{\"children\": [{\"name\": \"leaf\"}],"
    " \"name\": \"left\"}, {\"name\": \"right\"}]},"
    " \"points\": [{\"x\": 3, \"y\": 4}, {\"label\": \"ab\", \"x\": 0}]}";

Test(bind, a_document_fills_the_struct)
{
    svc_app *app = make_app(all_fields, sizeof(struct all), 0);
    look = look_at_all;
    expect_json(app, everything, "");
    svc_app_free(app);
}

static const char everything_as_text[] =
    "text=h%C3%A9llo&the-code=abc&whole=-9223372036854775808&natural=9223372036854775807&small=009"
    "&real=1e300&share=-0.5&flag=true&on=false&state=done&tags=a&numbers=1&tags=%c3%a9%c3%a9"
    "&numbers=2&numbers=9&naturals=7&reals=1&reals=-0.125&flags=true&flags=false&states=lost"
    "&states=open";

Test(bind, a_query_and_a_form_fill_the_same_struct)
{
    svc_app *app = make_app(flat_fields, sizeof(struct all), SVC_SCHEMA_FORM);
    char target[1024];
    look = look_at_values;
    snprintf(target, sizeof target, "/query?%s", everything_as_text);
    expect(app, target, NULL, NULL, "");
    expect(app, "/body", "application/x-www-form-urlencoded", everything_as_text, "");
    svc_app_free(app);
}

static void look_at_nothing(const void *bound)
{
    const struct all *all = bound;
    cr_expect_null(all->text);
    cr_expect_eq(all->whole, 0);
    cr_expect_eq(all->whole_is, SVC_ABSENT);
    cr_expect_eq(all->tags_is, SVC_ABSENT);
    cr_expect_eq(all->point_is, SVC_ABSENT);
    cr_expect_eq(all->ranged, 20);
    cr_expect(!all->flag && all->on);
    cr_expect_eq(all->state, 0);
    cr_expect_eq(all->fallen, LOST);
    cr_expect_null(all->tags);
    cr_expect_eq(all->tag_count, 0);
    cr_expect_eq(all->point.y, 2.5, "also in a struct that is absent");
    cr_expect_null(all->raw);
}

Test(bind, absent_members_are_their_defaults)
{
    svc_app *app = make_app(all_fields, sizeof(struct all), 0);
    look = look_at_nothing;
    expect_json(app, "{}", "");
    svc_app_free(app);
    app = make_app(flat_fields, sizeof(struct all), SVC_SCHEMA_FORM);
    look = NULL;
    expect(app, "/query", NULL, NULL, "");
    expect(app, "/query?", NULL, NULL, "");
    expect(app, "/query?&&", NULL, NULL, "");
    expect(app, "/body", "application/x-www-form-urlencoded", "", "");
    svc_app_free(app);
}

static void look_at_null(const void *bound)
{
    const struct all *all = bound;
    cr_expect_eq(all->whole_is, SVC_NULL);
    cr_expect_eq(all->whole, 0);
}

Test(bind, null_is_as_if_absent_where_it_may_be)
{
    svc_app *app = make_app(all_fields, sizeof(struct all), 0);
    look = look_at_null;
    expect_json(app, "{\"whole\": null, \"point\": null}", "");
    svc_app_free(app);
    app = make_app(flat_fields, sizeof(struct all), 0);
    expect(app, "/query?whole=", NULL, NULL, "");
    expect(app, "/query?whole", NULL, NULL, "");
    svc_app_free(app);
    app = make_app(must_fields, sizeof(struct must), 0);
    look = NULL;
    expect_json(app, "{\"a\": \"\", \"b\": null, \"d\": []}", "");
    svc_app_free(app);
}

/* ---- Rules */

struct row {
    const char *sent, *lines;
};

Test(bind, each_rule_of_a_document_is_told_of)
{
    static const char whole[] = "#/whole: must be a whole number from -9223372036854775808 to "
                                "9223372036854775807\n",
                      natural[] = "#/natural: must be a whole number from 0 to "
                                  "18446744073709551615\n",
                      ranged[] = "#/ranged: must be a whole number from -2 to 100\n",
                      share[] = "#/share: must be a number from -0.5 to 1\n",
                      state[] = "#/state: must be one of open, done, lost\n",
                      code[] = "#/the-code: must match ^[a-z]+$\n",
                      tags[] = "#/tags: must have 1 to 3 elements\n";
    static const struct row rows[] = {
        {"[]", "#: must be an object\n"},
        {"1", "#: must be an object\n"},
        {"null", "#: must be an object\n"},
        {"{\"text\": 1}", "#/text: must be a text\n"},
        {"{\"text\": null}", "#/text: must not be null\n"},
        {"{\"text\": \"\"}", ""},
        {"{\"word\": \"a\"}", "#/word: must have at least 2 characters\n"},
        {"{\"word\": \"\xc3\xa9\"}", "#/word: must have at least 2 characters\n"},
        {"{\"word\": \"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\"}", ""},
        {"{\"the-code\": \"abcdefghi\"}", "#/the-code: must have at most 8 characters\n"},
        {"{\"the-code\": \"abcdefgh\"}", ""},
        {"{\"the-code\": \"aBc\"}", code},
        {"{\"the-code\": \"\"}", code},
        {"{\"code\": \"abc\"}", "#/code: is not known\n"},
        {"{\"whole\": \"1\"}", whole},
        {"{\"whole\": 1.5}", whole},
        {"{\"whole\": 9007199254740992.0}", ""},
        {"{\"whole\": 1e16}", whole},
        {"{\"whole\": -9223372036854775808}", ""},
        {"{\"natural\": -1}", natural},
        {"{\"natural\": true}", natural},
        {"{\"small\": 0}", "#/small: must be a whole number from 1 to 9\n"},
        {"{\"small\": 10}", "#/small: must be a whole number from 1 to 9\n"},
        {"{\"ranged\": -3}", ranged},
        {"{\"ranged\": -2}", ""},
        {"{\"ranged\": 101}", ranged},
        {"{\"ranged\": 100.0}", ""},
        {"{\"ranged\": null}", "#/ranged: must not be null\n"},
        {"{\"real\": \"1\"}", "#/real: must be a number\n"},
        {"{\"share\": -0.6}", share},
        {"{\"share\": 2}", share},
        {"{\"share\": 1}", ""},
        {"{\"flag\": 0}", "#/flag: must be true or false\n"},
        {"{\"state\": \"OPEN\"}", state},
        {"{\"state\": 1}", state},
        {"{\"tags\": \"a\"}", "#/tags: must be an array\n"},
        {"{\"tags\": []}", tags},
        {"{\"tags\": [\"a\", \"b\", \"c\", \"d\"]}", tags},
        {"{\"tags\": [\"a\", 1, \"abc\"]}",
         "#/tags/1: must be a text\n#/tags/2: must have at most 2 characters\n"},
        {"{\"tags\": [null]}", "#/tags/0: must not be null\n"},
        {"{\"tags\": null}", "#/tags: must not be null\n"},
        {"{\"numbers\": [1, 10]}", "#/numbers/1: must be a whole number from 0 to 9\n"},
        {"{\"numbers\": []}", ""},
        {"{\"states\": [\"open\", \"none\"]}", "#/states/1: must be one of open, done, lost\n"},
        {"{\"point\": []}", "#/point: must be an object\n"},
        {"{\"point\": {}}", "#/point/x: is required\n"},
        {"{\"point\": {\"x\": 1, \"label\": \"abcd\"}}",
         "#/point/label: must have at most 3 characters\n"},
        {"{\"points\": [{\"x\": 1}, {}, 3]}",
         "#/points/1/x: is required\n#/points/2: must be an object\n"},
        {"{\"tree\": {\"name\": \"a\", \"children\": [{\"name\": \"b\", \"children\": [{}]}]}}",
         "#/tree/children/0/children/0/name: is required\n"},
        {"{\"raw\": null}", "#/raw: must not be null\n"},
        {"{\"a\": 1, \"text\": 1, \"b\": 1}",
         "#/a: is not known\n#/text: must be a text\n#/b: is not known\n"},
    };
    svc_app *app = make_app(all_fields, sizeof(struct all), 0);
    for (size_t i = 0; i < ROWS(rows); i++)
        expect_json(app, rows[i].sent, rows[i].lines);
    svc_app_free(app);
}

Test(bind, each_rule_of_a_query_is_told_of)
{
    static const struct row rows[] = {
        {"/query?word=a", "word: must have at least 2 characters\n"},
        {"/query?the-code=A", "the-code: must match ^[a-z]+$\n"},
        {"/query?natural=18446744073709551615", ""},
        {"/query?natural=18446744073709551616",
         "natural: must be a whole number from 0 to 18446744073709551615\n"},
        {"/query?natural=-0", "natural: must be a whole number from 0 to 18446744073709551615\n"},
        {"/query?small=10", "small: must be a whole number from 1 to 9\n"},
        {"/query?ranged=101", "ranged: must be a whole number from -2 to 100\n"},
        {"/query?ranged=", "ranged: must be a whole number from -2 to 100\n"},
        {"/query?ranged=1.0", "ranged: must be a whole number from -2 to 100\n"},
        {"/query?ranged=%201", "ranged: must be a whole number from -2 to 100\n"},
        {"/query?ranged=+1", "ranged: must be a whole number from -2 to 100\n"},
        {"/query?ranged=-2", ""},
        {"/query?real=1e999", "real: must be a number\n"},
        {"/query?real=0x10", "real: must be a number\n"},
        {"/query?real=nan", "real: must be a number\n"},
        {"/query?real=.5", "real: must be a number\n"},
        {"/query?real=-12.5E%2B2", ""},
        {"/query?share=1.01", "share: must be a number from -0.5 to 1\n"},
        {"/query?flag=1", "flag: must be true or false\n"},
        {"/query?flag", "flag: must be true or false\n"},
        {"/query?state=none", "state: must be one of open, done, lost\n"},
        {"/query?text=a&text=b", "text: must be there once\n"},
        {"/query?ranged=1&ranged=500&ranged=2", "ranged: must be there once\n"},
        {"/query?tags=a&tags=b&tags=c&tags=d", "tags: must have 1 to 3 elements\n"},
        {"/query?tags=a&text=x&tags=bcd&tags=cde",
         "tags: must have at most 2 characters\ntags: must have at most 2 characters\n"},
        {"/query?x=1&ranged=x&x=2",
         "x: is not known\nranged: must be a whole number from -2 to 100\nx: is not known\n"},
    };
    svc_app *app = make_app(flat_fields, sizeof(struct all), 0);
    for (size_t i = 0; i < ROWS(rows); i++)
        expect(app, rows[i].sent, NULL, NULL, rows[i].lines);
    svc_app_free(app);
}

Test(bind, everything_that_is_missing_is_told_of_at_the_end)
{
    svc_app *app = make_app(must_fields, sizeof(struct must), 0);
    expect_json(app, "{}", "#/a: is required\n#/b: is required\n#/d: is required\n");
    expect_json(app, "{\"b\": 1, \"x\": 1}",
                "#/x: is not known\n#/a: is required\n#/d: is required\n");
    expect(app, "/query?b=x", NULL, NULL,
           "b: must be a whole number from -9223372036854775808 to 9223372036854775807\n"
           "a: is required\nd: is required\n");
    svc_app_free(app);
}

Test(bind, a_lenient_schema_ignores_what_is_not_known)
{
    svc_app *app = make_app(must_fields, sizeof(struct must), SVC_SCHEMA_LENIENT);
    expect_json(app, "{\"a\": \"\", \"x\": 1, \"b\": 1, \"d\": [], \"y\": {}}", "");
    expect(app, "/query?a&x=1&b=1&d=1&x=2", NULL, NULL, "");
    svc_app_free(app);
}

/* ---- The reply */

Test(bind, violations_are_problem_details_with_pointers)
{
    svc_app *app = make_app(all_fields, sizeof(struct all), 0);
    svc_reply *reply = ask(app, "/body", "application/json", "application/json",
                           "{\"a/b~c d%\xc3\xa9\\\"\": 1, \"tags\": [3], \"\": 2}");
    cr_expect_eq(svc_reply_status(reply), 422);
    cr_expect_str_eq(svc_reply_header(reply, "Content-Type"), "application/problem+json");
    cr_expect_str_eq(
        svc_reply_body(reply, NULL),
        "{\"title\":\"Unprocessable Content\",\"status\":422,\"detail\":\"3 values break a rule\","
        "\"errors\":[{\"detail\":\"is not known\",\"pointer\":\"#/a~1b~0c%20d%25%C3%A9%22\"},"
        "{\"detail\":\"must be a text\",\"pointer\":\"#/tags/0\"},"
        "{\"detail\":\"is not known\",\"pointer\":\"#/\"}]}\n");
    svc_reply_free(reply);
    reply = ask(app, "/body", "application/json", "text/plain", "3");
    cr_expect_str_eq(svc_reply_header(reply, "Content-Type"), "text/plain; charset=utf-8");
    cr_expect_str_eq(svc_reply_body(reply, NULL),
                     "Unprocessable Content: 1 value breaks a rule\n#: must be an object\n");
    svc_reply_free(reply);
    svc_app_free(app);
    app = make_app(flat_fields, sizeof(struct all), 0);
    expect_status(app, "/query?a%22b=1", NULL, NULL, 422,
                  "\"errors\":[{\"detail\":\"is not known\",\"parameter\":\"a\\\"b\"}]}");
    svc_app_free(app);
}

Test(bind, at_most_a_hundred_violations_are_listed)
{
    svc_app *app = make_app(all_fields, sizeof(struct all), 0);
    char body[8192] = "{\"x\": 1, \"numbers\": [10";
    size_t len = strlen(body);
    for (int i = 1; i < 250; i++)
        len += (size_t)snprintf(body + len, sizeof body - len, ",10");
    snprintf(body + len, sizeof body - len, "]}");
    svc_reply *reply = ask(app, "/body", "application/json", "application/json", body);
    json_t *json = json_loads(svc_reply_body(reply, NULL), 0, NULL);
    cr_assert(json);
    json_t *errors = json_object_get(json, "errors");
    cr_expect_eq(json_array_size(errors), 100);
    cr_expect_str_eq(json_string_value(json_object_get(json, "detail")),
                     "251 values break a rule; the first 100 are listed");
    cr_expect_str_eq(json_string_value(json_object_get(json_array_get(errors, 99), "pointer")),
                     "#/numbers/98");
    json_decref(json);
    svc_reply_free(reply);
    svc_app_free(app);
}

/* Deep down, names of which each byte needs three in a pointer: 100 of them would be told
 * otherwise.
 */
Test(bind, what_is_listed_has_a_ceiling_in_bytes_too)
{
    enum { DEPTH = 30, NAMES = 100 };
    char body[1 << 16] = "{\"tree\": {\"name\": \"\"", name[127] = "";
    size_t len = strlen(body), reply_len;
    memset(name, ' ', 126);
    for (int i = 0; i < DEPTH; i++)
        len += (size_t)sprintf(body + len, ", \"children\": [{\"name\": \"\"");
    for (int i = 0; i < NAMES; i++)
        len += (size_t)sprintf(body + len, ", \"%02d%s\": 1", i, name);
    for (int i = 0; i < DEPTH; i++)
        len += (size_t)sprintf(body + len, "}]");
    strcpy(body + len, "}}");
    svc_app *app = make_app(all_fields, sizeof(struct all), 0);
    svc_reply *reply = ask(app, "/body", "application/json", "text/plain", body);
    const char *told = svc_reply_body(reply, &reply_len);
    cr_expect(strstr(told, ": 100 values break a rule; the first "), "%.200s", told);
    cr_expect_lt(reply_len, 65536 + NAMES * sizeof ": is not known");
    cr_expect_gt(reply_len, 32768);
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(bind, names_that_no_schema_has_are_not_repeated)
{
    svc_app *app = make_app(all_fields, sizeof(struct all), 0);
    char name[400] = "", text[1024];
    memset(name, 'n', 129);
    snprintf(text, sizeof text, "{\"point\": {\"x\": 1, \"%s\": 1}}", name);
    expect_json(app, text, "#/point: has a member that is not known, of a name over 128 bytes\n");
    name[128] = '\0';
    snprintf(text, sizeof text, "{\"%s\": 1}", name);
    char lines[512];
    snprintf(lines, sizeof lines, "#/%s: is not known\n", name);
    expect_json(app, text, lines);
    svc_app_free(app);
    app = make_app(flat_fields, sizeof(struct all), 0);
    memset(name, 'n', 300);
    snprintf(text, sizeof text, "/query?%s=1", name);
    name[128] = '\0';
    snprintf(lines, sizeof lines, "%s\xe2\x80\xa6: is not known\n", name);
    expect(app, text, NULL, NULL, lines);
    svc_app_free(app);
}

static int add_violations(svc_request *req, svc_response *res)
{
    static const svc_violation list[] = {{"#/end", NULL, "must be after start"},
                                         {NULL, "page", "has no page before it"},
                                         {NULL, NULL, "is too much"}};
    static const svc_violation bad[] = {{"#/end", NULL, NULL}};
    (void)req;
    cr_expect_eq(svc_response_violations(res, list, 0), SVC_EINVAL);
    cr_expect_eq(svc_response_violations(res, NULL, 1), SVC_EINVAL);
    cr_expect_eq(svc_response_violations(res, bad, 1), SVC_EINVAL);
    cr_expect_eq(svc_response_status(res), 0);
    return svc_response_violations(res, list, ROWS(list));
}

Test(bind, a_handler_adds_violations_of_its_own)
{
    svc_app *app = svc_app_new("bind");
    svc_app_get(app, "/", add_violations, NULL);
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_str_eq(svc_reply_body(reply, NULL),
                     "{\"title\":\"Unprocessable Content\",\"status\":422,\"detail\":\"3 values "
                     "break a rule\",\"errors\":[{\"detail\":\"must be after start\",\"pointer\":"
                     "\"#/end\"},{\"detail\":\"has no page before it\",\"parameter\":\"page\"},"
                     "{\"detail\":\"is too much\"}]}\n");
    svc_reply_free(reply);
    svc_app_free(app);
}

/* ---- What is no matter of rules */

Test(bind, bad_syntax_and_other_types_are_answered_as_ever)
{
    static const char form[] = "application/x-www-form-urlencoded", json[] = "application/json";
    svc_app *app = make_app(all_fields, sizeof(struct all), 0);
    expect_status(app, "/body", json, "{\"text\": }", 400, "line 1");
    expect_status(app, "/body", json, "{\"text\": \"a\\u0000b\"}", 400, "\\\\u0000");
    expect_status(app, "/body", json, "{\"text\": \"\", \"text\": \"\"}", 400, "duplicate");
    expect_status(app, "/body", json, "", 400, "empty");
    expect_status(app, "/body", form, "text=a", 415, "must be JSON,");
    expect_status(app, "/query?text=a", NULL, NULL, 500, "");
    svc_app_free(app);
    app = make_app(flat_fields, sizeof(struct all), SVC_SCHEMA_FORM);
    expect_status(app, "/body", json, "{\"text\": 1}", 422, "#/text");
    expect_status(app, "/body", json, "{", 400, "line 1");
    expect_status(app, "/body", form, "text=%4", 400, "hexadecimal");
    expect_status(app, "/body", form, "text=%ff", 400, "UTF-8");
    expect_status(app, "/body", form, "text=a%00b", 400, "NUL");
    expect_status(app, "/body", form, "flag=yes", 422, "\"parameter\":\"flag\"");
    expect_status(app, "/body", "application/x-www-form-urlencoded;charset=utf-8", "text=a", 200,
                  "bound");
    expect_status(app, "/body", "text/plain", "text=a", 415, "JSON or a form");
    expect_status(app, "/body", NULL, "text=a", 415, "JSON or a form");
    svc_app_free(app);
}

Test(bind, a_form_has_a_ceiling_of_parameters)
{
    enum { MOST = 10000 };
    svc_app *app = make_app(flat_fields, sizeof(struct all), SVC_SCHEMA_FORM);
    char *body = calloc(1, 2 * MOST + 3);
    for (size_t i = 0; i <= MOST; i++)
        memcpy(body + 2 * i, "a&", 2);
    expect_status(app, "/body", "application/x-www-form-urlencoded", body, 413, "10000 fields");
    body[2 * MOST] = '\0';
    expect_status(app, "/body", "application/x-www-form-urlencoded", body, 422, "10000 values");
    free(body);
    svc_app_free(app);
}

/* The elements of an array take what is left of a request's memory, and more. */
Test(bind, a_document_that_needs_too_much_memory_is_refused)
{
    struct wide {
        char room[60000];
        int64_t n;
    };
    struct list {
        struct wide *items;
        size_t count;
    };
    static const svc_field wide_fields[] = {SVC_FIELD_INT64(struct wide, n), SVC_FIELD_END};
    static const svc_field list_fields[] = {
        SVC_FIELD_OBJECTS(struct list, items, count, wide_fields), SVC_FIELD_END};
    char body[1024] = "{\"items\": [{}";
    for (int i = 0; i < 100; i++)
        strcat(body, ",{}");
    strcat(body, "]}");
    svc_app *app = make_app(list_fields, sizeof(struct list), 0);
    expect_status(app, "/body", "application/json", body, 503, "memory");
    svc_app_free(app);
}

static void look_at_path(const void *bound)
{
    const struct all *all = bound;
    cr_expect_eq(all->whole, 12);
    cr_expect_str_eq(all->text, "a/b");
}

Test(bind, wildcards_of_a_path_are_found_or_there_is_no_such_resource)
{
    svc_app *app = make_app(flat_fields, sizeof(struct all), 0);
    look = look_at_path;
    expect_status(app, "/path/12/a%2Fb/c", NULL, NULL, 200, "bound");
    expect_status(app, "/path/x/a/c", NULL, NULL, 404, "Not Found");
    expect_status(app, "/path/99999999999999999999/a/c", NULL, NULL, 404, "Not Found");
    svc_app_free(app);
}

/* Where commas stand for points, numbers are read and told all the same. */
Test(bind, the_locale_changes_no_number)
{
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "C"};
    for (size_t i = 0; i < ROWS(names) && !setlocale(LC_ALL, names[i]); i++)
        continue;
    svc_app *app = make_app(flat_fields, sizeof(struct all), 0);
    expect(app, "/query?share=0.25", NULL, NULL, "");
    expect(app, "/query?share=0,25", NULL, NULL, "share: must be a number from -0.5 to 1\n");
    svc_app_free(app);
}

/* ---- Without a response, as svc_response_new gives none when memory has run out */

static int bind_into_nothing(svc_request *req, svc_response *res)
{
    struct point {
        double x;
    } point;
    svc_validators validators = SVC_VALIDATORS_INIT;
    const svc_schema *none = svc_request_arg(req);
    cr_expect_null(svc_request_json(req, NULL));
    cr_expect_not(svc_request_bind(req, NULL, none, &point));
    cr_expect_not(svc_request_bind_query(req, NULL, none, &point));
    cr_expect_not(svc_request_bind_path(req, NULL, none, &point));
    cr_expect_not(svc_request_check_conditions(req, NULL, &validators));
    return svc_response_empty(res, 204);
}

Test(bind, without_a_response_nothing_is_read)
{
    static const svc_field fields[] = {{.type = SVC_TYPE_END, .size = sizeof(svc_field)}};
    svc_app *app = svc_app_new("none");
    const svc_schema *none = svc_schema_new(app, fields, 8, 0);
    svc_app_post(app, "/", bind_into_nothing, (void *)(uintptr_t)none);
    svc_reply *reply = svc_app_test_json(app, "POST", "/", "{}");
    cr_expect_eq(svc_reply_status(reply), 204);
    svc_reply_free(reply);
    svc_app_free(app);
}
