/* examples/waits.c: both ways to wait, refusals, and clients that leave. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/in_time.h"
#include "tests/support/process.h"

static void start(void)
{
    serve("../../examples/waits", NULL);
}

TestSuite(waits, .init = start, .fini = serve_no_more);

static void ask(struct client *client, const char *path)
{
    cr_assert(client_printf(client, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path));
}

static void expect(struct client *client, int status, const char *body)
{
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, status, "%d: %s", reply.status, client_end_name(reply.end));
    if (body)
        cr_expect_str_eq(reply.body, body);
    client_reply_free(&reply);
}

Test(waits, both_wait_for_as_long_as_they_are_told)
{
    static const char *const paths[] = {"/sleep/100", "/timer/100"};
    static const char *const answers[] = {"slept\n", "fired\n"};
    struct client *client = connect_client();
    for (int i = 0; i < 2; i++) {
        uint64_t began_ms = client_clock_ms();
        ask(client, paths[i]);
        expect(client, 200, answers[i]);
        cr_expect_geq(client_clock_ms() - began_ms, 100);
    }
    ask(client, "/sleep/0");
    expect(client, 200, "slept\n");
    ask(client, "/timer/0");
    expect(client, 200, "fired\n");
    client_close(client);
}

Test(waits, times_that_are_none_are_refused)
{
    static const char *const times[] = {"x", "-1", "+1", "1.5", "1e3", "10000", "00000", "%2000"};
    struct client *client = connect_client();
    char path[32];
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        snprintf(path, sizeof path, "/sleep/%s", times[i]);
        ask(client, path);
        expect(client, 400, NULL);
        snprintf(path, sizeof path, "/timer/%s", times[i]);
        ask(client, path);
        expect(client, 400, NULL);
    }
    client_close(client);
}

/* Other requests are served meanwhile, on any loop. False if the time of a waiting request passed
 * before the last of them was served. */
static bool serve_others(void)
{
    static unsigned wait_ms = 250;
    struct client *slow[2], *quick = connect_client();
    uint64_t began_ms = client_clock_ms();
    char path[32];
    wait_ms = wait_ms < 5000 ? 2 * wait_ms : wait_ms;
    for (int i = 0; i < 2; i++) {
        slow[i] = connect_client();
        snprintf(path, sizeof path, "/%s/%u", i ? "timer" : "sleep", wait_ms);
        ask(slow[i], path);
    }
    for (int i = 0; i < 20; i++) {
        ask(quick, "/now");
        expect(quick, 200, "now\n");
    }
    bool in_time = client_clock_ms() < began_ms + wait_ms;
    for (int i = 0; i < 2; i++) {
        expect(slow[i], 200, i ? "fired\n" : "slept\n");
        client_close(slow[i]);
    }
    client_close(quick);
    return in_time;
}

Test(waits, who_waits_holds_nobody_up)
{
    expect_in_time(serve_others);
}

/* The stop at the end of the test is a clean one, and does not take as long as the timer would
 * have. */
Test(waits, a_client_that_leaves_takes_its_timer_with_it)
{
    struct client *client = connect_client();
    uint64_t began_ms = client_clock_ms();
    ask(client, "/timer/9999");
    cr_assert(client_await_read(client));
    client_close(client);
    cr_expect_eq(process_stop(server), 0);
    cr_expect_lt(client_clock_ms() - began_ms, 9000);
}
