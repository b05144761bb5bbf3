/*
 * The server: one app on one set of listeners, and the state that its event loops share. Each loop
 * owns its connections, its fronts' parts and everything else that its thread touches.
 */
#ifndef SVC_SERVER_SERVER_H
#define SVC_SERVER_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "libsvc/exchange/exchange.h"
#include "libsvc/server/listen.h"
#include "libsvc/server/server_metrics.h"

struct address_limit;
struct front;
struct loop;

/* The stages of the server's life. Each loop acts on a new stage and then acknowledges it. */
enum stage {
    STAGE_SERVE,
    STAGE_REFUSE,     /* listeners are no longer watched */
    STAGE_CLOSE_IDLE, /* connections that are silent are closed */
    STAGE_CUT,        /* all requests and connections are cancelled and closed */
    STAGE_EXIT        /* the thread ends */
};

enum { SERVER_FRONTS_MAX = 4 };

struct server {
    svc_app *app;
    struct logger *logger;                             /* borrowed */
    const struct front *fronts[SERVER_FRONTS_MAX + 1]; /* that it speaks; NULL ends them */
    struct listeners listeners;
    struct loop **loops;
    size_t loop_count;
    size_t loops_started;       /* loops whose threads run */
    _Atomic size_t loops_begun; /* of these, the loops whose states are made, or have failed */
    _Atomic int begin_error;    /* the code of a state that failed; 0 */
    _Atomic bool open;          /* all loops have begun, and may accept */
    struct server_metrics metrics;
    _Atomic unsigned connections, lingers;
    struct address_limit *per_address; /* NULL without one */
    unsigned max_connections;          /* the setting */
    unsigned max_sockets;              /* connections and lingering ones that descriptors allow */
    _Atomic int file_descriptors;      /* left for response objects that send files */
    _Atomic unsigned cut_requests;     /* requests that were in flight when the server was cut */
    _Atomic uint64_t accept_logged_ms; /* the time of the last log line about a refusal */
    _Atomic uint64_t fault_logged_ms;  /* and of the last one about a fault */
    _Atomic int stage;
    /* Serves, on its own loops, connections whose first request has no route here: see handover.h.
     * It outlives this server's loops. NULL: there is none. */
    struct server *behind;
    bool one_request; /* each connection serves one: its next may be for the other server */
    uint64_t stop_ms; /* the time of the request to stop; set before STAGE_CLOSE_IDLE */
    int event_fd;     /* by which loops wake the thread that waits for a stage */
};

/*
 * Makes a server for `app` and opens its listeners, which choose among `fronts` as
 * svc__listen_front does; no loop serves them yet. It speaks the fronts that were chosen. Without
 * `addresses` (NULL) it has no listeners, and speaks all of `fronts`, SERVER_FRONTS_MAX at most.
 * `report` is the service's app, in whose metrics the server counts. NULL with `*error` set:
 * SVC_ENOMEM, SVC_ESYSTEM, or as svc__listen_open, which adds set-up errors to `report`.
 */
struct server *svc__server_new(svc_app *app, svc_app *report, const char *addresses,
                               const struct front *const *fronts, int *error);

/* Registers the server's metrics and takes its limits from the settings of its app, which is
 * readied; `logger` is borrowed until the free. 0 or SVC_ENOMEM. Once, before the loops are made.
 */
int svc__server_configure(struct server *server, struct logger *logger);

/* Wakes the thread that waits for the server, before it looks after WAIT_LOOK_MS. Any thread. */
void svc__server_notify(struct server *server);

/* Frees a server whose loops are gone. Accepts NULL. */
void svc__server_free(struct server *server);

/* Counts a socket in `counter`, which is `connections` or `lingers`. False, and not counted: that
 * would be more than `max` or than descriptors allow. Any thread. */
bool svc__server_socket_opened(struct server *server, _Atomic unsigned *counter, unsigned max);

/* Takes a counted socket back. Any thread. */
void svc__server_socket_closed(struct server *server, _Atomic unsigned *counter);

#endif
