/* What the library does to a request beside what the public calls do. */
#ifndef SVC_EXCHANGE_REQUEST_INTERNAL_H
#define SVC_EXCHANGE_REQUEST_INTERNAL_H

#include "libsvc/exchange/exchange.h"

/* Parses the query, unless that is done. 0 or SVC_ENOMEM: then there are no parameters. */
int svc__request_parse_query(const svc_request *req);

/*
 * Whether the body is what its Content-Type says, without a coding over it; one that a layer has
 * changed counts as decoded. False: 415 is the answer, with Accept-Encoding (RFC 9110 15.5.16).
 */
bool svc__request_accept_coding(const svc_request *req, svc_response *res);

/* Gives the span that `trace` names another id: a random one, so that it is a span of its own. Any
 * thread. */
void svc__request_trace_new_span(struct trace *trace);

/* The traceparent of a span, in the request's memory; "" when out of memory. The request's thread. */
const char *svc__request_trace_render(svc_request *req, const struct trace *trace);

#endif
