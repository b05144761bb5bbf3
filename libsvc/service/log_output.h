/* The output of an app's log outside the process. */
#ifndef SVC_SERVICE_LOG_OUTPUT_H
#define SVC_SERVICE_LOG_OUTPUT_H

#include <svc/types.h>

/*
 * Opens the output that the setting log_output names, and with it the app's log. A failure is kept
 * as a set-up error. 0, SVC_ECONFIG or SVC_ESYSTEM.
 */
int svc__log_output_open(svc_app *app);

#endif
