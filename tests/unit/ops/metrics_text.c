#include <criterion/criterion.h>
#include <locale.h>
#include <math.h>
#include <string.h>

#include <svc/errors.h>

#include "libsvc/metrics/metric.h"
#include "libsvc/metrics/walk.h"
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

TestSuite(ops_metrics_text, .init = open_metrics, .fini = close_metrics);

static const char *dump(void)
{
    svc__buf_clear(&out);
    svc__metrics_text_write(metrics, NULL, &out);
    svc__buf_terminate(&out);
    cr_assert_eq(svc__buf_error(&out), 0);
    return out.data;
}

static double minus_five(void *arg)
{
    return -*(int *)arg;
}

Test(ops_metrics_text, an_empty_registry_prints_nothing)
{
    cr_expect_str_eq(dump(), "");
}

Test(ops_metrics_text, prints_the_format)
{
    int five = 5;
    svc_counter *counter = svc__metric_counter(metrics, "a_total", "All \\ of\nthem.");
    svc_gauge *gauge = svc__metric_gauge(metrics, "b", "B.");
    svc__metric_fn(metrics, METRIC_GAUGE, "c", "C.", minus_five, &five);
    svc_histogram_family *times = svc__metric_histograms(metrics, "d_seconds", "D.", "k",
                                                         (const double[]){0.005, 0.1, 2.5}, 3);
    svc_histogram *x = svc_histogram_of(times, 1, (const char *[]){"x"});
    svc_counter_add(counter, 42);
    svc_gauge_add(gauge, -7.5);
    svc_histogram_observe(x, 0);
    svc_histogram_observe(x, 0.005); /* a bound belongs to its bucket */
    svc_histogram_observe(x, 0.0051);
    svc_histogram_observe(x, 9);
    cr_expect_str_eq(dump(), "# HELP a_total All \\\\ of\\nthem.\n"
                             "# TYPE a_total counter\n"
                             "a_total 42\n"
                             "# HELP b B.\n"
                             "# TYPE b gauge\n"
                             "b -7.5\n"
                             "# HELP c C.\n"
                             "# TYPE c gauge\n"
                             "c -5\n"
                             "# HELP d_seconds D.\n"
                             "# TYPE d_seconds histogram\n"
                             "d_seconds_bucket{k=\"x\",le=\"0.005\"} 2\n"
                             "d_seconds_bucket{k=\"x\",le=\"0.1\"} 3\n"
                             "d_seconds_bucket{k=\"x\",le=\"2.5\"} 3\n"
                             "d_seconds_bucket{k=\"x\",le=\"+Inf\"} 4\n"
                             "d_seconds_sum{k=\"x\"} 9.0101\n"
                             "d_seconds_count{k=\"x\"} 4\n");
}

Test(ops_metrics_text, families_without_series_are_left_out)
{
    svc_counter_family *family = svc__metric_counters(metrics, "a_total", "A.", "route,status");
    cr_expect_str_eq(dump(), "");
    svc_counter_of(family, 2, (const char *[]){"GET /\"a\\b\nc\"", ""});
    cr_expect_str_eq(dump(), "# HELP a_total A.\n"
                             "# TYPE a_total counter\n"
                             "a_total{route=\"GET /\\\"a\\\\b\\nc\\\"\",status=\"\"} 0\n");
}

/* One byte that is not UTF-8 would make a reader refuse the page. */
Test(ops_metrics_text, the_page_is_utf8)
{
    svc_counter_family *family = svc__metric_counters(metrics, "a_total", "\xff\x41.", "route");
    svc_counter_of(family, 1, (const char *[]){"/raw\xff/{x}"});
    svc_counter_of(family, 1, (const char *[]){"/\xc3\xa9"});
    svc_counter_of(family, 1, (const char *[]){"/\xe2\x82"});
    cr_expect_str_eq(dump(), "# HELP a_total \xef\xbf\xbd\x41.\n"
                             "# TYPE a_total counter\n"
                             "a_total{route=\"/raw\xef\xbf\xbd/{x}\"} 0\n"
                             "a_total{route=\"/\xc3\xa9\"} 0\n"
                             "a_total{route=\"/\xef\xbf\xbd\"} 0\n");
}

static void give_two(struct metric_walk *walk, void *arg)
{
    svc__metric_give(walk, (const char *[]){"x"}, 1);
    svc__metric_give(walk, arg, 2);
}

Test(ops_metrics_text, series_may_be_kept_elsewhere)
{
    static const char *values[] = {"y"};
    svc__metric_giver(metrics, METRIC_GAUGE, "a", "A.", "of", give_two, values);
    cr_expect_str_eq(dump(), "# HELP a A.\n"
                             "# TYPE a gauge\n"
                             "a{of=\"x\"} 1\n"
                             "a{of=\"y\"} 2\n");
}

Test(ops_metrics_text, numbers_may_be_without_end)
{
    svc_gauge *gauge = svc__metric_gauge(metrics, "a", "A.");
    svc_gauge_set(gauge, (double)NAN);
    cr_expect(strstr(dump(), "\na NaN\n"));
    svc_gauge_set(gauge, -(double)INFINITY);
    cr_expect(strstr(dump(), "\na -Inf\n"));
    svc_gauge_set(gauge, 1e300);
    cr_expect(strstr(dump(), "\na 1e+300\n"));
}

Test(ops_metrics_text, the_overflow_of_a_family_is_seen)
{
    struct family *family;
    const char *why;
    svc_metric metric = SVC_METRIC_INIT;
    metric.name = "a";
    metric.help = "A.";
    metric.labels[0] = "l";
    metric.max_series = 1;
    cr_assert_eq(svc__metric_register(metrics, &metric, (struct metric_sort){.type = METRIC_GAUGE},
                                      &family, &why),
                 0);
    svc__series_of(family, 1, (const char *[]){"x"});
    cr_expect_null(strstr(dump(), "OTHER"));
    svc__series_of(family, 1, (const char *[]){"y"});
    cr_expect(strstr(dump(), "\nsvc_metric_overflows_total{metric=\"a\"} 1\n"));
    cr_expect(strstr(dump(), "\na{l=\"_OTHER\"} 0\n"));
}

Test(ops_metrics_text, a_decimal_point_is_one_in_every_locale)
{
    static const char *const locales[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fa_IR"};
    bool set = false;
    svc_gauge_set(svc__metric_gauge(metrics, "a", "A."), 0.5);
    for (size_t i = 0; i < ROWS(locales) && !set; i++)
        set = setlocale(LC_NUMERIC, locales[i]) != NULL;
    if (!set)
        cr_skip_test("no locale with a decimal comma is installed");
    cr_expect_not_null(strstr(dump(), "\na 0.5\n"));
}

Test(ops_metrics_text, names_begin_with_the_prefix_of_a_second_registry)
{
    svc__metric_counter(metrics, "svc_first_total", "First.");
    svc__metric_gauge(metrics, "second", "Second.");
    svc__metrics_text_write(metrics, "svc_other_", &out);
    svc__buf_terminate(&out);
    cr_expect_str_eq(out.data, "# HELP svc_other_first_total First.\n"
                               "# TYPE svc_other_first_total counter\n"
                               "svc_other_first_total 0\n"
                               "# HELP svc_other_second Second.\n"
                               "# TYPE svc_other_second gauge\n"
                               "svc_other_second 0\n");
}
