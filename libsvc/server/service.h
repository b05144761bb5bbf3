/* A started app: its server, the admin listener's, and its log. */
#ifndef SVC_SERVER_SERVICE_H
#define SVC_SERVER_SERVICE_H

#include "libsvc/server/server.h"

struct service {
    svc_app *app;
    int output;         /* where the log goes, until the sink has its duplicate */
    bool output_opened; /* and it is ours to close */
    struct sink *sink;
    struct log log; /* of the thread that starts and waits */
    struct server *server;
    svc_app *admin_app;   /* NULL without an admin listener */
    struct server *admin; /* likewise */
    bool waited;          /* svc_app_wait has been called */
};

/*
 * Opens all that the app's settings name outside the process: the log output, the admin listener,
 * the listeners. Each is tried whatever became of those before, and also when settings are bad, so
 * that every failure is kept as a set-up error. 0 with the caller's service, or the first code.
 */
int svc__service_open(svc_app *app, struct service **out);

/* Starts serving, for a readied app. 0, or a code as svc_app_start: then it can only be freed. */
int svc__service_start(struct service *service);

/*
 * Ends what is left of a service: the threads of its servers by the deadline (of svc__clock_ms),
 * then the log. Accepts NULL. SVC_EFORCED when a thread has not ended: it and what it uses are left
 * alone.
 */
int svc__service_free(struct service *service, uint64_t deadline_ms);

#endif
