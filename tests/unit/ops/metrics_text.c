#include <criterion/criterion.h>
#include <locale.h>
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
    svc__metrics_text_write(metrics, &out);
    svc__buf_terminate(&out);
    cr_assert_eq(svc__buf_error(&out), 0);
    return out.data;
}

static int64_t minus_five(void *arg)
{
    return -*(int *)arg;
}

Test(ops_metrics_text, prints_the_text_format)
{
    static const uint64_t bounds[] = {5000000, 100000000, 2500000000};
    int five = 5;
    int counter = svc__metric_counter(metrics, "a_total", "All \\ of\nthem.");
    int gauge = svc__metric_gauge(metrics, "b", "B.");
    int asked = svc__metric_gauge_fn(metrics, "c", "C.", minus_five, &five);
    int times = svc__metric_histogram(metrics, "d_seconds", "D.", bounds, 3, 1e-9);
    struct metric_cells *cells = svc__metric_cells_new(metrics);
    svc__metric_add(cells, counter, 40);
    svc__metric_add_shared(metrics, counter, 2);
    svc__metric_gauge_add(cells, gauge, -7);
    svc__metric_gauge_add_shared(metrics, gauge, 3);
    svc__metric_observe(cells, times, 0);
    svc__metric_observe(cells, times, 5000000); /* a bound belongs to its bucket */
    svc__metric_observe(cells, times, 5000001);
    svc__metric_observe_shared(metrics, times, 9000000000);
    cr_expect_eq(svc__metric_read(metrics, counter), 42);
    cr_expect_eq((int64_t)svc__metric_read(metrics, gauge), -4);
    cr_expect_eq((int64_t)svc__metric_read(metrics, asked), -5);
    cr_expect_eq(svc__metric_read(metrics, times), 4);
    cr_expect_str_eq(dump(), "# HELP a_total All \\\\ of\\nthem.\n"
                             "# TYPE a_total counter\n"
                             "a_total 42\n"
                             "# HELP b B.\n"
                             "# TYPE b gauge\n"
                             "b -4\n"
                             "# HELP c C.\n"
                             "# TYPE c gauge\n"
                             "c -5\n"
                             "# HELP d_seconds D.\n"
                             "# TYPE d_seconds histogram\n"
                             "d_seconds_bucket{le=\"0.005\"} 2\n"
                             "d_seconds_bucket{le=\"0.1\"} 3\n"
                             "d_seconds_bucket{le=\"2.5\"} 3\n"
                             "d_seconds_bucket{le=\"+Inf\"} 4\n"
                             "d_seconds_sum 9.010000001\n"
                             "d_seconds_count 4\n");
}

static void give_two(struct metric_walk *walk, void *arg)
{
    svc__metric_give(walk, "", 3);
    svc__metric_give(walk, arg, 1);
}

Test(ops_metrics_text, label_values_are_escaped)
{
    svc__metric_counters_fn(metrics, "a_total", "A.", "route", give_two, "GET /\"a\\b\nc\"");
    cr_expect_str_eq(dump(), "# HELP a_total A.\n"
                             "# TYPE a_total counter\n"
                             "a_total{route=\"\"} 3\n"
                             "a_total{route=\"GET /\\\"a\\\\b\\nc\\\"\"} 1\n");
}

static void give_raw(struct metric_walk *walk, void *arg)
{
    for (const char *const *texts = arg; *texts; texts++)
        svc__metric_give(walk, *texts, 1);
}

/* One byte that is not UTF-8 would make a reader refuse the page. */
Test(ops_metrics_text, the_page_is_utf8)
{
    static const char *texts[] = {"/raw\xff/{x}", "/\xc3\xa9", "/\xe2\x82", "/\xed\xa0\x80", NULL};
    svc__metric_counters_fn(metrics, "a_total", "\xff\x41.", "route", give_raw, texts);
    cr_expect_str_eq(dump(), "# HELP a_total \xef\xbf\xbd\x41.\n"
                             "# TYPE a_total counter\n"
                             "a_total{route=\"/raw\xef\xbf\xbd/{x}\"} 1\n"
                             "a_total{route=\"/\xc3\xa9\"} 1\n"
                             "a_total{route=\"/\xef\xbf\xbd\"} 1\n"
                             "a_total{route=\"/\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"} 1\n");
}

Test(ops_metrics_text, bounds_are_printed_as_they_were_meant)
{
    static const uint64_t bounds[] = {1,         5000000,    70000000,   100000000,
                                      300000000, 1100000000, 2500000000, 10000000000};
    svc__metric_histogram(metrics, "a", "A.", bounds, sizeof bounds / sizeof *bounds, 1e-9);
    const char *page = dump();
    static const char *const printed[] = {"\"1e-9\"", "\"0.005\"", "\"0.07\"", "\"0.1\"",
                                          "\"0.3\"",  "\"1.1\"",   "\"2.5\"",  "\"10\""};
    for (size_t i = 0; i < sizeof printed / sizeof *printed; i++)
        cr_expect(strstr(page, printed[i]), "%s: %s", printed[i], page);
}

Test(ops_metrics_text, a_decimal_point_is_one_in_every_locale)
{
    static const uint64_t bounds[] = {5};
    static const char *const locales[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fa_IR"};
    bool set = false;
    svc__metric_histogram(metrics, "a", "", bounds, 1, 0.1);
    for (size_t i = 0; i < ROWS(locales) && !set; i++)
        set = setlocale(LC_NUMERIC, locales[i]) != NULL;
    if (!set)
        cr_skip_test("no locale with a decimal comma is installed");
    cr_expect_not_null(strstr(dump(), "{le=\"0.5\"}"));
}
