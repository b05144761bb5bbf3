/* Signals at every moment of a service's life: the first ends it in order, the second at once. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>

#include "tests/support/client.h"
#include "tests/support/process.h"

static struct process *server;

/* Starts the server, which is held at a place. */
static void start(const char *place)
{
    char held[64];
    snprintf(held, sizeof held, "SIGNALS_HOLD=%s", place);
    const char *const settings[] = {held, "SVC_LISTEN=localhost:0", NULL};
    server = process_spawn(process_program("server_signals"), settings, NULL);
    cr_assert(server);
}

static void await_hold(const char *place)
{
    char line[64];
    snprintf(line, sizeof line, "held in %s\n", place);
    cr_assert(process_await_log(server, line, PROCESS_WAIT_MS), "%s", line);
}

static void send_first(int signal)
{
    cr_assert(process_signal(server, signal));
    cr_assert(process_await_log(server, "is stopping\n", PROCESS_WAIT_MS));
}

static void expect_end(int status, const char *place)
{
    int found = process_await_exit(server, PROCESS_WAIT_MS);
    cr_expect_eq(found, status, "%s: %d", place, found);
}

static const char *const start_places[] = {"layer", "start hook", "look-up"};
enum { START_PLACES = sizeof start_places / sizeof *start_places };

Test(signals, the_first_ends_a_start_in_order)
{
    for (size_t i = 0; i < START_PLACES; i++) {
        const char *place = start_places[i];
        bool look_up = i == START_PLACES - 1;
        start(place);
        await_hold(place);
        send_first(i % 2 ? SIGINT : SIGTERM);
        cr_expect(process_tell(server, "rrrr"));
        expect_end(0, place);
        cr_expect_eq(process_count_log(server, "stopped during the start"), 1, "%s", place);
        cr_expect_eq(process_count_log(server, "the last hook begins"), look_up, "%s", place);
        cr_expect_eq(process_count_log(server, "the first hook is undone"), i > 0, "%s", place);
        cr_expect_eq(process_count_log(server, "listening"), 0, "%s", place);
        cr_expect_eq(process_count_log(server, "cannot start"), 0, "%s", place);
        process_free(server);
    }
}

Test(signals, the_second_ends_a_start_at_once)
{
    static const int seconds[] = {SIGTERM, SIGINT};
    for (size_t i = 0; i < START_PLACES; i++) {
        start(start_places[i]);
        await_hold(start_places[i]);
        send_first(SIGTERM);
        cr_expect(process_signal(server, seconds[i % 2]));
        expect_end(128 + seconds[i % 2], start_places[i]);
        process_free(server);
    }
}

Test(signals, a_start_hook_can_ask)
{
    start("patience");
    await_hold("patience");
    cr_expect(process_signal(server, SIGTERM));
    expect_end(0, "patience");
    cr_expect_eq(process_count_log(server, "cannot start"), 0);
    cr_expect_eq(process_count_log(server, "the first hook is undone"), 1);
    process_free(server);
}

Test(signals, a_hook_that_asks_for_a_stop_ends_the_start)
{
    start("own stop");
    expect_end(0, "own stop");
    cr_expect_eq(process_count_log(server, "stopped during the start"), 1);
    cr_expect_eq(process_count_log(server, "the last hook begins"), 0);
    process_free(server);
}

/* The first of them began the drain. */
Test(signals, the_second_ends_a_stop_hook_at_once)
{
    start("stop hook");
    cr_assert(process_await_log(server, "listening", PROCESS_WAIT_MS));
    cr_expect(process_signal(server, SIGTERM));
    await_hold("stop hook");
    cr_expect(process_signal(server, SIGTERM));
    expect_end(128 + SIGTERM, "stop hook");
    process_free(server);
}

Test(signals, stop_hooks_of_a_failed_start_are_ended_likewise)
{
    start("stop hook, failure");
    await_hold("stop hook");
    send_first(SIGINT);
    cr_expect(process_signal(server, SIGINT));
    expect_end(128 + SIGINT, "failure");
    process_free(server);
}

/* It may come from a supervisor, while the service stops by itself. */
Test(signals, one_signal_alone_ends_no_stop_hook)
{
    start("stop hook");
    cr_assert(process_await_log(server, "admin pages", PROCESS_WAIT_MS));
    struct client *client = client_connect(process_address(server, 0));
    cr_assert(client_send_text(client, "GET /stop HTTP/1.1\r\nHost: a\r\n\r\n"));
    await_hold("stop hook");
    cr_expect(process_signal(server, SIGTERM));
    cr_expect(process_tell(server, "r"));
    expect_end(0, "stop hook");
    cr_expect_eq(process_count_log(server, "the first hook is undone"), 1);
    client_close(client);
    process_free(server);
}

Test(signals, a_child_that_was_forked_is_ended_by_them)
{
    start("fork");
    cr_assert(process_await_log(server, "child ended by Terminated\n", PROCESS_WAIT_MS));
    cr_expect_eq(process_stop(server), 0);
    process_free(server);
}
