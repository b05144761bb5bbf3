/* Over its limits the server answers each client that it cannot serve, and recovers. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/client.h"
#include "tests/support/process.h"

enum { LIMIT = 10 };

static const char request[] = "GET /path/served HTTP/1.1\r\nHost: a\r\n\r\n";

static struct process *start_with(const char *const *settings)
{
    struct process *server = process_start(process_program("server_wire"), settings, NULL);
    cr_assert(server);
    return server;
}

static struct process *start(const char *setting)
{
    const char *const settings[] = {setting, NULL};
    return start_with(settings);
}

static void stop(struct process *server)
{
    cr_expect_eq(process_stop(server), 0, "the server ends badly");
    process_free(server);
}

static bool served(struct client *client)
{
    struct client_reply reply = client_exchange(client, request);
    bool good = reply.status == 200 && !strcmp(reply.body, "served");
    client_reply_free(&reply);
    return good;
}

/* Connections that the server has accepted: each has been answered. */
static void fill(struct process *server, struct client **clients, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        clients[i] = client_connect(process_address(server, 0));
        cr_assert(clients[i]);
        cr_assert(served(clients[i]), "connection %zu", i);
    }
}

/* Connects until a new connection is served. */
static bool recovers(struct process *server)
{
    uint64_t due = client_clock_ms() + CLIENT_WAIT_MS;
    bool good = false;
    while (!good && client_clock_ms() < due) {
        struct client *client = client_connect(process_address(server, 0));
        good = client && served(client);
        client_close(client);
    }
    return good;
}

static void expect_refused(struct client *client, int status, size_t i)
{
    char after[16] = "", member[32];
    snprintf(member, sizeof member, "\"status\":%d", status);
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, status, "%zu: %d, %s", i, reply.status, client_end_name(reply.end));
    cr_expect(reply.closes);
    cr_expect(client_reply_field(&reply, "Retry-After", after, sizeof after));
    cr_expect(strstr(reply.body, member), "%s", reply.body);
    client_reply_free(&reply);
    cr_expect_eq(client_await_end(client), CLIENT_CLOSED);
}

Test(limits, a_connection_too_many_is_told_so)
{
    struct process *server = start("SVC_MAX_CONNECTIONS=10");
    struct client *taken[LIMIT];
    fill(server, taken, LIMIT);
    for (size_t i = 0; i < 100; i++) {
        struct client *client = client_connect(process_address(server, 0));
        cr_assert(client);
        if (i % 2)
            client_send_text(client, request);
        expect_refused(client, 503, i);
        client_close(client);
    }
    cr_expect_eq(client_metric(process_admin(server), "svc_connections_refused_total{listener="
                                                      "\"service\",reason=\"max_connections\"}"),
                 100);
    for (size_t i = 0; i < LIMIT; i++)
        cr_expect(served(taken[i]), "a connection within the limit is lost");
    client_close(taken[0]);
    cr_expect(recovers(server));
    for (size_t i = 1; i < LIMIT; i++)
        client_close(taken[i]);
    stop(server);
}

/* Bytes that it sends after the refusal must not destroy the refusal. */
Test(limits, a_connection_too_many_may_send_what_it_likes)
{
    enum { BODY = 10000000, RUNS = 20 };
    struct process *server = start("SVC_MAX_CONNECTIONS=10");
    struct client *taken[LIMIT];
    char *body = calloc(1, BODY);
    cr_assert(body);
    fill(server, taken, LIMIT);
    for (size_t i = 0; i < RUNS; i++) {
        struct client *client = client_connect(process_address(server, 0));
        cr_assert(client);
        client_printf(client, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", BODY);
        cr_expect(client_send(client, body, BODY), "run %zu: the connection is reset", i);
        expect_refused(client, 503, i);
        client_close(client);
    }
    for (size_t i = 0; i < LIMIT; i++)
        client_close(taken[i]);
    cr_expect(recovers(server));
    free(body);
    stop(server);
}

/* The connections of silent clients end, and their places are free again. */
Test(limits, a_full_server_recovers_by_its_own_timeouts)
{
    const char *const settings[] = {"SVC_MAX_CONNECTIONS=10", "SVC_IDLE_TIMEOUT_MS=300",
                                    "SVC_HEADER_TIMEOUT_MS=1000", NULL};
    struct process *server = process_start(process_program("server_wire"), settings, NULL);
    cr_assert(server);
    struct client *taken[LIMIT];
    fill(server, taken, LIMIT);
    for (size_t i = 0; i < LIMIT / 2; i++)
        client_send_text(taken[i], "GET /half");
    cr_expect(recovers(server));
    for (size_t i = 0; i < LIMIT; i++)
        client_close(taken[i]);
    stop(server);
}

Test(limits, an_address_has_as_many_connections_as_it_may)
{
    static const char *const settings[] = {"SVC_MAX_CONNECTIONS_PER_ADDRESS=10",
                                           "SVC_LISTEN=127.0.0.1:0,[::1]:0", NULL};
    struct process *server = start_with(settings);
    struct client *taken[LIMIT];
    fill(server, taken, LIMIT);
    for (size_t i = 0; i < 20; i++) {
        struct client *client = client_connect(process_address(server, 0));
        cr_assert(client);
        expect_refused(client, 429, i);
        client_close(client);
    }
    struct client *other = client_connect(process_address(server, 1));
    cr_expect(served(other), "another address is served");
    client_close(other);
    cr_expect_eq(client_metric(process_admin(server),
                               "svc_connections_refused_total{listener=\"service\","
                               "reason=\"max_connections_per_address\""),
                 20);
    for (size_t i = 0; i < LIMIT; i++) {
        cr_expect(served(taken[i]), "connection %zu is served on", i);
        client_close(taken[i]);
    }
    cr_expect(recovers(server));
    stop(server);
}

Test(limits, exempt_networks_have_no_limit_of_their_own)
{
    static const char *const settings[] = {"SVC_MAX_CONNECTIONS_PER_ADDRESS=1",
                                           "SVC_EXEMPT_NETWORKS=192.0.2.0/24,127.0.0.0/8", NULL};
    struct process *server = start_with(settings);
    struct client *taken[LIMIT];
    fill(server, taken, LIMIT);
    for (size_t i = 0; i < LIMIT; i++)
        client_close(taken[i]);
    stop(server);
}
