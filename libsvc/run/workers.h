/*
 * The threads for what blocks: an elastic, bounded pool with a bounded queue in front. A worker
 * that has nothing to do is the first to be used again, so that those beyond the need run out of
 * time and end. Under overload the newest work goes first, since who has waited for long has given
 * up.
 */
#ifndef SVC_RUN_WORKERS_H
#define SVC_RUN_WORKERS_H

#include <svc/worker.h>

#include "libsvc/exchange/exchange.h"

struct worker;
struct workers;

/* Makes the app's pool by its settings; no thread runs yet. NULL when out of memory. */
struct workers *svc__workers_new(svc_app *app);

/* Starts as many threads as the settings want at least, or sees whether one can be had if the app
 * needs any. 0, or SVC_ESYSTEM or SVC_ENOMEM with a set-up error. */
int svc__workers_start(struct workers *pool);

/* Hands over work that is in no queue; its memory must outlive the call. 0, or SVC_EAGAIN when the
 * queue is full or no worker can be had: the work is then the caller's as before. Any thread. */
int svc__workers_submit(struct workers *pool, struct work *work);

/* Takes work back that no worker has begun with. False: one has, or has done it. Any thread. */
bool svc__workers_withdraw(struct workers *pool, struct work *work);

/* Ends the threads, once nothing is submitted any more. SVC_EFORCED when one has not ended by the
 * deadline (of svc__clock_ms): its work still runs, and the pool must be left alone. Accepts NULL.
 */
int svc__workers_stop(struct workers *pool, uint64_t deadline_ms);

/* Frees a pool without threads. Accepts NULL. */
void svc__workers_free(struct workers *pool);

#endif
