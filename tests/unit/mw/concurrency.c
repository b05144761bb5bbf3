/* The limit of the loop's queue, with a loop whose turns and requests begin when the test says. */
#include <criterion/criterion.h>

#include <svc.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/dispatch/dispatch.h"
#include "libsvc/exchange/exchange.h"
#include "libsvc/metrics/metric.h"
#include "libsvc/run/reactor.h"
#include "tests/support/test_clock.h"

static const uint64_t ms = 1000000;
enum { QUEUE_MS = 100 };

static struct arena_cache arenas;
static struct exchange_host host;
static struct log own_log;
static struct svc_loop loop;

static int served(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "served");
}

static int by_query(svc_request *req, void *arg)
{
    (void)arg;
    return svc_request_query(req, "critical") ? SVC_PRIORITY_CRITICAL : SVC_PRIORITY_NORMAL;
}

static svc_app *make_app(void)
{
    test_clock_ns = 3600000 * ms;
    svc_app *app = svc_app_new("queue");
    svc_concurrency options = SVC_CONCURRENCY_INIT;
    options.max_queue_ms = QUEUE_MS;
    options.priority = by_query;
    svc_app_use(app, svc_concurrency_new(app, &options));
    svc_app_use(app, svc_concurrency_new(app, &options)); /* two agree on which is the first */
    svc_app_get(app, "/", served, NULL);
    cr_assert_eq(svc__app_ready(app), 0);
    svc__arena_cache_init(&arenas, 4);
    cr_assert_eq(svc__reactor_open(&loop), 0);
    host = (struct exchange_host){.arenas = &arenas, .log = &own_log, .loop = &loop};
    svc__log_init(&own_log, &app->logger);
    svc__buf_init(&host.scratch, 1 << 20);
    return app;
}

static void free_app(svc_app *app)
{
    svc__log_free(&own_log);
    svc__buf_free(&host.scratch);
    svc__arena_cache_free(&arenas);
    svc__reactor_close(&loop);
    svc_app_free(app);
}

static struct peer peer;
static struct transport transport = {.scheme = "http", .peer = &peer};

/* The status of a request that began `ago_ns` before now. */
static int ask(svc_app *app, const char *target, uint64_t ago_ns)
{
    const struct field fields[] = {{svc__bytes_z("Host"), svc__bytes_z("a")}};
    struct exchange *x = svc__dispatch_new(app->plan, &host, &transport, svc__bytes_z(target));
    struct head head = {svc__bytes_z("GET"), svc__bytes_z(target), 1, fields, 1, 64};
    x->request.started_ns -= ago_ns;
    svc__dispatch_head(x, &head);
    svc__dispatch_run(x);
    int status = x->response.status;
    svc__dispatch_done(x, SVC_COMPLETE, 0);
    svc__exchange_unref(x);
    return status;
}

/* A turn that serves what may have come `ago_ms` before, and has served one. */
static void begin_turn(svc_app *app, uint64_t ago_ms)
{
    host.turn_ns = test_clock_ns - ago_ms * ms;
    host.turn_first_ns = 0;
    cr_expect_eq(ask(app, "/", 0), 200, "the first of a turn");
}

Test(mw_concurrency, who_may_have_waited_too_long_is_refused)
{
    svc_app *app = make_app();
    begin_turn(app, QUEUE_MS / 2);
    cr_expect_eq(ask(app, "/", 0), 200);
    begin_turn(app, QUEUE_MS + 1);
    cr_expect_eq(ask(app, "/", 0), 503);
    cr_expect_eq(ask(app, "/none", 0), 503, "also who would get a 404");
    free_app(app);
}

Test(mw_concurrency, the_critical_may_wait_a_quarter_longer)
{
    svc_app *app = make_app();
    begin_turn(app, QUEUE_MS + 1);
    cr_expect_eq(ask(app, "/?critical=1", 0), 200);
    begin_turn(app, QUEUE_MS + QUEUE_MS / 4 + 1);
    cr_expect_eq(ask(app, "/?critical=1", 0), 503);
    free_app(app);
}

Test(mw_concurrency, a_head_that_came_in_pieces_is_as_late_as_others_of_its_turn)
{
    svc_app *app = make_app();
    begin_turn(app, QUEUE_MS + 1);
    cr_expect_eq(ask(app, "/", 2 * QUEUE_MS * ms), 503);
    begin_turn(app, 1);
    cr_expect_eq(ask(app, "/", 2 * QUEUE_MS * ms), 200);
    free_app(app);
}

Test(mw_concurrency, where_turns_are_not_known_nobody_is_late)
{
    svc_app *app = make_app();
    host.turn_ns = 0;
    for (int i = 0; i < 3; i++)
        cr_expect_eq(ask(app, "/", 0), 200);
    free_app(app);
}

/* Each limit of the two counts. */
Test(mw_concurrency, what_passes_is_counted_until_it_is_done)
{
    svc_app *app = make_app();
    begin_turn(app, QUEUE_MS + 1);
    for (int i = 0; i < 5; i++)
        ask(app, "/", 0);
    cr_expect_eq(svc_test_metric(app, "svc_requests_shed_total{reason=\"loop_wait\"}"), 5);
    cr_expect_eq(svc_test_metric(app, "svc_concurrency_in_flight"), 0);
    free_app(app);
}
