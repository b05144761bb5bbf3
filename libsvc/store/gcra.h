/*
 * The generic cell rate algorithm as arithmetic: a window's whole state for a key is one number,
 * the theoretical arrival time (TAT) of the next request that keeps to the rate.
 *
 * Times are counted in units of the window's own: one interval between requests at its rate is
 * exactly 2^interval_bits of them. So a rate of 3 per second is as exact as one of 10, and nothing
 * accumulates. A TAT has as few bits as its rate allows, so that the rest of a 64-bit word is left
 * for a fingerprint of the key:
 *
 *     rate per second    bits of a TAT    its unit, about
 *     up to 64           40               1/4096 s, but at most 1/64 of an interval
 *     1,000              44               15 us
 *     16,000 and more    48               1 us
 *
 * Time ends for a window after GCRA_SECONDS, eight and a half years from its epoch.
 */
#ifndef SVC_STORE_GCRA_H
#define SVC_STORE_GCRA_H

#include <svc/rate_limit.h>

#include "libsvc/store/limiter.h"

enum {
    GCRA_TAT_BITS_MIN = 40,
    GCRA_TAT_BITS_MAX = 48,
    GCRA_SECONDS = 1 << 28,
    GCRA_RATE_MAX = 1000000,
};

/* A burst has at most this size; a period is at most 366 days; a program's rate is at most a
 * million per second. */
#define GCRA_BURST_MAX (UINT64_C(1) << 31)
#define GCRA_PERIOD_MAX (UINT64_C(366) * 86400 * 1000000000)

struct gcra {
    uint64_t scale; /* units in a nanosecond, times 2^(64 + shift) */
    unsigned shift;
    unsigned interval_bits; /* an interval has 2^interval_bits units */
    unsigned tat_bits;      /* every TAT fits */
    uint64_t tolerance;     /* the burst, in units */
    uint64_t end;           /* the last time that can be represented */
    struct limiter_window window;
};

/* Converts a program's window, whose name is not looked at. SVC_EINVAL when a number is not as
 * svc_rate_window demands. Pure. */
int svc__gcra_window(struct limiter_window *window, const svc_rate_window *from);

/*
 * Prepares a window. SVC_EINVAL when a member is 0 or over its maximum, or the rate is over about a
 * million per second. Pure, as the rest.
 */
int svc__gcra_init(struct gcra *gcra, const struct limiter_window *window);

/* Converts nanoseconds since the epoch to units, rounded down. May be past the end. */
static inline uint64_t svc__gcra_units(const struct gcra *gcra, uint64_t ns)
{
    return (uint64_t)((unsigned __int128)ns * gcra->scale >> 64) >> gcra->shift;
}

/* Converts units to nanoseconds, rounded up, at most UINT64_MAX - 1. */
uint64_t svc__gcra_ns(const struct gcra *gcra, uint64_t units);

/*
 * Whether `cost` passes at `now` under `tat`, which is 0 for a key without one; `*next` is then the
 * TAT to store. When it does not pass, `*next` must not be stored.
 */
static inline bool svc__gcra_pass(const struct gcra *gcra, uint64_t tat, uint64_t now,
                                  uint32_t cost, uint64_t *next)
{
    uint64_t from = tat > now ? tat : now;
    *next = from + ((uint64_t)cost << gcra->interval_bits);
    return cost == 0 || *next - now <= gcra->tolerance;
}

/* The remaining requests of a window at `now` under `tat`. `retry_ns` is 0. */
void svc__gcra_quota(const struct gcra *gcra, uint64_t tat, uint64_t now,
                     struct limiter_quota *quota);

/* The nanoseconds from `now` until `cost`, which does not pass then under `tat`, would pass, or
 * LIMITER_NEVER. */
uint64_t svc__gcra_retry_ns(const struct gcra *gcra, uint64_t tat, uint64_t now, uint32_t cost);

#endif
