/* The validation of stored replies by the handler (RFC 9111 4.3). The request's thread. */
#ifndef SVC_SHARED_CACHE_CACHE_VALIDATION_H
#define SVC_SHARED_CACHE_CACHE_VALIDATION_H

#include "libsvc/shared_cache/cache_visit.h"

/*
 * Puts the validators of the stored reply in place of the client's conditions, so that a handler
 * that checks conditions can answer 304 (4.3.1). Without a stored reply the handler sees no
 * conditions, since the cache wants the whole reply. Without memory it sees those of the client.
 */
void svc__cache_validation_begin(struct cache_visit *visit);

/* Puts the client's conditions back. Does nothing if no validation has begun. */
void svc__cache_validation_end(struct cache_visit *visit, svc_request *req);

/* Makes the whole reply of a 304 by the handler: the stored body, and the stored fields that the
 * 304 does not have (3.2 and 4.3.4). 0 or a negative code. */
int svc__cache_validation_freshen(const struct cache_visit *visit, svc_response *res);

#endif
