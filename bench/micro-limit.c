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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench/beside.h"
#include "bench/median.h"
#include "libsvc/base/clock.h"
#include "libsvc/base/rand.h"
#include "libsvc/store/limit_table.h"

enum { BYTES = 64 << 20, STEPS = 300000, FEW = 1000, MAX_ROUNDS = 999, THROUGH = 10000000 };

static const uint64_t second_ns = 1000000000;
static size_t rounds = 31, keys = 1000000;

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

/* ---- One decision */

struct asker {
    struct runner runner; /* first */
    struct limiter *limiter;
    uint32_t first; /* of its keys */
    uint32_t count;
    uint64_t state;
};

static void time_decisions(struct runner *runner)
{
    struct asker *asker = (struct asker *)(void *)runner;
    double began = cpu_ns();
    for (size_t i = 0; i < STEPS; i++) {
        uint64_t random = next_random(&asker->state) >> 32;
        uint32_t client = asker->first + (uint32_t)(random * asker->count >> 32);
        ask(asker->limiter, client, second_ns + i, NULL);
    }
    runner->ns = (cpu_ns() - began) / STEPS;
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
    struct asker asker = {{.run = time_decisions}, limiter, 0, (uint32_t)keys, 88172645463325252};
    uint64_t *chain = make_chain(BYTES / sizeof(uint64_t)), at = 0;
    fill(limiter, 0, (uint32_t)keys);
    for (size_t i = 0; i < rounds; i++) {
        loads[i] = time_loads(chain, &at, STEPS);
        time_decisions(&asker.runner);
        decisions[i] = asker.runner.ns;
        ratios[i] = decisions[i] / loads[i];
    }
    printf("one: load %.1f ns, decision %.1f ns, ratio %.2f (wanted: at most 2.5)%s\n",
           median(loads, rounds), median(decisions, rounds), median(ratios, rounds),
           at == UINT64_MAX ? "!" : "");
    asker.count = FEW;
    time_decisions(&asker.runner);
    for (size_t i = 0; i < rounds; i++) {
        time_decisions(&asker.runner);
        decisions[i] = asker.runner.ns;
    }
    printf("in cache: decision %.1f ns\n", median(decisions, rounds));
    free(chain);
    limiter->free(limiter);
}

/* ---- Two threads */

static void bench_two(void)
{
    static double shared[MAX_ROUNDS], apart[MAX_ROUNDS], ratios[MAX_ROUNDS];
    uint32_t half = (uint32_t)keys / 2;
    struct limiter *tables[3];
    for (size_t i = 0; i < 3; i++)
        tables[i] = make_table(1, 86400, 1000);
    struct asker a = {{.run = time_decisions}, tables[0], 0, half, 88172645463325252};
    struct asker b = {{.run = time_decisions}, tables[0], half, half, 1181783497276652981};
    struct asker c = {{.run = time_decisions}, tables[1], 0, half, 88172645463325252};
    struct asker d = {{.run = time_decisions}, tables[2], half, half, 1181783497276652981};
    struct asker *all[] = {&a, &b, &c, &d};
    for (size_t i = 0; i < 4; i++)
        fill(all[i]->limiter, all[i]->first, half);
    for (size_t i = 0; i < rounds; i++) {
        apart[i] = scaling(&c.runner, &d.runner);
        shared[i] = scaling(&a.runner, &b.runner);
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
