/* The trace of a request, as handlers ask for it: nothing is rendered before. */
#include <svc/trace.h>

#include "libsvc/base/hex.h"
#include "libsvc/base/rand.h"
#include "libsvc/exchange/request_internal.h"

static struct arena *arena_of(const svc_request *req)
{
    return &svc__exchange_of(req)->arena;
}

static struct request_trace *trace_of(const svc_request *req)
{
    return req ? &svc__exchange_of(req)->request.trace : NULL;
}

/* The trace, whose ids the program is told. NULL: there is none. */
static struct request_trace *tell_trace(const svc_request *req)
{
    struct request_trace *trace = trace_of(req);
    if (!trace || trace->origin == TRACE_NONE)
        return NULL;
    atomic_store_explicit(&trace->told, true, memory_order_relaxed);
    return trace;
}

bool svc__request_trace_is_logged(const svc_request *req)
{
    const struct request_trace *trace = &req->trace;
    if (trace->origin != TRACE_BEGUN)
        return trace->origin == TRACE_CONTINUED;
    return atomic_load_explicit(&trace->told, memory_order_relaxed) || svc_request_sampled(req) ||
           req->plan->exporter || !*req->id || req->plan->config->log_full;
}

void svc__request_trace_new_span(struct trace *trace)
{
    static const unsigned char none[TRACE_SPAN_BYTES];
    do /* all zeros are no id, and come once in 2^64 */
        svc__rand_bytes(trace->span_id, TRACE_SPAN_BYTES);
    while (!memcmp(trace->span_id, none, sizeof none));
}

static const char *render(const svc_request *req, const unsigned char *id, size_t n)
{
    char *text = svc__arena_alloc(arena_of(req), 2 * n + 1);
    if (!text)
        return "";
    svc__hex_write(text, id, n);
    text[2 * n] = '\0';
    return text;
}

const char *svc__request_trace_text(const svc_request *req)
{
    struct request_trace *trace = trace_of(req);
    if (!trace || trace->origin == TRACE_NONE)
        return "";
    if (!trace->trace_id)
        trace->trace_id = render(req, trace->own.trace_id, TRACE_ID_BYTES);
    return trace->trace_id;
}

const char *svc_request_trace_id(const svc_request *req)
{
    return tell_trace(req) ? svc__request_trace_text(req) : "";
}

const char *svc_request_span_id(const svc_request *req)
{
    struct request_trace *trace = tell_trace(req);
    if (!trace)
        return "";
    if (!trace->span_id)
        trace->span_id = render(req, trace->own.span_id, TRACE_SPAN_BYTES);
    return trace->span_id;
}

const char *svc_request_parent_id(const svc_request *req)
{
    struct request_trace *trace = trace_of(req);
    if (!trace || trace->origin != TRACE_CONTINUED)
        return "";
    if (!trace->parent_id)
        trace->parent_id = render(req, trace->parent, TRACE_SPAN_BYTES);
    return trace->parent_id;
}

bool svc_request_sampled(const svc_request *req)
{
    return req && req->trace.own.flags & TRACE_SAMPLED;
}

void svc_request_set_sampled(svc_request *req, bool sampled)
{
    struct trace *own = req ? &req->trace.own : NULL;
    if (!own || req->trace.origin == TRACE_NONE)
        return;
    own->flags = (unsigned char)((own->flags & ~TRACE_SAMPLED) | (sampled ? TRACE_SAMPLED : 0));
}

const char *svc__request_trace_render(svc_request *req, const struct trace *trace)
{
    char *text = svc__arena_alloc(arena_of(req), TRACE_PARENT_LEN + 1);
    if (!text)
        return "";
    svc__trace_format(trace, text);
    text[TRACE_PARENT_LEN] = '\0';
    return text;
}

const char *svc_request_traceparent(svc_request *req)
{
    const struct request_trace *trace = tell_trace(req);
    if (!trace)
        return "";
    struct trace call = trace->own;
    if (!req->plan->exporter) /* else the trace would lack that span */
        svc__request_trace_new_span(&call);
    return svc__request_trace_render(req, &call);
}

/* The members that came, all or, where one cannot be read, none. */
static void read_inbound(const svc_request *req, struct trace_state *state)
{
    const struct field *field = NULL;
    if (req->trace.origin != TRACE_CONTINUED)
        return;
    while ((field = svc__fields_each(&req->fields, field, FIELD_TRACESTATE))) {
        if (svc__trace_state_read(state, field->value)) {
            state->count = 0;
            return;
        }
    }
}

const char *svc_request_tracestate(const svc_request *req)
{
    struct request_trace *trace = trace_of(req);
    if (!trace || trace->tracestate)
        return trace ? trace->tracestate : "";
    struct trace_state state = {.count = 0};
    char text[TRACE_STATE_MAX];
    read_inbound(req, &state);
    if (trace->member.data)
        svc__trace_state_put(&state, trace->member);
    svc__trace_state_cut(&state);
    size_t len = svc__trace_state_format(&state, text);
    trace->tracestate = len ? svc__arena_strndup(arena_of(req), text, len) : "";
    return trace->tracestate ? trace->tracestate : "";
}

/* "key=value" in the request's memory; "none" when there is none. */
static struct bytes join(svc_request *req, struct bytes key, struct bytes value)
{
    size_t len = key.len + 1 + value.len;
    char *text = svc__arena_alloc(arena_of(req), len);
    if (!text)
        return svc__bytes(NULL, 0);
    memcpy(text, key.data, key.len);
    text[key.len] = '=';
    memcpy(text + key.len + 1, value.data, value.len);
    return svc__bytes(text, len);
}

int svc_request_set_tracestate(svc_request *req, const char *key, const char *value)
{
    struct bytes name = svc__bytes_z(key), text = svc__bytes_z(value);
    if (!req)
        return SVC_ENOMEM;
    if (!svc__trace_key_valid(name) || !svc__trace_value_valid(text))
        return SVC_EINVAL;
    if (name.len + 1 + text.len > TRACE_MEMBER_LONG)
        return SVC_ETOOBIG;
    if (req->trace.origin == TRACE_NONE)
        return SVC_ESTATE;
    struct bytes member = join(req, name, text);
    if (!member.data)
        return SVC_ENOMEM;
    req->trace.member = member;
    req->trace.tracestate = NULL;
    return 0;
}
