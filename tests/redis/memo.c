/* Memos of several processes over one server: one load in all of them, and one that dies in its
 * load. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <svc.h>
#include <svc/redis.h>

#include "tests/redis/redis_process.h"
#include "tests/support/process.h"
#include "tests/support/quiet_app.h"

enum { PROCESSES = 3, THREADS = 60 };

static struct redis_process redis;

/* What the processes know of each other. */
static struct shared {
    _Atomic unsigned loads, loading, good;
    _Atomic unsigned calls_waiting[PROCESSES], instances_waiting[PROCESSES];
    _Atomic bool gate_open;
} * shared;

static void open_server(void)
{
    if (!redis_process_is_there())
        cr_skip_test("redis-server is not installed");
    redis_process_prepare(&redis, true);
    redis_process_start(&redis, NULL);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(shared, MAP_FAILED);
}

static void close_server(void)
{
    redis_process_remove(&redis);
}

TestSuite(redis_memo, .init = open_server, .fini = close_server);

/* Waits until a condition holds. Whether it does. */
#define AWAITED(condition)                                                                         \
    ({                                                                                             \
        int left_ms = PROCESS_WAIT_MS;                                                             \
        while (!(condition) && left_ms-- > 0)                                                      \
            nanosleep(&(struct timespec){0, 1000000}, NULL);                                       \
        (bool)(condition);                                                                         \
    })

static unsigned add_up(const _Atomic unsigned *counts)
{
    unsigned sum = 0;
    for (int i = 0; i < PROCESSES; i++)
        sum += counts[i];
    return sum;
}

/* ---- A process */

static svc_app *app;
static svc_memo *memo;

static int load_at_gate(svc_memo_load *load, const char *key, void *arg)
{
    (void)key, (void)arg;
    shared->loading++;
    if (!AWAITED(shared->gate_open))
        return SVC_ETIMEDOUT;
    shared->loads++;
    return svc_memo_load_value(load, "hello", 5);
}

static void *call_memo(void *arg)
{
    svc_store_value value;
    (void)arg;
    if (svc_memo_get(memo, NULL, "a", load_at_gate, NULL, &value))
        return NULL;
    shared->good += strcmp(value.data, "hello") == 0;
    svc_store_value_free(&value);
    return NULL;
}

static void open_memo(uint64_t lease_ms)
{
    svc_config config = quiet_app_config();
    svc_memo_options options = SVC_MEMO_OPTIONS_INIT;
    options.name = "memo";
    options.lease_ms = lease_ms;
    options.wait_ms = PROCESS_WAIT_MS;
    app = svc_app_new("test");
    svc_app_configure(app, &config);
    svc_redis_use(app);
    memo = svc_memo_new(app, svc_store_open(app, redis.url), &options);
}

/* Runs a process whose `count` threads make a call each, and that shares its counts until they end.
 */
static pid_t run_process(int index, int count, uint64_t lease_ms)
{
    pthread_t threads[THREADS];
    pid_t pid = fork();
    if (pid)
        return pid;
    open_memo(lease_ms);
    if (!svc_test_store(app))
        _exit(1);
    for (int i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, call_memo, NULL))
            _exit(2);
    while (!shared->gate_open) {
        shared->calls_waiting[index] =
            (unsigned)svc_test_metric(app, "svc_memo_waits_total{memo=\"memo\",for=\"call\"}");
        shared->instances_waiting[index] =
            (unsigned)svc_test_metric(app, "svc_memo_waits_total{memo=\"memo\",for=\"instance\"}");
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    svc_app_free(app);
    _exit(0);
}

static void expect_exit(pid_t pid)
{
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%d", status);
}

Test(redis_memo, the_calls_of_three_processes_are_one_load)
{
    pid_t pids[PROCESSES];
    for (int i = 0; i < PROCESSES; i++)
        pids[i] = run_process(i, THREADS, 2 * PROCESS_WAIT_MS);
    bool waiting = AWAITED(add_up(shared->calls_waiting) == PROCESSES * (THREADS - 1) &&
                           add_up(shared->instances_waiting) == PROCESSES - 1);
    shared->gate_open = true;
    for (int i = 0; i < PROCESSES; i++)
        expect_exit(pids[i]);
    cr_expect(waiting);
    cr_expect_eq(shared->loads, 1);
    cr_expect_eq(shared->good, PROCESSES * THREADS);
}

Test(redis_memo, the_load_of_a_process_that_dies_passes_to_another)
{
    pid_t first = run_process(0, 1, 3000);
    cr_assert(AWAITED(shared->loading == 1));
    kill(first, SIGKILL);
    cr_assert_eq(waitpid(first, NULL, 0), first);
    pid_t second = run_process(1, 1, 3000);
    bool loading = AWAITED(shared->loading == 2);
    shared->gate_open = true;
    expect_exit(second);
    cr_expect(loading);
    cr_expect_eq(shared->loads, 1);
    cr_expect_eq(shared->good, 1);
}
