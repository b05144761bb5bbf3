/* The pool of workers over TCP: its queue, its size, and the requests that it must not delay. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/e2e/served.h"
#include "tests/support/client.h"
#include "tests/support/flow.h"
#include "tests/support/process.h"

static void start(const char *const *settings)
{
    serve("server_async", settings);
}

static struct client *ask(const char *path, unsigned n)
{
    struct client *client = client_connect(process_address(server, 0));
    cr_assert(client);
    cr_assert(client_printf(client, "GET %s/%u HTTP/1.1\r\nHost: a\r\n\r\n", path, n));
    return client;
}

/* Sends a request that occupies a worker. */
static struct client *occupy(unsigned n)
{
    char line[64];
    snprintf(line, sizeof line, "\"n\":\"%u\"", n);
    struct client *client = ask("/block", n);
    cr_assert(process_await_log(server, line, PROCESS_WAIT_MS));
    return client;
}

static void expect_metric(const char *name, long value)
{
    cr_expect(client_await_metric(process_admin(server), name, value), "%s is %ld and not %ld",
              name, client_metric(process_admin(server), name), value);
}

/* The workers exist already, so no request is in the queue meanwhile, however busy the machine is.
 */
static void await_idle(void)
{
    expect_metric("svc_workers_busy", 0);
}

static void expect_status(struct client *client, int status)
{
    char after[16] = "";
    struct client_reply reply = client_read(client, false);
    cr_expect_eq(reply.status, status, "%d %s: %s", reply.status, client_end_name(reply.end),
                 reply.body);
    bool has = client_reply_field(&reply, "Retry-After", after, sizeof after);
    cr_expect_eq(has, status == 503, "Retry-After: %s", after);
    client_reply_free(&reply);
    client_close(client);
}

static void let(unsigned count)
{
    while (count-- > 0)
        cr_assert(process_tell(server, "w"));
}

Test(async_workers, a_full_queue_is_said_at_once)
{
    static const char *const settings[] = {"SVC_WORKERS_MAX=1", "SVC_WORKER_QUEUE=1",
                                           "SVC_WORKER_QUEUE_MS=600000", NULL};
    start(settings);
    struct client *first = occupy(1), *queued = ask("/block", 2);
    expect_metric("svc_workers_queued", 1);
    expect_status(ask("/block", 3), 503);
    expect_metric("svc_requests_shed_total{reason=\"worker_queue\"", 1);
    let(2);
    expect_status(first, 200);
    expect_status(queued, 200);
    serve_no_more();
}

Test(async_workers, who_has_waited_for_too_long_is_told_so)
{
    static const char *const settings[] = {"SVC_WORKERS_MIN=1", "SVC_WORKERS_MAX=1",
                                           "SVC_WORKER_QUEUE_MS=1000", NULL};
    start(settings);
    await_idle();
    struct client *first = occupy(1);
    expect_status(ask("/block", 2), 503);
    expect_metric("svc_workers_queued", 0);
    let(1);
    expect_status(first, 200);
    await_idle();
    expect_status(ask("/fast", 3), 200); /* and the worker is free again */
    serve_no_more();
}

/* With a body that is complete, one that has not come yet, and one that is longer than the buffer.
 */
Test(async_workers, who_has_waited_for_too_long_with_a_body_is_told_so)
{
    static const char *const settings[] = {"SVC_WORKERS_MIN=1", "SVC_WORKERS_MAX=1",
                                           "SVC_WORKER_QUEUE_MS=1000", NULL};
    static const size_t lengths[] = {1000, 100000, 1000000}, sent[] = {1000, 1000, 300000};
    start(settings);
    await_idle();
    struct client *first = occupy(1);
    for (size_t i = 0; i < 3; i++) {
        struct client *client = client_connect(process_address(server, 0));
        cr_assert(client);
        client_printf(client, "POST /sink/0 HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
                      lengths[i]);
        cr_assert(client_send(client, flow_at(0, sent[i]), sent[i]));
        expect_metric("svc_requests_shed_total{reason=\"worker_wait\"", (long)i + 1);
        cr_assert(
            client_send(client, flow_at(sent[i], lengths[i] - sent[i]), lengths[i] - sent[i]));
        expect_status(client, 503);
    }
    let(1);
    expect_status(first, 200);
    serve_no_more();
}

/* It has had its worker, so the wait for the rest of its body is not a wait for a worker. */
Test(async_workers, a_body_may_take_longer_than_the_queue)
{
    enum { LONGER_MS = 1500 };
    static const char *const settings[] = {"SVC_WORKERS_MIN=1", "SVC_WORKER_QUEUE_MS=1000", NULL};
    start(settings);
    await_idle();
    struct client *client = client_connect(process_address(server, 0));
    cr_assert(client);
    client_send_text(client,
                     "POST /keep-body/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
    cr_assert(process_await_log(server, "\"kept\"", PROCESS_WAIT_MS));
    cr_expect_not(client_readable(client, LONGER_MS));
    client_send_text(client, "def");
    cr_assert(process_tell(server, "c"));
    expect_status(client, 200);
    serve_no_more();
}

/* By the kernel's own count: a folder of threads that come and go is not read as of one moment. */
static long count_threads(void)
{
    char path[64], line[256];
    long count = -1;
    snprintf(path, sizeof path, "/proc/%ld/status", (long)process_pid(server));
    FILE *file = fopen(path, "re");
    while (file && count < 0 && fgets(line, sizeof line, file))
        sscanf(line, "Threads: %ld", &count);
    if (file)
        fclose(file);
    cr_assert_gt(count, 0);
    return count;
}

static void grow(size_t count)
{
    struct client *clients[64];
    for (size_t i = 0; i < count; i++)
        clients[i] = occupy(100 + (unsigned)i);
    expect_metric("svc_workers", (long)count);
    let((unsigned)count);
    for (size_t i = 0; i < count; i++)
        expect_status(clients[i], 200);
}

/* All become idle at once, so all check at once whether to end. */
Test(async_workers, idle_ones_go_and_the_least_stay)
{
    enum { LEAST = 3, MOST = 24, TRIES = 5 };
    static const char *const settings[] = {"SVC_WORKERS_MIN=3", "SVC_WORKER_IDLE_MS=20",
                                           "SVC_LOG_REPEAT_PER_S=0", NULL};
    start(settings);
    expect_metric("svc_workers", LEAST);
    long before = count_threads();
    for (int i = 0; i < TRIES; i++) {
        grow(MOST);
        uint64_t due = client_clock_ms() + CLIENT_WAIT_MS;
        long now = count_threads();
        for (; now > before && client_clock_ms() < due; now = count_threads())
            continue;
        cr_expect_leq(now, before); /* a thread of the start may have ended since */
        expect_metric("svc_workers", LEAST);
    }
    serve_no_more();
}

/* A worker that is ending takes no work, however long its end takes. */
Test(async_workers, one_that_ends_holds_nobody_up)
{
    static const char *const settings[] = {"ASYNC_SLOW_END=1", "SVC_WORKERS_MAX=1",
                                           "SVC_WORKER_IDLE_MS=10", NULL};
    start(settings);
    expect_status(ask("/fast", 1), 200);
    cr_assert(process_await_log(server, "a worker ends", PROCESS_WAIT_MS));
    expect_status(ask("/fast", 2), 200);
    process_tell(server, "eeee");
    serve_no_more();
}

/* A client that has waited for 100 ms has probably given up. */
Test(async_workers, the_newest_goes_first_under_a_standing_queue)
{
    enum { WAITING = 5, STANDING_MS = 150 };
    static const char *const settings[] = {"SVC_WORKERS_MAX=1", "SVC_WORKER_QUEUE_MS=600000", NULL};
    struct client *clients[WAITING + 1];
    char line[32];
    start(settings);
    clients[0] = occupy(10);
    for (unsigned i = 1; i <= WAITING; i++) {
        clients[i] = ask("/block", 10 + i);
        expect_metric("svc_workers_queued", i);
    }
    cr_expect_not(client_readable(clients[1], STANDING_MS));
    for (unsigned i = WAITING; i > 0; i--) {
        let(1);
        snprintf(line, sizeof line, "\"n\":\"%u\"", 10 + i);
        cr_assert(process_await_log(server, line, PROCESS_WAIT_MS));
        cr_expect_eq(process_count_log(server, "at a worker"), WAITING + 2 - i, "not %u", i);
    }
    let(1);
    for (unsigned i = 0; i <= WAITING; i++)
        expect_status(clients[i], 200);
    serve_no_more();
}

Test(async_workers, blocked_ones_stall_no_other_route)
{
    enum { ASKED = 200 };
    static const char *const settings[] = {"SVC_THREADS=1", "SVC_WORKERS_MAX=2",
                                           "SVC_WORKER_QUEUE_MS=600000", NULL};
    start(settings);
    struct client *blocked[] = {occupy(1), occupy(2), ask("/block", 3), ask("/block", 4)};
    expect_metric("svc_workers_queued", 2);
    for (unsigned i = 0; i < ASKED; i++) {
        expect_status(ask("/hello", i), 200);
        expect_status(ask("/now", i), 200);
    }
    cr_expect_eq(client_metric(process_admin(server), "svc_workers_queued"), 2);
    let(4);
    for (size_t i = 0; i < 4; i++)
        expect_status(blocked[i], 200);
    serve_no_more();
}
