/* Answers that come from other threads, in any order and at any time: each request gets its own. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/process.h"

enum { CLIENTS = 64, ROUNDS = 32, PIPELINED = 8 };

static struct client *clients[CLIENTS];

static void start(void)
{
    static const char *const settings[] = {"SVC_ACCESS_LOG=off", "SVC_THREADS=2", NULL};
    serve("server_async", settings);
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = client_connect(process_address(server, 0));
        cr_assert(clients[i]);
    }
}

/* A stop with nothing left over: whatever was held has been given back. */
static void finish(void)
{
    for (size_t i = 0; i < CLIENTS; i++)
        client_close(clients[i]);
    cr_expect(client_await_metric(process_admin(server), "svc_connections", 0));
    cr_expect_eq(client_metric(process_admin(server), "svc_http_requests_in_flight"), 0);
    serve_no_more();
}

static void ask(struct client *client, const char *path, unsigned n)
{
    cr_assert(client_printf(client, "GET %s/%u HTTP/1.1\r\nHost: a\r\n\r\n", path, n));
}

/* Reads the answer to request `n`, which may be 504 where `may_be_late`. Its status. */
static int read_answer(struct client *client, unsigned n, bool may_be_late)
{
    char own[16];
    snprintf(own, sizeof own, "%u", n);
    struct client_reply reply = client_read(client, false);
    int status = reply.status;
    cr_expect(status == 200 || (may_be_late && status == 504), "%u: %d %s", n, status,
              client_end_name(reply.end));
    cr_expect(status != 200 || !strcmp(reply.body, own), "%u was answered with %s", n, reply.body);
    cr_expect_not(reply.closes);
    client_reply_free(&reply);
    return status;
}

/* What the server has counted of answers that other threads have given. */
static long counted(const char *name)
{
    char key[32];
    snprintf(key, sizeof key, "\"%s\":", name);
    struct client_reply reply =
        client_exchange(clients[0], "GET /counts HTTP/1.1\r\nHost: a\r\n\r\n");
    const char *at = strstr(reply.body, key);
    long count = at ? strtol(at + strlen(key), NULL, 10) : -1;
    client_reply_free(&reply);
    return count;
}

static void run_rounds(const char *const *paths, size_t count)
{
    unsigned n = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < CLIENTS; i++)
            ask(clients[i], paths[(round + i) % count], n + (unsigned)i);
        for (size_t i = 0; i < CLIENTS; i++)
            read_answer(clients[i], n + (unsigned)i, false);
        n += CLIENTS;
    }
}

Test(async_races, each_of_thousands_gets_its_own_answer)
{
    static const char *const paths[] = {"/now", "/worker-now", "/later/1",
                                        "/now", "/fast",       "/later/3"};
    start();
    run_rounds(paths, sizeof paths / sizeof *paths);
    finish();
}

/* One after the other, as they were asked. */
Test(async_races, pipelined_requests_are_answered_in_order)
{
    static const char *const paths[] = {"/now", "/hello", "/later/1", "/worker-now", "/fast"};
    start();
    for (unsigned round = 0; round < ROUNDS / PIPELINED; round++) {
        for (size_t i = 0; i < CLIENTS; i++)
            for (unsigned k = 0; k < PIPELINED; k++)
                ask(clients[i], paths[(i + k) % 5], (unsigned)i * PIPELINED + k);
        for (size_t i = 0; i < CLIENTS; i++)
            for (unsigned k = 0; k < PIPELINED; k++)
                read_answer(clients[i], (unsigned)i * PIPELINED + k, false);
    }
    finish();
}

/* Some come before the deadline of 8 ms, some behind it, and many with it. */
static size_t meet_deadlines(const char *path, bool pipelined)
{
    size_t in_time = 0, late = 0;
    unsigned n = 0, each = pipelined ? PIPELINED : 1;
    for (unsigned round = 0; round < ROUNDS / each; round++) {
        for (size_t i = 0; i < CLIENTS * each; i++) {
            char full[32];
            snprintf(full, sizeof full, "%s/%u", path, 2 + (unsigned)(round * each + i) % 11);
            ask(clients[i / each], full, n + (unsigned)i);
        }
        for (size_t i = 0; i < CLIENTS * each; i++)
            *(read_answer(clients[i / each], n + (unsigned)i, true) == 200 ? &in_time : &late) += 1;
        n += CLIENTS * each;
    }
    cr_expect(late > 0, "no deadline has passed");
    return in_time;
}

/* Also when it is given up, its answer is told whether it has won. */
static void expect_told(size_t in_time)
{
    long all = ROUNDS * CLIENTS;
    uint64_t due = client_clock_ms() + CLIENT_WAIT_MS;
    while (counted("in_time") + counted("late") < all && client_clock_ms() < due)
        continue;
    cr_expect_eq(counted("in_time") + counted("late"), all);
    cr_expect_eq(counted("in_time"), (long)in_time, "%ld have won, and %zu were sent",
                 counted("in_time"), in_time);
    cr_expect_leq(counted("cancelled"), all - (long)in_time);
}

Test(async_races, an_answer_or_the_deadline_and_never_both)
{
    start();
    expect_told(meet_deadlines("/brief", false));
    finish();
}

Test(async_races, also_of_requests_that_are_pipelined)
{
    start();
    expect_told(meet_deadlines("/brief", true));
    finish();
}

Test(async_races, a_worker_or_the_deadline_and_never_both)
{
    start();
    meet_deadlines("/brief-rest", false);
    for (unsigned i = 0; i < CLIENTS; i++) {
        ask(clients[i], "/hello", i);
        read_answer(clients[i], i, false);
    }
    finish();
}
