/* Stalls of event loops: what is counted, and how often that is logged. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include <svc/log.h>
#include <svc/worker.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/app/stalls.h"
#include "libsvc/exchange/exchange.h"
#include "libsvc/ops/metrics_text.h"

#define MS UINT64_C(1000000)

static svc_app *app;
static struct watchdog dog;
static struct route route;
static _Atomic uint64_t logged_ms;
static int lines;
static char message[256];

static bool take_line(const svc_log_record *record, void *arg)
{
    (void)arg;
    lines++;
    snprintf(message, sizeof message, "%s", record->message);
    return true;
}

static void open_watched(void)
{
    svc_config config = SVC_CONFIG_INIT;
    config.stall_ms = 10000;
    app = svc_app_new("stalls");
    cr_assert(app);
    cr_assert_eq(svc_app_configure(app, &config), 0);
    svc_app_set_log_sink(app, take_line, NULL);
    cr_assert_eq(svc__app_ready(app), 0);
    svc__stalls_watch(app, &dog);
    route.pattern.text = "GET /x/{\"y\\z\"}";
    route.stall_logged_ms = &logged_ms;
    app->plan->routes = &route;
    app->plan->route_count = 1;
}

static void close_watched(void)
{
    svc_app_free(app);
}

static uint64_t stalls_of(const char *pattern)
{
    return svc__counter_read(svc_counter_of(app->stalls, 1, &pattern));
}

TestSuite(app_stalls, .init = open_watched, .fini = close_watched);

/* As if the loop had been free `ms` ago for the last time, and its thread had waited since: also
 * where the system has run others meanwhile. */
static void hold_by(uint64_t ms, enum watched what, const struct route *of)
{
    svc__watchdog_enter(&dog); /* so that a sample is taken */
    svc__watchdog_mark(&dog, svc__clock_coarse_ns() - ms * 1000000);
    dog.sample.waits--;
    dog.waits = 0;
    svc__watchdog_look(&dog, what, of);
}

static void hold(uint64_t ms, const struct route *of)
{
    hold_by(ms, of ? WATCHED_REQUEST : WATCHED_TIMER, of);
}

Test(app_stalls, counts_by_route_what_holds_the_loop_for_the_limit)
{
    hold(5000, &route);
    cr_expect_eq(stalls_of(route.pattern.text), 0);
    hold(10000, &route);
    cr_expect_eq(stalls_of(route.pattern.text), 1);
    svc__watchdog_look(&dog, WATCHED_REQUEST, &route);
    cr_expect_eq(stalls_of(route.pattern.text), 1, "counted twice");
    hold(20000, NULL);
    cr_expect_eq(stalls_of(route.pattern.text), 1);
    cr_expect_eq(stalls_of(""), 1);
}

Test(app_stalls, tells_the_remedy_once_a_minute_for_each_route)
{
    for (int i = 0; i < 5; i++)
        hold(10000, &route);
    cr_expect_eq(lines, 1);
    cr_expect(strstr(message, "SVC_BLOCKING") && strstr(message, "svc_request_defer"));
    hold(10000, NULL);
    cr_expect_eq(lines, 2);
    atomic_fetch_sub(&logged_ms, 60000);
    hold(10000, &route);
    cr_expect_eq(lines, 3);
    cr_expect_eq(stalls_of(route.pattern.text), 6);
}

Test(app_stalls, can_be_off)
{
    dog.limit_ns = 0;
    hold(100000, &route);
    cr_expect_eq(stalls_of(route.pattern.text), 0);
}

Test(app_stalls, prints_a_line_for_each_route_that_has_stalled)
{
    struct buf out;
    svc__buf_init(&out, 65536);
    svc__metrics_text_write(app->metrics, NULL, METRICS_PROMETHEUS, &out, NULL);
    svc__buf_terminate(&out);
    cr_expect_null(strstr(out.data, "svc_loop_stalls_total"));
    hold(10000, &route);
    hold(10000, &route);
    hold(10000, NULL);
    svc__buf_clear(&out);
    svc__metrics_text_write(app->metrics, NULL, METRICS_PROMETHEUS, &out, NULL);
    svc__buf_terminate(&out);
    cr_expect(strstr(out.data, "# TYPE svc_loop_stalls_total counter\n"));
    cr_expect(strstr(out.data, "svc_loop_stalls_total{route=\"\"} 1\n"));
    cr_expect(strstr(out.data, "svc_loop_stalls_total{route=\"GET /x/{\\\"y\\\\z\\\"}\"} 2\n"));
    svc__buf_free(&out);
}

/* The thread was interrupted and did not wait. */
static void stand_still(enum watched what, const struct route *of)
{
    svc__watchdog_mark(&dog, svc__clock_coarse_ns() - 10000 * MS);
    dog.sample.preemptions--;
    dog.waits = 1000;
    svc__watchdog_look(&dog, what, of);
}

Test(app_stalls, blames_nobody_when_the_system_did_not_run_the_loop)
{
    stand_still(WATCHED_REQUEST, &route);
    cr_expect_eq(stalls_of(route.pattern.text), 0);
    cr_expect_eq(lines, 1);
    cr_expect(strstr(message, "stood still") && !strstr(message, "SVC_BLOCKING"), "%s", message);
    for (int what = 0; what < WATCHED_KINDS; what++)
        stand_still((enum watched)what, NULL);
    cr_expect_eq(lines, 1, "once a minute");
    cr_expect_eq(svc__counter_read(app->standstills), 1 + WATCHED_KINDS);
    cr_expect_eq(stalls_of(""), 0);
    hold(10000, &route);
    cr_expect_eq(lines, 2, "its own is logged all the same");
}

/* Of a blocking route only layers can hold the loop, if it has any that do not block. */
Test(app_stalls, blames_nobody_where_nothing_of_the_application_was_on_the_loop)
{
    static const svc_middleware quiet = {.size = sizeof quiet, .name = "quiet"};
    struct chain_layer layers[8] = {{0}};
    size_t count = app->plan->default_layers + 1;
    cr_assert_lt(count, 8);
    for (size_t i = 0; i < count; i++)
        layers[i].middleware = &quiet;
    route.chain = (struct chain){.layers = layers, .count = count};
    route.flags = SVC_BLOCKING;
    hold(10000, &route);
    hold_by(10000, WATCHED_REQUEST, NULL);
    hold_by(10000, WATCHED_NOTHING, &route);
    cr_expect_eq(stalls_of(route.pattern.text), 0);
    cr_expect_eq(svc__counter_read(app->standstills), 3);
    cr_expect_eq(lines, 1);
    cr_expect(strstr(message, "stood still"), "%s", message);
    route.flags = 0;
    route.chain = (struct chain){0};
}

Test(app_stalls, prints_how_often_loops_stood_still)
{
    struct buf out;
    svc__buf_init(&out, 65536);
    stand_still(WATCHED_POST, NULL);
    svc__metrics_text_write(app->metrics, NULL, METRICS_PROMETHEUS, &out, NULL);
    svc__buf_terminate(&out);
    cr_expect(strstr(out.data, "# TYPE svc_loop_standstills_total counter\n"
                               "svc_loop_standstills_total 1\n"));
    svc__buf_free(&out);
}
