/* A time limit comes for its look, and at its end, by a clock that the test sets. */
#include "libsvc/server/time_limit.h"

#include <criterion/criterion.h>

static struct loop loop;
static struct time_limit limit;

static void begin(void)
{
    loop.now_ms = 1000;
    svc__wheel_init(&loop.wheel, loop.now_ms, LOOP_TICK_SHIFT);
    limit = (struct time_limit){.since_ms = 0};
}

TestSuite(time_limit, .init = begin);

/* The first millisecond, from now on, in which the timer has come. */
static uint64_t next_ms(void)
{
    while (!svc__wheel_expire(&loop.wheel, loop.now_ms)) {
        cr_assert(svc__wheel_armed(&limit.deadline.timer), "it will never come");
        loop.now_ms++;
    }
    return loop.now_ms;
}

static void expect_at(uint64_t ms)
{
    uint64_t came_ms = next_ms();
    cr_expect(came_ms >= ms && came_ms <= ms + 2, "at %zu, not %zu", (size_t)came_ms, (size_t)ms);
}

Test(time_limit, comes_for_a_look_and_then_at_its_end)
{
    svc__time_limit_begin(&loop, &limit, loop.now_ms, 5000, 1000);
    expect_at(2000);
    cr_expect(svc__time_limit_looks(&loop, &limit));
    svc__time_limit_await(&loop, &limit, 1500);
    expect_at(3500);
    cr_expect(svc__time_limit_looks(&loop, &limit));
    svc__time_limit_await(&loop, &limit, 60000);
    expect_at(6000);
    cr_expect_not(svc__time_limit_looks(&loop, &limit));
}

Test(time_limit, that_is_shorter_than_its_look_has_none)
{
    svc__time_limit_begin(&loop, &limit, loop.now_ms, 1000, 1000);
    expect_at(2000);
    cr_expect_not(svc__time_limit_looks(&loop, &limit));
}

Test(time_limit, counts_from_when_it_is_told_to)
{
    loop.now_ms = 1400;
    svc__time_limit_begin(&loop, &limit, 1000, 1000, 0);
    expect_at(2000);
}

Test(time_limit, is_hurried_but_never_put_off)
{
    svc__time_limit_begin(&loop, &limit, loop.now_ms, 5000, 0);
    svc__time_limit_hurry(&loop, &limit, 60000);
    svc__time_limit_hurry(&loop, &limit, 700);
    svc__time_limit_hurry(&loop, &limit, 900);
    expect_at(1700);
    cr_expect_not(svc__time_limit_looks(&loop, &limit));
}

Test(time_limit, ends_in_no_time_without_a_timer)
{
    svc__time_limit_begin(&loop, &limit, loop.now_ms, 10, 0);
    expect_at(1010);
    svc__time_limit_end_in(&loop, &limit, 0);
    cr_expect_not(svc__wheel_armed(&limit.deadline.timer));
    svc__time_limit_end_in(&loop, &limit, 30);
    uint64_t due_ms = loop.now_ms + 30;
    expect_at(due_ms);
    svc__time_limit_end_in(&loop, &limit, 30);
    svc__time_limit_cancel(&loop, &limit);
    cr_expect_not(svc__wheel_armed(&limit.deadline.timer));
}
