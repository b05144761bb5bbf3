/* Workers of an app that cannot begin: what its requests get, and what is counted and logged. */
#include "libsvc/app/app_workers.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>

#include <svc.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/ops/metrics_text.h"
#include "tests/unit/run/threads.h"

static _Atomic int told;

static bool note_failures(const svc_log_record *record, void *arg)
{
    (void)arg;
    told += !strcmp(record->message, "a worker cannot begin");
    return true;
}

static int answer(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "answered");
}

static int write_answer(svc_pipe *pipe, void *arg)
{
    (void)arg;
    return svc_pipe_write(pipe, "written", 7);
}

static int answer_by_writer(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_writer(res, 200, "text/plain", write_answer, NULL);
}

static svc_route blocking(const char *pattern, svc_handler *handler)
{
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = pattern;
    route.handler = handler;
    route.flags = SVC_BLOCKING;
    return route;
}

/* With a queue in which who is not refused at once waits for longer than the test may take. */
static svc_app *make(size_t workers)
{
    svc_config config = SVC_CONFIG_INIT;
    config.workers_max = workers;
    config.worker_queue_ms = config.request_timeout_ms = 3600000;
    config.listen = "127.0.0.1:0";
    config.admin_listen = "";
    config.log_output = "stderr";
    svc_app *app = svc_app_new("test");
    svc_route route = blocking("GET /", answer);
    svc_app_route(app, &route);
    svc_app_get(app, "/written", answer_by_writer, NULL);
    svc_app_configure(app, &config);
    svc_app_set_log_sink(app, note_failures, NULL);
    return app;
}

static void expect(svc_app *app, const char *target, int status)
{
    svc_reply *reply = svc_app_test_get(app, target);
    cr_expect_eq(svc_reply_status(reply), status, "%s: %d", target, svc_reply_status(reply));
    svc_reply_free(reply);
}

static void expect_metric(svc_app *app, const char *line)
{
    struct buf text;
    svc__buf_init(&text, 1 << 20);
    svc__metrics_text_write(app->metrics, NULL, METRICS_PROMETHEUS, &text, NULL);
    svc__buf_terminate(&text);
    cr_expect(strstr(text.data, line), "%s", text.data);
    svc__buf_free(&text);
}

Test(app_workers, without_any_requests_are_503_at_once_and_it_is_logged_and_counted)
{
    svc_app *app = make(8);
    threads_left = 1; /* the one that a start tries */
    expect(app, "/", 503);
    expect(app, "/written", 503);
    cr_expect_eq(told, 2);
    expect_metric(app, "\nsvc_worker_failures_total 2\n");
    expect_metric(app, "\nsvc_workers 0\n");
    expect_metric(app, "\nsvc_workers_turned_away_total 2\n");
    threads_left = INT_MAX;
    expect(app, "/", 200);
    expect(app, "/written", 200);
    svc_app_free(app);
}

Test(app_workers, a_start_that_cannot_have_one_says_so)
{
    svc_app *app = make(8);
    threads_left = 0;
    cr_expect_eq(svc_app_start(app), SVC_ESYSTEM);
    cr_expect(strstr(svc_app_errors(app), "worker threads cannot be made: "), "%s",
              svc_app_errors(app));
    svc_app_free(app);
}

Test(app_workers, a_start_that_cannot_have_the_least_says_so)
{
    svc_app *app = make(8);
    svc_config config = app->config;
    config.workers_min = 2;
    svc_app_configure(app, &config);
    threads_left = 1;
    cr_expect_eq(svc_app_start(app), SVC_ESYSTEM);
    cr_expect(strstr(svc_app_errors(app), "worker threads cannot be made: "), "%s",
              svc_app_errors(app));
    svc_app_free(app);
}

Test(app_workers, an_app_that_needs_none_starts_without)
{
    svc_app *app = svc_app_new("test");
    svc_app_get(app, "/", answer, NULL);
    threads_left = 0;
    expect(app, "/", 200);
    svc_app_free(app);
}

static int begin_not(svc_app *app, void *arg, void **state)
{
    (void)app, (void)arg, (void)state;
    return -1;
}

Test(app_workers, one_that_cannot_begin_is_as_none)
{
    svc_app *app = make(8);
    svc_app_each_worker(app, begin_not, NULL, NULL);
    expect(app, "/", 503);
    cr_expect_eq(told, 1);
    svc_app_free(app);
}
