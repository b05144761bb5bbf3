/* Single parts of a request, which are measured in turns, by the thread's CPU time: other programs
 * on the machine disturb that less. */
#ifndef BENCH_PART_H
#define BENCH_PART_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/cpu.h"
#include "bench/median.h"

/* Runs in a turn, at first; a program whose parts are long has its own number. */
#ifndef PART_TIMES
#define PART_TIMES 1000
#endif

enum { PART_TURNS = 15, PART_TURN_NS = 20000000 };

struct part {
    const char *name;
    size_t (*run)(void *arg, size_t times); /* 0 for a wrong result */
    void *arg;
    double ns[PART_TURNS];
};

static inline double part_run(const struct part *part)
{
    size_t times = PART_TIMES;
    for (;;) {
        double began = cpu_ns();
        if (!part->run(part->arg, times)) {
            fprintf(stderr, "%s: wrong\n", part->name);
            exit(1);
        }
        double took = cpu_ns() - began;
        if (took >= PART_TURN_NS)
            return took / (double)times;
        times *= took * 4 < PART_TURN_NS ? 4 : 2;
    }
}

/* Prints the median of each part, or only of the one with that name. */
static inline void part_run_all(struct part *parts, size_t count, const char *only)
{
    for (size_t turn = 0; turn < PART_TURNS; turn++)
        for (size_t i = 0; i < count; i++)
            if (!only || !strcmp(only, parts[i].name))
                parts[i].ns[turn] = part_run(&parts[i]);
    for (size_t i = 0; i < count; i++)
        if (!only || !strcmp(only, parts[i].name))
            printf("%s %.2f\n", parts[i].name, median(parts[i].ns, PART_TURNS));
}

#endif
