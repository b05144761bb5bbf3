/*
 * Heads before libmicrohttpd 0.9.75 reads them. It parses in place, and what it has parsed does not
 * show any more how lines ended; so a head must be seen whole as it was sent. A new connection's
 * first head is looked at in the socket, and if more of it is to come, the loop reads it itself and
 * hands over a connection whose head is whole. Of a later head that comes in pieces the first piece
 * is libmicrohttpd's already: the connection is suspended, and the loop reads the rest.
 *
 * What the loop has read reaches libmicrohttpd by another socket, which stands in the place of the
 * connection's own for one read.
 */
#ifndef SVC_MHD_EARLY_H
#define SVC_MHD_EARLY_H

#include "libsvc/fronts/mhd/mhd.h"

/* What has come of a head. */
enum early_head {
    EARLY_PART,    /* the rest of it is awaited */
    EARLY_READY,   /* it is whole and read: see svc__early_queue */
    EARLY_UNREAD,  /* it is whole, and still in the socket */
    EARLY_REFUSED, /* it is to be refused */
    EARLY_NO_MEMORY,
    EARLY_END /* the peer is gone, or cannot be waited for */
};

/* Opens the loop's feed. 0 or SVC_ESYSTEM. */
int svc__early_start(struct mhd_loop *mhd);

/* Closes it. Accepts one that was never opened, whose memory is all zeros. */
void svc__early_stop(struct mhd_loop *mhd);

/* Reads what has come of a head: a new connection's, or one that is held. Where it is refused,
 * `*status` and `*reason` (static) say why. */
enum early_head svc__early_read(struct mhd_conn *conn, int *status, const char **reason);

/*
 * Takes over from libmicrohttpd, which must be suspending the connection, what is left of a head,
 * of whose fields it has the first `len` bytes itself. 0, SVC_ETOOBIG when there is no room for
 * more, SVC_ENOMEM or SVC_ESYSTEM.
 */
int svc__early_hold(struct mhd_conn *conn, size_t len);

/* The method and the target of a new connection's head that is whole. */
struct bytes svc__early_method(const struct mhd_conn *conn);
struct bytes svc__early_target(const struct mhd_conn *conn);

/* Has a connection whose head is whole and read wait for its turn. */
void svc__early_queue(struct mhd_conn *conn);

/* The next connection whose head is whole and waits for its turn; NULL when there is none. */
struct mhd_conn *svc__early_next(struct mhd_loop *mhd);

/* Of a head that was held, puts into libmicrohttpd's memory what was taken over from it. */
void svc__early_restore(struct mhd_conn *conn);

/* Has libmicrohttpd's next read of the connection be from the feed. False: it cannot be, and the
 * connection is to be shut. */
bool svc__early_feed(struct mhd_conn *conn);

/* Gives the connection that was fed its own socket back: before libmicrohttpd can write to it. */
void svc__early_unfeed(struct mhd_loop *mhd);

/* The same when libmicrohttpd is about to answer some connection by itself, if it is that one. */
void svc__early_refused(struct mhd_loop *mhd);

/* Forgets what a connection has here: it is closed, or its head is not for the loop. */
void svc__early_forget(struct mhd_conn *conn);

#endif
