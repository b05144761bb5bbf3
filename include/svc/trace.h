/*
 * W3C Trace Context: a request belongs to a trace, which goes on in the calls that it makes.
 *
 * With the setting trace_context a request that brings a valid `traceparent` continues that trace,
 * and every other one begins a trace of its own; with trace_trust off all of them do, as on a public
 * edge, where strangers must not choose ids. Either way the request is a new span, whose ids stand
 * in its log lines. Each outgoing call is a span in turn, a child of the request's, which the service
 * that is called has as its parent:
 *
 *     snprintf(line, sizeof line, "traceparent: %s", svc_request_traceparent(req));
 *     headers = curl_slist_append(headers, line);
 *
 * and what is left of the request's time, by svc_request_timeout_text (<svc/request.h>).
 *
 * Everything that is returned is borrowed and lives until the exchange ends. The calls are for the
 * thread that runs the request's phase or handler. Out of memory, they return the result for an absent value.
 */
#ifndef SVC_TRACE_H
#define SVC_TRACE_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/* Where the id of the span stands in a traceparent of version 00, and how many digits it has. */
enum { SVC_TRACE_SPAN_AT = 36, SVC_TRACE_SPAN_DIGITS = 16 };

/* The id of the request's trace: 32 hexadecimal digits; "" when trace_context is off. Since: 0.1 */
SVC_API const char *svc_request_trace_id(const svc_request *req);

/* The id of the request's own span, made here: 16 hexadecimal digits; "" when trace_context is off.
 * Since: 0.1 */
SVC_API const char *svc_request_span_id(const svc_request *req);

/* The id of the caller's span: 16 hexadecimal digits; "" when the trace began here. Since: 0.1 */
SVC_API const char *svc_request_parent_id(const svc_request *req);

/* Whether the trace is recorded: what the caller said, or svc_request_set_sampled; at first false in
 * a trace that began here. Since: 0.1 */
SVC_API bool svc_request_sampled(const svc_request *req);

/* Says whether the trace is recorded, from the next svc_request_traceparent on. Nothing happens when
 * trace_context is off. Since: 0.1 */
SVC_API void svc_request_set_sampled(svc_request *req, bool sampled);

/*
 * The value of `traceparent` for one call that the request makes, of version 00. Each value names
 * another span, which is that outgoing call's and a child of the request's own: so it is asked for once
 * for each call, and again for each repetition. The id of that span is the SVC_TRACE_SPAN_DIGITS
 * characters from SVC_TRACE_SPAN_AT on, for a log line or for who records spans. Where an exporter records
 * spans, the value names the request's own span, since nobody would record the other; svc_span_begin
 * (<svc/span.h>) makes one for a call. "" when trace_context is off: then send none. Since: 0.1
 */
SVC_API const char *svc_request_traceparent(svc_request *req);

/*
 * The value of `tracestate` for a call that the request makes: that of a trace which is continued,
 * all its fields as one list, and in front of it what svc_request_set_tracestate has said. Of more
 * than 512 bytes whole members are left out, those of more than 128 bytes first, then the last. ""
 * when there is nothing to send: one that cannot be read is dropped whole. Since: 0.1
 */
SVC_API const char *svc_request_tracestate(const svc_request *req);

/*
 * Puts the service's own member in front of the tracestate, in place of one that came under that key
 * and of what an earlier call has put there. `key`: a lower-case letter or digit, then up to 255 of
 * those and '_', '-', '*', '/', '@'; `value`: 1 to 256 printable ASCII characters without ',' and
 * '=', the last no space; both are copied. 0, SVC_EINVAL, SVC_ETOOBIG for more than 128 bytes
 * together with the '=', SVC_ESTATE when trace_context is off, or SVC_ENOMEM. Since: 0.1
 */
SVC_API int svc_request_set_tracestate(svc_request *req, const char *key, const char *value);

SVC_END_DECLS

#endif
