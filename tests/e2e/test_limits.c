/* Over its limits the server says so, to everybody whom it cannot serve, and recovers. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/support/client.h"
#include "tests/support/process.h"

enum { LIMIT = 10 };

static const char request[] = "GET /path/served HTTP/1.1\r\nHost: a\r\n\r\n";

static struct process *start(const char *setting)
{
    const char *const settings[] = {setting, NULL};
    struct process *server = process_start(process_program("server_wire"), settings, NULL);
    cr_assert(server);
    return server;
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

/* Connections that the server has taken: each has been answered. */
static void fill(struct process *server, struct client **clients, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        clients[i] = client_connect(process_address(server, 0));
        cr_assert(clients[i]);
        cr_assert(served(clients[i]), "connection %zu", i);
    }
}

/* Tries until a new connection is served. */
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

static void expect_refused(struct client *client, size_t i)
{
    char after[16] = "";
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, 503, "%zu: %d, %s", i, reply.status, client_end_name(reply.end));
    cr_expect(reply.closes);
    cr_expect(client_reply_field(&reply, "Retry-After", after, sizeof after));
    cr_expect(strstr(reply.body, "\"status\":503"), "%s", reply.body);
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
        expect_refused(client, i);
        client_close(client);
    }
    for (size_t i = 0; i < LIMIT; i++)
        cr_expect(served(taken[i]), "a connection within the limit is lost");
    client_close(taken[0]);
    cr_expect(recovers(server));
    for (size_t i = 1; i < LIMIT; i++)
        client_close(taken[i]);
    stop(server);
}

/* What it sends after the refusal must not destroy the refusal. */
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
        expect_refused(client, i);
        client_close(client);
    }
    for (size_t i = 0; i < LIMIT; i++)
        client_close(taken[i]);
    cr_expect(recovers(server));
    free(body);
    stop(server);
}

/* The connections of clients who say nothing more end, and their places are free again. */
Test(limits, a_full_server_recovers_by_its_own_timeouts)
{
    const char *const settings[] = {"SVC_MAX_CONNECTIONS=10", "SVC_IDLE_TIMEOUT_MS=300",
                                    "SVC_HEADER_TIMEOUT_MS=300", NULL};
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

/* A server that is started with few descriptors. */
static struct process *start_with_descriptors(rlim_t count)
{
    struct rlimit before, few;
    getrlimit(RLIMIT_NOFILE, &before);
    few = (struct rlimit){count, before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
    struct process *server = start("SVC_THREADS=1");
    before.rlim_cur = before.rlim_max < 4096 ? before.rlim_max : 4096;
    setrlimit(RLIMIT_NOFILE, &before);
    return server;
}

static uint64_t cpu_ms(const struct process *server)
{
    char path[64], text[1024] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)process_pid(server));
    FILE *file = fopen(path, "r");
    if (file) {
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        fclose(file);
    }
    const char *at = strrchr(text, ')');
    unsigned long user = 0, system = 0;
    if (at)
        sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    return (user + system) * 10;
}

Test(limits, out_of_descriptors_it_neither_spins_nor_forgets)
{
    enum { CLIENTS = 500 };
    struct process *server = start_with_descriptors(64);
    struct client *clients[CLIENTS];
    size_t told = 0, served_count = 0, ended = 0;
    uint64_t begin = client_clock_ms(), cpu = cpu_ms(server);
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = client_connect(process_address(server, 0));
        cr_assert(clients[i]);
        client_send_text(clients[i], request);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        struct client_reply reply = client_read(clients[i], false);
        served_count += reply.status == 200;
        told += reply.status == 503;
        ended += reply.end == CLIENT_CLOSED || reply.end == CLIENT_RESET;
        client_reply_free(&reply);
    }
    uint64_t took = client_clock_ms() - begin;
    cr_expect_eq(served_count + told + ended, CLIENTS, "%zu served, %zu told, %zu closed",
                 served_count, told, ended);
    cr_expect_geq(served_count, 10, "%zu served", served_count);
    cr_expect_leq(process_count_log(server, "cannot accept"), took / 1000 + 2);
    cr_expect_lt(cpu_ms(server) - cpu, 500 + took / 2, "a busy loop");
    for (size_t i = 0; i < CLIENTS; i++)
        client_close(clients[i]);
    begin = client_clock_ms();
    cr_expect(recovers(server));
    took = client_clock_ms() - begin;
    cr_expect_lt(took, 1000, "after %lu ms", (unsigned long)took);
    stop(server);
}
