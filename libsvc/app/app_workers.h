/* The worker threads of an app: their number by its settings, the states that svc_app_each_worker
 * makes on each of them, their metrics and log lines. */
#ifndef SVC_APP_APP_WORKERS_H
#define SVC_APP_APP_WORKERS_H

#include <svc/types.h>

struct app_worker;

/* Makes the app's pool, which passes a struct app_worker, whose first member is its exchange_host,
 * to its work; no thread runs yet. 0 or SVC_ENOMEM. */
int svc__app_workers_make(svc_app *app);

/* Starts the smallest number of threads; where that is 0 and the app needs workers, checks that one
 * can be made. 0, or SVC_ESYSTEM or SVC_ENOMEM with a set-up error. */
int svc__app_workers_start(svc_app *app);

/* The state that svc_app_each_worker of `app` has made on a worker; NULL for none, and for a NULL
 * worker. The worker's thread. */
void *svc__app_workers_state(const struct app_worker *worker, const svc_app *app);

#endif
