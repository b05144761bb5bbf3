/* A response cache, and a request on its way through it, as the files of this room share them. */
#ifndef SVC_SHARED_CACHE_CACHE_VISIT_H
#define SVC_SHARED_CACHE_CACHE_VISIT_H

#include <stdatomic.h>

#include <svc/channel.h>
#include <svc/loop.h>
#include <svc/metric.h>
#include <svc/response_cache.h>

#include "libsvc/metrics/metric.h"
#include "libsvc/shared_cache/cache_rules.h"
#include "libsvc/shared_cache/collapse.h"
#include "libsvc/shared_cache/reply_memory.h"

/* The end of a request with a cache: X(NAME, label). */
#define CACHE_RESULT_LIST(X)                                                                       \
    X(CACHE_RESULT_HIT, "hit")             /* answered by a stored reply that is fresh */          \
    X(CACHE_RESULT_STALE, "stale")         /* by one that is stale */                              \
    X(CACHE_RESULT_COLLAPSED, "collapsed") /* by the reply that another request has waited for */  \
    X(CACHE_RESULT_VALIDATED, "validated") /* by one that the handler has called valid (304) */    \
    X(CACHE_RESULT_MISS, "miss")           /* by the handler, as there was none */                 \
    X(CACHE_RESULT_EXPIRED, "expired")     /* by the handler, as the stored one was stale */       \
    X(CACHE_RESULT_BYPASS, "bypass")       /* by the handler, since the request demands it */      \
    X(CACHE_RESULT_NOT_CACHED, "only_if_cached") /* 504 */

#define CACHE_RESULT_NAME(name, label) name,
enum cache_result { CACHE_RESULT_LIST(CACHE_RESULT_NAME) CACHE_RESULTS };
#undef CACHE_RESULT_NAME

struct svc_response_cache {
    svc_middleware middleware;
    svc_app *app;
    struct cache_policy policy;
    struct bytes name; /* in Cache-Status */
    struct bytes hit;  /* "NAME; hit; ttl=" */
    uint64_t max_body;
    size_t max_waiting;
    uint64_t max_wait_ms;
    svc_store *store;            /* that instances share; NULL: none */
    uint64_t local_ms;           /* for which a reply in memory is used without the store's word */
    svc_channel *channel;        /* with a store: purges of other instances */
    uint64_t sender;             /* of this cache's messages on it */
    _Atomic uint64_t doubted_ns; /* a reply that the store has confirmed before may be purged */
    struct reply_memory *memory;
    struct collapse *collapse;
    svc_counter *results[CACHE_RESULTS];
    svc_counter *stored, *purged, *lost_purges;
};

static inline void svc__cache_visit_count(const svc_response_cache *cache, enum cache_result result)
{
    svc__counter_add(cache->results[result], 1);
}

/* A request on its way to the handler, in its memory. */
struct cache_visit {
    svc_response_cache *cache;
    svc_request *req;
    struct bytes key;
    uint64_t hash;
    uint64_t purges;           /* as it began */
    struct cache_control wish; /* of the request */
    uint64_t generation;       /* of the store's purges, as it began */
    bool generation_known;
    bool authorized;
    bool waited; /* for the reply of another request */
    bool asked;  /* the store, at `asked_ns` */
    bool claims; /* it is the request that validates a stale reply */
    uint64_t asked_ns;
    const char *reason; /* of Cache-Status: why the handler runs */
    enum cache_result result;
    struct stored_reply *stored; /* the stale one, of which this request is a user; or NULL */
    struct collapse_lead lead;
    struct collapse_waiter waiter;
    svc_timer *timer; /* ends the wait */
    /* The fields of the client, while the handler sees the conditions of a validation. */
    bool validates;
    struct fields own_fields;
    const char *
        *outer; /* values of fields that outer layers have set: they are not part of the reply */
    size_t outer_count;
};

#endif
