/* The library's own metrics of requests that are refused, conditional, or wait for a worker: each
 * is counted once, also in an app that is mounted. */
#include <criterion/criterion.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#include <svc.h>

#include "tests/support/quiet_app.h"

static svc_app *app;
static sem_t go_on, taken;

static svc_config small_config(void)
{
    svc_config config = quiet_app_config();
    config.max_body_bytes = 10;
    config.max_target_bytes = 256;
    config.max_fields = 8;
    config.workers_max = 1;
    config.worker_queue = 1;
    return config;
}

static void open_app(void)
{
    const svc_config config = small_config();
    app = svc_app_new("test");
    svc_app_configure(app, &config);
    sem_init(&go_on, 0, 0);
    sem_init(&taken, 0, 0);
}

static void close_app(void)
{
    svc_app_free(app);
}

TestSuite(metric_families, .init = open_app, .fini = close_app);

static int answer(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "answer");
}

static int ask_with(const char *method, const char *target, const char *const *headers,
                    const char *body)
{
    svc_test test = SVC_TEST_INIT;
    test.method = method;
    test.target = target;
    test.headers = headers;
    test.body = body;
    test.body_len = body ? strlen(body) : 0;
    svc_reply *reply = svc_app_test(app, &test);
    cr_assert(reply, "%s", svc_app_errors(app));
    int status = svc_reply_status(reply);
    svc_reply_free(reply);
    return status;
}

static int ask(const char *target)
{
    return ask_with("GET", target, NULL, NULL);
}

static void expect_count(const char *series, double count)
{
    double found = svc_test_metric(app, series);
    cr_expect_eq(found, count, "%s: %g", series, found);
}

/* ---- Limits of a request */

static void expect_over(double body, double target, double head)
{
    expect_count("svc_requests_over_limit_total{limit=\"body\"}", body);
    expect_count("svc_requests_over_limit_total{limit=\"target\"}", target);
    expect_count("svc_requests_over_limit_total{limit=\"head\"}", head);
}

static int own_413(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 413, "too much for this handler");
}

static int read_all(svc_request *req, svc_response *res)
{
    char data[4];
    int64_t n;
    while ((n = svc_request_read(req, data, sizeof data)) > 0)
        continue;
    return n < 0 ? (int)n : svc_response_text(res, 200, "read");
}

Test(metric_families, requests_over_a_limit_are_counted_by_the_limit)
{
    static const char *const many[] = {"A", "1", "B", "2", "C", "3", "D", "4", "E", "5",
                                       "F", "6", "G", "7", "H", "8", "I", "9", NULL};
    static const char *const trailers[] = {"X", "y", NULL}; /* with them, the body is chunked */
    char target[300] = "/";
    memset(target + 1, 'a', sizeof target - 2);
    svc_route stream = SVC_ROUTE_INIT;
    stream.pattern = "POST /stream";
    stream.handler = read_all;
    stream.flags = SVC_STREAM_BODY | SVC_BLOCKING;
    svc_app_post(app, "/", answer, NULL);
    svc_app_get(app, "/", answer, NULL);
    svc_app_get(app, "/own", own_413, NULL);
    svc_app_route(app, &stream);
    cr_expect_eq(ask("/"), 200);
    expect_over(0, 0, 0);
    cr_expect_eq(ask_with("POST", "/", NULL, "eleven byte"), 413);
    expect_over(1, 0, 0);
    svc_test chunked = SVC_TEST_INIT;
    chunked.method = "POST";
    chunked.body = "eleven byte";
    chunked.body_len = 11;
    chunked.trailers = trailers;
    svc_reply *reply = svc_app_test(app, &chunked);
    cr_expect_eq(svc_reply_status(reply), 413);
    svc_reply_free(reply);
    expect_over(2, 0, 0);
    chunked.target = "/stream";
    reply = svc_app_test(app, &chunked);
    cr_expect_eq(svc_reply_status(reply), 413);
    svc_reply_free(reply);
    expect_over(3, 0, 0);
    cr_expect_eq(ask(target), 414);
    expect_over(3, 1, 0);
    cr_expect_eq(ask_with("GET", "/", many, NULL), 431);
    expect_over(3, 1, 1);
    cr_expect_eq(ask("/own"), 413, "a handler's own decision is none of the library's");
    expect_over(3, 1, 1);
}

/* ---- Load */

static int wait_for_test(svc_request *req, svc_response *res)
{
    (void)req;
    sem_post(&taken);
    while (sem_wait(&go_on))
        continue;
    return svc_response_text(res, 200, "waited");
}

static void add_blocking(svc_app *to, const char *pattern, svc_handler *handler,
                         unsigned timeout_ms)
{
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = pattern;
    route.handler = handler;
    route.flags = SVC_BLOCKING;
    route.timeout_ms = timeout_ms;
    svc_app_route(to, &route);
}

static void expect_shed(double concurrency, double loop_wait, double queue, double wait)
{
    expect_count("svc_requests_shed_total{reason=\"concurrency\"}", concurrency);
    expect_count("svc_requests_shed_total{reason=\"loop_wait\"}", loop_wait);
    expect_count("svc_requests_shed_total{reason=\"worker_queue\"}", queue);
    expect_count("svc_requests_shed_total{reason=\"worker_wait\"}", wait);
}

/* A request that waits in the queue is refused when its time there is over; a second one finds the
 * queue full. Both are asked from the handler of a third, on the loop, as one app is tested. */
Test(metric_families, requests_that_get_no_worker_are_counted_by_the_reason)
{
    svc_config config = small_config();
    config.worker_queue_ms = 20;
    svc_app_configure(app, &config);
    add_blocking(app, "/wait", wait_for_test, 20);
    add_blocking(app, "/", answer, 0);
    int status = 503; /* until the worker's thread has begun, which may take its time */
    double lost = 0;
    while (sem_trywait(&taken)) {
        status = ask("/wait");
        lost += status == 503;
    }
    cr_assert_eq(status, 504);
    expect_shed(0, 0, 0, lost);
    expect_count("svc_workers_busy", 1);
    expect_count("svc_workers_max", 1);
    expect_count("svc_workers_queue_max", 1);
    cr_expect_eq(ask("/"), 503);
    expect_shed(0, 0, 0, lost + 1);
    expect_count("svc_worker_wait_seconds_count{http_route=\"/wait\"}", 1);
    sem_post(&go_on);
    while ((status = ask("/")) == 503)
        lost++;
    cr_expect_eq(status, 200);
    expect_shed(0, 0, 0, lost + 1);
    expect_count("svc_worker_wait_seconds_count{http_route=\"/wait\"}", 1);
    expect_count("svc_worker_wait_seconds_count{http_route=\"/\"}", 1);
}

Test(metric_families, requests_that_find_the_queue_full_are_counted_apart)
{
    svc_config config = quiet_app_config();
    config.workers_max = 1;
    config.worker_queue = 0;
    svc_app_configure(app, &config);
    add_blocking(app, "/wait", wait_for_test, 20);
    add_blocking(app, "/", answer, 0);
    double lost = 0;
    while (sem_trywait(&taken))
        lost += ask("/wait") == 503;
    double before = svc_test_metric(app, "svc_requests_shed_total{reason=\"worker_queue\"}");
    double waited = svc_test_metric(app, "svc_requests_shed_total{reason=\"worker_wait\"}");
    cr_expect_eq(before + waited, lost);
    cr_expect_eq(ask("/"), 503);
    cr_expect_eq(ask("/"), 503);
    expect_shed(0, 0, before + 2, waited);
    sem_post(&go_on);
}

static int outcome;

/* In flight while it asks for another. */
static int ask_again(svc_request *req, svc_response *res)
{
    (void)req;
    outcome = ask("/inner/again");
    return svc_response_text(res, 200, "asked");
}

/* The limit is a mounted app's, which counts in the metrics of the one that serves. */
Test(metric_families, requests_over_a_concurrency_limit_of_a_mounted_app_are_counted)
{
    svc_app *inner = svc_app_new("inner");
    svc_concurrency limit = SVC_CONCURRENCY_INIT;
    limit.limit = 1;
    svc_app_use(inner, svc_concurrency_new(inner, &limit));
    svc_app_get(inner, "/ask", ask_again, NULL);
    svc_app_get(inner, "/again", answer, NULL);
    svc_app_mount(app, "/inner", inner);
    for (int i = 1; i <= 3; i++) {
        cr_expect_eq(ask("/inner/ask"), 200);
        cr_expect_eq(outcome, 503);
        expect_shed(i, 0, 0, 0);
    }
    expect_count(
        "http_server_request_duration_seconds_count{http_request_method=\"GET\","
        "http_route=\"/inner/again\",http_response_status_code=\"503\",error_type=\"503\"}",
        3);
}

Test(metric_families, a_rate_limit_counts_by_the_window_that_refuses)
{
    static const svc_rate_window windows[] = {{"wide", 4, 86400, 4}, {"tight", 2, 86400, 2}},
                                 one[] = {{"report", 1, 86400, 1}};
    svc_rate_limit limit = SVC_RATE_LIMIT_INIT;
    limit.windows = windows;
    limit.window_count = 2;
    svc_app_use(app, svc_rate_limit_new(app, &limit));
    limit.windows = one;
    limit.window_count = 1;
    limit.flags = SVC_RATE_REPORT_ONLY;
    svc_app_use(app, svc_rate_limit_new(app, &limit));
    svc_app_get(app, "/", answer, NULL);
    for (int i = 0; i < 5; i++)
        cr_expect_eq(ask("/"), i < 2 ? 200 : 429);
    expect_count("svc_rate_limit_refused_total{policy=\"wide\"}", 0);
    expect_count("svc_rate_limit_refused_total{policy=\"tight\"}", 3);
    expect_count("svc_rate_limit_reported_total{policy=\"report\"}", 1);
    expect_count("svc_rate_limit_refused_total{policy=\"report\"}", 0);
    expect_shed(0, 0, 0, 0);
}

/* ---- Conditions */

static int put(svc_request *req, svc_response *res)
{
    svc_validators validators = SVC_VALIDATORS_INIT;
    validators.etag = "1";
    return svc_request_check_conditions(req, res, &validators) ? svc_response_empty(res, 204) : 0;
}

static int tagged(svc_request *req, svc_response *res)
{
    int error = svc_response_set_etag(res, "1", false);
    return error ? error : answer(req, res);
}

static void expect_conditional(double not_modified, double failed, double missing, double passed)
{
    expect_count("svc_conditional_requests_total{result=\"not_modified\"}", not_modified);
    expect_count("svc_conditional_requests_total{result=\"failed\"}", failed);
    expect_count("svc_conditional_requests_total{result=\"missing\"}", missing);
    expect_count("svc_conditional_requests_total{result=\"passed\"}", passed);
}

/* By a handler that asks, and by the layer. */
Test(metric_families, conditional_requests_are_counted_by_their_result)
{
    static const char *const same[] = {"If-None-Match", "\"1\"", NULL},
                             *const other[] = {"If-None-Match", "\"2\"", NULL},
                             *const match[] = {"If-Match", "\"1\"", NULL},
                             *const mismatch[] = {"If-Match", "\"2\"", NULL};
    svc_conditional conditional = SVC_CONDITIONAL_INIT;
    conditional.require = true;
    svc_app_use(app, svc_conditional_new(app, &conditional));
    svc_app_get(app, "/tagged", tagged, NULL);
    svc_app_get(app, "/asked", put, NULL);
    svc_app_put(app, "/asked", put, NULL);
    cr_expect_eq(ask("/tagged"), 200);
    cr_expect_eq(ask("/asked"), 204);
    expect_conditional(0, 0, 0, 0);
    cr_expect_eq(ask_with("GET", "/tagged", same, NULL), 304);
    cr_expect_eq(ask_with("GET", "/asked", same, NULL), 304);
    expect_conditional(2, 0, 0, 0);
    cr_expect_eq(ask_with("GET", "/tagged", other, NULL), 200);
    cr_expect_eq(ask_with("PUT", "/asked", match, NULL), 204);
    expect_conditional(2, 0, 0, 2);
    cr_expect_eq(ask_with("PUT", "/asked", mismatch, NULL), 412);
    cr_expect_eq(ask_with("GET", "/tagged", mismatch, NULL), 412);
    expect_conditional(2, 2, 0, 2);
    cr_expect_eq(ask_with("PUT", "/asked", NULL, NULL), 428);
    expect_conditional(2, 2, 1, 2);
}
