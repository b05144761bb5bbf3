/* The background tasks of an app, from registration to their end. */
#ifndef SVC_APP_TASK_H
#define SVC_APP_TASK_H

#include "libsvc/app/app_internal.h"

/*
 * Starts the threads of all tasks of a readied app, unless they have been started. `ended`, which
 * may be NULL, is told of each task that ends, on the task's thread with locks held: it must not
 * block or call back. 0, or SVC_ESYSTEM, kept as a set-up error: then some may run.
 */
int svc__task_start(svc_app *app, void (*ended)(void *arg), void *arg);

/* Whether there are tasks, and they have been started and not ended. */
bool svc__task_started(const svc_app *app);

/* Makes the tasks of a mounted app the outer one's, behind those that it has. 0, or SVC_ENOMEM,
 * kept as a set-up error. Before start only. */
int svc__task_adopt(svc_app *app, svc_app *inner);

/* Tells the latest task that has not ended to stop. True when all have ended: until then to be
 * called again whenever one has. The thread that starts and ends the app. */
bool svc__task_stop_next(svc_app *app);

/* Tells all tasks to stop at once: time is up. How many have not ended yet. The same thread. */
size_t svc__task_stop_all(svc_app *app);

/*
 * Ends all tasks, one after the other from the latest on; from the deadline (of svc__clock_ms) on
 * those left are told at once and not waited for. SVC_EFORCED when one has not ended: that is
 * logged, it goes on, and nothing of the app may be freed. 0 also when there is nothing to end. The
 * same thread.
 */
int svc__task_end(svc_app *app, uint64_t deadline_ms);

#endif
