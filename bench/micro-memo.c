/*
 * The cost of a hit of a memo over svc_store_get alone, by the same keys on the same memory store:
 * ratios within one run, since absolute times depend on the machine.
 *
 *     make bench/micro-memo && bench/micro-memo [ROUNDS]
 *
 * The difference is the judgement of the entry: a hash over its head and its key, and a look at the
 * clock.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

#include "bench/beside.h"
#include "bench/median.h"

enum { STEPS = 200000, MAX_ROUNDS = 999, ENTRIES = 10000, VALUE_BYTES = 64 };

static char keys[ENTRIES][16];

static int load_zeros(svc_memo_load *load, const char *key, void *arg)
{
    static const char bytes[VALUE_BYTES];
    (void)key, (void)arg;
    return svc_memo_load_value(load, bytes, sizeof bytes);
}

static double time_gets(svc_store *store, uint64_t *state)
{
    double began = cpu_ns();
    for (size_t i = 0; i < STEPS; i++) {
        svc_store_value value;
        if (svc_store_get(store, NULL, keys[(next_random(state) >> 32) % ENTRIES], &value))
            exit(1);
        svc_store_value_free(&value);
    }
    return (cpu_ns() - began) / STEPS;
}

static double time_hits(svc_memo *memo, uint64_t *state)
{
    double began = cpu_ns();
    for (size_t i = 0; i < STEPS; i++) {
        svc_store_value value;
        if (svc_memo_get(memo, NULL, keys[(next_random(state) >> 32) % ENTRIES], load_zeros, NULL,
                         &value))
            exit(1);
        svc_store_value_free(&value);
    }
    return (cpu_ns() - began) / STEPS;
}

static void fill_both(svc_store *store, svc_memo *memo)
{
    static const char bytes[VALUE_BYTES];
    const svc_store_value stored = {bytes, sizeof bytes, 0, NULL};
    for (size_t i = 0; i < ENTRIES; i++) {
        svc_store_value value;
        snprintf(keys[i], sizeof keys[i], "key%zu", i);
        if (svc_store_set(store, NULL, keys[i], &stored, 0) ||
            svc_memo_get(memo, NULL, keys[i], load_zeros, NULL, &value))
            exit(1);
        svc_store_value_free(&value);
    }
}

int main(int argc, char **argv)
{
    static double gets[MAX_ROUNDS], hits[MAX_ROUNDS], ratios[MAX_ROUNDS];
    size_t rounds = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 15;
    uint64_t get_state = 7, hit_state = 7;
    svc_memo_options options = SVC_MEMO_OPTIONS_INIT;
    if (argc > 2 || rounds < 1 || rounds > MAX_ROUNDS) {
        fputs("usage: micro-memo [ROUNDS]\n", stderr);
        return 2;
    }
    options.name = "bench";
    options.ttl_ms = 86400000;
    svc_app *app = must(svc_app_new("bench"));
    svc_memo *memo = must(svc_memo_new(app, svc_store_open(app, NULL), &options));
    svc_store *store = must(svc_test_store(app));
    fill_both(store, memo);
    for (size_t i = 0; i < rounds; i++) {
        gets[i] = time_gets(store, &get_state);
        hits[i] = time_hits(memo, &hit_state);
        ratios[i] = hits[i] / gets[i];
    }
    printf("svc_store_get %.1f ns, a hit of svc_memo_get %.1f ns, ratio %.2f\n",
           median(gets, rounds), median(hits, rounds), median(ratios, rounds));
    svc_app_free(app);
    return 0;
}
