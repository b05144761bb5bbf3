/* One connection serves many requests, whatever their answers, and no stray byte comes between the
 * answers. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/process.h"

static void start(void)
{
    serve("server_wire", NULL);
}

TestSuite(keepalive, .init = start, .fini = serve_no_more);

/* ---- Refusals keep the connection */

#define POST(path) "POST " path " HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define HEAD(path) "HEAD " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static void expect_thousand(const char *request, int status)
{
    struct client *client = connect_client();
    for (int i = 0; i < 1000; i++) {
        struct client_reply reply = client_exchange(client, request);
        int seen = reply.status;
        bool closes = reply.closes;
        client_reply_free(&reply);
        cr_assert_eq(seen, status, "%d at %d of %s", seen, i, request);
        cr_assert_not(closes);
    }
    client_close(client);
}

Test(keepalive, of_1000_times_404)
{
    expect_thousand(GET("/nowhere"), 404);
    expect_thousand(POST("/nowhere"), 404);
    expect_thousand(HEAD("/nowhere"), 404);
}

Test(keepalive, of_1000_times_429)
{
    expect_thousand(GET("/429"), 429);
    expect_thousand(POST("/429"), 429);
}

Test(keepalive, of_1000_times_503)
{
    expect_thousand(GET("/503"), 503);
    expect_thousand(POST("/503"), 503);
}

Test(keepalive, of_1000_times_401_405_413_and_501)
{
    expect_thousand(POST("/401"), 401);
    expect_thousand(POST("/hello"), 405);
    expect_thousand("POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "1\r\nx\r\n0\r\n\r\n",
                    200);
    expect_thousand("BREW /hello HTTP/1.1\r\nHost: a\r\n\r\n", 501);
}

/* ---- The largest heads */

static void repeat(char *out, const char *text, size_t count)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < count; i++)
        memcpy(out + i * len, text, len);
    out[count * len] = '\0';
}

Test(keepalive, two_thousand_query_arguments_are_counted)
{
    static char arguments[8192];
    struct client *client = connect_client();
    static const char *const forms[] = {"a&", "b=&", "c=1&"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        size_t count = i < 2 ? 2000 : 1998; /* the target may have 8,000 bytes */
        repeat(arguments, forms[i], count);
        arguments[strlen(arguments) - 1] = '\0';
        client_printf(client, "GET /query?%s HTTP/1.1\r\nHost: a\r\n\r\n", arguments);
        struct client_reply reply = client_read(client, false);
        char expected[16];
        snprintf(expected, sizeof expected, "%zu", count);
        cr_expect_eq(reply.status, 200, "%s: %d", forms[i], reply.status);
        cr_expect_str_eq(reply.body, expected);
        client_reply_free(&reply);
    }
    client_close(client);
}

/* A head of `bytes` with 40 fields, of which Cookie has 2 KiB in `cookies` pairs. */
static void make_head(char *out, size_t bytes, size_t cookies)
{
    size_t len = (size_t)sprintf(out, "GET /fields HTTP/1.1\r\nHost: a\r\nCookie: ");
    size_t cookie_end = len + 2048;
    for (size_t i = 0; i < cookies; i++) {
        size_t end = cookie_end - 2048 / cookies * (cookies - 1 - i);
        len += (size_t)sprintf(out + len, "%sc%zu=", i ? "; " : "", i);
        while (len < end)
            out[len++] = 'k';
    }
    for (int field = 2; field < 40; field++) {
        size_t left = bytes - 4 - len - 2, share = left / (size_t)(40 - field);
        size_t end = len + 2 + (field == 39 ? left : share);
        len += (size_t)sprintf(out + len, "\r\nX-F%d: ", field);
        while (len < end)
            out[len++] = 'v';
    }
    strcpy(out + len, "\r\n\r\n");
}

static void expect_head_taken(size_t cookies)
{
    static char head[16384];
    make_head(head, 8192, cookies);
    cr_assert_eq(strlen(head), 8192);
    struct client *client = connect_client();
    for (int i = 0; i < 3; i++) {
        struct client_reply reply = client_exchange(client, head);
        cr_expect_eq(reply.status, 200, "%zu cookies, request %d: %d %s", cookies, i, reply.status,
                     client_end_name(reply.end));
        cr_expect(!strncmp(reply.body, "40 ", 3), "%zu cookies: %s", cookies, reply.body);
        client_reply_free(&reply);
    }
    client_close(client);
}

Test(keepalive, a_head_of_8_KiB_with_40_fields_and_2_KiB_of_cookies_is_taken)
{
    static const size_t counts[] = {1, 2, 10, 20, 30, 40};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        expect_head_taken(counts[i]);
}

/* Whether the head is accepted. The test fails without an answer. */
static bool takes_head(const char *head, size_t cookies)
{
    struct client *client = connect_client();
    struct client_reply reply = client_exchange(client, head);
    int status = reply.status;
    cr_expect(status == 200 || status == 431 || status == 500, "%zu cookies in %zu bytes: %d, %s",
              cookies, strlen(head), status, client_end_name(reply.end));
    client_reply_free(&reply);
    client_close(client);
    return status == 200;
}

/* libmicrohttpd has a node for each cookie, and closes without an answer if memory runs out while
 * it answers. */
Test(keepalive, a_head_with_any_number_of_cookies_is_answered)
{
    static char head[16384];
    for (size_t bytes = 5992; bytes <= 8192; bytes += 200) {
        size_t taken = 0;
        for (size_t cookies = 1; cookies <= 400; cookies++) {
            make_head(head, bytes, cookies);
            taken += takes_head(head, cookies);
        }
        cr_expect_gt(taken, 40, "%zu taken of %zu bytes", taken, bytes);
    }
}

/* ---- The largest heads of answers */

/* An answer's head that exceeds the memory left by the request costs libmicrohttpd's connection. */
Test(keepalive, a_response_head_is_sent_whole_whatever_the_request_left_room_for)
{
    static const size_t paddings[] = {1, 2000, 4000, 6000, 8000};
    static char padding[8192];
    size_t kept = 0, closed = 0;
    for (size_t i = 0; i < sizeof paddings / sizeof *paddings; i++) {
        struct client *client = connect_client();
        repeat(padding, "p", paddings[i]);
        for (size_t bytes = 1000; bytes <= 16000;
             bytes += bytes > 6000 && bytes < 9000 ? 17 : 499) {
            client_printf(client, "GET /wide?bytes=%zu HTTP/1.1\r\nHost: a\r\nX-P: %s\r\n\r\n",
                          bytes, padding);
            struct client_reply reply = client_read(client, false);
            cr_expect_eq(reply.status, 200, "a head of %zu to one of %zu: %d %s", bytes,
                         paddings[i], reply.status, client_end_name(reply.end));
            cr_expect(reply.head && strlen(reply.head) > bytes, "a head of %zu is cut", bytes);
            kept += !reply.closes;
            closed += reply.closes;
            bool gone = reply.end != CLIENT_REPLY || reply.closes;
            client_reply_free(&reply);
            if (gone) {
                client_close(client);
                client = connect_client();
            }
        }
        client_close(client);
    }
    cr_expect_gt(kept, 100);
    cr_expect(process_front_is_native() ? closed == 0 : closed > 50, "%zu closed", closed);
}

/* ---- Answers without a body */

struct bodiless {
    const char *request;
    int status;
    bool has_length;
    uint64_t length;
    bool closes;
};

static const struct bodiless bodiless[] = {
    {HEAD("/hello"), 200, true, 6, false},
    {HEAD("/large?bytes=100000"), 200, true, 100000, false},
    {HEAD("/large?bytes=0"), 200, true, 0, false},
    {HEAD("/stream?bytes=100000&known"), 200, true, 100000, false},
    {HEAD("/stream?bytes=100000"), 200, false, 0, true},
    {HEAD("/204"), 204, false, 0, false},
    {HEAD("/304?length=77"), 304, true, 77, false},
    {HEAD("/429"), 429, true, 0, false},
    {GET("/204"), 204, false, 0, false},
    {GET("/304?length=1234"), 304, true, 1234, false},
    {GET("/304"), 304, false, 0, true},
};

Test(keepalive, answers_without_a_body_leave_no_stray_bytes)
{
    struct client *client = connect_client();
    for (size_t i = 0; i < 3 * sizeof bodiless / sizeof *bodiless; i++) {
        const struct bodiless *row = &bodiless[i % (sizeof bodiless / sizeof *bodiless)];
        client_send_text(client, row->request);
        struct client_reply reply = client_read(client, true);
        cr_expect_eq(reply.status, row->status, "%s: %d", row->request, reply.status);
        cr_expect_eq(reply.has_length, row->has_length, "%s:\n%s", row->request, reply.head);
        cr_expect(!row->length || reply.length == row->length, "%s:\n%s", row->request, reply.head);
        cr_expect_not(reply.chunked, "%s:\n%s", row->request, reply.head);
        cr_expect_eq(reply.closes, row->closes, "%s:\n%s", row->request, reply.head);
        client_reply_free(&reply);
        if (row->closes) {
            enum client_end end = client_await_end(client);
            cr_expect_eq(end, CLIENT_CLOSED, "%s: %s", row->request, client_end_name(end));
            client_close(client);
            client = connect_client();
        }
    }
    struct client_reply reply = client_exchange(client, GET("/path/next"));
    cr_expect_str_eq(reply.body, "next");
    client_reply_free(&reply);
    client_close(client);
}

/* ---- Bodies of all kinds */

static size_t count_bytes(const struct client_reply *reply, char byte)
{
    size_t count = 0;
    for (size_t i = 0; i < reply->body_len; i++)
        count += reply->body[i] == byte;
    return count;
}

Test(keepalive, bodies_of_any_size_and_framing_come_whole)
{
    static const size_t sizes[] = {0, 1, 1000, 16384, 16385, 100000, 3000000};
    struct client *client = connect_client();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        static const char *const paths[] = {"/large?bytes=%zu", "/stream?bytes=%zu",
                                            "/stream?known&bytes=%zu"};
        for (size_t path = 0; path < 3; path++) {
            char target[64];
            snprintf(target, sizeof target, paths[path], sizes[i]);
            client_printf(client, GET("%s"), target);
            struct client_reply reply = client_read(client, false);
            cr_expect_eq(reply.status, 200, "%s: %d", target, reply.status);
            cr_expect_eq(count_bytes(&reply, path ? 's' : 'x'), sizes[i], "%s: %zu bytes", target,
                         reply.body_len);
            cr_expect_eq(reply.chunked, path == 1, "%s", target);
            client_reply_free(&reply);
        }
    }
    client_close(client);
}

Test(keepalive, a_stream_to_HTTP_1_0_ends_with_the_connection)
{
    struct client *client = connect_client();
    client_send_text(client, "GET /stream?bytes=100000 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, 200);
    cr_expect_not(reply.chunked);
    cr_expect_not(reply.has_length);
    cr_expect_eq(reply.body_len, 100000);
    client_reply_free(&reply);
    client_close(client);
}

/* ---- Pipelining */

struct piped {
    const char *request;
    int status;
    const char *body; /* NULL: any */
    bool head;
};

static const struct piped piped[] = {
    {GET("/path/1"), 200, "1", false},
    {POST("/echo"), 200, "hello", false},
    {GET("/nowhere"), 404, NULL, false},
    {HEAD("/hello"), 200, "", true},
    {POST("/429"), 429, NULL, false},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
     "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
     200, "abcde", false},
    {GET("/204"), 204, "", false},
    {GET("/stream?bytes=3"), 200, "sss", false},
    {GET("/304?length=9"), 304, "", false},
    {POST("/hello"), 405, NULL, false},
};
enum { PIPED = sizeof piped / sizeof *piped, ROUNDS = 2 };

static void expect_answers(struct client *client)
{
    for (size_t i = 0; i < ROUNDS * PIPED; i++) {
        const struct piped *row = &piped[i % PIPED];
        struct client_reply reply = client_read(client, row->head);
        cr_expect_eq(reply.status, row->status, "%zu: %d to %s", i, reply.status, row->request);
        cr_expect(!row->body || !strcmp(reply.body, row->body), "%zu: %s", i, reply.body);
        client_reply_free(&reply);
    }
}

Test(keepalive, twenty_pipelined_requests_are_answered_in_order)
{
    static char all[8192];
    for (size_t i = 0; i < ROUNDS * PIPED; i++)
        strcat(all, piped[i % PIPED].request);
    struct client *client = connect_client();
    client_send_text(client, all);
    expect_answers(client);
    client_send_bytes(client, all, strlen(all));
    expect_answers(client);
    client_send_text(client, all);
    client_finish_sending(client);
    expect_answers(client);
    cr_expect_eq(client_await_end(client), CLIENT_CLOSED);
    client_close(client);
}

/* ---- Equal replies share an object of libmicrohttpd */

Test(keepalive, each_reply_of_a_crowd_has_its_own_id_and_body)
{
    enum { CLIENTS = 200, TURNS = 5 };
    struct client *clients[CLIENTS];
    for (size_t i = 0; i < CLIENTS; i++)
        clients[i] = connect_client();
    for (size_t turn = 0; turn < TURNS; turn++) {
        for (size_t i = 0; i < CLIENTS; i++)
            client_printf(clients[i],
                          "GET /path/%zu HTTP/1.1\r\nHost: a\r\nX-Request-Id: %s%zu\r\n\r\n", i % 7,
                          i % 2 ? "id-" : "another-id-", i);
        for (size_t i = 0; i < CLIENTS; i++) {
            char id[32], own[32], body[8];
            struct client_reply reply = client_read(clients[i], false);
            snprintf(own, sizeof own, "%s%zu", i % 2 ? "id-" : "another-id-", i);
            snprintf(body, sizeof body, "%zu", i % 7);
            cr_expect(client_reply_field(&reply, "X-Request-Id", id, sizeof id));
            cr_expect_str_eq(id, own);
            cr_expect_str_eq(reply.body, body);
            cr_expect_eq(client_reply_count(&reply, "X-Request-Id"), 1);
            cr_expect_eq(client_reply_count(&reply, "Date"), 1);
            client_reply_free(&reply);
        }
    }
    for (size_t i = 0; i < CLIENTS; i++)
        client_close(clients[i]);
}

/* ---- Half-closed clients */

/* When the client's FIN comes: with its last bytes, or after those have been read. */
enum finish { AT_ONCE, WHEN_READ, BY_BYTES, FINISHES };

static void send_and_finish(struct client *client, const char *text, enum finish finish)
{
    if (finish == BY_BYTES)
        client_send_bytes(client, text, strlen(text));
    else
        client_send_text(client, text);
    if (finish == WHEN_READ)
        cr_expect(client_await_read(client));
    client_finish_sending(client);
}

static const struct {
    const char *requests, *last; /* body of the last answer; NULL: any */
    size_t answers;
} finished[] = {
    {GET("/path/1"), "1", 1},
    {GET("/path/1") GET("/path/2"), "2", 2},
    {POST("/echo"), "hello", 1},
    {GET("/path/1") POST("/echo"), "hello", 2},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
     "5\r\nhello\r\n0\r\n\r\n" GET("/path/2"),
     "2", 2},
    {POST("/nowhere") GET("/path/2"), "2", 2},
    {POST("/429"), NULL, 1},
    {GET("/large?bytes=3000000"), NULL, 1},
    {GET("/stream?bytes=3"), "sss", 1},
    {GET("/path/1") "GET /half", "1", 1},
};

static void expect_finished(size_t row, enum finish finish)
{
    struct client *client = connect_client();
    send_and_finish(client, finished[row].requests, finish);
    for (size_t i = 0; i < finished[row].answers; i++) {
        struct client_reply reply = client_read(client, false);
        bool last = i + 1 == finished[row].answers;
        cr_expect_eq(reply.end, CLIENT_REPLY, "%zu, way %d, answer %zu: %s", row, (int)finish, i,
                     client_end_name(reply.end));
        cr_expect(!last || !finished[row].last || !strcmp(reply.body, finished[row].last),
                  "%zu, way %d: %s", row, (int)finish, reply.body);
        client_reply_free(&reply);
    }
    enum client_end end = client_await_end(client);
    cr_expect_eq(end, CLIENT_CLOSED, "%zu, way %d: then %s", row, (int)finish,
                 client_end_name(end));
    client_close(client);
}

Test(keepalive, a_client_that_sends_no_more_gets_its_answers_and_the_end)
{
    for (int run = 0; run < 5; run++)
        for (size_t row = 0; row < sizeof finished / sizeof *finished; row++)
            for (enum finish finish = AT_ONCE; finish < FINISHES; finish++)
                expect_finished(row, finish);
    cr_expect_eq(process_count_log(server, "\"end\":\"client gone\""), 0);
}
