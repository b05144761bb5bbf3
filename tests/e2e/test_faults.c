/* System calls of the server fail for a while: nothing is lost for good, and no thread spins. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/process.h"

enum { LASTING = 1000000, WINDOW_MS = 1500 };

static const char hello[] = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
static const char worker[] = "GET /worker HTTP/1.1\r\nHost: a\r\n\r\n";

static void start(const char *fault)
{
    char faults[64];
    snprintf(faults, sizeof faults, "FAULTS=%s", fault);
    const char *const settings[] = {"SVC_THREADS=2", faults, NULL};
    serve("server_faults", settings);
}

static void set_fault(const char *call, int error, int count)
{
    char line[64], seen[96];
    snprintf(line, sizeof line, "%s %d %d\n", call, error, count);
    snprintf(seen, sizeof seen, "fault set: %s %d %d", call, error, count);
    cr_assert(process_tell(server, line));
    cr_assert(process_await_log(server, seen, PROCESS_WAIT_MS));
}

static void expect_served(struct client *client, const char *request)
{
    struct client_reply reply = client_exchange(client, request);
    cr_expect_eq(reply.status, 200, "%s", client_end_name(reply.end));
    client_reply_free(&reply);
}

static void expect_new_client_served(const char *request)
{
    struct client *client = connect_client();
    expect_served(client, request);
    client_close(client);
}

/* No thread spins while the call that a client waits for fails. */
static void expect_little_cpu(const struct client *client)
{
    uint64_t begin = client_clock_ms(), cpu = process_cpu_ms(server);
    cr_expect_not(client_readable(client, WINDOW_MS), "it is served all the same");
    uint64_t took = client_clock_ms() - begin, used = process_cpu_ms(server) - cpu;
    cr_expect_lt(used, took / 4, "%lu ms of CPU in %lu ms", (unsigned long)used,
                 (unsigned long)took);
}

/* The server is out of descriptors, and when it accepts again, the listener cannot be watched. */
Test(faults, of_accept_and_then_of_the_watch_are_made_up_for)
{
    start("");
    set_fault("epoll_add", ENOSPC, 20);
    set_fault("accept4", EMFILE, 4);
    expect_new_client_served(hello);
    cr_expect_gt(client_metric(process_admin(server), "svc_accept_errors_total"), 0);
    cr_expect(process_await_log(server, "cannot accept connections", PROCESS_WAIT_MS));
    serve_no_more();
}

/* Errors that the manual lists and others. Each accept fails, also the one that takes a client only
 * to refuse it for want of descriptors. */
Test(faults, of_accept_that_last_are_tried_again_without_haste)
{
    static const int errors[] = {EMFILE, ENOMEM, ENOBUFS, EPERM,  EACCES, EIO,
                                 EPROTO, EINVAL, EBADF,   ENOSYS, EINTR,  ECONNABORTED};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        start("");
        set_fault("accept4", errors[i], LASTING);
        struct client *client = connect_client();
        client_send_text(client, hello);
        expect_little_cpu(client);
        size_t lines = process_count_log(server, "cannot accept connections");
        cr_expect(lines >= 1 && lines <= 10, "%s: %zu lines", strerror(errors[i]), lines);
        set_fault("accept4", 0, 0);
        struct client_reply reply = client_read(client, false);
        cr_expect(reply.status == 200, "%s: %s", strerror(errors[i]), client_end_name(reply.end));
        client_reply_free(&reply);
        expect_new_client_served(hello);
        cr_expect_gt(client_metric(process_admin(server), "svc_accept_errors_total"), 0);
        client_close(client);
        serve_no_more();
    }
}

/* Between loops, from workers, and from the thread that stops. */
Test(faults, of_one_wake_up_lose_nothing)
{
    enum { TIMES = 20 };
    start("");
    for (int i = 0; i < TIMES; i++) {
        set_fault("wake", EIO, 1);
        expect_new_client_served(worker);
        expect_new_client_served(hello);
    }
    cr_expect_gt(client_metric(process_admin(server), "svc_loop_faults_total"), 0);
    set_fault("wake", EIO, 1);
    serve_no_more();
}

Test(faults, of_all_wake_ups_lose_nothing)
{
    enum { TIMES = 20 };
    start("wake 5 1000000");
    struct client *client = connect_client();
    for (int i = 0; i < TIMES; i++) {
        expect_served(client, worker);
        expect_new_client_served(worker);
        expect_new_client_served(hello);
    }
    client_close(client);
    cr_expect(process_await_log(server, "its eventfd takes nothing", PROCESS_WAIT_MS));
    serve_no_more();
}

/* Reads the metric until it has that value. */
static bool departure_seen(struct client *client)
{
    uint64_t due = client_clock_ms() + CLIENT_WAIT_MS;
    bool seen = false;
    while (!seen && client_clock_ms() < due) {
        struct client_reply reply =
            client_exchange(client, "GET /left HTTP/1.1\r\nHost: a\r\n\r\n");
        seen = !strcmp(reply.body, "left");
        client_reply_free(&reply);
    }
    return seen;
}

/* While its request waits, a connection is watched for its client's departure. */
Test(faults, of_a_connection_s_watch_are_made_up_for)
{
    start("");
    struct client *client = connect_client(), *other = connect_client();
    expect_served(client, hello);
    expect_served(other, hello);
    set_fault("epoll_add", ENOSPC, 8);
    client_send_text(client, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
    cr_assert(process_await_log(server, "\"held\"", PROCESS_WAIT_MS));
    cr_expect(process_await_log(server, "a socket cannot be watched", PROCESS_WAIT_MS));
    client_reset(client);
    cr_expect(departure_seen(other));
    expect_served(other, "GET /release HTTP/1.1\r\nHost: a\r\n\r\n");
    client_close(other);
    serve_no_more();
}

/* A client that is refused in mid-body and goes on sending gets the reply, and no reset. */
Test(faults, of_a_lingering_socket_s_watch_are_made_up_for)
{
    static char body[200000];
    start("");
    struct client *client = connect_client();
    expect_served(client, hello);
    set_fault("epoll_add", ENOSPC, LASTING);
    client_send_text(client,
                     "POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n");
    cr_assert(client_readable(client, CLIENT_WAIT_MS));
    for (int i = 0; i < 10; i++)
        cr_expect(client_send(client, body, sizeof body), "piece %d", i);
    struct client_reply reply = client_read(client, false);
    cr_expect_geq(reply.status, 400, "%s", client_end_name(reply.end));
    client_reply_free(&reply);
    cr_expect_eq(client_await_end(client), CLIENT_CLOSED);
    client_close(client);
    set_fault("epoll_add", 0, 0);
    expect_new_client_served(hello);
    serve_no_more();
}
