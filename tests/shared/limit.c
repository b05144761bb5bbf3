/* One rate limit of three processes, which decide by a store: the requests that pass in all of them
 * together. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "tests/shared/instances.h"
#include "tests/shared/server_limit.h"
#include "tests/support/client.h"

enum { CLIENTS = 2 * INSTANCES, SECONDS = 2 };

TestSuite(shared_limit, .fini = instances_end);

static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\nKey: all\r\n\r\n";

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* The replies of one client. The decision was made between a request and its reply. */
struct member {
    const char *address;
    int refused, others, other; /* the latest of the others */
    double last_sent, last_read;
};

static atomic_int admitted;

/* Sends requests on one connection until all together have been admitted as many as in SECONDS, and
 * then until one more is refused. */
static void *run_member(void *arg)
{
    struct member *member = arg;
    struct client *client = client_connect(member->address);
    bool refused = false;
    while (client && (admitted < SHARED_BURST + SHARED_RATE * SECONDS || !refused)) {
        double sent = now_s();
        struct client_reply reply = client_exchange(client, request);
        refused = reply.status == 429;
        member->last_sent = sent;
        member->last_read = now_s();
        member->refused += refused;
        if (reply.status != 204 && !refused) {
            member->others++;
            member->other = reply.status;
        }
        if (reply.status == 204)
            atomic_fetch_add(&admitted, 1);
        bool over = reply.end != CLIENT_REPLY;
        client_reply_free(&reply);
        if (over)
            break;
    }
    client_close(client);
    return NULL;
}

static void await_admitted(int count)
{
    uint64_t until_ms = client_clock_ms() + PROCESS_WAIT_MS;
    while (admitted < count && client_clock_ms() < until_ms)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    cr_assert_geq(admitted, count);
}

/* One instance stands still for half of the time, with whatever it has in its hands. */
static void pause_one(void)
{
    await_admitted(SHARED_BURST + SHARED_RATE * SECONDS / 4);
    cr_assert(process_signal(instances[0], SIGSTOP));
    await_admitted(SHARED_BURST + SHARED_RATE * SECONDS * 3 / 4);
    cr_assert(process_signal(instances[0], SIGCONT));
}

/* From this request on the burst grows. */
static void ask_first(double *sent, double *read)
{
    struct client *client = client_connect(process_address(instances[0], 0));
    cr_assert(client);
    *sent = now_s();
    client_printf(client, "GET / HTTP/1.1\r\nHost: a\r\nKey: all\r\nCost: %d\r\n\r\n",
                  SHARED_FIRST);
    struct client_reply reply = client_read(client, false);
    *read = now_s();
    cr_assert_eq(reply.status, 204, "%d", reply.status);
    client_reply_free(&reply);
    client_close(client);
    admitted = SHARED_FIRST;
}

static void expect_shared(bool pauses)
{
    struct member members[CLIENTS], all = {0};
    pthread_t threads[CLIENTS];
    double first_sent, first_read;
    ask_first(&first_sent, &first_read);
    for (size_t i = 0; i < CLIENTS; i++) {
        members[i] = (struct member){.address = process_address(instances[i % INSTANCES], 0)};
        cr_assert_eq(pthread_create(&threads[i], NULL, run_member, &members[i]), 0);
    }
    if (pauses)
        pause_one();
    for (size_t i = 0; i < CLIENTS; i++) {
        const struct member *one = &members[i];
        pthread_join(threads[i], NULL);
        cr_expect_gt(one->refused, 0, "client %zu", i);
        cr_expect_eq(one->others, 0, "client %zu: %d, as %d", i, one->others, one->other);
        all.last_sent = one->last_sent > all.last_sent ? one->last_sent : all.last_sent;
        all.last_read = one->last_read > all.last_read ? one->last_read : all.last_read;
    }
    double least = SHARED_BURST + SHARED_RATE * (all.last_sent - first_read);
    double most = SHARED_BURST + SHARED_RATE * (all.last_read - first_sent);
    cr_log_info("%d of %.1f to %.1f", admitted, least, most);
    cr_expect_geq(admitted, least * 0.99, "%d of %.1f to %.1f", admitted, least, most);
    cr_expect_leq(admitted, most * 1.01, "%d of %.1f to %.1f", admitted, least, most);
}

static long count_decisions(const char *outcome)
{
    char name[96];
    long count = 0;
    snprintf(name, sizeof name, "svc_rate_limit_store_total{outcome=\"%s\"", outcome);
    for (size_t i = 0; i < INSTANCES; i++)
        count += client_metric(process_admin(instances[i]), name);
    return count;
}

/* Asks for the whole burst, which is refused for seconds, until the instance refuses by itself. */
static void expect_local_refusals(void)
{
    uint64_t until_ms = client_clock_ms() + PROCESS_WAIT_MS;
    struct client *client = client_connect(process_address(instances[0], 0));
    cr_assert(client);
    while (count_decisions("refused_locally") == 0 && client_clock_ms() < until_ms) {
        client_printf(client, "GET / HTTP/1.1\r\nHost: a\r\nKey: all\r\nCost: %d\r\n\r\n",
                      SHARED_BURST);
        struct client_reply reply = client_read(client, false);
        client_reply_free(&reply);
    }
    client_close(client);
    cr_log_info("%ld passed, %ld refused by the store, %ld locally", count_decisions("passed"),
                count_decisions("refused"), count_decisions("refused_locally"));
    cr_expect_gt(count_decisions("refused_locally"), 0);
}

Test(shared_limit, three_processes_on_redis_are_one_limit)
{
    instances_start(ON_REDIS, "../shared/server_limit", NULL);
    expect_shared(false);
    expect_local_refusals();
}

Test(shared_limit, also_while_one_of_them_stands_still)
{
    instances_start(ON_REDIS, "../shared/server_limit", NULL);
    expect_shared(true);
}

Test(shared_limit, three_processes_on_memcached_are_one_limit)
{
    instances_start(ON_MEMCACHED, "../shared/server_limit", NULL);
    expect_shared(false);
}

Test(shared_limit, also_on_memcached_while_one_of_them_stands_still)
{
    instances_start(ON_MEMCACHED, "../shared/server_limit", NULL);
    expect_shared(true);
}
