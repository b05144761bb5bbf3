/* The trailer fields of a request, from the side of its home. */
#ifndef SVC_EXCHANGE_REQUEST_TRAILERS_H
#define SVC_EXCHANGE_REQUEST_TRAILERS_H

#include "libsvc/exchange/exchange.h"

/*
 * Copies the fields behind a body, without those that may not be trailers. To be called once,
 * before svc__dispatch_body_end, also while the exchange is away. Returns 0, or the status to
 * refuse the request with (400, 431, 503) and a static text in `*reason`: the connection must be
 * closed then. The home's thread.
 */
int svc__request_trailers_take(struct exchange *x, const struct field *fields, size_t count,
                               const char **reason);

#endif
