/* The watchdog: what it reports as a stall, and how it knows what the thread did meanwhile. */
#include <sys/eventfd.h>
#include <unistd.h>

#include <svc/loop.h>

#include "tests/unit/run/support.h"

#define MS UINT64_C(1000000)

static int stalls;
static struct stall last;
static const int subject;

static void note_stall(void *arg, const struct stall *stall)
{
    cr_expect_eq(arg, &stalls);
    stalls++;
    last = *stall;
}

static void open_watched(void)
{
    open_loop();
    svc__watchdog_init(&loop.watchdog, 10000 * MS, note_stall, &stalls);
}

TestSuite(run_watchdog, .init = open_watched, .fini = close_loop);

/* As if the loop had been free `ms` ago for the last time, and its thread had waited since: also
 * where the system has run others meanwhile. */
static void hold(uint64_t ms, enum watched what)
{
    svc__watchdog_enter(&loop.watchdog); /* so that a sample is taken */
    svc__watchdog_mark(&loop.watchdog, svc__clock_coarse_ns() - ms * MS);
    loop.watchdog.sample.waits--;
    loop.watchdog.waits = 0;
    svc__watchdog_look(&loop.watchdog, what, &subject);
}

Test(run_watchdog, reports_once_what_holds_the_loop_for_the_limit)
{
    hold(5000, WATCHED_REQUEST);
    cr_expect_eq(stalls, 0);
    hold(10000, WATCHED_REQUEST);
    cr_expect_eq(stalls, 1);
    cr_expect_eq(last.what, WATCHED_REQUEST);
    cr_expect_eq(last.subject, &subject);
    cr_expect_geq(last.held_ns, 10000 * MS);
    cr_expect_eq(last.limit_ns, 10000 * MS);
    cr_expect_eq(last.hold, HOLD_WAITED);
    cr_expect_lt((uint64_t)last.ran_ns, 1000 * MS);
    svc__watchdog_look(&loop.watchdog, WATCHED_REQUEST, &subject);
    cr_expect_eq(stalls, 1, "reported twice");
}

Test(run_watchdog, does_not_know_what_ran_without_a_sample)
{
    svc__watchdog_mark(&loop.watchdog, svc__clock_coarse_ns() - 10000 * MS);
    loop.watchdog.sample.known = false;
    svc__watchdog_look(&loop.watchdog, WATCHED_REQUEST, &subject);
    cr_expect_eq(last.hold, HOLD_UNKNOWN);
    cr_expect_eq(last.ran_ns, -1);
}

Test(run_watchdog, a_mark_ahead_of_the_coarse_clock_is_no_stall)
{
    svc__watchdog_mark(&loop.watchdog, svc__clock_ns() + 1000 * MS);
    svc__watchdog_look(&loop.watchdog, WATCHED_REQUEST, &subject);
    cr_expect_eq(stalls, 0);
}

/* ---- Of callbacks of the loop */

static void hold_the_loop(void *arg)
{
    (void)arg;
    svc__watchdog_mark(&loop.watchdog, svc__clock_coarse_ns() - 10000 * MS);
}

static void hold_the_loop_by_events(unsigned events, void *arg)
{
    (void)events;
    hold_the_loop(arg);
}

static void expect_stall_of(enum watched what)
{
    svc__reactor_turn(&loop, svc__clock_ms() + TURN_MS);
    cr_expect_eq(stalls, 1);
    cr_expect_eq(last.what, what);
    cr_expect_null(last.subject);
}

Test(run_watchdog, looks_at_what_was_posted)
{
    cr_assert_eq(svc_loop_post(&loop, hold_the_loop, NULL), 0);
    expect_stall_of(WATCHED_POST);
}

Test(run_watchdog, looks_at_timers)
{
    svc_timer *timer = svc_timer_new(&loop, hold_the_loop, NULL);
    cr_assert_eq(svc_timer_set(timer, 1), 0);
    svc__reactor_turn(&loop, svc__clock_ms() + TURN_MS); /* sleeps until then */
    expect_stall_of(WATCHED_TIMER);
    svc_timer_free(timer);
}

Test(run_watchdog, looks_at_watches)
{
    int fd = eventfd(0, EFD_CLOEXEC);
    svc_watch *watch = svc_watch_new(&loop, fd, SVC_WRITABLE, hold_the_loop_by_events, NULL);
    cr_assert(watch);
    expect_stall_of(WATCHED_WATCH);
    svc_watch_free(watch);
    close(fd);
}

Test(run_watchdog, is_off_in_a_loop_that_was_just_opened)
{
    close_loop();
    open_loop();
    hold(100000, WATCHED_REQUEST);
    cr_expect_eq(stalls, 0);
    cr_expect_eq(loop.watchdog.sampled_ns, 0, "a sample costs system calls");
}

/* ---- What the thread did meanwhile */

/* The loop was held for 100 ms, of which the limit is 50; the sample is 10 ms older. */
Test(run_watchdog, tells_who_computed_from_who_waited_and_who_was_not_run)
{
    static const struct {
        uint64_t ran_ms, waits, preemptions;
        enum hold hold;
    } rows[] = {
        {110, 0, 0, HOLD_COMPUTED}, {60, 0, 9, HOLD_COMPUTED}, {35, 0, 30, HOLD_COMPUTED},
        {34, 0, 30, HOLD_NOT_RUN},  {10, 0, 1, HOLD_NOT_RUN},  {0, 3, 1, HOLD_NOT_RUN},
        {0, 4, 0, HOLD_WAITED},     {0, 4, 1, HOLD_WAITED},    {12, 90, 40, HOLD_WAITED},
        {0, 3, 0, HOLD_WAITED},     {0, 0, 0, HOLD_WAITED},    {90, 4, 0, HOLD_COMPUTED},
    };
    struct watchdog dog = {.limit_ns = 50 * MS,
                           .sampled_ns = 1000 * MS,
                           .mark_ns = 1010 * MS,
                           .waits = 3,
                           .sample = {true, 7000 * MS, 100, 200}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct thread_usage now = {true, 7000 * MS + rows[i].ran_ms * MS, 100 + rows[i].waits,
                                   200 + rows[i].preemptions};
        cr_expect_eq(svc__watchdog_hold(&dog, 100 * MS, &now), rows[i].hold, "row %zu", i);
        now.known = false;
        cr_expect_eq(svc__watchdog_hold(&dog, 100 * MS, &now), HOLD_UNKNOWN);
    }
    struct thread_usage now = dog.sample;
    dog.sample.known = false;
    cr_expect_eq(svc__watchdog_hold(&dog, 100 * MS, &now), HOLD_UNKNOWN);
}

/* A sample costs system calls. */
Test(run_watchdog, takes_a_sample_a_few_times_in_the_limit_at_most)
{
    struct watchdog *dog = &loop.watchdog;
    uint64_t now_ns = svc__clock_ns(), samples = 0;
    for (int i = 0; i < 10000; i++) {
        uint64_t before_ns = dog->sampled_ns;
        svc__watchdog_woken(dog, now_ns += 10 * MS);
        samples += dog->sampled_ns != before_ns;
        cr_assert_leq(dog->mark_ns - dog->sampled_ns, dog->limit_ns / 4);
    }
    cr_expect_eq(samples, 10000 * 10 / (10000 / 4));
}
