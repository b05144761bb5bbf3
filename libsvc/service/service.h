/* A started app: its server and the admin listener's. */
#ifndef SVC_SERVICE_SERVICE_H
#define SVC_SERVICE_SERVICE_H

#include "libsvc/server/server.h"

struct service {
    svc_app *app;
    struct server *server;
    svc_app *admin_app;    /* NULL without an admin listener */
    struct server *admin;  /* likewise */
    struct checks *checks; /* likewise: what /readyz asks */
    struct server *routes; /* the program's own on the admin listener; NULL without any */
};

/*
 * Opens all that the app's settings name outside the process but its log, which is open: the
 * admin listener, the listeners. Each is tried whatever became of those before, and also when
 * settings are bad, so that every failure is kept as a set-up error. 0 with the caller's service,
 * or the first code.
 */
int svc__service_open(svc_app *app, struct service **out);

/* Starts serving, for a readied app. 0, or a code as svc_app_start: then it can only be freed. */
int svc__service_start(struct service *service);

/* Ends the threads of a service's servers, the app's tasks and its checks. SVC_EFORCED when one has
 * not ended by the deadline (of svc__clock_ms): then it uses all of this still, and nothing may be
 * freed. */
int svc__service_end(struct service *service, uint64_t deadline_ms);

/* Frees a service whose threads have ended. */
void svc__service_free(struct service *service);

#endif
