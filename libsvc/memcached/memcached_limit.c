/*
 * The state of a window is its theoretical arrival time (TAT): the time at which all of its burst
 * remains again. It is counted in units of which `rate` make a microsecond, so that the interval
 * between two requests at the rate is a whole number of them, and nothing is rounded until it is
 * shown.
 */
#include "libsvc/memcached/memcached_limit.h"

#include <string.h>

typedef unsigned __int128 wide;

enum { MARK = 'L', WORD_BYTES = 8, WINDOW_WORDS = 5 /* rate, period, burst, and a TAT of two */ };

static const uint64_t second_us = 1000000;

/* A window at work, in its units. */
struct gauge {
    wide interval, room, cost, now, tat;
    uint64_t rate;
};

static void put_word(struct memcached_limit *limit, uint64_t word)
{
    for (unsigned i = 0; i < WORD_BYTES; i++)
        limit->bytes[limit->len++] = (char)(word >> 8 * (WORD_BYTES - 1 - i));
}

static uint64_t get_word(const char *state, size_t window, size_t index)
{
    const unsigned char *at =
        (const unsigned char *)state + 1 + (window * WINDOW_WORDS + index) * WORD_BYTES;
    uint64_t word = 0;
    for (unsigned i = 0; i < WORD_BYTES; i++)
        word = word << 8 | at[i];
    return word;
}

static uint64_t burst_of(const svc_rate_window *window)
{
    return window->burst ? window->burst : window->rate;
}

/* Whether the state was stored for the same windows. */
static bool has_windows(const char *state, size_t len, const svc_store_charge *charge)
{
    size_t same = 0;
    if (len != 1 + charge->window_count * WINDOW_WORDS * WORD_BYTES)
        return false;
    for (size_t i = 0; i < charge->window_count; i++) {
        const svc_rate_window *window = &charge->windows[i];
        same += get_word(state, i, 0) == window->rate &&
                get_word(state, i, 1) == window->period_s &&
                get_word(state, i, 2) == burst_of(window);
    }
    return same == charge->window_count;
}

static bool is_state(const char *state, size_t len)
{
    const size_t window = (size_t)WINDOW_WORDS * WORD_BYTES;
    return len <= MEMCACHED_LIMIT_BYTES && len > 1 && state[0] == MARK && (len - 1) % window == 0;
}

/* Units as microseconds, rounded up. */
static uint64_t to_us(const struct gauge *gauge, wide units)
{
    wide us = (units + gauge->rate - 1) / gauge->rate;
    return us < UINT64_MAX ? (uint64_t)us : UINT64_MAX - 1;
}

static wide ahead_of(const struct gauge *gauge)
{
    return gauge->tat > gauge->now ? gauge->tat - gauge->now : 0;
}

static bool has_room(const struct gauge *gauge)
{
    return gauge->cost == 0 || ahead_of(gauge) + gauge->cost <= gauge->room;
}

/* The quota of a window as it now stands; `refused`: by this window. */
static svc_store_quota show_quota(const struct gauge *gauge, bool refused)
{
    svc_store_quota quota = {0};
    wide ahead = ahead_of(gauge);
    quota.remaining = ahead < gauge->room ? (uint64_t)((gauge->room - ahead) / gauge->interval) : 0;
    if (ahead > 0)
        quota.next_us =
            to_us(gauge, ahead + (wide)(quota.remaining + 1) * gauge->interval - gauge->room);
    quota.reset_us = to_us(gauge, ahead);
    if (refused)
        quota.retry_us = gauge->cost > gauge->room
                             ? UINT64_MAX
                             : to_us(gauge, ahead + gauge->cost - gauge->room);
    return quota;
}

static struct gauge read_gauge(const svc_store_charge *charge, size_t window, const char *state,
                               uint64_t now_us)
{
    const svc_rate_window *from = &charge->windows[window];
    struct gauge gauge = {.interval = (wide)from->period_s * second_us, .rate = from->rate};
    gauge.room = gauge.interval * burst_of(from);
    gauge.cost = gauge.interval * charge->cost;
    gauge.now = (wide)now_us * gauge.rate;
    if (state)
        gauge.tat = (wide)get_word(state, window, 3) << 64 | get_word(state, window, 4);
    return gauge;
}

int svc__memcached_limit_decide(const svc_store_charge *charge, const void *state, size_t len,
                                uint64_t now_us, svc_store_verdict *verdict,
                                struct memcached_limit *next)
{
    struct gauge gauges[SVC_STORE_WINDOWS];
    if (len > 0 && !is_state(state, len))
        return SVC_ESYNTAX;
    const char *same = has_windows(state, len, charge) ? state : NULL;
    *verdict = (svc_store_verdict){.pass = true};
    *next = (struct memcached_limit){.bytes = {MARK}, .len = 1};
    for (size_t i = 0; i < charge->window_count; i++) {
        gauges[i] = read_gauge(charge, i, same, now_us);
        if (!has_room(&gauges[i]))
            verdict->refused |= 1U << i;
    }
    verdict->pass = verdict->refused == 0;
    for (size_t i = 0; i < charge->window_count; i++) {
        struct gauge *gauge = &gauges[i];
        if (verdict->pass && gauge->cost > 0)
            gauge->tat = gauge->now + ahead_of(gauge) + gauge->cost;
        verdict->quotas[i] = show_quota(gauge, verdict->refused >> i & 1);
        put_word(next, gauge->rate);
        put_word(next, charge->windows[i].period_s);
        put_word(next, burst_of(&charge->windows[i]));
        put_word(next, (uint64_t)(gauge->tat >> 64));
        put_word(next, (uint64_t)gauge->tat);
        if (verdict->quotas[i].reset_us / 1000 >= next->ttl_ms)
            next->ttl_ms = verdict->quotas[i].reset_us / 1000 + 1;
    }
    return 0;
}
