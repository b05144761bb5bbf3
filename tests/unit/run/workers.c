/* The pool of threads: who does what, and what happens when no thread can be had. */
#include "libsvc/run/workers.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>

#include <svc/errors.h>

#include "libsvc/base/clock.h"
#include "libsvc/base/thread.h"
#include "tests/unit/run/threads.h"

enum { WAIT_MS = 60000 }; /* for what is to come at once */

_Atomic int threads_left = INT_MAX;

int __real_svc__thread_start_program(pthread_t *thread, size_t stack_bytes, void *(*run)(void *arg),
                                     void *arg);
int __wrap_svc__thread_start_program(pthread_t *thread, size_t stack_bytes, void *(*run)(void *arg),
                                     void *arg);

int __wrap_svc__thread_start_program(pthread_t *thread, size_t stack_bytes, void *(*run)(void *arg),
                                     void *arg)
{
    if (atomic_fetch_sub(&threads_left, 1) <= 0)
        return EAGAIN;
    return __real_svc__thread_start_program(thread, stack_bytes, run, arg);
}

/* ---- What threads have */

static _Atomic int begun, ended, failed_count, last_failure;
static _Thread_local int own;

static void *begin(void *arg)
{
    char name[16];
    cr_expect_eq(arg, &begun);
    cr_expect_eq(pthread_getname_np(pthread_self(), name, sizeof name), 0);
    cr_expect_str_eq(name, "svc-worker", "in profiles");
    atomic_fetch_add(&begun, 1);
    return &own;
}

static void *begin_not(void *arg)
{
    (void)arg;
    return NULL;
}

static sem_t may_begin;

static void wait_for(sem_t *sem)
{
    while (sem_wait(sem))
        continue;
}

static void *begin_late(void *arg)
{
    wait_for(&may_begin);
    return begin(arg);
}

static void *fail_late(void *arg)
{
    (void)arg;
    wait_for(&may_begin);
    return NULL;
}

static void end(void *state)
{
    cr_expect_eq(state, &own, "on another thread");
    atomic_fetch_add(&ended, 1);
}

static void note_failure(void *arg, int error)
{
    cr_expect_eq(arg, &begun);
    last_failure = error;
    atomic_fetch_add(&failed_count, 1);
}

static struct workers *make_pool(size_t min, size_t max, void *(*begin_by)(void *arg))
{
    struct workers_options options = {.min = min,
                                      .max = max,
                                      .max_queued = 100,
                                      .idle_ms = 3600000,
                                      .begin = begin_by,
                                      .end = end,
                                      .failed = note_failure,
                                      .arg = &begun};
    struct workers *pool = svc__workers_new(&options);
    cr_assert(pool);
    sem_init(&may_begin, 0, 0);
    return pool;
}

static void end_pool(struct workers *pool)
{
    cr_expect_eq(svc__workers_stop(pool, svc__clock_ms() + WAIT_MS), 0);
    cr_expect_eq(begun, ended);
    svc__workers_free(pool);
}

/* ---- Work */

struct piece {
    struct work work; /* first */
    sem_t may_end;
    pthread_t thread;
};

enum { PIECES = 4 };

static struct piece pieces[PIECES];
static _Atomic int run_count, refused_count;
static sem_t done, entered;
static int order[PIECES]; /* of those that one thread has run */

static void settle(struct work *work, void *state)
{
    struct piece *piece = (struct piece *)(void *)work;
    piece->thread = pthread_self();
    if (state) {
        cr_expect_eq(state, &own, "another thread's state");
        order[run_count++] = (int)(piece - pieces);
    } else {
        refused_count++;
    }
    sem_post(&done);
}

static void settle_late(struct work *work, void *state)
{
    struct piece *piece = (struct piece *)(void *)work;
    sem_post(&entered);
    wait_for(&piece->may_end);
    settle(work, state);
}

static void init_pieces(void)
{
    sem_init(&done, 0, 0);
    sem_init(&entered, 0, 0);
    for (size_t i = 0; i < PIECES; i++) {
        pieces[i].work.run = settle;
        sem_init(&pieces[i].may_end, 0, 0);
    }
}

TestSuite(run_workers, .init = init_pieces);

static int submit(struct workers *pool, size_t i)
{
    return svc__workers_submit(pool, &pieces[i].work);
}

static void submit_all(struct workers *pool)
{
    for (size_t i = 0; i < PIECES; i++)
        cr_assert_eq(submit(pool, i), 0);
}

static void await(int count)
{
    while (count-- > 0)
        wait_for(&done);
}

static void await_idle(struct workers *pool)
{
    while (svc__workers_stats(pool).busy)
        sched_yield();
}

Test(run_workers, threads_come_as_they_are_needed_up_to_the_most_and_each_ends_what_it_began)
{
    struct workers *pool = make_pool(0, 2, begin);
    cr_expect_eq(svc__workers_start(pool, false), 0);
    cr_expect_eq(svc__workers_stats(pool).threads, 0);
    for (size_t i = 0; i < 2; i++) {
        pieces[i].work.run = settle_late;
        cr_expect_eq(submit(pool, i), 0);
        wait_for(&entered);
    }
    cr_expect_eq(submit(pool, 2), 0);
    struct workers_stats stats = svc__workers_stats(pool);
    cr_expect_eq(stats.threads, 2);
    cr_expect_eq(stats.busy, 2);
    cr_expect_eq(stats.queued, 1);
    sem_post(&pieces[0].may_end);
    await(2);
    sem_post(&pieces[1].may_end);
    await(1);
    cr_expect(pthread_equal(pieces[2].thread, pieces[0].thread));
    cr_expect_not(pthread_equal(pieces[1].thread, pieces[0].thread));
    await_idle(pool);
    end_pool(pool);
    cr_expect_eq(ended, 2);
}

Test(run_workers, the_latest_to_be_idle_is_the_first_to_be_used)
{
    struct workers *pool = make_pool(0, 2, begin);
    for (size_t i = 0; i < 2; i++) {
        pieces[i].work.run = settle_late;
        cr_expect_eq(submit(pool, i), 0);
        wait_for(&entered);
    }
    for (size_t i = 0; i < 2; i++) {
        sem_post(&pieces[i].may_end);
        await(1);
        while (svc__workers_stats(pool).busy > 1 - i)
            sched_yield();
    }
    for (int i = 0; i < 20; i++) {
        cr_expect_eq(submit(pool, 2), 0);
        await(1);
        await_idle(pool);
        cr_expect(pthread_equal(pieces[2].thread, pieces[1].thread));
        run_count = 0;
    }
    end_pool(pool);
}

Test(run_workers, the_least_is_there_from_the_start_and_the_most_is_not_less)
{
    struct workers *pool = make_pool(3, 2, begin);
    cr_expect_eq(svc__workers_start(pool, true), 0);
    cr_expect_eq(svc__workers_stats(pool).threads, 2);
    end_pool(pool);
    cr_expect_eq(ended, 2);
}

Test(run_workers, one_that_is_idle_for_too_long_ends_unless_it_is_of_the_least)
{
    struct workers_options options = {.min = 1,
                                      .max = 3,
                                      .max_queued = 100,
                                      .idle_ms = 20,
                                      .begin = begin,
                                      .end = end,
                                      .failed = note_failure,
                                      .arg = &begun};
    struct workers *pool = svc__workers_new(&options);
    for (size_t i = 0; i < 3; i++) {
        pieces[i].work.run = settle_late;
        cr_expect_eq(submit(pool, i), 0);
        wait_for(&entered);
    }
    for (size_t i = 0; i < 3; i++)
        sem_post(&pieces[i].may_end);
    await(3);
    while (svc__workers_stats(pool).threads > 1)
        sched_yield();
    cr_expect_eq(ended, 2);
    cr_expect_eq(begun, 3, "the last one stays");
    cr_expect_eq(submit(pool, 3), 0);
    await(1);
    end_pool(pool);
}

Test(run_workers, what_no_thread_has_begun_with_can_be_taken_back)
{
    struct workers *pool = make_pool(0, 1, begin);
    pieces[0].work.run = settle_late;
    cr_expect_eq(submit(pool, 0), 0);
    wait_for(&entered);
    cr_expect_eq(submit(pool, 1), 0);
    cr_expect_eq(submit(pool, 2), 0);
    cr_expect_not(svc__workers_withdraw(pool, &pieces[0].work));
    cr_expect(svc__workers_withdraw(pool, &pieces[1].work));
    cr_expect_not(svc__workers_withdraw(pool, &pieces[1].work));
    sem_post(&pieces[0].may_end);
    await(2);
    end_pool(pool);
    cr_expect_eq(run_count, 2);
    cr_expect_eq(order[1], 2);
}

/* Who has waited for long has given up. */
Test(run_workers, the_newest_goes_first_when_the_oldest_has_waited_for_long)
{
    struct workers *pool = make_pool(0, 1, begin);
    pieces[0].work.run = settle_late;
    cr_expect_eq(submit(pool, 0), 0);
    wait_for(&entered);
    for (size_t i = 1; i < PIECES; i++)
        cr_expect_eq(submit(pool, i), 0);
    pieces[1].work.since_ns -= 1000000000;
    sem_post(&pieces[0].may_end);
    await(PIECES);
    end_pool(pool);
    static const int expected[PIECES] = {0, 3, 2, 1};
    cr_expect_arr_eq(order, expected, sizeof order);
}

Test(run_workers, a_stop_that_finds_work_running_says_so_and_can_be_asked_for_again)
{
    struct workers *pool = make_pool(0, 1, begin);
    pieces[0].work.run = settle_late;
    cr_expect_eq(submit(pool, 0), 0);
    wait_for(&entered);
    cr_expect_eq(svc__workers_stop(pool, svc__clock_ms()), SVC_EFORCED);
    cr_expect_eq(ended, 0);
    sem_post(&pieces[0].may_end);
    end_pool(pool);
}

/* ---- Threads that cannot be had */

Test(run_workers, without_any_work_is_refused_at_once_and_it_is_reported)
{
    struct workers *pool = make_pool(0, 8, begin);
    threads_left = 0;
    cr_expect_eq(submit(pool, 0), SVC_EAGAIN);
    cr_expect_eq(submit(pool, 1), SVC_EAGAIN);
    cr_expect_eq(failed_count, 2);
    cr_expect_eq(last_failure, EAGAIN);
    cr_expect_eq(svc__workers_stats(pool).threads, 0);
    threads_left = INT_MAX;
    cr_expect_eq(submit(pool, 0), 0);
    await(1);
    cr_expect_eq(run_count, 1);
    end_pool(pool);
}

Test(run_workers, a_start_says_whether_one_can_be_had_if_any_is_needed)
{
    struct workers *pool = make_pool(0, 8, begin);
    threads_left = 0;
    cr_expect_eq(svc__workers_start(pool, false), 0);
    cr_expect_eq(svc__workers_start(pool, true), EAGAIN);
    end_pool(pool);
}

Test(run_workers, a_start_that_cannot_have_the_least_says_so)
{
    struct workers *pool = make_pool(2, 8, begin);
    threads_left = 1;
    cr_expect_eq(svc__workers_start(pool, false), EAGAIN);
    end_pool(pool);
}

Test(run_workers, one_that_cannot_begin_is_as_none)
{
    struct workers *pool = make_pool(0, 8, begin_not);
    cr_expect_eq(submit(pool, 0), 0);
    await(1);
    cr_expect_eq(refused_count, 1);
    cr_expect_eq(failed_count, 1);
    cr_expect_eq(last_failure, 0);
    end_pool(pool);
}

Test(run_workers, all_that_wait_for_the_last_one_are_refused_when_it_cannot_begin)
{
    struct workers *pool = make_pool(0, 1, fail_late);
    submit_all(pool);
    sem_post(&may_begin);
    await(PIECES);
    cr_expect_eq(refused_count, PIECES);
    cr_expect_not(svc__workers_withdraw(pool, &pieces[0].work));
    end_pool(pool);
}

Test(run_workers, one_that_is_there_does_the_work_of_those_that_cannot_begin)
{
    struct workers *pool = make_pool(0, 8, begin_late);
    threads_left = 1;
    submit_all(pool);
    sem_post(&may_begin);
    await(PIECES);
    cr_expect_eq(run_count, PIECES);
    cr_expect_eq(failed_count, PIECES - 1);
    end_pool(pool);
}

Test(run_workers, what_the_queue_has_no_place_for_is_refused_when_no_thread_comes)
{
    struct workers_options options = {.max = 8,
                                      .max_queued = 1,
                                      .idle_ms = 3600000,
                                      .begin = begin_late,
                                      .end = end,
                                      .failed = note_failure,
                                      .arg = &begun};
    struct workers *pool = svc__workers_new(&options);
    sem_init(&may_begin, 0, 0);
    threads_left = 1;
    cr_expect_eq(submit(pool, 0), 0);
    cr_expect_eq(submit(pool, 1), SVC_EAGAIN);
    sem_post(&may_begin);
    await(1);
    end_pool(pool);
}
