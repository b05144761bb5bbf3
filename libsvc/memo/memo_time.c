#include "libsvc/memo/memo_time.h"

enum { UNLIKELY = 40 }; /* an exponential random number is above it once in 2^57 times */

static uint64_t age_of(const struct memo_entry *entry, uint64_t now_ms)
{
    return now_ms > entry->made_ms ? now_ms - entry->made_ms : 0;
}

enum memo_age svc__memo_time_age(const struct memo_entry *entry, uint64_t now_ms,
                                 const struct memo_limits *limits)
{
    uint64_t age_ms = age_of(entry, now_ms);
    if (age_ms < entry->fresh_ms)
        return MEMO_AGE_FRESH;
    uint64_t past_ms = age_ms - entry->fresh_ms;
    if (entry->negative)
        return MEMO_AGE_OVER;
    if (past_ms < limits->stale_ms)
        return MEMO_AGE_STALE;
    return past_ms < limits->spare_ms ? MEMO_AGE_SPARE : MEMO_AGE_OVER;
}

uint64_t svc__memo_time_fresh(uint64_t ttl_ms, unsigned jitter_percent,
                              const struct memo_chance *chance)
{
    uint64_t most = ttl_ms * jitter_percent / 100;
    uint64_t less = jitter_percent ? chance->next(chance->state) % (most + 1) : 0;
    return ttl_ms > less ? ttl_ms - less : 1;
}

/*
 * John von Neumann's method, which needs no logarithm: of a falling row of random numbers, the
 * first is the fraction if the row's length is odd; else one is added, and another row is made.
 */
double svc__memo_time_exponential(const struct memo_chance *chance)
{
    for (double whole = 0;; whole++) {
        uint64_t first = chance->next(chance->state), last = first, next;
        bool odd = true;
        while ((next = chance->next(chance->state)) < last) {
            last = next;
            odd = !odd;
        }
        if (odd)
            return whole + (double)first / 18446744073709551616.0; /* 2^64 */
    }
}

bool svc__memo_time_early(const struct memo_entry *entry, uint64_t now_ms, double factor,
                          const struct memo_chance *chance)
{
    double left_ms = (double)entry->fresh_ms - (double)age_of(entry, now_ms);
    double span_ms = (double)entry->took_us / 1000 * factor;
    if (span_ms <= 0 || left_ms > span_ms * UNLIKELY)
        return false;
    return svc__memo_time_exponential(chance) * span_ms >= left_ms;
}
