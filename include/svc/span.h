/*
 * Spans: the parts of a request's work that a trace shows, each with its times, attributes and errors.
 *
 *     svc_span *span = svc_span_begin(req, NULL, SVC_SPAN_CLIENT, "GET orders");
 *     svc_span_set(span, svc_kv_str("server.address", "orders"), svc_kv_int("server.port", 80));
 *     call_orders(svc_span_traceparent(req, span));
 *     svc_span_end(span);
 *
 * The request itself is a span too (svc_request_span), which the library begins, describes and ends. Spans
 * are recorded where the app has an exporter, such as libsvc-otlp's (svc/otlp.h), and the request's trace is
 * sampled. In all other requests svc_span_begin returns NULL, which every call here accepts and ignores: so
 * code with spans costs nothing where nobody records them, and needs no condition.
 *
 * A span belongs to its request. One that is still open when the request ends is ended then. Only one thread
 * at a time may use a span: the one that runs the request's phase or handler, or another that holds the
 * request, such as by a pending answer (svc/pending.h).
 */
#ifndef SVC_SPAN_H
#define SVC_SPAN_H

#include <svc/log.h>
#include <svc/types.h>

SVC_BEGIN_DECLS

typedef struct svc_span svc_span;

/* The role of a span in its trace; the values of OpenTelemetry's protocol. */
enum svc_span_kind {
    SVC_SPAN_INTERNAL = 1, /* work of this process */
    SVC_SPAN_SERVER = 2,   /* a request that is answered: the library's own */
    SVC_SPAN_CLIENT = 3,   /* a call that is made, whose answer is awaited */
    SVC_SPAN_PRODUCER = 4, /* a message that is sent, whose effect is not awaited */
    SVC_SPAN_CONSUMER = 5  /* a message that is worked off */
};

/*
 * Begins a span within `parent`, or within the request's own span for NULL. `kind` is an svc_span_kind,
 * and any other value is SVC_SPAN_INTERNAL; `name` is copied, and should be one of few, such as "SELECT
 * orders": values that vary belong into attributes. NULL if nothing is recorded, and when out of memory.
 * Owned by the request. The request's thread. Since: 0.1
 */
SVC_API svc_span *svc_span_begin(svc_request *req, svc_span *parent, int kind, const char *name);

/*
 * The request's own span, for attributes of the program's and for svc_span_fail. It is not for svc_span_end,
 * which does nothing with it. NULL if nothing is recorded. Owned by the request. If the request has been
 * answered without its handler, such as at its deadline, nothing that the handler then adds is recorded. The
 * request's thread. Since: 0.1
 */
SVC_API svc_span *svc_request_span(svc_request *req);

/*
 * Sets attributes; svc_span_set calls it. `items` ends with an item whose key is NULL. Keys and texts are
 * copied; an item whose key the span has replaces the old one. Keys are OpenTelemetry's names if it has one
 * ("db.system.name"). An item over a limit of the exporter is left out and counted in the span; a text that
 * is too long is cut. Since: 0.1
 */
SVC_API void svc_span_set_items(svc_span *span, const svc_kv *items);

/* svc_span_set(span, items…) does the same as a statement, for one item or more. */
#define svc_span_set(span, ...)                                                                    \
    do {                                                                                           \
        svc_span *svc_span_ = (span);                                                              \
        if (svc_span_) {                                                                           \
            const svc_kv svc_span_items_[] = {__VA_ARGS__, SVC_KV_END};                            \
            svc_span_set_items(svc_span_, svc_span_items_);                                        \
        }                                                                                          \
    } while (0)

/*
 * Marks a span as failed. `type` is one of few words, such as "timeout" or the name of an exception, and
 * becomes the attribute error.type; `message` says more, for people. Both are copied; NULL for none. A
 * request's own span is marked by the library where its status is 500 or above. Since: 0.1
 */
SVC_API void svc_span_fail(svc_span *span, const char *type, const char *message);

/*
 * Links the span to one of another trace, such as that in which a message was sent: `traceparent` is the
 * field that came with it. Ignored when it is malformed. Since: 0.1
 */
SVC_API void svc_span_link(svc_span *span, const char *traceparent);

/*
 * The value of `traceparent` for the call that `span` is: the called service's span becomes its child. For
 * NULL, where nothing is recorded, that of svc_request_traceparent. "" when trace_context is off: then send
 * none. Borrowed until the exchange ends. The request's thread. Since: 0.1
 */
SVC_API const char *svc_span_traceparent(svc_request *req, const svc_span *span);

/* Ends a span and hands it to the exporter; later calls with it do nothing. Since: 0.1 */
SVC_API void svc_span_end(svc_span *span);

SVC_END_DECLS

#endif
