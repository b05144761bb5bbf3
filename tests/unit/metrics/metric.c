#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include <svc/errors.h>

#include "libsvc/metrics/metric.h"
#include "libsvc/ops/metrics_text.h"
#include "tests/unit/base/support.h"

static struct metrics *metrics;
static struct buf out;

static void open_metrics(void)
{
    metrics = svc__metrics_new();
    cr_assert_not_null(metrics);
    svc__buf_init(&out, 1 << 20);
}

static void close_metrics(void)
{
    svc__metrics_free(metrics);
    svc__buf_free(&out);
}

TestSuite(metrics_metric, .init = open_metrics, .fini = close_metrics);

static const char *dump(void)
{
    svc__buf_clear(&out);
    svc__metrics_text_write(metrics, &out);
    svc__buf_terminate(&out);
    cr_assert_eq(svc__buf_error(&out), 0);
    return out.data;
}

Test(metrics_metric, an_empty_registry_prints_nothing)
{
    cr_expect_str_eq(dump(), "");
    cr_expect_eq(svc__metric_read(metrics, 0), 0);
    cr_expect_eq(svc__metric_read(metrics, -1), 0);
    svc__metrics_free(NULL);
    svc__metric_cells_release(metrics, NULL);
}

Test(metrics_metric, names_are_those_of_the_format)
{
    static const struct {
        const char *name;
        bool valid;
    } rows[] = {
        {"a", true},    {"_a", true},        {":a:b", true},  {"a_1", true},  {"A9", true},
        {"", false},    {"1a", false},       {"a-b", false},  {"a b", false}, {"a\n", false},
        {"a.b", false}, {"\xc3\xa9", false}, {"a{b}", false}, {"a\"", false},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        int id = svc__metric_counter(metrics, rows[i].name, "");
        cr_expect_eq(id < 0 ? id : 0, rows[i].valid ? 0 : SVC_EINVAL, "%s", rows[i].name);
    }
}

Test(metrics_metric, a_name_is_taken_once_also_by_the_lines_of_a_histogram)
{
    static const uint64_t bounds[] = {1};
    cr_assert_geq(svc__metric_counter(metrics, "a", ""), 0);
    cr_expect_eq(svc__metric_gauge(metrics, "a", ""), SVC_ESTATE);
    cr_assert_geq(svc__metric_histogram(metrics, "h", "", bounds, 1, 1), 0);
    cr_expect_eq(svc__metric_counter(metrics, "h_sum", ""), SVC_ESTATE);
    cr_expect_eq(svc__metric_counter(metrics, "h_count", ""), SVC_ESTATE);
    cr_expect_eq(svc__metric_counter(metrics, "h_bucket", ""), SVC_ESTATE);
    cr_assert_geq(svc__metric_counter(metrics, "h_total", ""), 0);
    cr_assert_geq(svc__metric_counter(metrics, "k_count", ""), 0);
    cr_expect_eq(svc__metric_histogram(metrics, "k", "", bounds, 1, 1), SVC_ESTATE);
}

Test(metrics_metric, a_registry_of_another_prefix_knows_its_metrics_by_the_usual_names)
{
    svc__metrics_rename(metrics, "svc_other_");
    int first = svc__metric_counter(metrics, "svc_first_total", "First.");
    cr_expect_eq(svc__metric_find(metrics, "svc_first_total"), first);
    cr_expect_eq(svc__metric_counter_once(metrics, "svc_first_total", ""), first);
    cr_expect_eq(svc__metric_counter(metrics, "svc_first_total", ""), SVC_ESTATE);
    cr_expect_eq(svc__metric_find(metrics, "svc_other_first_total"), SVC_ENOTFOUND);
    cr_expect_geq(svc__metric_counter(metrics, "own_total", "Own."), 0);
    cr_expect(strstr(dump(), "svc_other_first_total 0\n"), "%s", out.data);
    cr_expect(strstr(dump(), "\nown_total 0\n"), "%s", out.data);
}

Test(metrics_metric, bounds_must_ascend_and_have_a_limit)
{
    static const uint64_t equal[] = {1, 1}, falling[] = {2, 1};
    uint64_t many[METRIC_BOUNDS_MAX + 1];
    for (size_t i = 0; i < ROWS(many); i++)
        many[i] = i;
    cr_expect_eq(svc__metric_histogram(metrics, "a", "", equal, 2, 1), SVC_EINVAL);
    cr_expect_eq(svc__metric_histogram(metrics, "a", "", falling, 2, 1), SVC_EINVAL);
    cr_expect_eq(svc__metric_histogram(metrics, "a", "", many, 0, 1), SVC_EINVAL);
    cr_expect_eq(svc__metric_histogram(metrics, "a", "", many, ROWS(many), 1), SVC_EINVAL);
    cr_expect_geq(svc__metric_histogram(metrics, "a", "", many, ROWS(many) - 1, 1), 0);
}

Test(metrics_metric, a_full_registry_refuses)
{
    char name[32];
    for (int i = 0; i < METRIC_MAX; i++) {
        snprintf(name, sizeof name, "m%d", i);
        cr_assert_eq(svc__metric_counter(metrics, name, ""), i);
    }
    cr_expect_eq(svc__metric_counter(metrics, "one_more", ""), SVC_ETOOBIG);
}

Test(metrics_metric, cells_run_out_before_memory_is_overrun)
{
    uint64_t bounds[METRIC_BOUNDS_MAX];
    char name[32];
    int id = 0, last = 0;
    for (size_t i = 0; i < ROWS(bounds); i++)
        bounds[i] = i;
    for (int i = 0; ((void)snprintf(name, sizeof name, "h%d", i),
                     id = svc__metric_histogram(metrics, name, "", bounds, ROWS(bounds), 1)) >= 0;
         i++)
        last = id;
    cr_expect_eq(id, SVC_ETOOBIG);
    cr_expect_eq(last + 1, METRIC_CELLS_MAX / (METRIC_BOUNDS_MAX + 2));
    svc__metric_observe_shared(metrics, last, UINT64_MAX);
    cr_expect_eq(svc__metric_read(metrics, last), 1);
}

Test(metrics_metric, a_negative_id_counts_nothing)
{
    struct metric_cells *cells = svc__metric_cells_new(metrics);
    svc__metric_add(cells, SVC_ESTATE, 1);
    svc__metric_gauge_add(cells, SVC_ESTATE, 1);
    svc__metric_observe(cells, SVC_ESTATE, 1);
    svc__metric_add_shared(metrics, SVC_ESTATE, 1);
    svc__metric_observe_shared(metrics, SVC_ESTATE, 1);
    int id = svc__metric_counter(metrics, "a", "");
    cr_expect_eq(svc__metric_read(metrics, id), 0);
}

Test(metrics_metric, a_released_block_is_used_again_and_keeps_its_counts)
{
    int id = svc__metric_counter(metrics, "a", "");
    struct metric_cells *first = svc__metric_cells_new(metrics);
    svc__metric_add(first, id, 5);
    svc__metric_cells_release(metrics, first);
    cr_expect_eq(svc__metric_read(metrics, id), 5);
    struct metric_cells *second = svc__metric_cells_new(metrics);
    cr_expect_eq(second, first);
    svc__metric_add(second, id, 1);
    cr_expect_eq(svc__metric_read(metrics, id), 6);
    cr_expect_neq(svc__metric_cells_new(metrics), second);
}

Test(metrics_metric, blocks_have_a_limit)
{
    struct metric_cells *last = NULL;
    for (int i = 0; i < METRIC_BLOCKS_MAX; i++) {
        last = svc__metric_cells_new(metrics);
        cr_assert_not_null(last);
    }
    cr_expect_null(svc__metric_cells_new(metrics));
    svc__metric_cells_release(metrics, last);
    cr_expect_eq(svc__metric_cells_new(metrics), last);
}

enum { THREADS = 4, ROUNDS = 20, PER_ROUND = 2000 };

static int counter_id, gauge_id, histogram_id;

/* Threads that come and go: each round takes a block that another may have given back. */
static void *count_all(void *arg)
{
    for (int round = 0; round < ROUNDS; round++) {
        struct metric_cells *cells = svc__metric_cells_new(metrics);
        for (int i = 0; i < PER_ROUND; i++) {
            svc__metric_add(cells, counter_id, 1);
            svc__metric_gauge_add(cells, gauge_id, i % 2 ? 3 : -1);
            svc__metric_observe(cells, histogram_id, (uint64_t)i % 4);
            svc__metric_add_shared(metrics, counter_id, 1);
        }
        svc__metric_cells_release(metrics, cells);
        sched_yield();
    }
    return arg;
}

Test(metrics_metric, threads_lose_no_count_while_another_reads)
{
    static const uint64_t bounds[] = {0, 1, 2};
    pthread_t threads[THREADS];
    uint64_t all = (uint64_t)THREADS * ROUNDS * PER_ROUND, before = 0, now;
    counter_id = svc__metric_counter(metrics, "a", "");
    gauge_id = svc__metric_gauge(metrics, "b", "");
    histogram_id = svc__metric_histogram(metrics, "c", "", bounds, 3, 1);
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, count_all, NULL), 0);
    do {
        now = svc__metric_read(metrics, counter_id);
        cr_assert_geq(now, before, "a counter went back");
        before = now;
        dump();
    } while (now < all);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    cr_expect_eq(svc__metric_read(metrics, counter_id), 2 * all);
    cr_expect_eq(svc__metric_read(metrics, gauge_id), all);
    cr_expect_eq(svc__metric_read(metrics, histogram_id), all);
    cr_expect_not_null(strstr(dump(), "c_bucket{le=\"0\"} 40000\nc_bucket{le=\"1\"} 80000\n"
                                      "c_bucket{le=\"2\"} 120000\nc_bucket{le=\"+Inf\"} 160000\n"
                                      "c_sum 240000\nc_count 160000\n"));
}
