/* What is special to libsvc's own front of HTTP/1: reading in any pieces, writing in few, both ways
 * at a time. All other tests of the wire hold for it too. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/process.h"

static void start(void)
{
    const char *settings[] = {"SVC_HTTP1=native", "SVC_THREADS=1", NULL};
    serve("server_native", settings);
}

static void start_impatient(void)
{
    const char *settings[] = {"SVC_HTTP1=native", "SVC_HEADER_TIMEOUT_MS=300",
                              "SVC_BODY_TIMEOUT_MS=300", "SVC_IDLE_TIMEOUT_MS=300", NULL};
    serve("server_native", settings);
}

TestSuite(http1_native, .init = start, .fini = serve_no_more);

#define GET(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

static void expect_reply(struct client_reply reply, int status, const char *body)
{
    cr_expect_eq(reply.end, CLIENT_REPLY, "%s", client_end_name(reply.end));
    cr_expect_eq(reply.status, status, "%d: %s", reply.status, reply.body);
    if (body)
        cr_expect_str_eq(reply.body, body);
    client_reply_free(&reply);
}

/* ---- Pieces */

static const char chunked[] = "POST /echo HTTP/1.1\r\nHost: a\r\nX-Mark: kept\r\n"
                              "Transfer-Encoding: chunked\r\n\r\n"
                              "5;a=b\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nX-Sum: 11\r\n\r\n";

Test(http1_native, a_request_may_be_parted_anywhere)
{
    struct client *client = connect_client();
    for (size_t i = 1; i < sizeof chunked - 1; i++) {
        client_send(client, chunked, i);
        cr_assert(client_await_read(client), "at %zu", i);
        client_send(client, chunked + i, sizeof chunked - 1 - i);
        struct client_reply reply = client_read(client, false);
        char mark[8] = "";
        cr_expect(client_reply_field(&reply, "X-Mark", mark, sizeof mark));
        cr_expect_str_eq(mark, "kept", "at %zu", i);
        expect_reply(reply, 200, "hello world");
    }
    client_close(client);
}

Test(http1_native, a_request_may_come_byte_by_byte)
{
    struct client *client = connect_client();
    cr_expect(client_send_bytes(client, chunked, sizeof chunked - 1));
    expect_reply(client_read(client, false), 200, "hello world");
    client_close(client);
}

/* ---- Pipelining */

static void count_writes(struct client *client, unsigned *writes, unsigned *of_files)
{
    struct client_reply reply = client_exchange(client, GET("/writes"));
    cr_assert_eq(sscanf(reply.body, "%u %u", writes, of_files), 2, "%s", reply.body);
    client_reply_free(&reply);
}

Test(http1_native, replies_to_16_requests_go_out_in_one_write)
{
    enum { DEPTH = 16 };
    static char text[DEPTH * sizeof GET("/hello")];
    struct client *client = connect_client();
    unsigned before, after, files;
    for (int i = 0; i < DEPTH; i++)
        strcat(text, GET("/hello"));
    count_writes(client, &before, &files);
    client_send_text(client, text);
    for (int i = 0; i < DEPTH; i++)
        expect_reply(client_read(client, false), 200, "hello\n");
    count_writes(client, &after, &files);
    cr_expect_eq(after - before, 2, "%u writes, one of which counted", after - before);
    client_close(client);
}

static void expect_length(struct client *client, size_t len)
{
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.body_len, len, "%zu", reply.body_len);
    expect_reply(reply, 200, NULL);
}

Test(http1_native, replies_of_all_kinds_keep_their_order)
{
    struct client *client = connect_client();
    for (int i = 0; i < 20; i++) {
        client_send_text(client, GET("/hello") GET("/soon?ms=1") GET("/large?bytes=100000")
                                     GET("/file?bytes=70000") "HEAD /large?bytes=5 HTTP/1.1\r\n"
                                                              "Host: a\r\n\r\n");
        client_send_text(client, GET("/stream?bytes=50000") GET("/nowhere"));
        client_send_text(client, chunked);
        expect_reply(client_read(client, false), 200, "hello\n");
        expect_reply(client_read(client, false), 200, "none");
        expect_length(client, 100000);
        expect_length(client, 70000);
        expect_reply(client_read(client, true), 200, "");
        expect_length(client, 50000);
        expect_reply(client_read(client, false), 404, NULL);
        expect_reply(client_read(client, false), 200, "hello world");
    }
    client_close(client);
}

/* Their replies fill the sockets on both sides, so that the server stops to read. */
Test(http1_native, a_client_that_reads_late_gets_all_replies)
{
    enum { REQUESTS = 3000, BYTES = 4000 };
    struct client *client = client_connect_slow(process_address(server, 0), 4096);
    cr_assert(client);
    for (int i = 0; i < REQUESTS; i++)
        cr_assert(client_send_text(client, GET("/large?bytes=4000")));
    for (int i = 0; i < REQUESTS; i++)
        expect_length(client, BYTES);
    client_close(client);
}

/* ---- 100 Continue */

static const char expecting[] = "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                                "Content-Length: 5\r\n";

Test(http1_native, a_body_that_is_wanted_is_asked_for)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct client *client = connect_client();
    for (int i = 0; i < 3; i++) {
        char seen[sizeof go_on] = "";
        client_printf(client, "%s\r\n", expecting);
        for (size_t len = 0; len < sizeof go_on - 1;) {
            long n = client_receive(client, seen + len, sizeof go_on - 1 - len);
            cr_assert_gt(n, 0);
            len += (size_t)n;
        }
        cr_expect_str_eq(seen, go_on);
        client_send_text(client, "hello");
        expect_reply(client_read(client, false), 200, "hello");
    }
    client_close(client);
}

Test(http1_native, a_body_that_is_not_wanted_is_not_asked_for)
{
    struct client *client = connect_client();
    client_printf(client, "%sX-Refuse: 1\r\n\r\n", expecting);
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.interim, 0);
    cr_expect(reply.closes);
    expect_reply(reply, 403, NULL);
    client_close(client);
}

Test(http1_native, a_body_that_comes_at_once_is_not_asked_for)
{
    struct client *client = connect_client();
    client_printf(client, "%s\r\nhello", expecting);
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.interim, 0);
    expect_reply(reply, 200, "hello");
    client_close(client);
}

/* ---- Both ways at a time */

static void receive(struct client *client, char *data, size_t len)
{
    for (size_t got = 0; got < len;) {
        long n = client_receive(client, data + got, len - got);
        cr_assert_gt(n, 0);
        got += (size_t)n;
    }
    data[len] = '\0';
}

/* Each word comes back before the next is sent, behind a head of unknown length. */
Test(http1_native, a_talk_goes_both_ways_and_the_connection_goes_on)
{
    struct client *client = connect_client();
    for (int round = 0; round < 3; round++) {
        char data[512] = "";
        size_t len = 0;
        client_send_text(client, "POST /talk HTTP/1.1\r\nHost: a\r\n"
                                 "Transfer-Encoding: chunked\r\n\r\n");
        while (!strstr(data, "\r\n\r\n")) {
            long n = client_receive(client, data + len, 1);
            cr_assert_eq(n, 1);
            len += (size_t)n;
        }
        for (int i = 0; i < 50; i++) {
            client_send_text(client, "5\r\nword \r\n");
            receive(client, data, 10);
            cr_assert_str_eq(data, "5\r\nword \r\n");
        }
        client_send_text(client, "0\r\n\r\n");
        receive(client, data, 5);
        cr_expect_str_eq(data, "0\r\n\r\n");
    }
    client_send_text(client, GET("/hello"));
    expect_reply(client_read(client, false), 200, "hello\n");
    client_close(client);
}

enum { MUCH = 4 << 20 };

static void *send_much(void *arg)
{
    static char piece[65536];
    memset(piece, 'm', sizeof piece);
    for (size_t sent = 0; sent < MUCH; sent += sizeof piece)
        client_send(arg, piece, sizeof piece);
    return NULL;
}

/* More than both pipes and sockets hold. */
Test(http1_native, a_large_body_comes_back_while_it_is_sent)
{
    struct client *client = connect_client(), sender = *client;
    pthread_t thread;
    client_printf(client, "POST /talk HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", MUCH);
    cr_assert_eq(pthread_create(&thread, NULL, send_much, &sender), 0);
    expect_length(client, MUCH);
    pthread_join(thread, NULL);
    client_close(client);
}

/* ---- Files */

Test(http1_native, a_file_takes_one_write_and_one_call_that_sends_it)
{
    struct client *client = connect_client();
    unsigned before, after, files_before, files_after;
    count_writes(client, &before, &files_before);
    client_send_text(client, GET("/file?bytes=20000"));
    expect_length(client, 20000);
    count_writes(client, &after, &files_after);
    cr_expect_eq(after - before, 2);
    cr_expect_eq(files_after - files_before, 1);
    client_send_text(client, GET("/file?bytes=30000000") GET("/hello"));
    expect_length(client, 30000000);
    expect_reply(client_read(client, false), 200, "hello\n");
    client_close(client);
}

/* ---- Clients that shut their side */

Test(http1_native, a_client_that_has_shut_its_side_gets_its_replies)
{
    struct client *client = connect_client();
    client_send_text(client, GET("/hello") GET("/large?bytes=3000000"));
    client_finish_sending(client);
    expect_reply(client_read(client, false), 200, "hello\n");
    expect_length(client, 3000000);
    cr_expect_eq(client_await_end(client), CLIENT_CLOSED);
    client_close(client);
}

static void await_cancelled(const char *count)
{
    struct client *client = connect_client();
    for (bool is = false; !is;) {
        struct client_reply reply = client_exchange(client, GET("/cancelled"));
        cr_assert_eq(reply.end, CLIENT_REPLY);
        is = !strcmp(reply.body, count);
        client_reply_free(&reply);
    }
    client_close(client);
}

Test(http1_native, a_request_that_waits_ends_when_its_client_leaves)
{
    struct client *shut = connect_client(), *reset = connect_client(), *late = connect_client();
    client_send_text(shut, GET("/never"));
    client_finish_sending(shut);
    await_cancelled("1");
    client_close(shut);
    client_send_text(reset, GET("/never"));
    client_await_read(reset);
    client_reset(reset);
    await_cancelled("2");
    client_send_text(late, GET("/never") GET("/hello"));
    client_await_read(late);
    client_close(late);
    await_cancelled("3");
}

static void start_tolerant(void)
{
    const char *settings[] = {"SVC_HTTP1=native", "SVC_CANCEL_HALF_CLOSED=0", NULL};
    serve("server_native", settings);
}

Test(http1_native_tolerant, a_client_that_has_shut_its_side_may_wait, .init = start_tolerant,
     .fini = serve_no_more)
{
    struct client *client = connect_client();
    client_send_text(client, GET("/soon?ms=100") GET("/soon?ms=1"));
    client_finish_sending(client);
    expect_reply(client_read(client, false), 200, "none");
    expect_reply(client_read(client, false), 200, "none");
    cr_expect_eq(client_await_end(client), CLIENT_CLOSED);
    client_close(client);
}

/* ---- Deadlines */

TestSuite(http1_native_late, .init = start_impatient, .fini = serve_no_more);

static void expect_late(const char *text, int status)
{
    struct client *client = connect_client();
    client_send_text(client, text);
    struct client_reply reply = client_read(client, false);
    cr_expect(reply.closes);
    expect_reply(reply, status, NULL);
    cr_expect_eq(client_await_end(client), CLIENT_CLOSED);
    client_close(client);
}

Test(http1_native_late, a_head_or_a_body_that_does_not_end_is_refused)
{
    expect_late("GET /hel", 408);
    expect_late("GET /hello HTTP/1.1\r\nHost: a\r\n", 408);
    expect_late("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell", 408);
    expect_late("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nh", 408);
}

Test(http1_native_late, a_silent_connection_is_closed_without_a_byte)
{
    struct client *fresh = connect_client(), *served = connect_client();
    expect_reply(client_exchange(served, GET("/hello")), 200, "hello\n");
    cr_expect_eq(client_await_end(fresh), CLIENT_CLOSED);
    cr_expect_eq(client_await_end(served), CLIENT_CLOSED);
    client_close(fresh);
    client_close(served);
}

/* ---- Clients that leave anywhere */

static const char visit[] =
    GET("/hello") "POST /echo HTTP/1.1\r\nHost: a\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n"
                  "5\r\nhello\r\n0\r\nX-Sum: 5\r\n\r\n" GET("/soon?ms=1")
                      GET("/large?bytes=300000") "POST /talk HTTP/1.1\r\nHost: a\r\n"
                                                 "Content-Length: 5\r\n\r\nhello" GET("/never");

Test(http1_native, clients_that_leave_after_any_byte_do_no_harm)
{
    for (size_t i = 0; i < sizeof visit; i++) {
        struct client *leaves = connect_client(), *resets = connect_client(),
                      *shuts = connect_client();
        client_send(leaves, visit, i);
        client_send(resets, visit, i);
        client_send(shuts, visit, i);
        client_close(leaves);
        client_reset(resets);
        client_finish_sending(shuts);
        char data[4096];
        while (client_receive(shuts, data, sizeof data) > 0)
            continue;
        client_close(shuts);
    }
    struct client *client = connect_client();
    expect_reply(client_exchange(client, GET("/hello")), 200, "hello\n");
    client_close(client);
}
