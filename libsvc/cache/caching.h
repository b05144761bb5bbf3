/* What a response says to caches, and how a policy becomes the text of it. */
#ifndef SVC_CACHE_CACHING_H
#define SVC_CACHE_CACHING_H

#include <svc/cache.h>

#include "libsvc/base/bytes.h"
#include "libsvc/proto/cache_control.h"

/* Reads a policy: `own` is all of it, and `out` what becomes Cache-Control. 0, or SVC_EINVAL for
 * one that a response cannot have. */
int svc__caching_read(const svc_cache_policy *given, svc_cache_policy *own,
                      struct cache_control *out);

/* Sets Expires, `seconds` from now. 0, SVC_ENOMEM, SVC_ETOOBIG. */
int svc__caching_put_expires(svc_response *res, int64_t seconds);

/* Sets `no-store` in place of what was said, Expires included. 0, SVC_ENOMEM, SVC_ETOOBIG. */
int svc__caching_forbid(svc_response *res);

#endif
