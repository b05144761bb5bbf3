/* Request counters and durations, counted in the cells of the thread that serves. */
#include "libsvc/app/app_internal.h"
#include "libsvc/exchange/exchange.h"
#include "libsvc/metrics/metric.h"
#include "libsvc/mw/stack.h"

struct http_metrics {
    svc_middleware middleware;
    svc_gauge *in_flight;
    svc_counter *by_class[6]; /* of status 0 (none was sent) to 5xx */
    svc_counter *bytes_in, *bytes_out;
    svc_histogram *duration;
};

static int count_request(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req;
    (void)res;
    const struct http_metrics *metrics = layer->arg;
    svc__gauge_add(metrics->in_flight, 1);
    return SVC_PASS;
}

static void on_done(svc_request *req, const svc_response *res, const svc_layer *layer,
                    const svc_done *done)
{
    const struct http_metrics *metrics = layer->arg;
    (void)req;
    svc__gauge_add(metrics->in_flight, -1);
    svc__counter_add(metrics->by_class[res->status / 100], 1);
    svc__counter_add(metrics->bytes_in, done->bytes_in);
    svc__counter_add(metrics->bytes_out, done->bytes_out);
    svc__histogram_observe(metrics->duration, (double)done->duration_ns * 1e-9);
}

static void register_all(struct http_metrics *metrics, struct metrics *in)
{
    metrics->in_flight =
        svc__metric_gauge(in, "svc_http_requests_in_flight", "Requests being served.");
    metrics->by_class[0] = svc__metric_counter(in, "svc_http_requests_unanswered_total",
                                               "Requests that ended without an answer.");
    metrics->by_class[2] =
        svc__metric_counter(in, "svc_http_responses_2xx_total", "Requests answered 2xx.");
    metrics->by_class[3] =
        svc__metric_counter(in, "svc_http_responses_3xx_total", "Requests answered 3xx.");
    metrics->by_class[4] =
        svc__metric_counter(in, "svc_http_responses_4xx_total", "Requests answered 4xx.");
    metrics->by_class[5] =
        svc__metric_counter(in, "svc_http_responses_5xx_total", "Requests answered 5xx.");
    metrics->bytes_in =
        svc__metric_counter(in, "svc_http_request_body_bytes_total", "Body bytes received.");
    metrics->bytes_out =
        svc__metric_counter(in, "svc_http_response_body_bytes_total", "Body bytes sent.");
    metrics->duration = (svc_histogram *)svc__series_of(
        (struct family *)svc__metric_histograms(in, "svc_http_request_duration_seconds",
                                                "From request line to the last byte of the answer.",
                                                NULL, NULL, 0),
        0, NULL);
}

const svc_middleware *svc__http_metrics_make(svc_app *app)
{
    struct http_metrics *metrics = svc__arena_zalloc(&app->memory, sizeof *metrics);
    if (!metrics)
        return NULL;
    register_all(metrics, app->metrics);
    metrics->middleware = (svc_middleware){
        .size = sizeof metrics->middleware,
        .name = "http_metrics",
        .arg = metrics,
        .on_request = count_request,
        .on_done = on_done,
    };
    return &metrics->middleware;
}
