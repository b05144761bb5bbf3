/* Answers from other threads, in any order and at any time: each request gets its own answer. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/process.h"

enum { CLIENTS = 64, ROUNDS = 32, PIPELINED = 8 };

static struct client *clients[CLIENTS];

/* With a worker for each client, so that no request is in the queue. */
static void start(void)
{
    static const char *const settings[] = {"SVC_ACCESS_LOG=off", "SVC_THREADS=2",
                                           "SVC_WORKERS_MIN=64", "SVC_WORKERS_MAX=64", NULL};
    serve("server_async", settings);
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = client_connect(process_address(server, 0));
        cr_assert(clients[i]);
    }
}

/* A clean stop: all references have been given back. */
static void finish(void)
{
    for (size_t i = 0; i < CLIENTS; i++)
        client_close(clients[i]);
    cr_expect(
        client_await_metric(process_admin(server), "svc_connections{listener=\"service\"", 0));
    cr_expect_eq(client_metric(process_admin(server), "http_server_active_requests"), 0);
    serve_no_more();
}

static void ask(struct client *client, const char *path, unsigned n)
{
    cr_assert(client_printf(client, "GET %s/%u HTTP/1.1\r\nHost: a\r\n\r\n", path, n));
}

/* Reads the answer to request `n`, which may be 504 if `may_be_late`. Returns its status. */
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

/* The server's counts of answers from other threads. */
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

/* One after the other, in the order of the requests. */
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

/* The deadline of both routes is 8 ms. Answers come after some milliseconds, or only after the
 * deadline, by themselves or by a letter. */
struct meeting {
    const char *soon, *late;
    unsigned each;   /* requests of a client at once */
    const char *let; /* the letter for each late answer, or "" */
};

enum { LATE_ONES = 8 /* one request of this many */ };

static bool is_late(size_t i)
{
    return i % LATE_ONES == LATE_ONES - 1;
}

static void ask_briefly(const struct meeting *meeting, size_t i, unsigned n, unsigned ms)
{
    char path[32];
    snprintf(path, sizeof path, "%s/%u", meeting->soon, ms);
    ask(clients[i / meeting->each], is_late(i) ? meeting->late : path, n + (unsigned)i);
}

/* Some answers come before the deadline, some after it, and many at the same time. Returns the
 * number of those before. */
static size_t meet_deadlines(const struct meeting *meeting)
{
    size_t in_time = 0, at_once = CLIENTS * meeting->each;
    unsigned n = 0;
    for (unsigned round = 0; round < ROUNDS / meeting->each; round++) {
        cr_assert(client_await_metric(process_admin(server), "svc_workers_busy", 0));
        for (size_t i = 0; i < at_once; i++)
            ask_briefly(meeting, i, n, 2 + (unsigned)(round * meeting->each + i) % 11);
        for (size_t i = 0; i < at_once; i++) {
            int status = read_answer(clients[i / meeting->each], n + (unsigned)i, true);
            cr_expect(status == 504 || !is_late(i), "%zu was answered before its deadline", i);
            in_time += status == 200;
        }
        for (size_t i = 0; i < at_once; i++)
            cr_assert(!is_late(i) || process_tell(server, meeting->let));
        n += (unsigned)at_once;
    }
    return in_time;
}

/* svc_pending_complete reports whether it has won, also for a request that is given up. */
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
    static const struct meeting meeting = {"/brief", "/brief-quit", 1, ""};
    start();
    expect_told(meet_deadlines(&meeting));
    finish();
}

Test(async_races, also_of_requests_that_are_pipelined)
{
    static const struct meeting meeting = {"/brief", "/brief-quit", PIPELINED, ""};
    start();
    expect_told(meet_deadlines(&meeting));
    finish();
}

Test(async_races, a_worker_or_the_deadline_and_never_both)
{
    static const struct meeting meeting = {"/brief-rest", "/brief-block", 1, "w"};
    start();
    meet_deadlines(&meeting);
    for (unsigned i = 0; i < CLIENTS; i++) {
        ask(clients[i], "/hello", i);
        read_answer(clients[i], i, false);
    }
    finish();
}
