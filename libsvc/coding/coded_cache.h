/*
 * Compressed bodies that were sent of late, by what they were compressed from: the bytes of a body,
 * or what identifies a version of a file. Bounded in bytes. An entry is found by a quick hash and
 * then compared whole, so a hash that two bodies share is no danger. Any thread.
 */
#ifndef SVC_CODING_CODED_CACHE_H
#define SVC_CODING_CODED_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libsvc/base/bytes.h"

struct coded_cache;

/* A compressed body, shared by the cache and the replies that send it. */
struct coded_body {
    size_t len; /* 0: it is not worth compressing */
    char data[];
};

/* Makes an empty cache for `bytes`, of which entries take an 8th at most each. NULL when out of
 * memory. */
struct coded_cache *svc__coded_cache_new(size_t bytes);

/* Frees the cache; bodies that are in use stay until then. Accepts NULL. */
void svc__coded_cache_free(struct coded_cache *cache);

/* What a body is found by: the number of its coding, what it was compressed from, and their hash.
 */
struct coded_key {
    unsigned coding;
    struct bytes origin;
    uint64_t hash;
};

struct coded_key svc__coded_cache_key(const struct coded_cache *cache, unsigned coding,
                                      struct bytes origin);

/* The coded body; NULL: there is none. The caller gives it back by svc__coded_cache_release. */
struct coded_body *svc__coded_cache_find(struct coded_cache *cache, const struct coded_key *key);

/* Whether the key has come before, as far as that is remembered. A large body that comes once is
 * not worth a copy. */
bool svc__coded_cache_meet(struct coded_cache *cache, const struct coded_key *key);

/* Keeps `coded`, which is empty for "not worth it"; it is copied, and so is the key's origin. The
 * body, as one of its users, also if it is too large for the cache; NULL when out of memory. */
struct coded_body *svc__coded_cache_put(struct coded_cache *cache, const struct coded_key *key,
                                        struct bytes coded);

/* Gives a body back, by its `data`. */
void svc__coded_cache_release(void *data);

#endif
