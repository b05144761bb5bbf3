/* Observations in the course of a request. */
#include <math.h>

#include <svc/metric.h>
#include <svc/trace.h>

#include "libsvc/exchange/exchange.h"
#include "libsvc/metrics/exemplar.h"

void svc_histogram_observe_in(svc_histogram *histogram, double value, const svc_request *req)
{
    svc_histogram_observe(histogram, value);
    if (req && !isnan(value) && svc_request_sampled(req))
        svc__exemplar_keep(histogram, value, req->trace.own.trace_id, req->trace.own.span_id);
}
