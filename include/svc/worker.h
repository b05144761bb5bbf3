/*
 * Workers: threads on which handlers and middleware may block. A route with SVC_BLOCKING in its flags
 * runs on one, and so does a middleware with it; everything else runs on an event loop.
 *
 *     svc_route route = SVC_ROUTE_INIT;
 *     route.pattern = "GET /reports/{id}";
 *     route.handler = read_report;
 *     route.flags = SVC_BLOCKING;
 *     svc_app_route(app, &route);
 *
 * The pool grows with the need up to `workers_max` threads, and shrinks when they have been idle for
 * `worker_idle_ms`. Requests for which no worker is free wait in a queue; one that finds it full
 * (`worker_queue`), or has waited in it for `worker_queue_ms`, is answered 503 with Retry-After. When
 * the oldest has waited for a tenth of a second, the newest goes first.
 *
 * Worker threads are scheduled as SCHED_BATCH, unless the process was started under another policy
 * than the usual one: they get as much time, but do not interrupt an event loop when they are woken.
 */
#ifndef SVC_WORKER_H
#define SVC_WORKER_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/*
 * Registers what each worker thread has of its own, such as a database connection. `begin` runs on the
 * thread before its first request and stores what svc_request_worker then gives; a non-zero return is
 * logged and ends that thread, and the next request tries another. `end` runs on the thread when it
 * ends, for what its `begin` has made; it may be NULL. Once an app; for the routes of this app alone.
 * 0, SVC_EINVAL, SVC_ESTATE when it has one or has started. Before start only. Since: 0.1
 */
SVC_API int svc_app_worker(svc_app *app, int (*begin)(svc_app *app, void *arg, void **state),
                           void (*end)(void *state, void *arg), void *arg);

/* What `begin` of the app that answers has stored on this worker; NULL on an event loop. The handler's
 * thread. Since: 0.1 */
SVC_API void *svc_request_worker(const svc_request *req);

SVC_END_DECLS

#endif
