/* The key under which a rate limit counts a request. */
#ifndef SVC_MW_RATE_KEY_H
#define SVC_MW_RATE_KEY_H

#include <svc/request.h>

#include "libsvc/mw/rate_limiter.h"

enum { RATE_KEY_PARTS = 5 };

/* The parts, borrowed from the request. */
struct rate_key {
    struct bytes parts[RATE_KEY_PARTS];
    size_t count;
};

/*
 * Makes a request's key. False for a request that is not counted, because its client is exempt or
 * the program's function returned NULL.
 */
bool svc__rate_key_make(const struct rate_limit *limit, svc_request *req, struct rate_key *key);

#endif
