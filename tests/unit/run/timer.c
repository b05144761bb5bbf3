/* Timers of a loop: when they fire, and what may be done to them meanwhile. */
#include <stdlib.h>

#include "tests/support/test_clock.h"
#include "tests/unit/run/support.h"

TestSuite(run_timer, .init = open_loop, .fini = close_loop);

static int fired;
static int order[8];

struct one {
    svc_timer *timer;
    int number;
    uint64_t set_ns, ms, fired_ns;
};

static void note(void *arg)
{
    struct one *one = arg;
    one->fired_ns = svc__clock_ns();
    order[fired++] = one->number;
}

static void set(struct one *one, uint64_t ms)
{
    one->ms = ms;
    one->set_ns = svc__clock_ns();
    cr_assert_eq(svc_timer_set(one->timer, ms), 0);
}

static void make(struct one *one, int number, void (*fn)(void *arg))
{
    one->number = number;
    one->timer = svc_timer_new(&loop, fn, one);
    cr_assert(one->timer);
}

Test(run_timer, fire_in_the_order_of_their_times_and_never_early)
{
    static const uint64_t delays[] = {30, 10, 20, 0, 1, 150};
    struct one all[6] = {{0}};
    uint64_t due_ns[6];
    for (int i = 0; i < 6; i++) {
        make(&all[i], i, note);
        set(&all[i], delays[i]);
        due_ns[i] = ((struct timer *)(void *)all[i].timer)->due;
    }
    turn_until(&fired, 6);
    for (int i = 1; i < 6; i++)
        cr_expect_leq(due_ns[order[i - 1]], due_ns[order[i]] + 500000, "place %d", i);
    for (int i = 0; i < 6; i++) {
        cr_expect_geq(all[i].fired_ns, all[i].set_ns + delays[i] * 1000000);
        svc_timer_free(all[i].timer);
    }
}

/* The clock goes on by what the loop would sleep and by nothing else, so that what it is late is
 * the loop's own. */
Test(run_timer, an_idle_loop_is_about_a_millisecond_late)
{
    enum { PHASES = 200, PHASE_NS = 123457, TURNS = 10 };
    struct one one = {0};
    make(&one, 0, note);
    test_clock_stop();
    for (int i = 0; i < PHASES; i++) {
        fired = 0;
        set(&one, 3);
        for (int turn = 0; turn < TURNS && !fired; turn++) {
            test_clock_ns += (uint64_t)svc__reactor_wait_ms(&loop, test_clock_ns) * 1000000;
            svc__reactor_turn(&loop, 0);
        }
        cr_assert_eq(fired, 1);
        uint64_t late_ns = one.fired_ns - one.set_ns - 3000000;
        cr_expect_leq(late_ns, 1500000, "%lu ns", (unsigned long)late_ns);
        test_clock_ns += PHASE_NS;
    }
    svc_timer_free(one.timer);
}

Test(run_timer, those_of_one_time_fire_in_the_order_in_which_they_were_set)
{
    struct timer timers[3] = {{0}};
    uint64_t now_ns = svc__clock_ns();
    for (int i = 0; i < 3; i++)
        svc__wheel_set(&loop.timers, &timers[i], now_ns + 5000000);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(svc__wheel_expire(&loop.timers, now_ns + 6000000), &timers[i]);
}

static void never(void *arg)
{
    (void)arg;
    cr_assert(false, "it fired");
}

Test(run_timer, one_that_is_cancelled_moved_or_freed_keeps_to_it)
{
    struct one cancelled = {0}, moved = {0}, freed = {0}, last = {0};
    make(&cancelled, 0, never);
    make(&moved, 1, note);
    make(&freed, 2, never);
    make(&last, 3, note);
    set(&last, 10);
    set(&cancelled, 1);
    set(&moved, 1);
    set(&moved, 20);
    set(&freed, 1);
    svc_timer_cancel(cancelled.timer);
    svc_timer_cancel(cancelled.timer);
    svc_timer_free(freed.timer);
    svc_timer_free(NULL);
    turn_until(&fired, 2);
    cr_expect_eq(order[0], 3);
    cr_expect_eq(order[1], 1);
    cr_expect_geq(moved.fired_ns, moved.set_ns + 20000000);
    svc_timer_free(cancelled.timer);
    svc_timer_free(moved.timer);
    svc_timer_free(last.timer);
}

/* ---- From within callbacks */

static svc_timer *victims[3];

/* All are due at once, so whichever fires first finds the others on their way. */
static void end_the_others(void *arg)
{
    svc_timer **own = arg;
    fired++;
    for (size_t i = 0; i < 3; i++)
        if (&victims[i] == own || i == 0)
            svc_timer_cancel(victims[i]);
        else
            svc_timer_free(victims[i]);
}

Test(run_timer, a_callback_may_cancel_and_free_others_that_are_due)
{
    for (size_t i = 0; i < 3; i++) {
        victims[i] = svc_timer_new(&loop, end_the_others, &victims[i]);
        cr_assert_eq(svc_timer_set(victims[i], 0), 0);
    }
    turn_until(&fired, 1);
    uint64_t until_ms = svc__clock_ms() + 5;
    while (svc__clock_ms() < until_ms)
        svc__reactor_turn(&loop, until_ms);
    cr_expect_eq(fired, 1);
    svc_timer_free(victims[0]);
}

static void free_itself(void *arg)
{
    struct one *one = arg;
    fired++;
    svc_timer_free(one->timer);
}

static void set_again(void *arg)
{
    struct one *one = arg;
    if (++fired < 5)
        set(one, 1);
}

Test(run_timer, a_callback_may_free_its_own_and_set_it_again)
{
    struct one one = {0}, again = {0};
    make(&one, 0, free_itself);
    set(&one, 1);
    turn_until(&fired, 1);
    fired = 0;
    make(&again, 1, set_again);
    set(&again, 0);
    turn_until(&fired, 5);
    svc_timer_free(again.timer);
}

Test(run_timer, a_callback_that_sets_itself_to_now_lets_the_turn_end)
{
    struct one one = {0};
    make(&one, 0, set_again);
    fired = -1000000;
    set(&one, 0);
    int before = fired;
    while (fired == before)
        svc__reactor_turn(&loop, UINT64_MAX);
    cr_expect_lt(fired, before + 100);
    svc_timer_free(one.timer);
}

/* By a clock that goes as fast as the loop is told to wait. */
Test(run_timer, a_loop_is_woken_for_a_far_timer_a_few_times_and_not_late)
{
    static const uint64_t delays_ms[] = {1, 50, 134, 135, 1000, 60000, 3600000, 31622400000};
    for (size_t i = 0; i < sizeof delays_ms / sizeof *delays_ms; i++) {
        struct timer timer = {0};
        uint64_t now_ns = 123456789012345, due_ns = now_ns + delays_ms[i] * 1000000;
        unsigned wakes = 0;
        svc__wheel_init(&loop.timers, now_ns, loop.timers.shift);
        svc__wheel_set(&loop.timers, &timer, due_ns);
        while (svc__wheel_armed(&timer)) {
            int wait_ms = svc__reactor_wait_ms(&loop, now_ns);
            cr_assert_geq(wait_ms, 0);
            now_ns += (uint64_t)wait_ms * 1001000;
            svc__wheel_expire(&loop.timers, now_ns);
            wakes++;
        }
        cr_expect_leq(wakes, 40, "%u for %zu ms", wakes, (size_t)delays_ms[i]);
        cr_expect_geq(now_ns, due_ns);
        cr_expect_leq(now_ns, due_ns + 1500000, "%zu ms", (size_t)delays_ms[i]);
    }
}

/* ---- Bounds */

Test(run_timer, times_have_a_limit_and_threads_a_loop)
{
    svc_timer *timer = svc_timer_new(&loop, never, NULL);
    const uint64_t year_ms = UINT64_C(366) * 86400000;
    cr_expect_eq(svc_timer_set(timer, year_ms), 0);
    cr_expect_eq(svc_timer_set(timer, year_ms + 1), SVC_EINVAL);
    cr_expect_eq(svc_timer_set(timer, UINT64_MAX), SVC_EINVAL);
    svc__reactor_enter(NULL);
    cr_expect_null(svc_timer_new(&loop, never, NULL));
    cr_expect_eq(svc_timer_set(timer, 1), SVC_ESTATE);
    svc__reactor_enter(&loop);
    svc_timer_free(timer);
}

Test(run_timer, one_that_is_left_at_the_end_never_fires_and_can_be_freed)
{
    struct one set_one = {0}, unset = {0};
    make(&set_one, 0, never);
    make(&unset, 1, never);
    set(&set_one, 0);
    svc__reactor_end(&loop);
    cr_expect_not(svc__wheel_wait(&loop.timers, svc__clock_ns()) >= 0);
    cr_expect_eq(svc_timer_set(unset.timer, 0), SVC_ESTATE);
    svc_timer_cancel(set_one.timer);
    svc_timer_free(set_one.timer);
    svc_timer_free(unset.timer);
}

enum { MANY = 10000 };

static struct one many[MANY];

static void note_one_of_many(void *arg)
{
    struct one *one = arg;
    one->fired_ns = svc__clock_ns();
    fired++;
}

Test(run_timer, ten_thousand_fire_each_once_and_none_early)
{
    unsigned seed = 1;
    for (int i = 0; i < MANY; i++) {
        make(&many[i], i, note_one_of_many);
        set(&many[i], (uint64_t)rand_r(&seed) % 400);
    }
    turn_until(&fired, MANY);
    for (int i = 0; i < MANY; i++) {
        cr_assert_geq(many[i].fired_ns, many[i].set_ns + many[i].ms * 1000000);
        svc_timer_free(many[i].timer);
    }
    cr_expect_eq(fired, MANY);
}
