/* Memos of several processes over one server, which leases the keys of values that are missing: one
 * load in all of them, also at expiry, and one that dies in its load. */
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
#include <svc/memcached.h>

#include "tests/support/memcached_servers.h"
#include "tests/support/process.h"
#include "tests/support/quiet_app.h"

enum { PROCESSES = 3, THREADS = 67, TTL_MS = 600000, LEASE_MS = 2 * PROCESS_WAIT_MS };

/* What the processes know of each other. */
static struct shared {
    _Atomic unsigned loads, loading;
    _Atomic unsigned first, second, failed; /* calls that have got "text 1", "text 2", an error */
    _Atomic unsigned calls_waiting[PROCESSES], instances_waiting[PROCESSES], leases[PROCESSES];
    _Atomic bool gate_open, load_fails;
} * shared;

static void open_server(void)
{
    if (!memcached_servers_exist())
        cr_skip_test("memcached is not installed");
    cr_assert(memcached_servers_begin());
    cr_assert(memcached_servers_start(0, NULL, NULL));
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(shared, MAP_FAILED);
}

static void close_server(void)
{
    memcached_servers_end();
}

TestSuite(memcached_memo, .init = open_server, .fini = close_server);

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

/* What one does. */
struct plan {
    int calls;
    uint64_t lease_ms, stale_ms;
    bool expired; /* the values that are stored are older than TTL_MS */
};

static svc_app *app;
static svc_memo *memo;

static int load_at_gate(svc_memo_load *load, const char *key, void *arg)
{
    char text[16];
    (void)key, (void)arg;
    shared->loading++;
    if (!AWAITED(shared->gate_open))
        return SVC_ETIMEDOUT;
    int len = snprintf(text, sizeof text, "text %u", ++shared->loads);
    return shared->load_fails ? SVC_ESYSTEM : svc_memo_load_value(load, text, (size_t)len);
}

static void *call_memo(void *arg)
{
    svc_store_value value;
    (void)arg;
    if (svc_memo_get(memo, NULL, "a", load_at_gate, NULL, &value)) {
        shared->failed++;
        return NULL;
    }
    shared->first += strcmp(value.data, "text 1") == 0;
    shared->second += strcmp(value.data, "text 2") == 0;
    svc_store_value_free(&value);
    return NULL;
}

static bool open_memo(const struct plan *plan)
{
    svc_config config = quiet_app_config();
    svc_memo_options options = SVC_MEMO_OPTIONS_INIT;
    options.name = "memo";
    options.ttl_ms = TTL_MS;
    options.jitter_percent = 0;
    options.early = 0;
    options.lease_ms = plan->lease_ms;
    options.stale_ms = plan->stale_ms;
    options.retry_ms = TTL_MS;
    options.wait_ms = PROCESS_WAIT_MS;
    app = svc_app_new("test");
    svc_app_configure(app, &config);
    svc_memcached_use(app);
    svc_store *store = svc_store_open(
        app, memcached_servers_url(1, "?timeout_ms=60000&connect_ms=60000&answer_ms=60000"));
    memo = svc_memo_new(app, store, &options);
    return svc_test_store(app) == store && svc_store_leases(store) &&
           svc_test_memo_age(memo, plan->expired ? TTL_MS : 0) == 0;
}

/* 0 for a series that nothing was counted in. */
static unsigned read_metric(const char *series)
{
    double value = svc_test_metric(app, series);
    return value > 0 ? (unsigned)value : 0;
}

static void share_counts(int index)
{
    shared->calls_waiting[index] = read_metric("svc_memo_waits_total{memo=\"memo\",for=\"call\"}");
    shared->instances_waiting[index] =
        read_metric("svc_memo_waits_total{memo=\"memo\",for=\"instance\"}");
    shared->leases[index] = read_metric("svc_store_operations_total{backend=\"memcached\","
                                        "operation=\"lease\",outcome=\"miss\"}");
}

/* Runs a process whose threads make a call each, and that shares its counts until they end. */
static pid_t run_process(int index, struct plan plan)
{
    pthread_t threads[THREADS];
    pid_t pid = fork();
    if (pid)
        return pid;
    if (!open_memo(&plan))
        _exit(1);
    for (int i = 0; i < plan.calls; i++)
        if (pthread_create(&threads[i], NULL, call_memo, NULL))
            _exit(2);
    while (!shared->gate_open) {
        share_counts(index);
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    for (int i = 0; i < plan.calls; i++)
        pthread_join(threads[i], NULL);
    share_counts(index);
    svc_app_free(app);
    _exit(0);
}

static void expect_exit(pid_t pid)
{
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%d", status);
}

/* Has a process store "text 1", which its one call gets. */
static void store_first(void)
{
    shared->gate_open = true;
    expect_exit(run_process(0, (struct plan){1, LEASE_MS, 0, false}));
    cr_assert_eq(shared->first, 1);
    shared->gate_open = false;
    shared->loading = shared->first = 0;
}

/* Runs three processes that follow a plan until all but one call wait, and lets the load end. */
static void run_until_all_wait(struct plan plan)
{
    pid_t pids[PROCESSES];
    for (int i = 0; i < PROCESSES; i++)
        pids[i] = run_process(i, plan);
    bool waiting = AWAITED(add_up(shared->calls_waiting) == PROCESSES * (THREADS - 1) &&
                           add_up(shared->instances_waiting) == PROCESSES - 1);
    shared->gate_open = true;
    for (int i = 0; i < PROCESSES; i++)
        expect_exit(pids[i]);
    cr_expect(waiting);
    cr_expect_eq(shared->loading, 1);
}

Test(memcached_memo, the_calls_of_three_processes_are_one_load)
{
    run_until_all_wait((struct plan){THREADS, LEASE_MS, 0, false});
    cr_expect_eq(shared->loads, 1);
    cr_expect_eq(shared->first, PROCESSES * THREADS);
    cr_expect_eq(add_up(shared->leases), 1, "the server has chosen one");
}

Test(memcached_memo, the_calls_of_three_processes_at_expiry_are_one_load)
{
    store_first();
    run_until_all_wait((struct plan){THREADS, LEASE_MS, 0, true});
    cr_expect_eq(shared->loads, 2);
    cr_expect_eq(shared->second, PROCESSES * THREADS);
}

Test(memcached_memo, the_error_of_a_load_is_that_of_all_processes)
{
    shared->load_fails = true;
    run_until_all_wait((struct plan){THREADS, LEASE_MS, 0, false});
    cr_expect_eq(shared->loads, 1);
    cr_expect_eq(shared->failed, PROCESSES * THREADS);
    expect_exit(run_process(0, (struct plan){1, LEASE_MS, 0, false}));
    cr_expect_eq(shared->loads, 1, "for a while nobody tries again");
    cr_expect_eq(shared->failed, PROCESSES * THREADS + 1);
}

Test(memcached_memo, a_stale_value_is_given_while_one_process_loads)
{
    pid_t pids[PROCESSES];
    store_first();
    for (int i = 0; i < PROCESSES; i++)
        pids[i] = run_process(i, (struct plan){THREADS, LEASE_MS, TTL_MS, true});
    bool given = AWAITED(shared->first == PROCESSES * THREADS && shared->loading == 1);
    shared->gate_open = true;
    for (int i = 0; i < PROCESSES; i++)
        expect_exit(pids[i]);
    cr_expect(given);
    cr_expect_eq(shared->loads, 2, "one in all processes");
    expect_exit(run_process(0, (struct plan){1, LEASE_MS, TTL_MS, false}));
    cr_expect_eq(shared->second, 1);
    cr_expect_eq(shared->loads, 2);
}

/* A lease lives for its time, which the server rounds up by two seconds at most. */
static void expect_load_after_death(uint64_t stale_ms, bool expired)
{
    const struct plan plan = {1, 1000, stale_ms, expired};
    pid_t first = run_process(0, plan);
    cr_assert(AWAITED(shared->loading == 1));
    kill(first, SIGKILL);
    cr_assert_eq(waitpid(first, NULL, 0), first);
    pid_t second = run_process(1, plan);
    bool loading = AWAITED(shared->loading == 2);
    shared->gate_open = true;
    expect_exit(second);
    cr_expect(loading);
}

Test(memcached_memo, the_load_of_a_process_that_dies_passes_to_another)
{
    expect_load_after_death(0, false);
    cr_expect_eq(shared->loads, 1);
    cr_expect_eq(shared->first, 1);
}

Test(memcached_memo, so_it_does_at_expiry)
{
    store_first();
    expect_load_after_death(0, true);
    cr_expect_eq(shared->loads, 2);
    cr_expect_eq(shared->second, 1);
}

/* A process that has been killed in its load leaves the key leased: others read nothing. */
Test(memcached_memo, nobody_reads_the_lease_of_a_process_that_has_died)
{
    svc_store_value value;
    pid_t pid = run_process(0, (struct plan){1, LEASE_MS, 0, false});
    cr_assert(AWAITED(shared->loading == 1));
    kill(pid, SIGKILL);
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
    cr_assert(open_memo(&(struct plan){0, LEASE_MS, 0, false}));
    svc_store *store = svc_test_store(app);
    cr_expect_eq(svc_store_get(store, NULL, "memo:a", &value), SVC_ENOTFOUND);
    cr_expect_eq(svc_store_lease(store, NULL, "memo:a", LEASE_MS, &value), SVC_ECONFLICT);
    cr_expect_eq(svc_memo_forget(memo, NULL, "a"), 0, "which frees the key");
    shared->gate_open = true;
    call_memo(NULL);
    cr_expect_eq(shared->first, 1);
    svc_app_free(app);
}
