/* Rates, errors and quantiles of routes, by two readings of the metrics of requests. */
#include "libsvc/ops/status_rates.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "libsvc/base/arena.h"
#include "libsvc/metrics/metric.h"
#include "tests/support/test_clock.h"

Test(status_rates, a_quantile_lies_within_its_bucket)
{
    const struct metric_bucket buckets[] = {
        {1, 50, NULL}, {2, 0, NULL}, {4, 40, NULL}, {(double)INFINITY, 10, NULL}};
    cr_expect_float_eq(svc__rates_quantile(buckets, 4, 0.25), 0.5, 1e-9);
    cr_expect_float_eq(svc__rates_quantile(buckets, 4, 0.5), 1, 1e-9);
    cr_expect_float_eq(svc__rates_quantile(buckets, 4, 0.7), 3, 1e-9);
    cr_expect_float_eq(svc__rates_quantile(buckets, 4, 0.9), 4, 1e-9);
    cr_expect_float_eq(svc__rates_quantile(buckets, 4, 0.99), 4, 1e-9, "the last has no end");
    cr_expect(isnan(svc__rates_quantile(buckets, 0, 0.5)));
    const struct metric_bucket none = {1, 0, NULL};
    cr_expect(isnan(svc__rates_quantile(&none, 1, 0.5)));
}

/* What one reading has shown. */
struct shown {
    size_t count;
    struct route_rate rates[8];
    char routes[8][64];
};

static void keep_rate(void *arg, const struct route_rate *rate)
{
    struct shown *shown = arg;
    strncpy(shown->routes[shown->count], rate->route, 63);
    shown->rates[shown->count++] = *rate;
}

static struct shown read_rates(struct rates *rates, struct metrics *metrics, size_t left_out)
{
    struct shown shown = {0};
    cr_expect_eq(svc__rates_read(rates, metrics, keep_rate, &shown), left_out);
    return shown;
}

static void observe(struct metrics *metrics, const char *route, const char *status,
                    const char *error, unsigned count)
{
    static const char labels[] =
        "http_request_method,http_route,http_response_status_code,error_type";
    svc_histogram_family *family = svc__metric_histograms(
        metrics, "http_server_request_duration_seconds", "of requests", labels, NULL, 0);
    const char *const values[] = {"GET", route, status, error};
    svc_histogram *histogram = svc_histogram_of(family, 4, values);
    for (; count > 0; count--)
        svc__histogram_observe(histogram, 0.001);
}

Test(status_rates, the_window_begins_ten_seconds_ago_or_at_the_start)
{
    struct metrics *metrics = svc__metrics_new();
    test_clock_stop();
    struct arena memory;
    svc__arena_init(&memory, NULL, 1 << 16);
    struct rates *rates = svc__rates_new(&memory);
    observe(metrics, "/b", "200", "", 30);
    observe(metrics, "/b", "500", "500", 10);
    observe(metrics, "/a", "200", "", 20);
    test_clock_ns += UINT64_C(20000000000);
    struct shown shown = read_rates(rates, metrics, 0);
    cr_assert_eq(shown.count, 2);
    cr_expect_str_eq(shown.routes[0], "/a");
    cr_expect_str_eq(shown.routes[1], "/b");
    cr_expect_eq(shown.rates[1].requests, 40);
    cr_expect_eq(shown.rates[1].errors, 10);
    cr_expect_float_eq(shown.rates[1].window_s, 20, 0.01);
    cr_expect_float_eq(shown.rates[1].per_s, 2, 0.01);
    cr_expect_float_eq(shown.rates[1].error_share, 0.25, 0.01);

    observe(metrics, "/b", "200", "", 44);
    test_clock_ns +=
        UINT64_C(2000000000); /* the first reading is too young: still since the start */
    shown = read_rates(rates, metrics, 0);
    cr_expect_float_eq(shown.rates[1].window_s, 22, 0.01);

    test_clock_ns += UINT64_C(9000000000); /* it is not any more, and all since then counts */
    observe(metrics, "/c", "200", "", 11);
    shown = read_rates(rates, metrics, 0);
    cr_assert_eq(shown.count, 3);
    cr_expect_float_eq(shown.rates[1].window_s, 11, 0.01);
    cr_expect_float_eq(shown.rates[1].per_s, 4, 0.01);
    cr_expect_float_eq(shown.rates[1].error_share, 0, 0.01);
    cr_expect_eq(shown.rates[1].errors, 10, "ever");
    cr_expect_float_eq(shown.rates[2].per_s, 1, 0.01, "a route that is new");
    cr_expect_eq(shown.rates[0].per_s, 0);
    cr_expect(isnan(shown.rates[0].error_share) && isnan(shown.rates[0].p50));
    cr_expect_gt(shown.rates[1].p99, 0);
    svc__rates_end(rates);
    svc__arena_reset(&memory);
    svc__metrics_free(metrics);
}

static void count_rate(void *arg, const struct route_rate *rate)
{
    size_t *count = arg;
    cr_expect_eq(rate->requests, 1);
    ++*count;
}

Test(status_rates, routes_without_a_place_are_counted)
{
    enum { MORE = 7 };
    struct metrics *metrics = svc__metrics_new();
    struct arena memory;
    svc__arena_init(&memory, NULL, 1 << 16);
    struct rates *rates = svc__rates_new(&memory);
    size_t count = 0;
    char route[32];
    for (int i = 0; i < RATES_ROUTES + MORE; i++) {
        snprintf(route, sizeof route, "/%d", i);
        observe(metrics, route, "200", "", 1);
    }
    cr_expect_eq(svc__rates_read(rates, metrics, count_rate, &count), MORE);
    cr_expect_eq(count, RATES_ROUTES);
    cr_expect_eq(svc__rates_read(NULL, metrics, count_rate, &count), 0);
    svc__rates_end(rates);
    svc__arena_reset(&memory);
    svc__metrics_free(metrics);
}
