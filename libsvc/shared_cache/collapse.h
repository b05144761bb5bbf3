/*
 * Requests for one reply at a time: the first runs its handler, and those that come meanwhile wait
 * for its reply. After a reply that was not stored, requests for its key wait no more for a while,
 * since each needs a reply of its own. Any thread.
 */
#ifndef SVC_SHARED_CACHE_COLLAPSE_H
#define SVC_SHARED_CACHE_COLLAPSE_H

#include <stdbool.h>

#include <svc/types.h>

#include "libsvc/base/bytes.h"

struct collapse;

/* A request that waits. In its memory. */
struct collapse_waiter {
    svc_request *req;
    struct collapse_lead *lead; /* NULL: it waits no more */
    struct collapse_waiter *next, *previous;
};

/* A request that runs its handler. In its memory. */
struct collapse_lead {
    uint64_t hash;
    struct bytes key;
    bool listed; /* others may wait for it */
    struct collapse_lead *next;
    struct collapse_waiter *waiters;
    size_t waiting;
};

/* NULL when out of memory. */
struct collapse *svc__collapse_new(void);

/* No request uses it. Accepts NULL. */
void svc__collapse_free(struct collapse *collapse);

/* The part that a request takes. */
enum collapse_part {
    COLLAPSE_LEADS, /* it runs its handler, and others wait */
    COLLAPSE_WAITS, /* it is resumed once, by svc__collapse_end or by its caller after
                       svc__collapse_leave */
    COLLAPSE_PASSES /* it runs its handler, and nobody waits */
};

/* Joins the requests for a key; `lead` and `waiter` need only memory. At most `most` requests wait
 * for one.
 */
enum collapse_part svc__collapse_join(struct collapse *collapse, uint64_t hash, struct bytes key,
                                      struct collapse_lead *lead, struct collapse_waiter *waiter,
                                      svc_request *req, size_t most);

/* The lead's reply is decided, and `stored` or not: all that wait are resumed. Does nothing for a
 * lead that is not listed. */
void svc__collapse_end(struct collapse *collapse, struct collapse_lead *lead, bool stored);

/* Takes a waiter out. False: it is being resumed, or was. */
bool svc__collapse_leave(struct collapse *collapse, struct collapse_waiter *waiter);

#endif
