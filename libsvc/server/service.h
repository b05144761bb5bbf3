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

/* Ends the threads of a service's servers. SVC_EFORCED when one has not ended by the deadline (of
 * svc__clock_ms): then it uses all of this still, and nothing may be freed. */
int svc__service_end(struct service *service, uint64_t deadline_ms);

/* Frees a service whose threads have ended, when its log has been written or after `flush_ms`. */
void svc__service_free(struct service *service, unsigned flush_ms);

#endif
