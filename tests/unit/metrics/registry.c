/* The registry: names, shapes, and those of an app that is mounted. */
#include "libsvc/metrics/metric.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <svc/errors.h>

#include "tests/unit/base/support.h"

static struct metrics *metrics;
static const char *why;

static void open_metrics(void)
{
    metrics = svc__metrics_new();
    cr_assert_not_null(metrics);
}

static void close_metrics(void)
{
    svc__metrics_free(metrics);
}

TestSuite(metrics_registry, .init = open_metrics, .fini = close_metrics);

static svc_metric spec(const char *name)
{
    svc_metric metric = SVC_METRIC_INIT;
    metric.name = name;
    metric.help = "Help.";
    return metric;
}

static int add(enum metric_type type, svc_metric metric)
{
    struct family *family;
    return svc__metric_register(metrics, &metric, (struct metric_sort){.type = type}, &family,
                                &why);
}

Test(metrics_registry, names_are_those_of_the_format)
{
    static const struct {
        const char *name;
        bool valid;
    } rows[] = {
        {"a", true},    {"_a", true},        {"a_1", true},   {"A9", true},   {"a_totals", true},
        {"", false},    {"1a", false},       {"a-b", false},  {"a b", false}, {"a\n", false},
        {"a.b", false}, {"\xc3\xa9", false}, {"a{b}", false}, {"a\"", false}, {"a_total", false},
        {NULL, false},  {":a", false},
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_eq(add(METRIC_GAUGE, spec(rows[i].name)), rows[i].valid ? 0 : SVC_EINVAL, "%s",
                     rows[i].name);
    cr_expect_eq(add(METRIC_COUNTER, spec("b_total")), 0);
    cr_expect_eq(add(METRIC_COUNTER, spec("b")), SVC_EINVAL);
    cr_expect_eq(add(METRIC_HISTOGRAM, spec("c_total")), SVC_EINVAL);
}

Test(metrics_registry, labels_are_those_of_the_format)
{
    static const struct {
        const char *labels[3];
        bool valid;
    } rows[] = {
        {{"a", "b"}, true}, {{"_a"}, true},     {{"a9"}, true},        {{"a", "a"}, false},
        {{""}, false},      {{"9"}, false},     {{"__a"}, false},      {{"le"}, false},
        {{"a:b"}, false},   {{"a\xff"}, false}, {{"quantile"}, false},
    };
    char name[16];
    for (size_t i = 0; i < ROWS(rows); i++) {
        snprintf(name, sizeof name, "m%zu", i);
        svc_metric metric = spec(name);
        memcpy(metric.labels, rows[i].labels, sizeof rows[i].labels);
        cr_expect_eq(add(METRIC_GAUGE, metric), rows[i].valid ? 0 : SVC_EINVAL, "%zu", i);
    }
    svc_metric metric = spec("eight");
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    memcpy(metric.labels, names, sizeof names);
    cr_expect_eq(add(METRIC_GAUGE, metric), 0);
}

Test(metrics_registry, members_are_checked)
{
    svc_metric metric = spec("a");
    metric.help = NULL;
    cr_expect_eq(add(METRIC_GAUGE, metric), SVC_EINVAL);
    metric = spec("a");
    metric.max_series = 0;
    cr_expect_eq(add(METRIC_GAUGE, metric), SVC_EINVAL);
    metric.max_series = METRIC_SERIES_MAX + 1;
    cr_expect_eq(add(METRIC_GAUGE, metric), SVC_EINVAL);
    metric = spec("a");
    metric.size = 0;
    cr_expect_eq(add(METRIC_GAUGE, metric), SVC_EINVAL);
    cr_expect_str_eq(why, "it needs SVC_METRIC_INIT");
    metric = spec("a");
    metric.bounds = (const double[]){1};
    metric.bound_count = 1;
    cr_expect_eq(add(METRIC_GAUGE, metric), SVC_EINVAL);
}

Test(metrics_registry, bounds_ascend_and_are_finite)
{
    static const double equal[] = {1, 1}, falling[] = {2, 1}, open_end[] = {1, (double)INFINITY},
                        none[] = {(double)NAN};
    double many[SVC_METRIC_BOUNDS + 1];
    for (size_t i = 0; i < ROWS(many); i++)
        many[i] = (double)i;
    const struct {
        const double *bounds;
        size_t count;
        int error;
    } rows[] = {
        {equal, 2, SVC_EINVAL}, {falling, 2, SVC_EINVAL},       {open_end, 2, SVC_EINVAL},
        {none, 1, SVC_EINVAL},  {many, ROWS(many), SVC_EINVAL}, {many, 0, SVC_EINVAL},
        {NULL, 2, SVC_EINVAL},  {many, SVC_METRIC_BOUNDS, 0},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        svc_metric metric = spec("a");
        metric.bounds = rows[i].bounds;
        metric.bound_count = rows[i].count;
        cr_expect_eq(add(METRIC_HISTOGRAM, metric), rows[i].error, "%zu", i);
    }
}

Test(metrics_registry, a_name_is_taken_once_also_by_the_samples_of_others)
{
    cr_assert_eq(add(METRIC_HISTOGRAM, spec("h")), 0);
    cr_assert_eq(add(METRIC_COUNTER, spec("c_total")), 0);
    static const char *const taken[] = {"h",         "h_sum", "h_count",  "h_bucket",
                                        "h_created", "c",     "c_created"};
    for (size_t i = 0; i < ROWS(taken); i++)
        cr_expect_eq(add(METRIC_GAUGE, spec(taken[i])), SVC_ESTATE, "%s", taken[i]);
    cr_expect_eq(add(METRIC_COUNTER, spec("h_total")), SVC_ESTATE);
    cr_assert_eq(add(METRIC_GAUGE, spec("k_count")), 0);
    cr_expect_eq(add(METRIC_HISTOGRAM, spec("k")), SVC_ESTATE);
    cr_expect_eq(add(METRIC_GAUGE, spec("h_max")), 0);
}

Test(metrics_registry, registered_alike_it_is_one)
{
    struct family *first, *second;
    svc_metric metric = spec("a");
    struct metric_sort gauge = {.type = METRIC_GAUGE};
    metric.labels[0] = "x";
    cr_assert_eq(svc__metric_register(metrics, &metric, gauge, &first, &why), 0);
    metric.help = "Other words.";
    metric.max_series = 5;
    cr_assert_eq(svc__metric_register(metrics, &metric, gauge, &second, &why), 0);
    cr_expect_eq(first, second);
    metric.labels[1] = "y";
    cr_expect_eq(add(METRIC_GAUGE, metric), SVC_ESTATE);
    metric.labels[0] = metric.labels[1] = NULL;
    cr_expect_eq(add(METRIC_GAUGE, metric), SVC_ESTATE);
    cr_expect_eq(add(METRIC_HISTOGRAM, spec("a")), SVC_ESTATE);
    cr_assert_eq(add(METRIC_HISTOGRAM, spec("h")), 0);
    cr_expect_eq(add(METRIC_HISTOGRAM, spec("h")), 0);
    metric = spec("h");
    metric.bounds = (const double[]){1, 2};
    metric.bound_count = 2;
    cr_expect_eq(add(METRIC_HISTOGRAM, metric), SVC_ESTATE);
}

Test(metrics_registry, families_have_a_ceiling)
{
    char name[16];
    int error = 0;
    for (int i = 0; i < METRIC_FAMILIES_MAX && !error; i++) {
        snprintf(name, sizeof name, "m%d", i);
        error = add(METRIC_GAUGE, spec(name));
    }
    cr_expect_eq(error, SVC_ETOOBIG);
}

Test(metrics_registry, one_that_could_not_be_registered_counts_nothing)
{
    cr_assert_not_null(svc__metric_gauge(metrics, "a", "A."));
    cr_expect_null(svc__metric_counter(metrics, "a_total", "A."));
    svc_counter_add(NULL, 1);
    svc_gauge_add(NULL, 1);
    svc_gauge_set(NULL, 1);
    svc_histogram_observe(NULL, 1);
    cr_expect_null(svc_counter_of(NULL, 0, NULL));
    cr_expect_eq(svc__counter_read(NULL), 0);
    svc__metrics_free(NULL);
}

static void refuse(void *arg, const char *name)
{
    snprintf(arg, 16, "%s", name);
}

Test(metrics_registry, of_an_app_that_is_mounted_become_the_outer_ones)
{
    static const char *const x[] = {"x"}, *const y[] = {"y"};
    char refused[16] = "";
    struct metrics *inner = svc__metrics_new();
    svc_counter_family *ours = svc__metric_counters(metrics, "both_total", "A.", "l");
    svc_counter_family *theirs = svc__metric_counters(inner, "both_total", "A.", "l");
    svc_gauge *gauge = svc__metric_gauge(metrics, "level", "A."),
              *same = svc__metric_gauge(inner, "level", "A.");
    svc_histogram *times =
        svc_histogram_of(svc__metric_histograms(inner, "seconds", "A.", NULL, NULL, 0), 0, NULL);
    svc__metric_gauge(metrics, "clash", "A.");
    svc__metric_gauges(inner, "clash", "A.", "l");
    svc_counter *our_x = svc_counter_of(ours, 1, x), *their_x = svc_counter_of(theirs, 1, x),
                *their_y = svc_counter_of(theirs, 1, y);
    svc_counter_add(our_x, 1);
    svc_counter_add(their_x, 10);
    svc_counter_add(their_y, 100);
    svc_gauge_add(gauge, 0.5);
    svc_gauge_set(same, 2);
    svc_histogram *our_sizes = svc_histogram_of(
        svc__metric_histograms(metrics, "bytes", "A.", NULL, (const double[]){1, 2}, 2), 0, NULL);
    svc_histogram *their_sizes = svc_histogram_of(
        svc__metric_histograms(inner, "bytes", "A.", NULL, (const double[]){1, 2}, 2), 0, NULL);
    svc_histogram_observe(our_sizes, 0.5);
    svc_histogram_observe(their_sizes, 2);
    svc_histogram_observe(their_sizes, 5);
    svc_histogram_observe(times, 3);
    cr_assert_eq(svc__metrics_adopt(metrics, inner, refuse, refused), 0);
    cr_expect_str_eq(refused, "clash");
    svc_counter_add(their_x, 10);
    svc_counter_add(their_y, 100);
    svc_gauge_add(same, 1);
    cr_expect_eq(svc__counter_read(our_x), 21);
    cr_expect_eq(svc__counter_read(svc_counter_of(ours, 1, y)), 200);
    cr_expect_eq(svc_counter_of(theirs, 1, y), svc_counter_of(ours, 1, y));
    cr_expect_eq(svc__gauge_read(gauge), 3.5);
    cr_expect_eq(svc__cells_sum_double(our_sizes->series.cells, HISTOGRAM_SUM), 7.5);
    for (uint32_t i = 0; i < 3; i++)
        cr_expect_eq(svc__cells_sum(our_sizes->series.cells, HISTOGRAM_BUCKETS + i), 1);
    cr_expect_not_null(svc__metrics_find(metrics, "seconds"));
    cr_expect_null(svc__metrics_find(inner, "seconds"));
    svc__metrics_free(inner);
    svc_histogram_observe(times, 3);
    cr_expect_eq(svc__cells_sum(times->series.cells,
                                HISTOGRAM_BUCKETS + svc__series_bucket(&times->series, 3)),
                 2);
}

/* Also what falls into "_OTHER" of a family that moves is counted where it is seen. */
Test(metrics_registry, of_an_app_that_is_mounted_have_their_overflows_counted)
{
    static const char *const values[] = {"x"};
    static const char *const name[] = {"moved_total"};
    char refused[16] = "";
    struct metrics *inner = svc__metrics_new();
    svc_metric metric = spec("moved_total");
    struct family *family;
    metric.labels[0] = "l";
    metric.max_series = 1;
    cr_assert_eq(svc__metric_register(inner, &metric, (struct metric_sort){.type = METRIC_COUNTER},
                                      &family, &why),
                 0);
    svc__series_of(family, 1, values);
    cr_assert_eq(svc__metrics_adopt(metrics, inner, refuse, refused), 0);
    svc__series_of(family, 1, (const char *[]){"y"});
    struct family *overflows = svc__metrics_find(metrics, "svc_metric_overflows_total");
    cr_expect_eq(svc__counter_read((svc_counter *)svc__series_of(overflows, 1, name)), 1);
    svc__metrics_free(inner);
}
