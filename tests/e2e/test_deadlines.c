/* A client that is too slow loses its request or its connection, and only that. */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/in_time.h"
#include "tests/support/process.h"

/* The timeout that a test waits for is short, and all others are longer than any test. So an end
 * within the common limit is due to the short timeout. */
#define LONG "600000"
enum { SHORT_MS = 400 };
#define SHORT "400"

/* That of a head begins with the connection, so a client must have sent by then what a test has it
 * send. */
enum { HEAD_MS = 1000 };
#define HEAD "1000"

static struct process *start(const char *listen, const char *setting)
{
    const char *const settings[] = {setting,
                                    listen,
                                    "SVC_HEADER_TIMEOUT_MS=" LONG,
                                    "SVC_BODY_TIMEOUT_MS=" LONG,
                                    "SVC_REQUEST_TIMEOUT_MS=" LONG,
                                    "SVC_SEND_TIMEOUT_MS=" LONG,
                                    "SVC_IDLE_TIMEOUT_MS=" LONG,
                                    NULL};
    struct process *server = process_start(process_program("server_wire"), settings, NULL);
    cr_assert(server);
    return server;
}

static struct process *start_with(const char *setting)
{
    return start("SVC_LISTEN=127.0.0.1:0", setting);
}

static void stop(struct process *server)
{
    cr_expect_eq(process_stop(server), 0, "the server ends badly");
    process_free(server);
}

static struct client *connect_to(const struct process *server)
{
    struct client *client = client_connect(process_address(server, 0));
    cr_assert(client);
    return client;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static void expect_served(struct client *client)
{
    struct client_reply reply = client_exchange(client, GET("/path/served"));
    cr_expect_str_eq(reply.body, "served", "%s %d", client_end_name(reply.end), reply.status);
    client_reply_free(&reply);
}

/* The next reply has `status` and closes the connection, `ms` after `begin` or later. */
static void expect_timeout(struct client *client, int status, uint64_t begin, uint64_t ms)
{
    struct client_reply reply = client_read(client, false);
    uint64_t took = client_clock_ms() - begin;
    cr_expect_eq(reply.status, status, "%d, %s", reply.status, client_end_name(reply.end));
    cr_expect(reply.closes);
    cr_expect_geq(took + 50, ms, "after %lu ms", (unsigned long)took);
    client_reply_free(&reply);
    enum client_end end = client_await_end(client);
    cr_expect_eq(end, CLIENT_CLOSED, "then %s", client_end_name(end));
}

static void expect_silent_end(struct client *client, uint64_t begin, uint64_t ms)
{
    enum client_end end = client_await_end(client);
    uint64_t took = client_clock_ms() - begin;
    cr_expect_eq(end, CLIENT_CLOSED, "%s: %.*s", client_end_name(end), (int)client->len,
                 client->unread);
    cr_expect_geq(took + 50, ms, "after %lu ms", (unsigned long)took);
}

/* ---- The head */

Test(deadlines, of_the_head_closes_a_connection_without_a_byte_silently)
{
    struct process *server = start_with("SVC_HEADER_TIMEOUT_MS=" HEAD);
    uint64_t begin = client_clock_ms();
    struct client *client = connect_to(server);
    expect_silent_end(client, begin, HEAD_MS);
    client_close(client);
    stop(server);
}

Test(deadlines, of_the_head_answers_408_to_any_part_of_a_head)
{
    static const char *const parts[] = {"G", "GET /hello", "GET /hello HTTP/1.1\r\n",
                                        "GET /hello HTTP/1.1\r\nHost: a\r\nX-", "\r\n"};
    struct process *server = start_with("SVC_HEADER_TIMEOUT_MS=" HEAD);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        uint64_t begin = client_clock_ms();
        struct client *client = connect_to(server);
        client_send_text(client, parts[i]);
        expect_timeout(client, 408, begin, HEAD_MS);
        client_close(client);
    }
    stop(server);
}

static void drip(struct client *client, const char *text)
{
    for (; *text && !client_readable(client, 10); text++)
        if (!client_send(client, text, 1))
            return;
}

Test(deadlines, of_the_head_does_not_move_when_bytes_come)
{
    struct process *server = start_with("SVC_HEADER_TIMEOUT_MS=" HEAD);
    static char endless[2048] = "GET /hello HTTP/1.1\r\nHost: a\r\nX-A: ";
    size_t len = strlen(endless);
    memset(endless + len, 'a', sizeof endless - 1 - len);
    uint64_t begin = client_clock_ms();
    struct client *client = connect_to(server);
    drip(client, endless);
    expect_timeout(client, 408, begin, HEAD_MS);
    client_close(client);
    stop(server);
}

Test(deadlines, of_the_head_answers_408_to_half_a_second_request)
{
    struct process *server = start_with("SVC_HEADER_TIMEOUT_MS=" HEAD);
    static const char *const halves[] = {"G", "GET /hello HTTP/1.1\r\nHo"};
    for (size_t i = 0; i < 2; i++) {
        /* Sent together with the first request. */
        struct client *client = connect_to(server);
        uint64_t begin = client_clock_ms();
        client_printf(client, GET("/hello") "%s", halves[i]);
        struct client_reply reply = client_read(client, false);
        cr_expect_eq(reply.status, 200);
        client_reply_free(&reply);
        expect_timeout(client, 408, begin, HEAD_MS);
        client_close(client);
        /* Sent when the connection has long been idle. */
        client = connect_to(server);
        for (int n = 0; n < 2; n++) {
            expect_served(client);
            cr_expect_not(client_readable(client, 1300 + HEAD_MS), "closed instead of idle");
        }
        begin = client_clock_ms();
        client_send_text(client, halves[i]);
        expect_timeout(client, 408, begin, HEAD_MS);
        client_close(client);
    }
    stop(server);
}

/* Empty lines that are not part of a head (RFC 9112 2.2): old clients send one after a body, and
 * any number may come before a request. The answer to each of these requests is "x". */
#define POST_X "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"
#define POST_X_CHUNKED                                                                             \
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
static const char *const lines_behind[] = {POST_X "\r\n", POST_X_CHUNKED "\r\n", NULL};
static const char *const lines_before[] = {"\r\n" GET("/path/x"), "\r\n\r\n" GET("/path/x"),
                                           "\r\n" POST_X "\r\n", NULL};
enum { MOST_LINES = 3 };

static void expect_x(struct client *client)
{
    struct client_reply reply = client_read(client, false);
    cr_expect_str_eq(reply.body, "x", "%s", client_end_name(reply.end));
    client_reply_free(&reply);
}

/* No bytes come for longer than the header timeout after the check for idleness. */
static void expect_idle(struct client **clients)
{
    uint64_t due = client_clock_ms() + 1300 + HEAD_MS;
    for (; *clients; clients++) {
        uint64_t now = client_clock_ms();
        cr_expect_not(client_readable(*clients, now < due ? (unsigned)(due - now) : 1), "not idle");
    }
}

static void expect_no_head(const char *const *requests)
{
    struct process *server = start_with("SVC_HEADER_TIMEOUT_MS=" HEAD);
    struct client *clients[MOST_LINES + 1] = {NULL};
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; requests[i]; i++) {
            clients[i] = round ? clients[i] : connect_to(server);
            client_send_text(clients[i], requests[i]);
            expect_x(clients[i]);
        }
        expect_idle(clients);
    }
    for (size_t i = 0; clients[i]; i++) {
        expect_served(clients[i]);
        client_close(clients[i]);
    }
    cr_expect_eq(process_count_log(server, "\"status\":408"), 0);
    stop(server);
}

Test(deadlines, of_the_head_do_not_begin_with_an_empty_line_behind_a_body)
{
    expect_no_head(lines_behind);
}

Test(deadlines, of_the_head_do_not_go_on_from_an_empty_line_before_a_request)
{
    expect_no_head(lines_before);
}

Test(deadlines, of_the_head_answers_408_to_a_head_behind_an_empty_line)
{
    static const char half[] = "\r\nGET /hel";
    static const char *const firsts[] = {POST_X, "\r\n" POST_X, GET("/path/x")};
    struct process *server = start_with("SVC_HEADER_TIMEOUT_MS=" HEAD);
    for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++) {
        uint64_t begin = client_clock_ms();
        struct client *client = connect_to(server);
        client_printf(client, "%s%s", firsts[i], half);
        expect_x(client);
        expect_timeout(client, 408, begin, HEAD_MS);
        client_close(client);
    }
    stop(server);
}

Test(deadlines, of_the_head_leaves_a_slow_head_in_time_alone)
{
    struct process *server = start_with(NULL);
    struct client *client = connect_to(server);
    for (int i = 0; i < 3; i++) {
        drip(client, GET("/path/slow"));
        struct client_reply reply = client_read(client, false);
        cr_expect_str_eq(reply.body, "slow");
        client_reply_free(&reply);
    }
    client_close(client);
    stop(server);
}

/* ---- The body */

Test(deadlines, of_the_body_answers_408_to_half_a_body)
{
    static const char *const halves[] = {
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: 1\r\n",
    };
    struct process *server = start_with("SVC_BODY_TIMEOUT_MS=" SHORT);
    for (size_t i = 0; i < sizeof halves / sizeof *halves; i++) {
        uint64_t begin = client_clock_ms();
        struct client *client = connect_to(server);
        client_send_text(client, halves[i]);
        expect_timeout(client, 408, begin, SHORT_MS);
        client_close(client);
    }
    cr_expect_eq(process_count_log(server, "\"status\":200"), 0);
    stop(server);
}

Test(deadlines, of_the_body_does_not_move_when_bytes_come)
{
    struct process *server = start_with("SVC_BODY_TIMEOUT_MS=" SHORT);
    uint64_t begin = client_clock_ms();
    struct client *client = connect_to(server);
    client_send_text(client, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
    static char body[1000];
    memset(body, 'b', sizeof body - 1);
    drip(client, body);
    expect_timeout(client, 408, begin, SHORT_MS);
    client_close(client);
    stop(server);
}

/* A route's deadline applies to the whole request, from head to answer. A slow sender must not
 * raise the count of the service's own errors. */
Test(deadlines, of_a_route_end_the_wait_for_its_body)
{
    enum { ROUTE_MS = 500 };
    static const char *const halves[] = {
        "POST /hurry HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello",
        "POST /hurry HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
    };
    struct process *server = start_with(NULL);
    for (size_t i = 0; i < sizeof halves / sizeof *halves; i++) {
        uint64_t begin = client_clock_ms();
        struct client *client = connect_to(server);
        client_send_text(client, halves[i]);
        expect_timeout(client, 408, begin, ROUTE_MS);
        client_close(client);
    }
    stop(server);
}

/* A refusal that waits for the end of a small body is sent even if the end does not come. */
Test(deadlines, of_the_body_ends_the_wait_for_a_refused_one)
{
    struct process *server = start_with("SVC_BODY_TIMEOUT_MS=" SHORT);
    uint64_t begin = client_clock_ms();
    struct client *client = connect_to(server);
    client_send_text(client, "POST /401 HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
    expect_timeout(client, 401, begin, SHORT_MS);
    client_close(client);
    stop(server);
}

/* ---- The request, while a layer waits */

static struct client_reply ask(struct process *server, const char *request)
{
    struct client *client = connect_to(server);
    struct client_reply reply = client_exchange(client, request);
    client_close(client);
    return reply;
}

/* Sends requests until the server reports `text` of its waiting layers. */
static bool await_waiters(struct process *server, const char *text)
{
    uint64_t due = client_clock_ms() + CLIENT_WAIT_MS;
    bool told = false;
    while (!told && client_clock_ms() < due) {
        struct client_reply reply = ask(server, GET("/waiters"));
        told = strstr(reply.body, text) != NULL;
        client_reply_free(&reply);
    }
    return told;
}

static void release(struct process *server)
{
    struct client_reply reply = ask(server, GET("/release"));
    cr_expect_eq(reply.status, 200);
    client_reply_free(&reply);
}

Test(deadlines, of_a_request_answers_504_and_a_late_resume_harms_nothing)
{
    enum { MANY = 40 };
    struct process *server = start_with("SVC_REQUEST_TIMEOUT_MS=" SHORT);
    struct client *clients[MANY];
    uint64_t begin = client_clock_ms();
    for (size_t i = 0; i < MANY; i++) {
        clients[i] = connect_to(server);
        client_send_text(clients[i], i % 2 ? "POST /wait HTTP/1.1\r\nHost: a\r\n"
                                             "Content-Length: 5\r\n\r\nhello"
                                           : GET("/wait"));
    }
    for (size_t i = 0; i < MANY; i++) {
        struct client_reply reply = client_read(clients[i], false);
        uint64_t took = client_clock_ms() - begin;
        cr_expect_eq(reply.status, 504, "%d", reply.status);
        cr_expect_geq(took + 50, SHORT_MS);
        cr_expect_not(reply.closes);
        client_reply_free(&reply);
    }
    for (size_t i = 0; i < 10 * MANY; i++)
        expect_served(clients[i % MANY]);
    release(server);
    cr_expect(await_waiters(server, "waiting=0 resumed=40 late=40 cancelled=40 damaged=0"));
    for (size_t i = 0; i < MANY; i++) {
        expect_served(clients[i]);
        client_close(clients[i]);
    }
    stop(server);
}

/* ---- The request of a caller that sends a budget */

#define WAIT(field) "GET /wait HTTP/1.1\r\nHost: a\r\n" field "\r\n\r\n"

static void expect_504(struct client *client, const char *request, uint64_t ms)
{
    uint64_t begin = client_clock_ms();
    struct client_reply reply = client_exchange(client, request);
    uint64_t took = client_clock_ms() - begin;
    cr_expect_eq(reply.status, 504, "%d, %s", reply.status, client_end_name(reply.end));
    cr_expect_geq(took + 50, ms, "after %lu ms", (unsigned long)took);
    cr_expect_not(reply.closes);
    client_reply_free(&reply);
    expect_served(client);
}

Test(deadlines, of_a_caller_shorten_those_of_its_request)
{
    struct process *server = start_with(NULL);
    struct client *client = connect_to(server);
    expect_504(client, WAIT("X-Request-Timeout: " SHORT), SHORT_MS);
    expect_504(client, WAIT("grpc-timeout: " SHORT "m"), SHORT_MS);
    expect_504(client, WAIT("X-Request-Timeout: 0"), 0);
    expect_504(client,
               "POST /echo HTTP/1.1\r\nHost: a\r\nX-Request-Timeout: 0\r\n"
               "Content-Length: 5\r\n\r\nhello",
               0);
    release(server);
    cr_expect(await_waiters(server, "waiting=0 resumed=2 late=2 cancelled=2 damaged=0"));
    client_close(client);

    client = connect_to(server);
    uint64_t begin = client_clock_ms();
    client_send_text(client, "POST /echo HTTP/1.1\r\nHost: a\r\nX-Request-Timeout: " SHORT "\r\n"
                             "Content-Length: 10\r\n\r\nhello");
    expect_timeout(client, 408, begin, SHORT_MS);
    client_close(client);
    stop(server);
}

Test(deadlines, of_a_caller_do_not_lengthen_those_of_its_request)
{
    struct process *server = start_with("SVC_REQUEST_TIMEOUT_MS=" SHORT);
    struct client *client = connect_to(server);
    expect_504(client, WAIT("X-Request-Timeout: 60s"), SHORT_MS);
    expect_504(client, WAIT("grpc-timeout: 99999999H"), SHORT_MS);
    expect_504(client, WAIT("X-Request-Timeout: 60 seconds"), SHORT_MS);
    release(server);
    cr_expect(await_waiters(server, "waiting=0 resumed=3 late=3 cancelled=3 damaged=0"));
    client_close(client);
    stop(server);
}

/* The layer's thread resumes the request long after the connection was closed. */
Test(deadlines, of_a_request_and_a_closed_connection_leave_the_layer_its_memory)
{
    struct process *server = start_with("SVC_REQUEST_TIMEOUT_MS=" SHORT);
    for (size_t i = 0; i < 10; i++) {
        struct client *client = connect_to(server);
        client_send_text(client, GET("/wait"));
        cr_expect(client_await_read(client));
        if (i % 2)
            client_reset(client);
        else
            client_close(client);
    }
    cr_expect(process_await_log(server, "\"status\":504", CLIENT_WAIT_MS));
    for (size_t i = 0; i < 50; i++) {
        struct client *client = connect_to(server);
        expect_served(client);
        client_close(client);
    }
    release(server);
    cr_expect(await_waiters(server, "waiting=0 resumed=10"));
    struct client_reply reply = ask(server, GET("/waiters"));
    cr_expect(strstr(reply.body, "damaged=0"), "%s", reply.body);
    client_reply_free(&reply);
    stop(server);
}

Test(deadlines, a_layer_that_resumes_in_time_changes_nothing)
{
    static char body[500000], expected[500000];
    struct process *server = start_with(NULL);
    struct client *client = connect_to(server);
    memset(body, 'w', sizeof body);
    memcpy(expected, body, sizeof body);
    for (size_t i = 0; i < 3; i++) {
        client_send_text(client, GET("/wait"));
        cr_expect(await_waiters(server, "waiting=1 "));
        release(server);
        struct client_reply reply = client_read(client, false);
        cr_expect_str_eq(reply.body, "hello\n");
        client_reply_free(&reply);
        client_printf(client, "POST /wait HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
                      sizeof body);
        client_send(client, body, sizeof body);
        cr_expect(await_waiters(server, "waiting=1 "));
        release(server);
        reply = client_read(client, false);
        cr_expect_eq(reply.body_len, sizeof body, "%zu bytes", reply.body_len);
        cr_expect(reply.body_len == sizeof body && !memcmp(reply.body, expected, sizeof body));
        client_reply_free(&reply);
    }
    client_close(client);
    stop(server);
}

Test(deadlines, a_layer_that_waits_can_see_that_its_client_has_left)
{
    struct process *server = start_with(NULL);
    for (int way = 0; way < 3; way++) {
        struct client *client = connect_to(server);
        client_send_text(client, GET("/wait"));
        cr_expect(await_waiters(server, "waiting=1 "));
        if (way == 0)
            client_close(client);
        else if (way == 1)
            client_reset(client);
        else
            client_finish_sending(client);
        cr_expect(await_waiters(server, " left=1"), "way %d", way);
        release(server);
        if (way == 2) { /* half-closed: an answer may still come, and the connection ends */
            struct client_reply reply = client_read(client, false);
            cr_expect(reply.end == CLIENT_CLOSED || !strcmp(reply.body, "hello\n"), "%s",
                      client_end_name(reply.end));
            client_reply_free(&reply);
            client_close(client);
        }
        cr_expect(await_waiters(server, "waiting=0 "));
    }
    stop(server);
}

/* ---- Between requests */

/* Uses a connection again and again, `pause_ms` after its last answer, and then no more. False if
 * it was used too late, so that it may have been closed. */
static bool close_idle(const char *setting, unsigned pause_ms, uint64_t idle_ms, int times)
{
    struct process *server = start_with(setting);
    struct client *client = connect_to(server);
    uint64_t begin = client_clock_ms();
    bool in_time = true;
    expect_served(client);
    for (int i = 0; i < times && in_time; i++) {
        bool closed = client_readable(client, pause_ms);
        uint64_t again = client_clock_ms();
        struct client_reply reply = client_exchange(client, GET("/path/again"));
        in_time = client_clock_ms() < begin + idle_ms;
        cr_expect(!in_time || (!closed && !strcmp(reply.body, "again")), "closed too early");
        client_reply_free(&reply);
        begin = again;
    }
    if (in_time)
        expect_silent_end(client, begin, idle_ms);
    client_close(client);
    stop(server);
    return in_time;
}

static bool close_idle_soon(void)
{
    return close_idle("SVC_IDLE_TIMEOUT_MS=" SHORT, SHORT_MS / 2, SHORT_MS, 3);
}

static bool close_idle_after_a_look(void)
{
    return close_idle("SVC_IDLE_TIMEOUT_MS=2500", 1500, 2500, 1);
}

Test(deadlines, of_idleness_closes_silently)
{
    expect_in_time(close_idle_soon);
}

Test(deadlines, of_idleness_count_from_the_last_answer_after_more_than_a_second)
{
    expect_in_time(close_idle_after_a_look);
}

/* The count of bytes does not include the body's framing. */
Test(deadlines, of_idleness_closes_silently_behind_chunks)
{
    struct process *server = start_with("SVC_IDLE_TIMEOUT_MS=" SHORT);
    struct client *client = connect_to(server);
    uint64_t begin = client_clock_ms();
    client_send_text(client, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "5;x=y\r\nhello\r\n0\r\n\r\n");
    struct client_reply reply = client_read(client, false);
    cr_expect_str_eq(reply.body, "hello");
    client_reply_free(&reply);
    expect_silent_end(client, begin, SHORT_MS);
    client_close(client);
    stop(server);
}

/* ---- The answer */

enum { ANSWER = 4000000, PIECE = 200000 };

/* Reads an answer in pieces, with a pause before each, in more than twice the time that the server
 * waits for progress. Measures the longest time between two pieces. */
static size_t read_slowly(struct client *client, int pause_ms, uint64_t *longest_ms)
{
    static char piece[PIECE];
    size_t all = 0;
    long n = 1;
    uint64_t last = client_clock_ms();
    while (all < ANSWER && n > 0) {
        struct pollfd nothing = {.fd = -1};
        poll(&nothing, 1, pause_ms);
        for (size_t got = 0; got < PIECE && all < ANSWER; got += (size_t)n, all += (size_t)n)
            if ((n = client_receive(client, piece, PIECE - got)) <= 0)
                break;
        uint64_t now = client_clock_ms();
        *longest_ms = now - last > *longest_ms ? now - last : *longest_ms;
        last = now;
    }
    return all;
}

static const char *slow_listen;

/* False if the reader was cut, and this may be because it or the server was delayed for too long.
 */
static bool read_slowly_there(void)
{
    enum { PAUSE_MS = 80 };
    static const char *const targets[] = {"/large?bytes=4000000", "/stream?known&bytes=4000000"};
    struct process *server = start(slow_listen, "SVC_SEND_TIMEOUT_MS=" SHORT);
    uint64_t longest_ms = 0;
    bool whole = true;
    for (size_t i = 0; i < 2 && whole; i++) {
        struct client *client = client_connect_slow(process_address(server, 0), 65536);
        cr_assert(client);
        client_printf(client, GET("%s"), targets[i]);
        uint64_t begin = client_clock_ms();
        size_t n = read_slowly(client, PAUSE_MS, &longest_ms);
        whole = n == ANSWER;
        cr_expect(whole || longest_ms >= 2 * PAUSE_MS, "%s: %zu bytes", targets[i], n);
        cr_expect(!whole || client_clock_ms() - begin > 3 * SHORT_MS);
        client_close(client);
    }
    cr_expect(!whole || process_count_log(server, "timed out") == 0);
    stop(server);
    return whole;
}

static void expect_slow_reader_kept(const char *listen)
{
    slow_listen = listen;
    expect_in_time(read_slowly_there);
}

Test(deadlines, of_sending_leaves_a_slow_reader_alone)
{
    expect_slow_reader_kept("SVC_LISTEN=127.0.0.1:0");
}

/* A path for a socket of this test process. */
static const char *socket_setting(const char *name)
{
    static char setting[128];
    snprintf(setting, sizeof setting, "SVC_LISTEN=unix:/tmp/svc-%s-%d.sock", name, (int)getpid());
    return setting;
}

Test(deadlines, of_sending_leaves_a_slow_reader_of_a_unix_socket_alone)
{
    expect_slow_reader_kept(socket_setting("slow"));
}

static void expect_stalled_reader_cut(const char *listen)
{
    struct process *server = start(listen, "SVC_SEND_TIMEOUT_MS=" SHORT);
    struct client *client = client_connect_slow(process_address(server, 0), 65536);
    cr_assert(client);
    client_send_text(client, GET("/large?bytes=40000000"));
    cr_expect(process_await_log(server, "\"end\":\"timed out\"", CLIENT_WAIT_MS));
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.end, CLIENT_CUT, "%s", client_end_name(reply.end));
    client_reply_free(&reply);
    client_close(client);
    stop(server);
}

Test(deadlines, of_sending_cuts_a_reader_that_has_stopped)
{
    expect_stalled_reader_cut("SVC_LISTEN=127.0.0.1:0");
}

Test(deadlines, of_sending_cuts_a_reader_of_a_unix_socket_that_has_stopped)
{
    expect_stalled_reader_cut(socket_setting("stalled"));
}

/* ---- Idle connections give memory back only if it is proven to be their own */

/* Many connections, so that the memory after one connection's belongs to another. */
static void expect_memory_kept(const char *listen, const char *lines)
{
    enum { CLIENTS = 32 };
    struct process *server = start(listen, "SVC_THREADS=1");
    struct client *clients[CLIENTS];
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < CLIENTS; i++) {
            if (round == 0)
                clients[i] = client_connect(process_address(server, 0));
            cr_assert(clients[i]);
            client_send_text(clients[i], lines);
            expect_served(clients[i]);
        }
        for (size_t i = 0; i < CLIENTS; i++)
            cr_expect_not(client_readable(clients[i], i ? 1 : 1300), "closed instead of idle");
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        expect_served(clients[i]);
        client_close(clients[i]);
    }
    stop(server);
}

/* Lines that are skipped before a request, by libmicrohttpd without a limit: their length is a
 * multiple of the memory's alignment, or not. */
static void expect_memory_kept_by_lines(const char *listen)
{
    static const size_t counts[] = {0, 1, 8, 500, 2048};
    size_t allowed = process_front_is_native() ? 3 : sizeof counts / sizeof *counts;
    for (size_t i = 0; i < allowed; i++) {
        char lines[2 * 2048 + 1] = "";
        for (size_t line = 0; line < counts[i]; line++)
            strcpy(lines + 2 * line, "\r\n");
        expect_memory_kept(listen, lines);
    }
}

Test(deadlines, of_idleness_leave_memory_alone_behind_empty_lines)
{
    expect_memory_kept_by_lines("SVC_LISTEN=127.0.0.1:0");
}

Test(deadlines, of_idleness_leave_memory_alone_behind_empty_lines_on_unix_sockets)
{
    expect_memory_kept_by_lines(socket_setting("lines"));
}

Test(deadlines, of_idleness_leave_memory_alone_where_the_kernel_counts_no_bytes)
{
    setenv("WIRE_SHORT_TCP_INFO", "1", 1);
    expect_memory_kept_by_lines("SVC_LISTEN=127.0.0.1:0");
}

Test(deadlines, of_sending_spare_a_slow_reader_where_the_kernel_counts_no_bytes)
{
    setenv("WIRE_SHORT_TCP_INFO", "1", 1);
    expect_slow_reader_kept("SVC_LISTEN=127.0.0.1:0");
}

/* ---- Other sockets */

Test(deadlines, hold_on_unix_sockets_and_IPv6_which_serve_as_well)
{
    char listen[256];
    snprintf(listen, sizeof listen, "%s,[::1]:0,127.0.0.1:0", socket_setting("peers"));
    struct process *server = start(listen, "SVC_HEADER_TIMEOUT_MS=" HEAD);
    static const char *const peers[] = {"unix", "::1", "127.0.0.1"};
    for (size_t i = 0; i < 3; i++) {
        uint64_t begin = client_clock_ms();
        struct client *silent = client_connect(process_address(server, i));
        struct client *slow = client_connect(process_address(server, i));
        struct client *client = client_connect(process_address(server, i));
        cr_assert(silent && slow && client);
        client_send_text(slow, "GET /peer HT");
        for (int request = 0; request < 3; request++) {
            struct client_reply reply = client_exchange(client, GET("/peer"));
            cr_expect_str_eq(reply.body, peers[i]);
            client_reply_free(&reply);
        }
        /* Half a head on a unix socket looks like idleness, but not to who reads it. */
        if (i == 0 && !process_front_is_native())
            expect_silent_end(slow, begin, HEAD_MS);
        else
            expect_timeout(slow, 408, begin, HEAD_MS);
        expect_silent_end(silent, begin, HEAD_MS);
        expect_served(client);
        client_close(silent);
        client_close(slow);
        client_close(client);
    }
    stop(server);
    cr_expect(access(listen + strlen("SVC_LISTEN=unix:"), F_OK));
}
