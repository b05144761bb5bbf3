/*
 * The level of a cache that instances share: replies in their stored form under keys of a store,
 * and the purges. A purge takes a number, one higher than that of all before, and stores it under
 * its tag; a reply has the number of the last purge before its handler began. So a reply is valid
 * if none of its tags has a higher number. No clock takes part, and a reply that was being made
 * while a purge came is not used.
 *
 * If the store fails, the cache goes on with the memory of its own process.
 */
#ifndef SVC_SHARED_CACHE_CACHE_STORE_H
#define SVC_SHARED_CACHE_CACHE_STORE_H

#include "libsvc/shared_cache/cache_visit.h"

/* Asks the store for a reply to a visit's request; then it is in memory, if the store has one, and
 * the request is resumed, once. 0; an error: nothing follows. The loop's thread. */
int svc__cache_store_ask(struct cache_visit *visit);

/* Puts a reply into the store. `req` may be NULL. Errors are counted by the store alone. Any
 * thread. */
void svc__cache_store_put(svc_response_cache *cache, const struct stored_parts *parts);

/* The key of the number of the last purge. */
#define CACHE_STORE_PURGES "rc:purges"

/* Writes the key of the number of the last purge of a tag. Any thread. */
enum { CACHE_STORE_TAG_KEY = 24 };
void svc__cache_store_tag_key(char out[static CACHE_STORE_TAG_KEY], uint64_t tag);

#endif
