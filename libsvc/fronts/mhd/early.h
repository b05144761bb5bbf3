/*
 * Heads, before libmicrohttpd 0.9.75 parses them. It parses in place, and then the bytes no longer
 * show how lines ended. So the library must see a head as a whole, as it was sent. It looks at a
 * new connection's first head in the socket; if only a part has come, the loop reads the head
 * itself, and passes the connection on when the head is whole. If a later head comes in pieces,
 * libmicrohttpd has the first piece already: the connection is suspended, and the loop reads the
 * rest.
 *
 * libmicrohttpd gets the bytes that the loop has read by another socket, which replaces the
 * connection's own socket for one read.
 */
#ifndef SVC_MHD_EARLY_H
#define SVC_MHD_EARLY_H

#include "libsvc/fronts/mhd/mhd.h"

/* How far a head has come. */
enum early_head {
    EARLY_PART,    /* more of it is to come */
    EARLY_READY,   /* it is whole and read: see svc__early_queue */
    EARLY_UNREAD,  /* it is whole, and still in the socket */
    EARLY_REFUSED, /* it is malformed or too large, and the caller refuses it */
    EARLY_NO_MEMORY,
    EARLY_END /* the peer has left, or its socket cannot be watched */
};

/* Opens the loop's feed. 0 or SVC_ESYSTEM. */
int svc__early_start(struct mhd_loop *mhd);

/* Closes the feed. Accepts a loop whose feed was never opened, and is all zeros. */
void svc__early_stop(struct mhd_loop *mhd);

/* Reads the bytes that have come of a head: of a new connection's, or of one that is held. For
 * EARLY_REFUSED `*status` and `*reason` (static) are set. */
enum early_head svc__early_read(struct mhd_conn *conn, int *status, const char **reason);

/*
 * Takes over the reading of a head from libmicrohttpd, which has the first `len` bytes of its
 * fields. The caller suspends the connection. 0, SVC_ETOOBIG when there is no room for more,
 * SVC_ENOMEM or SVC_ESYSTEM.
 */
int svc__early_hold(struct mhd_conn *conn, size_t len);

/* The method and the target of a new connection's head that is whole. */
struct bytes svc__early_method(const struct mhd_conn *conn);
struct bytes svc__early_target(const struct mhd_conn *conn);

/* Puts a connection whose head is whole and read into the feed's queue. */
void svc__early_queue(struct mhd_conn *conn);

/* Takes the next connection from that queue; NULL when it is empty. */
struct mhd_conn *svc__early_next(struct mhd_loop *mhd);

/* Copies the bytes that were taken over from libmicrohttpd back into its memory: the check may have
 * changed them. */
void svc__early_restore(struct mhd_conn *conn);

/* Puts the feed in the place of the connection's socket, for libmicrohttpd's next read. False: that
 * is impossible, and the caller shuts the connection. */
bool svc__early_feed(struct mhd_conn *conn);

/* Gives the connection that is fed its own socket back, before libmicrohttpd can write to it. Does
 * nothing if none is fed. */
void svc__early_unfeed(struct mhd_loop *mhd);

/* Does the same when libmicrohttpd is about to answer a connection itself, if that is the one that
 * is fed. */
void svc__early_refused(struct mhd_loop *mhd);

/* Frees a connection's head: the connection closes, or libmicrohttpd reads the head itself. */
void svc__early_forget(struct mhd_conn *conn);

#endif
