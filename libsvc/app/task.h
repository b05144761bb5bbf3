/* The background tasks of an app, from registration to their end. */
#ifndef SVC_APP_TASK_H
#define SVC_APP_TASK_H

#include "libsvc/app/app_internal.h"

/*
 * Starts the threads of all tasks of a readied app, unless they have been started. `ended`, which
 * may be NULL, is called for each task that ends, on the task's thread with locks held: it must not
 * block or call back. 0, or SVC_ESYSTEM, kept as a set-up error: some tasks may run then.
 */
int svc__task_start(svc_app *app, void (*ended)(void *arg), void *arg);

/* Whether the app has tasks that were started and not ended by svc__task_end. */
bool svc__task_started(const svc_app *app);

/* A task as others see it. */
struct task_report {
    const char *name;
    bool running; /* at this moment; otherwise it waits to be run again, or has ended: */
    bool ended;
    uint64_t failures, restarts;
};

/* Calls `visit` for each task of an app whose tasks were started, in order. Any thread. */
void svc__task_visit(svc_app *app, void (*visit)(void *arg, const struct task_report *report),
                     void *arg);

/* Moves the tasks of a mounted app to the end of the outer app's list. 0, or SVC_ENOMEM, kept as a
 * set-up error. Before start only. */
int svc__task_adopt(svc_app *app, svc_app *inner);

/* Asks the last task of those that have not ended to stop. True when all have ended; until then,
 * call it again whenever one has ended. The thread that starts and ends the app. */
bool svc__task_stop_next(svc_app *app);

/* Asks all tasks to stop at once, since the time is up. Returns the number of those that have not
 * ended yet. The same thread. */
size_t svc__task_stop_all(svc_app *app);

/*
 * Ends all tasks, one after the other from the last on; after the deadline (of svc__clock_ms) the
 * remaining ones are asked to stop at once and not waited for. SVC_EFORCED when one has not ended:
 * this is logged, the task goes on, and nothing of the app may be freed. 0 also when there is
 * nothing to end. The same thread.
 */
int svc__task_end(svc_app *app, uint64_t deadline_ms);

#endif
