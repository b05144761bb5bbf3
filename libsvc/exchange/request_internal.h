/* The library's own calls on a request, beside the public ones. */
#ifndef SVC_EXCHANGE_REQUEST_INTERNAL_H
#define SVC_EXCHANGE_REQUEST_INTERNAL_H

#include "libsvc/exchange/exchange.h"

/* Parses the query, unless that is done. 0, or SVC_ENOMEM: the request has no parameters then. */
int svc__request_parse_query(const svc_request *req);

/*
 * Whether the body has no content coding; a body that a layer has changed counts as decoded. False:
 * the answer is 415 with Accept-Encoding (RFC 9110 15.5.16).
 */
bool svc__request_accept_coding(const svc_request *req, svc_response *res);

/*
 * Whether the request's log lines have the ids of its trace: if anybody else knows them, by a call
 * or a span, if no request id joins the lines, or if `log_full` asks for all members. Any thread.
 */
bool svc__request_trace_is_logged(const svc_request *req);

/* The trace's id as text, for the library's own use: it does not count as asked for. "" without a
 * trace or memory. The request's thread. */
const char *svc__request_trace_text(const svc_request *req);

/* Gives `trace` a random span id, so that it names a span of its own. Any thread. */
void svc__request_trace_new_span(struct trace *trace);

/* The traceparent of a span, in the request's memory; "" when out of memory. The request's thread. */
const char *svc__request_trace_render(svc_request *req, const struct trace *trace);

#endif
