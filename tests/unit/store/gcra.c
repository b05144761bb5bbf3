#include <criterion/criterion.h>
#include <string.h>

#include <svc/errors.h>

#include "libsvc/store/gcra.h"

static const uint64_t second = 1000000000, day = UINT64_C(86400) * 1000000000;

static struct gcra make(uint64_t rate, uint64_t period_ns, uint64_t burst)
{
    const struct limiter_window window = {rate, period_ns, burst};
    struct gcra gcra;
    cr_assert_eq(svc__gcra_init(&gcra, &window), 0, "%lu per %lu ns", rate, period_ns);
    return gcra;
}

/* One key of a window, as a limiter keeps it. */
struct key {
    struct gcra gcra;
    uint64_t tat;
};

struct answer {
    bool pass;
    struct limiter_quota quota;
};

static struct answer ask(struct key *key, uint64_t now_ns, uint32_t cost)
{
    struct answer answer;
    uint64_t now = svc__gcra_units(&key->gcra, now_ns), next;
    answer.pass = svc__gcra_pass(&key->gcra, key->tat, now, cost, &next);
    uint64_t before = key->tat;
    if (answer.pass && cost)
        key->tat = next;
    svc__gcra_quota(&key->gcra, key->tat, now, &answer.quota);
    if (!answer.pass)
        answer.quota.retry_ns = svc__gcra_retry_ns(&key->gcra, before, now, cost);
    return answer;
}

/* ---- The vectors of the reference */

/* 10 per second, burst 10, 11 calls at one time: remaining 9, 8, …, 0; the 11th is denied, may try
 * again after 0.1 s, and all is back after 1 s. */
Test(store_gcra, eleven_calls_at_ten_per_second)
{
    struct key key = {make(10, second, 10), 0};
    for (uint64_t i = 0; i < 10; i++) {
        struct answer answer = ask(&key, 0, 1);
        cr_assert(answer.pass);
        cr_expect_eq(answer.quota.remaining, 9 - i);
        cr_expect_eq(answer.quota.reset_ns, (i + 1) * second / 10);
        cr_expect_eq(answer.quota.next_ns, second / 10);
    }
    struct answer last = ask(&key, 0, 1);
    cr_expect_not(last.pass);
    cr_expect_eq(last.quota.remaining, 0);
    cr_expect_eq(last.quota.retry_ns, second / 10);
    cr_expect_eq(last.quota.reset_ns, second);
}

/* Denied: the store is unchanged. */
Test(store_gcra, a_denial_charges_nothing)
{
    struct key key = {make(10, second, 10), 0};
    for (int i = 0; i < 10; i++)
        ask(&key, 0, 1);
    uint64_t tat = key.tat;
    for (int i = 0; i < 100; i++)
        cr_expect_not(ask(&key, 0, 1).pass);
    cr_expect_eq(key.tat, tat);
}

/* What retry_after says is true to the nanosecond: not one earlier. */
Test(store_gcra, passes_when_retry_says_and_not_before)
{
    struct key key = {make(10, second, 10), 0};
    for (int i = 0; i < 10; i++)
        ask(&key, 0, 1);
    cr_expect_not(ask(&key, second / 10 - 1, 1).pass);
    cr_expect(ask(&key, second / 10, 1).pass);
    cr_expect_not(ask(&key, second / 10, 1).pass);
}

/* n = 0: a look, and nothing is stored. */
Test(store_gcra, a_cost_of_nothing_looks)
{
    struct key key = {make(10, second, 10), 0};
    struct answer fresh = ask(&key, 0, 0);
    cr_expect(fresh.pass);
    cr_expect_eq(fresh.quota.remaining, 10);
    cr_expect_eq(fresh.quota.next_ns, 0);
    cr_expect_eq(fresh.quota.reset_ns, 0);
    cr_expect_eq(key.tat, 0);
    for (int i = 0; i < 11; i++)
        ask(&key, 0, 1);
    struct answer spent = ask(&key, 0, 0);
    cr_expect(spent.pass);
    cr_expect_eq(spent.quota.remaining, 0);
    cr_expect_eq(spent.quota.reset_ns, second);
}

/* n*T > tau: can never pass, and says so. */
Test(store_gcra, a_cost_over_the_burst_never_passes)
{
    struct key key = {make(10, second, 10), 0};
    struct answer answer = ask(&key, 0, 11);
    cr_expect_not(answer.pass);
    cr_expect_eq(answer.quota.retry_ns, LIMITER_NEVER);
    cr_expect_eq(answer.quota.remaining, 10, "it takes nothing");
    cr_expect_not(ask(&key, 1000 * day, UINT32_MAX).pass);
    cr_expect(ask(&key, 0, 10).pass);
}

/* A cost above what remains is denied whole; what remains stays for a smaller one. */
Test(store_gcra, a_cost_takes_all_or_nothing)
{
    struct key key = {make(10, second, 10), 0};
    cr_expect_eq(ask(&key, 0, 7).quota.remaining, 3);
    struct answer denied = ask(&key, 0, 5);
    cr_expect_not(denied.pass);
    cr_expect_eq(denied.quota.remaining, 3);
    cr_expect_eq(denied.quota.retry_ns, second / 5);
    cr_expect(ask(&key, 0, 3).pass);
}

/* remaining = floor(diff / T). */
Test(store_gcra, what_comes_back_counts_when_it_is_whole)
{
    struct key key = {make(10, second, 10), 0};
    ask(&key, 0, 10);
    cr_expect_eq(ask(&key, second * 25 / 100, 0).quota.remaining, 2);
    cr_expect_eq(ask(&key, second * 2999 / 10000, 0).quota.remaining, 2);
    cr_expect_eq(ask(&key, second * 3 / 10, 0).quota.remaining, 3);
    cr_expect_eq(ask(&key, second * 999 / 1000, 0).quota.remaining, 9);
    cr_expect_eq(ask(&key, second, 0).quota.remaining, 10);
    cr_expect_eq(ask(&key, 1000 * second, 0).quota.remaining, 10);
}

/* ---- Exactness */

struct window_row {
    uint64_t rate, period_ns, burst;
};

static const struct window_row windows[] = {
    {10, 1000000000, 10},
    {3, 1000000000, 1},
    {7, 1000000000, 3},
    {1, 1000000000, 1},
    {1, UINT64_C(86400) * 1000000000, 1},
    {1000, UINT64_C(86400) * 1000000000, 50},
    {60, UINT64_C(60) * 1000000000, 20},
    {64, 1000000000, 64},
    {1000, 1000000000, 100},
    {12345, 1000000000, 777},
    {333333, 1000000000, 5},
    {1000000, 1000000000, 1},
    {1000000, 1000000000, UINT64_C(1) << 31},
    {1, UINT64_C(366) * 86400 * 1000000000, UINT64_C(1) << 31},
    {UINT64_C(1) << 31, UINT64_C(366) * 86400 * 1000000000, UINT64_C(1) << 31},
};
enum { WINDOWS = sizeof windows / sizeof *windows };

/* From any moment on, at most burst + rate * t pass in a time of t, and with a steady stream of
 * requests exactly the whole part of that: nothing is lost to rounding, early or late in the life
 * of a process. */
Test(store_gcra, a_burst_and_then_the_rate_pass_exactly)
{
    static const uint64_t starts_s[] = {0, 1, 86400, 1000003, UINT64_C(8) * 366 * 86400};
    enum { INTERVALS = 50, STEPS = 16 };
    for (size_t i = 0; i < WINDOWS; i++) {
        if (windows[i].burst > 1000)
            continue;
        for (size_t s = 0; s < sizeof starts_s / sizeof *starts_s; s++) {
            const struct window_row *row = &windows[i];
            struct key key = {make(row->rate, row->period_ns, row->burst), 0};
            uint64_t interval = row->period_ns / row->rate, passed = 0;
            /* A unit may be as long as an interval: begin where one begins. */
            uint64_t start = (starts_s[s] * second / row->period_ns + 1) * row->period_ns;
            for (uint64_t step = 0; step <= INTERVALS * STEPS; step++) {
                uint64_t now = start + interval * step / STEPS;
                while (ask(&key, now, 1).pass)
                    passed++;
                uint64_t whole =
                    (uint64_t)((unsigned __int128)(now - start) * row->rate / row->period_ns);
                cr_assert_leq(passed, row->burst + whole + 1, "window %zu at step %lu", i, step);
                cr_assert_geq(passed + 1, row->burst + whole, "window %zu at step %lu", i, step);
            }
        }
    }
}

/* Against the definition in wide numbers of nanoseconds, times the rate so that nothing is rounded.
 */
static uint64_t true_units(const struct gcra *gcra, uint64_t ns)
{
    unsigned __int128 n = (unsigned __int128)ns * gcra->window.rate;
    unsigned __int128 whole = n / gcra->window.period_ns, rest = n % gcra->window.period_ns;
    return (uint64_t)((whole << gcra->interval_bits) +
                      (rest << gcra->interval_bits) / gcra->window.period_ns);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Never behind, so that what retry said holds; ahead only within some nanoseconds of the next. */
Test(store_gcra, time_in_units_is_exact)
{
    uint64_t state = 88172645463325252, life = (uint64_t)GCRA_SECONDS * second;
    for (size_t i = 0; i < WINDOWS; i++) {
        struct gcra gcra = make(windows[i].rate, windows[i].period_ns, windows[i].burst);
        for (int n = 0; n < 10000; n++) {
            uint64_t random = next_random(&state);
            uint64_t ns = random % life >> random % 48;
            uint64_t units = svc__gcra_units(&gcra, ns);
            cr_assert_geq(units, true_units(&gcra, ns), "window %zu at %lu", i, ns);
            cr_assert_leq(units, true_units(&gcra, ns + 10), "window %zu at %lu", i, ns);
        }
    }
}

Test(store_gcra, whole_intervals_are_whole)
{
    for (size_t i = 0; i < WINDOWS; i++) {
        struct gcra gcra = make(windows[i].rate, windows[i].period_ns, windows[i].burst);
        for (uint64_t periods = 0; periods * windows[i].period_ns < (uint64_t)GCRA_SECONDS * second;
             periods = periods * 3 + 1)
            cr_assert_eq(svc__gcra_units(&gcra, periods * windows[i].period_ns),
                         periods * windows[i].rate << gcra.interval_bits, "window %zu, %lu", i,
                         periods);
    }
}

/* ---- Range */

Test(store_gcra, every_tat_fits_its_bits_until_the_end)
{
    for (size_t i = 0; i < WINDOWS; i++) {
        struct gcra gcra = make(windows[i].rate, windows[i].period_ns, windows[i].burst);
        cr_expect_leq(gcra.end + gcra.tolerance, (UINT64_C(1) << gcra.tat_bits) - 1, "%zu", i);
        cr_expect_geq(gcra.end, true_units(&gcra, (uint64_t)GCRA_SECONDS * second));
    }
}

Test(store_gcra, the_largest_burst_at_the_slowest_rate_does_not_overflow)
{
    struct key key = {make(1, GCRA_PERIOD_MAX, GCRA_BURST_MAX), 0};
    struct answer answer = ask(&key, 0, (uint32_t)GCRA_BURST_MAX);
    cr_expect(answer.pass);
    cr_expect_eq(answer.quota.remaining, 0);
    cr_expect_eq(answer.quota.reset_ns, LIMITER_NEVER - 1, "more than there are nanoseconds");
    cr_expect_eq(answer.quota.next_ns, GCRA_PERIOD_MAX);
    answer = ask(&key, (uint64_t)GCRA_SECONDS * second, 1);
    cr_expect(answer.pass, "eight years have given eight");
    cr_expect_eq(answer.quota.remaining, 7);
}

Test(store_gcra, a_million_per_second_is_told_apart_to_the_microsecond)
{
    struct key key = {make(1000000, second, 1), 0};
    uint64_t passed = 0;
    for (uint64_t now = 0; now < second / 100; now += 250)
        passed += ask(&key, now, 1).pass;
    cr_expect_eq(passed, 10000);
}

Test(store_gcra, slow_rates_leave_more_bits_for_the_key)
{
    cr_expect_eq(make(1, day, 1).tat_bits, 40);
    cr_expect_eq(make(60, second, 60).tat_bits, 40);
    cr_expect_eq(make(1000, second, 100).tat_bits, 44);
    cr_expect_eq(make(1000000, second, 100).tat_bits, 48);
}

Test(store_gcra, impossible_windows_are_refused)
{
    static const struct window_row bad[] = {
        {0, 1000000000, 1},
        {1, 0, 1},
        {1, 1000000000, 0},
        {UINT64_MAX, UINT64_MAX, UINT64_MAX},
        {1, 1000000000, (UINT64_C(1) << 31) + 1},
        {1, UINT64_C(366) * 86400 * 1000000000 + 1, 1},
        {2000000, 1000000000, 1},
        {1, 1, 1},
        {UINT64_C(1) << 31, 1000000000, 1},
        {(UINT64_C(1) << 31) + 1, UINT64_C(366) * 86400 * 1000000000, 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct limiter_window window = {bad[i].rate, bad[i].period_ns, bad[i].burst};
        struct gcra gcra;
        cr_expect_eq(svc__gcra_init(&gcra, &window), SVC_EINVAL, "%zu", i);
    }
}

/* The limits of svc_rate_window, and one beyond each. */
Test(store_gcra, windows_of_programs_keep_to_their_limits)
{
    enum { YEAR_S = 366 * 86400 };
    const uint64_t most = UINT64_C(1) << 31;
    const svc_rate_window good[] = {
        {NULL, 1, 1, 1}, {NULL, 1000000, 1, most}, {NULL, most, YEAR_S, 1}, {NULL, 3, 60, 0}};
    const svc_rate_window bad[] = {{NULL, 0, 1, 1},        {NULL, 1, 0, 1},
                                   {NULL, 1000001, 1, 1},  {NULL, most + 1, YEAR_S, 1},
                                   {NULL, 1, 1, most + 1}, {NULL, 1, YEAR_S + 1, 1}};
    struct limiter_window window;
    struct gcra gcra;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        cr_assert_eq(svc__gcra_window(&window, &good[i]), 0, "%zu", i);
        cr_expect_eq(svc__gcra_init(&gcra, &window), 0, "%zu", i);
    }
    cr_expect_eq(window.rate, 3);
    cr_expect_eq(window.period_ns, 60 * second);
    cr_expect_eq(window.burst, 3, "the rate where there is none");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_eq(svc__gcra_window(&window, &bad[i]), SVC_EINVAL, "%zu", i);
}
