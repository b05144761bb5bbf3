/* The app of a program's own routes on the admin listener. */
#ifndef SVC_APP_ADMIN_APP_H
#define SVC_APP_ADMIN_APP_H

#include "libsvc/app/app_internal.h"

/* The pages of the admin listener that the library answers itself, so that no route can. */
#define ADMIN_APP_LIVEZ "/livez"
#define ADMIN_APP_READYZ "/readyz"
#define ADMIN_APP_METRICS "/metrics"

/* Says of a reply that no cache may store it, where the reply says nothing of caches. */
extern const svc_middleware svc__admin_app_no_store;

/* The admin app of `app`, made by the first call; of an admin app, that one itself. NULL, with a
 * set-up error, when out of memory. */
svc_app *svc__admin_app_of(svc_app *app);

/* Gives an admin app, which has all of its routes, the settings of the app that serves, drops the
 * routes below /debug/ unless debug_pages is on, and keeps a set-up error for each route that a
 * page of the library hides. */
void svc__admin_app_settle(svc_app *admin);

#endif
