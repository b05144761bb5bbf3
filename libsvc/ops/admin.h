/* The admin pages: liveness, readiness, metrics, and the status page. */
#ifndef SVC_OPS_ADMIN_H
#define SVC_OPS_ADMIN_H

#include <svc/types.h>

#include "libsvc/ops/asked_gauges.h"
#include "libsvc/ops/checks.h"

/*
 * Makes the app of the admin listener of `app`: /livez, /readyz, /metrics and, if debug_pages is
 * on, the status page. All arguments are borrowed. Its pages may be asked on any one thread while
 * `app` serves, and run nothing of the program there; /readyz waits for the checks, /metrics for
 * gauges, and the status page for loops, on workers of their own. NULL with a code in `*error`:
 * SVC_ENOMEM, or another with a set-up error of `app`.
 */
svc_app *svc__admin_new(svc_app *app, struct checks *checks, struct asked_gauges *gauges,
                        int *error);

#endif
