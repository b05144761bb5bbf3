/* The worker threads of an app. */
#include "libsvc/app/app_workers.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <svc/worker.h>

#include "libsvc/app/life.h"
#include "libsvc/base/thread.h"
#include "libsvc/exchange/exchange.h"
#include "libsvc/run/workers.h"
#include "libsvc/run/workers_room.h"

enum { SCRATCH = 1 << 24 }; /* of all that is rendered for one response */

/* The state that one app's svc_app_each_worker hook has made on one thread. */
struct worker_state {
    const svc_app *app;
    void *state;
};

/* A worker thread's own data. */
struct app_worker {
    struct exchange_host host; /* first */
    svc_app *app;              /* the outermost, which serves */
    size_t state_count;
    struct worker_state states[];
};

/* Makes the states in order: the app's own, then those of apps mounted on it. False: one has
 * failed. */
static bool begin_states(struct app_worker *worker)
{
    svc_app *app = worker->app;
    for (const struct mount *mount = app->mounts;; mount = mount->next) {
        struct worker_state *state = &worker->states[worker->state_count];
        state->app = app;
        if (app->worker_hooks.begin) {
            if (app->worker_hooks.begin(app, app->worker_hooks.arg, &state->state))
                return false;
            worker->state_count++;
        }
        if (!mount)
            return true;
        app = mount->app;
    }
}

static void end_worker(void *of)
{
    struct app_worker *worker = of;
    while (worker->state_count > 0) {
        const struct worker_state *state = &worker->states[--worker->state_count];
        if (state->app->worker_hooks.end)
            state->app->worker_hooks.end(state->state, state->app->worker_hooks.arg);
    }
    svc__buf_free(&worker->host.scratch);
    free(worker);
}

/*
 * A worker that wakes does not preempt a loop in the middle of a turn: it gets another processor,
 * or waits until the loop does. A policy that was chosen for the process is left alone, and so is,
 * unless a setting demands otherwise, a process under a seccomp filter, which may end it for the
 * system call.
 */
static void let_loops_finish(int policy)
{
    static const struct sched_param none = {0};
    if (policy == SVC_WORKER_INHERIT || (policy == SVC_WORKER_AUTO && svc__thread_filtered()))
        return;
    if (sched_getscheduler(0) == SCHED_OTHER)
        sched_setscheduler(0, SCHED_BATCH, &none);
}

static void *begin_worker(void *of)
{
    svc_app *app = of;
    size_t apps = 1;
    let_loops_finish(app->config.worker_policy);
    svc__life_adopt_thread(app);
    for (const struct mount *mount = app->mounts; mount; mount = mount->next)
        apps++;
    struct app_worker *worker = calloc(1, sizeof *worker + apps * sizeof *worker->states);
    if (!worker)
        return NULL;
    worker->app = app;
    worker->host.worker = worker;
    svc__buf_init(&worker->host.scratch, SCRATCH);
    if (begin_states(worker))
        return worker;
    end_worker(worker);
    return NULL;
}

static void report_failure(void *of, int error)
{
    svc_app *app = of;
    svc__counter_add(app->worker_failures, 1);
    svc_app_log_error(
        app, "a worker cannot begin",
        svc_kv_str("reason",
                   error ? strerror(error) : "the state of svc_app_each_worker could not be made"));
}

void *svc__app_workers_state(const struct app_worker *worker, const svc_app *app)
{
    for (size_t i = 0; worker && i < worker->state_count; i++)
        if (worker->states[i].app == app)
            return worker->states[i].state;
    return NULL;
}

void *svc_request_worker(const svc_request *req)
{
    return req ? svc__app_workers_state(svc__exchange_of(req)->host->worker, req->owner->app)
               : NULL;
}

/* ---- Metrics */

static double count_threads(void *pool)
{
    return (double)svc__workers_stats(pool).threads;
}

static double count_busy(void *pool)
{
    return (double)svc__workers_stats(pool).busy;
}

static double count_queued(void *pool)
{
    return (double)svc__workers_stats(pool).queued;
}

static double most_threads(void *pool)
{
    return (double)svc__workers_stats(pool).most;
}

static double most_queued(void *config)
{
    return (double)((const svc_config *)config)->worker_queue;
}

static void register_metrics(svc_app *app)
{
    struct metrics *in = app->metrics;
    struct workers *pool = app->workers;
    svc__metric_fn(in, METRIC_GAUGE, "svc_workers", "Worker threads.", count_threads, pool);
    svc__metric_fn(in, METRIC_GAUGE, "svc_workers_busy", "Worker threads at work.", count_busy,
                   pool);
    svc__metric_fn(in, METRIC_GAUGE, "svc_workers_queued", "Requests that wait for a worker.",
                   count_queued, pool);
    svc__metric_fn(in, METRIC_GAUGE, "svc_workers_max", "Worker threads at most.", most_threads,
                   pool);
    svc__metric_fn(in, METRIC_GAUGE, "svc_workers_queue_max",
                   "Requests that wait for a worker at most.", most_queued, &app->config);
    app->worker_failures = svc__metric_counter(in, "svc_worker_failures_total",
                                               "Times that a worker thread could not begin.");
}

/* ---- Making and starting */

static size_t choose_most(const svc_config *config)
{
    size_t room = svc__workers_room(config->worker_stack_bytes);
    size_t least = (size_t)config->workers_min;
    return config->workers_max ? (size_t)config->workers_max : room > least ? room : least;
}

int svc__app_workers_make(svc_app *app)
{
    const svc_config *config = &app->config;
    struct workers_options options = {
        .min = (size_t)config->workers_min,
        .max = choose_most(config),
        .max_queued = (size_t)config->worker_queue,
        .idle_ms = config->worker_idle_ms,
        .stack = (size_t)config->worker_stack_bytes,
        .begin = begin_worker,
        .end = end_worker,
        .failed = report_failure,
        .arg = app,
    };
    app->workers = svc__workers_new(&options);
    if (!app->workers)
        return SVC_ENOMEM;
    app->plan->workers = app->workers;
    register_metrics(app);
    return 0;
}

int svc__app_workers_start(svc_app *app)
{
    int error = svc__workers_start(app->workers, app->plan->blocks);
    if (error)
        svc__faults_add(&app->faults, NULL, 0, "worker threads cannot be made: %s",
                        strerror(error));
    return error == ENOMEM ? SVC_ENOMEM : error ? SVC_ESYSTEM : 0;
}
