/* The keys of stored replies: the host, which is not case-sensitive, and the target as it was sent.
 */
#ifndef SVC_SHARED_CACHE_CACHE_KEY_H
#define SVC_SHARED_CACHE_CACHE_KEY_H

#include "libsvc/exchange/exchange.h"

/* The key of an exchange's request: the host in lower case, a space, path and query, in the arena.
 * "None" when out of memory. */
struct bytes svc__cache_key_make(struct exchange *x);

#endif
