/*
 * Limits of what is served at once: a middleware that answers 503 to what would only wait, before a
 * body is read. docs/overload.md tells which limit suits which service.
 *
 *     svc_concurrency limit = SVC_CONCURRENCY_INIT;
 *     limit.limit = 64;
 *     svc_app_use(app, svc_concurrency_new(app, &limit));
 */
#ifndef SVC_CONCURRENCY_H
#define SVC_CONCURRENCY_H

#include <svc/request.h>
#include <svc/types.h>

SVC_BEGIN_DECLS

/* How much a request matters when there is not room for all. */
enum svc_priority {
    SVC_PRIORITY_NORMAL = 0,
    SVC_PRIORITY_CRITICAL = 1 /* refused later: see svc_concurrency */
};

/*
 * What to limit. Begin with SVC_CONCURRENCY_INIT; `limit`, `max_queue_ms` or both must be set.
 *
 * Critical requests have a reserve on top of either limit, of a quarter of it (and at least one
 * request): normal ones are refused at the limit, critical ones when the reserve is used up too. So
 * the reserve costs normal requests nothing, and adds at most a quarter to what anybody waits.
 */
typedef struct svc_concurrency {
    size_t size; /* set by SVC_CONCURRENCY_INIT */

    /* Requests in flight at most, each from its head to its last byte: 1 to 1,000,000. 0: no limit
     * of that kind. For what waits or runs on workers: requests that a loop itself serves are never
     * in flight together, unless their bodies or answers take their time. */
    uint32_t limit;

    /* The limit follows what requests take: it falls when that grows because too many are in
     * flight, and rises again. `limit` is where it begins, between `min` and `max`. */
    bool adaptive;
    uint32_t min; /* 1 at first */
    uint32_t max; /* 1000 at first; 1,000,000 at most */

    /* Milliseconds that a request may have waited for its event loop, up to 3,600,000; 0: no limit
     * of that kind. For what a loop itself serves, one request after the other. */
    uint32_t max_queue_ms;

    uint32_t
        retry_after_s; /* what a refused client is told; 1 at first, 0: nothing, 86,400 at most */

    /* The class of a request, an svc_priority; NULL: all are normal. Must not block. */
    int (*priority)(svc_request *req, void *arg);
    void *arg;
} svc_concurrency;

#define SVC_CONCURRENCY_INIT                                                                       \
    {                                                                                              \
        sizeof(svc_concurrency), 0, false, 1, 1000, 0, 1, NULL, NULL                               \
    }

/*
 * Makes a middleware for svc_app_use, svc_group_use or a route's list. Used in several places, it
 * counts them together; a request that meets it twice counts twice. Layers further out see what it
 * refuses, as a 503. Owned by the app. NULL for a bad option, once the app is started, or when out
 * of memory, which is also kept as a set-up error: svc_app_use may be given that NULL. Before start
 * only. Since: 0.1
 */
SVC_API const svc_middleware *svc_concurrency_new(svc_app *app, const svc_concurrency *options);

SVC_END_DECLS

#endif
