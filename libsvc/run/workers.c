/* The pool of threads for blocking work. */
#include "libsvc/run/workers.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

#include <svc/errors.h>

#include "libsvc/base/clock.h"
#include "libsvc/base/thread.h"
#include "libsvc/base/wait.h"

enum { OVERLOAD_NS = 100000000 }; /* of waiting before the newest goes first: CoDel's interval */

struct worker {
    struct workers *pool;
    void *state; /* which its work is given */
    sem_t wake;

    /* Guarded by the pool's lock. */
    bool idle;
    struct worker *next_idle; /* the one that became idle before */
    struct work *work;        /* the work for which it is woken */
    unsigned owed;            /* posts of `wake`, made or on their way, that it has not taken */
};

struct workers {
    struct workers_options options;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t ended; /* a thread has ended */
    struct worker *idle;  /* the latest first */
    struct work *oldest, *newest;
    size_t queued, threads, idle_count;
    size_t leaving; /* of the threads, those that take no more work */
    bool stopping;
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

/* In order, unless work has waited for long: its clients may have given up, so the newest is next.
 */
static struct work *dequeue(struct workers *pool)
{
    struct work *work = pool->oldest;
    if (!work)
        return NULL;
    if (svc__clock_ns() - work->since_ns > OVERLOAD_NS)
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

/* Takes the latest idle worker, which the caller wakes. NULL: no worker is idle. */
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

/* The worker that has been idle for longest goes. The next one takes its part, and is woken. */
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

/* Until it is woken. False: the time has come first. */
static bool wait_woken(struct worker *worker, uint64_t due_ms)
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
 * Waits to be given work. False: it has been idle for too long. Only the worker that has been idle
 * for longest, and would leave first, waits with a timeout, which costs more. With the lock held.
 */
static bool wait_idle(struct workers *pool, struct worker *worker)
{
    uint64_t due_ms = svc__clock_ms() + pool->options.idle_ms;
    join_idle(pool, worker);
    while (worker->idle) {
        bool longest = !worker->next_idle, woken = true;
        pthread_mutex_unlock(&pool->lock);
        if (longest)
            woken = wait_woken(worker, due_ms);
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
        if (spare && pool->threads - pool->leaving > pool->options.min)
            break;
    }
    return work;
}

static void work_on(struct worker *worker)
{
    struct workers *pool = worker->pool;
    struct work *work;
    pthread_mutex_lock(&pool->lock);
    while ((work = next_work(pool, worker))) {
        pthread_mutex_unlock(&pool->lock);
        work->run(work, worker->state);
        pthread_mutex_lock(&pool->lock);
    }
    pool->leaving++; /* before its state ends, which may take a while */
    unsigned owed = worker->owed;
    pthread_mutex_unlock(&pool->lock);
    for (; owed > 0; owed--)
        wait_for_ever(worker);
}

static void free_worker(struct worker *worker)
{
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
    pool->queued = 0;
    pool->oldest = pool->newest = NULL;
    return first;
}

/*
 * A thread that is counted could not be made, or could not begin. `work` was queued for it, and may
 * be NULL: it is returned to the caller if the queue has no place for it, or no thread is left.
 * Whether it is. If no thread is left, all other queued work is refused too, at once and not at the
 * end of its time.
 */
static bool thread_failed(struct workers *pool, struct work *work)
{
    pthread_mutex_lock(&pool->lock);
    pool->threads--;
    bool nobody = pool->threads == pool->leaving;
    bool returned = work && work->queued && (nobody || pool->queued > pool->options.max_queued);
    if (returned)
        unlink_work(pool, work);
    struct work *next, *stranded = nobody ? take_queue(pool) : NULL;
    pthread_cond_signal(&pool->ended);
    pthread_mutex_unlock(&pool->lock);
    for (; stranded; stranded = next) {
        next = stranded->next;
        stranded->run(stranded, NULL);
    }
    return returned;
}

static void *run_worker(void *arg)
{
    struct worker *worker = arg;
    struct workers *pool = worker->pool;
    const struct workers_options *options = &pool->options;
    pthread_setname_np(pthread_self(), "svc-worker");
    worker->state = options->begin(options->arg);
    bool begun = worker->state;
    if (begun) {
        work_on(worker);
        options->end(worker->state);
    } else {
        options->failed(options->arg, 0);
    }
    free_worker(worker);
    if (begun)
        thread_ended(pool);
    else
        thread_failed(pool, NULL);
    return NULL;
}

/* Starts a thread that is counted already. 0 or an error number. */
static int add_thread(struct workers *pool)
{
    pthread_t thread;
    struct worker *worker = calloc(1, sizeof *worker);
    if (!worker)
        return ENOMEM;
    worker->pool = pool;
    sem_init(&worker->wake, 0, 0);
    int error = svc__thread_start_program(&thread, pool->options.stack, run_worker, worker);
    if (error)
        free_worker(worker);
    else
        pthread_detach(thread);
    return error;
}

/* ---- The pool */

struct workers *svc__workers_new(const struct workers_options *options)
{
    struct workers *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pool->options = *options;
    if (pool->options.min > pool->options.max)
        pool->options.min = pool->options.max;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->ended, NULL);
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
    int error = svc__thread_start_program(&thread, pool->options.stack, begin_nothing, NULL);
    if (!error)
        pthread_join(thread, NULL);
    return error;
}

int svc__workers_start(struct workers *pool, bool needed)
{
    int error = needed && !pool->options.min ? try_thread(pool) : 0;
    for (size_t i = 0; i < pool->options.min && !error; i++) {
        pthread_mutex_lock(&pool->lock);
        pool->threads++;
        pthread_mutex_unlock(&pool->lock);
        error = add_thread(pool);
        if (error)
            thread_failed(pool, NULL);
    }
    return error;
}

/* Gives work to an idle worker, or queues it, if there is room. Says whether to add a thread. With
 * the lock held. */
static int place_work(struct workers *pool, struct work *work, struct worker **idle, bool *grow)
{
    *idle = NULL;
    *grow = false;
    if (pool->stopping)
        return SVC_EAGAIN;
    *idle = take_idle(pool);
    *grow = !*idle && pool->threads - pool->leaving < pool->options.max;
    if (*idle) {
        (*idle)->work = work;
        return 0;
    }
    if (!*grow && pool->queued >= pool->options.max_queued)
        return SVC_EAGAIN;
    pool->threads += *grow;
    enqueue(pool, work);
    return 0;
}

int svc__workers_submit(struct workers *pool, struct work *work)
{
    struct worker *idle;
    bool grow;
    work->since_ns = svc__clock_ns();
    pthread_mutex_lock(&pool->lock);
    int error = place_work(pool, work, &idle, &grow);
    pthread_mutex_unlock(&pool->lock);
    if (idle)
        sem_post(&idle->wake);
    int failure = grow ? add_thread(pool) : 0;
    if (!failure)
        return error;
    pool->options.failed(pool->options.arg, failure);
    return thread_failed(pool, work) ? SVC_EAGAIN : 0;
}

bool svc__workers_withdraw(struct workers *pool, struct work *work)
{
    pthread_mutex_lock(&pool->lock);
    bool queued = work->queued;
    if (queued)
        unlink_work(pool, work);
    pthread_mutex_unlock(&pool->lock);
    return queued;
}

struct workers_stats svc__workers_stats(struct workers *pool)
{
    pthread_mutex_lock(&pool->lock);
    struct workers_stats stats = {.threads = pool->threads,
                                  .busy = pool->threads - pool->idle_count,
                                  .most = pool->options.max,
                                  .queued = pool->queued};
    pthread_mutex_unlock(&pool->lock);
    return stats;
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
