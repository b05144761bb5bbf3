/* The loops of a server: makes them, takes them through the stages of their life, and ends them. */
#ifndef SVC_SERVER_LOOPS_H
#define SVC_SERVER_LOOPS_H

#include "libsvc/server/server.h"

/*
 * Configures the server, and makes `count` loops, whose threads do not run yet. The app must be
 * readied; `logger` is borrowed until the free. 0, SVC_ENOMEM or SVC_ESYSTEM, and then the loops
 * can only be freed.
 */
int svc__loops_make(struct server *server, struct logger *logger, size_t count);

/* Starts the threads, and waits until each has made its loop's states. 0, or an error: SVC_ESYSTEM
 * or as svc__loop_hooks_begin, and some of the threads run. */
int svc__loops_start(struct server *server);

/* Moves every loop to a stage and wakes it. Any thread. */
void svc__loops_enter(struct server *server, enum stage stage);

/* Whether every loop has acted on the current stage. */
bool svc__loops_settled(const struct server *server);

/* Whether no connection is left, lingering ones included, and no exchange is away. */
bool svc__loops_empty(const struct server *server);

/* Takes the connections in the queues of the listeners, after svc__listen_refuse and when loops
 * have settled on STAGE_REFUSE. Whether more may come: from handshakes that had begun, or
 * connections that cannot be accepted now. */
bool svc__loops_take_last(struct server *server);

/* Takes the connections in the queues of the listeners for the last time, then closes them. */
void svc__loops_close_listeners(struct server *server);

/* Ends the loops' threads. SVC_EFORCED when one has not ended by the deadline (of svc__clock_ms): a
 * handler still runs on it, so the server's memory must stay. Accepts NULL. */
int svc__loops_end(struct server *server, uint64_t deadline_ms);

/* Frees the loops, whose threads have ended or never ran. Accepts NULL. */
void svc__loops_free(struct server *server);

#endif
