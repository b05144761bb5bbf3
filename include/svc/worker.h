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
 * The pool grows with the need up to `workers_max` threads, and shrinks when they have been idle for
 * `worker_idle_ms`. Requests for which no worker is free wait in a queue; one that finds it full
 * (`worker_queue`), or has waited in it for `worker_queue_ms`, is answered 503 with Retry-After. When
 * the oldest has waited for a tenth of a second, the newest goes first.
 *
 * Where no thread can be made, or none can begin (svc_app_each_worker), and no other is there, a request is
 * answered 503 at once; that is logged as "a worker cannot begin", and counted. A start fails where an
 * app has a route or middleware that blocks and no worker thread can be made.
 *
 * Worker threads are scheduled as SCHED_BATCH, unless the process was started under another policy
 * than the usual one: they get as much time, but do not interrupt an event loop when they are woken,
 * which saves an eighth of the CPU of short requests on busy processors. A sandbox may end a process that
 * asks for a policy (systemd's SystemCallFilter=~@resources does), so where a seccomp filter is in force
 * nothing is asked for, unless the setting worker_policy is `batch`; `inherit` never asks.
 */
#ifndef SVC_WORKER_H
#define SVC_WORKER_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/*
 * Registers what each worker thread has of its own, such as a database connection. `begin` runs on the
 * thread before its first request and stores what svc_request_worker then gives; a non-zero return is
 * logged and ends that thread; requests that have no other are 503, and the next one tries another. `end`
 * runs on the thread when it ends, for what its `begin` has made; it may be NULL. Once for each app, since
 * svc_request_worker gives one state; for the routes of this app alone.
 * 0, SVC_EINVAL, SVC_ESTATE when it has one or has started. Before start only. Since: 0.1
 */
SVC_API int svc_app_each_worker(svc_app *app, int (*begin)(svc_app *app, void *arg, void **state),
                           void (*end)(void *state, void *arg), void *arg);

/* The state that `begin` of the answering app has stored on this worker; NULL on an event loop. The
 * handler's thread. Since: 0.1 */
SVC_API void *svc_request_worker(const svc_request *req);

SVC_END_DECLS

#endif
