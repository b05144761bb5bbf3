/* The spans of a request. */
#include "libsvc/exchange/request_span.h"

#include "libsvc/base/clock.h"
#include "libsvc/exchange/request_internal.h"

enum { UNSAMPLED_MOST = 128 /* spans that wait for the request's end, which may never fail */ };

/* The thread that ends spans of an unsampled request may be another than the request's. */
static void keep_span(struct request_spans *spans, svc_sys_span *span)
{
    svc_sys_span *first = atomic_load_explicit(&spans->kept, memory_order_relaxed);
    do
        span->next = first;
    while (!atomic_compare_exchange_weak_explicit(&spans->kept, &first, span, memory_order_release,
                                                  memory_order_relaxed));
}

static void end_span(struct svc_span *span, struct span_record *record)
{
    struct request_spans *spans = span->spans;
    record->span.ended_unix_ns = (int64_t)svc__clock_ns() + spans->wall_ns;
    if (record->span.flags & SVC_SYS_SAMPLED)
        svc__span_record_deliver(record);
    else
        keep_span(spans, &record->span);
}

static struct span_record *open_record(svc_span *span)
{
    return span ? atomic_load_explicit(&span->record, memory_order_acquire) : NULL;
}

static struct span_record *take_record(struct svc_span *span)
{
    return atomic_exchange_explicit(&span->record, NULL, memory_order_acq_rel);
}

/* The request is over. Its own span has been finished, or never will be, if another exchange has
 * stood in for this one. */
static void end_all(void *arg)
{
    struct exchange *x = arg;
    struct request_spans *spans = x->request.trace.spans;
    struct span_record *own = take_record(&spans->own);
    if (own)
        svc_sys_span_free(&own->span);
    for (struct svc_span *span = spans->begun; span; span = span->next) {
        struct span_record *record = take_record(span);
        if (record)
            end_span(span, record);
    }
    bool failed = spans->failed || x->away.given_up == SVC_TIMED_OUT || x->away.given_up == SVC_CUT;
    svc_sys_span *kept = atomic_exchange_explicit(&spans->kept, NULL, memory_order_acquire);
    while (kept) {
        svc_sys_span *span = kept;
        kept = span->next;
        span->next = NULL;
        if (failed)
            svc__span_record_deliver((struct span_record *)(void *)span);
        else
            svc_sys_span_free(span);
    }
}

/* Makes the spans of a request whose trace is known, and has them end with it. NULL when out of
 * memory: nothing is recorded then. */
static struct request_spans *make_spans(struct exchange *x)
{
    struct request_spans *spans = svc__arena_zalloc(&x->arena, sizeof *spans);
    if (!spans || svc__arena_defer(&x->arena, end_all, x)) {
        svc__span_record_lose(x->request.plan->exporter);
        return NULL;
    }
    spans->wall_ns = svc__clock_wall_offset();
    spans->own.spans = spans;
    spans->own.own = x->request.trace.own;
    x->request.trace.spans = spans;
    return spans;
}

bool svc__request_span_is_wanted(struct exchange *x, bool failed)
{
    struct request_spans *spans = x->request.trace.spans;
    if (spans) {
        const struct span_record *own = open_record(&spans->own);
        spans->failed = failed = failed || (own && own->span.failed);
    }
    return svc_request_sampled(&x->request) || (failed && x->request.plan->exporter->keeps_failed);
}

static struct span_record *make_own_record(struct exchange *x, int64_t wall_ns)
{
    struct request_trace *trace = &x->request.trace;
    struct span_record *record =
        svc__span_record_new(x->request.plan->exporter, &trace->own, SVC_SPAN_SERVER);
    if (!record)
        return NULL;
    if (trace->origin == TRACE_CONTINUED) {
        memcpy(record->span.parent_id, trace->parent, sizeof trace->parent);
        record->span.parent_is_remote = true;
        record->span.state =
            svc__span_record_text(record, svc__bytes_z(svc_request_tracestate(&x->request)));
    }
    record->span.started_unix_ns = (int64_t)x->request.started_ns + wall_ns;
    return record;
}

struct span_record *svc__request_span_take(struct exchange *x)
{
    struct request_spans *spans = x->request.trace.spans;
    struct span_record *record = spans ? take_record(&spans->own) : NULL;
    return record ? record : make_own_record(x, spans ? spans->wall_ns : svc__clock_wall_offset());
}

/* The spans of a request where they are recorded, or may be; else NULL. */
static struct request_spans *find_spans(svc_request *req)
{
    const svc_sys_exporter *exporter = req ? req->plan->exporter : NULL;
    if (!exporter || req->trace.origin == TRACE_NONE)
        return NULL;
    if (!(req->trace.own.flags & TRACE_SAMPLED) && !exporter->keeps_failed)
        return NULL;
    return req->trace.spans ? req->trace.spans : make_spans(svc__exchange_of(req));
}

/* One that has ended is used again, so that a request without end needs no memory without end. */
static struct svc_span *make_span(svc_request *req, struct request_spans *spans)
{
    struct svc_span *span = spans->begun;
    if (span && !atomic_load_explicit(&span->record, memory_order_acquire))
        return span;
    span = svc__arena_zalloc(&svc__exchange_of(req)->arena, sizeof *span);
    if (!span)
        return NULL;
    span->spans = spans;
    span->next = spans->begun;
    spans->begun = span;
    return span;
}

svc_span *svc_span_begin(svc_request *req, svc_span *parent, int kind, const char *name)
{
    struct request_spans *spans = find_spans(req);
    if (!spans)
        return NULL;
    struct trace own = req->trace.own;
    bool sampled = own.flags & TRACE_SAMPLED;
    if (!sampled && spans->begun_unsampled == UNSAMPLED_MOST)
        return NULL;
    struct svc_span *span = make_span(req, spans);
    if (!span) {
        svc__span_record_lose(req->plan->exporter);
        return NULL;
    }
    bool known = kind >= SVC_SPAN_INTERNAL && kind <= SVC_SPAN_CONSUMER;
    struct trace within = parent ? parent->own : own;
    svc__request_trace_new_span(&own);
    struct span_record *record =
        svc__span_record_new(req->plan->exporter, &own, known ? kind : SVC_SPAN_INTERNAL);
    if (!record)
        return NULL;
    memcpy(record->span.parent_id, within.span_id, sizeof record->span.parent_id);
    record->span.name = svc__span_record_text(record, svc__bytes_z(name));
    record->span.started_unix_ns = (int64_t)svc__clock_ns() + spans->wall_ns;
    spans->begun_unsampled += !sampled;
    span->own = own;
    atomic_store_explicit(&span->record, record, memory_order_release);
    return span;
}

svc_span *svc_request_span(svc_request *req)
{
    struct request_spans *spans = find_spans(req);
    if (!spans)
        return NULL;
    struct span_record *record = open_record(&spans->own);
    if (!record) {
        record = make_own_record(svc__exchange_of(req), spans->wall_ns);
        atomic_store_explicit(&spans->own.record, record, memory_order_relaxed);
    }
    return record ? &spans->own : NULL;
}

void svc_span_set_items(svc_span *span, const svc_kv *items)
{
    struct span_record *record = open_record(span);
    if (record)
        svc__span_record_set(record, items);
}

void svc_span_fail(svc_span *span, const char *type, const char *message)
{
    struct span_record *record = open_record(span);
    if (!record)
        return;
    record->span.failed = true;
    if (message)
        record->span.message = svc__span_record_text(record, svc__bytes_z(message));
    if (type) {
        const svc_kv items[] = {svc_kv_str("error.type", type), SVC_KV_END};
        svc__span_record_set(record, items);
    }
}

void svc_span_link(svc_span *span, const char *traceparent)
{
    struct span_record *record = open_record(span);
    struct trace to;
    if (record && traceparent && !svc__trace_parse(svc__bytes_z(traceparent), &to))
        svc__span_record_link(record, &to);
}

const char *svc_span_traceparent(svc_request *req, const svc_span *span)
{
    return req && span ? svc__request_trace_render(req, &span->own) : svc_request_traceparent(req);
}

void svc_span_end(svc_span *span)
{
    struct span_record *record = span && span != &span->spans->own ? take_record(span) : NULL;
    if (record)
        end_span(span, record);
}
