/* A stop loses no request: each step of the stop with a client in a critical state. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/served.h"
#include "tests/support/in_time.h"
#include "tests/support/life.h"

/* The silence after which a connection counts as idle, and the time that a test waits to exceed it.
 */
enum { SILENT_MS = 1000, PAST_SILENT_MS = SILENT_MS + 200 };

static const char hello[] = "GET /hello/x HTTP/1.1\r\nHost: a\r\n\r\n";
static const char hold[] = "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n";

/* `settings` override these: no delay, and the default 15 s for requests in flight. */
static void start(const char *const *settings)
{
    serve("server_life", settings);
}

static void stop(void)
{
    cr_assert(process_signal(server, SIGTERM));
    cr_assert(process_await_log(server, "\"draining\"", PROCESS_WAIT_MS));
}

/* Takes the stop past the step that closes listeners; the step that closes idle connections
 * follows. */
static void stop_listening(void)
{
    stop();
    cr_assert(client_await_refusal(process_address(server, 0)));
}

/*
 * Takes the stop past the step that closes idle connections, and so far that `waiting` would be
 * closed if it counted as idle.
 */
static void stop_idle(const struct client *waiting)
{
    struct client *idle = connect_client();
    stop_listening();
    cr_assert_eq(client_await_end(idle), CLIENT_CLOSED);
    client_close(idle);
    cr_expect_not(client_readable(waiting, PAST_SILENT_MS), "it is not waited for");
}

static void expect_hello(struct client *client, bool closes)
{
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.end, CLIENT_REPLY, "%s", client_end_name(reply.end));
    cr_expect_eq(reply.status, 200);
    cr_expect_str_eq(reply.body, "hello");
    cr_expect_eq(reply.closes, closes, "Connection: close");
    client_reply_free(&reply);
}

/* Sends requests on new connections until the answer has the status, since readiness and log lines
 * come from other threads. */
static bool admin_says(const char *target, int status, const char *text)
{
    uint64_t due = client_clock_ms() + CLIENT_WAIT_MS;
    bool good = false;
    while (!good && client_clock_ms() < due) {
        struct client *client = client_connect(process_admin(server));
        if (!client)
            return false;
        client_printf(client, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);
        struct client_reply reply = client_read(client, false);
        good = reply.status == status && strstr(reply.body, text);
        client_reply_free(&reply);
        client_close(client);
    }
    return good;
}

/* The layer has the request, and all bytes sent after it have been read. */
static struct client *held_client(const char *more)
{
    struct client *client = connect_client();
    client_printf(client, "%s%s", hold, more);
    cr_assert(process_await_log(server, "\"held\"", PROCESS_WAIT_MS));
    cr_assert(client_await_read(client));
    return client;
}

Test(drain, a_stream_without_an_end_ends_itself_when_the_drain_begins)
{
    static const char *const settings[] = {"SVC_DRAIN_TIMEOUT_MS=600000", NULL};
    start(settings);
    struct client *client = connect_client();
    client_send_text(client, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
    cr_assert(client_readable(client, CLIENT_WAIT_MS));
    cr_assert(process_signal(server, SIGTERM));
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.end, CLIENT_REPLY, "%s", client_end_name(reply.end));
    cr_expect_eq(reply.status, 200);
    const char *last =
        strstr(reply.body, "data: bye\n\n"); /* without other data if the stop came first */
    cr_expect(last && strlen(last) == strlen("data: bye\n\n"), "%s", reply.body);
    client_reply_free(&reply);
    client_close(client);
    cr_expect_eq(process_stop(server), 0, "long before the time for requests in flight is up");
}

Test(drain, drain_hooks_run_once_in_order_before_the_delay)
{
    static const char *const settings[] = {"SVC_DRAIN_DELAY_MS=60000", NULL};
    start(settings);
    stop();
    cr_assert(
        process_await_log(server, "\"drain hook\",\"hook\":\"second told\"", PROCESS_WAIT_MS));
    struct client *client = connect_client(); /* the listeners are open */
    client_send_text(client, hello);
    expect_hello(client, true);
    client_close(client);
    char *log = process_copy_log(server);
    const char *first = strstr(log, "\"hook\":\"first told\",\"draining\":true");
    const char *second = strstr(log, "\"hook\":\"second told\",\"draining\":true");
    cr_expect(first && second && first < second, "%s", log);
    free(log);
}

Test(drain, traffic_is_served_during_the_delay_while_readiness_is_off)
{
    static const char *const settings[] = {"SVC_DRAIN_DELAY_MS=60000", NULL};
    start(settings);
    struct client *old = connect_client();
    client_send_text(old, hello);
    expect_hello(old, false);
    cr_expect(admin_says("/readyz", 200, "ready"));
    stop();
    cr_expect(admin_says("/readyz", 503, "draining"));
    cr_expect(admin_says("/livez", 200, "ok"));
    client_send_text(old, hello);
    expect_hello(old, true);
    cr_expect_eq(client_await_end(old), CLIENT_CLOSED);
    struct client *new = connect_client();
    client_send_text(new, hello);
    expect_hello(new, true);
    cr_expect(process_signal(server, SIGTERM)); /* the delay is not waited for */
    client_close(old);
    client_close(new);
    await_exit(0);
}

Test(drain, a_request_in_flight_is_answered)
{
    start(NULL);
    struct client *client = held_client("");
    stop_idle(client);
    cr_expect(life_release(server));
    expect_hello(client, true);
    cr_expect_eq(client_await_end(client), CLIENT_CLOSED);
    client_close(client);
    await_exit(0);
}

Test(drain, idle_connections_are_closed_in_good_order)
{
    start(NULL);
    struct client *silent = connect_client(), *served = connect_client();
    client_send_text(served, hello);
    expect_hello(served, false);
    stop();
    cr_expect_eq(client_await_end(served), CLIENT_CLOSED);
    cr_expect_eq(client_await_end(silent), CLIENT_CLOSED);
    client_close(served);
    client_close(silent);
    await_exit(0);
}

Test(drain, half_a_request_line_from_before_does_not_hold_the_stop)
{
    start(NULL);
    struct client *fresh = connect_client(), *used = connect_client();
    client_send_text(used, hello);
    expect_hello(used, false);
    client_send_text(used, "GET /hel");
    client_send_text(fresh, "GET /hel");
    cr_assert(client_await_read(used) && client_await_read(fresh));
    stop();
    cr_expect_eq(client_await_end(fresh), CLIENT_CLOSED);
    cr_expect_eq(client_await_end(used), CLIENT_CLOSED);
    client_close(fresh);
    client_close(used);
    await_exit(0);
}

Test(drain, a_request_whose_line_has_arrived_is_answered)
{
    static const char *const firsts[] = {"", hello};
    for (size_t i = 0; i < 2; i++) {
        start(NULL);
        struct client *client = connect_client();
        client_send_text(client, firsts[i]);
        if (*firsts[i])
            expect_hello(client, false);
        client_send_text(client, "GET /hello/x HTTP/1.1\r\nHost");
        cr_assert(client_await_read(client));
        stop_idle(client);
        client_send_text(client, ": a\r\n\r\n");
        expect_hello(client, true);
        cr_expect_eq(client_await_end(client), CLIENT_CLOSED);
        client_close(client);
        await_exit(0);
    }
}

Test(drain, a_body_that_is_half_there_is_awaited)
{
    static const char *const halves[][2] = {
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234", "56789"},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n", "0123456789"},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234",
         "\r\n5\r\n56789\r\n0\r\n\r\n"},
    };
    for (size_t i = 0; i < sizeof halves / sizeof *halves; i++) {
        start(NULL);
        struct client *client = connect_client();
        client_send_text(client, halves[i][0]);
        cr_assert(client_await_read(client));
        stop_idle(client);
        client_send_text(client, halves[i][1]);
        struct client_reply reply = client_read(client, false);
        cr_expect_eq(reply.status, 200, "%zu: %s", i, client_end_name(reply.end));
        cr_expect_str_eq(reply.body, "0123456789");
        client_reply_free(&reply);
        cr_expect_eq(client_await_end(client), CLIENT_CLOSED);
        client_close(client);
        await_exit(0);
    }
}

/*
 * Uses a connection at once, and again when another one, silent for longer, has been closed as
 * idle. This must happen within its own second of silence: false if it was too late to show
 * anything.
 */
static bool used_within_its_second(void)
{
    start(NULL);
    struct client *idle = connect_client(), *busy = connect_client();
    cr_expect_not(client_readable(idle, PAST_SILENT_MS), "closed while the service serves");
    uint64_t used = client_clock_ms();
    client_send_text(busy, hello);
    expect_hello(busy, false);
    stop_listening();
    cr_expect_eq(client_await_end(idle), CLIENT_CLOSED);
    client_send_text(busy, hello);
    bool in_time = client_clock_ms() < used + SILENT_MS - 100;
    if (in_time) {
        expect_hello(busy, true);
        cr_expect_eq(client_await_end(busy), CLIENT_CLOSED);
    }
    client_close(idle);
    client_close(busy);
    await_exit(0);
    return in_time;
}

Test(drain, a_connection_used_within_the_last_second_is_not_idle)
{
    expect_in_time(used_within_its_second);
}

Test(drain, pipelined_requests_are_all_answered)
{
    start(NULL);
    char behind[128];
    snprintf(behind, sizeof behind, "%s%s", hello, hello);
    struct client *client = held_client(behind);
    stop_idle(client);
    cr_expect(life_release(server));
    expect_hello(client, false);
    expect_hello(client, false);
    expect_hello(client, true);
    cr_expect_eq(client_await_end(client), CLIENT_CLOSED);
    client_close(client);
    await_exit(0);
}

/* The length of a chunked body is not known when its answer must state whether it closes. */
Test(drain, a_request_behind_a_chunked_body_is_answered)
{
    enum { REQUESTS = 3 };
    start(NULL);
    struct client *client =
        held_client("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "5\r\nhello\r\n0\r\n\r\n"
                    "GET /hello/x HTTP/1.1\r\nHost: a\r\n\r\n");
    stop_idle(client);
    cr_expect(life_release(server));
    for (int i = 0; i < REQUESTS; i++) {
        struct client_reply reply = client_read(client, false);
        cr_expect_str_eq(reply.body, "hello", "answer %d: %s", i, client_end_name(reply.end));
        client_reply_free(&reply);
    }
    cr_expect_eq(client_await_end(client), CLIENT_CLOSED);
    client_close(client);
    await_exit(0);
}

Test(drain, a_slow_reader_gets_all_of_its_response)
{
    enum { BYTES = 8000000 };
    start(NULL);
    struct client *idle = connect_client();
    struct client *client = client_connect_slow(process_address(server, 0), 4096);
    cr_assert(client);
    client_printf(client, "GET /large/%d HTTP/1.1\r\nHost: a\r\n\r\n", BYTES);
    cr_assert(client_readable(client, CLIENT_WAIT_MS));
    stop_listening();
    cr_expect_eq(client_await_end(idle), CLIENT_CLOSED);
    client_close(idle);
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.end, CLIENT_REPLY, "%s", client_end_name(reply.end));
    cr_expect_eq(reply.body_len, BYTES, "%zu bytes", reply.body_len);
    client_reply_free(&reply);
    cr_expect_eq(client_await_end(client), CLIENT_CLOSED);
    client_close(client);
    await_exit(0);
}

Test(drain, a_second_signal_ends_the_wait)
{
    static const char *const settings[] = {"SVC_DRAIN_TIMEOUT_MS=60000", NULL};
    start(settings);
    struct client *client = held_client("");
    stop();
    cr_expect(process_signal(server, SIGTERM));
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, 503);
    client_reply_free(&reply);
    client_close(client);
    await_exit(3); /* the layer still holds its request */
}

Test(drain, the_deadline_cuts_what_is_left)
{
    static const char *const settings[] = {"SVC_DRAIN_TIMEOUT_MS=300", NULL};
    start(settings);
    struct client *client = held_client("");
    stop();
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, 503);
    client_reply_free(&reply);
    client_close(client);
    await_exit(3);
}

/* All other limits are longer than the common one, so only the deadline can have ended it. */
Test(drain, a_handler_that_never_returns_is_left_behind)
{
    enum { DEADLINE_MS = 300 };
    static const char *const settings[] = {"SVC_DRAIN_TIMEOUT_MS=300",
                                           "SVC_REQUEST_TIMEOUT_MS=600000", "SVC_THREADS=1", NULL};
    start(settings);
    struct client *client = connect_client();
    client_send_text(client, "GET /stuck HTTP/1.1\r\nHost: a\r\n\r\n");
    cr_assert(client_await_read(client));
    uint64_t began = client_clock_ms();
    cr_assert(process_signal(server, SIGTERM));
    cr_expect_eq(process_await_exit(server, PROCESS_WAIT_MS), 3);
    cr_expect_geq(client_clock_ms() - began, DEADLINE_MS);
    client_close(client);
    process_free(server);
}

/* ---- Refused clients that go on sending, so that the server lingers on their sockets */

enum { LINGERING = 20 };

static bool send_to(struct client **clients, size_t count, size_t len);

/* Sends to the present sockets while others come, because a silent socket lingers for 2 s only. */
static void open_lingering(struct client **clients)
{
    for (size_t i = 0; i < LINGERING; i++) {
        send_to(clients, i, 1);
        clients[i] = connect_client();
        client_send_text(clients[i],
                         "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n");
        struct client_reply reply = client_read(clients[i], false);
        cr_expect_eq(reply.status, 413);
        client_reply_free(&reply);
        cr_expect_eq(client_await_end(clients[i]), CLIENT_CLOSED);
    }
}

/* Sends a part of a body to each. Whether all sends have succeeded. */
static bool send_to(struct client **clients, size_t count, size_t len)
{
    static const char part[16384];
    bool sent = true;
    for (size_t i = 0; i < count; i++)
        sent = client_send(clients[i], part, len) && sent;
    return sent;
}

static bool send_to_all(struct client **clients, size_t len)
{
    return send_to(clients, LINGERING, len);
}

static void close_lingering(struct client **clients)
{
    for (size_t i = 0; i < LINGERING; i++)
        client_close(clients[i]);
}

/* Sends without a pause until the server has cut the sockets. */
static void send_until_cut(struct client **clients)
{
    uint64_t due = client_clock_ms() + CLIENT_WAIT_MS;
    while (send_to_all(clients, 16384) && client_clock_ms() < due)
        continue;
    cr_expect_lt(client_clock_ms(), due, "they are not cut");
}

Test(drain, the_deadline_cuts_those_that_are_refused_and_go_on_sending)
{
    static const char *const settings[] = {"SVC_DRAIN_TIMEOUT_MS=300", NULL};
    start(settings);
    struct client *clients[LINGERING];
    open_lingering(clients);
    stop();
    send_until_cut(clients);
    await_exit(0);
    close_lingering(clients);
}

Test(drain, a_second_signal_cuts_those_that_are_refused_and_go_on_sending)
{
    static const char *const settings[] = {"SVC_DRAIN_TIMEOUT_MS=60000", NULL};
    start(settings);
    struct client *clients[LINGERING];
    open_lingering(clients);
    stop_listening();
    cr_expect(send_to_all(clients, 1));
    cr_expect(process_signal(server, SIGTERM));
    send_until_cut(clients);
    await_exit(0);
    close_lingering(clients);
}

/*
 * The loop gets the cut and the bytes on each of the sockets in one turn, in this order. False if
 * it was not released within the second that a cut takes, so that the stop did not wait for it.
 */
static bool cut_in_one_turn(void)
{
    static const char *const settings[] = {"SVC_DRAIN_TIMEOUT_MS=0", "SVC_THREADS=1", NULL};
    start(settings);
    struct client *clients[LINGERING], *blocker;
    open_lingering(clients);
    cr_assert(life_block(server, &blocker, 1));
    stop_listening(); /* the cut follows at once; the loop was woken for the steps before */
    cr_expect(send_to_all(clients, 1));
    cr_expect(life_unblock(server, 1));
    int status = process_await_exit(server, PROCESS_WAIT_MS);
    cr_expect(status == 0 || status == 3, "exit status %d", status);
    process_free(server);
    close_lingering(clients);
    client_close(blocker);
    return status == 0;
}

Test(drain, sockets_that_are_cut_have_no_events_left)
{
    expect_in_time(cut_in_one_turn);
}

Test(drain, an_interrupt_skips_the_delay)
{
    static const char *const settings[] = {"SVC_DRAIN_DELAY_MS=600000", NULL};
    start(settings);
    cr_assert(process_signal(server, SIGINT));
    await_exit(0);
}

/* The only loop is held, so only the stop itself can accept them. */
Test(drain, what_waits_to_be_accepted_is_served_and_then_nobody_listens)
{
    enum { CLIENTS = 50 };
    static const char *const settings[] = {"SVC_THREADS=1", NULL};
    start(settings);
    struct client *clients[CLIENTS], *blocker;
    cr_assert(life_block(server, &blocker, 1));
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = connect_client();
        client_send_text(clients[i], hello);
    }
    stop_listening();
    cr_expect_eq(client_metric(process_admin(server), "svc_connections{listener=\"service\""),
                 CLIENTS + 1);
    cr_expect(life_unblock(server, 1));
    for (size_t i = 0; i < CLIENTS; i++) {
        expect_hello(clients[i], true);
        client_close(clients[i]);
    }
    client_close(blocker);
    await_exit(0);
}

/* Clients that reconnect all the time: each client that could connect before the listeners closed
 * is served. False if none connected during the delay. */
static bool come_and_go(void)
{
    enum { BEFORE = 50 };
    static const char *const settings[] = {"SVC_DRAIN_DELAY_MS=300", NULL};
    start(settings);
    char address[64];
    snprintf(address, sizeof address, "%s", process_address(server, 0));
    size_t served = 0;
    bool stopping = false;
    for (struct client *client; (client = client_connect(address));) {
        client_send_text(client, hello);
        struct client_reply reply = client_read(client, false);
        cr_expect_eq(reply.status, 200, "request %zu: %s", served, client_end_name(reply.end));
        served += reply.status == 200;
        client_reply_free(&reply);
        client_close(client);
        if (served == BEFORE && !stopping)
            stopping = process_signal(server, SIGTERM);
    }
    await_exit(0);
    return served > BEFORE;
}

Test(drain, no_accepted_request_fails_while_clients_come_and_go)
{
    expect_in_time(come_and_go);
}

Test(drain, hooks_stop_in_reverse_order_after_the_last_request)
{
    start(NULL);
    stop();
    cr_expect_eq(process_await_exit(server, PROCESS_WAIT_MS), 0);
    char *log = process_copy_log(server);
    const char *first = strstr(log, "first hook stopped"),
               *second = strstr(log, "second hook stopped");
    cr_expect(first && second && second < first, "%s", log);
    free(log);
    process_free(server);
}
