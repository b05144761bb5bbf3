#include <criterion/criterion.h>
#include <math.h>

#include "libsvc/memo/memo_time.h"

/* splitmix64, so that each run has the same numbers. */
static uint64_t next_of(void *state)
{
    uint64_t z = *(uint64_t *)state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static uint64_t seed = 2015;
static const struct memo_chance chance = {next_of, &seed};

/* ---- Ages */

static enum memo_age age_after(const struct memo_entry *entry, uint64_t ms)
{
    const struct memo_limits limits = {30, 50};
    return svc__memo_time_age(entry, entry->made_ms + ms, &limits);
}

Test(memo_time, an_entry_is_fresh_then_stale_then_spare_then_over)
{
    const struct memo_entry entry = {.made_ms = 1000, .fresh_ms = 100};
    cr_expect_eq(age_after(&entry, 0), MEMO_AGE_FRESH);
    cr_expect_eq(age_after(&entry, 99), MEMO_AGE_FRESH);
    cr_expect_eq(age_after(&entry, 100), MEMO_AGE_STALE);
    cr_expect_eq(age_after(&entry, 129), MEMO_AGE_STALE);
    cr_expect_eq(age_after(&entry, 130), MEMO_AGE_SPARE);
    cr_expect_eq(age_after(&entry, 149), MEMO_AGE_SPARE);
    cr_expect_eq(age_after(&entry, 150), MEMO_AGE_OVER);
}

Test(memo_time, that_there_is_no_value_is_never_stale)
{
    const struct memo_entry entry = {.negative = true, .made_ms = 1000, .fresh_ms = 100};
    cr_expect_eq(age_after(&entry, 99), MEMO_AGE_FRESH);
    cr_expect_eq(age_after(&entry, 100), MEMO_AGE_OVER);
}

Test(memo_time, an_entry_of_the_future_is_as_one_of_now)
{
    const struct memo_limits limits = {0, 0};
    const struct memo_entry ahead = {.made_ms = 1000000, .fresh_ms = 1, .took_us = 1000};
    const struct memo_entry absurd = {.made_ms = UINT64_MAX, .fresh_ms = UINT64_MAX};
    cr_expect_eq(svc__memo_time_age(&ahead, 5, &limits), MEMO_AGE_FRESH);
    cr_expect_eq(svc__memo_time_age(&absurd, 5, &limits), MEMO_AGE_FRESH);
}

/* ---- Jitter */

Test(memo_time, jitter_shortens_a_time_by_up_to_its_part)
{
    double sum = 0;
    uint64_t least = UINT64_MAX, most = 0;
    for (int i = 0; i < 20000; i++) {
        uint64_t fresh = svc__memo_time_fresh(10000, 20, &chance);
        least = fresh < least ? fresh : least;
        most = fresh > most ? fresh : most;
        sum += (double)fresh;
    }
    cr_expect(least >= 8000 && least < 8010, "%lu", least);
    cr_expect(most <= 10000 && most > 9990, "%lu", most);
    cr_expect(fabs(sum / 20000 - 9000) < 20, "%f", sum / 20000);
}

Test(memo_time, without_jitter_a_time_is_exact)
{
    for (int i = 0; i < 100; i++)
        cr_expect_eq(svc__memo_time_fresh(1234, 0, &chance), 1234);
    cr_expect_geq(svc__memo_time_fresh(1, 50, &chance), 1);
    cr_expect_leq(svc__memo_time_fresh(UINT64_C(31622400000), 50, &chance), 31622400000);
}

/* ---- Early loads */

enum { DRAWS = 200000 };

/* Mean and variance of the distribution are 1; a share of e^-x is above x. */
Test(memo_time, the_random_number_is_exponential)
{
    double sum = 0, squares = 0;
    int above[5] = {0};
    for (int i = 0; i < DRAWS; i++) {
        double x = svc__memo_time_exponential(&chance);
        sum += x;
        squares += x * x;
        for (int n = 0; n < 5; n++)
            above[n] += x > n * 0.75;
    }
    double mean = sum / DRAWS;
    cr_expect(fabs(mean - 1) < 0.01, "mean %f", mean);
    cr_expect(fabs(squares / DRAWS - mean * mean - 1) < 0.03);
    for (int n = 0; n < 5; n++) {
        double share = (double)above[n] / DRAWS, wanted = exp(-n * 0.75);
        cr_expect(fabs(share - wanted) < 5 * sqrt(wanted / DRAWS) + 1e-9, "%d: %f, not %f", n,
                  share, wanted);
    }
}

static double share_early(uint64_t left_ms, double factor)
{
    const struct memo_entry entry = {.made_ms = 5000, .fresh_ms = 60000, .took_us = 200000};
    int early = 0;
    for (int i = 0; i < DRAWS; i++)
        early += svc__memo_time_early(&entry, 65000 - left_ms, factor, &chance);
    return (double)early / DRAWS;
}

/* With a load of 200 ms, a share of e^(-left / 200 ms) begins. */
Test(memo_time, the_nearer_the_end_the_more_begin_early)
{
    static const uint64_t lefts[] = {1, 20, 100, 200, 400, 1000};
    for (size_t i = 0; i < sizeof lefts / sizeof *lefts; i++) {
        double wanted = exp(-(double)lefts[i] / 200), share = share_early(lefts[i], 1);
        cr_expect(fabs(share - wanted) < 5 * sqrt(wanted / DRAWS), "%lu ms: %f, not %f", lefts[i],
                  share, wanted);
        wanted = exp(-(double)lefts[i] / 600);
        cr_expect(fabs(share_early(lefts[i], 3) - wanted) < 5 * sqrt(wanted / DRAWS));
    }
    cr_expect_eq(share_early(30000, 1), 0);
}

/*
 * The point of it: of many calls a second on one key, the first that begins early does so some
 * loads' time before the end, and nearly never is nobody early. 1000 calls a second, loads of 200
 * ms: at rate r of calls in a load's time the first one comes about ln(r) load times before the
 * end.
 */
Test(memo_time, somebody_is_early_and_not_by_much)
{
    const struct memo_entry entry = {.made_ms = 0, .fresh_ms = 60000, .took_us = 200000};
    int late = 0;
    double sum_ms = 0;
    for (int run = 0; run < 500; run++) {
        uint64_t now_ms = 0;
        while (now_ms < 60000 && !svc__memo_time_early(&entry, now_ms, 1, &chance))
            now_ms++;
        late += now_ms >= 60000;
        sum_ms += (double)(60000 - now_ms);
    }
    double wanted_ms = 200 * (log(200) + 0.5772); /* the mean of the largest of so many */
    cr_expect_eq(late, 0);
    cr_expect(fabs(sum_ms / 500 - wanted_ms) < 60, "%f ms, not %f", sum_ms / 500, wanted_ms);
}

Test(memo_time, factor_zero_is_never_early)
{
    const struct memo_entry entry = {.made_ms = 0, .fresh_ms = 1000, .took_us = 900000};
    const struct memo_entry quick = {.made_ms = 0, .fresh_ms = 1000};
    for (int i = 0; i < 1000; i++) {
        cr_expect_not(svc__memo_time_early(&entry, 999, 0, &chance));
        cr_expect_not(svc__memo_time_early(&quick, 999, 1, &chance), "its load took no time");
    }
}
