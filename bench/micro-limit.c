/*
 * The time of a decision of the local limiter, with the clock as an argument: ratios within one
 * run, since absolute times depend on the machine.
 *
 *     make bench/micro-limit && bench/micro-limit [ROUNDS [KEYS]]
 *
 * - one: a decision among KEYS live keys (a million) in a table of 64 MiB, against one dependent
 *   load from a random place in an array of equal size. Wanted: at most 2.5.
 * - in cache: the same among a thousand keys, which shows the time of the decision itself.
 * - two threads: decisions per CPU second of two threads against one, on disjoint keys of one
 * table, against the same with a table for each thread. Wanted: at least 0.95.
 * - ten million distinct keys through a table of 64 MiB, while the clock goes on so that a million
 *   are live, and with a clock that stands still.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "bench/median.h"
#include "libsvc/base/clock.h"
#include "libsvc/base/rand.h"
#include "libsvc/store/limit_table.h"

enum { BYTES = 64 << 20, STEPS = 300000, FEW = 1000, MAX_ROUNDS = 999, THROUGH = 10000000 };

static const uint64_t second_ns = 1000000000;
static size_t rounds = 31, keys = 1000000;

static void *must(void *made)
{
    if (!made) {
        perror("limit");
        exit(1);
    }
    return made;
}

static struct limiter *make_table(uint64_t rate, uint64_t period_s, uint64_t burst)
{
    const struct limiter_window window = {rate, period_s * second_ns, burst};
    const struct limit_table_options options = {.windows = &window,
                                                .window_count = 1,
                                                .bytes = BYTES,
                                                .admit = true,
                                                .seed = svc__siphash_key()};
    struct limiter *limiter = NULL;
    svc__limit_table_new(&options, &limiter);
    return must(limiter);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static bool ask(struct limiter *limiter, uint32_t client, uint64_t now_ns, bool *undecided)
{
    const struct bytes part = {(const char *)&client, sizeof client};
    const struct limiter_key key = {&part, 1};
    struct limiter_decision decision;
    limiter->decide(limiter, &key, 1, now_ns, &decision);
    if (undecided)
        *undecided = decision.undecided;
    return decision.pass;
}

static double cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* ---- One decision */

/* A random cycle through the whole array, so that each load's place comes out of the one before. */
static uint64_t *make_chain(void)
{
    size_t count = BYTES / sizeof(uint64_t);
    uint64_t *chain = must(malloc(BYTES)), state = 88172645463325252;
    for (size_t i = 0; i < count; i++)
        chain[i] = i;
    for (size_t i = count - 1; i > 0; i--) {
        size_t j = next_random(&state) % i;
        uint64_t swapped = chain[i];
        chain[i] = chain[j];
        chain[j] = swapped;
    }
    return chain;
}

static double time_loads(const uint64_t *chain, uint64_t *at)
{
    double began = cpu_ns();
    for (size_t i = 0; i < STEPS; i++)
        *at = chain[*at];
    return (cpu_ns() - began) / STEPS;
}

struct asker {
    struct limiter *limiter;
    uint32_t first; /* of its keys */
    uint32_t count;
    uint64_t state;
    double ns; /* a decision */
    pthread_barrier_t *barrier;
};

static void time_decisions(struct asker *asker)
{
    double began = cpu_ns();
    for (size_t i = 0; i < STEPS; i++) {
        uint64_t random = next_random(&asker->state) >> 32;
        uint32_t client = asker->first + (uint32_t)(random * asker->count >> 32);
        ask(asker->limiter, client, second_ns + i, NULL);
    }
    asker->ns = (cpu_ns() - began) / STEPS;
}

static void fill(struct limiter *limiter, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        ask(limiter, first + i, second_ns, NULL);
}

static void bench_one(void)
{
    static double loads[MAX_ROUNDS], decisions[MAX_ROUNDS], ratios[MAX_ROUNDS];
    struct limiter *limiter = make_table(1, 86400, 1000);
    struct asker asker = {limiter, 0, (uint32_t)keys, 88172645463325252, 0, NULL};
    uint64_t *chain = make_chain(), at = 0;
    fill(limiter, 0, (uint32_t)keys);
    for (size_t i = 0; i < rounds; i++) {
        loads[i] = time_loads(chain, &at);
        time_decisions(&asker);
        decisions[i] = asker.ns;
        ratios[i] = decisions[i] / loads[i];
    }
    printf("one: load %.1f ns, decision %.1f ns, ratio %.2f (wanted: at most 2.5)%s\n",
           median(loads, rounds), median(decisions, rounds), median(ratios, rounds),
           at == UINT64_MAX ? "!" : "");
    asker.count = FEW;
    time_decisions(&asker);
    for (size_t i = 0; i < rounds; i++) {
        time_decisions(&asker);
        decisions[i] = asker.ns;
    }
    printf("in cache: decision %.1f ns\n", median(decisions, rounds));
    free(chain);
    limiter->free(limiter);
}

/* ---- Two threads */

static void *run_asker(void *arg)
{
    struct asker *asker = arg;
    pthread_barrier_wait(asker->barrier);
    time_decisions(asker);
    return NULL;
}

/* The decisions per CPU second of both threads together. */
static double rate_of_two(struct asker *a, struct asker *b)
{
    pthread_barrier_t barrier;
    pthread_t threads[2];
    pthread_barrier_init(&barrier, NULL, 2);
    a->barrier = b->barrier = &barrier;
    if (pthread_create(&threads[0], NULL, run_asker, a) ||
        pthread_create(&threads[1], NULL, run_asker, b))
        exit(1);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    pthread_barrier_destroy(&barrier);
    return 1 / a->ns + 1 / b->ns;
}

static double scaling(struct asker *a, struct asker *b)
{
    time_decisions(a);
    double before = a->ns, two = rate_of_two(a, b);
    time_decisions(a);
    return two * (before + a->ns) / 2;
}

static void bench_two(void)
{
    static double shared[MAX_ROUNDS], apart[MAX_ROUNDS], ratios[MAX_ROUNDS];
    uint32_t half = (uint32_t)keys / 2;
    struct limiter *tables[3];
    for (size_t i = 0; i < 3; i++)
        tables[i] = make_table(1, 86400, 1000);
    struct asker a = {tables[0], 0, half, 88172645463325252, 0, NULL};
    struct asker b = {tables[0], half, half, 1181783497276652981, 0, NULL};
    struct asker c = {tables[1], 0, half, 88172645463325252, 0, NULL};
    struct asker d = {tables[2], half, half, 1181783497276652981, 0, NULL};
    struct asker *all[] = {&a, &b, &c, &d};
    for (size_t i = 0; i < 4; i++)
        fill(all[i]->limiter, all[i]->first, half);
    for (size_t i = 0; i < rounds; i++) {
        apart[i] = scaling(&c, &d);
        shared[i] = scaling(&a, &b);
        ratios[i] = shared[i] / apart[i];
    }
    printf(
        "two threads: scaling %.2f apart, %.2f on one table, ratio %.3f (wanted: at least 0.95)\n",
        median(apart, rounds), median(shared, rounds), median(ratios, rounds));
    for (size_t i = 0; i < 3; i++)
        tables[i]->free(tables[i]);
}

/* ---- Ten million keys */

static void bench_through(const char *clock, uint64_t step_ns)
{
    struct limiter *limiter = make_table(1, 1, 10);
    size_t full = 0, refused = 0;
    bool undecided;
    double began = cpu_ns();
    for (uint32_t i = 0; i < THROUGH; i++) {
        refused += !ask(limiter, i, second_ns + i * step_ns, &undecided);
        full += undecided;
    }
    double ns = (cpu_ns() - began) / THROUGH;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("10 million keys, %s: %.0f ns each, %zu without room, %zu refused, "
           "largest size of the process so far %ld MiB\n",
           clock, ns, full, refused, usage.ru_maxrss / 1024);
    limiter->free(limiter);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        rounds = (size_t)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        keys = (size_t)strtoul(argv[2], NULL, 10);
    if (argc > 3 || rounds < 1 || rounds > MAX_ROUNDS || keys < 2 || keys > UINT32_MAX) {
        fputs("usage: limit [ROUNDS [KEYS]]\n", stderr);
        return 2;
    }
    bench_through("a million live", 1000);
    bench_through("all live", 0);
    bench_one();
    bench_two();
    return 0;
}
