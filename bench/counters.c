/*
 * Metrics in nanoseconds of CPU, by one thread, and by two at once in the same series. The calls
 * are those of programs (svc/metric.h), so a call that adds to memory stands beside them;
 * bench/parts.c has the library's own counting, which is inline.
 *
 *     counters
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <svc.h>

#include "bench/cpu.h"
#include "bench/median.h"

enum { ROUNDS = 31, TIMES = 1000000, THREADS = 2 };

static svc_counter *counter;
static svc_counter_family *family;
static svc_histogram *histogram;

/* ---- The parts */

static void add_plainly(uint64_t *number, uint64_t n)
{
    *number += n;
}

/* The compiler does not know the function, as it does not know those of a library. */
static void call_to_add(void)
{
    static _Thread_local uint64_t number;
    void (*volatile add)(uint64_t * number, uint64_t n) = add_plainly;
    for (size_t i = 0; i < TIMES; i++)
        add(&number, 1);
}

static void add_to_counter(void)
{
    for (size_t i = 0; i < TIMES; i++)
        svc_counter_add(counter, 1);
}

/* From no time to 17 ms, as of similar requests one after the other. */
static void observe(void)
{
    for (size_t i = 0; i < TIMES; i++)
        svc_histogram_observe(histogram, (double)(i & 0xffffff) * 1e-9);
}

static void look_up_and_add(void)
{
    static const char *const values[][2] = {
        {"web", "ok"}, {"web", "failed"}, {"shop", "ok"}, {"shop", "failed"}};
    for (size_t i = 0; i < TIMES; i++)
        svc_counter_add(svc_counter_of(family, 2, values[i % 4]), 1);
}

static const struct part {
    const char *name;
    void (*run)(void);
} parts[] = {
    {"plain_call", call_to_add},
    {"counter_add", add_to_counter},
    {"histogram_observe", observe},
    {"counter_of_add", look_up_and_add},
};

enum { PARTS = sizeof parts / sizeof *parts };

static double time_part(const struct part *part)
{
    double began = cpu_ns();
    part->run();
    return (cpu_ns() - began) / TIMES;
}

/* ---- Two threads */

struct runner {
    const struct part *part;
    pthread_barrier_t *begin;
    double ns;
};

static void *run_beside(void *arg)
{
    struct runner *runner = arg;
    pthread_barrier_wait(runner->begin);
    runner->ns = time_part(runner->part);
    return NULL;
}

/* The mean of the threads. */
static double time_together(const struct part *part)
{
    pthread_barrier_t begin;
    pthread_t threads[THREADS];
    struct runner runners[THREADS];
    double sum = 0;
    pthread_barrier_init(&begin, NULL, THREADS);
    for (size_t i = 0; i < THREADS; i++) {
        runners[i] = (struct runner){part, &begin, 0};
        if (pthread_create(&threads[i], NULL, run_beside, &runners[i]))
            exit(1);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        sum += runners[i].ns;
    }
    pthread_barrier_destroy(&begin);
    return sum / THREADS;
}

static void register_metrics(svc_app *app)
{
    svc_metric metric = SVC_METRIC_INIT;
    metric.name = "orders_total";
    metric.help = "Orders.";
    metric.labels[0] = "channel";
    metric.labels[1] = "result";
    family = svc_app_counter(app, &metric);
    counter = svc_counter_of(family, 2, (const char *[]){"web", "ok"});
    metric = (svc_metric)SVC_METRIC_INIT;
    metric.name = "order_seconds";
    metric.help = "Durations.";
    histogram = svc_histogram_of(svc_app_histogram(app, &metric), 0, NULL);
    if (!counter || !histogram)
        exit(1);
}

int main(void)
{
    static double alone[PARTS][ROUNDS], together[PARTS][ROUNDS];
    svc_app *app = svc_app_new("bench");
    register_metrics(app);
    for (size_t round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < PARTS; i++) {
            alone[i][round] = time_part(&parts[i]);
            together[i][round] = time_together(&parts[i]);
        }
    for (size_t i = 0; i < PARTS; i++) {
        printf("%s %.3f\n", parts[i].name, median(alone[i], ROUNDS));
        printf("%s_by_two %.3f\n", parts[i].name, median(together[i], ROUNDS));
    }
    svc_app_free(app);
    return 0;
}
