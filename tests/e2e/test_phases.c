/*
 * Clients that leave, in each phase in which a request waits: by each way to leave, with and
 * without a next request, with both settings, over TCP and unix sockets. The holder of the request
 * is notified, and the connection's place is free again.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/flow.h"
#include "tests/support/process.h"

/* How many requests were answered 5xx; a status without a request has no series. */
static void expect_errors(long number)
{
    long found = client_metric(process_admin(server),
                               "http_server_request_duration_seconds_count{status_code=\"5");
    cr_expect_eq(found < 0 ? 0 : found, number, "%ld", found);
}

enum {
    SMALL = 20000, /* bytes of a body: so many unread bytes do not fill a socket */
    BODY = 120000, /* more than a pipe holds, and less than would fill the socket as well */
    CLAIMED = 1 << 20,
    CROWD = 300
};

/* The sent bytes of the request, and of the next one, when its client leaves. */
enum rest {
    NOTHING = 1, /* or a part of the body is missing */
    NEXT = 2,    /* a whole next request */
    WHOLE = 4    /* the whole body, which may not be read yet */
};

static const struct phase {
    const char *path;
    unsigned rests;    /* those that are tried */
    size_t body;       /* bytes of it that are sent; 0: the request has none */
    const char *reply; /* the beginning of its reply's body, before the request's number */
} phases[] = {
    {"worker", NOTHING | NEXT, 0, NULL},
    /* Layers wait before a body is read, and handlers after it. */
    {"layer", NOTHING | NEXT, 0, NULL},
    {"layer", WHOLE, SMALL, NULL},
    {"waiting", NOTHING | NEXT, 0, NULL},
    {"waiting", WHOLE, SMALL, NULL},
    {"deferred", NOTHING | NEXT, 0, NULL},
    {"deferred", WHOLE, SMALL, NULL},
    {"writer", NOTHING | NEXT, 0, "begin"},
    {"stall", NOTHING | WHOLE, BODY, NULL},
    {"idle", NOTHING | WHOLE, BODY, NULL},
    {"read", NOTHING, BODY, NULL},
    {"held", NOTHING | NEXT, 0, ""},
    {"held-writer", NOTHING | NEXT, 0, ""},
    {"held-pipe", NOTHING | NEXT, 0, ""},
    {"pipe", NOTHING | NEXT, 0, "begin"},
    {"source", NOTHING | NEXT, 0, "begin"},
};

enum { PHASES = sizeof phases / sizeof *phases };

static const struct way {
    const char *name;
    void (*leave)(struct client *client);
    bool half; /* the client may still read, as far as the server can see over TCP */
} ways[] = {
    {"close", client_close, true},
    {"reset", client_reset, false},
    {"shutdown", client_finish_sending, true},
};

enum { WAYS = sizeof ways / sizeof *ways };

static bool is_shutdown(const struct way *way)
{
    return way->leave == client_finish_sending;
}

static void await_line(const char *message, unsigned n)
{
    char line[64];
    snprintf(line, sizeof line, "\"msg\":\"%s\",\"n\":\"%u\"", message, n);
    bool found = process_await_log(server, line, PROCESS_WAIT_MS);
    char *log = found ? NULL : process_copy_log(server);
    cr_assert(found, "no %s in\n%s", line, log);
    free(log);
}

static size_t count_seen(unsigned n)
{
    char line[64];
    snprintf(line, sizeof line, "\"msg\":\"seen\",\"n\":\"%u\"", n);
    return process_count_log(server, line);
}

static void expect_connections(long count, const char *what)
{
    cr_assert(
        client_await_metric(process_admin(server), "svc_connections{listener=\"service\"", count),
        "%s: %ld connections", what,
        client_metric(process_admin(server), "svc_connections{listener=\"service\""));
}

/* A client whose request `n` waits in its phase. */
static struct client *reach(const struct phase *phase, unsigned rest, unsigned n)
{
    struct client *client = connect_client();
    client_printf(client, "%s /%s/%u HTTP/1.1\r\nHost: a\r\n", phase->body ? "POST" : "GET",
                  phase->path, n);
    if (phase->body) {
        client_printf(client, "Content-Length: %zu\r\n\r\n",
                      rest == WHOLE ? phase->body : (size_t)CLAIMED);
        cr_assert(client_send(client, flow_at(0, phase->body), phase->body));
    } else {
        client_send_text(client, "\r\n");
    }
    if (rest == NEXT)
        client_printf(client, "GET /hello/%u HTTP/1.1\r\nHost: a\r\n\r\n", n);
    await_line("reached", n);
    return client;
}

static void expect_reply(struct client *client, const char *before, unsigned n, const char *what)
{
    char body[32];
    struct client_reply reply = client_read(client, false);
    if (before)
        snprintf(body, sizeof body, "%send", before);
    else
        snprintf(body, sizeof body, "%u", n);
    cr_expect_eq(reply.status, 200, "%s: %d %s", what, reply.status, client_end_name(reply.end));
    cr_expect_str_eq(reply.body, body, "%s", what);
    client_reply_free(&reply);
}

/* With one loop: when it answers, it has handled all earlier events. */
static void take_turns(void)
{
    struct client *other = connect_client();
    for (int i = 0; i < 3; i++) {
        client_send_text(other, "GET /hello/0 HTTP/1.1\r\nHost: a\r\n\r\n");
        expect_reply(other, NULL, 0, "somebody else");
    }
    client_close(other);
}

/* The holder is not notified, and a half-closed client is served to the end. */
static void expect_served(const struct phase *phase, const struct way *way, struct client *client,
                          unsigned rest, unsigned n, const char *what)
{
    take_turns();
    cr_expect_eq(count_seen(n), 0, "%s", what);
    cr_assert(process_tell(server, "g"));
    if (!is_shutdown(way))
        return;
    expect_reply(client, phase->reply, n, what);
    if (rest == NEXT)
        expect_reply(client, NULL, n, what);
}

static void receive_begin(struct client *client)
{
    char data[4096];
    long len = 0;
    while (!memmem(data, (size_t)len, "begin", 5)) {
        long got = client_receive(client, data + len, sizeof data - (size_t)len);
        cr_assert_gt(got, 0);
        len += got;
    }
}

static void leave(const struct phase *phase, const struct way *way, unsigned rest, unsigned n,
                  bool counts)
{
    char what[64];
    snprintf(what, sizeof what, "%s, %s, %u", phase->path, way->name, rest);
    struct client *client = reach(phase, rest, n);
    if (phase->reply && *phase->reply &&
        !is_shutdown(way)) /* a close with unread bytes is a reset */
        receive_begin(client);
    way->leave(client);
    if (counts || !way->half || (phase->body && rest != WHOLE))
        await_line("seen", n);
    else
        expect_served(phase, way, client, rest, n, what);
    expect_connections(0, what); /* also of one that has not closed yet */
    if (is_shutdown(way))
        client_close(client);
}

static void try_all(const char *listen, const char *setting)
{
    const char *const settings[] = {
        listen,
        setting,
        "SVC_THREADS=1",
        "SVC_LOG_REPEAT_PER_S=0",
        "SVC_REQUEST_TIMEOUT_MS=600000",
        "SVC_BODY_TIMEOUT_MS=600000",
        "SVC_SEND_TIMEOUT_MS=600000",
        NULL,
    };
    bool counts = strstr(setting, "=on"), is_unix = strstr(listen, "unix:");
    unsigned n = 0;
    serve("server_phases", settings);
    for (size_t i = 0; i < PHASES; i++)
        for (size_t k = 0; k < WAYS; k++)
            for (unsigned rest = NOTHING; rest <= WHOLE; rest *= 2)
                if (phases[i].rests & rest) /* on a unix socket a close differs from a shutdown */
                    leave(&phases[i], &ways[k], rest, ++n,
                          counts || (is_unix && !is_shutdown(&ways[k])));
    cr_expect_eq(process_count_log(server, "\"level\":\"error\""), 0);
    expect_errors(0);
    serve_no_more();
}

static const char tcp[] = "SVC_LISTEN=127.0.0.1:0";

static const char *unix_setting(void)
{
    static char setting[128];
    snprintf(setting, sizeof setting, "SVC_LISTEN=unix:/tmp/svc-phases-%d.sock", (int)getpid());
    return setting;
}

Test(phases, a_client_that_leaves_is_seen_to_leave)
{
    try_all(tcp, "SVC_CANCEL_HALF_CLOSED=on");
}

Test(phases, a_client_that_leaves_is_seen_to_leave_a_unix_socket)
{
    try_all(unix_setting(), "SVC_CANCEL_HALF_CLOSED=on");
}

Test(phases, a_client_that_has_shut_its_side_is_served_where_that_is_set)
{
    try_all(tcp, "SVC_CANCEL_HALF_CLOSED=off");
}

Test(phases, a_client_of_a_unix_socket_that_has_shut_its_side_is_served_where_that_is_set)
{
    try_all(unix_setting(), "SVC_CANCEL_HALF_CLOSED=off");
}

/* All clients that may be connected at once, which wait for a silent stream. */
Test(phases, crowds_that_leave_silent_streams_make_room_for_others)
{
    static const char *const settings[] = {"SVC_MAX_CONNECTIONS=300", "SVC_LOG_REPEAT_PER_S=0",
                                           "SVC_SEND_TIMEOUT_MS=600000", NULL};
    static const struct phase *const silent[] = {&phases[PHASES - 2], &phases[PHASES - 1]};
    struct client *crowd[CROWD];
    serve("server_phases", settings);
    for (size_t i = 0; i < WAYS * 2; i++) {
        for (unsigned k = 0; k < CROWD; k++)
            crowd[k] = reach(silent[i % 2], NOTHING, 1000 * (unsigned)i + k);
        for (unsigned k = 0; k < CROWD; k++)
            ways[i / 2].leave(crowd[k]);
        expect_connections(0, ways[i / 2].name);
        for (unsigned k = 0; k < CROWD && is_shutdown(&ways[i / 2]); k++)
            client_close(crowd[k]);
        take_turns();
    }
    serve_no_more();
}

/* ---- The figures of alarms */

static struct client *post(const char *path, unsigned n, const char *field)
{
    struct client *client = connect_client();
    client_printf(client, "POST /%s/%u HTTP/1.1\r\nHost: a\r\n%s\r\n", path, n, field);
    return client;
}

static void expect_status(struct client *client, int status, const char *what)
{
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, status, "%s: %d %s", what, reply.status, client_end_name(reply.end));
    client_reply_free(&reply);
    client_close(client);
}

static void send_chunks(struct client *client, size_t count)
{
    for (size_t i = 0; i < count && client_send_text(client, "10000\r\n"); i++)
        if (!client_send(client, flow_at(0, 65536), 65536) || !client_send_text(client, "\r\n"))
            break;
}

/* The service's own errors: none. `late` is the number of requests for which it was too slow. */
static void expect_blameless(long late)
{
    expect_connections(0, "all of them");
    cr_expect(client_await_metric(process_admin(server), "http_server_active_requests", 0));
    expect_errors(late);
    char *log = process_copy_log(server);
    cr_expect_null(strstr(log, "\"level\":\"error\""), "%s", log);
    free(log);
    serve_no_more();
}

Test(phases, clients_that_send_too_much_raise_no_error)
{
    static const char *const paths[] = {"read", "stall", "idle"};
    serve("server_phases", NULL);
    for (unsigned i = 0; i < 3; i++) {
        struct client *client = post(paths[i], i, "Transfer-Encoding: chunked\r\n");
        await_line("reached", i);
        cr_assert(process_tell(server, "g"));
        send_chunks(client, 40);
        expect_status(client, 413, paths[i]);
    }
    expect_blameless(0);
}

Test(phases, clients_that_are_slow_raise_no_error)
{
    static const char *const paths[] = {"read", "idle"};
    serve("server_phases", NULL);
    for (unsigned i = 0; i < 2; i++) {
        struct client *client =
            post(paths[i], i, "X-Request-Timeout: 300\r\nContent-Length: 10\r\n");
        client_send_text(client, "half");
        expect_status(client, 408, paths[i]);
    }
    expect_blameless(0);
}

/* A forced stop answers those whose head waits, and ends what makes their bodies. */
Test(phases, heads_that_wait_are_cut)
{
    static const struct phase *const waiting[] = {&phases[PHASES - 5], &phases[PHASES - 4],
                                                  &phases[PHASES - 3]};
    struct client *clients[3];
    serve("server_phases", (const char *const[]){"SVC_DRAIN_TIMEOUT_MS=0", NULL});
    for (unsigned i = 0; i < 3; i++)
        clients[i] = reach(waiting[i], NOTHING, i);
    process_signal(server, SIGTERM);
    for (unsigned i = 0; i < 3; i++)
        expect_status(clients[i], 503, waiting[i]->path);
    for (unsigned i = 0; i < 2; i++) /* the keeper of the pipe may not get to it any more */
        await_line("seen", i);
    cr_expect_eq(process_await_exit(server, PROCESS_WAIT_MS), 3);
    process_free(server);
}

/* A timeout that the client has chosen: the answer is the only report of it. */
Test(phases, deadlines_are_no_error)
{
    static const char *const paths[] = {"worker", "layer",       "deferred",
                                        "held",   "held-writer", "held-pipe"};
    enum { PATHS = sizeof paths / sizeof *paths };
    serve("server_phases", NULL);
    for (unsigned i = 0; i < PATHS; i++)
        expect_status(post(paths[i], i, "X-Request-Timeout: 300\r\n"), 504, paths[i]);
    for (unsigned i = PATHS / 2; i < PATHS; i++)
        await_line("seen", i);
    expect_blameless(PATHS);
}

Test(phases, an_early_stream_whose_body_does_not_end_is_no_error)
{
    static const char *const settings[] = {"SVC_BODY_TIMEOUT_MS=300", NULL};
    serve("server_phases", settings);
    struct client *client = post("early", 1, "Content-Length: 1000000\r\n");
    client_send_text(client, "half");
    expect_status(client, 408, "who stops");
    client = post("early", 2, "Content-Length: 100000000\r\n");
    for (int i = 0; i < 40 && client_send(client, flow_at(0, 65536), 65536); i++)
        continue;
    expect_status(client, 413, "who goes on");
    expect_blameless(0);
}

/* Their heads leave no memory for the reply's head, without which a stream cannot be sent. */
Test(phases, heads_that_leave_no_room_for_a_stream_are_no_error)
{
    serve("server_phases", NULL);
    size_t refused = 0;
    for (unsigned cookies = 60; cookies < 180; cookies += 4) {
        struct client *client = connect_client();
        client_printf(client,
                      "GET /source/%u HTTP/1.1\r\nHost: a\r\nX-Long: %0*d\r\nCookie: ", cookies,
                      7500 - 4 * (int)cookies, 0);
        for (unsigned i = 0; i < cookies; i++)
            client_send_text(client, "a=b;");
        client_send_text(client, "\r\n\r\n");
        cr_assert(client_readable(client, CLIENT_WAIT_MS));
        cr_assert(process_tell(server, "g"));
        struct client_reply reply = client_read(client, false);
        cr_expect(reply.status == 200 || reply.status == 431, "%u: %d", cookies, reply.status);
        refused += reply.status == 431;
        client_reply_free(&reply);
        client_close(client);
    }
    cr_expect_gt(refused, 0);
    cr_expect(process_await_log(server, "response cannot be sent", PROCESS_WAIT_MS));
    expect_blameless(0);
}

static const char *const one_worker[] = {"SVC_WORKERS_MAX=1", "SVC_WORKER_QUEUE_MS=600000",
                                         "SVC_REQUEST_TIMEOUT_MS=600000", NULL};

Test(phases, clients_that_leave_the_queue_are_no_error)
{
    serve("server_phases", one_worker);
    struct client *first = reach(&phases[0], NOTHING, 1);
    for (size_t i = 0; i < WAYS; i++) {
        struct client *queued = connect_client();
        client_send_text(queued, "GET /worker/2 HTTP/1.1\r\nHost: a\r\n\r\n");
        cr_assert(client_await_metric(process_admin(server), "svc_workers_queued", 1));
        ways[i].leave(queued);
        cr_assert(client_await_metric(process_admin(server), "svc_workers_queued", 0));
        if (is_shutdown(&ways[i]))
            client_close(queued);
    }
    cr_assert(process_tell(server, "g"));
    expect_reply(first, NULL, 1, "who stays");
    client_close(first);
    expect_blameless(0);
}

/* ---- Sources that wait */

static struct client *begin_reply(const char *path, unsigned n)
{
    struct client *client = connect_client();
    client_printf(client, "GET /%s/%u HTTP/1.1\r\nHost: a\r\n\r\n", path, n);
    receive_begin(client);
    return client;
}

static void expect_cut(struct client *client, const char *what)
{
    char data[64];
    long n = client_receive(client, data, sizeof data);
    cr_expect_leq(n, 0, "%s: %ld bytes", what, n);
    cr_expect(client->eof || client->reset, "%s is not cut", what);
    client_close(client);
}

static void expect_lines(const char *text, size_t count)
{
    enum { LOOK_MS = 5 };
    uint64_t due = client_clock_ms() + CLIENT_WAIT_MS;
    while (process_count_log(server, text) < count && client_clock_ms() < due)
        process_await_log(server, "what never comes", LOOK_MS);
    cr_expect_eq(process_count_log(server, text), count, "%s", text);
}

Test(phases, a_source_that_waits_without_anybody_to_wake_it_is_cut)
{
    static const char *const settings[] = {"SVC_SEND_TIMEOUT_MS=600000", NULL};
    serve("server_phases", settings);
    expect_cut(begin_reply("stuck", 1), "one without a waker");
    expect_lines("nobody holds its waker", 1);
    struct client *client = begin_reply("source", 2);
    cr_assert(process_tell(server, "u"));
    expect_cut(client, "one whose waker has gone");
    expect_connections(0, "sources");
    expect_lines("\"end\":\"cut\"", 2);
    serve_no_more();
}

static void expect_silence_timed_out(const char *listen)
{
    const char *const settings[] = {listen, "SVC_SEND_TIMEOUT_MS=300", NULL};
    static const char *const paths[] = {"pipe", "source", "writer"};
    serve("server_phases", settings);
    for (unsigned i = 0; i < 3; i++) {
        uint64_t began_ms = client_clock_ms();
        expect_cut(begin_reply(paths[i], i), paths[i]);
        cr_expect_geq(client_clock_ms() - began_ms, 300);
        await_line("seen", i);
    }
    expect_connections(0, "silence");
    expect_lines("\"end\":\"timed out\"", 3);
    serve_no_more();
}

Test(phases, a_stream_that_is_silent_for_too_long_is_cut)
{
    expect_silence_timed_out(tcp);
}

Test(phases, a_stream_that_is_silent_for_too_long_is_cut_on_a_unix_socket)
{
    expect_silence_timed_out(unix_setting());
}

Test(phases, a_source_goes_on_when_it_is_woken)
{
    serve("server_phases", NULL);
    for (unsigned i = 0; i < 20; i++) {
        struct client *client = connect_client();
        client_printf(client, "GET /source/%u HTTP/1.1\r\nHost: a\r\n\r\n", i);
        await_line("reached", i); /* it may be read for the first time later */
        cr_assert(process_tell(server, "g"));
        expect_reply(client, "begin", i, "source");
        client_close(client);
    }
    serve_no_more();
}
