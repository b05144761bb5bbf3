/*
 * A stored reply: status, fields and body in one block of memory that never changes, with a count
 * of its users. So a hit sends it without a copy.
 */
#ifndef SVC_SHARED_CACHE_STORED_REPLY_H
#define SVC_SHARED_CACHE_STORED_REPLY_H

#include <stdatomic.h>

#include "libsvc/exchange/exchange.h"
#include "libsvc/shared_cache/cache_rules.h"

enum { STORED_TAGS = 64 /* of a reply, with that of its target */ };

/* A reply that is to be stored: all is copied. */
struct stored_parts {
    struct bytes key;              /* host and target */
    struct bytes names, selection; /* of cache_vary.h; empty: no field selects it */
    struct cache_terms terms;
    int64_t born_ns; /* when its age was 0, by svc__clock_ns; perhaps before that clock's begin */
    int status;
    const struct field *fields; /* without those that each hit has anew */
    size_t field_count;
    struct bytes body;
    const uint64_t *tags; /* hashes, by which it is purged */
    size_t tag_count;
    uint64_t generation; /* of the store's purges, as it began */
};

struct stored_reply {
    _Atomic unsigned refs;
    bool read;     /* since the last round of the eviction; the memory's */
    uint64_t hash; /* of its key; the memory's */
    struct stored_reply *same, *older, *newer; /* in the memory's table and queue */
    uint64_t confirmed_ns; /* purges by other instances before that have not hit it */
    struct stored_parts parts;
    size_t size;           /* bytes that it takes */
    size_t field_bytes;    /* of its fields, on the wire */
    uint64_t validated_ns; /* when the last request began to validate it; the memory's */
};

/* Makes a reply with one user. NULL when out of memory. Any thread. */
struct stored_reply *svc__stored_reply_new(const struct stored_parts *parts);

/* Another user. Any thread that is one. */
struct stored_reply *svc__stored_reply_ref(struct stored_reply *reply);

/* Ends one user's part; the last one frees it. Accepts NULL. Any thread. */
void svc__stored_reply_unref(struct stored_reply *reply);

/* The seconds of its age at `now_ns`. Any thread. */
static inline int64_t svc__stored_reply_age(const struct stored_reply *reply, uint64_t now_ns)
{
    int64_t age_ns = (int64_t)now_ns - reply->parts.born_ns;
    return age_ns > 0 ? age_ns / 1000000000 : 0;
}

/*
 * Answers with the reply, whose user the exchange becomes in the caller's place, also on failure,
 * with Age, and with a Cache-Status that ends with the seconds for which it is fresh; these are
 * below 0 for a stale one. `status` is the text before them. 0, SVC_ENOMEM, SVC_ETOOBIG. The
 * request's thread.
 */
int svc__stored_reply_answer(struct stored_reply *reply, svc_response *res, int64_t age,
                             struct bytes status);

#endif
