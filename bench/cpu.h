/* The time of a thread's CPU, by which benchmarks count, since others may use the machine
 * meanwhile. */
#ifndef BENCH_CPU_H
#define BENCH_CPU_H

#include <time.h>

static inline double cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

#endif
