/* Concurrency limits on the wire: refused requests, requests that are never refused, and no lost
 * permit. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/process.h"

enum { LIMIT = 4 };

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_CRITICAL(path) "GET " path " HTTP/1.1\r\nHost: a\r\nClass: critical\r\n\r\n"

/* A request whose deadline passes before it has a worker gets a 503, so there are enough workers.
 */
static void start(void)
{
    static const char *const settings[] = {"SVC_THREADS=2", "SVC_WORKERS_MIN=16", NULL};
    serve("server_overload", settings);
}

TestSuite(overload, .init = start, .fini = serve_no_more);

static struct client *connect_and_send(const char *request)
{
    struct client *client = client_connect(process_address(server, 0));
    cr_assert(client);
    if (request)
        cr_assert(client_send_text(client, request));
    return client;
}

static int reply_status(struct client *client)
{
    struct client_reply reply = client_read(client, false);
    int status = reply.status;
    cr_expect_eq(reply.end, CLIENT_REPLY, "%s", client_end_name(reply.end));
    client_reply_free(&reply);
    return status;
}

static void expect_reply(struct client *client, int status)
{
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.end, CLIENT_REPLY, "%s", client_end_name(reply.end));
    cr_expect_eq(reply.status, status, "%d in place of %d: %s", reply.status, status, reply.body);
    cr_expect_not(reply.closes);
    client_reply_free(&reply);
}

static void expect_status(const char *request, int status)
{
    struct client *client = connect_and_send(request);
    expect_reply(client, status);
    client_close(client);
}

static void await_in_flight(long count)
{
    cr_expect(client_await_metric(process_admin(server), "svc_concurrency_in_flight", count));
}

static long shed(const char *reason)
{
    char name[64] = "svc_requests_shed_total{";
    strcat(name, reason);
    return client_metric(process_admin(server), name);
}

/* Requests that are in flight until they are released. */
static void hold_all_by(const char *request, struct client *clients[LIMIT])
{
    for (size_t i = 0; i < LIMIT; i++)
        clients[i] = connect_and_send(request);
    await_in_flight(LIMIT);
}

static void hold_all(struct client *clients[LIMIT])
{
    hold_all_by(GET("/limited/hold"), clients);
}

static void release_all(struct client *clients[LIMIT])
{
    expect_status(GET("/release"), 204);
    for (size_t i = 0; i < LIMIT; i++) {
        if (clients[i])
            expect_reply(clients[i], 200);
        client_close(clients[i]);
    }
    await_in_flight(0);
}

/* Exactly as many requests as the limit pass. */
static void expect_whole_limit(void)
{
    struct client *clients[LIMIT];
    hold_all(clients);
    expect_status(GET("/limited/pass"), 503);
    release_all(clients);
    expect_status(GET("/limited/pass"), 200);
}

Test(overload, what_is_over_the_limit_is_refused_at_once_and_keeps_its_connection)
{
    struct client *clients[LIMIT];
    hold_all(clients);
    struct client *refused = connect_and_send(NULL);
    for (int i = 0; i < 100; i++) {
        struct client_reply reply = client_exchange(refused, GET("/limited/pass"));
        char value[16];
        cr_assert_eq(reply.status, 503, "%s", client_end_name(reply.end));
        cr_expect_not(reply.closes);
        cr_expect(client_reply_field(&reply, "Retry-After", value, sizeof value));
        cr_expect_str_eq(value, "1");
        cr_expect(strstr(reply.body, "\"status\":503"), "%s", reply.body);
        client_reply_free(&reply);
    }
    cr_expect_eq(shed("concurrency"), 100);
    cr_expect_eq(shed("loop_wait"), 0);
    cr_expect_eq(client_metric(process_admin(server), "svc_concurrency_limit"), 2 * LIMIT,
                 "of two limits");
    release_all(clients);
    cr_expect(client_send_text(refused, GET("/limited/pass")));
    expect_reply(refused, 200);
    client_close(refused);
}

Test(overload, requests_on_workers_are_in_flight)
{
    struct client *clients[LIMIT];
    hold_all_by(GET("/limited/work"), clients);
    expect_status(GET("/limited/work"), 503);
    expect_status(GET("/limited/pass"), 503);
    release_all(clients);
    expect_status(GET("/limited/pass"), 200);
}

Test(overload, a_limit_behind_a_layer_that_blocks_counts_as_well)
{
    struct client *clients[LIMIT];
    for (int round = 0; round < 3; round++) {
        hold_all_by(GET("/behind/hold"), clients);
        expect_status(GET("/behind/pass"), 503);
        release_all(clients);
        expect_status(GET("/behind/pass"), 200);
    }
}

Test(overload, other_routes_and_the_admin_pages_are_not_refused)
{
    struct client *clients[LIMIT];
    hold_all(clients);
    expect_status(GET("/free"), 200);
    expect_status(GET("/none"), 404);
    struct client *admin = client_connect(process_admin(server));
    cr_assert(admin);
    static const char *const pages[] = {GET("/readyz"), GET("/livez"), GET("/metrics")};
    for (size_t i = 0; i < 3; i++) {
        struct client_reply reply = client_exchange(admin, pages[i]);
        cr_expect_eq(reply.status, 200, "%s: %d", pages[i], reply.status);
        client_reply_free(&reply);
    }
    client_close(admin);
    release_all(clients);
    cr_expect_eq(shed(""), 0);
}

Test(overload, the_critical_have_a_reserve)
{
    struct client *clients[LIMIT];
    hold_all(clients);
    struct client *critical = connect_and_send(GET_CRITICAL("/limited/hold"));
    await_in_flight(LIMIT + 1);
    expect_status(GET_CRITICAL("/limited/pass"), 503);
    expect_status(GET("/limited/pass"), 503);
    expect_status(GET("/release"), 204);
    expect_reply(critical, 200);
    client_close(critical);
    release_all(clients);
}

/* Only the head is sent: an answer must come without a 100 and without a byte of the body. */
Test(overload, a_refusal_comes_before_the_body)
{
    static const char *const heads[] = {
        "Content-Length: 5\r\nExpect: 100-continue\r\n",
        "Content-Length: 900000\r\nExpect: 100-continue\r\n",
        "Content-Length: 900000\r\n",
        "Transfer-Encoding: chunked\r\n",
    };
    struct client *clients[LIMIT];
    hold_all(clients);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct client *client = connect_and_send(NULL);
        client_printf(client, "GET /limited/pass HTTP/1.1\r\nHost: a\r\n%s\r\n", heads[i]);
        struct client_reply reply = client_read(client, false);
        cr_expect_eq(reply.status, 503, "%d to %s", reply.status, heads[i]);
        cr_expect_eq(reply.interim, 0, "asked for the body of %s", heads[i]);
        client_reply_free(&reply);
        client_close(client);
    }
    release_all(clients);
}

/* ---- No permit is lost */

static void expect_back_from_who_left(const char *request)
{
    for (int round = 0; round < 5; round++) {
        struct client *clients[LIMIT];
        hold_all_by(request, clients);
        client_reset(clients[0]);
        client_close(clients[1]);
        clients[0] = clients[1] = NULL;
        release_all(clients);
    }
    expect_whole_limit();
}

Test(overload, clients_that_leave_give_their_permits_back)
{
    expect_back_from_who_left(GET("/limited/hold"));
}

Test(overload, clients_that_leave_a_worker_give_their_permits_back)
{
    expect_back_from_who_left(GET("/limited/work"));
    expect_back_from_who_left(GET("/behind/hold"));
}

static void expect_back_from_what_expired(const char *request)
{
    cr_expect(client_await_metric(process_admin(server), "svc_workers_busy", 0));
    for (int round = 0; round < 3; round++) {
        struct client *clients[LIMIT];
        for (size_t i = 0; i < LIMIT; i++)
            clients[i] = connect_and_send(request);
        for (size_t i = 0; i < LIMIT; i++) {
            expect_reply(clients[i], 504);
            client_close(clients[i]);
        }
        await_in_flight(0);
    }
    expect_status(GET("/release"), 204);
    expect_whole_limit();
}

Test(overload, deadlines_that_pass_give_their_permits_back)
{
    expect_back_from_what_expired(GET("/limited/expire"));
}

Test(overload, deadlines_that_pass_on_a_worker_give_their_permits_back)
{
    expect_back_from_what_expired(GET("/limited/work-expire"));
}

Test(overload, heads_and_bodies_that_stop_in_the_middle_give_their_permits_back)
{
    static const char *const halves[] = {
        "GET /limited/pass HTTP/1.1\r\nHost", "GET /limited/pa",
        "GET /limited/pass HTTP/1.1\r\nHost: a\r\nContent-Length: 30000\r\n\r\nabc",
        "GET /limited/pass HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
        "GET /limited/pass HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"};
    for (size_t i = 0; i < sizeof halves / sizeof *halves; i++) {
        struct client *clients[2 * LIMIT];
        for (size_t c = 0; c < 2 * LIMIT; c++) {
            clients[c] = connect_and_send(halves[i]);
            cr_expect(client_await_read(clients[c]));
        }
        for (size_t c = 0; c < 2 * LIMIT; c++)
            client_close(clients[c]);
        await_in_flight(0);
    }
    expect_whole_limit();
}

/* ---- The queue of a loop */

static void start_one_loop(void)
{
    static const char *const settings[] = {"SVC_THREADS=1", NULL};
    serve("server_overload", settings);
}

/* A request that arrives while a handler holds the loop has waited for that time in its turn. */
Test(overload, what_has_waited_too_long_for_its_loop_is_refused, .init = start_one_loop)
{
    enum { CLIENTS = 20 };
    struct client *clients[CLIENTS];
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = connect_and_send(GET("/queue/pass"));
        expect_reply(clients[i], 200);
    }
    struct client *first = connect_and_send(GET("/queue/spin"));
    cr_assert(process_await_log(server, "spinning", PROCESS_WAIT_MS));
    for (size_t i = 0; i < CLIENTS; i++)
        cr_assert(client_send_text(clients[i], i ? GET("/queue/pass") : GET("/free")));
    cr_assert(process_tell(server, "."));
    expect_reply(first, 200);
    long served = 0;
    for (size_t i = 0; i < CLIENTS; i++)
        served += reply_status(clients[i]) == 200;
    for (size_t i = 0; i < CLIENTS; i++)
        client_close(clients[i]);
    client_close(first);
    cr_expect_eq(served, 2, "what has no limit, and the first of the others: %ld", served);
    cr_expect_eq(shed("loop_wait"), CLIENTS - 2);
    cr_expect_eq(shed("concurrency"), 0);
    expect_status(GET("/queue/pass"), 200);
    await_in_flight(0);
}

/* A long turn alone is no queue: a request that comes right after it is served. */
Test(overload, a_slow_answer_does_not_make_the_next_one_late, .init = start_one_loop)
{
    struct client *client = connect_and_send(NULL);
    cr_assert(process_tell(server, "..."));
    for (int i = 0; i < 3; i++) {
        cr_assert(client_send_text(client, GET("/queue/spin")));
        expect_reply(client, 200);
    }
    cr_expect_eq(shed(""), 0);
    client_close(client);
}
