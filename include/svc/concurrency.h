/*
 * Concurrency limits: a middleware that answers 503 to requests over the limit, before their body is read.
 * docs/overload.md describes which limit suits which service.
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

/* The priority of a request when not all can be served. */
enum svc_priority {
    SVC_PRIORITY_NORMAL = 0,
    SVC_PRIORITY_CRITICAL = 1 /* refused later: see svc_concurrency */
};

/*
 * The options. Begin with SVC_CONCURRENCY_INIT; `limit`, `max_queue_ms` or both must be set.
 *
 * Either limit has a reserve on top of it for critical requests: a quarter of the limit, and at least one
 * request. Normal requests are refused at the limit, critical ones when the reserve is used up too. So
 * the reserve takes nothing from normal requests, and lengthens waits by a quarter at most.
 */
typedef struct svc_concurrency {
    size_t size; /* set by SVC_CONCURRENCY_INIT */

    /* The most requests in flight, each counted from its head to its last byte: 1 to 1,000,000. 0: no
     * such limit. Use it for handlers that wait or run on workers. A loop serves its own requests one at
     * a time, so they are concurrent only while bodies or answers are in transit. */
    uint32_t limit;

    /* The limit follows the duration of requests: it falls when too many requests in flight make them
     * slower, and rises again. It begins at `limit`, and stays between `min` and `max`. */
    bool adaptive;
    uint32_t min; /* default 1 */
    uint32_t max; /* default 1000; 1,000,000 at most */

    /* The longest time that a request may have waited for its event loop, in milliseconds, up to
     * 3,600,000; 0: no such limit. Use it for handlers that run on the loop itself. */
    uint32_t max_queue_ms;

    uint32_t
        retry_after_s; /* Retry-After of a 503; default 1, 0: not sent, 86,400 at most */

    /* Returns the svc_priority of a request; NULL: all are normal. Must not block. */
    int (*priority)(svc_request *req, void *arg);
    void *arg;
} svc_concurrency;

#define SVC_CONCURRENCY_INIT                                                                       \
    {                                                                                              \
        sizeof(svc_concurrency), 0, false, 1, 1000, 0, 1, NULL, NULL                               \
    }

/*
 * Makes a middleware for svc_app_use, svc_group_use or a route's list. Used in several places, it
 * counts their requests together; a request that passes it twice counts twice. Outer layers see a refused
 * request as a 503. Owned by the app. NULL for a bad option, once the app is started, or when out
 * of memory, also kept as a set-up error: svc_app_use accepts that NULL. Before start only. Since: 0.1
 */
SVC_API const svc_middleware *svc_concurrency_new(svc_app *app, const svc_concurrency *options);

SVC_END_DECLS

#endif
