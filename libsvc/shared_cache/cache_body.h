/* Replies on their way into the cache. */
#ifndef SVC_SHARED_CACHE_CACHE_BODY_H
#define SVC_SHARED_CACHE_CACHE_BODY_H

#include "libsvc/shared_cache/cache_visit.h"

/* Stores the decided reply, at once or, for a body that comes piece by piece, once that has ended.
 * True: it was stored, or may be `later`: then the lead ends with the body. */
bool svc__cache_body_store(struct cache_visit *visit, svc_response *res, bool *later);

#endif
