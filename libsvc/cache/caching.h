/* Cache-Control and Expires of a response. */
#ifndef SVC_CACHE_CACHING_H
#define SVC_CACHE_CACHING_H

#include <svc/cache.h>

#include "libsvc/base/bytes.h"
#include "libsvc/proto/cache_control.h"

/* Copies a policy to `own`, and writes its Cache-Control to `out`. 0, or SVC_EINVAL for a policy
 * that a response cannot have. */
int svc__caching_read(const svc_cache_policy *given, svc_cache_policy *own,
                      struct cache_control *out);

/* Sets a field to a date. `name` is static. 0, SVC_ENOMEM, SVC_ETOOBIG. */
int svc__caching_put_date(svc_response *res, struct bytes name, int64_t unix_seconds);

/* Sets Expires, `seconds` from now. 0, SVC_ENOMEM, SVC_ETOOBIG. */
int svc__caching_put_expires(svc_response *res, int64_t seconds);

/* Sets Cache-Control to `no-store` and removes Expires. 0, SVC_ENOMEM, SVC_ETOOBIG. */
int svc__caching_forbid(svc_response *res);

#endif
