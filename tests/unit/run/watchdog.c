/* The watchdog: what it counts, and how often it says so. */
#include <stdio.h>
#include <string.h>

#include <svc/log.h>
#include <svc/worker.h>

#include "libsvc/exchange/exchange.h"
#include "tests/unit/run/support.h"

static struct route route;
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
    open_loop_with(10000);
    svc_app_log_sink(app, take_line, NULL);
    cr_assert_eq(svc__app_ready(app), 0);
    route.pattern.text = "GET /x/{\"y\\z\"}";
    app->routes = &route;
}

static void close_watched(void)
{
    app->routes = NULL;
    close_loop();
}

TestSuite(core_watchdog, .init = open_watched, .fini = close_watched);

/* As if the loop had been free `ms` ago for the last time, and its thread had waited since: also
 * where the system has run others meanwhile. */
static void hold_by(uint64_t ms, enum watched what, const struct route *of)
{
    svc__watchdog_enter(&loop.watchdog); /* so that a sample is taken */
    svc__watchdog_mark(&loop.watchdog, svc__clock_coarse_ns() - ms * 1000000);
    loop.watchdog.sample.waits--;
    loop.watchdog.waits = 0;
    svc__watchdog_look(&loop.watchdog, what, of);
}

static void hold(uint64_t ms, const struct route *of)
{
    hold_by(ms, of ? WATCHED_REQUEST : WATCHED_TIMER, of);
}

Test(core_watchdog, counts_by_route_what_holds_the_loop_for_the_limit)
{
    hold(5000, &route);
    cr_expect_eq(atomic_load(&route.stalls), 0);
    hold(10000, &route);
    cr_expect_eq(atomic_load(&route.stalls), 1);
    svc__watchdog_look(&loop.watchdog, WATCHED_REQUEST, &route);
    cr_expect_eq(atomic_load(&route.stalls), 1, "counted twice");
    hold(20000, NULL);
    cr_expect_eq(atomic_load(&route.stalls), 1);
    cr_expect_eq(atomic_load(&app->fallback.stalls), 1);
}

Test(core_watchdog, a_mark_ahead_of_the_coarse_clock_is_no_stall)
{
    svc__watchdog_mark(&loop.watchdog, svc__clock_ns() + 1000000000);
    svc__watchdog_look(&loop.watchdog, WATCHED_REQUEST, &route);
    cr_expect_eq(atomic_load(&route.stalls), 0);
}

Test(core_watchdog, tells_the_remedy_once_a_minute_for_each_route)
{
    for (int i = 0; i < 5; i++)
        hold(10000, &route);
    cr_expect_eq(lines, 1);
    cr_expect(strstr(message, "SVC_BLOCKING") && strstr(message, "svc_request_defer"));
    hold(10000, NULL);
    cr_expect_eq(lines, 2);
    atomic_fetch_sub(&route.stall_logged_ms, 60000);
    hold(10000, &route);
    cr_expect_eq(lines, 3);
    cr_expect_eq(atomic_load(&route.stalls), 6);
}

Test(core_watchdog, can_be_off)
{
    loop.watchdog.limit_ns = 0;
    hold(100000, &route);
    cr_expect_eq(atomic_load(&route.stalls), 0);
}

Test(core_watchdog, prints_a_line_for_each_route_that_has_stalled)
{
    struct buf out;
    svc__buf_init(&out, 65536);
    svc__metrics_dump(app->metrics, &out);
    svc__buf_terminate(&out);
    cr_expect(strstr(out.data, "# TYPE svc_loop_stalls_total counter\n"));
    cr_expect_null(strstr(out.data, "svc_loop_stalls_total{"));
    hold(10000, &route);
    hold(10000, &route);
    hold(10000, NULL);
    svc__buf_clear(&out);
    svc__metrics_dump(app->metrics, &out);
    svc__buf_terminate(&out);
    cr_expect(strstr(out.data, "svc_loop_stalls_total{route=\"\"} 1\n"
                               "svc_loop_stalls_total{route=\"GET /x/{\\\"y\\\\z\\\"}\"} 2\n"));
    svc__buf_free(&out);
}

/* ---- What the thread did meanwhile */

#define MS UINT64_C(1000000)

/* The loop was held for 100 ms, of which the limit is 50; the sample is 10 ms older. */
Test(core_watchdog, tells_who_computed_from_who_waited_and_who_was_not_run)
{
    static const struct {
        uint64_t ran_ms, waits, preemptions;
        enum hold hold;
    } rows[] = {
        {110, 0, 0, HOLD_COMPUTED}, {60, 0, 9, HOLD_COMPUTED}, {35, 0, 30, HOLD_COMPUTED},
        {34, 0, 30, HOLD_NOT_RUN},  {10, 0, 1, HOLD_NOT_RUN},  {0, 3, 1, HOLD_NOT_RUN},
        {0, 4, 0, HOLD_WAITED},     {0, 4, 1, HOLD_WAITED},    {12, 90, 40, HOLD_WAITED},
        {0, 3, 0, HOLD_WAITED},     {0, 0, 0, HOLD_WAITED},    {90, 4, 0, HOLD_COMPUTED},
    };
    struct watchdog dog = {.limit_ns = 50 * MS,
                           .sampled_ns = 1000 * MS,
                           .mark_ns = 1010 * MS,
                           .waits = 3,
                           .sample = {true, 7000 * MS, 100, 200}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct thread_usage now = {true, 7000 * MS + rows[i].ran_ms * MS, 100 + rows[i].waits,
                                   200 + rows[i].preemptions};
        cr_expect_eq(svc__watchdog_hold(&dog, 100 * MS, &now), rows[i].hold, "row %zu", i);
        now.known = false;
        cr_expect_eq(svc__watchdog_hold(&dog, 100 * MS, &now), HOLD_UNKNOWN);
    }
    struct thread_usage now = dog.sample;
    dog.sample.known = false;
    cr_expect_eq(svc__watchdog_hold(&dog, 100 * MS, &now), HOLD_UNKNOWN);
}

/* The thread was interrupted and did not wait. */
static void stand_still(enum watched what, const struct route *of)
{
    svc__watchdog_mark(&loop.watchdog, svc__clock_coarse_ns() - 10000 * MS);
    loop.watchdog.sample.preemptions--;
    loop.watchdog.waits = 1000;
    svc__watchdog_look(&loop.watchdog, what, of);
}

Test(core_watchdog, blames_nobody_when_the_system_did_not_run_the_loop)
{
    stand_still(WATCHED_REQUEST, &route);
    cr_expect_eq(atomic_load(&route.stalls), 0);
    cr_expect_eq(lines, 1);
    cr_expect(strstr(message, "stood still") && !strstr(message, "SVC_BLOCKING"), "%s", message);
    for (int what = 0; what < WATCHED_KINDS; what++)
        stand_still((enum watched)what, NULL);
    cr_expect_eq(lines, 1, "once a minute");
    cr_expect_eq(atomic_load(&app->standstills.count), 1 + WATCHED_KINDS);
    cr_expect_eq(atomic_load(&app->fallback.stalls), 0);
    hold(10000, &route);
    cr_expect_eq(lines, 2, "its own is logged all the same");
}

/* Of a blocking route only layers can hold the loop, if it has any that do not block. */
Test(core_watchdog, blames_nobody_where_nothing_of_the_application_was_on_the_loop)
{
    static const svc_middleware quiet = {.size = sizeof quiet, .name = "quiet"};
    struct chain_layer layers[8] = {{0}};
    size_t count = app->default_uses.count + 1;
    cr_assert_lt(count, 8);
    for (size_t i = 0; i < count; i++)
        layers[i].middleware = &quiet;
    route.chain = (struct chain){.layers = layers, .count = count};
    route.flags = SVC_BLOCKING;
    hold(10000, &route);
    hold_by(10000, WATCHED_REQUEST, NULL);
    hold_by(10000, WATCHED_NOTHING, &route);
    cr_expect_eq(atomic_load(&route.stalls), 0);
    cr_expect_eq(atomic_load(&app->standstills.count), 3);
    cr_expect_eq(lines, 1);
    cr_expect(strstr(message, "stood still"), "%s", message);
    route.flags = 0;
    route.chain = (struct chain){0};
}

Test(core_watchdog, prints_how_often_loops_stood_still)
{
    struct buf out;
    svc__buf_init(&out, 65536);
    stand_still(WATCHED_POST, NULL);
    svc__metrics_dump(app->metrics, &out);
    svc__buf_terminate(&out);
    cr_expect(strstr(out.data, "# TYPE svc_loop_standstills_total counter\n"
                               "svc_loop_standstills_total 1\n"));
    svc__buf_free(&out);
}

/* A sample costs system calls. */
Test(core_watchdog, takes_a_sample_a_few_times_in_the_limit_at_most)
{
    struct watchdog *dog = &loop.watchdog;
    uint64_t now_ns = svc__clock_ns(), samples = 0;
    for (int i = 0; i < 10000; i++) {
        uint64_t before_ns = dog->sampled_ns;
        svc__watchdog_woken(dog, now_ns += 10 * MS);
        samples += dog->sampled_ns != before_ns;
        cr_assert_leq(dog->mark_ns - dog->sampled_ns, dog->limit_ns / 4);
    }
    cr_expect_eq(samples, 10000 * 10 / (10000 / 4));
}
