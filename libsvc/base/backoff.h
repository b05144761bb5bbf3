/*
 * The delay before the next try after a failure: it doubles each time up to a ceiling, and has a
 * random part, so that clients that failed together do not come back together.
 */
#ifndef SVC_BASE_BACKOFF_H
#define SVC_BASE_BACKOFF_H

#include <stdint.h>

struct backoff {
    uint32_t min_ms, max_ms;
    uint64_t ceiling_ms; /* of the next delay */
};

/* Begins with delays of at least `min_ms`; none is over `max_ms`, which must not be less. */
void svc__backoff_init(struct backoff *backoff, uint32_t min_ms, uint32_t max_ms);

/*
 * The delay before the next try, in milliseconds. `random` has 64 random bits. The n-th delay, from
 * 0, lies between `min_ms` times 2^n and twice that; where the ceiling cuts this short, between
 * half of it and the whole. So no delay is shorter than the one before, until the ceiling.
 */
uint32_t svc__backoff_next(struct backoff *backoff, uint64_t random);

/* Begins anew: the last try has worked. */
void svc__backoff_reset(struct backoff *backoff);

#endif
