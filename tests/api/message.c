/* Requests and responses: what handlers read, and what they may say. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

/* The part of a test that runs in the handler. */
static int (*inside)(svc_request *req, svc_response *res);

static int handler(svc_request *req, svc_response *res)
{
    return inside(req, res);
}

/* Runs `fn` as the handler of a request; the reply is the caller's. */
static svc_reply *run(int (*fn)(svc_request *, svc_response *), const char *method,
                      const char *target, const char *const *headers, const char *body)
{
    static char arg[] = "the arg";
    svc_app *app = svc_app_new("message");
    svc_config config = SVC_CONFIG_INIT;
    config.max_json_depth = 4;
    config.max_body_bytes = 64;
    svc_app_configure(app, &config);
    svc_app_method_at(app, NULL, "/r/{id}", handler, arg, __FILE__, __LINE__);
    inside = fn;
    svc_test test = SVC_TEST_INIT;
    test.method = method;
    test.target = target;
    test.headers = headers;
    test.body = body;
    test.body_len = body ? strlen(body) : 0;
    svc_reply *reply = svc_app_test(app, &test);
    cr_assert(reply, "%s", svc_app_errors(app));
    svc_app_free(app);
    return reply;
}

SVC_KEY_DECLARE(user, char)
SVC_KEY_DEFINE(user)

static char deferred[8];

static void defer(void *arg)
{
    strcat(deferred, arg);
}

static int read_request(svc_request *req, svc_response *res)
{
    static char one[] = "1", two[] = "2", ada[] = "ada";
    const char *name, *value;
    cr_expect_str_eq(svc_request_method(req), "GET");
    cr_expect_str_eq(svc_request_target(req), "/r/a%20b?x=1&y&x=%2B+2");
    cr_expect_str_eq(svc_request_path(req), "/r/a%20b");
    cr_expect_str_eq(svc_request_raw_query(req), "x=1&y&x=%2B+2");
    cr_expect_str_eq(svc_request_route(req), "/r/{id}");
    cr_expect_str_eq(svc_request_param(req, "id"), "a b");
    cr_expect_null(svc_request_param(req, "other"));
    cr_expect_str_eq(svc_request_query(req, "x"), "1");
    cr_expect_str_eq(svc_request_query_nth(req, "x", 1), "+ 2");
    cr_expect_null(svc_request_query_nth(req, "x", 2));
    cr_expect_str_eq(svc_request_query(req, "y"), "");
    cr_expect_null(svc_request_query(req, "z"));
    cr_expect_eq(svc_request_query_count(req), 3);
    cr_expect_eq(svc_request_query_at(req, 3, &name, &value), SVC_ENOTFOUND);
    cr_expect_str_eq(svc_request_header(req, "ACCEPT"), "text/plain");
    cr_expect_str_eq(svc_request_header_nth(req, "x-two", 1), "second");
    cr_expect_null(svc_request_header(req, "X-None"));
    cr_expect_eq(svc_request_header_count(req), 6);
    cr_expect_eq(svc_request_header_at(req, 6, &name, &value), SVC_ENOTFOUND);
    cr_expect_str_eq(svc_request_cookie(req, "b"), "two");
    cr_expect_null(svc_request_cookie(req, "c"));
    cr_expect_str_eq(svc_request_peer(req), "test");
    cr_expect_str_eq(svc_request_scheme(req), "http");
    cr_expect_str_eq(svc_request_id(req), "id-7");
    cr_expect_str_eq(svc_request_arg(req), "the arg");
    cr_expect(svc_request_remaining_ms(req) > 0 && !svc_request_cancelled(req));
    cr_expect_null(user_get(req));
    cr_expect_eq(user_set(req, ada), 0);
    cr_expect_str_eq(user_get(req), "ada");
    char *memory = svc_request_alloc(req, 1000);
    cr_assert_not_null(memory);
    memset(memory, 'x', 1000);
    cr_expect_null(svc_request_alloc(req, (size_t)64 << 20), "over its share");
    svc_request_add_cleanup(req, defer, one);
    svc_request_add_cleanup(req, defer, two);
    return svc_response_empty(res, 204);
}

Test(message, a_handler_reads_all_of_its_request)
{
    static const char *const headers[] = {"Accept",       "text/plain", "X-Two",  "first",
                                          "x-two",        "second",     "Cookie", "a=1; b=two",
                                          "X-Request-Id", "id-7",       NULL};
    svc_reply *reply = run(read_request, "GET", "/r/a%20b?x=1&y&x=%2B+2", headers, NULL);
    cr_expect_eq(svc_reply_status(reply), 204);
    cr_expect_str_eq(svc_reply_header(reply, "x-request-id"), "id-7");
    cr_expect_str_eq(deferred, "21", "latest first, when the exchange is over");
    svc_reply_free(reply);
}

static int choose_coding(svc_request *req, svc_response *res)
{
    cr_expect_eq(svc_request_accepts_encoding(req, "gzip"), 700);
    cr_expect_eq(svc_request_accepts_encoding(req, "X-GZIP"), 700);
    cr_expect_eq(svc_request_accepts_encoding(req, "br"), 1000);
    cr_expect_eq(svc_request_accepts_encoding(req, "zstd"), 200, "by the other field");
    cr_expect_eq(svc_request_accepts_encoding(req, "identity"), 0);
    cr_expect_eq(svc_request_accepts_encoding(req, NULL), 200, "as any that is not listed");
    return svc_response_empty(res, 204);
}

static int choose_none(svc_request *req, svc_response *res)
{
    cr_expect_eq(svc_request_accepts_encoding(req, "gzip"), 0);
    cr_expect_eq(svc_request_accepts_encoding(req, "identity"), 1000);
    return svc_response_empty(res, 204);
}

Test(message, content_codings_have_weights)
{
    static const char *const headers[] = {"Accept-Encoding", "gzip;q=0.7, br, identity;q=0",
                                          "accept-encoding", "*;q=0.2", NULL};
    svc_reply_free(run(choose_coding, "GET", "/r/a", headers, NULL));
    svc_reply_free(run(choose_none, "GET", "/r/a", NULL, NULL));
}

static int write_headers(svc_request *req, svc_response *res)
{
    static const struct {
        const char *name, *value;
    } bad[] = {{"X", "a\r\nY: b"},
               {"X", "a\nb"},
               {"X", "a\rb"},
               {"X", "a\x01"},
               {"X", " a"},
               {"X", "a "},
               {"X", ""},
               {"X Y", "a"},
               {"X:", "a"},
               {"", "a"},
               {"X\r\nY", "a"},
               {"Content-Length", "1"},
               {"date", "now"},
               {"CONNECTION", "close"},
               {"Transfer-Encoding", "chunked"},
               {"Upgrade", "h2c"}};
    (void)req;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_expect_eq(svc_response_set_header(res, bad[i].name, bad[i].value), SVC_EINVAL, "%zu", i);
        cr_expect_eq(svc_response_add_header(res, bad[i].name, bad[i].value), SVC_EINVAL, "%zu", i);
    }
    cr_expect_eq(svc_response_set_header(res, NULL, "x"), SVC_EINVAL);
    svc_response_set_header(res, "X-One", "1");
    svc_response_set_header(res, "x-ONE", "2");
    svc_response_add_header(res, "X-Gone", "1");
    svc_response_remove_header(res, "x-gone");
    cr_expect_str_eq(svc_response_header(res, "X-One"), "2");
    cr_expect_null(svc_response_header(res, "X-Gone"));
    for (int i = 0; i < 200; i++)
        svc_response_add_header(res, "X-Many", "v"); /* up to a ceiling, which is told */
    cr_expect_eq(svc_response_add_header(res, "X-More", "v"), SVC_ETOOBIG);
    svc_response_remove_header(res, "X-Many");
    const char *name = NULL, *value = NULL;
    cr_expect_eq(svc_response_header_count(res), 1);
    cr_expect_eq(svc_response_header_at(res, 0, &name, &value), 0);
    cr_expect_str_eq(name, "x-ONE");
    cr_expect_str_eq(value, "2");
    svc_response_add_header(res, "X-Two", "a");
    svc_response_add_header(res, "X-One", "b");
    cr_expect_eq(svc_response_header_count(res), 3);
    cr_expect_eq(svc_response_header_at(res, 2, &name, &value), 0);
    cr_expect_str_eq(name, "X-One", "in the order in which they are sent");
    cr_expect_str_eq(value, "b");
    cr_expect_eq(svc_response_header_at(res, 3, &name, &value), SVC_ENOTFOUND);
    cr_expect_str_eq(value, "b", "outputs are written only on success");
    svc_response_remove_header(res, "X-One");
    cr_expect_eq(svc_response_header_count(res), 1);
    svc_response_remove_header(res, "X-Two");
    svc_response_set_header(res, "X-One", "2");
    cr_expect_eq(svc_response_header_count(NULL), 0);
    cr_expect_eq(svc_response_header_at(NULL, 0, &name, &value), SVC_ENOMEM);
    return svc_response_text(res, 200, "text");
}

static int read_trimmed(svc_request *req, svc_response *res)
{
    cr_expect_str_eq(svc_request_header(req, "X-Space"), "a \t b");
    cr_expect_str_eq(svc_request_header(req, "X-Blank"), "");
    cr_expect_str_eq(svc_request_header(req, "X-None"), "c");
    return svc_response_text(res, 200, "");
}

Test(message, white_space_around_a_fields_value_is_taken_off)
{
    static const char *const headers[] = {
        "X-Space", " \ta \t b\t ", "X-Blank", "\t ", "X-None", "c", NULL};
    svc_reply *reply = run(read_trimmed, "GET", "/r/1", headers, NULL);
    cr_expect_eq(svc_reply_status(reply), 200);
    svc_reply_free(reply);
}

Test(message, response_fields_are_checked)
{
    svc_reply *reply = run(write_headers, "GET", "/r/1", NULL, NULL);
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_str_eq(svc_reply_header(reply, "X-One"), "2");
    svc_reply_free(reply);
}

static int released;

static void release(void *data)
{
    released++;
    free(data);
}

static int change_body(svc_request *req, svc_response *res)
{
    (void)req;
    size_t len;
    cr_expect_eq(svc_response_status(res), 0);
    cr_expect_eq(svc_response_take(res, 200, "text/plain", strdup("first"), 5, release), 0);
    cr_expect_eq(svc_response_copy(res, 99, NULL, "x", 1), SVC_EINVAL, "and changes nothing");
    cr_expect_eq(strncmp(svc_response_body(res, &len), "first", 5), 0);
    cr_expect_eq(svc_response_body(res, NULL), svc_response_body(res, &len), "the length is optional");
    cr_expect_eq(svc_response_take(res, 600, NULL, strdup("bad"), 3, release), SVC_EINVAL);
    cr_expect_eq(released, 1, "what fails is released at once");
    cr_expect_eq(svc_response_redirect(res, 302, "/a b"), SVC_EINVAL);
    cr_expect_eq(svc_response_redirect(res, 302, "/a\r\nX: y"), SVC_EINVAL);
    cr_expect_eq(svc_response_redirect(res, 304, "/a"), SVC_EINVAL);
    cr_expect_eq(svc_response_problem(res, 200, NULL), SVC_EINVAL);
    cr_expect_eq(svc_response_json(res, 200, "{s:", "x"), SVC_EINVAL);
    cr_expect_eq(svc_response_json(res, 200, "{s:s}", "x", "\xff"), SVC_EINVAL);
    cr_expect_eq(svc_response_json_take(res, 200, NULL), SVC_EINVAL);
    cr_expect_eq(svc_response_json(NULL, 200, "{s:", "x"), SVC_ENOMEM, "without a response");
    return svc_response_text(res, 201, "last");
}

Test(message, the_last_body_wins_and_each_is_released_once)
{
    svc_reply *reply = run(change_body, "GET", "/r/1", NULL, NULL);
    cr_expect_eq(svc_reply_status(reply), 201);
    cr_expect_str_eq(svc_reply_body(reply, NULL), "last");
    cr_expect_eq(released, 2);
    svc_reply_free(reply);
}

static int64_t read_short(void *state, char *data, size_t len)
{
    (void)len;
    int *left = state;
    if (*left == 0)
        return 0;
    data[0] = 'x';
    (*left)--;
    return 1;
}

static int left;

static int answer_source(svc_request *req, svc_response *res)
{
    (void)req;
    svc_source source = SVC_SOURCE_INIT;
    source.length = 5;
    source.read = read_short;
    source.state = &left;
    return svc_response_source(res, 200, "text/plain", &source);
}

Test(message, a_source_must_keep_its_promise)
{
    left = 5;
    svc_reply *reply = run(answer_source, "GET", "/r/1", NULL, NULL);
    cr_expect_str_eq(svc_reply_body(reply, NULL), "xxxxx");
    cr_expect_eq(svc_reply_outcome(reply), SVC_COMPLETE);
    svc_reply_free(reply);
    left = 4;
    reply = run(answer_source, "GET", "/r/1", NULL, NULL);
    cr_expect_eq(svc_reply_outcome(reply), SVC_CUT);
    svc_reply_free(reply);
}

static int take_json(svc_request *req, svc_response *res)
{
    json_t *body = svc_request_json(req, res);
    cr_expect_eq(body, svc_request_json(req, res), "parsed once");
    return body ? svc_response_json_take(res, 200, json_incref(body)) : 0;
}

Test(message, json_is_taken_under_limits)
{
    static const struct {
        const char *type, *body;
        int status;
        const char *told;
    } rows[] = {
        {"application/json", "{\"a\":[1]}", 200, "{\"a\":[1]}"},
        {"application/json", "\"text\"", 200, "\"text\""},
        {"application/json", "", 400, "\"detail\":\"the body is empty"},
        {"application/json", NULL, 400, "\"detail\":\"the body is empty"},
        {"application/json", " \n", 400, "line 2"},
        {"application/json", "{\"a\":\n tru}", 400, "line 2"},
        {"application/json", "[1,]", 400, "column"},
        {"application/json", "{\"a\":1,\"a\":2}", 400, "duplicate"},
        {"application/json", "[[[[1]]]]", 200, "[[[[1]]]]"},
        {"application/json", "[[[[[1]]]]]", 400, "nest"},
        {"application/json", "\"[[[[[[[[\"", 200, "[[["},
        {"text/html", "{}", 415, "detail"},
        {"application/json",
         "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26]", 413, "limit"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *const headers[] = {"Content-Type", rows[i].type, NULL};
        svc_reply *reply = run(take_json, "POST", "/r/1", headers, rows[i].body);
        cr_expect_eq(svc_reply_status(reply), rows[i].status, "row %zu: %d", i,
                     svc_reply_status(reply));
        cr_expect(strstr(svc_reply_body(reply, NULL), rows[i].told), "row %zu: %s", i,
                  svc_reply_body(reply, NULL));
        svc_reply_free(reply);
    }
}

Test(message, json_that_holds_a_nul_is_none)
{
    static const char *const headers[] = {"Content-Type", "application/json", NULL};
    static const char body[] = "[27\0]";
    svc_app *app = svc_app_new("nul");
    svc_app_post(app, "/", take_json, NULL);
    svc_test test = SVC_TEST_INIT;
    test.method = "POST";
    test.headers = headers;
    test.body = body;
    test.body_len = sizeof body - 1;
    svc_reply *reply = svc_app_test(app, &test);
    cr_expect_eq(svc_reply_status(reply), 400, "%d", svc_reply_status(reply));
    cr_expect(strstr(svc_reply_body(reply, NULL), "NUL"));
    svc_reply_free(reply);
    svc_app_free(app);
}

static int make_problem(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_problem_take(res, 422, "not \"valid\"",
                                     json_pack("{s:[s]}", "errors", "first"));
}

Test(message, problems_have_one_form_and_plain_text_for_who_wants_no_json)
{
    static const char *const text[] = {"Accept", "text/html, text/plain", NULL};
    svc_reply *reply = run(make_problem, "GET", "/r/1", NULL, NULL);
    cr_expect_str_eq(svc_reply_header(reply, "Content-Type"), "application/problem+json");
    json_t *json = json_loads(svc_reply_body(reply, NULL), 0, NULL);
    cr_expect_str_eq(json_string_value(json_object_get(json, "title")), "Unprocessable Content");
    cr_expect_eq(json_integer_value(json_object_get(json, "status")), 422);
    cr_expect_str_eq(json_string_value(json_object_get(json, "detail")), "not \"valid\"");
    cr_expect_eq(json_array_size(json_object_get(json, "errors")), 1);
    json_decref(json);
    svc_reply_free(reply);
    reply = run(make_problem, "GET", "/r/1", text, NULL);
    cr_expect_str_eq(svc_reply_header(reply, "Content-Type"), "text/plain; charset=utf-8");
    cr_expect_str_eq(svc_reply_body(reply, NULL), "Unprocessable Content: not \"valid\"\n");
    svc_reply_free(reply);
}

/* ---- The request's id */

#define DIGITS_64 "0123456789012345678901234567890123456789012345678901234567890123"
#define LONGEST_ID (DIGITS_64 DIGITS_64)
#define TOO_LONG_ID (DIGITS_64 DIGITS_64 "x")

static int tell_id(svc_request *req, svc_response *res)
{
    return svc_response_text(res, 200, svc_request_id(req));
}

/* Asks with an id, or without one, and checks that the handler's and the client's are the same. */
static void ask_with_id(const char *inbound, char out[256])
{
    const char *const headers[] = {"X-Request-Id", inbound, NULL};
    svc_reply *reply = run(tell_id, "GET", "/r/1", inbound ? headers : NULL, NULL);
    const char *echoed = svc_reply_header(reply, "X-Request-Id");
    cr_assert_eq(svc_reply_status(reply), 200);
    cr_assert(echoed);
    cr_expect_str_eq(svc_reply_body(reply, NULL), echoed);
    strcpy(out, echoed);
    svc_reply_free(reply);
}

Test(message, an_id_that_is_well_formed_is_taken_and_echoed)
{
    static const char *const ids[] = {"a", "0", "id-of_a.request", "A1B2c3", LONGEST_ID};
    char echoed[256];
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        ask_with_id(ids[i], echoed);
        cr_expect_str_eq(echoed, ids[i]);
    }
}

Test(message, an_id_that_is_not_is_replaced_and_never_echoed)
{
    static const char *const ids[] = {NULL, "a b",         "a\"b", "a,b",  "a/b",
                                      "{}", "caf\xc3\xa9", "a;b",  "$(a)", TOO_LONG_ID};
    char made[256], before[256] = "";
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        ask_with_id(ids[i], made);
        cr_expect_eq(strlen(made), 32, "%s", made);
        cr_expect_eq(strspn(made, "0123456789abcdef"), 32, "%s", made);
        cr_expect_str_neq(made, before, "each is another one");
        strcpy(before, made);
    }
}

static const char *location;

static int redirect(svc_request *req, svc_response *res)
{
    (void)req;
    int error = svc_response_redirect(res, 303, location);
    cr_expect_eq(svc_response_set_header(res, "content-location", location), error, "%s", location);
    cr_expect_eq(svc_response_add_header(res, "Location", location), error, "%s", location);
    svc_response_remove_header(res, "Location");
    return error ? svc_response_empty(res, 204) : svc_response_redirect(res, 303, location);
}

Test(message, a_location_is_a_uri_reference)
{
    static const struct {
        const char *given, *sent; /* NULL: it is refused */
    } rows[] = {
        {"/a?b=%20#c", "/a?b=%20#c"},
        {"https://host.example:8443/a", "https://host.example:8443/a"},
        {"\"><script>", "%22%3E%3Cscript%3E"},
        {"/\xc3\xa4", "/%C3%A4"},
        {"/\\host.example", "/%5Chost.example"},
        {"", NULL},
        {"/a b", NULL},
        {"/a\r\nX: b", NULL},
        {"/100%", NULL},
        {"///host.example", NULL},
        {"http:host.example", NULL},
        {"http://a\\@b/", NULL},
        {NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        location = rows[i].given;
        svc_reply *reply = run(redirect, "GET", "/r/1", NULL, NULL);
        const char *sent = svc_reply_header(reply, "Location");
        cr_expect_eq(svc_reply_status(reply), rows[i].sent ? 303 : 204, "row %zu", i);
        cr_expect_str_eq(sent ? sent : "", rows[i].sent ? rows[i].sent : "", "row %zu: %s", i,
                         sent);
        sent = svc_reply_header(reply, "Content-Location");
        cr_expect_str_eq(sent ? sent : "", rows[i].sent ? rows[i].sent : "", "row %zu: %s", i,
                         sent);
        svc_reply_free(reply);
    }
}

static int answer_error(svc_request *req, svc_response *res)
{
    static const svc_violation violation = {"#/a", NULL, "is wrong"};
    switch (atoi(svc_request_param(req, "id"))) {
    case 1:
        return svc_response_problem(res, 409, "so it is");
    case 2:
        return svc_response_problem_take(res, 409, NULL, json_pack("{s:i}", "n", 1));
    case 3:
        return svc_response_violations(res, &violation, 1);
    case 4:
        svc_response_set_header(res, "Vary", "Origin");
        return svc_response_problem(res, 409, NULL);
    case 5:
        svc_response_add_vary(res, "accept");
        return svc_response_problem(res, 409, NULL);
    default:
        return SVC_EINVAL;
    }
}

/* A cache must not hand one form to a client that asks for the other. */
Test(message, errors_of_either_form_vary_by_accept)
{
    static const char *const accepts[][3] = {
        {NULL}, {"Accept", "*/*"}, {"Accept", "text/plain"}, {"Accept", "application/json"}};
    static const struct {
        const char *target, *vary;
    } rows[] = {{"/r/0", "Accept"},         {"/r/1", "Accept"},  {"/r/2", "Accept"},
                {"/r/3", "Accept"},         {"/none", "Accept"}, {"/r/%zz", "Accept"},
                {"/r/4", "Origin, Accept"}, {"/r/5", "accept"}};
    for (size_t i = 0; i < sizeof accepts / sizeof *accepts; i++)
        for (size_t j = 0; j < sizeof rows / sizeof *rows; j++) {
            svc_reply *reply = run(answer_error, "GET", rows[j].target, accepts[i], NULL);
            const char *vary = svc_reply_header(reply, "Vary");
            cr_expect_geq(svc_reply_status(reply), 400);
            cr_expect_str_eq(vary ? vary : "", rows[j].vary, "%s: %s", rows[j].target, vary);
            svc_reply_free(reply);
        }
}
