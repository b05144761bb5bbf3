/*
 * Purges: in memory, in the store, and by messages in the memory of the other instances.
 *
 * A purge is first in the store (cache_store.h) and then in a message, so an instance that asks the
 * store after the message finds the purge there. An instance that may have missed a message asks
 * the store again for each reply that it has in memory. An instance that gets no message does so
 * after `local_ms`.
 */
#ifndef SVC_SHARED_CACHE_CACHE_PURGE_H
#define SVC_SHARED_CACHE_CACHE_PURGE_H

#include "libsvc/shared_cache/cache_visit.h"

/* Opens the channel by which instances send one another their purges. 0, or SVC_ENOMEM or
 * SVC_EINVAL, which is kept as a set-up error. */
int svc__cache_purge_open(svc_response_cache *cache, svc_app *app);

/* The hash of a tag ('t') or a target ('u'), by which replies are purged; never REPLY_MEMORY_ALL.
 * Any thread. */
uint64_t svc__cache_purge_hash(char kind, struct bytes text);

/* Purges the replies with a tag here and, with a store, everywhere. 0 or an error of the store; on
 * a loop the store is asked later, and its errors are counted alone. Any thread. */
int svc__cache_purge(svc_response_cache *cache, svc_request *req, uint64_t tag);

/* Purges the replies for the target of a request that is not safe and has not failed, and those for
 * the targets that its reply names (RFC 9111 4.4). 0 or SVC_ENOMEM. The request's thread. */
int svc__cache_purge_changed(svc_response_cache *cache, svc_request *req, const svc_response *res);

#endif
