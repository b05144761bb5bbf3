/* The median, which all benchmarks report of several turns. */
#ifndef BENCH_MEDIAN_H
#define BENCH_MEDIAN_H

#include <stdlib.h>

static inline int median_compare(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

/* The middle one of `count` values, which it sorts. */
static inline double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, median_compare);
    return values[count / 2];
}

#endif
