/* The trailer fields of a request, as its home takes them in. */
#ifndef SVC_EXCHANGE_REQUEST_TRAILERS_H
#define SVC_EXCHANGE_REQUEST_TRAILERS_H

#include "libsvc/exchange/exchange.h"

/*
 * Takes copies of the fields behind a body, but of those that may not be trailers: before
 * svc__dispatch_body_end, whoever has the exchange, and once. Returns 0, or the status to refuse
 * the request with (400, 431, 503) and a static text in `*reason`: the connection must be closed
 * then. The home's thread.
 */
int svc__request_trailers_take(struct exchange *x, const struct field *fields, size_t count,
                               const char **reason);

#endif
