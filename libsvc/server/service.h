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

/* Ends the threads of a service's servers. SVC_EFORCED when one has not ended by the deadline (of
 * svc__clock_ms): then it uses all of this still, and nothing may be freed. */
int svc__service_end(struct service *service, uint64_t deadline_ms);

/* Frees a service whose threads have ended, when its log has been written or after `flush_ms`. */
void svc__service_free(struct service *service, unsigned flush_ms);

#endif
