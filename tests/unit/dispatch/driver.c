/* How long a host waits for an exchange that others have, and what becomes of it then, by a clock
 * that the test passes. */
#include "libsvc/dispatch/driver.h"

#include <criterion/criterion.h>
#include <string.h>

#include <svc/middleware.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/dispatch/dispatch.h"
#include "libsvc/exchange/away.h"
#include "libsvc/run/reactor.h"

#define MS UINT64_C(1000000)

static svc_app *app;
static struct exchange_host host;
static struct svc_loop loop;
static struct log own_log;
static struct peer peer;
static unsigned news; /* that the transport was told of */

static void take_news(struct transport *transport)
{
    (void)transport;
    news++;
}

static struct transport transport = {take_news, "https", &peer};

static void wake(struct exchange_host *from, struct exchange *x)
{
    (void)from, (void)x;
}

static int say_scheme(svc_request *req, svc_response *res)
{
    return svc_response_text(res, 200, svc_request_scheme(req));
}

static unsigned waited;

static int wait_in_layer(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)res, (void)layer;
    return waited++ ? SVC_PASS : SVC_WAIT;
}

static const svc_middleware waits = {
    .size = sizeof waits, .name = "waits", .on_request = wait_in_layer};

static void open_app(void)
{
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = config.metrics = 0;
    config.worker_queue_ms = 300;
    app = svc_app_new("driver");
    svc_app_configure(app, &config);
    svc_group *waiting = svc_app_group(app, "/waiting");
    svc_group_use(waiting, &waits);
    svc_group_get(waiting, "/a", say_scheme, NULL);
    svc_app_get(app, "/a", say_scheme, NULL);
    cr_assert_eq(svc__app_ready(app), 0);
    svc__log_init(&own_log, &app->logger);
    host = (struct exchange_host){.wake = wake, .loop = &loop, .log = &own_log};
    svc__buf_init(&host.scratch, 65536);
}

static void close_app(void)
{
    svc__buf_free(&host.scratch);
    svc__log_free(&own_log);
    svc_app_free(app);
}

TestSuite(driver, .init = open_app, .fini = close_app);

static struct exchange *begin(const char *target)
{
    static const struct field fields[] = {{{"Host", 4}, {"a", 1}}};
    struct head head = {{"GET", 3}, {target, strlen(target)}, 1, fields, 1, 64};
    struct exchange *x = svc__dispatch_new(app->plan, &host, &transport, head.target_raw);
    cr_assert(x);
    svc__dispatch_head(x, &head);
    return x;
}

static void end(struct exchange *x)
{
    svc__dispatch_done(x, SVC_COMPLETE, 0);
    svc__exchange_unref(x);
}

Test(driver, waits_in_the_queue_of_the_workers_for_the_time_of_that)
{
    struct exchange *x = begin("/a");
    uint64_t now_ns = 5000 * MS;
    x->request.deadline_ns = now_ns + 2000 * MS;
    cr_expect_eq(svc__driver_due_ms(x, now_ns), 2000);
    x->away.out = true;
    x->away.work.since_ns = 4900 * MS;
    cr_expect_eq(svc__driver_due_ms(x, now_ns), 200);
    cr_expect_eq(svc__driver_due_ms(x, now_ns + 200 * MS), 1800, "a worker has it by then");
    x->request.deadline_ns = now_ns + 50 * MS;
    cr_expect_eq(svc__driver_due_ms(x, now_ns), 50);
    cr_expect_eq(svc__driver_due_ms(x, now_ns + 50 * MS), 0);
    x->away.out = false;
    end(x);
}

Test(driver, answers_504_for_others_when_the_time_is_over)
{
    struct exchange *x = begin("/waiting/a"), *given_up = x;
    cr_assert_eq(svc__driver_go_on(x), EXCHANGE_WAIT);
    cr_expect_eq(svc__driver_go_on(x), EXCHANGE_BODY, "others have it still");
    uint64_t due_ns = x->request.deadline_ns;
    cr_expect_eq(svc__driver_expired(&x, due_ns - 1), DRIVER_WAITS);
    cr_expect_eq(x, given_up);
    cr_expect_eq(svc__driver_expired(&x, due_ns), DRIVER_TIMED_OUT);
    cr_assert(x && x != given_up);
    cr_expect_eq(svc__driver_go_on(x), EXCHANGE_REPLY);
    cr_expect_eq(x->response.status, 504);
    cr_expect_eq(svc_request_resume(&given_up->request), SVC_ELATE);
    svc__away_news(given_up);
    cr_expect_eq(news, 0, "it is nobody's any more");
    end(x);
}

Test(driver, goes_on_with_what_has_come_back)
{
    struct exchange *x = begin("/waiting/a");
    cr_assert_eq(svc__driver_go_on(x), EXCHANGE_WAIT);
    cr_expect_eq(svc_request_resume(&x->request), 0);
    svc__away_news(x);
    cr_expect_eq(news, 1);
    cr_expect_eq(svc__driver_go_on(x), EXCHANGE_REPLY);
    cr_expect_eq(x->response.body.len, strlen("https"), "the scheme is its transport's");
    cr_expect_eq(memcmp(x->response.body.data, "https", 5), 0);
    end(x);
}
