/*
 * W3C Trace Context: a request belongs to a trace, which its outgoing calls continue.
 *
 * With the setting trace_context, a request with a valid `traceparent` continues that trace, and every other
 * request begins a new one. With trace_trust off, every request begins a new trace, as on a public edge,
 * where clients must not choose ids. In both cases the request is a new span; its log lines have the ids of
 * trace and span, unless nobody else knows them (docs/logging.md). Each outgoing call is a span too: a child
 * of the request's span, and the parent of the called service's span.
 *
 *     snprintf(line, sizeof line, "traceparent: %s", svc_request_traceparent(req));
 *     headers = curl_slist_append(headers, line);
 *
 * svc_request_timeout_text (<svc/request.h>) passes on the time that is left. docs/tracing.md shows more.
 *
 * All results are borrowed and live until the exchange ends. The calls are for the thread that runs the
 * request's phase or handler. Out of memory, they return the result for an absent value.
 */
#ifndef SVC_TRACE_H
#define SVC_TRACE_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/* The offset of the span's id in a traceparent of version 00, and its number of digits. */
enum { SVC_TRACE_SPAN_AT = 36, SVC_TRACE_SPAN_DIGITS = 16 };

/* The id of the request's trace: 32 hexadecimal digits; "" when trace_context is off. Since: 0.1 */
SVC_API const char *svc_request_trace_id(const svc_request *req);

/* The id of the request's own span: 16 hexadecimal digits; "" when trace_context is off. Since: 0.1 */
SVC_API const char *svc_request_span_id(const svc_request *req);

/* The id of the caller's span: 16 hexadecimal digits; "" when the trace began here. Since: 0.1 */
SVC_API const char *svc_request_parent_id(const svc_request *req);

/* Whether the trace is recorded: the caller's sampled flag, false in a trace that began here, unless
 * svc_request_set_sampled has changed it. Since: 0.1 */
SVC_API bool svc_request_sampled(const svc_request *req);

/* Sets the sampled flag, for each svc_request_traceparent from now on. Does nothing when trace_context is
 * off. Since: 0.1 */
SVC_API void svc_request_set_sampled(svc_request *req, bool sampled);

/*
 * The value of `traceparent`, of version 00, for one outgoing call of the request. Each result has the id of
 * a new span, a child of the request's span: call this once for each outgoing call, and again when one is
 * repeated. The id is the SVC_TRACE_SPAN_DIGITS characters from SVC_TRACE_SPAN_AT on; a log line or a
 * recorder of spans can use it. Where an exporter records spans, the id is that of the request's span, since
 * a new one would be recorded by nobody; svc_span_begin (<svc/span.h>) makes a span for a call. "" when
 * trace_context is off: then send no traceparent. Since: 0.1
 */
SVC_API const char *svc_request_traceparent(svc_request *req);

/*
 * The value of `tracestate` for the outgoing calls of the request: the member of svc_request_set_tracestate,
 * then the caller's fields as one list if the trace is continued. A list of more than 512 bytes loses whole
 * members: those of more than 128 bytes first, then the last ones. A malformed tracestate of the caller, or
 * one of more than 32 members, is dropped as a whole. "" when there is nothing to send. Since: 0.1
 */
SVC_API const char *svc_request_tracestate(const svc_request *req);

/*
 * Sets the service's own member, which comes first in the tracestate. It replaces the caller's member with
 * that key, and the member of an earlier call. `key`: a lower-case letter or digit, then these and '_', '-',
 * '*', '/', '@'; `value`: printable ASCII characters without ',' and '=', of which the last is not a space.
 * Neither is empty; both are copied. 0; SVC_EINVAL for other characters or more than 256 of them; SVC_ETOOBIG
 * if key, '=' and value have more than 128 bytes together; SVC_ESTATE when trace_context is off; SVC_ENOMEM.
 * Since: 0.1
 */
SVC_API int svc_request_set_tracestate(svc_request *req, const char *key, const char *value);

SVC_END_DECLS

#endif
