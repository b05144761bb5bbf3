#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <svc/queue.h>

#include "libsvc/base/clock.h"

static char things[16];

static void expect_next(svc_queue *queue, const void *wanted)
{
    void *item = NULL;
    cr_expect_eq(svc_queue_try_pop(queue, &item), 0);
    cr_expect_eq(item, wanted);
}

Test(run_queue, what_comes_first_goes_first_round_the_ring)
{
    svc_queue *queue = svc_queue_new(3, NULL);
    size_t in = 0, out = 0;
    for (int round = 0; round < 5; round++) {
        while (svc_queue_len(queue) < 3)
            cr_assert_eq(svc_queue_try_push(queue, &things[in++ % 16]), 0);
        cr_expect_eq(svc_queue_try_push(queue, things), SVC_EAGAIN);
        for (int i = 0; i < 2; i++)
            expect_next(queue, &things[out++ % 16]);
        cr_expect_eq(svc_queue_len(queue), 1);
    }
    svc_queue_free(queue);
}

Test(run_queue, capacities_are_bounded)
{
    cr_expect_null(svc_queue_new(0, NULL));
    cr_expect_null(svc_queue_new(SVC_QUEUE_MAX + (size_t)1, NULL));
    cr_expect_null(svc_queue_new(SIZE_MAX, NULL));
    svc_queue *queue = svc_queue_new(SVC_QUEUE_MAX, NULL);
    cr_assert(queue);
    cr_expect_eq(svc_queue_push(queue, things), 0);
    svc_queue_free(queue);
    svc_queue_free(NULL);
}

Test(run_queue, nothing_is_no_item)
{
    svc_queue *queue = svc_queue_new(1, NULL);
    cr_expect_eq(svc_queue_push(queue, NULL), SVC_EINVAL);
    cr_expect_eq(svc_queue_try_push(queue, NULL), SVC_EINVAL);
    cr_expect_eq(svc_queue_push_within(queue, NULL, 1), SVC_EINVAL);
    cr_expect_eq(svc_queue_len(queue), 0);
    svc_queue_free(queue);
}

Test(run_queue, closed_it_gives_what_is_left_and_then_fails)
{
    svc_queue *queue = svc_queue_new(2, NULL);
    void *item = &things[9];
    (void)!svc_queue_push(queue, &things[0]);
    (void)!svc_queue_push(queue, &things[1]);
    svc_queue_close(queue);
    svc_queue_close(queue);
    cr_expect_eq(svc_queue_push(queue, &things[2]), SVC_ECLOSED); /* and not that it is full */
    cr_expect_eq(svc_queue_try_push(queue, &things[2]), SVC_ECLOSED);
    cr_expect_eq(svc_queue_push_within(queue, &things[2], 60000), SVC_ECLOSED);
    cr_expect_eq(svc_queue_pop(queue, &item), 0);
    cr_expect_eq(item, &things[0]);
    expect_next(queue, &things[1]);
    cr_expect_eq(svc_queue_pop(queue, &item), SVC_ECLOSED);
    cr_expect_eq(svc_queue_try_pop(queue, &item), SVC_ECLOSED);
    cr_expect_eq(svc_queue_pop_within(queue, &item, 60000), SVC_ECLOSED);
    cr_expect_eq(svc_queue_try_push(queue, &things[2]), SVC_ECLOSED);
    cr_expect_eq(item, &things[0], "an output was written on failure");
    svc_queue_free(queue);
}

Test(run_queue, waits_have_an_end)
{
    enum { MS = 20 };
    svc_queue *queue = svc_queue_new(1, NULL);
    void *item = things;
    uint64_t began = svc__clock_ns();
    cr_expect_eq(svc_queue_pop_within(queue, &item, MS), SVC_EAGAIN);
    cr_expect_geq(svc__clock_ns() - began, MS * UINT64_C(1000000));
    cr_expect_eq(svc_queue_push_within(queue, things, MS), 0);
    began = svc__clock_ns();
    cr_expect_eq(svc_queue_push_within(queue, things, MS), SVC_EAGAIN);
    cr_expect_geq(svc__clock_ns() - began, MS * UINT64_C(1000000));
    cr_expect_eq(svc_queue_pop_within(queue, &item, 0), 0);
    cr_expect_eq(svc_queue_pop_within(queue, &item, 0), SVC_EAGAIN);
    svc_queue_free(queue);
}

static int dropped;

static void drop(void *item)
{
    cr_expect_eq(item, &things[1 + dropped]);
    dropped++;
}

Test(run_queue, what_is_left_at_the_end_is_dropped_in_order)
{
    svc_queue *queue = svc_queue_new(3, drop);
    for (int i = 0; i < 3; i++)
        (void)!svc_queue_push(queue, &things[i]);
    expect_next(queue, &things[0]);
    (void)!svc_queue_push(queue, &things[3]);
    svc_queue_free(queue);
    cr_expect_eq(dropped, 3);
}

/* ---- Threads */

enum { CREW = 4, EACH = 20000 };

struct member {
    pthread_t thread;
    svc_queue *queue;
    int (*push)(svc_queue *queue, void *item);
    size_t index, count, sum;
    int end; /* what the last call has said */
};

/* An item is its number from 1, in the high half whose. */
static void *item_of(size_t producer, size_t number)
{
    return (void *)(producer << 32 | number);
}

static int push_within(svc_queue *queue, void *item)
{
    int error;
    do
        error = svc_queue_push_within(queue, item, 1);
    while (error == SVC_EAGAIN);
    return error;
}

static int keep_trying(svc_queue *queue, void *item)
{
    int error;
    while ((error = svc_queue_try_push(queue, item)) == SVC_EAGAIN)
        sched_yield();
    return error;
}

static void *produce(void *arg)
{
    struct member *m = arg;
    for (size_t n = 1; n <= EACH && !m->end; n++) {
        m->end = m->push(m->queue, item_of(m->index, n));
        m->sum += m->end ? 0 : n;
    }
    return NULL;
}

/* Each consumer sees the items of each producer in their order. */
static void *consume(void *arg)
{
    struct member *m = arg;
    size_t last[CREW] = {0};
    void *item;
    while (!(m->end = svc_queue_pop(m->queue, &item))) {
        size_t number = (size_t)item & 0xffffffff, *before = &last[(size_t)item >> 32];
        if (number <= *before)
            break;
        *before = number;
        m->sum += number;
        m->count++;
    }
    return NULL;
}

static void start(struct member *crew, svc_queue *queue, void *(*run)(void *arg))
{
    static int (*const ways[])(svc_queue *, void *) = {svc_queue_push, push_within, keep_trying,
                                                       svc_queue_push};
    for (size_t i = 0; i < CREW; i++) {
        crew[i] = (struct member){.queue = queue, .push = ways[i], .index = i};
        cr_assert_eq(pthread_create(&crew[i].thread, NULL, run, &crew[i]), 0);
    }
}

static size_t join(struct member *crew, int end)
{
    size_t sum = 0;
    for (size_t i = 0; i < CREW; i++) {
        pthread_join(crew[i].thread, NULL);
        cr_expect_eq(crew[i].end, end, "member %zu ended with %s", i, svc_error_name(crew[i].end));
        sum += crew[i].sum;
    }
    return sum;
}

static void run_crews(size_t capacity)
{
    struct member producers[CREW], consumers[CREW];
    svc_queue *queue = svc_queue_new(capacity, NULL);
    start(consumers, queue, consume);
    start(producers, queue, produce);
    size_t in = join(producers, 0);
    svc_queue_close(queue);
    size_t out = join(consumers, SVC_ECLOSED);
    cr_expect_eq(in, (size_t)CREW * EACH * (EACH + 1) / 2);
    cr_expect_eq(out, in);
    svc_queue_free(queue);
}

Test(run_queue, many_push_and_pop_and_nothing_is_lost)
{
    run_crews(1);
    run_crews(7);
    run_crews(CREW * EACH);
}

/* What producers could push before the close is what comes out. */
Test(run_queue, a_close_in_mid_stream_loses_nothing_that_was_pushed)
{
    struct member producers[CREW], consumers[CREW];
    svc_queue *queue = svc_queue_new(3, NULL);
    start(producers, queue, produce);
    void *item;
    size_t taken = 0;
    for (int i = 0; i < 1000; i++) {
        cr_assert_eq(svc_queue_pop(queue, &item), 0);
        taken += (size_t)item & 0xffffffff;
    }
    svc_queue_close(queue);
    size_t in = join(producers, SVC_ECLOSED);
    start(consumers, queue, consume);
    cr_expect_eq(taken + join(consumers, SVC_ECLOSED), in);
    svc_queue_free(queue);
}

/* Blocked in both directions; a close that comes before they wait must end them too. */
Test(run_queue, a_close_wakes_whoever_waits)
{
    struct member crew[CREW];
    svc_queue *empty = svc_queue_new(1, NULL), *full = svc_queue_new(1, NULL);
    start(crew, empty, consume);
    svc_queue_close(empty);
    cr_expect_eq(join(crew, SVC_ECLOSED), 0);
    (void)!svc_queue_push(full, things);
    start(crew, full, produce);
    svc_queue_close(full);
    cr_expect_eq(join(crew, SVC_ECLOSED), 0);
    svc_queue_free(empty);
    svc_queue_free(full);
}
