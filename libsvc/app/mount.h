/* Apps under a prefix of other apps: composed at start into one that serves. */
#ifndef SVC_APP_MOUNT_H
#define SVC_APP_MOUNT_H

#include "libsvc/app/app_internal.h"

/*
 * Takes over, once, what the apps mounted on `app` have registered: routes with their prefix,
 * hooks, checks, and the mounts in them. 0, or the first failure, all of which are kept as set-up
 * errors.
 */
int svc__mount_adopt(svc_app *app);

/* Takes over, behind that, the hooks, checks and tasks of the app's admin app, if it has one, which
 * has taken over what is mounted on it. As above. */
int svc__mount_adopt_admin(svc_app *app);

#endif
