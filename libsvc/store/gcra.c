/* The generic cell rate algorithm: preparing a window, and its results in nanoseconds. */
#include "libsvc/store/gcra.h"

#include <svc/errors.h>

typedef unsigned __int128 wide;

static const uint64_t second_ns = 1000000000;

/* A finer unit than this part of an interval is not worth a bit of the fingerprint. */
enum { INTERVAL_BITS_WANTED = 6, INTERVAL_BITS_MAX = 28 };

/* How many intervals must fit into a TAT: those until the end of time, and a burst beyond it. */
static wide intervals(const struct limiter_window *window)
{
    wide end_ns = (wide)GCRA_SECONDS * second_ns;
    return end_ns * window->rate / window->period_ns + window->burst + 2;
}

/* The smallest TAT in which an interval is fine enough; failing that, the largest. */
static int choose_bits(struct gcra *gcra, wide count)
{
    for (unsigned bits = GCRA_TAT_BITS_MIN; bits <= GCRA_TAT_BITS_MAX; bits++) {
        unsigned fine = INTERVAL_BITS_MAX;
        while (fine > 0 && count << fine > (wide)1 << bits)
            fine--;
        gcra->tat_bits = bits;
        gcra->interval_bits = fine;
        if (fine >= INTERVAL_BITS_WANTED)
            return 0;
    }
    return count <= (wide)1 << GCRA_TAT_BITS_MAX ? 0 : SVC_EINVAL;
}

/*
 * Sets the scale: the units in a nanosecond, fewer than one, as a fraction of 64 significant bits.
 * It is rounded up, so that a whole interval is never a unit short; that makes a clock fast by one
 * part in 2^63, which is a nanosecond in 292 years.
 */
static void choose_scale(struct gcra *gcra)
{
    uint64_t period = gcra->window.period_ns;
    uint64_t units = gcra->window.rate << gcra->interval_bits;
    gcra->shift = 0;
    while (units <= period / 2) {
        units <<= 1;
        gcra->shift++;
    }
    gcra->scale = (uint64_t)((((wide)units << 64) + period - 1) / period);
}

static bool window_valid(const struct limiter_window *window)
{
    return window->rate > 0 && window->rate <= GCRA_BURST_MAX && window->burst > 0 &&
           window->burst <= GCRA_BURST_MAX && window->period_ns > 0 &&
           window->period_ns <= GCRA_PERIOD_MAX;
}

int svc__gcra_window(struct limiter_window *window, const svc_rate_window *from)
{
    *window = (struct limiter_window){from->rate, from->period_s * second_ns,
                                      from->burst ? from->burst : from->rate};
    bool slow_enough = from->rate <= (uint64_t)GCRA_RATE_MAX * from->period_s;
    return window_valid(window) && slow_enough ? 0 : SVC_EINVAL;
}

int svc__gcra_init(struct gcra *gcra, const struct limiter_window *window)
{
    if (!window_valid(window) || choose_bits(gcra, intervals(window)))
        return SVC_EINVAL;
    gcra->window = *window;
    choose_scale(gcra);
    gcra->tolerance = window->burst << gcra->interval_bits;
    gcra->end = svc__gcra_units(gcra, GCRA_SECONDS * second_ns);
    return 0;
}

uint64_t svc__gcra_ns(const struct gcra *gcra, uint64_t units)
{
    uint64_t in_period = gcra->window.rate << gcra->interval_bits;
    wide ns = ((wide)units * gcra->window.period_ns + in_period - 1) / in_period;
    return ns < LIMITER_NEVER ? (uint64_t)ns : LIMITER_NEVER - 1;
}

/* How far a TAT lies ahead: the units that the key has used and not yet regained. */
static uint64_t used(uint64_t tat, uint64_t now)
{
    return tat > now ? tat - now : 0;
}

void svc__gcra_quota(const struct gcra *gcra, uint64_t tat, uint64_t now,
                     struct limiter_quota *quota)
{
    uint64_t ahead = used(tat, now);
    uint64_t free = ahead < gcra->tolerance ? gcra->tolerance - ahead : 0;
    quota->remaining = free >> gcra->interval_bits;
    uint64_t one_more = (quota->remaining + 1) << gcra->interval_bits;
    quota->next_ns = ahead ? svc__gcra_ns(gcra, ahead + one_more - gcra->tolerance) : 0;
    quota->reset_ns = svc__gcra_ns(gcra, ahead);
    quota->retry_ns = 0;
}

uint64_t svc__gcra_retry_ns(const struct gcra *gcra, uint64_t tat, uint64_t now, uint32_t cost)
{
    if (cost > gcra->window.burst)
        return LIMITER_NEVER;
    uint64_t wanted = used(tat, now) + ((uint64_t)cost << gcra->interval_bits);
    return svc__gcra_ns(gcra, wanted - gcra->tolerance);
}
