/* A started app: its server, the admin listener's, and its log. */
#ifndef SVC_SERVER_SERVICE_H
#define SVC_SERVER_SERVICE_H

#include "libsvc/server/server.h"

struct service {
    svc_app *app;
    struct sink *sink;
    struct log log; /* of the thread that starts and waits */
    struct server *server;
    svc_app *admin_app;   /* NULL without an admin listener */
    struct server *admin; /* likewise */
    bool waited;          /* svc_app_wait has been called */
};

/* Starts everything that a readied app's configuration asks for. 0, or a code as svc_app_start; on
 * failure nothing is left running. */
int svc__service_start(svc_app *app, struct service **out);

/*
 * Ends what is left of a service: the threads of its servers by the deadline (of svc__clock_ms),
 * then the log, which has `flush_ms` to be written. SVC_EFORCED when a thread has not ended: it and
 * what it uses are left alone.
 */
int svc__service_free(struct service *service, uint64_t deadline_ms, unsigned flush_ms);

#endif
