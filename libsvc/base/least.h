/* The smaller of two numbers, as a function: a macro would evaluate one of them twice. */
#ifndef SVC_BASE_LEAST_H
#define SVC_BASE_LEAST_H

#include <stddef.h>
#include <stdint.h>

/* The smaller size. Any thread. */
static inline size_t svc__least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The smaller number, or the earlier time. Any thread. */
static inline uint64_t svc__least_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

#endif
