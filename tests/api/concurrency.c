/* Concurrency limits: who is refused, what that looks like, and that no permit is ever lost. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

/* Requests in flight together, in one thread: a handler that asks its own app, and so on. */
static svc_app *app;
static int depth, deepest; /* of the handlers that are running */
static int innermost;      /* status of the request at which it ended */

static const char *class_header(void)
{
    return "Class";
}

static svc_reply *ask_as(const char *method, const char *target, const char *class)
{
    const char *const headers[] = {class_header(), class, NULL};
    svc_test test = SVC_TEST_INIT;
    test.method = method;
    test.target = target;
    test.headers = class ? headers : NULL;
    svc_reply *reply = svc_app_test(app, &test);
    cr_assert(reply, "%s", svc_app_errors(app));
    return reply;
}

static int status_as(const char *target, const char *class)
{
    svc_reply *reply = ask_as("GET", target, class);
    int status = svc_reply_status(reply);
    svc_reply_free(reply);
    return status;
}

static int status(const char *target)
{
    return status_as(target, NULL);
}

enum { TOO_DEEP = 64 };

static int nest(svc_request *req, svc_response *res)
{
    const char *class = svc_request_header(req, class_header());
    depth++;
    deepest = depth > deepest ? depth : deepest;
    int inner = depth < TOO_DEEP ? status_as(svc_request_path(req), class) : 200;
    if (inner != 200)
        innermost = inner;
    depth--;
    return svc_response_text(res, 200, "nested");
}

/* How many were in flight when the next one was refused. */
static int in_flight_at(const char *target, const char *class)
{
    deepest = innermost = 0;
    int outermost = status_as(target, class);
    if (outermost == 503)
        return 0;
    cr_expect_eq(outermost, 200);
    cr_expect_eq(innermost, deepest < TOO_DEEP ? 503 : 0);
    return deepest;
}

static int by_class(svc_request *req, void *arg)
{
    const char *class = svc_request_header(req, class_header());
    cr_expect_eq(arg, &depth);
    return class && !strcmp(class, "critical") ? SVC_PRIORITY_CRITICAL : SVC_PRIORITY_NORMAL;
}

static svc_concurrency at_most(uint32_t limit)
{
    svc_concurrency options = SVC_CONCURRENCY_INIT;
    options.limit = limit;
    return options;
}

static void make_app(void)
{
    app = svc_app_new("limited");
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = 0;
    svc_app_configure(app, &config);
    svc_app_get(app, "/nest", nest, NULL);
    svc_app_get(app, "/other", nest, NULL);
}

static void limit_app(const svc_concurrency *options)
{
    make_app();
    svc_app_use(app, svc_concurrency_new(app, options));
}

/* ---- The limit */

Test(concurrency, what_is_over_the_limit_is_refused_until_there_is_room)
{
    svc_concurrency options = at_most(3);
    limit_app(&options);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(in_flight_at("/nest", NULL), 3);
    svc_app_free(app);
}

Test(concurrency, a_limit_of_one_is_one)
{
    svc_concurrency options = at_most(1);
    limit_app(&options);
    cr_expect_eq(in_flight_at("/nest", NULL), 1);
    svc_app_free(app);
}

Test(concurrency, the_critical_have_a_reserve)
{
    svc_concurrency options = at_most(8);
    options.priority = by_class;
    options.arg = &depth;
    limit_app(&options);
    cr_expect_eq(in_flight_at("/nest", "critical"), 10);
    cr_expect_eq(in_flight_at("/nest", "any"), 8);
    cr_expect_eq(in_flight_at("/nest", NULL), 8);
    svc_app_free(app);
}

/* Where the inner ones are normal, those further out take room all the same. */
static int nest_normal(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, status("/nest") == 503 ? "refused" : "nested");
}

Test(concurrency, critical_requests_take_the_room_of_normal_ones)
{
    svc_concurrency options = at_most(1);
    options.priority = by_class;
    options.arg = &depth;
    limit_app(&options);
    svc_app_get(app, "/outer", nest_normal, NULL);
    svc_reply *reply = ask_as("GET", "/outer", "critical");
    cr_expect_str_eq(svc_reply_body(reply, NULL), "refused");
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(concurrency, an_adaptive_limit_begins_where_it_is_told)
{
    svc_concurrency options = at_most(5);
    options.adaptive = true;
    limit_app(&options);
    cr_expect_eq(in_flight_at("/nest", NULL), 5);
    svc_app_free(app);
}

/* Without a loop there is no queue. */
Test(concurrency, a_limit_of_the_queue_alone_refuses_nothing_here)
{
    svc_concurrency options = SVC_CONCURRENCY_INIT;
    options.max_queue_ms = 1;
    limit_app(&options);
    cr_expect_eq(in_flight_at("/nest", NULL), TOO_DEEP);
    svc_app_free(app);
}

/* ---- Where it stands */

Test(concurrency, places_that_share_a_limit_are_counted_together_and_others_are_not)
{
    svc_concurrency options = at_most(2), wider = at_most(5);
    make_app();
    const svc_middleware *shared = svc_concurrency_new(app, &options);
    svc_group *one = svc_app_group(app, "/one"), *two = svc_app_group(app, "/two");
    svc_group *apart = svc_app_group(app, "/apart");
    svc_group_use(one, shared);
    svc_group_use(two, shared);
    svc_group_use(apart, svc_concurrency_new(app, &wider));
    svc_group_get(one, "/nest", nest, NULL);
    svc_group_get(one, "/outer", nest_normal, NULL);
    svc_group_get(two, "/nest", nest, NULL);
    svc_group_get(apart, "/nest", nest, NULL);
    cr_expect_eq(in_flight_at("/one/nest", NULL), 2);
    cr_expect_eq(in_flight_at("/two/nest", NULL), 2);
    cr_expect_eq(in_flight_at("/apart/nest", NULL), 5);
    cr_expect_eq(in_flight_at("/nest", NULL), TOO_DEEP);
    svc_app_free(app);
}

Test(concurrency, what_an_inner_limit_refuses_gives_back_what_an_outer_one_gave)
{
    svc_concurrency outer = at_most(7), inner = at_most(2);
    make_app();
    svc_app_use(app, svc_concurrency_new(app, &outer));
    svc_group *group = svc_app_group(app, "/in");
    svc_group_use(group, svc_concurrency_new(app, &inner));
    svc_group_get(group, "/nest", nest, NULL);
    for (int i = 0; i < 10; i++)
        cr_expect_eq(in_flight_at("/in/nest", NULL), 2);
    cr_expect_eq(in_flight_at("/nest", NULL), 7);
    svc_app_free(app);
}

/* ---- The refusal */

static svc_reply *refusal(const char *method, const char *name, const char *value)
{
    const char *const headers[] = {name, value, NULL};
    svc_test test = SVC_TEST_INIT;
    test.method = method;
    test.target = "/nest";
    test.headers = headers;
    return svc_app_test(app, &test);
}

/* Takes the only permit, and asks again as it is told to. */
static const char *ask_name, *ask_value;
static svc_reply *asked;

static int ask_again(svc_request *req, svc_response *res)
{
    (void)req;
    asked = refusal("GET", ask_name, ask_value);
    return svc_response_text(res, 200, "asked");
}

static svc_reply *refused_with(const svc_concurrency *options, const char *name, const char *value)
{
    limit_app(options);
    svc_app_get(app, "/ask", ask_again, NULL);
    ask_name = name;
    ask_value = value;
    cr_expect_eq(status("/ask"), 200);
    cr_expect_eq(svc_reply_status(asked), 503);
    return asked;
}

static void expect_header(const svc_reply *reply, const char *name, const char *wanted)
{
    const char *value = svc_reply_header(reply, name);
    if (wanted)
        cr_expect(value && !strcmp(value, wanted), "%s: %s", name, value ? value : "(none)");
    else
        cr_expect_null(value, "%s: %s", name, value);
}

Test(concurrency, a_refusal_is_a_problem_that_tells_when_to_come_back)
{
    svc_concurrency options = at_most(1);
    options.retry_after_s = 7;
    svc_reply *reply = refused_with(&options, NULL, NULL);
    expect_header(reply, "Content-Type", "application/problem+json");
    expect_header(reply, "Retry-After", "7");
    json_t *problem = json_loads(svc_reply_body(reply, NULL), 0, NULL);
    const char *title, *detail;
    int code;
    cr_assert_eq(
        json_unpack(problem, "{s:s,s:i,s:s!}", "title", &title, "status", &code, "detail", &detail),
        0, "%s", svc_reply_body(reply, NULL));
    cr_expect_str_eq(title, "Service Unavailable");
    cr_expect_eq(code, 503);
    json_decref(problem);
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(concurrency, a_client_that_takes_no_json_reads_text)
{
    svc_concurrency options = at_most(1);
    svc_reply *reply = refused_with(&options, "Accept", "text/html");
    expect_header(reply, "Content-Type", "text/plain; charset=utf-8");
    expect_header(reply, "Retry-After", "1");
    cr_expect(strstr(svc_reply_body(reply, NULL), "Service Unavailable") ==
              svc_reply_body(reply, NULL));
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(concurrency, nothing_is_told_about_coming_back_where_that_is_not_wanted)
{
    svc_concurrency options = at_most(1);
    options.retry_after_s = 0;
    svc_reply *reply = refused_with(&options, NULL, NULL);
    expect_header(reply, "Retry-After", NULL);
    svc_reply_free(reply);
    svc_app_free(app);
}

/* A body that would be refused is not looked at, as it would be a 413 otherwise. */
static int ask_with_body(svc_request *req, svc_response *res)
{
    (void)req;
    asked = refusal("POST", "Content-Length", "900000000");
    return svc_response_text(res, 200, "asked");
}

Test(concurrency, a_refusal_comes_before_the_body_is_looked_at)
{
    svc_concurrency options = at_most(1);
    limit_app(&options);
    svc_app_post(app, "/nest", nest, NULL);
    svc_app_get(app, "/ask", ask_with_body, NULL);
    cr_expect_eq(status("/ask"), 200);
    cr_expect_eq(svc_reply_status(asked), 503);
    svc_reply_free(asked);
    svc_app_free(app);
}

/* ---- No permit is lost, however a request ends */

enum { LIMIT = 2 };

static int fail(svc_request *req, svc_response *res)
{
    (void)req, (void)res;
    return SVC_EINVAL;
}

static int answer_nothing(svc_request *req, svc_response *res)
{
    (void)req, (void)res;
    return 0;
}

static int64_t read_and_fail(void *state, char *data, size_t len)
{
    (void)state, (void)data, (void)len;
    return SVC_ESYSTEM;
}

static int cut(svc_request *req, svc_response *res)
{
    const svc_source source = {.size = sizeof source, .length = 10, .read = read_and_fail};
    (void)req;
    return svc_response_source(res, 200, "text/plain", &source);
}

static int refuse(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)layer;
    return svc_response_empty(res, 403) ? SVC_ENOMEM : SVC_ANSWERED;
}

static int fail_layer(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)res, (void)layer;
    return SVC_EINVAL;
}

static const svc_middleware refuses = {
    .size = sizeof refuses, .name = "refuses", .on_request = refuse};
static const svc_middleware fails = {
    .size = sizeof fails, .name = "fails", .on_request = fail_layer};
static const svc_middleware fails_late = {
    .size = sizeof fails_late, .name = "fails_late", .on_response = fail_layer};

static void add_behind(const char *pattern, const svc_middleware *const *layers)
{
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = pattern;
    route.handler = answer_nothing;
    route.middleware = layers;
    svc_app_route(app, &route);
}

static void add_endings(void)
{
    static const svc_middleware *const refusing[] = {&refuses, NULL};
    static const svc_middleware *const failing[] = {&fails, NULL};
    static const svc_middleware *const failing_late[] = {&fails_late, NULL};
    svc_app_post(app, "/post", fail, NULL);
    svc_app_get(app, "/fail", fail, NULL);
    svc_app_get(app, "/nothing", answer_nothing, NULL);
    svc_app_get(app, "/cut", cut, NULL);
    add_behind("GET /refused", refusing);
    add_behind("GET /failed", failing);
    add_behind("GET /failed-late", failing_late);
}

Test(concurrency, every_end_of_a_request_gives_its_permit_back)
{
    static const struct {
        const char *method, *target;
        int status;
    } ends[] = {
        {"GET", "/none", 404},    {"POST", "/nest", 405},   {"OPTIONS", "/nest", 204},
        {"GET", "//nest", 308},   {"BREW", "/nest", 501},   {"GET", "/nest%00", 400},
        {"GET", "/fail", 500},    {"GET", "/nothing", 500}, {"GET", "/cut", 200},
        {"GET", "/refused", 403}, {"GET", "/failed", 500},  {"GET", "/failed-late", 500},
    };
    svc_concurrency options = at_most(LIMIT);
    options.adaptive = true;
    options.min = options.max = LIMIT;
    limit_app(&options);
    add_endings();
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        for (int times = 0; times < 2 * LIMIT; times++) {
            svc_reply *reply = ask_as(ends[i].method, ends[i].target, NULL);
            cr_expect_eq(svc_reply_status(reply), ends[i].status, "%s: %d", ends[i].target,
                         svc_reply_status(reply));
            svc_reply_free(reply);
        }
        cr_expect_eq(in_flight_at("/nest", NULL), LIMIT, "after %s", ends[i].target);
    }
    svc_app_free(app);
}

/* A layer that waits until the deadline has passed, and lets go then. */
static svc_request *held;

static int hold(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)res, (void)layer;
    held = req;
    return SVC_WAIT;
}

/* The library answers in place of what waits, and layers further out see that. */
static int let_go(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)layer;
    if (svc_response_status(res) == 504)
        cr_expect_eq(svc_request_resume(held), SVC_ELATE);
    return 0;
}

Test(concurrency, a_deadline_that_passes_gives_its_permit_back)
{
    static const svc_middleware lets_go = {
        .size = sizeof lets_go, .name = "lets_go", .on_response = let_go};
    static const svc_middleware holds = {.size = sizeof holds, .name = "holds", .on_request = hold};
    static const svc_middleware *const layers[] = {&lets_go, &holds, NULL};
    svc_concurrency options = at_most(1);
    limit_app(&options);
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "GET /hold";
    route.handler = answer_nothing;
    route.middleware = layers;
    route.timeout_ms = 1;
    svc_app_route(app, &route);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(status("/hold"), 504);
    cr_expect_not_null(held);
    cr_expect_eq(in_flight_at("/nest", NULL), 1);
    svc_app_free(app);
}

/* ---- Set-up */

Test(concurrency, mistakes_are_named_at_set_up)
{
    struct {
        svc_concurrency options;
        const char *named; /* NULL: none */
    } rows[] = {
        {SVC_CONCURRENCY_INIT, "must be set"},
        {at_most(1000001), "at most 1000000"},
        {at_most(1000000), NULL},
        {at_most(5), "max_queue_ms"},
        {at_most(5), "retry_after_s"},
        {at_most(5), "min <= limit"},
        {at_most(5), "min <= limit"},
        {at_most(5), "min <= limit"},
        {at_most(5), "min <= limit"},
        {at_most(5), "SVC_CONCURRENCY_INIT"},
        {at_most(5), NULL},
    };
    rows[3].options.max_queue_ms = 3600001;
    rows[4].options.retry_after_s = 86401;
    for (size_t i = 5; i <= 8; i++)
        rows[i].options.adaptive = true;
    rows[5].options.min = 0;
    rows[6].options.min = 6;
    rows[7].options.max = 4;
    rows[8].options.max = 1000001;
    rows[9].options.size = 8;
    rows[10].options.min = 0; /* which is for adaptive ones */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        make_app();
        const svc_middleware *made = svc_concurrency_new(app, &rows[i].options);
        const char *errors = svc_app_errors(app), *named = rows[i].named;
        cr_expect_eq(made == NULL, named != NULL, "row %zu: %s", i, errors);
        cr_expect(!named || strstr(errors, named), "row %zu: %s", i, errors);
        if (named)
            cr_expect_null(svc_app_test_get(app, "/nest"), "row %zu", i);
        svc_app_free(app);
    }
}

Test(concurrency, none_is_made_once_the_app_has_started)
{
    svc_concurrency options = at_most(1);
    limit_app(&options);
    cr_expect_eq(in_flight_at("/nest", NULL), 1);
    cr_expect_null(svc_concurrency_new(app, &options));
    cr_expect(strstr(svc_app_errors(app), "svc_concurrency_new"));
    svc_app_free(app);
}
