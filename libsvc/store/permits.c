/* Permits, and the windows of samples by which their limit moves. */
#include "libsvc/store/permits.h"

static const uint64_t ms_ns = 1000000;

void svc__permits_init(struct permits *permits, uint32_t limit)
{
    *permits = (struct permits){.adaptive = false};
    atomic_init(&permits->limit, limit);
}

void svc__permits_init_adaptive(struct permits *permits, uint32_t min, uint32_t limit, uint32_t max)
{
    svc__permits_init(permits, limit);
    permits->adaptive = true;
    svc__gradient_init(&permits->gradient, min, limit, max);
}

/* Stores only a new value, so that the cache line stays shared by all threads that read it. */
static void note(struct permits *permits, enum gradient_pressure pressure)
{
    if (atomic_load_explicit(&permits->pressure, memory_order_relaxed) < (int)pressure)
        atomic_store_explicit(&permits->pressure, pressure, memory_order_relaxed);
}

/* A compare and swap, because an addition that is taken back would for a moment refuse others. The
 * order of memory does not matter: a permit guards none. */
bool svc__permits_take(struct permits *permits, bool critical)
{
    uint32_t limit = atomic_load_explicit(&permits->limit, memory_order_relaxed);
    uint32_t most = critical ? svc__permits_with_reserve(limit) : limit;
    uint32_t taken = atomic_load_explicit(&permits->taken, memory_order_relaxed);
    do {
        if (taken >= most) {
            note(permits, GRADIENT_FULL);
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&permits->taken, &taken, taken + 1,
                                                    memory_order_relaxed, memory_order_relaxed));
    if (taken >= limit / 2)
        note(permits, GRADIENT_BUSY);
    return true;
}

void svc__permits_give(struct permits *permits)
{
    atomic_fetch_sub_explicit(&permits->taken, 1, memory_order_relaxed);
}

/* The shortest duration of a window: long enough that most of its samples began in it. */
static uint64_t least_ns(uint64_t held_ns)
{
    uint64_t window = PERMITS_WINDOW_MS * ms_ns;
    return held_ns > window / 2 ? 2 * held_ns : window;
}

static uint64_t stale_ns(uint64_t held_ns)
{
    uint64_t stale = PERMITS_STALE_MS * ms_ns;
    return held_ns > stale / 10 ? 10 * held_ns : stale;
}

static void begin_window(struct permits *permits, uint64_t now_ns)
{
    permits->began_ns = now_ns;
    atomic_store_explicit(&permits->ends_ns, now_ns + PERMITS_WINDOW_MS * ms_ns,
                          memory_order_relaxed);
    atomic_store_explicit(&permits->count, 0, memory_order_relaxed);
    atomic_store_explicit(&permits->sum_ns, 0, memory_order_relaxed);
    atomic_store_explicit(&permits->pressure, GRADIENT_CALM, memory_order_relaxed);
}

/* Called by the one thread that closes the window. */
static int32_t close_window(struct permits *permits, uint64_t now_ns)
{
    uint64_t count = atomic_load_explicit(&permits->count, memory_order_relaxed);
    uint64_t held_ns = atomic_load_explicit(&permits->sum_ns, memory_order_relaxed);
    held_ns = count ? held_ns / count : 0;
    bool enough = count >= PERMITS_SAMPLES;
    uint64_t lasts_ns = enough ? least_ns(held_ns) : stale_ns(held_ns);
    if (now_ns < permits->began_ns + lasts_ns) {
        if (enough)
            atomic_store_explicit(&permits->ends_ns, permits->began_ns + lasts_ns,
                                  memory_order_relaxed);
        return 0;
    }
    int pressure = atomic_load_explicit(&permits->pressure, memory_order_relaxed);
    uint32_t before = atomic_load_explicit(&permits->limit, memory_order_relaxed);
    uint32_t after =
        enough ? svc__gradient_next(&permits->gradient, held_ns, (enum gradient_pressure)pressure)
               : svc__gradient_skip(&permits->gradient);
    if (enough)
        atomic_store_explicit(&permits->latest_ns, held_ns, memory_order_relaxed);
    begin_window(permits, now_ns);
    atomic_store_explicit(&permits->limit, after, memory_order_relaxed);
    return (int32_t)after - (int32_t)before;
}

/*
 * The duration of unfinished work is only a lower bound, so mostly it is no sample. But when
 * clients give up, the slowest requests would be missing, so a duration above the average counts.
 */
static bool counts(struct permits *permits, uint64_t held_ns, bool whole)
{
    return whole || held_ns > atomic_load_explicit(&permits->latest_ns, memory_order_relaxed);
}

int32_t svc__permits_observe(struct permits *permits, uint64_t now_ns, uint64_t held_ns, bool whole)
{
    if (!permits->adaptive || !counts(permits, held_ns, whole))
        return 0;
    atomic_fetch_add_explicit(&permits->sum_ns, held_ns, memory_order_relaxed);
    atomic_fetch_add_explicit(&permits->count, 1, memory_order_relaxed);
    if (now_ns < atomic_load_explicit(&permits->ends_ns, memory_order_relaxed) ||
        atomic_exchange_explicit(&permits->closing, true, memory_order_acquire))
        return 0;
    int32_t change = close_window(permits, now_ns);
    atomic_store_explicit(&permits->closing, false, memory_order_release);
    return change;
}
