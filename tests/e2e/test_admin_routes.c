/* Routes of a program's own on the admin listener: whatever they do, the library's pages answer. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/served.h"
#include "tests/support/life.h"

/* Workers and connections of the program's admin routes: svc_app_admin. */
enum { WORKERS = 16, CONNECTIONS = 256 };

static void start(void)
{
    serve("server_admin", NULL);
}

TestSuite(admin_routes, .init = start);

static void restart(const char *const *settings)
{
    serve_no_more();
    serve("server_admin", settings);
}

static struct client *ask_at(const char *address, const char *target)
{
    struct client *client = client_connect(address);
    cr_assert(client);
    client_printf(client, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", target);
    return client;
}

static struct client *ask(const char *target)
{
    return ask_at(process_admin(server), target);
}

/* Reads the answer and closes the connection. */
static void expect_answer(struct client *client, int status, const char *body)
{
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, status, "%d %s", reply.status, client_end_name(reply.end));
    if (body)
        cr_expect_str_eq(reply.body, body);
    client_reply_free(&reply);
    client_close(client);
}

static void expect(const char *target, int status, const char *body)
{
    expect_answer(ask(target), status, body);
}

/* The pages of the library, one by one. */
static void expect_pages(void)
{
    expect("/livez", 200, "ok\n");
    expect("/readyz", 200, "ready\n");
    expect("/metrics", 200, NULL);
}

/* Asks for what blocks, and returns when so many do. */
static struct client *block(const char *address, const char *target, int number)
{
    char line[32];
    struct client *client = ask_at(address, target);
    snprintf(line, sizeof line, "\"number\":%d", number);
    cr_assert(process_await_log(server, line, PROCESS_WAIT_MS));
    return client;
}

static void unblock(size_t count)
{
    cr_assert(life_unblock(server, count));
}

/* ---- Replies */

static struct client_reply reply_to(const char *target)
{
    struct client *client = ask(target);
    struct client_reply reply = client_read(client, false);
    client_close(client);
    return reply;
}

static void expect_field(const char *target, const char *name, const char *value)
{
    char found[64] = "";
    struct client_reply reply = reply_to(target);
    client_reply_field(&reply, name, found, sizeof found);
    cr_expect_str_eq(found, value, "%s of %s", name, target);
    client_reply_free(&reply);
}

Test(admin_routes, no_cache_stores_what_does_not_say_so_itself)
{
    static const char *const targets[] = {"/livez",   "/readyz", "/metrics",       "/hello/ada",
                                          "/nothing", "/echo",   "/worker/hello/b"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        expect_field(targets[i], "Cache-Control", "no-store");
    expect_field("/cached", "Cache-Control", "max-age=5");
    serve_no_more();
}

Test(admin_routes, a_connection_serves_one_request)
{
    static const char *const targets[] = {"/livez", "/hello/ada"};
    for (size_t i = 0; i < 2; i++) {
        struct client *client = client_connect(process_admin(server));
        cr_assert(client);
        client_printf(client,
                      "GET %s HTTP/1.1\r\nHost: a\r\n\r\n"
                      "GET %s HTTP/1.1\r\nHost: a\r\n\r\n",
                      targets[i], targets[1 - i]);
        struct client_reply reply = client_read(client, false);
        cr_expect_eq(reply.status, 200, "%s", targets[i]);
        cr_expect(reply.closes, "%s", targets[i]);
        cr_expect_eq(client_await_end(client), CLIENT_CLOSED, "%s", targets[i]);
        client_reply_free(&reply);
        client_close(client);
    }
    serve_no_more();
}

Test(admin_routes, a_head_in_pieces_and_a_body_arrive)
{
    enum { BODY = 200000 };
    struct client *client = client_connect(process_admin(server));
    char head[128], *body = malloc(BODY);
    cr_assert(client && body);
    for (size_t i = 0; i < BODY; i++)
        body[i] = (char)('a' + i % 26);
    snprintf(head, sizeof head, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n",
             BODY);
    cr_assert(client_send_bytes(client, head, strlen(head)));
    cr_assert(client_send(client, body, BODY));
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, 200, "%s", client_end_name(reply.end));
    cr_expect_eq(reply.body_len, BODY);
    cr_expect(reply.body_len == BODY && !memcmp(reply.body, body, BODY));
    client_reply_free(&reply);
    client_close(client);
    free(body);
    serve_no_more();
}

Test(admin_routes, pages_and_routes_each_have_their_paths)
{
    static const struct {
        const char *line, *status;
    } requests[] = {
        {"GET /livez?probe=1", "200"},
        {"GET /%6cive%7a", "200"},
        {"GET http://a/livez", "200"},
        {"HEAD /livez", "200"},
        {"POST /livez", "405"},
        {"OPTIONS /livez", "204"},
        {"OPTIONS *", "200"},
        {"GET /livez/", "404"},
        {"GET //hello/ada", "308"},
        {"GET http://a/hello/ada", "200"},
        {"GET /hello/ada?x=%zz", "400"},
        {"GET /hello/%00", "400"},
        {"GET /inner/hello/ada", "200"},
        {"GET /inner/nothing", "404"},
        {"POST /hello/ada", "405"},
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct client *client = client_connect(process_admin(server));
        cr_assert(client);
        client_printf(client, "%s HTTP/1.1\r\nHost: a\r\n\r\n", requests[i].line);
        struct client_reply reply = client_read(client, !strncmp(requests[i].line, "HEAD", 4));
        cr_expect_eq(reply.status, atoi(requests[i].status), "%s: %d %s", requests[i].line,
                     reply.status, client_end_name(reply.end));
        client_reply_free(&reply);
        client_close(client);
    }
    expect_answer(ask_at(process_address(server, 0), "/worker/hello/ada"), 404, NULL);
    expect_answer(ask_at(process_address(server, 0), "/inner/hello/ada"), 200, "hello");
    serve_no_more();
}

Test(admin_routes, they_are_counted_and_logged_apart_from_the_service)
{
    const char *admin = process_admin(server);
    for (int i = 0; i < 3; i++)
        expect("/hello/ada", 200, "hello");
    expect("/nothing", 404, NULL);
#define REQUESTS "http_server_request_duration_seconds_count"
    cr_expect(client_await_metric(admin, "svc_admin_" REQUESTS "{status_code=\"2", 3));
    cr_expect(client_await_metric(admin, "svc_admin_" REQUESTS "{status_code=\"4", 1));
    cr_expect(client_await_metric(admin, "svc_connections{listener=\"admin\"", 1),
              "but for the one that reads this");
    cr_expect_eq(client_metric(admin, REQUESTS), -1, "none of the service");
    cr_expect_eq(client_metric(admin, "svc_connections_accepted_total{listener=\"service\""), 0);
    cr_expect_eq(client_metric(admin, "svc_admin_workers"), 0);
    cr_expect(process_await_lines(server, "\"module\":\"admin\"", 4, PROCESS_WAIT_MS));
    cr_expect_eq(process_count_log(server, "\"module\":\"access\""), 0);

    static const char *const quiet[] = {"SVC_LOG_LEVELS=admin=warn", NULL};
    restart(quiet);
    expect("/hello/ada", 200, "hello");
    expect_answer(ask_at(process_address(server, 0), "/hello/ada"), 200, "hello");
    cr_expect(process_await_log(server, "\"module\":\"access\"", PROCESS_WAIT_MS));
    serve_no_more();
}

Test(admin_routes, without_an_admin_listener_the_service_starts_and_says_so)
{
    static const char *const settings[] = {"SVC_ADMIN_LISTEN=", NULL};
    restart(settings);
    cr_expect(process_await_log(server, "admin routes are not served", PROCESS_WAIT_MS));
    expect_answer(ask_at(process_address(server, 0), "/hello/ada"), 200, "hello");
    serve_no_more();
}

/* ---- What hangs */

Test(admin_routes, pages_answer_while_every_thread_of_the_routes_hangs)
{
    static const char *const settings[] = {"SVC_WORKER_QUEUE=0", "SVC_DEBUG_PAGES=on", NULL};
    struct client *blocked[WORKERS];
    restart(settings);
    for (int i = 0; i < WORKERS; i++)
        blocked[i] = block(process_admin(server), "/worker/block", i + 1);
    expect_pages();
    expect("/hello/ada", 200, "hello"); /* by the loop, which waits for no worker */
    expect("/worker/hello/ada", 503, NULL);

    struct client *loop = block(process_admin(server), "/block", WORKERS + 1);
    struct client *waiting = ask("/hello/ada");
    expect_pages();
    expect_answer(ask_at(process_address(server, 0), "/hello/ada"), 200, "hello");
    expect("/debug/", 200, NULL);
    expect("/debug/vars", 200, NULL);
    cr_expect_not(client_readable(waiting, 1), "a loop is left");

    unblock(WORKERS + 1);
    for (int i = 0; i < WORKERS; i++)
        expect_answer(blocked[i], 200, "unblocked");
    expect_answer(loop, 200, "unblocked");
    expect_answer(waiting, 200, "hello");
    serve_no_more();
}

Test(admin_routes, pages_answer_while_a_route_computes)
{
    struct client *client = ask("/compute");
    cr_assert(process_await_log(server, "computing", PROCESS_WAIT_MS));
    expect_pages();
    unblock(1);
    expect_answer(client, 200, "unblocked");
    serve_no_more();
}

Test(admin_routes, routes_answer_while_the_service_hangs)
{
    static const char *const settings[] = {"SVC_THREADS=1", NULL};
    restart(settings);
    struct client *client = block(process_address(server, 0), "/block", 1);
    expect("/hello/ada", 200, "hello");
    expect("/worker/hello/ada", 200, "hello");
    unblock(1);
    expect_answer(client, 200, "unblocked");
    serve_no_more();
}

Test(admin_routes, those_that_hang_hold_so_many_connections_and_no_more)
{
    struct client *waiting[CONNECTIONS];
    waiting[0] = block(process_admin(server), "/block", 1);
    for (size_t i = 1; i < CONNECTIONS; i++)
        waiting[i] = ask("/hello/ada");
    cr_expect(client_await_metric(process_admin(server), "svc_connections{listener=\"admin\"",
                                  CONNECTIONS + 1),
              "and the one that reads this");
    expect("/hello/ada", 503, NULL);
    expect_pages();
    unblock(1);
    expect_answer(waiting[0], 200, "unblocked");
    for (size_t i = 1; i < CONNECTIONS; i++)
        expect_answer(waiting[i], 200, "hello");
    serve_no_more();
}

/* ---- The stop */

static void stop(void)
{
    cr_assert(process_signal(server, SIGTERM));
    cr_assert(process_await_log(server, "\"draining\"", PROCESS_WAIT_MS));
}

Test(admin_routes, a_stop_waits_for_a_request)
{
    static const char *const settings[] = {"SVC_DRAIN_TIMEOUT_MS=3600000", NULL};
    restart(settings);
    struct client *loop = block(process_admin(server), "/worker/block", 1);
    stop();
    cr_assert(client_await_refusal(process_address(server, 0)));
    expect("/livez", 200, "ok\n");
    expect("/readyz", 503, "draining\nnot ready\n");
    unblock(1);
    expect_answer(loop, 200, "unblocked");
    await_exit(0);
}

Test(admin_routes, a_stop_ends_a_stream_that_looks_for_it)
{
    struct client *client = ask("/events");
    cr_assert(client_readable(client, CLIENT_WAIT_MS));
    stop();
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.end, CLIENT_REPLY, "%s", client_end_name(reply.end));
    client_reply_free(&reply);
    client_close(client);
    await_exit(0);
}

static void stop_by_force(const char *target)
{
    static const char *const settings[] = {"SVC_DRAIN_TIMEOUT_MS=50", NULL};
    restart(settings);
    struct client *client = block(process_admin(server), target, 1);
    stop();
    await_exit(3);
    client_close(client);
}

Test(admin_routes, a_loop_that_hangs_makes_a_stop_a_forced_one_at_its_deadline)
{
    stop_by_force("/block");
}

Test(admin_routes, a_worker_that_hangs_makes_a_stop_a_forced_one_at_its_deadline)
{
    stop_by_force("/worker/block");
}
