/* Metrics of programs, as they register, count and test them. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <svc.h>

#include "tests/support/quiet_app.h"

static svc_app *app;

static void open_app(void)
{
    app = quiet_app_new("test");
}

static void close_app(void)
{
    svc_app_free(app);
}

TestSuite(metric, .init = open_app, .fini = close_app);

static svc_metric spec(const char *name, const char *first, const char *second)
{
    svc_metric metric = SVC_METRIC_INIT;
    metric.name = name;
    metric.help = "Help.";
    metric.labels[0] = first;
    metric.labels[1] = second;
    return metric;
}

static svc_counter_family *orders;
static svc_histogram_family *sizes;

static int order(svc_request *req, svc_response *res)
{
    svc_counter_add_in(
        svc_counter_of(orders, 2, (const char *[]){"web", svc_request_param(req, "how")}), 1, req);
    svc_histogram_observe_in(svc_histogram_of(sizes, 0, NULL), 3, req);
    return svc_response_text(res, 200, "ok");
}

static void ask(const char *target)
{
    svc_reply *reply = svc_app_test_get(app, target);
    cr_expect_eq(svc_reply_status(reply), 200, "%s", svc_app_errors(app));
    svc_reply_free(reply);
}

Test(metric, are_counted_by_handlers_and_read_by_tests)
{
    svc_metric metric = spec("orders_total", "channel", "result");
    orders = svc_app_counter(app, &metric);
    metric = spec("order_sizes", NULL, NULL);
    metric.bounds = (const double[]){1, 2, 5};
    metric.bound_count = 3;
    sizes = svc_app_histogram(app, &metric);
    svc_app_get(app, "/order/{how}", order, NULL);
    ask("/order/ok");
    ask("/order/ok");
    ask("/order/%22%5C%0A");
    cr_expect_eq(svc_test_metric(app, "orders_total{channel=\"web\",result=\"ok\"}"), 2);
    cr_expect_eq(svc_test_metric(app, "orders_total{result=\"ok\",channel=\"web\"}"), 2);
    cr_expect_eq(svc_test_metric(app, "orders_total{channel=\"web\",result=\"\\\"\\\\\\n\"}"), 1);
    cr_expect_eq(svc_test_metric(app, "order_sizes_count"), 3);
    cr_expect_eq(svc_test_metric(app, "order_sizes_sum"), 9);
    cr_expect_eq(svc_test_metric(app, "order_sizes_bucket{le=\"2\"}"), 0);
    cr_expect_eq(svc_test_metric(app, "order_sizes_bucket{le=\"5.0\"}"), 3);
    cr_expect_eq(svc_test_metric(app, "order_sizes_bucket{le=\"+Inf\"}"), 3);
}

Test(metric, a_test_of_what_is_not_there_finds_no_number)
{
    svc_metric metric = spec("a_total", "l", NULL);
    svc_counter_add(svc_counter_of(svc_app_counter(app, &metric), 1, (const char *[]){"x"}), 1);
    metric = spec("h", NULL, NULL);
    svc_app_histogram(app, &metric);
    static const char too_many_labels[] = "a_total{a=\"\",b=\"\",c=\"\",d=\"\",e=\"\",f=\"\","
                                          "g=\"\",h=\"\",i=\"\",j=\"\"}";
    static const char *const none[] = {"",
                                       "a_total",
                                       "a_total{",
                                       "a_total{}",
                                       "a_total{l}",
                                       "a_total{l=}",
                                       "a_total{l=\"x}",
                                       "a_total{l=\"y\"}",
                                       "a_total{l=\"x\"} ",
                                       "a_total{l=\"x\",m=\"y\"}",
                                       "b",
                                       "a_tota{l=\"x\"}",
                                       "h",
                                       "h_max",
                                       "h_bucket",
                                       "h_bucket{le=\"x\"}",
                                       "h_bucket{le=\"4\"}",
                                       "h_sum{le=\"1\"}",
                                       too_many_labels};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        cr_expect(isnan(svc_test_metric(app, none[i])), "%s", none[i]);
    cr_expect_eq(svc_test_metric(app, "a_total{l=\"x\"}"), 1);
    cr_expect(isnan(svc_test_metric(NULL, "a")));
    cr_expect(isnan(svc_test_metric(app, NULL)));
}

Test(metric, gauges_are_set_and_added_to)
{
    svc_metric metric = spec("level", NULL, NULL);
    svc_gauge *level = svc_gauge_of(svc_app_gauge(app, &metric), 0, NULL);
    svc_gauge_add(level, 2.5);
    svc_gauge_add(level, -1);
    svc_gauge_add(level, (double)NAN);
    svc_gauge_add(level, (double)INFINITY);
    cr_expect_eq(svc_test_metric(app, "level"), 1.5);
    svc_gauge_set(level, -4);
    svc_gauge_add(level, 1);
    cr_expect_eq(svc_test_metric(app, "level"), -3);
}

Test(metric, no_number_is_no_observation)
{
    svc_metric metric = spec("h", NULL, NULL);
    svc_histogram *h = svc_histogram_of(svc_app_histogram(app, &metric), 0, NULL);
    svc_histogram_observe(h, (double)NAN);
    svc_histogram_observe_in(h, (double)NAN, NULL);
    cr_expect_eq(svc_test_metric(app, "h_count"), 0);
    svc_histogram_observe(h, (double)INFINITY);
    svc_histogram_observe(h, -1);
    cr_expect_eq(svc_test_metric(app, "h_count"), 2);
    cr_expect_eq(svc_test_metric(app, "h_bucket{le=\"0.005\"}"), 1);
    cr_expect_eq(svc_test_metric(app, "h_bucket{le=\"10\"}"), 1);
}

static double asked_number = 4;

static double read_number(void *arg)
{
    return *(double *)arg;
}

Test(metric, gauges_may_be_asked_for)
{
    svc_metric metric = spec("asked", NULL, NULL);
    cr_expect_eq(svc_app_gauge_fn(app, &metric, read_number, &asked_number), 0);
    cr_expect_eq(svc_test_metric(app, "asked"), 4);
    asked_number = 5;
    cr_expect_eq(svc_test_metric(app, "asked"), 5);
    metric = spec("labelled", "l", NULL);
    cr_expect_eq(svc_app_gauge_fn(app, &metric, read_number, &asked_number), SVC_EINVAL);
    metric = spec("without", NULL, NULL);
    cr_expect_eq(svc_app_gauge_fn(app, &metric, NULL, NULL), SVC_EINVAL);
    cr_expect_eq(svc_app_gauge_fn(NULL, &metric, read_number, NULL), SVC_ENOMEM);
}

Test(metric, errors_before_the_start_are_set_up_errors_with_their_place)
{
    int error = 1;
    svc_metric metric = spec("bad-name", NULL, NULL);
    metric.error = &error;
    cr_expect_null(svc_app_counter(app, &metric));
    cr_expect_eq(error, SVC_EINVAL);
    metric = spec("svc_mine", NULL, NULL);
    cr_expect_null(svc_app_gauge(app, &metric));
    cr_expect_null(svc_app_gauge(app, NULL));
    cr_expect_null((svc_app_histogram)(app, NULL));
    const char *errors = svc_app_errors(app);
    cr_expect(strstr(errors, "tests/api/metric.c:"), "%s", errors);
    cr_expect(strstr(errors, "svc_app_counter \"bad-name\": a name has letters"), "%s", errors);
    cr_expect(strstr(errors, "svc_app_gauge \"svc_mine\": names that begin with"), "%s", errors);
    cr_expect_lt(svc_app_start(app), 0);
}

Test(metric, errors_after_that_are_codes)
{
    int error = 1;
    svc_app_get(app, "/order/{how}", order, NULL);
    ask("/order/ok");
    svc_metric metric = spec("bad-name", NULL, NULL);
    metric.error = &error;
    cr_expect_null(svc_app_counter(app, &metric));
    cr_expect_eq(error, SVC_EINVAL);
    metric.name = "late_total";
    svc_counter_family *late = svc_app_counter(app, &metric);
    cr_expect_eq(error, 0);
    svc_counter_add(svc_counter_of(late, 0, NULL), 1);
    cr_expect_eq(svc_test_metric(app, "late_total"), 1);
    cr_expect_str_eq(svc_app_errors(app), "");
    cr_expect_null(svc_app_counter(NULL, &metric));
    cr_expect_eq(error, SVC_ENOMEM);
    ask("/order/ok");
}

static int fail(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 503, "no");
}

static void send_request(const char *method, const char *target)
{
    svc_test test = SVC_TEST_INIT;
    test.method = method;
    test.target = target;
    svc_reply_free(svc_app_test(app, &test));
}

static double requests(const char *method, const char *route, const char *status, const char *error)
{
    char series[256];
    snprintf(
        series, sizeof series,
        "http_server_request_duration_seconds_count{http_request_method=\"%s\",http_route=\"%s\","
        "http_response_status_code=\"%s\",error_type=\"%s\"}",
        method, route, status, error);
    return svc_test_metric(app, series);
}

/* No client can add series at will. */
Test(metric, requests_are_counted_by_method_route_status_and_error)
{
    svc_app *inner = svc_app_new("inner");
    svc_app_get(inner, "/fail/{how}", fail, NULL);
    svc_app_mount(app, "/inner", inner);
    svc_app_get(app, "/order/{how}", order, NULL);
    svc_app_method_at(app, NULL, "/any/{rest...}", fail, NULL, __FILE__, __LINE__);
    ask("/order/ok");
    ask("/order/other");
    send_request("HEAD", "/order/ok");
    send_request("POST", "/order/ok");
    send_request("GET", "/none");
    send_request("GET", "/none/either");
    send_request("GET", "/inner/fail/x");
    send_request("PROPFIND", "/any/x");
    send_request("SEARCH", "/any/y");
    cr_expect_eq(requests("GET", "/order/{how}", "200", ""), 2);
    cr_expect_eq(requests("HEAD", "/order/{how}", "200", ""), 1);
    cr_expect_eq(requests("POST", "", "405", ""), 1);
    cr_expect_eq(requests("GET", "", "404", ""), 2);
    cr_expect_eq(requests("GET", "/inner/fail/{how}", "503", "503"), 1);
    cr_expect_eq(requests("_OTHER", "/any/{rest...}", "503", "503"), 2);
    cr_expect_eq(svc_test_metric(app, "http_server_active_requests{http_request_method=\"GET\"}"),
                 0);
    cr_expect(
        isnan(svc_test_metric(app, "http_server_active_requests{http_request_method=\"PUT\"}")));
    cr_expect(isnan(svc_test_metric(app, "http_server_request_body_size_bytes_sum")));
}

static int read_active(svc_request *req, svc_response *res)
{
    (void)req;
    double active =
        svc_test_metric(app, "http_server_active_requests{http_request_method=\"POST\"}");
    return svc_response_text(res, active == 1 ? 200 : 500, "12345");
}

Test(metric, requests_are_active_until_they_are_done_and_their_sizes_are_counted_if_wanted)
{
    svc_config config = quiet_app_config();
    config.metrics_body_sizes = 1;
    svc_app_configure(app, &config);
    svc_app_post(app, "/", read_active, NULL);
    svc_reply *reply = svc_app_test_json(app, "POST", "/", "{}");
    cr_expect_eq(svc_reply_status(reply), 200);
    svc_reply_free(reply);
#define LABELS                                                                                     \
    "{http_request_method=\"POST\",http_route=\"/"                                                 \
    "\",http_response_status_code=\"200\",error_type=\"\"}"
    cr_expect_eq(svc_test_metric(app, "http_server_request_body_size_bytes_sum" LABELS), 2);
    cr_expect_eq(svc_test_metric(app, "http_server_response_body_size_bytes_sum" LABELS), 5);
}

Test(metric, of_a_mounted_app_are_the_outer_ones)
{
    svc_app *inner = svc_app_new("inner"), *innermost = svc_app_new("innermost");
    svc_metric metric = spec("shared_total", "l", NULL);
    svc_counter_family *of_innermost = svc_app_counter(innermost, &metric),
                       *of_inner = svc_app_counter(inner, &metric);
    svc_counter *kept = svc_counter_of(of_innermost, 1, (const char *[]){"x"});
    svc_counter_add(kept, 1);
    cr_assert_eq(svc_app_mount(inner, "/b", innermost), 0);
    cr_assert_eq(svc_app_mount(app, "/a", inner), 0);
    svc_counter_add(kept, 1);
    svc_counter_add(svc_counter_of(of_innermost, 1, (const char *[]){"x"}), 1);
    svc_counter_add(svc_counter_of(of_inner, 1, (const char *[]){"x"}), 1);
    cr_expect_eq(svc_test_metric(app, "shared_total{l=\"x\"}"), 4);
    cr_expect_eq(svc_test_metric(innermost, "shared_total{l=\"x\"}"), 4);
    metric = spec("later_total", NULL, NULL);
    cr_expect_eq(svc_app_counter(innermost, &metric), svc_app_counter(app, &metric));
}

Test(metric, of_a_mounted_app_must_not_be_of_another_kind)
{
    svc_app *inner = svc_app_new("inner");
    svc_metric metric = spec("level", NULL, NULL);
    svc_app_gauge(app, &metric);
    svc_app_histogram(inner, &metric);
    svc_app_mount(app, "/a", inner);
    cr_expect(strstr(svc_app_errors(app), "\"level\""), "%s", svc_app_errors(app));
}
