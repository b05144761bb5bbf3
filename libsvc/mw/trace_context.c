/* Trace context: each request is a span, of an inbound trace or of a new one. */
#include "libsvc/base/rand.h"
#include "libsvc/exchange/request_internal.h"
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

const svc_middleware *svc__trace_context_make(svc_app *app)
{
    static const svc_middleware middleware = {
        .size = sizeof middleware,
        .name = "trace_context",
        .on_request = take_trace,
    };
    (void)app;
    return &middleware;
}
