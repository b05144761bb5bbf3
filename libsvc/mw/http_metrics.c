/* Durations, sizes and numbers of requests, by the names of OpenTelemetry's conventions. */
#include <stdlib.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/base/num.h"
#include "libsvc/exchange/exchange.h"
#include "libsvc/metrics/exemplar.h"
#include "libsvc/metrics/metric.h"
#include "libsvc/mw/stack.h"

/* The requests of one route that have all other labels in common, too. */
struct kind {
    uint32_t key;
    svc_histogram *duration, *body_in, *body_out;
    struct kind *next;
};

/* A kind is made when its first request ends, and found by a short list from then on. */
struct http_metrics {
    svc_middleware middleware;
    svc_gauge_family *active_by_method;
    svc_histogram_family *durations, *bodies_in, *bodies_out; /* NULL: sizes are not counted */
    _Atomic(svc_gauge *) active[METHOD_COUNT];
    size_t route_count;
    _Atomic(struct kind *) *kinds; /* of each route, and behind them of requests without one */
};

/* ---- Labels */

static const char *method_label(enum method method)
{
    return method == METHOD_OTHER ? "_OTHER" : svc__method_name(method);
}

static const char *error_label(enum svc_outcome outcome, int status, const char *status_label)
{
    static const char *const outcomes[] = {
        [SVC_CLIENT_GONE] = "client_gone", [SVC_TIMED_OUT] = "timed_out", [SVC_CUT] = "cut"};
    if (outcome != SVC_COMPLETE)
        return outcomes[outcome];
    return status >= 500 ? status_label : "";
}

/* ---- Counting */

/* The gauge of a method's first request. */
static svc_gauge *make_active(struct http_metrics *metrics, enum method method)
{
    const char *label = method_label(method);
    svc_gauge *active = svc_gauge_of(metrics->active_by_method, 1, &label);
    atomic_store_explicit(&metrics->active[method], active, memory_order_release);
    return active;
}

static inline svc_gauge *active_of(struct http_metrics *metrics, enum method method)
{
    svc_gauge *active = atomic_load_explicit(&metrics->active[method], memory_order_acquire);
    return active ? active : make_active(metrics, method);
}

static int count_request(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)res;
    svc__gauge_add(active_of(layer->arg, req->known_method), 1);
    return SVC_PASS;
}

static struct kind *make_kind(const struct http_metrics *metrics, const struct route *route,
                              enum method method, int status, enum svc_outcome outcome)
{
    struct kind *kind = calloc(1, sizeof *kind);
    if (!kind)
        return NULL;
    char code[NUM_U64_LEN + 1] = "";
    if (status)
        code[svc__num_format_u64(code, (uint64_t)status)] = '\0';
    const char *labels[] = {method_label(method), route ? svc__pattern_path(&route->pattern) : "",
                            code, error_label(outcome, status, code)};
    kind->duration = svc_histogram_of(metrics->durations, 4, labels);
    kind->body_in = svc_histogram_of(metrics->bodies_in, 4, labels);
    kind->body_out = svc_histogram_of(metrics->bodies_out, 4, labels);
    return kind;
}

/* NULL when out of memory. */
static const struct kind *kind_of(const struct http_metrics *metrics, const svc_request *req,
                                  int status, enum svc_outcome outcome)
{
    enum method method = req->known_method;
    const struct route *route =
        req->route && req->route->index < metrics->route_count ? req->route : NULL;
    _Atomic(struct kind *) *first = &metrics->kinds[route ? route->index : metrics->route_count];
    uint32_t key = (uint32_t)status | (uint32_t)method << 10 | (uint32_t)outcome << 16;
    struct kind *head = atomic_load_explicit(first, memory_order_acquire);
    for (const struct kind *known = head; known; known = known->next)
        if (known->key == key)
            return known;
    struct kind *kind = make_kind(metrics, route, method, status, outcome);
    if (!kind)
        return NULL;
    kind->key = key;
    kind->next = head;
    while (!atomic_compare_exchange_weak(first, &kind->next, kind))
        continue;
    return kind;
}

static void count_done(svc_request *req, const svc_response *res, const svc_layer *layer,
                       const svc_done *done)
{
    struct http_metrics *metrics = layer->arg;
    svc__gauge_add(active_of(metrics, req->known_method), -1);
    const struct kind *kind = kind_of(metrics, req, res->status, (enum svc_outcome)done->outcome);
    if (!kind)
        return;
    double seconds = (double)done->duration_ns * 1e-9;
    svc__histogram_observe(kind->duration, seconds);
    if (req->trace.own.flags & TRACE_SAMPLED)
        svc__exemplar_keep(kind->duration, seconds, req->trace.own.trace_id,
                           req->trace.own.span_id);
    if (!metrics->bodies_in)
        return;
    svc__histogram_observe(kind->body_in, (double)done->bytes_in);
    svc__histogram_observe(kind->body_out, (double)done->bytes_out);
}

/* ---- Making, start and stop */

static void register_all(struct http_metrics *metrics, struct metrics *in, bool sizes)
{
    static const char labels[] =
        "http_request_method,http_route,http_response_status_code,error_type";
    static const double bounds[] = {0,     256,    1024,    4096,     16384,
                                    65536, 262144, 1048576, 16777216, 268435456};
    enum { BOUNDS = sizeof bounds / sizeof *bounds };
    metrics->active_by_method =
        svc__metric_gauges(in, "http_server_active_requests", "Requests that are being served.",
                           "http_request_method");
    metrics->durations = svc__metric_histograms(
        in, "http_server_request_duration_seconds",
        "From the request line to the last byte of the reply.", labels, NULL, 0);
    if (!sizes)
        return;
    metrics->bodies_in =
        svc__metric_histograms(in, "http_server_request_body_size_bytes",
                               "Body bytes received of a request.", labels, bounds, BOUNDS);
    metrics->bodies_out = svc__metric_histograms(in, "http_server_response_body_size_bytes",
                                                 "Body bytes of a reply handed to the system.",
                                                 labels, bounds, BOUNDS);
}

static int start_counting(svc_app *app, void *arg)
{
    struct http_metrics *metrics = arg;
    if (!metrics->active_by_method || !metrics->durations)
        return SVC_ENOMEM;
    metrics->route_count = app->plan->route_count;
    metrics->kinds = calloc(metrics->route_count + 1, sizeof *metrics->kinds);
    active_of(metrics, METHOD_GET); /* so that the metric is there from the beginning */
    return metrics->kinds ? 0 : SVC_ENOMEM;
}

static void free_kinds(svc_app *app, void *arg)
{
    struct http_metrics *metrics = arg;
    (void)app;
    for (size_t i = 0; i <= metrics->route_count; i++)
        for (struct kind *kind = metrics->kinds[i], *next; kind; kind = next) {
            next = kind->next;
            free(kind);
        }
    free(metrics->kinds);
    metrics->kinds = NULL;
}

const svc_middleware *svc__http_metrics_make(svc_app *app)
{
    struct http_metrics *metrics = svc__arena_zalloc(&app->memory, sizeof *metrics);
    if (!metrics)
        return NULL;
    register_all(metrics, app->metrics, app->config.metrics_body_sizes);
    metrics->middleware = (svc_middleware){
        .size = sizeof metrics->middleware,
        .name = "http_metrics",
        .arg = metrics,
        .start = start_counting,
        .stop = free_kinds,
        .on_request = count_request,
        .on_done = count_done,
    };
    return &metrics->middleware;
}
