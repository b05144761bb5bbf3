/* JSON written piece by piece: what is written, what is refused, and what becomes of the response.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

/* ---- What is written: by a writer that needs no response */

static svc_json_writer *w;

static void open_writer(void)
{
    w = svc_json_writer_new(1 << 20);
    cr_assert(w);
}

static void close_writer(void)
{
    svc_json_writer_free(w);
}

TestSuite(json_writer, .init = open_writer, .fini = close_writer);

static void expect_text(const char *want)
{
    size_t len = 0;
    const char *text = svc_json_writer_text(w, &len);
    cr_assert(text, "%s for %s", svc_error_text(svc_json_writer_error(w)), want);
    cr_expect_str_eq(text, want);
    cr_expect_eq(len, strlen(want));
}

static void expect_error(int error)
{
    cr_expect_eq(svc_json_writer_error(w), error, "%d", svc_json_writer_error(w));
    cr_expect_null(svc_json_writer_text(w, NULL));
    svc_json_put_null(w, NULL);
    svc_json_close(w);
    cr_expect_eq(svc_json_writer_error(w), error, "the first error stays");
}

/* Everything at once, and all that a writer may be given. */
static void write_all(svc_json_writer *to)
{
    svc_json_open_object(to, NULL);
    svc_json_put_text(to, "text", "a \"b\"\n");
    svc_json_put_text(to, "none", NULL);
    svc_json_put_text_n(to, "nul", "a\0b", 3);
    svc_json_put_i64(to, "i64", INT64_MIN);
    svc_json_put_u64(to, "u64", UINT64_MAX);
    svc_json_put_double(to, "double", 0.1);
    svc_json_put_bool(to, "yes", true);
    svc_json_put_bool(to, "no", false);
    svc_json_put_null(to, "null");
    svc_json_put_time_s(to, "s", 1795488286);
    svc_json_put_time_us(to, "us", INT64_C(1795488286123456));
    svc_json_put_raw(to, "raw", " [1, 2] ", 8);
    svc_json_open_array(to, "list");
    svc_json_put_i64(to, NULL, -1);
    svc_json_open_object(to, NULL);
    svc_json_close(to);
    svc_json_open_array(to, NULL);
    svc_json_close(to);
    svc_json_put_text(to, NULL, "");
    svc_json_close(to);
    svc_json_put_u64(to, "", 0);
    svc_json_close(to);
}

static const char all[] =
    "{\"text\":\"a \\\"b\\\"\\n\",\"none\":null,\"nul\":\"a\\u0000b\",\"i64\":-9223372036854775808,"
    "\"u64\":18446744073709551615,\"double\":0.1,\"yes\":true,\"no\":false,\"null\":null,"
    "\"s\":\"2026-11-24T02:44:46Z\",\"us\":\"2026-11-24T02:44:46.123456Z\",\"raw\": [1, 2] ,"
    "\"list\":[-1,{},[],\"\"],\"\":0}";

Test(json_writer, writes_every_kind_of_value)
{
    write_all(w);
    expect_text(all);
}

Test(json_writer, the_document_may_be_any_value)
{
    svc_json_put_double(w, NULL, -2.5);
    expect_text("-2.5");
    expect_text("-2.5");
    svc_json_put_null(w, NULL);
    expect_error(SVC_ESTATE);
}

Test(json_writer, keys_are_escaped)
{
    static const char longest[] = "a key that is longer than a block, and then \"quoted\"\x01";
    svc_json_open_object(w, NULL);
    svc_json_put_i64(w, "\"", 1);
    svc_json_put_i64(w, longest, 2);
    svc_json_open_array(w, "\xc3\xa9\xe2\x80\xa8");
    svc_json_close(w);
    svc_json_close(w);
    expect_text(
        "{\"\\\"\":1,\"a key that is longer than a block, and then \\\"quoted\\\"\\u0001\":2,"
        "\"\xc3\xa9\\u2028\":[]}");
}

/* In each of these the calls are those of the letters; see `call`. */
static const struct {
    const char *calls;
    int error;
} sequences[] = {
    {"", SVC_ESTATE},     /* nothing */
    {"v", 0},             /* a value */
    {"vv", SVC_ESTATE},   /* two documents */
    {"v[]", SVC_ESTATE},  /* the same */
    {"[]v", SVC_ESTATE},  /* the same */
    {"[][]", SVC_ESTATE}, /* the same */
    {"k", SVC_ESTATE},    /* a key outside of an object */
    {"[v]", 0},
    {"[vv]", 0},
    {"[k]", SVC_ESTATE}, /* a key in an array */
    {"{}", 0},
    {"{k}", 0},
    {"{kk}", 0},
    {"{v}", SVC_ESTATE},  /* a value without a key */
    {"{kv}", SVC_ESTATE}, /* the same */
    {"{[]}", SVC_ESTATE}, /* the same */
    {"{(v)}", 0},
    {"{(v)k}", 0},
    {"{<k>k}", 0},
    {"{<k}v}", SVC_ESTATE},
    {"[{k}v]", 0},
    {"[{k}k]", SVC_ESTATE},
    {"[", SVC_ESTATE}, /* still open */
    {"[v", SVC_ESTATE},
    {"{k", SVC_ESTATE},
    {"[{k}", SVC_ESTATE},
    {"]", SVC_ESTATE}, /* nothing to end */
    {"v]", SVC_ESTATE},
    {"[]]", SVC_ESTATE},
    {"{k}}", SVC_ESTATE},
};

/* v and k are values without and with a key, brackets open levels without a key, "(" an array and
 * "<" an object with one; all closing ones are the same call. */
static void call(char c)
{
    switch (c) {
    case 'v':
    case 'k':
        svc_json_put_i64(w, c == 'k' ? "k" : NULL, 1);
        break;
    case '[':
    case '(':
        svc_json_open_array(w, c == '(' ? "k" : NULL);
        break;
    case '{':
    case '<':
        svc_json_open_object(w, c == '<' ? "k" : NULL);
        break;
    default:
        svc_json_close(w);
    }
}

Test(json_writer, what_breaks_the_structure_is_refused)
{
    for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++) {
        svc_json_writer_free(w);
        open_writer();
        for (const char *c = sequences[i].calls; *c; c++)
            call(*c);
        bool whole = svc_json_writer_text(w, NULL) != NULL;
        cr_expect_eq(whole, sequences[i].error == 0, "%s", sequences[i].calls);
        cr_expect_eq(svc_json_writer_error(w), sequences[i].error, "%s", sequences[i].calls);
    }
}

Test(json_writer, levels_have_a_ceiling)
{
    for (int i = 0; i < 64; i++)
        svc_json_open_array(w, NULL);
    cr_expect_eq(svc_json_writer_error(w), 0);
    svc_json_open_array(w, NULL);
    expect_error(SVC_ETOOBIG);
}

/* Each level is remembered for what it is, also the outermost of as many as there may be. */
Test(json_writer, levels_end_as_they_began)
{
    char want[1024] = "", *at = want;
    for (int i = 0; i < 64; i++) {
        const char *key = i % 3 == 1 ? "k" : NULL; /* below an object */
        if (i % 3 == 0)
            svc_json_open_object(w, key);
        else
            svc_json_open_array(w, key);
        at = stpcpy(at, i % 3 == 0 ? "{" : i % 3 == 1 ? "\"k\":[" : "[");
    }
    svc_json_put_i64(w, "k", 7);
    at = stpcpy(at, "\"k\":7");
    for (int i = 63; i >= 0; i--) {
        svc_json_close(w);
        at = stpcpy(at, i % 3 == 0 ? "}" : "]");
    }
    expect_text(want);
}

Test(json_writer, text_must_be_utf8)
{
    svc_json_open_array(w, NULL);
    svc_json_put_text(w, NULL, "\xc3\xa9");
    svc_json_put_text(w, NULL, "ends in half a letter \xc3");
    expect_error(SVC_EINVAL);
}

Test(json_writer, keys_must_be_utf8)
{
    svc_json_open_object(w, NULL);
    svc_json_put_text(w, "\xff", "x");
    expect_error(SVC_EINVAL);
}

Test(json_writer, nothing_is_no_text)
{
    svc_json_put_text_n(w, NULL, NULL, 1);
    expect_error(SVC_EINVAL);
}

Test(json_writer, nothing_is_an_empty_text)
{
    svc_json_put_text_n(w, NULL, NULL, 0);
    expect_text("\"\"");
}

Test(json_writer, infinity_is_no_number)
{
    svc_json_put_double(w, NULL, -INFINITY);
    expect_error(SVC_EINVAL);
}

Test(json_writer, nan_is_no_number)
{
    svc_json_put_double(w, NULL, NAN);
    expect_error(SVC_EINVAL);
}

Test(json_writer, times_have_four_digits_for_the_year)
{
    svc_json_put_time_s(w, NULL, INT64_C(253402300800));
    expect_error(SVC_EINVAL);
}

Test(json_writer, times_do_not_overflow)
{
    svc_json_put_time_s(w, NULL, INT64_MIN);
    expect_error(SVC_EINVAL);
}

Test(json_writer, times_before_1970_are_times)
{
    svc_json_put_time_s(w, NULL, -1);
    expect_text("\"1969-12-31T23:59:59Z\"");
}

Test(json_writer, raw_json_cannot_break_the_document)
{
    static const char *const raw[] = {"",   " ",        "]",   "1,2",     "1]",
                                      "\"", "{\"a\":1", "tru", "\"\xff\""};
    for (size_t i = 0; i < sizeof raw / sizeof *raw; i++) {
        svc_json_writer_free(w);
        open_writer();
        svc_json_open_array(w, NULL);
        svc_json_put_raw(w, NULL, raw[i], strlen(raw[i]));
        expect_error(SVC_ESYNTAX);
    }
}

Test(json_writer, raw_json_counts_among_the_levels)
{
    for (int i = 0; i < 62; i++)
        svc_json_open_array(w, NULL);
    svc_json_put_raw(w, NULL, "[[1]]", 5);
    cr_expect_eq(svc_json_writer_error(w), 0);
    svc_json_put_raw(w, NULL, "[[[1]]]", 7);
    expect_error(SVC_ESYNTAX);
}

Test(json_writer, takes_what_jansson_has)
{
    json_t *json = json_pack("{s:[i,b,n], s:s}", "a", 1, 1, "b", "\xc3\xa9");
    svc_json_open_object(w, NULL);
    svc_json_put_jansson(w, "tree", json);
    svc_json_put_jansson(w, "leaf", json_array_get(json_object_get(json, "a"), 0));
    svc_json_close(w);
    json_decref(json);
    expect_text("{\"tree\":{\"a\":[1,true,null],\"b\":\"\xc3\xa9\"},\"leaf\":1}");
}

Test(json_writer, nothing_of_jansson_is_an_error)
{
    svc_json_put_jansson(w, NULL, NULL);
    expect_error(SVC_EINVAL);
}

Test(json_writer, the_ceiling_holds)
{
    for (size_t ceiling = 0; ceiling < sizeof all + 40; ceiling++) {
        svc_json_writer_free(w);
        w = svc_json_writer_new(ceiling);
        write_all(w);
        size_t len;
        const char *text = svc_json_writer_text(w, &len);
        cr_expect(text ? len <= ceiling : svc_json_writer_error(w) == SVC_ETOOBIG);
        cr_expect(!text || !strcmp(text, all));
        cr_expect(text || ceiling < sizeof all + 30, "room enough at %zu", ceiling);
    }
}

Test(json_writer, absurd_lengths_are_refused)
{
    svc_json_put_text_n(w, NULL, "x", SIZE_MAX);
    expect_error(SVC_ETOOBIG);
}

Test(json_writer, none_stands_for_one_without_memory)
{
    write_all(NULL);
    svc_json_put_jansson(NULL, NULL, NULL);
    svc_json_writer_free(NULL);
    cr_expect_eq(svc_json_writer_error(NULL), SVC_ENOMEM);
    cr_expect_null(svc_json_writer_text(NULL, NULL));
    cr_expect_eq(svc_response_json_end(NULL), SVC_ENOMEM);
}

Test(json_writer, one_without_a_response_answers_nothing)
{
    svc_json_put_null(w, NULL);
    cr_expect_eq(svc_response_json_end(w), SVC_ESTATE);
}

/* ---- What becomes of the response */

static int (*inside)(svc_response *res);

static int handler(svc_request *req, svc_response *res)
{
    (void)req;
    return inside(res);
}

static svc_reply *run(int (*fn)(svc_response *res))
{
    svc_app *app = svc_app_new("writer");
    svc_app_get(app, "/", handler, NULL);
    inside = fn;
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_assert(reply);
    svc_app_free(app);
    return reply;
}

static void expect_reply(int (*fn)(svc_response *res), int status, const char *body)
{
    svc_reply *reply = run(fn);
    cr_expect_eq(svc_reply_status(reply), status, "%d", svc_reply_status(reply));
    cr_expect_str_eq(svc_reply_body(reply, NULL), body);
    svc_reply_free(reply);
}

static const char failed[] = "{\"title\":\"Internal Server Error\",\"status\":500}\n";

static int answer_all(svc_response *res)
{
    svc_json_writer *to = svc_response_json_begin(res, 201);
    cr_expect_eq(svc_response_status(res), 0, "not answered yet");
    write_all(to);
    int error = svc_response_json_end(to);
    cr_expect_str_eq(svc_response_header(res, "Content-Type"), "application/json");
    cr_expect_eq(svc_response_status(res), 201);
    return error;
}

Test(json_writer, answers)
{
    expect_reply(answer_all, 201, all);
}

static int change_type(svc_response *res)
{
    svc_json_writer *to = svc_response_json_begin(res, 200);
    svc_json_put_null(to, NULL);
    int error = svc_response_json_end(to);
    return error ? error : svc_response_set_header(res, "Content-Type", "application/geo+json");
}

Test(json_writer, the_type_can_be_another)
{
    svc_reply *reply = run(change_type);
    cr_expect_str_eq(svc_reply_header(reply, "Content-Type"), "application/geo+json");
    cr_expect_str_eq(svc_reply_body(reply, NULL), "null");
    svc_reply_free(reply);
}

static int forget_end(svc_response *res)
{
    svc_response_text(res, 200, "an answer before");
    write_all(svc_response_json_begin(res, 200));
    return 0;
}

Test(json_writer, a_forgotten_end_is_no_answer)
{
    expect_reply(forget_end, 500, failed);
}

static int forget_close(svc_response *res)
{
    svc_json_writer *to = svc_response_json_begin(res, 200);
    svc_json_open_object(to, NULL);
    cr_expect_eq(svc_response_json_end(to), SVC_ESTATE);
    cr_expect_eq(svc_response_json_end(to), SVC_ESTATE);
    return 0; /* without a look at the error */
}

Test(json_writer, an_ignored_error_is_no_answer)
{
    expect_reply(forget_close, 500, failed);
}

static int return_error(svc_response *res)
{
    svc_json_writer *to = svc_response_json_begin(res, 200);
    svc_json_put_double(to, NULL, NAN);
    int error = svc_response_json_end(to);
    cr_expect_eq(error, SVC_EINVAL, "the first error");
    return error;
}

Test(json_writer, a_returned_error_is_a_500)
{
    expect_reply(return_error, 500, failed);
}

static int refuse_status(svc_response *res)
{
    svc_json_writer *to = svc_response_json_begin(res, 99);
    svc_json_put_null(to, NULL);
    return svc_response_json_end(to);
}

Test(json_writer, the_status_must_be_one)
{
    expect_reply(refuse_status, 500, failed);
}

static int end_twice(svc_response *res)
{
    svc_json_writer *to = svc_response_json_begin(res, 200);
    svc_json_put_null(to, NULL);
    cr_expect_eq(svc_response_json_end(to), 0);
    cr_expect_eq(svc_response_json_end(to), SVC_ESTATE);
    svc_json_put_null(to, NULL);
    cr_expect_null(svc_json_writer_text(to, NULL));
    svc_json_writer_free(to); /* does nothing */
    return 0;
}

Test(json_writer, what_has_ended_stays)
{
    expect_reply(end_twice, 200, "null");
}

static int change_mind(svc_response *res)
{
    svc_json_writer *to = svc_response_json_begin(res, 200);
    svc_json_open_array(to, NULL);
    svc_json_put_text(to, NULL, "some of the answer");
    return svc_response_problem(res, 404, "there is no more of it");
}

Test(json_writer, another_answer_wins)
{
    expect_reply(
        change_mind, 404,
        "{\"title\":\"Not Found\",\"status\":404,\"detail\":\"there is no more of it\"}\n");
}

/* What renders into the memory of the thread while a writer is open. */
static int render_between(svc_response *res)
{
    svc_json_writer *to = svc_response_json_begin(res, 200);
    svc_json_open_array(to, NULL);
    svc_json_put_text(to, NULL, "before");
    svc_response_problem(res, 404, "not this");
    svc_response_add_vary(res, "Accept");
    svc_response_add_vary(res, "Origin");
    svc_response_json(res, 200, "{s:s}", "nor", "this");
    svc_json_put_text(to, NULL, "after");
    svc_json_close(to);
    return svc_response_json_end(to);
}

Test(json_writer, other_calls_leave_it_alone)
{
    expect_reply(render_between, 200, "[\"before\",\"after\"]");
}

static int write_two(svc_response *res)
{
    svc_json_writer *first = svc_response_json_begin(res, 200);
    svc_json_writer *second = svc_response_json_begin(res, 202);
    for (svc_json_writer *to = first; to; to = to == first ? second : NULL)
        svc_json_open_array(to, NULL);
    for (int i = 0; i < 1000; i++) {
        svc_json_put_i64(first, NULL, 1);
        svc_json_put_text(second, NULL, "a text that makes it grow");
    }
    svc_json_close(second);
    cr_expect_eq(svc_response_json_end(second), 0);
    svc_json_close(first);
    size_t len;
    cr_expect_str_eq(svc_json_writer_text(first, &len) + len - 4, "1,1]");
    return svc_response_json_end(first);
}

Test(json_writer, of_two_the_last_to_end_wins)
{
    svc_reply *reply = run(write_two);
    size_t len;
    const char *body = svc_reply_body(reply, &len);
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_eq(len, 2001);
    cr_expect_eq(strspn(body, "[1,]"), len);
    svc_reply_free(reply);
}

static size_t texts;

static int answer_large(svc_response *res)
{
    svc_json_writer *to = svc_response_json_begin(res, 200);
    svc_json_open_array(to, NULL);
    for (size_t i = 0; i < texts; i++)
        svc_json_put_text(to, NULL, "seven!!");
    svc_json_close(to);
    size_t len;
    const char *text = svc_json_writer_text(to, &len);
    int error = svc_response_json_end(to);
    if (len > 1000000)
        cr_expect_eq(svc_response_body(res, &len), text, "a large document is not copied");
    return error;
}

/* Into the arena, to the heap, and handed over. */
Test(json_writer, documents_of_any_size_are_whole)
{
    for (texts = 1; texts < 300000; texts = texts * 3 / 2 + 1) {
        svc_reply *reply = run(answer_large);
        size_t len;
        const char *body = svc_reply_body(reply, &len);
        cr_assert_eq(svc_reply_status(reply), 200);
        cr_assert_eq(len, texts * 10 + 1);
        cr_assert_eq(strncmp(body, "[\"seven!!\"", 10), 0);
        cr_assert_str_eq(body + len - 8, "even!!\"]");
        svc_reply_free(reply);
    }
}

static int answer_endless(svc_response *res)
{
    svc_json_writer *to = svc_response_json_begin(res, 200);
    svc_json_open_array(to, NULL);
    while (!svc_json_writer_error(to))
        svc_json_put_text(to, NULL, "more and more");
    cr_expect_eq(svc_json_writer_error(to), SVC_ETOOBIG);
    return svc_response_json_end(to);
}

Test(json_writer, an_endless_document_is_a_500)
{
    expect_reply(answer_endless, 500, failed);
}

/* ---- In a layer */

static bool whole;

static int rewrite(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)layer;
    size_t len;
    const char *body = svc_response_body(res, &len);
    svc_json_writer *to = svc_response_json_begin(res, 200);
    svc_json_open_object(to, NULL);
    svc_json_put_raw(to, "data", body, len);
    if (!whole)
        return 0;
    svc_json_close(to);
    return svc_response_json_end(to);
}

static const svc_middleware rewrites = {
    .size = sizeof rewrites, .name = "rewrites", .on_response = rewrite};

static int answer_short(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_json(res, 200, "[i]", 1);
}

Test(json_writer, a_layer_rewrites_the_body)
{
    svc_app *app = svc_app_new("layer");
    svc_app_use(app, &rewrites);
    svc_app_get(app, "/", answer_short, NULL);
    for (int i = 0; i < 2; i++) {
        whole = i == 0;
        svc_reply *reply = svc_app_test_get(app, "/");
        cr_expect_eq(svc_reply_status(reply), whole ? 200 : 500);
        cr_expect_str_eq(svc_reply_body(reply, NULL), whole ? "{\"data\":[1]}" : failed);
        svc_reply_free(reply);
    }
    svc_app_free(app);
}
