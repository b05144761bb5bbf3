#include <criterion/criterion.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <svc/errors.h>

#include "libsvc/metrics/exemplar.h"
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

static const char *dump_as(enum metrics_format format)
{
    svc__buf_clear(&out);
    svc__metrics_text_write(metrics, NULL, format, &out, NULL);
    svc__metrics_text_end(format, &out);
    svc__buf_terminate(&out);
    cr_assert_eq(svc__buf_error(&out), 0);
    return out.data;
}

static const char *dump(void)
{
    return dump_as(METRICS_PROMETHEUS);
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
    svc__metrics_text_write(metrics, "svc_other_", METRICS_PROMETHEUS, &out, NULL);
    svc__buf_terminate(&out);
    cr_expect_str_eq(out.data, "# HELP svc_other_first_total First.\n"
                               "# TYPE svc_other_first_total counter\n"
                               "svc_other_first_total 0\n"
                               "# HELP svc_other_second Second.\n"
                               "# TYPE svc_other_second gauge\n"
                               "svc_other_second 0\n");
}

/* ---- OpenMetrics */

Test(ops_metrics_text, openmetrics_differs_in_names_units_bounds_and_the_end)
{
    svc_histogram_family *times =
        svc__metric_histograms(metrics, "d_seconds", "D.", "k", (const double[]){0.005, 1, 2.5}, 3);
    svc_counter_add(svc__metric_counter(metrics, "a_bytes_total", "All \\ \"of\"\nthem."), 42);
    svc_gauge_add(svc__metric_gauge(metrics, "b_ratio", "B."), 0.5);
    svc_histogram_observe(svc_histogram_of(times, 1, (const char *[]){"\"x\""}), 2);
    cr_expect_str_eq(dump_as(METRICS_OPENMETRICS),
                     "# HELP d_seconds D.\n"
                     "# TYPE d_seconds histogram\n"
                     "# UNIT d_seconds seconds\n"
                     "d_seconds_bucket{k=\"\\\"x\\\"\",le=\"0.005\"} 0\n"
                     "d_seconds_bucket{k=\"\\\"x\\\"\",le=\"1.0\"} 0\n"
                     "d_seconds_bucket{k=\"\\\"x\\\"\",le=\"2.5\"} 1\n"
                     "d_seconds_bucket{k=\"\\\"x\\\"\",le=\"+Inf\"} 1\n"
                     "d_seconds_sum{k=\"\\\"x\\\"\"} 2\n"
                     "d_seconds_count{k=\"\\\"x\\\"\"} 1\n"
                     "# HELP a_bytes All \\\\ \\\"of\\\"\\nthem.\n"
                     "# TYPE a_bytes counter\n"
                     "# UNIT a_bytes bytes\n"
                     "a_bytes_total 42\n"
                     "# HELP b_ratio B.\n"
                     "# TYPE b_ratio gauge\n"
                     "# UNIT b_ratio ratio\n"
                     "b_ratio 0.5\n"
                     "# EOF\n");
}

/* As the specification's table of canonical numbers has them, and Go writes others. */
Test(ops_metrics_text, openmetrics_has_one_form_for_each_bound)
{
    static const struct {
        double bound;
        const char *text;
    } rows[] = {
        {-1e7, "-1e+07"},
        {-2, "-2.0"},
        {0, "0.0"},
        {1e-300, "1e-300"},
        {1e-10, "1e-10"},
        {1.5e-9, "1.5e-09"},
        {1e-5, "1e-05"},
        {0.00012, "0.00012"},
        {0.001, "0.001"},
        {0.1, "0.1"},
        {10, "10.0"},
        {100000, "100000.0"},
        {999999, "999999.0"},
        {1e6, "1e+06"},
        {1234567, "1.234567e+06"},
        {1e21, "1e+21"},
        {1.25e100, "1.25e+100"},
    };
    double bounds[ROWS(rows)];
    for (size_t i = 0; i < ROWS(rows); i++)
        bounds[i] = rows[i].bound;
    svc__metric_histograms(metrics, "a", "A.", NULL, bounds, ROWS(bounds));
    const char *at = dump_as(METRICS_OPENMETRICS);
    for (size_t i = 0; i < ROWS(rows); i++) {
        at = strstr(at, "le=\"");
        cr_assert(at);
        at += 4;
        size_t len = strlen(rows[i].text);
        cr_expect(!strncmp(at, rows[i].text, len) && at[len] == '"', "%s: %.12s", rows[i].text, at);
    }
}

Test(ops_metrics_text, examples_stand_behind_the_buckets_of_openmetrics)
{
    static const unsigned char trace_id[16] = {1, 2, 0xff}, span_id[8] = {3};
    svc_histogram_family *family =
        svc__metric_histograms(metrics, "a", "A.", NULL, (const double[]){1, 2}, 2);
    svc_histogram *a = svc_histogram_of(family, 0, NULL);
    svc_histogram_observe(a, 1.5);
    svc__exemplar_keep(a, 1.5, trace_id, span_id);
    cr_expect_null(strstr(dump(), "trace_id"));
    const char *page = dump_as(METRICS_OPENMETRICS);
    const char *found = strstr(page, "a_bucket{le=\"2.0\"} 1 # {trace_id="
                                     "\"0102ff00000000000000000000000000\","
                                     "span_id=\"0300000000000000\"} 1.5 1");
    cr_assert(found, "%s", page);
    cr_expect_eq(strstr(page, "trace_id"), strstr(found, "trace_id"));
    cr_expect_null(strstr(strstr(page, "trace_id") + 1, "trace_id"));
}

Test(ops_metrics_text, examples_stand_behind_the_samples_of_counters)
{
    static const unsigned char trace_id[16] = {1}, span_id[8] = {3};
    svc_counter *a = svc__metric_counter(metrics, "a_total", "A.");
    svc_counter_add(a, 2);
    svc__exemplar_keep_added(a, 2, trace_id, span_id);
    cr_expect_null(strstr(dump(), "trace_id"));
    const char *page = dump_as(METRICS_OPENMETRICS);
    cr_expect(strstr(page, "\na_total 2 # {trace_id=\"01000000000000000000000000000000\","
                           "span_id=\"0300000000000000\"} 2 1"),
              "%s", page);
}

/* OpenMetrics has no sum that is no number or may sink, and no count without a sum. */
Test(ops_metrics_text, a_sum_that_openmetrics_forbids_is_left_out)
{
    static const double below[] = {-1, 1}, above[] = {1};
    static const struct {
        const double *bounds;
        size_t count;
        double value;
        bool sum;
    } rows[] = {
        {below, 2, 3, false}, {above, 1, -3, false}, {above, 1, 3, true}, {above, 1, 0, true}};
    for (size_t i = 0; i < ROWS(rows); i++) {
        close_metrics();
        open_metrics();
        svc_histogram_family *family =
            svc__metric_histograms(metrics, "a", "A.", NULL, rows[i].bounds, rows[i].count);
        svc_histogram_observe(svc_histogram_of(family, 0, NULL), rows[i].value);
        cr_expect_not_null(strstr(dump(), "\na_sum "));
        cr_expect_eq(strstr(dump_as(METRICS_OPENMETRICS), "\na_sum ") != NULL, rows[i].sum, "%zu",
                     i);
        cr_expect_eq(strstr(dump_as(METRICS_OPENMETRICS), "\na_count ") != NULL, rows[i].sum, "%zu",
                     i);
    }
}

/* ---- Room, and the choice */

/* A page without some families is better than none: the others still say that all is not well. */
Test(ops_metrics_text, a_family_without_room_is_left_out_whole)
{
    static const char *const names[] = {"first", "large", "other"};
    struct metrics_omitted omitted = {0, NULL};
    for (size_t i = 0; i < ROWS(names); i++) {
        svc_gauge_family *family = svc__metric_gauges(metrics, names[i], "A.", "l");
        for (int j = 0; j < (i == 1 ? 20 : 1); j++) {
            char value[16];
            snprintf(value, sizeof value, "%d", j);
            svc_gauge_of(family, 1, (const char *[]){value});
        }
    }
    for (size_t ceiling = 0; ceiling < 500; ceiling++) {
        svc__buf_free(&out);
        svc__buf_init(&out, ceiling);
        omitted = (struct metrics_omitted){0, NULL};
        svc__metrics_text_write(metrics, NULL, METRICS_PROMETHEUS, &out, &omitted);
        cr_assert_eq(svc__buf_error(&out), 0);
        svc__buf_terminate(&out);
        size_t whole = 0;
        for (size_t i = 0; i < ROWS(names); i++) {
            char head[64], line[64];
            snprintf(head, sizeof head, "# HELP %s A.\n# TYPE %s gauge\n%s{l=\"0\"} 0\n", names[i],
                     names[i], names[i]);
            snprintf(line, sizeof line, "%s{l=\"%d\"} 0\n", names[i], i == 1 ? 19 : 0);
            const char *found = strstr(out.data, head);
            cr_assert_eq(found != NULL, strstr(out.data, line) != NULL, "%zu: %s", ceiling,
                         out.data);
            whole += found != NULL;
        }
        cr_assert_eq(omitted.families, ROWS(names) - whole, "%zu: %s", ceiling, out.data);
        cr_assert_eq(omitted.first != NULL, omitted.families > 0);
    }
    cr_expect_eq(omitted.families, 0);
    svc__buf_free(&out);
    svc__buf_init(&out, 200);
    svc__metrics_text_write(metrics, NULL, METRICS_PROMETHEUS, &out, &omitted);
    cr_expect_eq(omitted.families, 1);
    cr_expect_str_eq(omitted.first, "large");
}

static enum metrics_format choose(const char *accept)
{
    const struct field field = {svc__bytes_z("Accept"), svc__bytes_z(accept ? accept : "")};
    struct fields fields;
    svc__fields_read(&fields, &field, accept != NULL);
    return svc__metrics_text_choose(&fields);
}

Test(ops_metrics_text, the_format_is_the_one_that_is_asked_for)
{
    static const char *const open[] = {
        /* of Prometheus 2.42 and 3 */
        "application/openmetrics-text;version=1.0.0,application/"
        "openmetrics-text;version=0.0.1;q=0.75,"
        "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
        "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;"
        "escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
        "application/openmetrics-text",
        "application/openmetrics-text; version=1.0.0; charset=utf-8",
        "APPLICATION/OpenMetrics-Text; VERSION=\"1.0.0\"",
        "text/plain;version=0.0.4, application/openmetrics-text",
        "text/plain;q=0.2, application/*;q=0.3",
        "*/*;q=0.5, application/openmetrics-text;q=0.5",
        "application/*, text/*;q=0.9",
        "application/*",
        "application/openmetrics-text;q=0.001",
    };
    static const char *const other[] = {
        NULL,
        "",
        "*/*",
        "text/plain",
        "text/*, application/*",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
        "application/json",
        "application/openmetrics-text;version=0.0.1",
        "application/openmetrics-text;version=2.0.0, */*;q=0.1",
        "application/openmetrics-text;q=0.5, text/plain;q=0.6",
        "application/openmetrics-text;q=0.5, */*",
        "application/openmetrics-text;q=0, text/plain;q=0",
        "application/openmetrics-text;q=0",
        "application/openmetrics-text;version=1.0.0;q=0.3, application/openmetrics-text;q=0.9,"
        "text/plain;version=0.0.4;q=0.4",
        "garbage, ;;;, application/openmetrics-text;q=7",
    };
    for (size_t i = 0; i < ROWS(open); i++)
        cr_expect_eq(choose(open[i]), METRICS_OPENMETRICS, "%s", open[i]);
    for (size_t i = 0; i < ROWS(other); i++)
        cr_expect_eq(choose(other[i]), METRICS_PROMETHEUS, "%s", other[i]);
}
