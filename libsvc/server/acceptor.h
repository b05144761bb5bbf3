/* Accepting: takes connections from the shared listeners and gives each to the emptiest loop. */
#ifndef SVC_SERVER_ACCEPTOR_H
#define SVC_SERVER_ACCEPTOR_H

#include "libsvc/server/loop.h"

/* Has a loop accept by the listeners and after a pause, once it begins. Before any loop of the
 * server runs. */
void svc__acceptor_init(struct loop *loop);

/* The loop of a server that has the fewest connections. Any thread. */
struct loop *svc__acceptor_emptiest(const struct server *server);

/* Counts a connection, which is in no loop, as accepted and gives it to a loop. `self` is the loop
 * that calls, or NULL. Any thread. */
void svc__acceptor_place(struct loop *loop, struct loop *self, struct conn *conn);

/* Takes all connections from a listener that is about to close. False: a connection is left,
 * because it cannot be accepted now. For one thread at a time, which is no loop's. */
bool svc__acceptor_empty(struct server *server, struct listener *listener);

/* Begins to watch all listeners, after a pause if that fails now. The loop's thread. */
void svc__acceptor_begin(struct loop *loop);

/* Ends the watch of all listeners. The loop's thread. */
void svc__acceptor_end(struct loop *loop);

#endif
