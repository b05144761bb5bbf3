/* How long a request may take, by route, group, app and caller, through the public interface. */
#include <criterion/criterion.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <svc.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

enum { APP_MS = 50000 };

/* Milliseconds on a clock that only goes forward. */
static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Whether `told` is what is left of `ms` that began at `began_ms` or later, to a millisecond. */
static bool is_left(uint64_t told, uint64_t ms, uint64_t began_ms)
{
    return told <= ms && told + (now_ms() - began_ms) + 2 >= ms;
}

static svc_app *make(void)
{
    svc_app *app = svc_app_new("deadline");
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = 0;
    config.log_output = "/dev/null";
    config.request_timeout_ms = APP_MS;
    svc_app_configure(app, &config);
    return app;
}

static int handled;

/* Tells what is left, as an outgoing call would say it. */
static int tell(svc_request *req, svc_response *res)
{
    handled++;
    uint64_t began_ms = now_ms(), left = svc_request_remaining_ms(req);
    const char *text = svc_request_timeout_text(req);
    cr_expect(is_left(strtoull(text, NULL, 10), left, began_ms), "%s", text);
    return svc_response_text(res, 200, text);
}

static svc_reply *ask(svc_app *app, const char *target, const char *const *headers)
{
    svc_test test = SVC_TEST_INIT;
    test.target = target;
    test.headers = headers;
    svc_reply *reply = svc_app_test(app, &test);
    cr_assert(reply, "%s", svc_app_errors(app));
    return reply;
}

/* The request has `ms`, of which as much has passed when its handler runs as on the clock. */
static void expect_timeout(svc_app *app, const char *target, const char *const *headers,
                           uint64_t ms)
{
    uint64_t began_ms = now_ms();
    svc_reply *reply = ask(app, target, headers);
    const char *what = headers ? headers[1] : target;
    cr_assert_eq(svc_reply_status(reply), 200, "%s: %d", what, svc_reply_status(reply));
    uint64_t told = strtoull(svc_reply_body(reply, NULL), NULL, 10);
    cr_expect(is_left(told, ms, began_ms), "%s: %s", what, svc_reply_body(reply, NULL));
    svc_reply_free(reply);
}

static void add(svc_group *group, const char *pattern, unsigned ms)
{
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = pattern;
    route.handler = tell;
    route.timeout_ms = ms;
    svc_group_route(group, &route);
}

/* ---- Route, group, app */

Test(api_deadline, the_innermost_that_says_something_holds)
{
    svc_app *app = make();
    svc_group *outer = svc_app_group(app, "/outer"), *inner = svc_group_group(outer, "/inner"),
              *silent = svc_group_group(inner, "/silent"), *other = svc_app_group(app, "/other");
    cr_expect_eq(svc_group_set_timeout(outer, 20000), 0);
    cr_expect_eq(svc_group_set_timeout(inner, 30000), 0);
    cr_expect_eq(svc_group_set_timeout(silent, 10000), 0);
    cr_expect_eq(svc_group_set_timeout(silent, 0), 0);
    svc_app_get(app, "/app", tell, NULL);
    add(outer, "/group", 0);
    add(outer, "/route", 40000);
    add(inner, "/group", 0);
    add(silent, "/group", 0);
    add(other, "/group", 0);
    expect_timeout(app, "/app", NULL, APP_MS);
    expect_timeout(app, "/outer/group", NULL, 20000);
    expect_timeout(app, "/outer/route", NULL, 40000);
    expect_timeout(app, "/outer/inner/group", NULL, 30000);
    expect_timeout(app, "/outer/inner/silent/group", NULL, 30000);
    expect_timeout(app, "/other/group", NULL, APP_MS);
    svc_app_free(app);
}

Test(api_deadline, a_mounted_app_has_its_own)
{
    svc_app *outer = make(), *inner = svc_app_new("inner");
    svc_config config = SVC_CONFIG_INIT;
    config.request_timeout_ms = 70000;
    svc_app_configure(inner, &config);
    svc_app_get(inner, "/app", tell, NULL);
    svc_group *group = svc_app_group(inner, "/in"), *around = svc_app_group(outer, "/around");
    svc_group_set_timeout(group, 60000);
    svc_group_set_timeout(around, 20000);
    add(group, "/group", 0);
    svc_group_mount(around, "/mount", inner);
    expect_timeout(outer, "/around/mount/app", NULL, 70000);
    expect_timeout(outer, "/around/mount/in/group", NULL, 60000);
    svc_app_free(outer);
}

Test(api_deadline, bad_group_timeouts_are_set_up_errors)
{
    svc_app *app = make();
    svc_group *group = svc_app_group(app, "/g");
    cr_expect_eq(svc_group_set_timeout(NULL, 1), SVC_ENOMEM);
    cr_expect_eq(svc_group_set_timeout(group, 86400000), 0);
    cr_expect_eq(svc_group_set_timeout(group, 86400001), SVC_EINVAL);
    cr_expect(strstr(svc_app_errors(app), "svc_group_set_timeout"));
    svc_app_free(app);

    app = make();
    group = svc_app_group(app, "/g");
    svc_reply_free(ask(app, "/", NULL));
    cr_expect_eq(svc_group_set_timeout(group, 1), SVC_ESTATE);
    svc_app_free(app);
}

/* ---- What the caller says */

static svc_app *make_budget(int setting)
{
    svc_app *app = make();
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = 0;
    config.log_output = "/dev/null";
    config.request_timeout_ms = APP_MS;
    config.request_budget = setting;
    svc_app_configure(app, &config);
    svc_app_get(app, "/", tell, NULL);
    return app;
}

Test(api_deadline, a_callers_budget_shortens_and_never_lengthens)
{
    static const struct {
        const char *headers[7];
        uint64_t ms;
    } rows[] = {
        {{"X-Request-Timeout", "20000"}, 20000},
        {{"x-request-timeout", "20000ms"}, 20000},
        {{"X-Request-Timeout", "20s"}, 20000},
        {{"X-Request-Timeout", "90s"}, APP_MS},
        {{"X-Request-Timeout", "99999999"}, APP_MS},
        {{"grpc-timeout", "20S"}, 20000},
        {{"grpc-timeout", "20000m"}, 20000},
        {{"grpc-timeout", "99999999H"}, APP_MS},
        {{"grpc-timeout", "30S", "X-Request-Timeout", "20s"}, 20000},
        {{"X-Request-Timeout", "30s", "grpc-timeout", "20S"}, 20000},
        {{"X-Request-Timeout", "30s", "X-Request-Timeout", "20s", "X-Request-Timeout", "40s"},
         20000},
        /* What cannot be read says nothing, and takes nothing from what can be. */
        {{"X-Request-Timeout", "soon"}, APP_MS},
        {{"X-Request-Timeout", "-1"}, APP_MS},
        {{"X-Request-Timeout", "0.0"}, APP_MS},
        {{"X-Request-Timeout", "184467440737095516160"}, APP_MS},
        {{"X-Request-Timeout", ""}, APP_MS},
        {{"grpc-timeout", "20"}, APP_MS},
        {{"grpc-timeout", "20s"}, APP_MS},
        {{"X-Request-Timeout", "x", "grpc-timeout", "20S"}, 20000},
    };
    svc_app *app = make_budget(1);
    for (size_t i = 0; i < ROWS(rows); i++)
        expect_timeout(app, "/", rows[i].headers, rows[i].ms);
    svc_app_free(app);
}

Test(api_deadline, without_a_budget_the_handler_does_not_run)
{
    static const char *const rows[][3] = {
        {"X-Request-Timeout", "0"}, {"X-Request-Timeout", "0s"}, {"grpc-timeout", "0S"}};
    svc_app *app = make_budget(1);
    for (size_t i = 0; i < ROWS(rows); i++) {
        svc_reply *reply = ask(app, "/", rows[i]);
        cr_expect_eq(svc_reply_status(reply), 504, "%s", rows[i][1]);
        cr_expect_str_eq(svc_reply_header(reply, "Content-Type"), "application/problem+json");
        svc_reply_free(reply);
    }
    cr_expect_eq(handled, 0);
    svc_app_free(app);
}

Test(api_deadline, budgets_can_be_turned_off)
{
    static const char *const headers[] = {"X-Request-Timeout", "0", "grpc-timeout", "0S", NULL};
    svc_app *app = make_budget(0);
    expect_timeout(app, "/", headers, APP_MS);
    svc_app_free(app);
}

/* Waits, and leaves it to the deadline to answer. */
static svc_request *waiting;

static int wait_on(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)res, (void)layer;
    waiting = req;
    return SVC_WAIT;
}

static char left[32];

/* Nobody waits any more once the answer is a 504; and the layer goes on, too late. */
static int note_left(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)res, (void)layer;
    strcpy(left, svc_request_timeout_text(req));
    cr_expect_eq(svc_request_resume(waiting), SVC_ELATE);
    return 0;
}

Test(api_deadline, a_request_that_waits_is_answered_when_its_caller_gives_up)
{
    static const svc_middleware notes = {
        .size = sizeof notes, .name = "notes", .on_response = note_left};
    static const svc_middleware waits = {
        .size = sizeof waits, .name = "waits", .on_request = wait_on};
    static const char *const headers[] = {"X-Request-Timeout", "30", NULL};
    svc_app *app = make_budget(1);
    svc_app_use(app, &notes);
    svc_app_use(app, &waits);
    svc_reply *reply = ask(app, "/", headers);
    cr_expect_eq(svc_reply_status(reply), 504);
    cr_expect_str_eq(left, "0");
    svc_reply_free(reply);
    svc_app_free(app);
}

/* ---- One answer, whether the deadline or the handler comes first */

/* Runs until the deadline, and answers by the code that says so: on the loop, so that it comes
 * first. */
static int give_up_late(svc_request *req, svc_response *res)
{
    (void)res;
    while (!svc_request_cancelled(req))
        sched_yield();
    return SVC_ECANCELLED;
}

static svc_pending *unanswered;

/* Leaves the answer to the deadline. */
static int never_answer(svc_request *req, svc_response *res)
{
    (void)res;
    unanswered = svc_request_defer(req, NULL, NULL);
    return 0;
}

Test(api_deadline, a_504_is_the_same_whether_the_deadline_or_the_handler_comes_first)
{
    svc_app *app = make();
    svc_route route = SVC_ROUTE_INIT;
    route.timeout_ms = 30;
    route.pattern = "GET /handler";
    route.handler = give_up_late;
    svc_app_route(app, &route);
    route.pattern = "GET /deadline";
    route.handler = never_answer;
    svc_app_route(app, &route);
    svc_reply *handler = ask(app, "/handler", NULL), *deadline = ask(app, "/deadline", NULL);
    svc_pending_unref(unanswered);
    cr_expect_eq(svc_reply_status(handler), 504);
    cr_expect_eq(svc_reply_status(deadline), 504);
    cr_expect_str_eq(svc_reply_body(handler, NULL), svc_reply_body(deadline, NULL));
    cr_expect(strstr(svc_reply_body(handler, NULL), "the request took too long"));
    svc_reply_free(handler);
    svc_reply_free(deadline);
    svc_app_free(app);
}
