/* What is posted to a loop, and how a loop ends. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include "tests/unit/run/support.h"

TestSuite(run_reactor, .init = open_loop, .fini = close_loop);

static int ran;
static int order[16];

static void note(void *arg)
{
    order[ran++] = *(int *)arg;
}

Test(run_reactor, posts_run_once_in_order_and_not_within_the_call)
{
    static int numbers[] = {0, 1, 2};
    for (int i = 0; i < 3; i++)
        cr_expect_eq(svc_loop_post(&loop, note, &numbers[i]), 0);
    cr_expect_eq(ran, 0);
    turn_until(&ran, 3);
    svc__reactor_turn(&loop, 0);
    cr_expect_eq(ran, 3);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(order[i], i);
}

static void post_again(void *arg)
{
    ran++;
    cr_expect_eq(svc_loop_post(&loop, post_again, arg), loop.ended ? SVC_ESTATE : 0);
}

/* Else one that posts itself again would keep all else from running. */
Test(run_reactor, what_a_post_posts_runs_in_the_next_turn)
{
    cr_expect_eq(svc_loop_post(&loop, post_again, NULL), 0);
    for (int i = 1; i <= 5; i++) {
        cr_expect_eq(svc__reactor_wait_ms(&loop, svc__clock_ns()), 0);
        svc__reactor_turn(&loop, UINT64_MAX);
        cr_expect_eq(ran, i);
    }
}

Test(run_reactor, a_post_from_its_own_thread_makes_no_system_call)
{
    static int number;
    uint64_t seen;
    cr_expect_eq(svc_loop_post(&loop, note, &number), 0);
    svc__reactor_wake(&loop);
    cr_expect_lt(read(loop.wake_fd, &seen, sizeof seen), 0, "the eventfd was written");
    cr_expect_eq(svc__reactor_wait_ms(&loop, svc__clock_ns()), 0);
    cr_expect(svc__reactor_take_wake(&loop));
    cr_expect_not(svc__reactor_take_wake(&loop));
}

static void *wake(void *arg)
{
    svc__reactor_wake(arg);
    return NULL;
}

Test(run_reactor, another_thread_ends_the_wait)
{
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, wake, &loop), 0);
    while (!svc__reactor_take_wake(&loop))
        svc__reactor_turn(&loop, UINT64_MAX);
    pthread_join(thread, NULL);
}

Test(run_reactor, a_turn_waits_no_longer_than_it_is_told)
{
    uint64_t until_ms = svc__clock_ms() + 20;
    while (svc__clock_ms() < until_ms)
        svc__reactor_turn(&loop, until_ms);
    cr_expect_eq(svc__reactor_wait_ms(&loop, svc__clock_ns()), -1);
    cr_expect_lt(svc__clock_ms(), until_ms + TURN_MS);
}

/* ---- Many threads, and an end in their midst */

enum { POSTERS = 4, PER_POSTER = 20000 };

static _Atomic int taken; /* that posters were told of */

static void count(void *arg)
{
    int *next = arg; /* of the poster: its posts keep their order */
    (*next)++;
    ran++;
}

static int per_poster[POSTERS];

static void *post_many(void *arg)
{
    int error = 0;
    for (int i = 0; i < PER_POSTER && !error; i++) {
        error = svc_loop_post(&loop, count, arg);
        taken += !error;
        if (i % 64 == 0)
            sched_yield();
    }
    cr_assert(!error || error == SVC_ESTATE);
    return NULL;
}

static void start_posters(pthread_t *threads)
{
    for (size_t i = 0; i < POSTERS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, post_many, &per_poster[i]), 0);
}

Test(run_reactor, what_many_threads_post_runs)
{
    pthread_t threads[POSTERS];
    start_posters(threads);
    turn_until(&ran, POSTERS * PER_POSTER);
    for (size_t i = 0; i < POSTERS; i++) {
        pthread_join(threads[i], NULL);
        cr_expect_eq(per_poster[i], PER_POSTER);
    }
}

Test(run_reactor, at_the_end_what_was_taken_has_run_and_the_rest_was_refused)
{
    pthread_t threads[POSTERS];
    start_posters(threads);
    turn_until(&ran, PER_POSTER / 2);
    svc__reactor_end(&loop);
    int at_the_end = ran;
    for (size_t i = 0; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    cr_expect_eq(at_the_end, atomic_load(&taken));
    cr_expect_eq(svc_loop_post(&loop, count, per_poster), SVC_ESTATE);
}

static void use_after_the_end(void *arg)
{
    svc_timer *timer = arg;
    ran++;
    cr_expect_eq(svc_loop_post(&loop, note, NULL), SVC_ESTATE);
    cr_expect_eq(svc_timer_set(timer, 0), SVC_ESTATE);
    cr_expect_null(svc_timer_new(&loop, note, NULL));
    cr_expect_null(svc_watch_new(&loop, loop.wake_fd, 0, NULL, NULL));
    svc_timer_free(timer);
}

Test(run_reactor, the_last_posts_can_free_and_begin_nothing)
{
    svc_timer *timer = svc_timer_new(&loop, note, NULL);
    cr_expect_eq(svc_timer_set(timer, 0), 0);
    cr_expect_eq(svc_loop_post(&loop, use_after_the_end, timer), 0);
    svc__reactor_end(&loop);
    cr_expect_eq(ran, 1);
    svc__reactor_end(&loop);
    cr_expect_eq(ran, 1);
}
