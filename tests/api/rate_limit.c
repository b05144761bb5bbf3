/* Rate limits: who is counted with whom, what a refused client reads, and what set-up says. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

#include "tests/support/test_clock.h"

/* Nothing comes back while a test runs. */
TestSuite(rate_limit, .init = test_clock_stop);

SVC_KEY_DECLARE(limited_subject, char)
SVC_KEY_DEFINE(limited_subject)

static const uint32_t day_s = 86400;
static int handled; /* requests that reached the handler */

static int handler(svc_request *req, svc_response *res)
{
    (void)req;
    handled++;
    return svc_response_text(res, 200, "served");
}

static svc_app *new_app(void)
{
    svc_app *app = svc_app_new("limited");
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = 0;
    svc_app_configure(app, &config);
    svc_app_get(app, "/a", handler, NULL);
    svc_app_get(app, "/b/{id}", handler, NULL);
    svc_app_post(app, "/post", handler, NULL);
    return app;
}

/* So slow that what is left shows in the whole seconds of a day. */
static svc_rate_limit slow(uint64_t burst)
{
    svc_rate_limit limit = SVC_RATE_LIMIT_INIT;
    limit.rate = 1;
    limit.period_s = day_s;
    limit.burst = burst;
    return limit;
}

static svc_app *limited_app(const svc_rate_limit *limit)
{
    svc_app *app = new_app();
    svc_app_use(app, svc_rate_limit_new(app, limit));
    return app;
}

static svc_reply *ask(svc_app *app, const char *target, const char *name, const char *value)
{
    const char *const headers[] = {name, value, NULL};
    svc_test test = SVC_TEST_INIT;
    test.target = target;
    test.headers = headers;
    svc_reply *reply = svc_app_test(app, &test);
    cr_assert(reply, "%s", svc_app_errors(app));
    return reply;
}

static int status_with(svc_app *app, const char *target, const char *name, const char *value)
{
    svc_reply *reply = ask(app, target, name, value);
    int status = svc_reply_status(reply);
    svc_reply_free(reply);
    return status;
}

static int status(svc_app *app, const char *target)
{
    return status_with(app, target, NULL, NULL);
}

static void expect_header(const svc_reply *reply, const char *name, const char *wanted)
{
    const char *value = svc_reply_header(reply, name);
    if (wanted)
        cr_expect(value && !strcmp(value, wanted), "%s: %s", name, value ? value : "(none)");
    else
        cr_expect_null(value, "%s: %s", name, value);
}

/* ---- The refusal */

Test(rate_limit, what_is_over_the_burst_is_refused_with_429)
{
    svc_rate_limit limit = slow(3);
    svc_app *app = limited_app(&limit);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(status(app, "/a"), 200);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(status(app, "/a"), 429);
    cr_expect_eq(handled, 3);
    svc_app_free(app);
}

Test(rate_limit, a_refusal_tells_the_policy_and_when_to_come_back)
{
    svc_rate_limit limit = slow(1);
    svc_app *app = limited_app(&limit);
    status(app, "/a");
    svc_reply *reply = ask(app, "/a", NULL, NULL);
    expect_header(reply, "Content-Type", "application/problem+json");
    expect_header(reply, "Retry-After", "86400");
    expect_header(reply, "RateLimit-Policy", "\"default\";q=1;w=86400");
    expect_header(reply, "RateLimit", "\"default\";r=0;t=86400");
    expect_header(reply, "X-RateLimit-Limit", NULL);
    json_t *problem = json_loads(svc_reply_body(reply, NULL), 0, NULL);
    const char *type, *title, *policy;
    int code;
    cr_assert_eq(json_unpack(problem, "{s:s,s:s,s:i,s:[s!]!}", "type", &type, "title", &title,
                             "status", &code, "violated-policies", &policy),
                 0, "%s", svc_reply_body(reply, NULL));
    cr_expect_str_eq(type, "https://iana.org/assignments/http-problem-types#quota-exceeded");
    cr_expect_eq(code, 429);
    cr_expect_str_eq(policy, "default");
    json_decref(problem);
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(rate_limit, a_client_that_takes_no_json_reads_text)
{
    svc_rate_limit limit = slow(1);
    svc_app *app = limited_app(&limit);
    status(app, "/a");
    svc_reply *reply = ask(app, "/a", "Accept", "text/html");
    cr_expect_eq(svc_reply_status(reply), 429);
    expect_header(reply, "Content-Type", "text/plain; charset=utf-8");
    expect_header(reply, "Retry-After", "86400");
    cr_expect_str_eq(svc_reply_body(reply, NULL), "Too Many Requests\n");
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(rate_limit, a_refusal_comes_before_the_body_is_looked_at)
{
    svc_rate_limit limit = slow(1);
    svc_app *app = limited_app(&limit);
    svc_test test = SVC_TEST_INIT;
    static char body[100000];
    static const char *const large[] = {"Content-Length", "9000000", NULL};
    test.method = "POST";
    test.target = "/post";
    test.body = body;
    test.body_len = sizeof body;
    svc_reply_free(svc_app_test(app, &test));
    test.headers = large; /* over max_body_bytes, which would be a 413 */
    svc_reply *reply = svc_app_test(app, &test);
    cr_expect_eq(handled, 1);
    cr_expect_eq(svc_reply_status(reply), 429);
    svc_reply_free(reply);
    test.headers = NULL;
    reply = svc_app_test(app, &test);
    cr_expect_eq(svc_reply_status(reply), 429);
    cr_expect_eq(handled, 1);
    svc_reply_free(reply);
    svc_app_free(app);
}

/* ---- Fields */

Test(rate_limit, passing_replies_have_fields_when_asked_for)
{
    svc_rate_limit limit = slow(2);
    limit.flags = SVC_RATE_FIELDS_ALWAYS | SVC_RATE_X_FIELDS;
    svc_app *app = limited_app(&limit);
    svc_reply *reply = ask(app, "/a", NULL, NULL);
    expect_header(reply, "Retry-After", NULL);
    expect_header(reply, "RateLimit-Policy", "\"default\";q=2;w=172800");
    expect_header(reply, "RateLimit", "\"default\";r=1;t=86400");
    expect_header(reply, "X-RateLimit-Limit", "2");
    expect_header(reply, "X-RateLimit-Remaining", "1");
    expect_header(reply, "X-RateLimit-Reset", "86400");
    svc_reply_free(reply);
    reply = ask(app, "/nowhere", NULL, NULL);
    cr_expect_eq(svc_reply_status(reply), 404, "also on the library's own answers");
    expect_header(reply, "RateLimit", "\"default\";r=0;t=86400");
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(rate_limit, passing_replies_have_no_fields_otherwise)
{
    svc_rate_limit limit = slow(2);
    limit.flags = SVC_RATE_X_FIELDS;
    svc_app *app = limited_app(&limit);
    svc_reply *reply = ask(app, "/a", NULL, NULL);
    expect_header(reply, "RateLimit", NULL);
    expect_header(reply, "RateLimit-Policy", NULL);
    expect_header(reply, "X-RateLimit-Limit", NULL);
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(rate_limit, draft_fields_can_be_left_out)
{
    svc_rate_limit limit = slow(1);
    limit.flags = SVC_RATE_NO_DRAFT_FIELDS | SVC_RATE_X_FIELDS;
    svc_app *app = limited_app(&limit);
    status(app, "/a");
    svc_reply *reply = ask(app, "/a", NULL, NULL);
    cr_expect_eq(svc_reply_status(reply), 429);
    expect_header(reply, "RateLimit", NULL);
    expect_header(reply, "RateLimit-Policy", NULL);
    expect_header(reply, "Retry-After", "86400");
    expect_header(reply, "X-RateLimit-Remaining", "0");
    svc_reply_free(reply);
    svc_app_free(app);
}

/* ---- Several windows */

static const svc_rate_window windows[] = {
    {"minute", 1, 60, 5}, {"day", 1, 86400, 3}, {"year", 1000000, 31536000, 0}};

static svc_rate_limit several(void)
{
    svc_rate_limit limit = SVC_RATE_LIMIT_INIT;
    limit.windows = windows;
    limit.window_count = 3;
    limit.flags = SVC_RATE_FIELDS_ALWAYS;
    return limit;
}

Test(rate_limit, all_windows_must_pass_and_a_refusal_charges_none)
{
    svc_rate_limit limit = several();
    svc_app *app = limited_app(&limit);
    for (int i = 0; i < 2; i++)
        status(app, "/a");
    svc_reply *reply = ask(app, "/a", NULL, NULL);
    expect_header(reply, "RateLimit-Policy",
                  "\"minute\";q=5;w=300, \"day\";q=3;w=259200, \"year\";q=1000000;w=31536000");
    expect_header(reply, "RateLimit",
                  "\"minute\";r=2;t=60, \"day\";r=0;t=86400, \"year\";r=999997;t=32");
    svc_reply_free(reply);
    for (int i = 0; i < 100; i++)
        cr_expect_eq(status(app, "/a"), 429);
    reply = ask(app, "/a", NULL, NULL);
    expect_header(reply, "RateLimit", "\"day\";r=0;t=86400");
    cr_expect(strstr(svc_reply_body(reply, NULL), "\"violated-policies\":[\"day\"]"));
    svc_reply_free(reply);
    svc_app_free(app);
}

static uint32_t cost_by_header(svc_request *req, void *arg)
{
    const char *cost = svc_request_header(req, "Cost");
    (void)arg;
    return cost ? (uint32_t)strtoul(cost, NULL, 10) : 1;
}

Test(rate_limit, several_windows_that_refuse_are_all_named)
{
    svc_rate_limit limit = several();
    limit.cost_of = cost_by_header;
    limit.flags = SVC_RATE_X_FIELDS;
    svc_app *app = limited_app(&limit);
    status(app, "/a");
    svc_reply *reply = ask(app, "/a", "Cost", "5");
    cr_expect_eq(svc_reply_status(reply), 429);
    expect_header(reply, "RateLimit", "\"minute\";r=4;t=60, \"day\";r=2;t=86400");
    expect_header(reply, "Retry-After", NULL);
    expect_header(reply, "X-RateLimit-Limit", "3");
    cr_expect(strstr(svc_reply_body(reply, NULL), "\"violated-policies\":[\"minute\",\"day\"]"));
    svc_reply_free(reply);
    svc_app_free(app);
}

/* ---- Cost */

Test(rate_limit, a_cost_is_what_a_request_takes)
{
    svc_rate_limit limit = slow(10);
    limit.cost = 4;
    svc_app *app = limited_app(&limit);
    cr_expect_eq(status(app, "/a"), 200);
    cr_expect_eq(status(app, "/a"), 200);
    cr_expect_eq(status(app, "/a"), 429);
    svc_app_free(app);
}

Test(rate_limit, a_cost_of_nothing_only_looks)
{
    svc_rate_limit limit = slow(1);
    limit.cost = 0;
    limit.flags = SVC_RATE_FIELDS_ALWAYS;
    svc_app *app = limited_app(&limit);
    for (int i = 0; i < 10; i++) {
        svc_reply *reply = ask(app, "/a", NULL, NULL);
        expect_header(reply, "RateLimit", "\"default\";r=1");
        svc_reply_free(reply);
    }
    svc_app_free(app);
}

Test(rate_limit, a_request_may_say_its_cost)
{
    svc_rate_limit limit = slow(10);
    limit.cost_of = cost_by_header;
    svc_app *app = limited_app(&limit);
    cr_expect_eq(status_with(app, "/a", "Cost", "7"), 200);
    cr_expect_eq(status_with(app, "/a", "Cost", "4"), 429);
    cr_expect_eq(status_with(app, "/a", "Cost", "0"), 200);
    cr_expect_eq(status_with(app, "/a", "Cost", "3"), 200);
    svc_reply *reply = ask(app, "/a", "Cost", "11");
    cr_expect_eq(svc_reply_status(reply), 429);
    expect_header(reply, "Retry-After", NULL);
    svc_reply_free(reply);
    cr_expect_eq(status_with(app, "/a", "Cost", "4294967295"), 429);
    cr_expect_eq(status_with(app, "/a", "Cost", "0"), 200);
    svc_app_free(app);
}

/* ---- Keys */

Test(rate_limit, by_header_each_value_is_counted_by_itself)
{
    svc_rate_limit limit = slow(1);
    limit.header = "X-Api-Key";
    svc_app *app = limited_app(&limit);
    cr_expect_eq(status_with(app, "/a", "x-api-key", "one"), 200);
    cr_expect_eq(status_with(app, "/a", "X-API-Key", "one"), 429);
    cr_expect_eq(status_with(app, "/a", "X-Api-Key", "two"), 200);
    cr_expect_eq(status_with(app, "/a", "X-Api-Key", ""), 200, "as if absent");
    cr_expect_eq(status(app, "/a"), 429, "absent: the client is counted");
    cr_expect_eq(status_with(app, "/a", "X-Api-Key", "test"), 200);
    svc_app_free(app);
}

Test(rate_limit, by_route_each_pattern_is_counted_by_itself)
{
    svc_rate_limit limit = slow(1);
    limit.flags = SVC_RATE_BY_ROUTE;
    svc_app *app = limited_app(&limit);
    cr_expect_eq(status(app, "/b/1"), 200);
    cr_expect_eq(status(app, "/b/2"), 429);
    cr_expect_eq(status(app, "/a"), 200);
    cr_expect_eq(status(app, "/none"), 404);
    cr_expect_eq(status(app, "/nothing"), 429);
    svc_app_free(app);
}

Test(rate_limit, parts_of_a_key_multiply)
{
    svc_rate_limit limit = slow(1);
    limit.flags = SVC_RATE_BY_ROUTE | SVC_RATE_BY_CLIENT;
    limit.header = "Tenant";
    svc_app *app = limited_app(&limit);
    cr_expect_eq(status_with(app, "/a", "Tenant", "x"), 200);
    cr_expect_eq(status_with(app, "/a", "Tenant", "x"), 429);
    cr_expect_eq(status_with(app, "/a", "Tenant", "y"), 200);
    cr_expect_eq(status_with(app, "/b/1", "Tenant", "x"), 200);
    cr_expect_eq(status_with(app, "/b/1", "Tenant", "x"), 429);
    svc_app_free(app);
}

static int authenticate(svc_request *req, svc_response *res, const svc_layer *layer)
{
    const char *user = svc_request_header(req, "User");
    (void)res, (void)layer;
    bool known = limited_subject_get(req) != NULL;
    return user && !known ? limited_subject_set(req, (char *)(uintptr_t)user) : SVC_PASS;
}

Test(rate_limit, by_subject_whoever_a_layer_further_out_has_found)
{
    static const svc_middleware layer = {
        .size = sizeof layer, .name = "authenticate", .on_request = authenticate};
    svc_rate_limit limit = slow(1);
    limit.subject = &limited_subject_key;
    svc_app *app = new_app();
    svc_app_use(app, &layer);
    svc_app_use(app, svc_rate_limit_new(app, &limit));
    cr_expect_eq(status_with(app, "/a", "User", "ada"), 200);
    cr_expect_eq(status_with(app, "/a", "User", "ada"), 429);
    cr_expect_eq(status_with(app, "/a", "User", "bob"), 200);
    cr_expect_eq(status(app, "/a"), 200, "nobody: the client is counted");
    cr_expect_eq(status(app, "/a"), 429);
    svc_app_free(app);
}

static const char *key_of_id(svc_request *req, void *arg)
{
    const char *id = svc_request_param(req, "id");
    cr_expect_str_eq(arg, "mine");
    return id;
}

Test(rate_limit, by_function_and_null_is_not_counted)
{
    static char arg[] = "mine";
    svc_rate_limit limit = slow(1);
    limit.key = key_of_id;
    limit.arg = arg;
    svc_app *app = limited_app(&limit);
    cr_expect_eq(status(app, "/b/1"), 200);
    cr_expect_eq(status(app, "/b/1"), 429);
    cr_expect_eq(status(app, "/b/2"), 200);
    for (int i = 0; i < 10; i++)
        cr_expect_eq(status(app, "/a"), 200);
    svc_app_free(app);
}

/* ---- Modes and policies */

Test(rate_limit, report_only_refuses_nobody)
{
    svc_rate_limit limit = slow(1);
    limit.flags = SVC_RATE_REPORT_ONLY | SVC_RATE_FIELDS_ALWAYS;
    svc_app *app = limited_app(&limit);
    for (int i = 0; i < 5; i++) {
        svc_reply *reply = ask(app, "/a", NULL, NULL);
        cr_expect_eq(svc_reply_status(reply), 200);
        expect_header(reply, "RateLimit", "\"default\";r=0;t=86400");
        expect_header(reply, "Retry-After", NULL);
        svc_reply_free(reply);
    }
    cr_expect_eq(handled, 5);
    svc_app_free(app);
}

static int ask_ninth(unsigned flags)
{
    svc_rate_limit limit = slow(1);
    limit.header = "Key";
    limit.memory = 64; /* one bucket: eight keys */
    limit.flags = flags;
    svc_app *app = limited_app(&limit);
    char key[2] = "a";
    for (; key[0] < 'a' + 8; key[0]++) {
        cr_expect_eq(status_with(app, "/a", "Key", key), 200);
        cr_expect_eq(status_with(app, "/a", "Key", key), 429);
    }
    int ninth = status_with(app, "/a", "Key", key);
    cr_expect_eq(status_with(app, "/a", "Key", "c"), 429, "the others are counted as ever");
    svc_app_free(app);
    return ninth;
}

Test(rate_limit, a_full_table_admits_new_keys_or_refuses_them)
{
    cr_expect_eq(ask_ninth(0), 200);
    cr_expect_eq(ask_ninth(SVC_RATE_REFUSE_WHEN_FULL), 429);
}

/* ---- Where it stands */

Test(rate_limit, stands_on_groups_and_routes_and_counts_its_places_together)
{
    svc_rate_limit limit = slow(3);
    svc_app *app = new_app();
    const svc_middleware *shared = svc_rate_limit_new(app, &limit);
    const svc_middleware *const layers[] = {shared, NULL};
    svc_group *group = svc_app_group(app, "/g");
    svc_group_use(group, shared);
    svc_group_get(group, "/x", handler, NULL);
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "GET /single";
    route.handler = handler;
    route.middleware = layers;
    svc_app_route(app, &route);
    cr_expect_eq(status(app, "/g/x"), 200);
    cr_expect_eq(status(app, "/single"), 200);
    cr_expect_eq(status(app, "/g/x"), 200);
    cr_expect_eq(status(app, "/single"), 429);
    cr_expect_eq(status(app, "/g/x"), 429);
    cr_expect_eq(status(app, "/a"), 200, "outside of it");
    svc_app_free(app);
}

Test(rate_limit, two_limits_of_one_app_are_apart)
{
    svc_rate_limit outer = slow(5), inner = slow(2);
    svc_app *app = new_app();
    svc_app_use(app, svc_rate_limit_new(app, &outer));
    svc_group *group = svc_app_group(app, "/g");
    svc_group_use(group, svc_rate_limit_new(app, &inner));
    svc_group_get(group, "/x", handler, NULL);
    cr_expect_eq(status(app, "/g/x"), 200);
    cr_expect_eq(status(app, "/g/x"), 200);
    cr_expect_eq(status(app, "/g/x"), 429);
    cr_expect_eq(status(app, "/a"), 200);
    cr_expect_eq(status(app, "/a"), 200);
    cr_expect_eq(status(app, "/a"), 429, "the outer one has counted what the inner refused");
    svc_app_free(app);
}

static svc_reply *ask_twice(svc_app *app)
{
    svc_reply_free(ask(app, "/a", NULL, NULL));
    return ask(app, "/a", NULL, NULL);
}

static void expect_nth(const svc_reply *reply, const char *name, size_t n, const char *wanted)
{
    const char *seen, *value;
    for (size_t i = 0; !svc_reply_header_at(reply, i, &seen, &value); i++)
        if (!strcmp(seen, name) && n-- == 0) {
            cr_expect_str_eq(value, wanted);
            return;
        }
    cr_expect_null(wanted, "%s", name);
}

Test(rate_limit, the_fields_of_two_limits_stand_beside_each_other)
{
    svc_rate_limit outer = several(), inner = slow(1);
    outer.flags = inner.flags = SVC_RATE_FIELDS_ALWAYS | SVC_RATE_X_FIELDS;
    outer.window_count = 1;
    svc_app *app = new_app();
    svc_app_use(app, svc_rate_limit_new(app, &outer));
    svc_app_use(app, svc_rate_limit_new(app, &inner));
    svc_reply *reply = ask_twice(app);
    cr_expect_eq(svc_reply_status(reply), 429);
    expect_nth(reply, "RateLimit-Policy", 0, "\"default\";q=1;w=86400");
    expect_nth(reply, "RateLimit-Policy", 1, "\"minute\";q=5;w=300");
    expect_nth(reply, "RateLimit", 0, "\"default\";r=0;t=86400");
    expect_nth(reply, "RateLimit", 1, "\"minute\";r=3;t=60");
    expect_nth(reply, "X-RateLimit-Remaining", 0, "0");
    expect_nth(reply, "X-RateLimit-Remaining", 1, NULL);
    expect_header(reply, "Retry-After", "86400");
    svc_reply_free(reply);
    svc_app_free(app);
}

/* ---- Set-up */

struct mistake {
    svc_rate_limit limit;
    const char *named; /* in the set-up errors */
};

static const char *const bad_networks[] = {"10.0.0.0/8", "10.0.0.1/8", NULL};
static const svc_rate_window bad_name[] = {{"a \"b\"", 1, 1, 1}};
static const svc_rate_window no_name[] = {{NULL, 1, 1, 1}};

Test(rate_limit, mistakes_are_named_at_set_up)
{
    struct mistake mistakes[] = {
        {SVC_RATE_LIMIT_INIT, "\"default\": rate"},
        {slow(0), NULL},
        {slow((UINT64_C(1) << 31) + 1), "burst"},
        {slow(5), "cost 6"},
        {slow(5), "header field"},
        {slow(5), "10.0.0.1/8"},
        {slow(5), "memory"},
        {slow(5), "memory"},
        {slow(5), "either"},
        {several(), "5 windows"},
        {several(), "0 windows"},
        {several(), "a \"b\""},
        {several(), "a name"},
        {slow(5), "period_s"},
        {slow(5), "SVC_RATE_LIMIT_INIT"},
        {slow(5), "1000000"},
    };
    mistakes[3].limit.cost = 6;
    mistakes[4].limit.header = "X Key";
    mistakes[5].limit.exempt = bad_networks;
    mistakes[6].limit.memory = 63;
    mistakes[7].limit.memory = SIZE_MAX;
    mistakes[8].limit.windows = windows;
    mistakes[8].limit.window_count = 3;
    mistakes[9].limit.window_count = 5;
    mistakes[10].limit.window_count = 0;
    mistakes[11].limit.windows = bad_name;
    mistakes[11].limit.window_count = 1;
    mistakes[12].limit.windows = no_name;
    mistakes[12].limit.window_count = 1;
    mistakes[13].limit.period_s = 0;
    mistakes[14].limit.size = 8;
    mistakes[15].limit.rate = 1000001;
    mistakes[15].limit.period_s = 1;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        svc_app *app = new_app();
        const svc_middleware *made = svc_rate_limit_new(app, &mistakes[i].limit);
        const char *errors = svc_app_errors(app), *named = mistakes[i].named;
        cr_expect_eq(made == NULL, named != NULL, "mistake %zu: %s", i, errors);
        cr_expect(!named || strstr(errors, named), "mistake %zu: %s", i, errors);
        if (named)
            cr_expect_null(svc_app_test_get(app, "/a"), "mistake %zu", i);
        svc_app_free(app);
    }
}

Test(rate_limit, none_is_made_once_the_app_has_started)
{
    svc_rate_limit limit = slow(1);
    svc_app *app = new_app();
    cr_expect_eq(status(app, "/a"), 200);
    cr_expect_null(svc_rate_limit_new(app, &limit));
    cr_expect(strstr(svc_app_errors(app), "svc_rate_limit_new"));
    svc_app_free(app);
}

Test(rate_limit, a_limit_in_the_range_of_its_extremes_works)
{
    svc_rate_limit fast = SVC_RATE_LIMIT_INIT, slowest = slow(UINT64_C(1) << 31);
    fast.rate = 1000000;
    fast.burst = UINT64_C(1) << 31;
    fast.flags = slowest.flags = SVC_RATE_FIELDS_ALWAYS;
    slowest.period_s = 31622400;
    svc_app *app = new_app();
    svc_app_use(app, svc_rate_limit_new(app, &fast));
    svc_app_use(app, svc_rate_limit_new(app, &slowest));
    svc_reply *reply = ask(app, "/a", NULL, NULL);
    cr_expect_eq(svc_reply_status(reply), 200, "%s", svc_app_errors(app));
    expect_nth(reply, "RateLimit-Policy", 0, "\"default\";q=2147483648;w=999999999999999");
    expect_nth(reply, "RateLimit-Policy", 1, "\"default\";q=2147483648;w=2148");
    svc_reply_free(reply);
    svc_app_free(app);
}
