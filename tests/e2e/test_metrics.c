/* The metrics of connections and loops, counted exactly. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/life.h"
#include "tests/support/process.h"

TestSuite(metrics);

static long read_metric(const char *name)
{
    return client_metric(process_admin(server), name);
}

static void await_metric(const char *name, long count)
{
    bool came = client_await_metric(process_admin(server), name, count);
    cr_assert(came, "%s: %ld in place of %ld", name, read_metric(name), count);
}

static void await_state(const char *state, long count)
{
    char name[128];
    snprintf(name, sizeof name, "svc_connections{listener=\"service\",front=\"%s\",state=\"%s\"}",
             process_front(), state);
    await_metric(name, count);
}

static void expect_states(long idle, long head, long body, long handler, long writing)
{
    await_state("idle", idle);
    await_state("head", head);
    await_state("body", body);
    await_state("handler", handler);
    await_state("writing", writing);
    await_state("closing", 0);
    await_state("waiting", 0);
}

static void expect_status(struct client *client, int status)
{
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, status, "%d, %s", reply.status, client_end_name(reply.end));
    client_reply_free(&reply);
}

/* A new connection with a part of a request on it. */
static struct client *begin(const char *text)
{
    struct client *client = connect_client();
    cr_assert(client);
    cr_assert(client_send_text(client, text));
    return client;
}

/* ---- Connections */

Test(metrics, connections_are_counted_in_the_state_that_they_are_in)
{
    serve("server_phases", NULL);
    expect_states(0, 0, 0, 0, 0);
    struct client *idle = begin("");
    expect_states(1, 0, 0, 0, 0);
    struct client *head = begin("GET /hel");
    expect_states(1, 1, 0, 0, 0);
    struct client *body =
        begin("POST /hello/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
    expect_states(1, 1, 1, 0, 0);
    struct client *deferred = begin("GET /deferred/2 HTTP/1.1\r\nHost: a\r\n\r\n"),
                  *worker = begin("GET /worker/3 HTTP/1.1\r\nHost: a\r\n\r\n"),
                  *waiting = begin("GET /waiting/4 HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_states(1, 1, 1, 3, 0);
    struct client *pipe = begin("GET /pipe/5 HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_states(1, 1, 1, 3, 1);
    cr_assert(process_await_lines(server, "\"msg\":\"reached\"", 4, PROCESS_WAIT_MS));
    cr_assert(process_tell(server, "g"));
    expect_status(deferred, 200);
    expect_status(worker, 200);
    expect_status(waiting, 200);
    expect_status(pipe, 200);
    expect_states(5, 1, 1, 0, 0);
    client_send_text(head, "lo/6 HTTP/1.1\r\nHost: a\r\n\r\n");
    client_send_text(body, "defghi");
    expect_status(head, 200);
    expect_status(body, 200);
    expect_states(7, 0, 0, 0, 0);
    client_send_text(body, "GET /hello/7 HTTP/1.1\r\n"); /* the head of the next one */
    expect_states(6, 1, 0, 0, 0);
    struct client *all[] = {idle, head, body, deferred, worker, waiting, pipe};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        client_close(all[i]);
    expect_states(0, 0, 0, 0, 0);
    serve_no_more();
}

/* Each reading takes a connection of the admin listener, and none of the service's. */
Test(metrics, connections_are_counted_by_listener)
{
    static const char format[] = "svc_connections_accepted_total{listener=\"%s\",front=\"%s\"}";
    char service[128], admin[128];
    snprintf(service, sizeof service, format, "service", process_front());
    snprintf(admin, sizeof admin, format, "admin", process_front());
    serve("server_phases", NULL);
    cr_expect_eq(read_metric(service), 0);
    for (long i = 1; i <= 5; i++) {
        struct client *client = begin("GET /hello/1 HTTP/1.1\r\nHost: a\r\n\r\n");
        expect_status(client, 200);
        client_close(client);
        cr_expect_eq(read_metric(service), i);
    }
    long before = read_metric(admin);
    cr_expect_eq(read_metric(admin), before + 1);
    await_metric("svc_connections{listener=\"admin\"", 1); /* the one that reads this */
    serve_no_more();
}

/* Two loops share connections evenly, so that one that hangs gets its part of them. */
Test(metrics, connections_that_no_loop_has_come_to_are_counted_as_waiting)
{
    static const char *const settings[] = {"SVC_THREADS=2", NULL};
    struct client *blocked, *clients[3];
    serve("server_life", settings);
    cr_expect_eq(read_metric("svc_loops{listener=\"service\"}"), 2);
    cr_expect_eq(read_metric("svc_loops{listener=\"admin\"}"), 1);
    cr_assert(life_block(server, &blocked, 1));
    for (size_t i = 0; i < 3; i++)
        clients[i] = begin("");
    await_metric("svc_connections{listener=\"service\"", 4);
    await_state("idle", 2);
    await_state("waiting", 1);
    cr_assert(life_unblock(server, 1));
    expect_status(blocked, 200);
    await_state("idle", 4);
    await_state("waiting", 0);
    client_close(blocked);
    for (size_t i = 0; i < 3; i++)
        client_close(clients[i]);
    serve_no_more();
}

static void expect_timed_out(long head, long body, long handler, long writing)
{
    await_metric("svc_connections_timed_out_total{listener=\"service\",phase=\"head\"}", head);
    await_metric("svc_connections_timed_out_total{listener=\"service\",phase=\"body\"}", body);
    await_metric("svc_connections_timed_out_total{listener=\"service\",phase=\"handler\"}",
                 handler);
    await_metric("svc_connections_timed_out_total{listener=\"service\",phase=\"writing\"}",
                 writing);
}

Test(metrics, connections_that_a_deadline_ends_are_counted_by_the_phase)
{
    static const char *const settings[] = {"SVC_HEADER_TIMEOUT_MS=1000", "SVC_BODY_TIMEOUT_MS=200",
                                           "SVC_SEND_TIMEOUT_MS=200", "SVC_REQUEST_TIMEOUT_MS=2000",
                                           NULL};
    serve("server_phases", settings);
    expect_timed_out(0, 0, 0, 0);
    struct client *client = begin("GET /hel");
    expect_status(client, 408);
    client_close(client);
    expect_timed_out(1, 0, 0, 0);
    client = begin("POST /hello/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
    expect_status(client, 408);
    client_close(client);
    expect_timed_out(1, 1, 0, 0);
    client = begin("GET /pipe/2 HTTP/1.1\r\nHost: a\r\n\r\n");
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.end, CLIENT_CUT, "%s", client_end_name(reply.end));
    client_reply_free(&reply);
    client_close(client);
    expect_timed_out(1, 1, 0, 1);
    client = begin("GET /deferred/3 HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_status(client, 504);
    client_close(client);
    expect_timed_out(1, 1, 1, 1);
    cr_assert(process_tell(server, "g"));
    serve_no_more();
}

/* ---- Requests that are refused before they reach a route */

static void expect_over(long body, long target, long head)
{
    await_metric("svc_requests_over_limit_total{limit=\"body\"}", body);
    await_metric("svc_requests_over_limit_total{limit=\"target\"}", target);
    await_metric("svc_requests_over_limit_total{limit=\"head\"}", head);
}

/* Of heads that the loop reads itself, the first of a connection and a later one, and of those that
 * libmicrohttpd has. */
Test(metrics, requests_over_a_limit_are_counted_once)
{
    enum { LONG = 20000 };
    static const char *const settings[] = {"SVC_MAX_TARGET_BYTES=1000", "SVC_MAX_HEAD_BYTES=4096",
                                           NULL};
    static const char chunked[] = "POST /tiny HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
                                  "chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n",
                      length[] = "POST /tiny HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345",
                      first[] = "GET /path/1 HTTP/1.1\r\nHost: a\r\n\r\n";
    char filler[LONG + 1], fields[LONG];
    memset(filler, 'a', LONG);
    filler[LONG] = '\0';
    fields[0] = '\0';
    for (int n = 0; n < 200; n++)
        strcat(fields, "X: y\r\n");
    serve("server_wire", settings);
    for (long i = 0; i < 2; i++) {
        struct client *clients[6];
        for (size_t n = 0; n < 6; n++) {
            clients[n] = begin(i ? first : "");
            if (i)
                expect_status(clients[n], 200);
        }
        client_printf(clients[0], "GET /%.2000s HTTP/1.1\r\nHost: a\r\n\r\n", filler);
        expect_status(clients[0], 414);
        expect_over(2 * i, 2 * i + 1, 2 * i);
        client_printf(clients[1], "GET /%s HTTP/1.1\r\nHost: a\r\n\r\n", filler);
        expect_status(clients[1], 414);
        expect_over(2 * i, 2 * i + 2, 2 * i);
        client_printf(clients[2], "GET / HTTP/1.1\r\nHost: a\r\nX: %s\r\n\r\n", filler);
        expect_status(clients[2], 431);
        expect_over(2 * i, 2 * i + 2, 2 * i + 1);
        client_printf(clients[3], "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
        expect_status(clients[3], 431);
        expect_over(2 * i, 2 * i + 2, 2 * i + 2);
        client_send_text(clients[4], chunked);
        expect_status(clients[4], 413);
        expect_over(2 * i + 1, 2 * i + 2, 2 * i + 2);
        client_send_text(clients[5], length);
        expect_status(clients[5], 413);
        expect_over(2 * i + 2, 2 * i + 2, 2 * i + 2);
        for (size_t n = 0; n < 6; n++)
            client_close(clients[n]);
    }
    serve_no_more();
}

/* ---- Loops */

/* A loop that is held is late by all of that. */
Test(metrics, the_lag_of_a_loop_that_is_held_is_counted)
{
    enum { HELD_MS = 300 };
    static const char *const settings[] = {"SVC_THREADS=1", NULL};
    static const char all[] = "svc_loop_lag_seconds_count{listener=\"service\"}",
                      quick[] = "svc_loop_lag_seconds_bucket{listener=\"service\",le=\"0.1\"}";
    struct client *blocked;
    serve("server_life", settings);
    cr_assert(life_block(server, &blocked, 1));
    uint64_t since = client_clock_ms();
    long before = read_metric(all), quick_before = read_metric(quick); /* of the start, if any */
    while (client_clock_ms() - since < HELD_MS)
        cr_assert_eq(read_metric(all), before);
    cr_assert(life_unblock(server, 1));
    expect_status(blocked, 200);
    await_metric(all, before + 1);
    cr_expect_eq(read_metric(quick), quick_before);
    client_close(blocked);
    serve_no_more();
}
