#include <criterion/criterion.h>
#include <limits.h>

#include "libsvc/base/clock.h"
#include "libsvc/base/wait.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool there;

Test(base_wait, a_deadline_is_not_before_its_time)
{
    enum { MS = 20 };
    uint64_t began = svc__clock_ns();
    uint64_t deadline = svc__wait_deadline(MS);
    pthread_mutex_lock(&lock);
    while (svc__wait_until(&changed, &lock, deadline))
        continue;
    pthread_mutex_unlock(&lock);
    cr_expect_geq(svc__clock_ns() - began, MS * UINT64_C(1000000));
}

Test(base_wait, what_has_passed_is_not_waited_for)
{
    pthread_mutex_lock(&lock);
    cr_expect_not(svc__wait_until(&changed, &lock, WAIT_NOT));
    cr_expect_not(svc__wait_until(&changed, &lock, 1));
    pthread_mutex_unlock(&lock);
}

static void *bring(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    there = true;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void expect_signal(uint64_t deadline)
{
    pthread_t thread;
    bool waits = true;
    there = false;
    pthread_mutex_lock(&lock);
    cr_assert_eq(pthread_create(&thread, NULL, bring, NULL), 0);
    while (!there && waits)
        waits = svc__wait_until(&changed, &lock, deadline);
    pthread_mutex_unlock(&lock);
    pthread_join(thread, NULL);
    cr_expect(waits && there);
}

Test(base_wait, a_signal_ends_a_wait)
{
    expect_signal(WAIT_FOR_EVER);
    expect_signal(svc__wait_deadline(60000));
    expect_signal(UINT64_MAX - 1); /* later than a clock can tell */
}

/* However late the kernel is by its rules: 0.5% of the wait, and 50 us at least. */
Test(base_wait, a_wait_for_an_event_is_not_late_by_a_share_of_it)
{
    static const uint64_t lengths_ms[] = {0, 1, 20, 127, 128, 1000, 30000, 86400000, 31622400000};
    for (size_t i = 0; i < sizeof lengths_ms / sizeof *lengths_ms; i++) {
        uint64_t now_us = 0, due_us = lengths_ms[i] * 1000;
        unsigned wakes = 0;
        for (; now_us < due_us; wakes++) {
            int ms = svc__wait_epoll_ms((int64_t)((due_us - now_us + 999) / 1000));
            cr_assert_gt(ms, 0);
            now_us += (uint64_t)ms * 1000 + (ms < 10 ? 50 : (uint64_t)ms * 5);
        }
        cr_expect_leq(now_us, due_us + 1000 + 127 * 5, "%zu ms", (size_t)lengths_ms[i]);
        cr_expect_leq(wakes, 30, "%u for %zu ms", wakes, (size_t)lengths_ms[i]);
    }
    cr_expect_eq(svc__wait_epoll_ms(-1), -1);
    cr_expect_eq(svc__wait_epoll_ms(INT64_MAX), INT_MAX);
}
