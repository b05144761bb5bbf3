/* When a stored value is fresh, stale or due to be loaded anew. Pure functions of time and chance.
 */
#ifndef SVC_MEMO_MEMO_TIME_H
#define SVC_MEMO_MEMO_TIME_H

#include "libsvc/memo/memo_entry.h"

/* What may be done with an entry. */
enum memo_age {
    MEMO_AGE_FRESH, /* given as it is */
    MEMO_AGE_STALE, /* given while it is loaded anew */
    MEMO_AGE_SPARE, /* given only if that load fails */
    MEMO_AGE_OVER   /* not given */
};

/* For how long, from the end of its freshness on, an entry is stale, and spare. */
struct memo_limits {
    uint64_t stale_ms, spare_ms;
};

/* A negative entry is never stale nor spare. An entry of the future, whose instance has a clock
 * that is ahead, is as old as one of now. */
enum memo_age svc__memo_time_age(const struct memo_entry *entry, uint64_t now_ms,
                                 const struct memo_limits *limits);

/* Random bits: `next(state)` gives 64 of them. */
struct memo_chance {
    uint64_t (*next)(void *state);
    void *state;
};

/* The time for which an entry is fresh: `ttl_ms`, less a random part of up to `jitter_percent` of
 * it; at least 1. */
uint64_t svc__memo_time_fresh(uint64_t ttl_ms, unsigned jitter_percent,
                              const struct memo_chance *chance);

/* A random number whose distribution is exponential, of mean 1. */
double svc__memo_time_exponential(const struct memo_chance *chance);

/*
 * Whether to load a fresh entry anew already: if the end of its freshness is no further away than
 * the time of its load, times `factor`, times an exponential random number. Of many that ask all
 * the time, this lets few begin, and the later the more (Vattani, Chierichetti, Lowenstein: Optimal
 * Probabilistic Cache Stampede Prevention, 2015).
 */
bool svc__memo_time_early(const struct memo_entry *entry, uint64_t now_ms, double factor,
                          const struct memo_chance *chance);

#endif
