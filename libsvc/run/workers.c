/* The pool of threads for what blocks. */
#include "libsvc/run/workers.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libsvc/app/life.h"
#include "libsvc/base/clock.h"
#include "libsvc/base/thread.h"
#include "libsvc/base/wait.h"

enum {
    SCRATCH = 1 << 24, /* the largest thing that is rendered for one response */
    OVERLOAD_MS = 100  /* of waiting before the newest goes first: CoDel's interval */
};

/* What one app's svc_app_each_worker hooks have made on one thread. */
struct worker_state {
    const svc_app *app;
    void *state;
};

struct worker {
    struct exchange_host host; /* first: a host that has a worker is its address */
    struct workers *pool;
    struct worker_state *states;
    size_t state_count;
    sem_t wake;

    /* Guarded by the pool's lock. */
    bool idle;
    struct worker *next_idle; /* the one that became idle before */
    struct work *work;        /* what it is woken for */
    unsigned owed;            /* posts of `wake`, made or on their way, that it has not taken */
};

struct workers {
    svc_app *app;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t ended; /* a thread has ended */
    struct worker *idle;  /* the latest first */
    struct work *oldest, *newest;
    size_t queued, threads, idle_count;
    size_t leaving; /* of the threads, those that take no more work */
    size_t min, max, max_queued;
    uint64_t idle_ms;
    size_t stack;
    int failures; /* the metric of threads that could not begin */
    bool stopping;
    uint64_t refused; /* that found the queue full, or no worker at all */
    uint64_t expired; /* that were taken back from the queue */
};

/* ---- The queue; with the lock held */

static void enqueue(struct workers *pool, struct work *work)
{
    work->next = NULL;
    work->previous = pool->newest;
    work->queued = true;
    if (pool->newest)
        pool->newest->next = work;
    else
        pool->oldest = work;
    pool->newest = work;
    pool->queued++;
}

static void unlink_work(struct workers *pool, struct work *work)
{
    if (work->next)
        work->next->previous = work->previous;
    else
        pool->newest = work->previous;
    if (work->previous)
        work->previous->next = work->next;
    else
        pool->oldest = work->next;
    work->queued = false;
    pool->queued--;
}

/* In order, unless a queue stands: then whoever is served should not have given up already. */
static struct work *dequeue(struct workers *pool)
{
    struct work *work = pool->oldest;
    if (!work)
        return NULL;
    if (svc__clock_ms() - work->since_ms > OVERLOAD_MS)
        work = pool->newest;
    unlink_work(pool, work);
    return work;
}

static void join_idle(struct workers *pool, struct worker *worker)
{
    worker->idle = true;
    worker->next_idle = pool->idle;
    pool->idle = worker;
    pool->idle_count++;
}

/* Takes the latest, who is then to be woken. NULL: nobody is idle. */
static struct worker *take_idle(struct workers *pool)
{
    struct worker *worker = pool->idle;
    if (worker) {
        pool->idle = worker->next_idle;
        pool->idle_count--;
        worker->idle = false;
        worker->owed++;
    }
    return worker;
}

/* The one that has been idle for longest goes. The next has that part now, and is told. */
static void leave_idle(struct workers *pool, struct worker *longest)
{
    struct worker **at = &pool->idle, *next = NULL;
    while (*at != longest) {
        next = *at;
        at = &next->next_idle;
    }
    *at = NULL;
    pool->idle_count--;
    longest->idle = false;
    if (next) {
        next->owed++;
        sem_post(&next->wake);
    }
}

/* ---- A thread */

static bool begin_states(struct worker *worker)
{
    svc_app *root = worker->pool->app;
    size_t count = 1;
    for (const struct mount *mount = root->mounts; mount; mount = mount->next)
        count++;
    worker->states = calloc(count, sizeof *worker->states);
    if (!worker->states)
        return false;
    svc_app *app = root;
    for (const struct mount *mount = root->mounts; app; mount = mount->next) {
        struct worker_state *state = &worker->states[worker->state_count];
        state->app = app;
        if (app->worker_hooks.begin) {
            if (app->worker_hooks.begin(app, app->worker_hooks.arg, &state->state))
                return false;
            worker->state_count++;
        }
        if (!mount)
            break;
        app = mount->app;
    }
    return true;
}

static void end_states(struct worker *worker)
{
    while (worker->state_count > 0) {
        const struct worker_state *state = &worker->states[--worker->state_count];
        if (state->app->worker_hooks.end)
            state->app->worker_hooks.end(state->state, state->app->worker_hooks.arg);
    }
    free(worker->states);
}

void *svc_request_worker(const svc_request *req)
{
    const struct worker *worker = svc__exchange_of(req)->host->worker;
    for (size_t i = 0; worker && i < worker->state_count; i++)
        if (worker->states[i].app == req->owner)
            return worker->states[i].state;
    return NULL;
}

/* Until it is woken. False: the time has come first. */
static bool wait_until(struct worker *worker, uint64_t due_ms)
{
    struct timespec due = {(time_t)(due_ms / 1000), (long)(due_ms % 1000) * 1000000};
    int error;
    while ((error = sem_clockwait(&worker->wake, CLOCK_MONOTONIC, &due)) && errno == EINTR)
        continue;
    return !error;
}

static void wait_for_ever(struct worker *worker)
{
    while (sem_wait(&worker->wake) && errno == EINTR)
        continue;
}

/*
 * Waits to be given work. False: it has been idle for too long. Only who has been so for longest,
 * and would leave first, waits with a timeout, which costs more. With the lock held.
 */
static bool wait_idle(struct workers *pool, struct worker *worker)
{
    uint64_t due_ms = svc__clock_ms() + pool->idle_ms;
    join_idle(pool, worker);
    while (worker->idle) {
        bool longest = !worker->next_idle, woken = true;
        pthread_mutex_unlock(&pool->lock);
        if (longest)
            woken = wait_until(worker, due_ms);
        else
            wait_for_ever(worker);
        pthread_mutex_lock(&pool->lock);
        worker->owed -= woken;
        if (!woken && worker->idle) {
            leave_idle(pool, worker);
            return false;
        }
    }
    return true;
}

/* The next work: from the queue, or once somebody brings it. NULL: the thread ends. With the lock
 * held. */
static struct work *next_work(struct workers *pool, struct worker *worker)
{
    struct work *work = dequeue(pool);
    while (!work && !pool->stopping) {
        worker->work = NULL;
        bool spare = !wait_idle(pool, worker);
        work = worker->work;
        if (spare && pool->threads - pool->leaving > pool->min)
            break;
    }
    return work;
}

static void serve(struct worker *worker)
{
    struct workers *pool = worker->pool;
    struct work *work;
    pthread_mutex_lock(&pool->lock);
    while ((work = next_work(pool, worker))) {
        pthread_mutex_unlock(&pool->lock);
        work->run(work, &worker->host);
        pthread_mutex_lock(&pool->lock);
    }
    pool->leaving++; /* told before its states end, which may take a while */
    unsigned owed = worker->owed;
    pthread_mutex_unlock(&pool->lock);
    for (; owed > 0; owed--)
        wait_for_ever(worker);
}

static void free_worker(struct worker *worker)
{
    svc__metric_cells_release(worker->pool->app->metrics, worker->host.cells);
    svc__buf_free(&worker->host.scratch);
    sem_destroy(&worker->wake);
    free(worker);
}

static void thread_ended(struct workers *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->threads--;
    pool->leaving--;
    pthread_cond_signal(&pool->ended);
    pthread_mutex_unlock(&pool->lock);
}

/* Empties the queue, for nobody will. With the lock held. */
static struct work *take_queue(struct workers *pool)
{
    struct work *first = pool->oldest;
    for (struct work *work = first; work; work = work->next)
        work->queued = false;
    pool->refused += pool->queued;
    pool->queued = 0;
    pool->oldest = pool->newest = NULL;
    return first;
}

/*
 * A thread that is counted could not be made or begin. `work`, which was queued for it and may be
 * NULL, is its caller's again if the queue has no place for it or nobody who would do it: whether
 * it is. In the latter case others that wait are refused too, instead of at the end of their time.
 */
static bool thread_failed(struct workers *pool, struct work *work)
{
    pthread_mutex_lock(&pool->lock);
    pool->threads--;
    bool nobody = pool->threads == pool->leaving;
    bool returned = work && work->queued && (nobody || pool->queued > pool->max_queued);
    if (returned) {
        unlink_work(pool, work);
        pool->refused++;
    }
    struct work *next, *stranded = nobody ? take_queue(pool) : NULL;
    pthread_cond_signal(&pool->ended);
    pthread_mutex_unlock(&pool->lock);
    for (; stranded; stranded = next) {
        next = stranded->next;
        stranded->run(stranded, NULL);
    }
    return returned;
}

/* By an error number, or by what else kept it from beginning. */
static void report_failure(const struct workers *pool, const char *reason)
{
    svc__metric_gauge_add_shared(pool->app->metrics, pool->failures, 1);
    svc_app_log_error(pool->app, "a worker cannot begin", svc_kv_str("reason", reason));
}

/*
 * Woken, it does not take a loop's processor in the middle of a turn: it takes another, or waits
 * until the loop does. What somebody has chosen for the process is left alone, and so is, unless
 * a setting says otherwise, a process under a filter, which may end it for asking.
 */
static void let_loops_finish(int policy)
{
    static const struct sched_param none = {0};
    if (policy == SVC_WORKER_INHERIT || (policy == SVC_WORKER_AUTO && svc__thread_filtered()))
        return;
    if (sched_getscheduler(0) == SCHED_OTHER)
        sched_setscheduler(0, SCHED_BATCH, &none);
}

static void *run(void *arg)
{
    struct worker *worker = arg;
    struct workers *pool = worker->pool;
    let_loops_finish(pool->app->config.worker_policy);
    svc__life_adopt_thread(pool->app);
    bool begun = begin_states(worker);
    if (begun)
        serve(worker);
    else
        report_failure(pool, "what it has of its own could not be made");
    end_states(worker);
    free_worker(worker);
    if (begun)
        thread_ended(pool);
    else
        thread_failed(pool, NULL);
    return NULL;
}

static struct worker *new_worker(struct workers *pool)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (!worker)
        return NULL;
    worker->pool = pool;
    worker->host.worker = worker;
    svc__buf_init(&worker->host.scratch, SCRATCH);
    sem_init(&worker->wake, 0, 0);
    return worker;
}

/* Starts a thread that is counted already. 0 or an error number. */
static int add_thread(struct workers *pool)
{
    pthread_t thread;
    struct worker *worker = new_worker(pool);
    int error = worker ? svc__thread_start_program(&thread, pool->stack, run, worker) : ENOMEM;
    if (!error)
        pthread_detach(thread);
    else if (worker)
        free_worker(worker);
    return error;
}

/* ---- The pool */

static int64_t count_threads(void *arg)
{
    struct workers *pool = arg;
    pthread_mutex_lock(&pool->lock);
    size_t count = pool->threads;
    pthread_mutex_unlock(&pool->lock);
    return (int64_t)count;
}

static int64_t count_busy(void *arg)
{
    struct workers *pool = arg;
    pthread_mutex_lock(&pool->lock);
    size_t count = pool->threads - pool->idle_count;
    pthread_mutex_unlock(&pool->lock);
    return (int64_t)count;
}

static int64_t count_queued(void *arg)
{
    struct workers *pool = arg;
    pthread_mutex_lock(&pool->lock);
    size_t count = pool->queued;
    pthread_mutex_unlock(&pool->lock);
    return (int64_t)count;
}

static int64_t count_turned_away(void *arg)
{
    struct workers *pool = arg;
    pthread_mutex_lock(&pool->lock);
    uint64_t count = pool->refused + pool->expired;
    pthread_mutex_unlock(&pool->lock);
    return (int64_t)count;
}

static void register_metrics(struct workers *pool)
{
    struct metrics *in = pool->app->metrics;
    svc__metric_gauge_fn(in, "svc_workers", "Worker threads.", count_threads, pool);
    svc__metric_gauge_fn(in, "svc_workers_busy", "Worker threads at work.", count_busy, pool);
    svc__metric_gauge_fn(in, "svc_workers_queued", "Requests that wait for a worker.", count_queued,
                         pool);
    svc__metric_gauge_fn(in, "svc_workers_turned_away",
                         "Requests that found the queue full or waited in it for too long.",
                         count_turned_away, pool);
    pool->failures = svc__metric_counter(in, "svc_worker_failures_total",
                                         "Times that a worker thread could not begin.");
}

struct workers *svc__workers_new(svc_app *app)
{
    const svc_config *config = &app->config;
    struct workers *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pool->app = app;
    pool->max = (size_t)config->workers_max;
    pool->min = (size_t)(config->workers_min < pool->max ? config->workers_min : pool->max);
    pool->max_queued = (size_t)config->worker_queue;
    pool->idle_ms = config->worker_idle_ms;
    pool->stack = (size_t)config->worker_stack_bytes;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->ended, NULL);
    register_metrics(pool);
    return pool;
}

static void *begin_nothing(void *arg)
{
    return arg;
}

/* Whether the first request will find a worker: the thread ends at once. 0 or an error number. */
static int try_thread(const struct workers *pool)
{
    pthread_t thread;
    int error = svc__thread_start_program(&thread, pool->stack, begin_nothing, NULL);
    if (!error)
        pthread_join(thread, NULL);
    return error;
}

int svc__workers_start(struct workers *pool)
{
    int error = pool->app->blocks && !pool->min ? try_thread(pool) : 0;
    for (size_t i = 0; i < pool->min && !error; i++) {
        pthread_mutex_lock(&pool->lock);
        pool->threads++;
        pthread_mutex_unlock(&pool->lock);
        error = add_thread(pool);
        if (error)
            thread_failed(pool, NULL);
    }
    if (error)
        svc__faults_add(&pool->app->faults, NULL, 0, "worker threads cannot be made: %s",
                        strerror(error));
    return error == ENOMEM ? SVC_ENOMEM : error ? SVC_ESYSTEM : 0;
}

/* Gives work to an idle worker, or queues it, if there is room. Says whether to add a thread. With
 * the lock held. */
static int place(struct workers *pool, struct work *work, struct worker **idle, bool *grow)
{
    *idle = take_idle(pool);
    *grow = !*idle && pool->threads - pool->leaving < pool->max;
    if (*idle) {
        (*idle)->work = work;
        return 0;
    }
    if (!*grow && pool->queued >= pool->max_queued) {
        pool->refused++;
        return SVC_EAGAIN;
    }
    pool->threads += *grow;
    enqueue(pool, work);
    return 0;
}

int svc__workers_submit(struct workers *pool, struct work *work)
{
    struct worker *idle;
    bool grow;
    work->since_ms = svc__clock_ms();
    pthread_mutex_lock(&pool->lock);
    int error = place(pool, work, &idle, &grow);
    pthread_mutex_unlock(&pool->lock);
    if (idle)
        sem_post(&idle->wake);
    int failure = grow ? add_thread(pool) : 0;
    if (!failure)
        return error;
    report_failure(pool, strerror(failure));
    return thread_failed(pool, work) ? SVC_EAGAIN : 0;
}

bool svc__workers_withdraw(struct workers *pool, struct work *work)
{
    pthread_mutex_lock(&pool->lock);
    bool queued = work->queued;
    if (queued) {
        unlink_work(pool, work);
        pool->expired++;
    }
    pthread_mutex_unlock(&pool->lock);
    return queued;
}

int svc__workers_stop(struct workers *pool, uint64_t deadline_ms)
{
    if (!pool)
        return 0;
    struct worker *worker;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    while ((worker = take_idle(pool)))
        sem_post(&worker->wake);
    while (pool->threads > 0 && svc__wait_until(&pool->ended, &pool->lock, deadline_ms))
        continue;
    bool ended = pool->threads == 0;
    pthread_mutex_unlock(&pool->lock);
    return ended ? 0 : SVC_EFORCED;
}

void svc__workers_free(struct workers *pool)
{
    if (!pool)
        return;
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->ended);
    free(pool);
}
