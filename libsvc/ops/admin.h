/* The admin pages: liveness, readiness, and metrics. */
#ifndef SVC_OPS_ADMIN_H
#define SVC_OPS_ADMIN_H

#include <svc/types.h>

#include "libsvc/ops/checks.h"

/*
 * Makes the app of the admin listener of `app`: /livez, /readyz and /metrics. Both arguments are
 * borrowed. Its pages may be asked on any one thread while `app` serves, and run nothing of the
 * program there; /readyz waits for the checks on a worker of its own. NULL when out of memory.
 */
svc_app *svc__admin_new(svc_app *app, struct checks *checks);

#endif
