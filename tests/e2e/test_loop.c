/* The use of a running service's loops by its own code, and the watchdog. */
#include <criterion/criterion.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/process.h"

static void start(void)
{
    static const char *const settings[] = {"SVC_THREADS=3", "SVC_STALL_MS=300", NULL};
    serve("server_loop", settings);
}

static void stop(void)
{
    cr_expect_eq(process_stop(server), 0, "the server ends badly");
    cr_expect_eq(process_count_log(server, "\"agree\":true"), 1, "posts were lost");
    process_free(server);
}

TestSuite(loop, .init = start, .fini = stop);

static void ask(const char *request, const char *body)
{
    struct client *client = client_connect(process_address(server, 0));
    cr_assert(client);
    struct client_reply reply = client_exchange(client, request);
    cr_expect_eq(reply.status, 200, "%d %s", reply.status, client_end_name(reply.end));
    cr_expect_str_eq(reply.body, body);
    client_reply_free(&reply);
    client_close(client);
}

#define GET(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

Test(loop, functions_descriptors_and_timers_are_served_by_every_loop)
{
    for (int i = 0; i < 20; i++)
        ask(GET("/round"), "3 loops, 3 threads, 0 errors");
}

Test(loop, posts_are_taken_until_the_loops_end_and_all_of_those_run)
{
    ask(GET("/flood"), "flooding");
    ask(GET("/round"), "3 loops, 3 threads, 0 errors");
}

Test(loop, what_is_left_at_the_stop_does_not_fire)
{
    ask(GET("/left"), "left");
}

/* ---- The watchdog */

/* Of one route: on a busy machine other routes may stall too. */
static const char stalls[] = "svc_loop_stalls_total{route=\"GET /spin\"}";
static const char pattern[] = "\"pattern\":\"GET /spin\"";

static void spin(struct client *client, size_t times)
{
    cr_assert(client_send_text(client, GET("/spin")));
    cr_assert(process_await_lines(server, "\"spinning\"", times, PROCESS_WAIT_MS));
    cr_assert(process_tell(server, "."));
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, 200);
    client_reply_free(&reply);
}

Test(loop, the_watchdog_counts_by_route_and_tells_the_remedy_once_a_minute)
{
    const char *admin = process_admin(server);
    ask(GET("/round"), "3 loops, 3 threads, 0 errors");
    cr_expect_eq(client_metric(admin, stalls), -1, "no line for a route without a stall");
    struct client *client = client_connect(process_address(server, 0));
    cr_assert(client);
    for (size_t i = 1; i <= 3; i++) {
        spin(client, i);
        cr_expect(client_await_metric(admin, stalls, (long)i)); /* counted after the answer */
    }
    client_close(client);
    cr_expect_eq(process_count_log(server, pattern), 1);
    cr_expect(
        process_await_log(server, "by computing: mark the route SVC_BLOCKING", PROCESS_WAIT_MS));
    cr_expect(process_await_log(server, "\"stall_ms\":300", PROCESS_WAIT_MS));
}
