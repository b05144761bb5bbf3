/* Trace context: each request is a span, of an inbound trace or of a new one. */
#include "libsvc/app/app_internal.h"
#include "libsvc/base/rand.h"
#include "libsvc/exchange/request_internal.h"
#include "libsvc/exchange/request_span.h"
#include "libsvc/mw/server_span.h"
#include "libsvc/mw/stack.h"

/* An id of zeros is invalid; random bytes give one once in 2^64. */
static bool has_zeros(const struct trace *trace)
{
    uint64_t words[3];
    _Static_assert(sizeof words == TRACE_ID_BYTES + TRACE_SPAN_BYTES, "both ids");
    memcpy(words, trace->trace_id, TRACE_ID_BYTES);
    memcpy(words + 2, trace->span_id, TRACE_SPAN_BYTES);
    return (words[0] | words[1]) == 0 || words[2] == 0;
}

/* Whether the request has exactly one traceparent, and a valid one. */
static bool inbound(const svc_request *req, struct trace *out)
{
    const struct fields *fields = &req->fields;
    return svc__fields_has(fields, FIELD_TRACEPARENT) &&
           !svc__fields_repeats(fields, FIELD_TRACEPARENT) &&
           !svc__trace_parse(svc__fields_value(fields, FIELD_TRACEPARENT), out);
}

static int take_trace(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)res, (void)layer;
    struct request_trace *trace = &req->trace;
    if (req->plan->config->trace_trust && inbound(req, &trace->own)) {
        trace->origin = TRACE_CONTINUED;
        memcpy(trace->parent, trace->own.span_id, TRACE_SPAN_BYTES);
        svc__request_trace_new_span(&trace->own);
        return SVC_PASS;
    }
    trace->origin = TRACE_BEGUN;
    trace->own.flags = TRACE_RANDOM;
    do /* both ids, which lie side by side, at once */
        svc__rand_bytes(&trace->own, TRACE_ID_BYTES + TRACE_SPAN_BYTES);
    while (has_zeros(&trace->own));
    return SVC_PASS;
}

/* ---- With an exporter of spans */

static bool is_sampled(const svc_sys_exporter *exporter, const struct request_trace *trace)
{
    int parent = SVC_SYS_PARENT_NONE;
    if (trace->origin == TRACE_CONTINUED)
        parent =
            trace->own.flags & TRACE_SAMPLED ? SVC_SYS_PARENT_SAMPLED : SVC_SYS_PARENT_UNSAMPLED;
    return exporter->sample ? exporter->sample(exporter->arg, trace->own.trace_id, parent)
                            : parent != SVC_SYS_PARENT_UNSAMPLED;
}

static int take_sampled_trace(svc_request *req, svc_response *res, const svc_layer *layer)
{
    take_trace(req, res, layer);
    svc_request_set_sampled(req, is_sampled(req->plan->exporter, &req->trace));
    return SVC_PASS;
}

/* A caller that is not trusted has a trace of its own, which this one names. */
static void end_span(svc_request *req, const svc_response *res, const svc_layer *layer,
                     const svc_done *done)
{
    struct trace from;
    (void)layer;
    bool links = req->trace.origin == TRACE_BEGUN && inbound(req, &from);
    svc__server_span_end(req, res, done, links ? &from : NULL);
}

const svc_middleware *svc__trace_context_make(svc_app *app)
{
    static const svc_middleware alone = {
        .size = sizeof alone,
        .name = "trace_context",
        .on_request = take_trace,
    };
    static const svc_middleware with_spans = {
        .size = sizeof with_spans,
        .name = "trace_context",
        .on_request = take_sampled_trace,
        .on_done = end_span,
    };
    return svc__app_exporter(app) ? &with_spans : &alone;
}
