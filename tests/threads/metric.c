/*
 * Threads that count while others register, make series and read, a program of its own so that the
 * thread sanitizer sees it: no count is lost, none goes back, and each thread's end leaves its
 * counts.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <svc.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/metrics/exemplar.h"
#include "libsvc/ops/metrics_text.h"

enum { THREADS = 4, ROUNDS = 20, TIMES = 500, CHILDREN = 60 };

static bool failed;
static svc_app *app;
static svc_counter_family *counters;
static svc_gauge *level;
static svc_histogram *sizes;
static atomic_int counting;
static const unsigned char trace_id[16] = {1}, span_id[8] = {1};

static void expect_that(bool is_so, const char *what, double number)
{
    if (is_so)
        return;
    printf("WRONG: %s (%g)\n", what, number);
    failed = true;
}

/* A round ends with its thread, whose cells another thread then takes. */
static void *count_round(void *arg)
{
    int round = *(int *)arg;
    char child[16], name[32];
    for (int i = 0; i < TIMES; i++) {
        snprintf(child, sizeof child, "%d", (round * 7 + i) % CHILDREN);
        svc_counter_add(svc_counter_of(counters, 1, (const char *[]){child}), 1);
        svc_gauge_add(level, i % 2 ? 3 : -1);
        svc_histogram_observe(sizes, i % 4);
        svc__exemplar_keep(sizes, i % 4, trace_id, span_id);
    }
    svc_metric metric = SVC_METRIC_INIT;
    snprintf(name, sizeof name, "round_%d_total", round);
    metric.name = name;
    metric.help = "One of each round, by whichever thread is first.";
    svc_counter_add(svc_counter_of(svc_app_counter(app, &metric), 0, NULL), 1);
    return NULL;
}

static void *count_rounds(void *arg)
{
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, count_round, &round))
            return NULL;
        pthread_join(thread, NULL);
    }
    atomic_fetch_sub(&counting, 1);
    return arg;
}

/* The sum of the family's counters, as the page has them. */
static double read_page(void)
{
    struct buf page;
    double sum = 0;
    svc__buf_init(&page, 1 << 20);
    svc__metrics_text_write(app->metrics, NULL, METRICS_PROMETHEUS, &page, NULL);
    svc__buf_terminate(&page);
    expect_that(!svc__buf_error(&page), "a page", svc__buf_error(&page));
    for (const char *at = page.data; (at = strstr(at, "\nchildren_total{")); at++) {
        double value;
        if (sscanf(at, "\nchildren_total{child=\"%*[^\"]\"} %lf", &value) == 1)
            sum += value;
    }
    svc__buf_free(&page);
    return sum;
}

int main(void)
{
    pthread_t threads[THREADS];
    app = svc_app_new("metric");
    counters = svc__metric_counters(app->metrics, "children_total", "C.", "child");
    level = svc__metric_gauge(app->metrics, "level", "L.");
    sizes = svc_histogram_of(
        svc__metric_histograms(app->metrics, "sizes", "S.", NULL, (const double[]){0, 1, 2}, 3), 0,
        NULL);
    atomic_store(&counting, THREADS);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, count_rounds, NULL))
            return 1;
    double before = 0, now;
    do {
        now = read_page();
        expect_that(now >= before, "a sum went back", now - before);
        before = now;
        svc_gauge_set(level, 0);
    } while (atomic_load(&counting) > 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    double all = (double)THREADS * ROUNDS * TIMES;
    expect_that(read_page() == all, "counts", read_page());
    expect_that(svc_test_metric(app, "sizes_count") == all, "observations", all);
    expect_that(svc_test_metric(app, "sizes_bucket{le=\"1\"}") == all / 2, "a bucket", all);
    expect_that(svc_test_metric(app, "sizes_sum") == all * 1.5, "a sum", all);
    expect_that(svc_test_metric(app, "round_7_total") == THREADS, "a family made by all",
                svc_test_metric(app, "round_7_total"));
    svc_gauge_set(level, 5);
    expect_that(svc_test_metric(app, "level") == 5, "a gauge", 5);
    svc_app_free(app);
    return failed;
}
