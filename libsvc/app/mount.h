/* Apps mounted under a prefix of other apps: composed at start into one app that serves. */
#ifndef SVC_APP_MOUNT_H
#define SVC_APP_MOUNT_H

#include "libsvc/app/app_internal.h"

/*
 * Takes over, once, the registrations of the apps mounted on `app`: routes with their prefix,
 * hooks, checks, tasks, and their own mounts. 0, or the first failure; each failure is kept as a
 * set-up error.
 */
int svc__mount_adopt(svc_app *app);

/* Takes over, behind these, the hooks, checks and tasks of the app's admin app, if it has one; that
 * app has taken over those of the apps that are mounted on it. As above. */
int svc__mount_adopt_admin(svc_app *app);

#endif
