/*
 * Threads that meet in the pool of workers, a program of its own so that the thread sanitizer sees
 * it: each piece of work is done once, or refused, or taken back; while workers come and go for
 * want of work, and the pool stops in the midst of it.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "libsvc/base/clock.h"
#include "libsvc/run/workers.h"

enum { SUBMITTERS = 4, ROUNDS = 3000, PIECES = 8, WORKERS = 4, QUEUE = 16, STOP_MS = 60000 };

enum { WAITS, DONE };

struct piece {
    struct work work; /* first */
    _Atomic int state;
};

static _Atomic bool failed;
static _Atomic unsigned begun, ended;
static _Atomic unsigned long done, refused, withdrawn;

static void expect_that(bool is_so, const char *what, unsigned long number)
{
    if (is_so)
        return;
    printf("WRONG: %s (%lu)\n", what, number);
    failed = true;
}

static void *begin_thread(void *arg)
{
    (void)arg;
    begun++;
    return calloc(1, sizeof(unsigned long));
}

static void end_thread(void *state)
{
    free(state);
    ended++;
}

static void note_failure(void *arg, int error)
{
    (void)arg;
    expect_that(false, "a thread failed", (unsigned long)error);
}

/* What a thread has is its own, so that no two count in it at a time. */
static void do_piece(struct work *work, void *state)
{
    unsigned long *count = state;
    if (count) {
        ++*count;
        done++;
    } else {
        refused++;
    }
    atomic_store(&((struct piece *)(void *)work)->state, DONE);
}

static void settle_piece(struct workers *pool, struct piece *piece, bool takes_back)
{
    if (takes_back && svc__workers_withdraw(pool, &piece->work)) {
        withdrawn++;
        return;
    }
    while (atomic_load(&piece->state) == WAITS)
        sched_yield();
}

static void *submit_rounds(void *arg)
{
    static _Thread_local struct piece pieces[PIECES];
    bool taken[PIECES];
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < PIECES; i++) {
            pieces[i].work.run = do_piece;
            atomic_store(&pieces[i].state, WAITS);
            taken[i] = !svc__workers_submit(arg, &pieces[i].work);
            if (!taken[i])
                refused++;
        }
        for (unsigned i = 0; i < PIECES; i++)
            if (taken[i])
                settle_piece(arg, &pieces[i], (round + i) % 3 == 0);
        if (round % 512 == 0) {
            struct timespec pause = {0, 3000000}; /* so that workers end for want of work */
            nanosleep(&pause, NULL);
        }
    }
    return NULL;
}

int main(void)
{
    struct workers_options options = {.min = 1,
                                      .max = WORKERS,
                                      .max_queued = QUEUE,
                                      .idle_ms = 1,
                                      .begin = begin_thread,
                                      .end = end_thread,
                                      .failed = note_failure};
    struct workers *pool = svc__workers_new(&options);
    pthread_t threads[SUBMITTERS];
    if (!pool || svc__workers_start(pool, true))
        abort();
    for (int i = 0; i < SUBMITTERS; i++)
        if (pthread_create(&threads[i], NULL, submit_rounds, pool))
            abort();
    for (int i = 0; i < SUBMITTERS; i++)
        pthread_join(threads[i], NULL);
    struct workers_stats stats = svc__workers_stats(pool);
    expect_that(stats.queued == 0, "nothing is queued", stats.queued);
    expect_that(done + refused + withdrawn == (unsigned long)SUBMITTERS * ROUNDS * PIECES,
                "each once", done);
    expect_that(!svc__workers_stop(pool, svc__clock_ms() + STOP_MS), "the stop", 0);
    expect_that(begun == ended && begun > WORKERS, "workers came and went", begun);
    svc__workers_free(pool);
    printf("%lu done, %lu refused, %lu taken back, by %u threads\n", done, refused, withdrawn,
           begun);
    return failed ? 1 : 0;
}
