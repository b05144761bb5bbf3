/*
 * Permits: a limit of how many threads or requests do something at once. Taking and giving back is
 * one atomic step each, and a refusal is a load, so that many refusals do not slow down the others.
 * The limit is fixed, or follows the reported durations.
 */
#ifndef SVC_STORE_PERMITS_H
#define SVC_STORE_PERMITS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "libsvc/store/gradient.h"

enum {
    PERMITS_MAX = 1000000,   /* the highest limit */
    PERMITS_SAMPLES = 20,    /* a window with fewer is not evaluated */
    PERMITS_WINDOW_MS = 100, /* its least length */
    PERMITS_STALE_MS = 5000  /* when one without enough samples ends all the same */
};

/* Read by each request, and written by the few that end a window. */
struct permits {
    _Alignas(64) _Atomic uint32_t taken;
    _Alignas(64) _Atomic uint32_t limit;
    _Atomic int pressure; /* enum gradient_pressure: the highest of this window */
    bool adaptive;

    /* The samples of this window. Two numbers that are not read at one instant: a sample more or
     * less does not matter. */
    _Alignas(64) _Atomic uint64_t count;
    _Atomic uint64_t sum_ns;
    _Atomic uint64_t ends_ns;   /* not before */
    _Atomic uint64_t latest_ns; /* the average of the samples in the window before */
    _Atomic bool closing;       /* a thread uses the members below */
    uint64_t began_ns;
    struct gradient gradient;
};

/* The permits' limit for critical requests: a quarter more, one at least. */
static inline uint32_t svc__permits_with_reserve(uint32_t limit)
{
    return limit + (limit + 3) / 4;
}

/* Permits with a fixed limit, 1 to PERMITS_MAX. */
void svc__permits_init(struct permits *permits, uint32_t limit);

/* Permits whose limit begins with `limit` and moves between `min` and `max`, as 1 <= min <= limit
 * <= max <= PERMITS_MAX. */
void svc__permits_init_adaptive(struct permits *permits, uint32_t min, uint32_t limit,
                                uint32_t max);

/* Takes a permit. False when as many are taken as the limit allows, for the critical with its
 * reserve. Any thread. */
bool svc__permits_take(struct permits *permits, bool critical);

/* Gives a permit back. Any thread. */
void svc__permits_give(struct permits *permits);

/*
 * Reports at `now_ns` for how long a permit was held. `whole`: the work was done; otherwise it
 * would have taken at least that long. Returns the change of the limit, mostly 0. Any thread.
 */
int32_t svc__permits_observe(struct permits *permits, uint64_t now_ns, uint64_t held_ns,
                             bool whole);

#endif
