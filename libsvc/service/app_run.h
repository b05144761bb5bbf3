/* The common part of svc_app_run and svc_app_main: their exit statuses, and the report of set-up
 * errors. */
#ifndef SVC_SERVICE_APP_RUN_H
#define SVC_SERVICE_APP_RUN_H

#include <svc/app.h>

/* The exit statuses that svc_app_run and svc_app_main document. */
enum { EXIT_CLEAN = 0, EXIT_SETUP = 1, EXIT_USAGE = 2, EXIT_FORCED = 3 };

/* Prints on stderr why the app cannot start, with all set-up errors. EXIT_SETUP. */
int svc__app_run_report(svc_app *app, int error);

#endif
