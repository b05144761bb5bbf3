#include <criterion/criterion.h>
#include <stdlib.h>

#include "libsvc/base/wheel.h"
#include "tests/unit/base/support.h"

enum { TICK_SHIFT = 6, WHEEL_TICK_MS = 1 << TICK_SHIFT };

static struct wheel wheel;

static const uint64_t start_ms = 1000003; /* no multiple of a tick */

static void open_wheel(void)
{
    svc__wheel_init(&wheel, start_ms, TICK_SHIFT);
}

TestSuite(base_wheel, .init = open_wheel);

/* Sleeps from wait to wait as an event loop does, and returns when `t` has fired. */
static uint64_t run_until_fired(struct timer *t, uint64_t now_ms)
{
    for (;;) {
        int64_t wait_ms = svc__wheel_wait(&wheel, now_ms);
        cr_assert_geq(wait_ms, 0, "the timer was lost");
        now_ms += (uint64_t)wait_ms;
        for (struct timer *due; (due = svc__wheel_expire(&wheel, now_ms)) != NULL;)
            if (due == t)
                return now_ms;
    }
}

Test(base_wheel, an_empty_wheel_waits_for_ever)
{
    cr_expect_eq(svc__wheel_wait(&wheel, start_ms), -1);
    cr_expect_null(svc__wheel_expire(&wheel, start_ms));
    cr_expect_null(svc__wheel_expire(&wheel, start_ms + 1000000));
    cr_expect_eq(svc__wheel_wait(&wheel, start_ms + 1000000), -1);
}

/* Delays from none to far beyond the wheel, set at every offset into a tick. */
Test(base_wheel, a_timer_fires_never_early_and_at_most_a_tick_late)
{
    static const uint64_t delays[] = {0,     1,     2,     62,    63,    64,     65,      127,
                                      128,   1000,  32703, 32704, 32705, 32767,  32768,   32769,
                                      32831, 32832, 32833, 65535, 65536, 100000, 3600000, 86400000};
    for (size_t i = 0; i < ROWS(delays); i++) {
        for (uint64_t offset = 0; offset < WHEEL_TICK_MS; offset++) {
            struct timer t = {0};
            uint64_t now_ms = start_ms + offset, due_ms = now_ms + delays[i];
            svc__wheel_init(&wheel, now_ms, TICK_SHIFT);
            svc__wheel_set(&wheel, &t, due_ms);
            cr_assert(svc__wheel_armed(&t));
            uint64_t fired_ms = run_until_fired(&t, now_ms);
            cr_assert_not(svc__wheel_armed(&t));
            cr_assert_geq(fired_ms, due_ms);
            cr_assert_leq(fired_ms, due_ms + WHEEL_TICK_MS, "delay %zu offset %zu",
                          (size_t)delays[i], (size_t)offset);
            cr_assert_eq(svc__wheel_wait(&wheel, fired_ms), -1);
        }
    }
}

Test(base_wheel, a_time_that_has_passed_fires_at_the_next_tick)
{
    struct timer t = {0};
    svc__wheel_set(&wheel, &t, 0);
    cr_expect_null(svc__wheel_expire(&wheel, start_ms));
    int64_t wait_ms = svc__wheel_wait(&wheel, start_ms);
    cr_expect(wait_ms > 0 && wait_ms <= WHEEL_TICK_MS);
    cr_expect_eq(svc__wheel_expire(&wheel, start_ms + WHEEL_TICK_MS), &t);
}

Test(base_wheel, the_end_of_time_is_far_but_no_error)
{
    struct timer t = {0};
    svc__wheel_set(&wheel, &t, UINT64_MAX);
    cr_expect_null(svc__wheel_expire(&wheel, start_ms + 40000));
    cr_expect_gt(svc__wheel_wait(&wheel, start_ms + 40000), 0);
    svc__wheel_cancel(&wheel, &t);
    cr_expect_eq(svc__wheel_wait(&wheel, start_ms + 40000), -1);
    for (unsigned shift = 0; shift < 20; shift++) { /* without a wait of nothing, for ever */
        svc__wheel_init(&wheel, start_ms, shift);
        svc__wheel_set(&wheel, &t, UINT64_MAX);
        cr_expect_gt(svc__wheel_wait(&wheel, start_ms), 0);
        cr_expect_null(svc__wheel_expire(&wheel, UINT64_MAX / 2));
        cr_expect_gt(svc__wheel_wait(&wheel, UINT64_MAX / 2), 0);
        cr_expect_eq(svc__wheel_expire(&wheel, UINT64_MAX), &t);
    }
}

/* Sleeps until `t` has fired, and returns how often that was interrupted. */
static unsigned count_visits(struct timer *t, uint64_t now_ms)
{
    unsigned visits = 0;
    while (svc__wheel_armed(t)) {
        now_ms += (uint64_t)svc__wheel_wait(&wheel, now_ms);
        svc__wheel_expire(&wheel, now_ms);
        visits++;
    }
    return visits;
}

/* A wait of a year at a millisecond, too: one visit for each level that it passes, not for each
 * turn of the wheel. */
Test(base_wheel, the_loop_is_woken_for_a_timer_a_few_times_however_far_it_is)
{
    static const struct {
        uint64_t ticks;
        unsigned visits;
    } rows[] = {{1, 1}, {63, 1}, {64, 2}, {4095, 2}, {4096, 3}, {262143, 3}, {31536000000, 6}};
    for (uint64_t offset = 0; offset < 5000; offset += 7)
        for (size_t i = 0; i < ROWS(rows); i++) {
            struct timer t = {0};
            uint64_t now_ms = start_ms + offset * WHEEL_TICK_MS;
            svc__wheel_init(&wheel, now_ms, TICK_SHIFT);
            svc__wheel_set(&wheel, &t, now_ms + rows[i].ticks * WHEEL_TICK_MS);
            cr_assert_leq(count_visits(&t, now_ms), rows[i].visits + 1, "row %zu", i);
        }
}

/* A tick costs nothing where no timer is: the wheel goes over empty slots at once. */
Test(base_wheel, a_long_sleep_is_passed_in_one_step)
{
    struct timer t = {0};
    uint64_t far_ms = start_ms + (UINT64_C(1) << 60);
    svc__wheel_set(&wheel, &t, far_ms);
    cr_expect_null(svc__wheel_expire(&wheel, far_ms - WHEEL_TICK_MS));
    cr_expect_leq(svc__wheel_wait(&wheel, far_ms - WHEEL_TICK_MS), 2 * WHEEL_TICK_MS);
    cr_expect_eq(svc__wheel_expire(&wheel, far_ms + WHEEL_TICK_MS), &t);
}

Test(base_wheel, cancel_disarms_and_may_be_called_again)
{
    struct timer t[3] = {{0}};
    for (size_t i = 0; i < 3; i++)
        svc__wheel_set(&wheel, &t[i], start_ms + 500);
    svc__wheel_cancel(&wheel, &t[1]);
    svc__wheel_cancel(&wheel, &t[1]);
    cr_expect_not(svc__wheel_armed(&t[1]));
    size_t fired = 0;
    for (struct timer *due; (due = svc__wheel_expire(&wheel, start_ms + 1000)) != NULL; fired++)
        cr_expect_neq(due, &t[1]);
    cr_expect_eq(fired, 2);
}

Test(base_wheel, a_timer_that_is_moved_fires_at_its_last_time_only)
{
    static const struct {
        uint64_t first, second;
    } rows[] = {{1000, 5000}, {5000, 1000},   {1000, 100000}, {100000, 1000},
                {1000, 0},    {1000, 1001},   {1001, 1000},   {100000, 200000},
                {64, 65},     {32768, 32769}, {1000, 936}};
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct timer t = {0};
        svc__wheel_init(&wheel, start_ms, TICK_SHIFT);
        svc__wheel_set(&wheel, &t, start_ms + rows[i].first);
        svc__wheel_set(&wheel, &t, start_ms + rows[i].second);
        uint64_t fired_ms = run_until_fired(&t, start_ms);
        cr_expect_geq(fired_ms, start_ms + rows[i].second);
        cr_expect_leq(fired_ms, start_ms + rows[i].second + WHEEL_TICK_MS);
        cr_expect_null(svc__wheel_expire(&wheel, start_ms + 1000000));
    }
}

/* As the idle deadline of a busy connection: moved on with each request, it never fires. */
Test(base_wheel, a_timer_that_is_moved_on_and_on_never_fires)
{
    struct timer t = {0};
    for (uint64_t now_ms = start_ms; now_ms < start_ms + 200000; now_ms += 7) {
        svc__wheel_set(&wheel, &t, now_ms + 75000);
        cr_assert_null(svc__wheel_expire(&wheel, now_ms));
    }
    cr_expect(svc__wheel_armed(&t));
}

Test(base_wheel, a_loop_that_sets_what_fires_at_once_ends)
{
    struct timer t = {0};
    svc__wheel_set(&wheel, &t, start_ms);
    uint64_t now_ms = start_ms + WHEEL_TICK_MS;
    for (int tick = 0; tick < 100; tick++, now_ms += WHEEL_TICK_MS) {
        cr_assert_eq(svc__wheel_expire(&wheel, now_ms), &t);
        svc__wheel_set(&wheel, &t, now_ms);
        cr_assert_null(svc__wheel_expire(&wheel, now_ms), "not twice within one tick");
    }
}

/* All three are due in one slot; each that fires changes the others. */
Test(base_wheel, timers_of_the_slot_being_visited_may_be_changed)
{
    struct timer t[4] = {{0}};
    for (size_t i = 0; i < 4; i++)
        svc__wheel_set(&wheel, &t[i], start_ms + 500);
    struct timer *first = svc__wheel_expire(&wheel, start_ms + 600);
    cr_assert_not_null(first);
    cr_expect_eq(svc__wheel_wait(&wheel, start_ms + 600), 0, "more of the slot is left");
    struct timer *others[3];
    for (size_t i = 0, n = 0; i < 4; i++)
        if (&t[i] != first)
            others[n++] = &t[i];
    svc__wheel_cancel(&wheel, others[0]);
    svc__wheel_set(&wheel, others[1], start_ms + 5000);
    cr_expect_eq(svc__wheel_expire(&wheel, start_ms + 600), others[2]);
    cr_expect_null(svc__wheel_expire(&wheel, start_ms + 600));
    cr_expect_eq(run_until_fired(others[1], start_ms + 600) / WHEEL_TICK_MS,
                 (start_ms + 5000) / WHEEL_TICK_MS + 1);
}

/* The slot that is being visited is also that of the tick 64 later, and of those 64 times 64. */
Test(base_wheel, a_timer_set_one_turn_ahead_during_a_visit_waits_for_it)
{
    for (uint64_t turn = WHEEL_SLOTS; turn < UINT64_C(1) << 40; turn *= WHEEL_SLOTS) {
        struct timer a = {0}, b = {0}, c = {0};
        uint64_t due_ms = start_ms / WHEEL_TICK_MS * WHEEL_TICK_MS + 10 * WHEEL_TICK_MS;
        uint64_t later_ms = due_ms + turn * WHEEL_TICK_MS;
        open_wheel();
        svc__wheel_set(&wheel, &a, due_ms);
        svc__wheel_set(&wheel, &b, due_ms);
        struct timer *first = svc__wheel_expire(&wheel, due_ms);
        cr_assert_not_null(first);
        svc__wheel_set(&wheel, &c, later_ms);
        svc__wheel_cancel(&wheel, first == &a ? &b : &a);
        cr_expect_null(svc__wheel_expire(&wheel, due_ms));
        cr_expect_eq(run_until_fired(&c, due_ms), later_ms);
    }
}

Test(base_wheel, a_loop_that_comes_late_finds_every_timer)
{
    static struct timer t[3000];
    for (size_t i = 0; i < ROWS(t); i++)
        svc__wheel_set(&wheel, &t[i], start_ms + i * 31);
    size_t fired = 0;
    while (svc__wheel_expire(&wheel, start_ms + 3600000) != NULL)
        fired++;
    cr_expect_eq(fired, ROWS(t));
}

Test(base_wheel, within_a_tick_the_first_set_is_the_first_out)
{
    struct timer t[5] = {{0}};
    uint64_t due = start_ms / WHEEL_TICK_MS * WHEEL_TICK_MS + 3 * WHEEL_TICK_MS;
    for (size_t i = 0; i < ROWS(t); i++)
        svc__wheel_set(&wheel, &t[i], due - i);
    for (size_t i = 0; i < ROWS(t); i++)
        cr_expect_eq(svc__wheel_expire(&wheel, due), &t[i]);
}

/* They come to the same slot from different levels, as time goes by. */
Test(base_wheel, the_first_set_is_the_first_out_however_far_away_it_was_set)
{
    static struct timer t[200];
    const uint64_t due = start_ms / WHEEL_TICK_MS * WHEEL_TICK_MS + 5000 * WHEEL_TICK_MS;
    uint64_t now_ms = start_ms;
    for (size_t i = 0; i < ROWS(t); i++) {
        svc__wheel_set(&wheel, &t[i], due);
        now_ms += (due - now_ms) / 16;
        cr_assert_null(svc__wheel_expire(&wheel, now_ms));
    }
    for (size_t i = 0; i < ROWS(t); i++)
        cr_assert_eq(svc__wheel_expire(&wheel, due), &t[i]);
}

Test(base_wheel, a_wheel_that_is_cleared_holds_nothing)
{
    struct timer t[4] = {{0}};
    svc__wheel_set(&wheel, &t[0], start_ms + 100);
    svc__wheel_set(&wheel, &t[1], start_ms + 100);
    svc__wheel_set(&wheel, &t[2], start_ms + 5000);
    svc__wheel_set(&wheel, &t[3], start_ms + 10000000000);
    cr_expect_eq(svc__wheel_expire(&wheel, start_ms + 200), &t[0]); /* in the midst of a slot */
    svc__wheel_clear(&wheel);
    for (size_t i = 0; i < ROWS(t); i++)
        cr_expect_not(svc__wheel_armed(&t[i]));
    cr_expect_eq(svc__wheel_wait(&wheel, start_ms + 200), -1);
}

/* A unit of its own: nanoseconds, with ticks of a quarter of a millisecond. */
Test(base_wheel, counts_in_the_unit_that_its_owner_has)
{
    struct timer t = {0};
    const uint64_t now = UINT64_C(123456789012345), tick = 1 << 18;
    svc__wheel_init(&wheel, now, 18);
    svc__wheel_set(&wheel, &t, now + 50000000);
    cr_expect_null(svc__wheel_expire(&wheel, now + 49999999));
    uint64_t fired = run_until_fired(&t, now + 49999999);
    cr_expect(fired >= now + 50000000 && fired < now + 50000000 + tick);
}

enum { TIMERS = 300, STEPS = 20000 };

static void expect_fired_in_time(const struct timer *t, uint64_t now_ms, uint64_t step_ms)
{
    cr_assert_leq(t->due, now_ms, "too early");
    cr_assert_leq(now_ms, t->due + 2 * WHEEL_TICK_MS + step_ms, "too late");
}

/* Random sets and cancels beside a plain array that knows which timers are to be armed. */
Test(base_wheel, agrees_with_a_plain_list_over_random_operations)
{
    static struct timer t[TIMERS];
    static bool armed[TIMERS];
    unsigned seed = 1;
    uint64_t now_ms = start_ms;
    for (int step = 0; step < STEPS; step++) {
        size_t i = (size_t)rand_r(&seed) % TIMERS;
        uint64_t step_ms = (uint64_t)rand_r(&seed) % 100;
        unsigned what = (unsigned)rand_r(&seed) % 4;
        uint64_t delay_ms = (uint64_t)rand_r(&seed) % (what == 1 ? 700000 : 3000);
        if (what == 0)
            svc__wheel_cancel(&wheel, &t[i]);
        else
            svc__wheel_set(&wheel, &t[i], now_ms + delay_ms);
        armed[i] = what != 0;
        now_ms += step_ms;
        for (struct timer *due; (due = svc__wheel_expire(&wheel, now_ms)) != NULL;) {
            cr_assert(armed[due - t]);
            armed[due - t] = false;
            expect_fired_in_time(due, now_ms, step_ms);
        }
        for (i = 0; i < TIMERS; i++) {
            cr_assert_eq(svc__wheel_armed(&t[i]), armed[i]);
            cr_assert(!armed[i] || t[i].due + 2 * WHEEL_TICK_MS > now_ms, "missed");
        }
    }
}
