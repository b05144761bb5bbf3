/* What replies say to caches, and conditional requests, through the public interface. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <svc.h>

#include "tests/support/conditions.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static svc_reply *ask(svc_app *app, const char *method, const char *target,
                      const char *const *headers)
{
    svc_test test = SVC_TEST_INIT;
    test.method = method;
    test.target = target;
    test.headers = headers;
    svc_reply *reply = svc_app_test(app, &test);
    cr_assert(reply, "%s", svc_app_errors(app));
    return reply;
}

static const char *field(const svc_reply *reply, const char *name)
{
    const char *value = svc_reply_header(reply, name);
    return value ? value : "";
}

static size_t count_fields(const svc_reply *reply, const char *name)
{
    size_t count = 0;
    const char *each, *value;
    for (size_t i = 0; !svc_reply_header_at(reply, i, &each, &value); i++)
        count += !strcasecmp(each, name);
    return count;
}

static svc_app *quiet(void)
{
    svc_app *app = svc_app_new("cache");
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = config.metrics = config.request_id = 0;
    config.log_output = "/dev/null";
    svc_app_configure(app, &config);
    return app;
}

/* ---- The table of conditions */

static void expect_validators(const svc_reply *reply, const struct condition_state_row *state,
                              const char *what)
{
    const char *tag = !state->tag ? "" : state->weak ? "W/\"1\"" : "\"1\"";
    bool dated = state->dated && (!state->tag || svc_reply_status(reply) != 304);
    cr_expect_str_eq(field(reply, "ETag"), tag, "%s", what);
    cr_expect_str_eq(field(reply, "Last-Modified"), dated ? "Sun, 06 Nov 1994 08:49:37 GMT" : "",
                     "%s", what);
    cr_expect_str_eq(field(reply, "Content-Location"), "/the/note", "%s", what);
    cr_expect_str_eq(field(reply, "Vary"), "Accept-Language", "%s", what);
    cr_expect_str_eq(field(reply, "Cache-Control"), "public, max-age=60", "%s", what);
    cr_expect(svc_reply_header(reply, "Expires"), "%s", what);
    cr_expect_str_eq(field(reply, "Content-Length"), svc_reply_status(reply) == 206 ? "2" : "12",
                     "%s", what);
}

/* RFC 9110 15.4.5 */
static void expect_not_modified(const svc_reply *reply, const char *what)
{
    size_t len;
    svc_reply_body(reply, &len);
    cr_expect_eq(len, 0, "%s", what);
    cr_expect_null(svc_reply_header(reply, "Content-Type"), "%s", what);
    cr_expect_null(svc_reply_header(reply, "Content-Language"), "%s", what);
    cr_expect_str_eq(field(reply, "X-Kept"), "1", "%s", what);
}

static void expect_failed(const svc_reply *reply, const char *what)
{
    cr_expect_str_eq(field(reply, "Content-Type"), "application/problem+json", "%s", what);
    cr_expect_str_eq(field(reply, "Cache-Control"), "no-store", "%s", what);
    cr_expect_null(svc_reply_header(reply, "ETag"), "%s", what);
    cr_expect_null(svc_reply_header(reply, "Last-Modified"), "%s", what);
    cr_expect_null(svc_reply_header(reply, "Content-Location"), "%s", what);
    cr_expect_null(svc_reply_header(reply, "Expires"), "%s", what);
}

static void run_row(svc_app *app, const char *door, size_t index, size_t method)
{
    const struct condition_row *row = &condition_rows[index];
    const struct condition_state_row *state = &condition_states[row->state];
    char target[64], what[128];
    snprintf(target, sizeof target, "/%s/%s", door, state->name);
    snprintf(what, sizeof what, "row %zu: %s %s", index, condition_methods[method], target);
    svc_reply *reply = ask(app, condition_methods[method], target, row->headers);
    int status = svc_reply_status(reply);
    cr_expect_eq(status, condition_status(row->outcome[method]), "%s: %d", what, status);
    if (status < 400 && method < 2 && !state->absent)
        expect_validators(reply, state, what);
    if (status == 304)
        expect_not_modified(reply, what);
    if (status == 412)
        expect_failed(reply, what);
    svc_reply_free(reply);
}

Test(cache, a_handler_that_asks_gets_every_row_of_the_precedence)
{
    svc_app *app = conditions_app();
    for (size_t i = 0; i < condition_count; i++)
        for (size_t method = 0; method < CONDITION_METHODS; method++)
            run_row(app, "asked", i, method);
    svc_app_free(app);
}

Test(cache, the_layer_gives_every_row_that_reads)
{
    svc_app *app = conditions_app();
    for (size_t i = 0; i < condition_count; i++)
        for (size_t method = 0; condition_rows[i].state != STATE_ABSENT && method < 2; method++)
            run_row(app, "settled", i, method);
    svc_app_free(app);
}

/* RFC 9110 13.2.1 */
Test(cache, conditions_are_nothing_to_errors_and_to_OPTIONS)
{
    static const char *const all[] = {"If-Match",
                                      "\"2\"",
                                      "If-None-Match",
                                      "*",
                                      "If-Modified-Since",
                                      "Fri, 31 Dec 9999 23:59:59 GMT",
                                      NULL};
    static const struct {
        const char *method, *target;
        int status;
    } rows[] = {
        {"GET", "/settled/ABSENT", 404}, {"GET", "/asked/UNKNOWN", 404},
        {"PUT", "/asked/UNKNOWN", 404},  {"GET", "/none", 404},
        {"PUT", "/settled/BOTH", 405},   {"OPTIONS", "/settled/BOTH", 204},
        {"OPTIONS", "/asked/BOTH", 200}, {"GET", "/settled//BOTH", 308},
    };
    svc_app *app = conditions_app();
    for (size_t i = 0; i < ROWS(rows); i++) {
        svc_reply *reply = ask(app, rows[i].method, rows[i].target, all);
        cr_expect_eq(svc_reply_status(reply), rows[i].status, "%s %s: %d", rows[i].method,
                     rows[i].target, svc_reply_status(reply));
        svc_reply_free(reply);
    }
    svc_app_free(app);
}

/* ---- Tags */

/* A text of as many bytes as are asked for, all of one letter. */
static int text_of(svc_request *req, svc_response *res)
{
    static char bytes[400000];
    const char *letter = svc_request_query(req, "letter"), *type = svc_request_query(req, "type");
    size_t len = strtoul(svc_request_param(req, "bytes"), NULL, 10);
    memset(bytes, letter ? *letter : 'x', sizeof bytes);
    if (svc_request_query(req, "tag"))
        svc_response_set_etag(res, svc_request_query(req, "tag"), false);
    return svc_response_copy(res, svc_request_query(req, "status") ? 201 : 200,
                             type ? type : "text/plain", bytes, len);
}

static int closed; /* how often a source was closed */

static int64_t read_source(void *state, char *data, size_t len)
{
    (void)state, (void)data, (void)len;
    return 0;
}

static void close_source(void *state)
{
    (void)state;
    closed++;
}

static int stream(svc_request *req, svc_response *res)
{
    svc_source source = SVC_SOURCE_INIT;
    source.read = read_source;
    source.close = close_source;
    source.length = svc_request_query(req, "length") ? 77 : SVC_LENGTH_UNKNOWN;
    if (svc_request_query(req, "tag"))
        svc_response_set_etag(res, svc_request_query(req, "tag"), false);
    return svc_response_source(res, 200, "text/plain", &source);
}

static svc_app *tagging(void)
{
    svc_app *app = quiet();
    svc_app_use(app, svc_conditional_new(app, NULL));
    svc_app_method_at(app, NULL, "/text/{bytes}", text_of, NULL, __FILE__, __LINE__);
    svc_app_get(app, "/stream", stream, NULL);
    return app;
}

static void tag_of(svc_app *app, const char *method, const char *target, char out[64])
{
    svc_reply *reply = ask(app, method, target, NULL);
    snprintf(out, 64, "%s", field(reply, "ETag"));
    svc_reply_free(reply);
}

Test(cache, a_body_in_memory_has_a_tag_that_changes_with_it)
{
    svc_app *app = tagging();
    char first[64], other[64];
    tag_of(app, "GET", "/text/13", first);
    /* the same in every process and release: instances behind a balancer must agree */
    cr_expect_str_eq(first, "\"I1l6-31wXntCp2njtX5rSQ\"", "%s", first);
    static const struct {
        const char *method, *target;
        bool same;
    } rows[] = {
        {"GET", "/text/13", true},           {"HEAD", "/text/13", true},
        {"GET", "/text/14", false},          {"GET", "/text/13?letter=y", false},
        {"GET", "/text/13?type=a/b", false}, {"GET", "/text/0", false},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        tag_of(app, rows[i].method, rows[i].target, other);
        cr_expect_eq(strlen(other), 24, "%s", other);
        cr_expect_eq(!strcmp(first, other), rows[i].same, "%s %s: %s", rows[i].method,
                     rows[i].target, other);
    }
    svc_app_free(app);
}

Test(cache, who_gets_no_tag)
{
    static const struct {
        const char *method, *target, *tag;
    } rows[] = {
        {"GET", "/text/13?tag=v7", "\"v7\""}, {"GET", "/text/300000?tag=v7", "\"v7\""},
        {"GET", "/text/300000", ""},          {"PUT", "/text/13", ""},
        {"GET", "/text/13?status=201", ""},   {"GET", "/stream", ""},
        {"GET", "/stream?tag=v7", "\"v7\""},  {"GET", "/none", ""},
    };
    svc_app *app = tagging();
    for (size_t i = 0; i < ROWS(rows); i++) {
        char tag[64];
        tag_of(app, rows[i].method, rows[i].target, tag);
        cr_expect_str_eq(tag, rows[i].tag, "%s %s: %s", rows[i].method, rows[i].target, tag);
    }
    svc_app_free(app);
}

static void expect_304(svc_app *app, const char *method, const char *target, const char *tag,
                       const char *length)
{
    const char *headers[] = {"If-None-Match", tag, NULL};
    svc_reply *reply = ask(app, method, target, headers);
    cr_expect_eq(svc_reply_status(reply), 304, "%s %s: %d", method, target,
                 svc_reply_status(reply));
    cr_expect_str_eq(field(reply, "ETag"), tag);
    cr_expect_str_eq(field(reply, "Content-Length"), length);
    cr_expect_str_eq(svc_reply_body(reply, NULL), "");
    svc_reply_free(reply);
}

Test(cache, a_computed_tag_and_a_stream_s_own_are_validators)
{
    svc_app *app = tagging();
    char tag[64];
    tag_of(app, "GET", "/text/1234", tag);
    expect_304(app, "GET", "/text/1234", tag, "1234");
    expect_304(app, "HEAD", "/text/1234", tag, "1234");
    cr_expect_eq(closed, 0);
    expect_304(app, "GET", "/stream?tag=v7&length", "\"v7\"", "77");
    cr_expect_eq(closed, 1);
    expect_304(app, "GET", "/stream?tag=v7", "\"v7\"", "");
    cr_expect_eq(closed, 2);
    svc_app_free(app);
}

/* ---- Asking */

static int ask_badly(svc_request *req, svc_response *res)
{
    svc_validators validators = SVC_VALIDATORS_INIT;
    if (svc_request_query(req, "size"))
        validators.size = 1;
    validators.etag = "no \"quotes\" and spaces";
    return svc_request_check_conditions(req, res, &validators)
               ? svc_response_text(res, 200, "acted")
               : 0;
}

Test(cache, a_handler_that_asks_badly_does_not_act)
{
    svc_app *app = quiet();
    svc_app_method_at(app, NULL, "/", ask_badly, NULL, __FILE__, __LINE__);
    static const char *const targets[] = {"/", "/?size"};
    for (size_t i = 0; i < ROWS(targets); i++) {
        svc_reply *reply = ask(app, "PUT", targets[i], NULL);
        cr_expect_eq(svc_reply_status(reply), 500);
        svc_reply_free(reply);
    }
    svc_app_free(app);
}

static int no_answer_to(svc_request *req, svc_response *res)
{
    svc_validators validators = SVC_VALIDATORS_INIT;
    validators.etag = "1";
    return svc_request_check_conditions(req, res, &validators) ? svc_response_empty(res, 204) : 0;
}

/* RFC 6585 3 */
Test(cache, a_route_can_demand_a_condition)
{
    static const struct {
        const char *method;
        const char *headers[5];
        int status;
    } rows[] = {
        {"PUT", {NULL}, 428},
        {"PATCH", {NULL}, 428},
        {"DELETE", {NULL}, 428},
        {"POST", {NULL}, 428},
        {"BREW", {NULL}, 428},
        {"GET", {NULL}, 204},
        {"HEAD", {NULL}, 204},
        {"OPTIONS", {NULL}, 204},
        {"PUT", {"If-Match", "\"1\""}, 204},
        {"PUT", {"If-Match", "*"}, 204},
        {"PUT", {"If-Match", "\"2\""}, 412},
        {"PUT", {"If-None-Match", "\"2\""}, 204},
        {"PUT", {"If-None-Match", "*"}, 412},
        {"PUT", {"If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"}, 428},
        {"PUT", {"If-Range", "\"1\"", "Range", "bytes=0-1"}, 428},
        /* it is one by name, but does not apply to what has no date: the write is still bare */
        {"PUT", {"If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"}, 428},
        {"PUT", {"If-Unmodified-Since", "whenever"}, 428},
    };
    svc_app *app = quiet();
    svc_conditional conditional = SVC_CONDITIONAL_INIT;
    conditional.require = true;
    svc_app_use(app, svc_conditional_new(app, &conditional));
    svc_app_method_at(app, NULL, "/", no_answer_to, NULL, __FILE__, __LINE__);
    for (size_t i = 0; i < ROWS(rows); i++) {
        svc_reply *reply = ask(app, rows[i].method, "/", rows[i].headers);
        cr_expect_eq(svc_reply_status(reply), rows[i].status, "row %zu: %d", i,
                     svc_reply_status(reply));
        if (rows[i].status == 428)
            cr_expect_str_eq(field(reply, "Cache-Control"), "no-store");
        svc_reply_free(reply);
    }
    svc_app_free(app);
}

/* ---- Validators by hand */

struct tag_row {
    const char *tag;
    bool weak;
    const char *field; /* NULL: refused */
};

static const struct tag_row tag_rows[] = {
    {"v1", false, "\"v1\""},
    {"v1", true, "W/\"v1\""},
    {"", false, "\"\""},
    {"a,b", false, "\"a,b\""},
    {"\xc3\xa9", false, "\"\xc3\xa9\""},
    {"a\"b", false, NULL},
    {"a b", false, NULL},
    {"a\r\nX: y", false, NULL},
    {NULL, false, NULL},
};

static int set_tag(svc_request *req, svc_response *res)
{
    const struct tag_row *row = &tag_rows[atoi(svc_request_query(req, "row"))];
    int error = svc_response_set_etag(res, row->tag, row->weak);
    cr_expect_eq(error, row->field ? 0 : SVC_EINVAL);
    svc_response_set_modified(res, INT64_C(253402300799));
    return svc_response_empty(res, 204);
}

Test(cache, tags_are_quoted_and_dates_are_never_of_the_future)
{
    svc_app *app = quiet();
    svc_app_get(app, "/", set_tag, NULL);
    for (size_t i = 0; i < ROWS(tag_rows); i++) {
        char target[32];
        snprintf(target, sizeof target, "/?row=%zu", i);
        svc_reply *reply = ask(app, "GET", target, NULL);
        cr_expect_str_eq(field(reply, "ETag"), tag_rows[i].field ? tag_rows[i].field : "");
        cr_expect_not_null(svc_reply_header(reply, "Last-Modified"));
        cr_expect_null(strstr(field(reply, "Last-Modified"), "9999"));
        svc_reply_free(reply);
    }
    svc_app_free(app);
}

/* ---- Cache-Control by layers */

static int simple(svc_request *req, svc_response *res)
{
    const char *said = svc_request_query(req, "say"), *status = svc_request_query(req, "status");
    if (said)
        svc_response_set_header(res, "Cache-Control", said);
    if (svc_request_query(req, "expires"))
        svc_response_set_header(res, "Expires", "0");
    if (svc_request_query(req, "cookie"))
        svc_response_add_header(res, "Set-Cookie", "a=b");
    return svc_response_text(res, status ? atoi(status) : 200, "x");
}

/* The handler has a policy of its own; `errors` also for what goes wrong. */
static int with_policy(svc_request *req, svc_response *res)
{
    const char *status = svc_request_query(req, "status");
    svc_cache_policy policy = SVC_CACHE_POLICY_INIT;
    policy.directives = SVC_CACHE_PRIVATE;
    policy.max_age_s = 5;
    policy.errors = svc_request_query(req, "errors") != NULL;
    policy.vary = "Origin";
    int error = svc_response_set_cache_control(res, &policy);
    return error ? error : svc_response_text(res, status ? atoi(status) : 200, "x");
}

static int fails(svc_request *req, svc_response *res)
{
    (void)req;
    svc_response_set_header(res, "Cache-Control", "public, max-age=99");
    return SVC_ENOMEM;
}

static void add_routes(svc_app *app, svc_group *inner)
{
    svc_app_method_at(app, NULL, "/simple", simple, NULL, __FILE__, __LINE__);
    svc_app_method_at(app, NULL, "/policy", with_policy, NULL, __FILE__, __LINE__);
    svc_app_get(app, "/fails", fails, NULL);
    svc_group_get(inner, "/simple", simple, NULL);
}

static svc_app *layered(void)
{
    svc_app *app = quiet();
    svc_cache_policy outer = SVC_CACHE_POLICY_INIT, inner = SVC_CACHE_POLICY_INIT;
    outer.directives = SVC_CACHE_PUBLIC;
    outer.max_age_s = 60;
    outer.vary = "Accept-Encoding";
    inner.directives = SVC_CACHE_NO_CACHE;
    inner.vary = "Accept, accept-encoding";
    inner.errors = inner.personal = true;
    svc_app_use(app, svc_cache_control_new(app, &outer));
    svc_group *group = svc_app_group(app, "/inner");
    svc_group_use(group, svc_cache_control_new(app, &inner));
    add_routes(app, group);
    return app;
}

#define AUTHORIZED                                                                                 \
    {                                                                                              \
        "Authorization", "Basic eDp5"                                                              \
    }

Test(cache, the_handler_wins_over_the_route_and_that_over_the_app)
{
    static const struct {
        const char *method, *target;
        const char *headers[3];
        const char *said, *vary;
    } rows[] = {
        {"GET", "/simple", {NULL}, "public, max-age=60", "Accept-Encoding"},
        {"HEAD", "/simple", {NULL}, "public, max-age=60", "Accept-Encoding"},
        {"POST", "/simple", {NULL}, "", ""},
        {"PUT", "/simple", {NULL}, "", ""},
        {"OPTIONS", "/fails", {NULL}, "", ""},
        {"GET", "/simple?say=no-cache", {NULL}, "no-cache", "Accept-Encoding"},
        {"GET", "/simple?expires", {NULL}, "", "Accept-Encoding"},
        {"GET", "/simple?status=301", {NULL}, "public, max-age=60", "Accept-Encoding"},
        {"GET", "/simple/", {NULL}, "no-store", "Accept"},
        {"GET", "//simple", {NULL}, "public, max-age=60", "Accept-Encoding"},
        {"GET", "/inner/simple", {NULL}, "no-cache", "Accept, accept-encoding"},
        {"GET", "/policy", {NULL}, "private, max-age=5", "Origin, Accept-Encoding"},
        {"POST", "/policy", {NULL}, "private, max-age=5", "Origin"},
        /* errors are no-store, unless said otherwise for errors */
        {"GET", "/none", {NULL}, "no-store", "Accept"},
        {"PUT", "/fails", {NULL}, "no-store", "Accept"},
        {"GET", "/fails", {NULL}, "no-store", "Accept"},
        {"BREW", "/fails", {NULL}, "no-store", "Accept"},
        {"GET", "/simple?status=404", {NULL}, "no-store", ""},
        {"POST", "/simple?status=503", {NULL}, "no-store", ""},
        {"GET", "/simple?status=404&say=max-age%3D99&expires", {NULL}, "no-store", ""},
        {"GET", "/policy?status=404", {NULL}, "no-store", "Origin"},
        {"GET",
         "/policy?status=404&errors",
         {NULL},
         "private, max-age=5",
         "Origin, Accept, Accept-Encoding"},
        {"GET", "/inner/simple?status=404", {NULL}, "no-store", "Accept, accept-encoding"},
        /* so is what may be one client's own */
        {"GET", "/simple", AUTHORIZED, "no-store", "Accept-Encoding"},
        {"GET", "/simple?cookie", {NULL}, "no-store", "Accept-Encoding"},
        {"GET", "/simple?say=public", AUTHORIZED, "public", "Accept-Encoding"},
        {"GET", "/policy", AUTHORIZED, "private, max-age=5", "Origin, Accept-Encoding"},
        {"GET", "/inner/simple", AUTHORIZED, "no-cache", "Accept, accept-encoding"},
        {"GET", "/inner/simple?cookie", {NULL}, "no-cache", "Accept, accept-encoding"},
    };
    svc_app *app = layered();
    for (size_t i = 0; i < ROWS(rows); i++) {
        svc_reply *reply = ask(app, rows[i].method, rows[i].target, rows[i].headers);
        cr_expect_str_eq(field(reply, "Cache-Control"), rows[i].said, "%s %s: %s", rows[i].method,
                         rows[i].target, field(reply, "Cache-Control"));
        cr_expect_str_eq(field(reply, "Vary"), rows[i].vary, "%s %s: %s", rows[i].method,
                         rows[i].target, field(reply, "Vary"));
        cr_expect_leq(count_fields(reply, "Cache-Control"), 1);
        cr_expect(strcmp(field(reply, "Cache-Control"), "no-store") ||
                  !svc_reply_header(reply, "Expires"));
        svc_reply_free(reply);
    }
    svc_app_free(app);
}

/* ---- Every directive */

struct policy_row {
    unsigned directives;
    int64_t seconds[4]; /* max-age, s-maxage, stale-while-revalidate, stale-if-error */
    const char *said;   /* NULL: refused */
};

static const struct policy_row policy_rows[] = {
    {SVC_CACHE_PUBLIC, {-1, -1, -1, -1}, "public"},
    {SVC_CACHE_PRIVATE, {-1, -1, -1, -1}, "private"},
    {SVC_CACHE_NO_STORE, {-1, -1, -1, -1}, "no-store"},
    {SVC_CACHE_NO_CACHE, {-1, -1, -1, -1}, "no-cache"},
    {SVC_CACHE_NO_TRANSFORM, {-1, -1, -1, -1}, "no-transform"},
    {SVC_CACHE_MUST_REVALIDATE, {0, -1, -1, -1}, "must-revalidate, max-age=0"},
    {SVC_CACHE_PROXY_REVALIDATE, {1, -1, -1, -1}, "proxy-revalidate, max-age=1"},
    {SVC_CACHE_MUST_UNDERSTAND, {5, -1, -1, -1}, "no-store, must-understand, max-age=5"},
    {SVC_CACHE_IMMUTABLE | SVC_CACHE_PUBLIC,
     {31536000, -1, -1, -1},
     "public, immutable, max-age=31536000"},
    {0,
     {60, 600, 30, 86400},
     "max-age=60, s-maxage=600, stale-while-revalidate=30, "
     "stale-if-error=86400"},
    {0, {INT64_MAX, -1, -1, -1}, "max-age=2147483648"},
    {SVC_CACHE_PUBLIC | SVC_CACHE_PRIVATE, {-1, -1, -1, -1}, NULL},
    {SVC_CACHE_PRIVATE, {-1, 5, -1, -1}, NULL},
    {SVC_CACHE_ONLY_IF_CACHED, {-1, -1, -1, -1}, NULL},
    {1U << 20, {-1, -1, -1, -1}, NULL},
    {0, {-2, -1, -1, -1}, NULL},
};

static svc_cache_policy policy_of(const struct policy_row *row)
{
    svc_cache_policy policy = SVC_CACHE_POLICY_INIT;
    policy.directives = row->directives;
    policy.max_age_s = row->seconds[0];
    policy.s_maxage_s = row->seconds[1];
    policy.stale_while_revalidate_s = row->seconds[2];
    policy.stale_if_error_s = row->seconds[3];
    return policy;
}

static int say_row(svc_request *req, svc_response *res)
{
    const struct policy_row *row = &policy_rows[atoi(svc_request_query(req, "row"))];
    svc_cache_policy policy = policy_of(row);
    cr_expect_eq(svc_response_set_cache_control(res, &policy), row->said ? 0 : SVC_EINVAL);
    return svc_response_empty(res, 204);
}

Test(cache, policies_are_said_in_words)
{
    svc_app *app = quiet();
    svc_app_get(app, "/", say_row, NULL);
    for (size_t i = 0; i < ROWS(policy_rows); i++) {
        char target[32];
        snprintf(target, sizeof target, "/?row=%zu", i);
        svc_reply *reply = ask(app, "GET", target, NULL);
        cr_expect_str_eq(field(reply, "Cache-Control"),
                         policy_rows[i].said ? policy_rows[i].said : "");
        svc_reply_free(reply);
    }
    svc_app_free(app);
}

Test(cache, a_bad_policy_refuses_the_start)
{
    for (size_t i = 0; i < ROWS(policy_rows); i++) {
        svc_app *app = quiet();
        svc_cache_policy policy = policy_of(&policy_rows[i]);
        const svc_middleware *layer = svc_cache_control_new(app, &policy);
        cr_expect_eq(layer != NULL, policy_rows[i].said != NULL, "row %zu", i);
        cr_expect_eq(!*svc_app_errors(app), policy_rows[i].said != NULL);
        svc_app_free(app);
    }
    svc_app *app = quiet();
    svc_cache_policy policy = SVC_CACHE_POLICY_INIT;
    policy.vary = "no name";
    cr_expect_null(svc_cache_control_new(app, &policy));
    cr_expect_null(svc_cache_control_new(app, NULL));
    svc_conditional conditional = {0};
    cr_expect_null(svc_conditional_new(app, &conditional));
    cr_expect_eq(svc_app_use(app, NULL), SVC_EINVAL);
    cr_expect_null(svc_app_test_get(app, "/"));
    svc_app_free(app);
}

Test(cache, layers_are_made_before_the_start)
{
    svc_app *app = quiet();
    svc_app_get(app, "/", simple, NULL);
    svc_reply_free(ask(app, "GET", "/", NULL));
    svc_cache_policy policy = SVC_CACHE_POLICY_INIT;
    cr_expect_null(svc_cache_control_new(app, &policy));
    cr_expect_null(svc_conditional_new(app, NULL));
    svc_app_free(app);
}

/* ---- Expires and Age */

static int64_t seconds_of(const char *imf)
{
    struct tm parts = {0};
    cr_assert_not_null(strptime(imf, "%a, %d %b %Y %H:%M:%S GMT", &parts), "%s", imf);
    return timegm(&parts);
}

/* By the clock that is asked for the field: time() may lag behind it. */
static int64_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

Test(cache, expires_is_now_and_the_age_where_old_caches_may_know)
{
    static const struct {
        unsigned directives;
        int64_t max_age_s;
        int64_t ahead; /* -1: no Expires */
    } rows[] = {
        {SVC_CACHE_PUBLIC, 3600, 3600}, {SVC_CACHE_PUBLIC, -1, -1},  {SVC_CACHE_PRIVATE, 3600, 0},
        {SVC_CACHE_NO_CACHE, 3600, 0},  {SVC_CACHE_NO_STORE, -1, 0},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        svc_app *app = quiet();
        svc_cache_policy policy = SVC_CACHE_POLICY_INIT;
        policy.directives = rows[i].directives;
        policy.max_age_s = rows[i].max_age_s;
        policy.expires = true;
        svc_app_use(app, svc_cache_control_new(app, &policy));
        svc_app_get(app, "/simple", simple, NULL);
        int64_t before = now_s();
        svc_reply *reply = ask(app, "GET", "/simple", NULL);
        int64_t after = now_s();
        const char *expires = svc_reply_header(reply, "Expires");
        cr_expect_eq(expires != NULL, rows[i].ahead >= 0, "row %zu", i);
        int64_t ahead = expires ? seconds_of(expires) : 0;
        cr_expect(!expires || (ahead >= before + rows[i].ahead && ahead <= after + rows[i].ahead),
                  "row %zu: %s", i, expires);
        svc_reply_free(reply);
        svc_app_free(app);
    }
}

static int aged(svc_request *req, svc_response *res)
{
    svc_response_set_age(res, strtoull(svc_request_query(req, "age"), NULL, 10));
    return svc_response_empty(res, 204);
}

Test(cache, age_is_told_for_what_comes_out_of_a_cache)
{
    static const char *const rows[][2] = {
        {"/?age=0", "0"}, {"/?age=77", "77"}, {"/?age=18446744073709551615", "2147483648"}};
    svc_app *app = quiet();
    svc_app_get(app, "/", aged, NULL);
    for (size_t i = 0; i < ROWS(rows); i++) {
        svc_reply *reply = ask(app, "GET", rows[i][0], NULL);
        cr_expect_str_eq(field(reply, "Age"), rows[i][1]);
        svc_reply_free(reply);
    }
    svc_app_free(app);
}

/* ---- Vary */

struct vary_row {
    const char *before[3]; /* fields that are there */
    const char *added[3];
    const char *vary; /* all of them */
    int error;        /* of the last one added */
};

static const struct vary_row vary_rows[] = {
    {{NULL}, {"Origin"}, "Origin", 0},
    {{NULL}, {"Origin", "Accept"}, "Origin, Accept", 0},
    {{NULL}, {"Origin", "ORIGIN"}, "Origin", 0},
    {{NULL}, {"Origin, Accept"}, "Origin, Accept", 0},
    {{NULL}, {" ,Origin,, Accept,"}, "Origin, Accept", 0},
    {{NULL}, {"Origin, origin"}, "Origin", 0},
    {{NULL}, {"*"}, "*", 0},
    {{NULL}, {"Origin", "*"}, "*", 0},
    {{NULL}, {"*", "Origin"}, "*", 0},
    {{NULL}, {"Origin, *"}, "*", 0},
    {{"Accept"}, {"Origin"}, "Accept, Origin", 0},
    {{"Accept", "Cookie"}, {"Origin"}, "Accept, Cookie, Origin", 0},
    {{"Accept", "Cookie"}, {"cookie, Origin"}, "Accept, Cookie, Origin", 0},
    {{"*"}, {"Origin"}, "*", 0},
    {{"Accept", "*"}, {"Origin"}, "Accept", 0}, /* the second field still says `*` */
    {{"Accept-Encoding"}, {"Accept"}, "Accept-Encoding, Accept", 0},
    {{NULL}, {""}, "", SVC_EINVAL},
    {{NULL}, {","}, "", SVC_EINVAL},
    {{NULL}, {"a b"}, "", SVC_EINVAL},
    {{NULL}, {"Origin", "a\r\nb"}, "Origin", SVC_EINVAL},
};

static int vary(svc_request *req, svc_response *res)
{
    const struct vary_row *row = &vary_rows[atoi(svc_request_query(req, "row"))];
    for (size_t i = 0; row->before[i]; i++)
        svc_response_add_header(res, "vary", row->before[i]);
    int error = 0;
    for (size_t i = 0; row->added[i]; i++)
        error = svc_response_add_vary(res, row->added[i]);
    cr_expect_eq(error, row->error, "%s", row->vary);
    return svc_response_empty(res, 204);
}

Test(cache, vary_is_merged)
{
    svc_app *app = quiet();
    svc_app_get(app, "/", vary, NULL);
    for (size_t i = 0; i < ROWS(vary_rows); i++) {
        char target[32];
        snprintf(target, sizeof target, "/?row=%zu", i);
        svc_reply *reply = ask(app, "GET", target, NULL);
        cr_expect_str_eq(field(reply, "Vary"), vary_rows[i].vary, "row %zu", i);
        svc_reply_free(reply);
    }
    svc_app_free(app);
}

/* ---- What a request asks of caches */

static int wish(svc_request *req, svc_response *res)
{
    svc_cache_wish wish = SVC_CACHE_WISH_INIT;
    cr_expect_eq(svc_request_cache_control(req, &wish), 0);
    char text[256];
    snprintf(text, sizeof text, "%u %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64, wish.directives,
             wish.max_age_s, wish.max_stale_s, wish.min_fresh_s, wish.stale_if_error_s);
    wish.size = 0;
    cr_expect_eq(svc_request_cache_control(req, &wish), SVC_EINVAL);
    return svc_response_text(res, 200, text);
}

Test(cache, a_request_s_wishes_are_read)
{
    static const struct {
        const char *headers[5];
        const char *wish;
    } rows[] = {
        {{NULL}, "0 -1 -1 -1 -1"},
        {{"Cache-Control", "no-cache"}, "8 -1 -1 -1 -1"},
        {{"Cache-Control", "max-age=0"}, "0 0 -1 -1 -1"},
        {{"Cache-Control", "max-age=10, min-fresh=5, max-stale=7, stale-if-error=9"}, "0 10 7 5 9"},
        {{"Cache-Control", "max-stale"}, "0 -1 9223372036854775807 -1 -1"},
        {{"Cache-Control", "no-store", "cache-control", "only-if-cached, max-age=1"},
         "516 1 -1 -1 -1"},
        {{"Cache-Control", "public, immutable, broken=,"}, "0 -1 -1 -1 -1"},
    };
    svc_app *app = quiet();
    svc_app_get(app, "/", wish, NULL);
    for (size_t i = 0; i < ROWS(rows); i++) {
        svc_reply *reply = ask(app, "GET", "/", rows[i].headers);
        cr_expect_str_eq(svc_reply_body(reply, NULL), rows[i].wish, "row %zu", i);
        svc_reply_free(reply);
    }
    svc_app_free(app);
}
