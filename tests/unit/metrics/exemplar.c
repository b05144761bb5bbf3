/* The examples of counters and of histograms' buckets. */
#include "libsvc/metrics/exemplar.h"

#include <criterion/criterion.h>

#include "libsvc/base/clock.h"

static const unsigned char trace_id[EXEMPLAR_TRACE_BYTES] = {0x01, 0x02, [15] = 0xff},
                           span_id[EXEMPLAR_SPAN_BYTES] = {0xab, [7] = 0x01};

Test(metrics_exemplar, stands_in_the_bucket_of_its_value_and_is_kept_for_a_second)
{
    struct metrics *metrics = svc__metrics_new();
    svc_histogram_family *family =
        svc__metric_histograms(metrics, "a", "A.", NULL, (const double[]){1, 2}, 2);
    svc_histogram *histogram = svc_histogram_of(family, 0, NULL);
    const struct series *series = &histogram->series;
    struct shown_exemplar shown;
    cr_expect_null(svc__exemplar_show(series, 0, &shown));
    uint64_t before_ms = svc__clock_wall_us() / 1000;
    svc__exemplar_keep(histogram, 1.5, trace_id, span_id);
    cr_expect_null(svc__exemplar_show(series, 0, &shown));
    cr_expect_null(svc__exemplar_show(series, 2, &shown));
    const struct metric_exemplar *kept = svc__exemplar_show(series, 1, &shown);
    cr_assert_not_null(kept);
    cr_expect_eq(kept->value, 1.5);
    cr_expect_geq(kept->unix_ms, before_ms);
    cr_expect_str_eq(kept->trace_id, "010200000000000000000000000000ff");
    cr_expect_str_eq(kept->span_id, "ab00000000000001");
    svc__exemplar_keep(histogram, 7, trace_id, span_id);
    cr_expect_eq(svc__exemplar_show(series, 2, &shown)->value, 7);
    svc__exemplar_keep(NULL, 1, trace_id, span_id);
    svc__metrics_free(metrics);
}

Test(metrics_exemplar, of_a_counter_is_the_amount_that_was_added)
{
    struct metrics *metrics = svc__metrics_new();
    svc_counter *counter = svc__metric_counter(metrics, "a_total", "A.");
    struct shown_exemplar shown;
    cr_expect_null(svc__exemplar_show(&counter->series, 0, &shown));
    svc__exemplar_keep_added(counter, 3, trace_id, span_id);
    const struct metric_exemplar *kept = svc__exemplar_show(&counter->series, 0, &shown);
    cr_assert_not_null(kept);
    cr_expect_eq(kept->value, 3);
    cr_expect_str_eq(kept->trace_id, "010200000000000000000000000000ff");
    svc__exemplar_keep_added(NULL, 1, trace_id, span_id);
    svc__metrics_free(metrics);
}
