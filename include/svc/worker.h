/*
 * Workers: threads on which handlers and middleware may block. A route or middleware with SVC_BLOCKING in
 * its flags runs on a worker; everything else runs on an event loop.
 *
 *     svc_route route = SVC_ROUTE_INIT;
 *     route.pattern = "GET /reports/{id}";
 *     route.handler = read_report;
 *     route.flags = SVC_BLOCKING;
 *     svc_app_route(app, &route);
 *
 * The pool adds threads as they are needed, up to `workers_max` (by default 1024, or less where memory is
 * small: see docs/concurrency.md), and ends a thread that has been idle for `worker_idle_ms`. If no worker is
 * free, a request waits in a queue. If the queue is full (`worker_queue`), or the request has waited for
 * `worker_queue_ms`, it is answered 503 with Retry-After. While the oldest request in the queue has waited for
 * more than 100 ms, the newest is served first.
 *
 * If the pool has no thread and cannot make one, or the new thread cannot begin (svc_app_each_worker), the
 * request is answered 503 at once; "a worker cannot begin" is logged, and svc_worker_failures_total counts
 * it. If an app has a route or middleware that blocks, and no worker thread can be made, the start fails.
 *
 * Worker threads run under SCHED_BATCH if the process runs under SCHED_OTHER. They get as much CPU time, but
 * do not interrupt an event loop when they wake, which saves an eighth of the CPU of short requests on busy
 * processors. Some sandboxes end a process that sets a scheduling policy (systemd's
 * SystemCallFilter=~@resources does). So under a seccomp filter the policy is left unchanged, unless the
 * setting worker_policy is `batch`; with `inherit` it is never changed.
 */
#ifndef SVC_WORKER_H
#define SVC_WORKER_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/*
 * Registers a state for each worker thread, such as a database connection, for the routes of this app.
 * `begin` runs on the thread before its first request, and stores the state that svc_request_worker then
 * returns. If it returns non-zero, this is logged and the thread ends; if no other worker is left, the
 * requests that wait are answered 503, and the next request tries a new thread. `end` runs on the thread
 * when it ends, for the state that its `begin` has made; it may be NULL. 0, SVC_EINVAL for a NULL `begin`,
 * SVC_ESTATE if the app has a state already or has started. Before start only. Since: 0.1
 */
SVC_API int svc_app_each_worker(svc_app *app, int (*begin)(svc_app *app, void *arg, void **state),
                           void (*end)(void *state, void *arg), void *arg);

/* The state that `begin` of the request's app (svc_request_app) has stored on this worker; NULL on an event
 * loop. The handler's thread. Since: 0.1 */
SVC_API void *svc_request_worker(const svc_request *req);

SVC_END_DECLS

#endif
