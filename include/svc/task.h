/*
 * Background tasks: threads of the service's own that start with the app, are started again when
 * they fail, and end in the drain, after the last request.
 *
 *     svc_task task = SVC_TASK_INIT;
 *     task.name = "mailer";
 *     task.run = send_mails;      (pops from a queue until that is closed)
 *     task.stop = close_queue;
 *     task.arg = mails;
 *     svc_app_add_task(app, &task);
 *
 * docs/tasks.md describes how tasks, queues and hooks go together.
 */
#ifndef SVC_TASK_H
#define SVC_TASK_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/* A running task as its function sees it. Borrowed from the app, and valid until its end. */
typedef struct svc_task_context svc_task_context;

/* A task to run. Begin with SVC_TASK_INIT. */
typedef struct svc_task {
    size_t size;      /* set by SVC_TASK_INIT */
    const char *name; /* in the log: 1 to 64 letters, digits, '_', '-'. The thread's name is "svc-" and the
                         first 11 of them */

    /*
     * Runs the task, on a thread of its own, which inherits its signal mask as other threads of the
     * program's code do (svc_app_start). Returns 0 if the task is done, for good. Any other result is a
     * failure: it is logged, and the task runs again after a delay. Once a stop is requested the task does
     * not run again, whatever it returns; SVC_ECANCELLED and SVC_ECLOSED are then no failures.
     */
    int (*run)(svc_task_context *context, void *arg);

    /*
     * Makes `run` return, for example by closing the queue from which it pops; may be NULL if `run` only
     * uses the calls below to sleep or to check for a stop. Called once when the service stops, also if
     * the task is done or waits to run again, on the thread that calls svc_app_wait or svc_app_free, or
     * whose svc_app_start fails. Must not block.
     */
    void (*stop)(void *arg);

    void *arg;          /* of both functions; borrowed until the app is freed */
    size_t stack_bytes; /* of the thread, 64 KiB to 1 GiB; default 256 KiB */

    /* Delays before a failed task runs again. The first is between `min_delay_ms` and twice that; each
     * further one lies in a range twice as high, up to `max_delay_ms`. They are random within the range. */
    unsigned min_delay_ms; /* 1 to 86,400,000; default 100 */
    unsigned max_delay_ms; /* `min_delay_ms` to 86,400,000; default 30,000 */
    unsigned reset_ms;     /* after a run of this length, delays begin again at the first; default 60,000 */
} svc_task;

#define SVC_TASK_INIT                                                                              \
    {                                                                                              \
        sizeof(svc_task), NULL, NULL, NULL, NULL, (size_t)256 << 10, 100, 30000, 60000             \
    }

/*
 * Adds a background task. Tasks start after the start hooks and before the first request, in order of
 * registration; in svc_app_test too, where they run until the app is freed.
 *
 * In the drain, after the last request, tasks are stopped in reverse order, each when the one before has
 * ended. So tasks finish the work that handlers have queued, and a task may push into the queue of a task
 * that was registered before it. Then the stop hooks run. Tasks have the rest of drain_timeout_ms to end,
 * and at least 0.3 s, or 0.15 s if requests had to be cut. A task that has not ended by then is
 * left running (SVC_EFORCED), and no memory that it may use is freed. svc_app_free, and a start that fails,
 * wait for tasks without a limit.
 *
 * The tasks of a mounted app start after the outer app's; their name in the log is "<app>.<task>". The
 * struct and its name are copied. svc_task_failures_total counts failures, svc_task_restarts_total further
 * runs, and svc_tasks_running is the number of tasks that run. 0, SVC_EINVAL for a bad member or a name that
 * is taken, SVC_ESTATE or SVC_ENOMEM. Before start only. Since: 0.1
 */
SVC_API int svc_app_add_task(svc_app *app, const svc_task *task);

/* The app that the task was added to, for svc_app_log_info and other calls on it. Borrowed. Any thread
 * while the task runs. Since: 0.1 */
SVC_API svc_app *svc_task_app(svc_task_context *context);

/* Whether a stop of the task was requested; check it between steps of long work. Any thread while the
 * task runs. Since: 0.1 */
SVC_API bool svc_task_stopping(svc_task_context *context);

/* Sleeps for `ms` milliseconds, or until a stop of the task is requested. 0, or SVC_ECANCELLED as soon as
 * a stop is requested. Any thread while the task runs. Since: 0.1 */
SVC_API int svc_task_sleep(svc_task_context *context, unsigned ms);

SVC_END_DECLS

#endif
