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

/* What to run. Begin with SVC_TASK_INIT. */
typedef struct svc_task {
    size_t size;      /* set by SVC_TASK_INIT */
    const char *name; /* in the log: letters, digits, '_', '-'; the thread is "svc-" and what the
                         system shows of it */

    /*
     * The task, in a thread of its own with all signals blocked. 0: it is done, for good. Anything
     * else: it has failed, which is logged, and it is run again after a delay. Once it was told to
     * stop it is not run again, whatever it returns; SVC_ECANCELLED and SVC_ECLOSED are then no
     * failures.
     */
    int (*run)(svc_task_context *context, void *arg);

    /*
     * Makes `run` return, such as by closing the queue from which it pops; may be NULL if `run` only
     * uses the calls below to sleep or to check for a stop. Called once when the service stops, also when
     * the task is done already or waits to be run again, on the thread that waits for the service's end
     * (svc_app_wait) or frees the app. Must not block.
     */
    void (*stop)(void *arg);

    void *arg;          /* of both functions; borrowed until the app is freed */
    size_t stack_bytes; /* of the thread, 64 KiB to 1 GiB; 256 KiB at first */

    /* The delays before a task that has failed is run again: the first is this and up to twice as
     * much, each further one about twice as long, by chance, and none over the second. */
    unsigned min_delay_ms; /* 1 to 86,400,000; 100 at first */
    unsigned max_delay_ms; /* `min_delay_ms` to 86,400,000; 30,000 at first */
    unsigned reset_ms;     /* after a run of so long delays begin anew; 60,000 at first */
} svc_task;

#define SVC_TASK_INIT                                                                              \
    {                                                                                              \
        sizeof(svc_task), NULL, NULL, NULL, NULL, (size_t)256 << 10, 100, 30000, 60000             \
    }

/*
 * Adds a background task. It starts when the start hooks have run and before the first request is
 * served, in order of registration; also with svc_app_test, and then runs until the app is freed.
 * In the drain, when the last request is over, tasks are stopped in reverse order, each when the
 * one before has ended: what handlers have queued is worked off, and a task may hand on to those
 * registered before it. Then the stop hooks run. They have what is left of drain_timeout_ms, or
 * a fraction of a second where that is less or requests had to be cut; one that goes on is left
 * behind (SVC_EFORCED), and nothing that it may use is freed. svc_app_free, and a start that
 * failed, wait for them without a limit.
 *
 * A mounted app's tasks run with the outer app, after its own, as "<app>.<task>" in the log. The
 * struct and its name are copied. Each failure is counted in svc_task_failures_total, each new run
 * in svc_task_restarts_total, and svc_tasks_running tells how many run. 0, SVC_EINVAL for a bad
 * member or a name that is taken, SVC_ESTATE or SVC_ENOMEM. Before start only. Since: 0.1
 */
SVC_API int svc_app_add_task(svc_app *app, const svc_task *task);

/* The app whose task it is: for svc_app_log_info and its sisters. Borrowed. Any thread while the
 * task runs. Since: 0.1 */
SVC_API svc_app *svc_task_app(svc_task_context *context);

/* Whether a stop of the task was requested; check it between steps of long work. Any thread while the
 * task runs. Since: 0.1 */
SVC_API bool svc_task_stopping(svc_task_context *context);

/* Sleeps for `ms` milliseconds, or until a stop of the task is requested. 0, or SVC_ECANCELLED as soon as
 * a stop is requested. Any thread while the task runs. Since: 0.1 */
SVC_API int svc_task_sleep(svc_task_context *context, unsigned ms);

SVC_END_DECLS

#endif
