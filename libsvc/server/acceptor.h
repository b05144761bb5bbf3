/* Accepting: takes connections from the shared listeners and gives each to the emptiest loop. */
#ifndef SVC_SERVER_ACCEPTOR_H
#define SVC_SERVER_ACCEPTOR_H

#include "libsvc/server/loop.h"

/* Sets the functions by which a loop accepts, of the listeners' watches and of the pause's
 * deadline. For use before any loop of the server runs. */
void svc__acceptor_init(struct loop *loop);

/* Returns the loop of a server that has the fewest connections. Any thread. */
struct loop *svc__acceptor_emptiest(const struct server *server);

/* Gives a connection that is in no loop to a loop, and counts it as accepted. `self` is the loop
 * whose thread calls, or NULL on another thread. Any thread. */
void svc__acceptor_place(struct loop *loop, struct loop *self, struct conn *conn);

/* Takes all connections from the queue of a listener that is about to close. False: a connection is
 * left in the queue, because it cannot be accepted now. One thread at a time, and not a loop's. */
bool svc__acceptor_empty(struct server *server, struct listener *listener);

/* Begins to watch all listeners, after a pause if that fails now. The loop's thread. */
void svc__acceptor_begin(struct loop *loop);

/* Ends the watch of all listeners. The loop's thread. */
void svc__acceptor_end(struct loop *loop);

#endif
