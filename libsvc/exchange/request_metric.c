/* Counting in the course of a request. */
#include <math.h>

#include <svc/metric.h>
#include <svc/trace.h>

#include "libsvc/exchange/exchange.h"
#include "libsvc/metrics/exemplar.h"

void svc_histogram_observe_in(svc_histogram *histogram, double value, const svc_request *req)
{
    svc_histogram_observe(histogram, value);
    if (!isnan(value) && svc_request_sampled(req))
        svc__exemplar_keep(histogram, value, req->trace.own.trace_id, req->trace.own.span_id);
}

void svc_counter_add_in(svc_counter *counter, uint64_t n, const svc_request *req)
{
    svc_counter_add(counter, n);
    if (svc_request_sampled(req))
        svc__exemplar_keep_added(counter, n, req->trace.own.trace_id, req->trace.own.span_id);
}
