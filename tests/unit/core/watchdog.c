/* The watchdog: what it counts, and how often it says so. */
#include <stdio.h>
#include <string.h>

#include <svc/log.h>

#include "libsvc/core/exchange.h"
#include "tests/unit/core/support.h"

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

/* As if the loop had been free `ms` ago for the last time. */
static void hold(uint64_t ms, const struct route *of)
{
    svc__watchdog_mark(&loop.watchdog, svc__clock_coarse_ns() - ms * 1000000);
    svc__watchdog_look(&loop.watchdog, of);
}

Test(core_watchdog, counts_by_route_what_holds_the_loop_for_the_limit)
{
    hold(5000, &route);
    cr_expect_eq(atomic_load(&route.stalls), 0);
    hold(10000, &route);
    cr_expect_eq(atomic_load(&route.stalls), 1);
    svc__watchdog_look(&loop.watchdog, &route);
    cr_expect_eq(atomic_load(&route.stalls), 1, "counted twice");
    hold(20000, NULL);
    cr_expect_eq(atomic_load(&route.stalls), 1);
    cr_expect_eq(atomic_load(&app->fallback.stalls), 1);
}

Test(core_watchdog, a_mark_ahead_of_the_coarse_clock_is_no_stall)
{
    svc__watchdog_mark(&loop.watchdog, svc__clock_ns() + 1000000000);
    svc__watchdog_look(&loop.watchdog, &route);
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
    atomic_fetch_sub(&route.stall_told_ms, 60000);
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
