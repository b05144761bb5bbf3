/*
 * The threads for blocking work: an elastic, bounded pool with a bounded queue in front. The worker
 * that became idle last is used first, so that surplus workers stay idle and end. Under overload
 * the newest work goes first, since clients that have waited for long have given up.
 */
#ifndef SVC_RUN_WORKERS_H
#define SVC_RUN_WORKERS_H

#include <stddef.h>

#include "libsvc/run/work.h"

struct workers;

/* How a pool is made. The functions run without a lock of the pool's. */
struct workers_options {
    size_t min, max;   /* threads: at least, once there is work for them, and at most */
    size_t max_queued; /* pieces of work that no thread has begun with */
    uint64_t idle_ms;  /* a thread beyond `min` ends after so long without work */
    size_t stack;      /* bytes of a thread's; 0: the system's default */
    /* Makes the state of a new thread, on that thread; `end` ends it there. NULL: the thread cannot
     * begin. */
    void *(*begin)(void *arg);
    void (*end)(void *state);
    /* Reports that a thread cannot be made, with an error number, or, with 0, that it could not
     * begin. Any thread. */
    void (*failed)(void *arg, int error);
    void *arg;
};

/* A pool's threads, the most that it may have, and its work that no thread has begun with. */
struct workers_stats {
    size_t threads, busy, most, queued;
};

/* Makes a pool; no thread runs yet. NULL when out of memory. */
struct workers *svc__workers_new(const struct workers_options *options);

/* Starts the least number of threads; if that is 0 and threads are `needed`, tries whether one can
 * be made. 0 or an error number. */
int svc__workers_start(struct workers *pool, bool needed);

/* Hands over work that is in no queue; its memory must outlive the call. 0, or SVC_EAGAIN when the
 * queue is full, no worker can be had or the pool stops: the work is then the caller's as before.
 * Any thread. */
int svc__workers_submit(struct workers *pool, struct work *work);

/* Takes work back that no worker has begun with. False: a worker has begun or done it. Any thread.
 */
bool svc__workers_withdraw(struct workers *pool, struct work *work);

/* Counts. Any thread. */
struct workers_stats svc__workers_stats(struct workers *pool);

/* Ends the threads when all work that was submitted is done; later work is refused. 0, or
 * SVC_EFORCED: a thread has not ended by the deadline (of svc__clock_ms), its work still runs, and
 * the pool must be left alone. Accepts NULL. */
int svc__workers_stop(struct workers *pool, uint64_t deadline_ms);

/* Frees a pool without threads. Accepts NULL. */
void svc__workers_free(struct workers *pool);

#endif
