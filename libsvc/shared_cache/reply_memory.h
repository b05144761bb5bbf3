/*
 * Stored replies in memory: a table in parts, each with a lock of its own, that is bounded in
 * bytes. A reply that was read since the last look at it stays when room is needed (CLOCK), so that
 * a scan displaces others once only. Any thread.
 */
#ifndef SVC_SHARED_CACHE_REPLY_MEMORY_H
#define SVC_SHARED_CACHE_REPLY_MEMORY_H

#include <stdbool.h>

#include <svc/metric.h>

#include "libsvc/proto/fields.h"
#include "libsvc/shared_cache/stored_reply.h"

struct reply_memory;

enum {
    REPLY_MEMORY_VARIANTS = 64, /* replies of one key, at most */
    REPLY_MEMORY_PURGES = 256   /* purges that are remembered, for replies that are on their way */
};

/* Makes an empty table for `bytes`. NULL when out of memory. */
struct reply_memory *svc__reply_memory_new(uint64_t bytes);

/* Frees the table; replies that are in use stay until then. No other thread uses it. Accepts NULL.
 */
void svc__reply_memory_free(struct reply_memory *memory);

/* The hash of a key, by which the table finds it. No stranger can choose keys of one hash. */
uint64_t svc__reply_memory_hash(const struct reply_memory *memory, struct bytes key);

/* The newest reply under a key that the request selects, as one of its users; NULL: there is none.
 * `*varied`: there are others, of other selections. */
struct stored_reply *svc__reply_memory_find(struct reply_memory *memory, uint64_t hash,
                                            struct bytes key, const struct fields *request,
                                            bool *varied);

/* The number of purges so far: a reply that began before one of them may be one of those purged. */
uint64_t svc__reply_memory_purges(const struct reply_memory *memory);

/* Where a reply comes from. */
enum reply_origin {
    REPLY_OF_HANDLER,
    REPLY_OF_STORE, /* which may not know yet of the purges that are under way */
};

/*
 * Stores a reply in place of one of equal selection; the table becomes one of its users. `purges`
 * is the number of purges as the request for it began. False: it is too large, or it is or was
 * purged meanwhile.
 */
bool svc__reply_memory_put(struct reply_memory *memory, uint64_t hash, struct stored_reply *reply,
                           enum reply_origin origin, uint64_t purges);

/* Removes the replies with that tag; those without regard to tags for REPLY_MEMORY_ALL. Returns
 * their number. Replies on their way that have begun before are not stored. */
#define REPLY_MEMORY_ALL UINT64_C(0)
size_t svc__reply_memory_purge(struct reply_memory *memory, uint64_t tag);

/* A purge on its way to the store, in the memory of who makes it. */
struct reply_purge {
    uint64_t tag;
    struct reply_purge *next;
};

/* As svc__reply_memory_purge, and until the end replies of the store with that tag are not put into
 * the table. */
size_t svc__reply_memory_purge_begin(struct reply_memory *memory, struct reply_purge *purge);

/* The store has the purge, or will not have it. Its replies that were asked for before are not put
 * into the table. */
void svc__reply_memory_purge_end(struct reply_memory *memory, struct reply_purge *purge);

/* Whether this request shall validate a stale reply: true for one at a time, and again for another
 * if the first has not done so within `most_ns`. */
bool svc__reply_memory_claim(struct reply_memory *memory, struct stored_reply *reply,
                             uint64_t now_ns, uint64_t most_ns);

/* Where a table counts its replies and their bytes, and those that have left for lack of room. Each
 * may be NULL. */
struct reply_memory_meter {
    svc_gauge *replies, *bytes;
    svc_counter *evicted;
};

/* Sets the meter of an empty table that no other thread uses. */
void svc__reply_memory_measure(struct reply_memory *memory, const struct reply_memory_meter *meter);

#endif
