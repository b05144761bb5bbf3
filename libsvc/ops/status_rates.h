/*
 * Rate, errors and latency of each route, from the metrics of requests. A rate needs two readings:
 * the earlier one is kept from a view of the page some seconds ago, so that nothing runs while
 * nobody looks.
 */
#ifndef SVC_OPS_STATUS_RATES_H
#define SVC_OPS_STATUS_RATES_H

#include <stdint.h>

#include "libsvc/metrics/view.h"

struct arena;
struct metrics;
struct rates;

enum { RATES_ROUTES = 1000 /* routes by method that are read */ };

/* One route and method: since the start, and within the window. */
struct route_rate {
    const char *method, *route;
    uint64_t requests, errors; /* since the start */
    double window_s;
    double per_s;
    double error_share;   /* NaN without requests, as the quantiles */
    double p50, p95, p99; /* seconds, as exact as the buckets */
};

/* In `memory`, for metrics that begin to count now; svc__rates_end is needed once it was read. NULL
 * when out of memory. */
struct rates *svc__rates_new(struct arena *memory);

/* Frees its readings. */
void svc__rates_end(struct rates *rates);

/*
 * Reads the metrics, and calls `visit` for each route in order. The window begins ten seconds ago
 * or earlier: at the last reading that is so old, or at the start. Returns how many series had no
 * place or no memory. Any thread.
 */
size_t svc__rates_read(struct rates *rates, struct metrics *metrics,
                       void (*visit)(void *arg, const struct route_rate *rate), void *arg);

/* The value below which the share `q` of the observations in these buckets lies, if they are
 * spread evenly within each; in the last bucket, its lower bound. NaN without any. */
double svc__rates_quantile(const struct metric_bucket *buckets, size_t count, double q);

#endif
