/* The phases of the response cache. */
#ifndef SVC_SHARED_CACHE_RESPONSE_CACHE_H
#define SVC_SHARED_CACHE_RESPONSE_CACHE_H

#include "libsvc/shared_cache/cache_visit.h"

/* Fills in the middleware. */
void svc__response_cache_prepare(svc_response_cache *cache);

#endif
