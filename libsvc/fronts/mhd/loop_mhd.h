/*
 * The only door to libmicrohttpd: a daemon for each loop that never listens, never waits and never
 * times anything. For the loop's thread.
 */
#ifndef SVC_MHD_LOOP_MHD_H
#define SVC_MHD_LOOP_MHD_H

#include "libsvc/server/loop.h"

/* Makes the loop's daemon. 0 or SVC_ESYSTEM. */
int svc__loop_mhd_start(struct loop *loop);

/* Ends it, with every connection. None may be suspended. Accepts a loop without a daemon. */
void svc__loop_mhd_stop(struct loop *loop);

/* Does what can be done without waiting, and sets loop->run_again. */
void svc__loop_mhd_run(struct loop *loop);

/* Hands over the connection's socket, which libmicrohttpd closes from now on, also when it fails.
 * 1; 0 when it was refused and the connection is freed; -1 when nothing else knows of it. */
int svc__loop_mhd_add(struct loop *loop, struct conn *conn);

/* Suspends a connection whose reply has nothing to send yet, from where libmicrohttpd asks for it.
 */
void svc__loop_mhd_pause(struct conn *conn);

/* Goes on with a suspended connection: its access handler is called again. */
void svc__loop_mhd_resume(struct conn *conn);

/* The reply's source fails: its connection is closed in the next turn. In libmicrohttpd's call of
 * it. */
void svc__loop_mhd_close(struct conn *conn);

/* The exchange may have its answer while its body still comes: then no more of that is wanted. */
void svc__loop_mhd_answer_early(struct conn *conn);

/* Gives the memory of an idle connection, its pool in libmicrohttpd that begins at `pool` and holds
 * nothing, back to the system until it is used again. */
void svc__loop_mhd_rest(const struct loop *loop, const char *pool);

#endif
