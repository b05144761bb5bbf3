/* Request counters and durations, counted in the cells of the thread that serves. */
#include "libsvc/app/app_internal.h"
#include "libsvc/exchange/exchange.h"
#include "libsvc/metrics/metric.h"
#include "libsvc/mw/stack.h"

struct http_metrics {
    svc_middleware middleware;
    int in_flight;
    int by_class[6]; /* of status 0 (none was sent) to 5xx */
    int bytes_in, bytes_out;
    int duration;
};

/* The bounds of the OpenTelemetry HTTP conventions (stable), in nanoseconds. */
static const uint64_t duration_bounds[] = {
    5000000,   10000000,  25000000,   50000000,   75000000,   100000000,  250000000,
    500000000, 750000000, 1000000000, 2500000000, 5000000000, 7500000000, 10000000000};

static int count_request(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)res;
    const struct http_metrics *metrics = layer->arg;
    svc__metric_gauge_add(svc__exchange_of(req)->host->cells, metrics->in_flight, 1);
    return SVC_PASS;
}

static void on_done(svc_request *req, const svc_response *res, const svc_layer *layer,
                    const svc_done *done)
{
    const struct http_metrics *metrics = layer->arg;
    struct metric_cells *cells = svc__exchange_of(req)->host->cells;
    svc__metric_gauge_add(cells, metrics->in_flight, -1);
    svc__metric_add(cells, metrics->by_class[res->status / 100], 1);
    svc__metric_add(cells, metrics->bytes_in, done->bytes_in);
    svc__metric_add(cells, metrics->bytes_out, done->bytes_out);
    svc__metric_observe(cells, metrics->duration, done->duration_ns);
}

static void register_all(struct http_metrics *metrics, struct metrics *in)
{
    metrics->in_flight =
        svc__metric_gauge(in, "svc_http_requests_in_flight", "Requests being served.");
    metrics->by_class[0] = svc__metric_counter(in, "svc_http_requests_unanswered_total",
                                               "Requests that ended without an answer.");
    metrics->by_class[1] = -1; /* no handler can answer 1xx */
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
    metrics->duration =
        svc__metric_histogram(in, "svc_http_request_duration_seconds",
                              "From request line to the last byte of the answer.", duration_bounds,
                              sizeof duration_bounds / sizeof *duration_bounds, 1e-9);
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
