/* The worker threads of an app: their number by its settings, what svc_app_each_worker makes on
 * each, and what is counted and logged of them. */
#ifndef SVC_APP_APP_WORKERS_H
#define SVC_APP_APP_WORKERS_H

#include <svc/types.h>

/* Makes the app's pool, whose work is given a struct exchange_host; no thread runs yet. 0 or
 * SVC_ENOMEM. */
int svc__app_workers_make(svc_app *app);

/* Starts the threads that are to be there from the start, or sees whether one can be had if the app
 * needs any. 0, or SVC_ESYSTEM or SVC_ENOMEM with a set-up error. */
int svc__app_workers_start(svc_app *app);

#endif
