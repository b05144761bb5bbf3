/* Event streams on the wire. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/process.h"

enum { MANY = 60, FLOOD = 400, FLOOD_BYTES = 10000, SMALL_BUFFER = 4096 };

static void start(const char *const *settings)
{
    serve("server_events", settings);
}

static void await(const char *metric, long value)
{
    cr_expect(client_await_metric(process_admin(server), metric, value), "%s is %ld", metric,
              client_metric(process_admin(server), metric));
}

static void finish(void)
{
    await("svc_topic_listeners", 0);
    await("svc_connections{listener=\"service\"", 0);
    serve_no_more();
}

static void expect_ok(const char *request)
{
    struct client *client = connect_client();
    client_printf(client, "%s HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", request);
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status / 100, 2, "%s: %d", request, reply.status);
    client_reply_free(&reply);
    client_close(client);
}

static struct client *watch(const char *target, const char *fields)
{
    struct client *client = connect_client();
    client_printf(client, "GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n", target, fields);
    return client;
}

/* Reads on until `text` has come. Bytes behind it are dropped with it. */
static bool await_text(struct client *client, const char *text)
{
    char seen[65536];
    size_t len = 0;
    long n;
    while (len + 1 < sizeof seen &&
           (n = client_receive(client, seen + len, sizeof seen - 1 - len)) > 0) {
        len += (size_t)n;
        seen[len] = '\0';
        if (strstr(seen, text))
            return true;
    }
    return false;
}

/* ---- One stream */

Test(events_on_the_wire, a_stream_is_chunked_and_ends)
{
    start(NULL);
    struct client *client = watch("/greet", "");
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, 200);
    cr_expect(reply.chunked);
    cr_expect_eq(reply.closes, !process_front_is_native());
    cr_expect_str_eq(reply.body, "retry: 3000\n\nevent: hello\nid: 1\ndata: a\ndata: b\n\n");
    if (reply.closes)
        cr_expect_eq(client_await_end(client), CLIENT_CLOSED);
    client_reply_free(&reply);
    client_close(client);
    finish();
}

Test(events_on_the_wire, http_1_0_gets_no_chunks)
{
    start(NULL);
    struct client *client = connect_client();
    client_send_text(client, "GET /greet HTTP/1.0\r\n\r\n");
    struct client_reply reply = client_read(client, false);
    cr_expect_not(reply.chunked);
    cr_expect_str_eq(reply.body, "retry: 3000\n\nevent: hello\nid: 1\ndata: a\ndata: b\n\n");
    client_reply_free(&reply);
    client_close(client);
    finish();
}

Test(events_on_the_wire, a_head_request_gets_the_head)
{
    start(NULL);
    struct client *client = connect_client();
    client_send_text(client, "HEAD /greet HTTP/1.1\r\nHost: a\r\n\r\n");
    struct client_reply reply = client_read(client, true);
    cr_expect_eq(reply.status, 200);
    client_reply_free(&reply);
    client_close(client);
    finish();
}

Test(events_on_the_wire, a_kept_connection_may_become_a_stream)
{
    start(NULL);
    struct client *client = watch("/ok", "");
    struct client_reply reply = client_read(client, false);
    cr_expect_str_eq(reply.body, "ok");
    client_reply_free(&reply);
    /* The end of a stream closes libmicrohttpd's connection, and a request behind is not answered.
     */
    client_send_text(client, "GET /greet HTTP/1.1\r\nHost: a\r\n\r\n"
                             "GET /ok HTTP/1.1\r\nHost: a\r\n\r\n");
    reply = client_read(client, false);
    cr_expect_not_null(strstr(reply.body, "event: hello"));
    client_reply_free(&reply);
    if (process_front_is_native()) {
        reply = client_read(client, false);
        cr_expect_str_eq(reply.body, "ok");
        client_reply_free(&reply);
    } else {
        cr_expect_eq(client_await_end(client), CLIENT_CLOSED);
    }
    client_close(client);
    finish();
}

/* RFC 9110 7.8: who does not know the protocol ignores the field. */
Test(events_on_the_wire, an_upgrade_to_websocket_is_ignored)
{
    start(NULL);
    struct client *client = watch("/greet", "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                                            "Sec-WebSocket-Version: 13\r\n"
                                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, 200);
    cr_expect_eq(client_reply_count(&reply, "Upgrade"), 0);
    cr_expect_eq(client_reply_count(&reply, "Sec-WebSocket-Accept"), 0);
    cr_expect_not_null(strstr(reply.body, "event: hello"));
    client_reply_free(&reply);
    client_close(client);
    finish();
}

Test(events_on_the_wire, heartbeats_come_when_nothing_else_does)
{
    start(NULL);
    struct client *client = watch("/watch/drops?beats=1", "");
    cr_expect(await_text(client, "3\r\n:\n\n\r\n"));
    struct client *lines = watch("/watch/lines?beats=1", "");
    cr_expect(await_text(lines, "1\r\n\n\r\n"));
    client_close(client);
    client_close(lines);
    finish();
}

/* ---- Topics */

Test(events_on_the_wire, an_event_goes_to_all_that_listen)
{
    struct client *clients[MANY];
    start((const char *const[]){"SVC_THREADS=2", NULL});
    for (int i = 0; i < MANY; i++)
        clients[i] = watch("/watch/drops", "");
    await("svc_topic_listeners", MANY);
    expect_ok("POST /publish/drops?id=7&data=one");
    for (int i = 0; i < MANY; i++) {
        cr_expect(await_text(clients[i], "id: 7\ndata: one\n\n"), "client %d", i);
        client_close(clients[i]);
    }
    finish();
}

Test(events_on_the_wire, who_comes_back_gets_what_was_missed)
{
    start(NULL);
    expect_ok("POST /publish/drops?id=1&data=one");
    expect_ok("POST /publish/drops?id=2&data=two");
    struct client *back = watch("/watch/drops", "Last-Event-ID: 1\r\n");
    cr_expect(await_text(back, "\nid: 2\ndata: two\n\n"));
    struct client *lost = watch("/watch/drops", "Last-Event-ID: 9\r\n");
    cr_expect(await_text(lost, "event: reset\ndata: \n\n"));
    expect_ok("POST /publish/drops?id=3&data=three");
    cr_expect(await_text(back, "id: 3\ndata: three\n\n"));
    cr_expect(await_text(lost, "id: 3\ndata: three\n\n"));
    client_close(back);
    client_close(lost);
    finish();
}

Test(events_on_the_wire, lines_of_json_go_to_all)
{
    start(NULL);
    struct client *client = watch("/watch/lines", "");
    await("svc_topic_listeners", 1);
    expect_ok("POST /publish/lines?data=%7B%22a%22:1%7D");
    cr_expect(await_text(client, "\r\n{\"a\":1}\n\r\n"));
    client_close(client);
    finish();
}

/* ---- Departures */

Test(events_on_the_wire, a_departure_is_noticed)
{
    start(NULL);
    struct client *closes = watch("/watch/drops", ""), *resets = watch("/watch/drops", "");
    cr_expect(await_text(closes, "retry: 3000"));
    cr_expect(await_text(resets, "retry: 3000"));
    await("svc_topic_listeners", 2);
    client_close(closes);
    await("svc_topic_listeners", 1);
    client_reset(resets);
    await("svc_topic_listeners", 0);
    cr_expect(process_await_lines(server, "\"end\":\"client gone\"", 2, PROCESS_WAIT_MS));
    finish();
}

Test(events_on_the_wire, a_half_closed_client_is_served_where_that_is_set)
{
    start((const char *const[]){"SVC_CANCEL_HALF_CLOSED=0", NULL});
    struct client *client = watch("/watch/drops", "");
    cr_expect(await_text(client, "retry: 3000"));
    client_finish_sending(client);
    expect_ok("POST /publish/drops?data=one");
    cr_expect(await_text(client, "data: one\n\n"));
    expect_ok("POST /publish/drops?data=two");
    cr_expect(await_text(client, "data: two\n\n"));
    client_reset(client);
    finish();
}

/* ---- Readers that are slow, or do not read */

/* A listener whose socket is full. */
static struct client *watch_unread(const char *topic)
{
    struct client *client = client_connect_slow(process_address(server, 0), SMALL_BUFFER);
    client_printf(client, "GET /watch/%s HTTP/1.1\r\nHost: a\r\n\r\n", topic);
    await("svc_topic_listeners", 1);
    return client;
}

/* A request whose worker is held, so that the listener's socket is full for sure. */
static struct client *flood_held(int n)
{
    struct client *publisher = connect_client();
    client_printf(publisher,
                  "POST /flood/holds?n=%d HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", n);
    uint64_t end_ms = client_clock_ms() + CLIENT_WAIT_MS;
    while (client_metric(process_admin(server), "svc_topic_slow_total{action=\"held\"") < 1 &&
           client_clock_ms() < end_ms)
        continue;
    return publisher;
}

Test(events_on_the_wire, who_does_not_read_is_dropped)
{
    start(NULL);
    struct client *client = watch_unread("drops");
    expect_ok("POST /flood/drops?n=2000");
    char data[65536];
    while (client_receive(client, data, sizeof data) > 0)
        continue;
    await("svc_topic_slow_total{action=\"dropped\"", 1);
    client_close(client);
    finish();
}

/* The number of events of a flood, each of which must be whole. */
static size_t count_whole(const char *body)
{
    size_t events = 0;
    for (const char *at = strstr(body, "data: 0"); at; at = strstr(at, "data: 0"), events++) {
        at += strlen("data: ");
        size_t digits = 0;
        while (at[digits] == (char)('0' + digits % 10))
            digits++;
        cr_expect_eq(digits, FLOOD_BYTES);
    }
    return events;
}

Test(events_on_the_wire, who_does_not_read_misses_events)
{
    start(NULL);
    struct client *client = watch_unread("skips");
    expect_ok("POST /flood/skips?n=2000");
    expect_ok("POST /publish/skips?id=last&data=last");
    process_signal(server, SIGTERM);
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.end, CLIENT_REPLY);
    cr_expect_not_null(strstr(reply.body, "id: last\ndata: last\n\nretry: "));
    cr_expect_lt(count_whole(reply.body), 2000);
    await_exit(0);
    client_reply_free(&reply);
    client_close(client);
}

static void *read_whole(void *arg)
{
    struct client_reply *reply = malloc(sizeof *reply);
    *reply = client_read(arg, false);
    return reply;
}

/* The end of the service ends the stream, behind all events. */
Test(events_on_the_wire, who_publishes_is_held_and_no_byte_is_lost)
{
    start(NULL);
    struct client *client = watch_unread("holds"), *publisher = flood_held(FLOOD);
    pthread_t thread;
    void *read;
    cr_assert_eq(pthread_create(&thread, NULL, read_whole, client), 0);
    struct client_reply published = client_read(publisher, false);
    cr_expect_eq(published.status, 200);
    client_close(publisher);
    process_signal(server, SIGTERM);
    pthread_join(thread, &read);
    struct client_reply *reply = read;
    cr_expect_eq(count_whole(reply->body), FLOOD);
    cr_expect_eq(reply->end, CLIENT_REPLY);
    await_exit(0);
    client_reply_free(&published);
    client_reply_free(reply);
    free(reply);
    client_close(client);
}

/* ---- The end of the service */

Test(events_on_the_wire, a_drain_sends_clients_elsewhere)
{
    start(NULL);
    struct client *client = watch("/watch/drops", "");
    cr_expect(await_text(client, "retry: 3000"));
    expect_ok("POST /publish/drops?data=one");
    cr_expect(await_text(client, "data: one"));
    process_signal(server, SIGTERM);
    cr_expect(await_text(client, "retry: "));
    await_exit(0);
    client_close(client);
}

Test(events_on_the_wire, a_stop_does_not_wait_for_who_does_not_read)
{
    start((const char *const[]){"SVC_DRAIN_TIMEOUT_MS=300", NULL});
    struct client *client = watch_unread("holds"), *publisher = flood_held(2000);
    process_signal(server, SIGTERM);
    await_exit(3);
    client_close(client);
    client_close(publisher);
}
