/* The admin pages: whether the service lives, whether it is ready, and what it has counted. */
#ifndef SVC_OPS_ADMIN_H
#define SVC_OPS_ADMIN_H

#include <svc/types.h>

/*
 * Makes the app of the admin listener of `app`, which is borrowed: /livez, /readyz and /metrics.
 * Its pages may be asked on any one thread while `app` serves. NULL when out of memory.
 */
svc_app *svc__admin_new(svc_app *app);

#endif
