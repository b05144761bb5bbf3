/* The rate limit as a middleware. */
#ifndef SVC_MW_RATE_LIMIT_H
#define SVC_MW_RATE_LIMIT_H

#include "libsvc/mw/rate_limiter.h"

/* Fills in the middleware, after the other members. */
void svc__rate_limit_prepare(struct rate_limit *limit);

#endif
