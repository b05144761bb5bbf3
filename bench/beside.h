/*
 * The measures beside which tables in memory are put: loads from random places, and two threads
 * that share nothing.
 */
#ifndef BENCH_BESIDE_H
#define BENCH_BESIDE_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/cpu.h"

/* Ends the program if something could not be made. */
static inline void *must(void *made)
{
    if (!made) {
        perror("bench");
        exit(1);
    }
    return made;
}

static inline uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* ---- Loads */

/* A random cycle through the whole array, so that each load's place comes out of the one before. */
static inline uint64_t *make_chain(size_t count)
{
    uint64_t *chain = must(malloc(count * sizeof *chain)), state = 88172645463325252;
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

/* The nanoseconds of one of `steps` loads, from `*at` on. */
static inline double time_loads(const uint64_t *chain, uint64_t *at, size_t steps)
{
    double began = cpu_ns();
    for (size_t i = 0; i < steps; i++)
        *at = chain[*at];
    return (cpu_ns() - began) / (double)steps;
}

/* ---- Two threads */

/* A thread's part; the first member of the benchmark's own struct. */
struct runner {
    void (*run)(struct runner *runner); /* sets `ns`, of one operation */
    double ns;
    pthread_barrier_t *barrier;
};

static inline void *run_beside(void *arg)
{
    struct runner *runner = arg;
    pthread_barrier_wait(runner->barrier);
    runner->run(runner);
    return NULL;
}

/* The operations per CPU nanosecond of both threads together. */
static inline double rate_of_two(struct runner *a, struct runner *b)
{
    pthread_barrier_t barrier;
    pthread_t threads[2];
    pthread_barrier_init(&barrier, NULL, 2);
    a->barrier = b->barrier = &barrier;
    if (pthread_create(&threads[0], NULL, run_beside, a) ||
        pthread_create(&threads[1], NULL, run_beside, b))
        exit(1);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    pthread_barrier_destroy(&barrier);
    return 1 / a->ns + 1 / b->ns;
}

/* That rate, to the first one's alone before and after. */
static inline double scaling(struct runner *a, struct runner *b)
{
    a->run(a);
    double before = a->ns, two = rate_of_two(a, b);
    a->run(a);
    return two * (before + a->ns) / 2;
}

#endif
