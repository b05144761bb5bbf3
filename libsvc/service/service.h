/* A started app: its server and the admin listener's. */
#ifndef SVC_SERVICE_SERVICE_H
#define SVC_SERVICE_SERVICE_H

#include "libsvc/server/server.h"
#include "libsvc/server/server_gauges.h"

struct service {
    svc_app *app;
    struct server *server;
    svc_app *admin_app;          /* NULL without an admin listener */
    struct server *admin;        /* likewise */
    struct checks *checks;       /* likewise; asked by /readyz */
    struct asked_gauges *gauges; /* likewise; asked by /metrics */
    struct shown_servers shown;
    struct server *routes;       /* of the program's own admin routes; NULL without any */
};

/*
 * Opens everything outside the process that the app's settings name, but its log, which is open:
 * the admin listener and the listeners. Each is tried even when one before has failed or settings
 * are bad, so that every failure is kept as a set-up error. 0 with a service that the caller owns,
 * or the first error code.
 */
int svc__service_open(svc_app *app, struct service **out);

/* Starts serving, for a readied app. 0, or an error code as svc_app_start; the service can then
 * only be freed. */
int svc__service_start(struct service *service);

/* Ends the threads of a service's servers, of the app's tasks and of its checks. SVC_EFORCED when
 * one has not ended by the deadline (of svc__clock_ms): it still uses the service, and nothing may
 * be freed. */
int svc__service_end(struct service *service, uint64_t deadline_ms);

/* Frees a service whose threads have ended. */
void svc__service_free(struct service *service);

#endif
