/* Supervises background tasks: each has a thread, is run again when it fails, and is ended in turn.
 */
#include "libsvc/app/task.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/app/life.h"
#include "libsvc/base/backoff.h"
#include "libsvc/base/clock.h"
#include "libsvc/base/list.h"
#include "libsvc/base/rand.h"
#include "libsvc/base/sized.h"
#include "libsvc/base/thread.h"
#include "libsvc/base/wait.h"

enum {
    MIN_STACK = 64 << 10,
    MAX_STACK = 1 << 30,
    MAX_DELAY_MS = 86400000,
    MAX_NAME = 64,
    THREAD_NAME = 16 /* bytes of a thread's name that the system keeps, with a NUL */
};

struct svc_task_context {
    svc_task task; /* as registered; its name in the app's memory */
    svc_app *app;  /* that registered it */
    struct task_list *list;
    svc_gauge *running;
    svc_counter *failures, *restarts;
    pthread_t thread;
    bool joinable; /* the thread was started and not joined; used by the thread that starts and ends
                      the app */
    bool ended;    /* under the list's lock, as changes of `stopping` */
    _Atomic bool stopping; /* it shall stop */
    svc_task_context *next, *previous;
};

/* ---- Registration */

static int wrong(svc_app *app, const svc_task *task, const char *why)
{
    svc__faults_add(&app->faults, NULL, 0, "svc_app_add_task \"%.*s\": %s", MAX_NAME,
                    task && task->name ? task->name : "", why);
    return SVC_EINVAL;
}

static bool name_taken(const svc_app *app, const char *name)
{
    for (const svc_task_context *other = app->tasks.first; other; other = other->next)
        if (!strcmp(other->task.name, name))
            return true;
    return false;
}

static int check_task(svc_app *app, const svc_task *task)
{
    if (!svc__app_name_valid(task->name) || strlen(task->name) > MAX_NAME)
        return wrong(app, task, "a name has letters, digits, '_', '-', 64 at most");
    if (name_taken(app, task->name))
        return wrong(app, task, "the name is taken");
    if (!task->run)
        return wrong(app, task, "there is nothing to run");
    if (task->stack_bytes < MIN_STACK || task->stack_bytes > MAX_STACK)
        return wrong(app, task, "stack_bytes must be 64 KiB to 1 GiB");
    if (task->min_delay_ms < 1 || task->max_delay_ms < task->min_delay_ms ||
        task->max_delay_ms > MAX_DELAY_MS)
        return wrong(app, task,
                     "min_delay_ms and max_delay_ms must be 1 to 86400000, and in order");
    return 0;
}

static void append(struct task_list *list, svc_task_context *first, svc_task_context *last)
{
    first->previous = list->last;
    LIST_APPEND(list->first, list->last, first, last);
}

int svc_app_add_task(svc_app *app, const svc_task *task)
{
    svc_task own = SVC_TASK_INIT;
    int error = svc__app_open(app, "svc_app_add_task");
    if (error)
        return error;
    if (SIZED_READ(&own, task, run))
        return wrong(app, NULL, "a task needs SVC_TASK_INIT");
    error = check_task(app, &own);
    if (error)
        return error;
    svc_task_context *context = svc__arena_zalloc(&app->memory, sizeof *context);
    char *name = svc__arena_strndup(&app->memory, own.name, strlen(own.name));
    if (!context || !name)
        return svc__faults_refuse(&app->faults, SVC_ENOMEM, "svc_app_add_task");
    context->task = own;
    context->task.name = name;
    context->app = app;
    append(&app->tasks, context, context);
    return 0;
}

int svc__task_adopt(svc_app *app, svc_app *inner)
{
    struct task_list *list = &inner->tasks;
    for (svc_task_context *context = list->first; context; context = context->next) {
        context->task.name = svc__app_prefixed(app, inner, context->task.name);
        if (!context->task.name)
            return svc__faults_refuse(&app->faults, SVC_ENOMEM, "svc_app_mount");
    }
    if (list->first)
        append(&app->tasks, list->first, list->last);
    list->first = list->last = NULL;
    return 0;
}

/* ---- In the task's thread */

svc_app *svc_task_app(svc_task_context *context)
{
    return context ? context->app : NULL;
}

bool svc_task_stopping(svc_task_context *context)
{
    return !context || atomic_load(&context->stopping);
}

int svc_task_sleep(svc_task_context *context, unsigned ms)
{
    if (!context)
        return SVC_ENOMEM;
    struct task_list *list = context->list;
    uint64_t deadline_ms = svc__wait_deadline(ms);
    pthread_mutex_lock(&list->lock);
    while (!svc_task_stopping(context) && svc__wait_until(&list->changed, &list->lock, deadline_ms))
        continue;
    pthread_mutex_unlock(&list->lock);
    return svc_task_stopping(context) ? SVC_ECANCELLED : 0;
}

/* Runs the task, and runs it again after a delay each time that it fails, until it shall stop. */
static void supervise(svc_task_context *context)
{
    const svc_task *task = &context->task;
    struct backoff backoff;
    svc__backoff_init(&backoff, task->min_delay_ms, task->max_delay_ms);
    for (;;) {
        uint64_t began_ms = svc__clock_ms();
        svc__gauge_add(context->running, 1);
        int error = task->run(context, task->arg);
        svc__gauge_add(context->running, -1);
        if (svc__clock_ms() - began_ms >= task->reset_ms)
            svc__backoff_reset(&backoff);
        /* A task that was asked to stop may return an error that says so; it has not failed. */
        bool stopping = svc_task_stopping(context);
        if (!error || (stopping && (error == SVC_ECANCELLED || error == SVC_ECLOSED)))
            return;
        uint64_t random;
        svc__rand_bytes(&random, sizeof random);
        uint32_t delay_ms = stopping ? 0 : svc__backoff_next(&backoff, random);
        svc__counter_add(context->failures, 1);
        svc_app_log_warn(context->app, "background task failed", svc_kv_str("task", task->name),
                         svc_kv_err("error", error), svc_kv_int("code", error),
                         svc_kv_uint("delay_ms", delay_ms), svc_kv_bool("again", !stopping));
        if (svc_task_sleep(context, delay_ms))
            return;
        svc__counter_add(context->restarts, 1);
    }
}

static void *run_supervised(void *arg)
{
    svc_task_context *context = arg;
    struct task_list *list = context->list;
    char name[THREAD_NAME];
    svc__life_adopt_thread(context->app);
    snprintf(name, sizeof name, "svc-%.*s", THREAD_NAME - 5, context->task.name);
    pthread_setname_np(pthread_self(), name);
    supervise(context);
    pthread_mutex_lock(&list->lock);
    context->ended = true;
    pthread_cond_broadcast(&list->changed);
    if (list->ended)
        list->ended(list->ended_arg);
    pthread_mutex_unlock(&list->lock);
    return NULL;
}

/* ---- Start */

static void register_task_metrics(struct task_list *list, struct metrics *in)
{
    svc_gauge_family *running = svc__metric_gauges(
        in, "svc_tasks_running", "Whether a background task runs at this moment.", "task");
    svc_counter_family *failures = svc__metric_counters(
        in, "svc_task_failures_total", "Times that a background task has failed.", "task");
    svc_counter_family *restarts = svc__metric_counters(
        in, "svc_task_restarts_total", "Times that a background task was run again.", "task");
    for (svc_task_context *context = list->first; context; context = context->next) {
        context->running = svc_gauge_of(running, 1, &context->task.name);
        context->failures = svc_counter_of(failures, 1, &context->task.name);
        context->restarts = svc_counter_of(restarts, 1, &context->task.name);
    }
}

static int start(svc_task_context *context)
{
    int error = svc__thread_start_program(&context->thread, context->task.stack_bytes,
                                          run_supervised, context);
    context->joinable = !error;
    if (error)
        svc__faults_add(&context->app->faults, NULL, 0,
                        "task \"%s\": its thread cannot be made: %s", context->task.name,
                        strerror(error));
    return error ? SVC_ESYSTEM : 0;
}

bool svc__task_started(const svc_app *app)
{
    return app->tasks.first && app->tasks.first->joinable;
}

int svc__task_start(svc_app *app, void (*ended)(void *arg), void *arg)
{
    struct task_list *list = &app->tasks;
    if (!list->first || svc__task_started(app))
        return 0;
    register_task_metrics(list, app->metrics);
    list->ended = ended;
    list->ended_arg = arg;
    int error = 0;
    for (svc_task_context *context = list->first; context && !error; context = context->next) {
        context->list = list;
        error = start(context);
    }
    return error;
}

/* ---- End */

static void ask_to_stop(svc_task_context *context)
{
    pthread_mutex_lock(&context->list->lock);
    bool asked = atomic_exchange(&context->stopping, true);
    pthread_cond_broadcast(&context->list->changed);
    pthread_mutex_unlock(&context->list->lock);
    if (!asked && context->task.stop)
        context->task.stop(context->task.arg);
}

/* Whether the task has ended by the deadline. */
static bool await(svc_task_context *context, uint64_t deadline_ms)
{
    struct task_list *list = context->list;
    pthread_mutex_lock(&list->lock);
    while (!context->ended && svc__clock_ms() < deadline_ms &&
           svc__wait_until(&list->changed, &list->lock, deadline_ms))
        continue;
    bool ended = context->ended;
    pthread_mutex_unlock(&list->lock);
    return ended;
}

bool svc__task_stop_next(svc_app *app)
{
    for (svc_task_context *context = app->tasks.last; context; context = context->previous) {
        if (!context->joinable)
            continue;
        ask_to_stop(context);
        if (!await(context, WAIT_NOT))
            return false;
    }
    return true;
}

size_t svc__task_stop_all(svc_app *app)
{
    size_t left = 0;
    for (svc_task_context *context = app->tasks.last; context; context = context->previous) {
        if (!context->joinable || await(context, WAIT_NOT))
            continue;
        ask_to_stop(context);
        left++;
    }
    return left;
}

/* Joins a task's thread, or leaves a task that goes on behind. Whether the task has ended. */
static bool leave(svc_task_context *context)
{
    context->joinable = false;
    if (await(context, WAIT_NOT))
        return pthread_join(context->thread, NULL) == 0;
    svc_app_log_warn(context->app, "background task does not end",
                     svc_kv_str("task", context->task.name));
    pthread_detach(context->thread);
    return false;
}

int svc__task_end(svc_app *app, uint64_t deadline_ms)
{
    bool all_ended = true;
    for (svc_task_context *context = app->tasks.last; context; context = context->previous)
        if (context->joinable) {
            ask_to_stop(context);
            await(context, deadline_ms);
        }
    for (svc_task_context *context = app->tasks.last; context; context = context->previous)
        if (context->joinable)
            all_ended = leave(context) && all_ended;
    return all_ended ? 0 : SVC_EFORCED;
}
