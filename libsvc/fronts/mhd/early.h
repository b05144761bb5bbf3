/*
 * Heads before libmicrohttpd 0.9.75 reads them. It parses in place, and what it has parsed does not
 * show any more how lines ended; so a head must be seen whole as it was sent. A new connection's
 * first head is looked at in the socket, and if more of it is to come, the loop reads it itself and
 * hands over a connection whose head is whole. Of a later head that comes in pieces the first piece
 * is libmicrohttpd's already: the connection is suspended, and the loop reads the rest.
 *
 * What the loop has read reaches libmicrohttpd by another socket, which stands in the place of the
 * connection's own for one read.
 *
 * For the loop's thread.
 */
#ifndef SVC_MHD_EARLY_H
#define SVC_MHD_EARLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;
struct loop;

/* Of each loop: the socket that takes the place of a connection's own. */
struct early_feed {
    int ends[2];                /* libmicrohttpd reads from the first */
    int parked;                 /* where the connection's own socket is meanwhile */
    struct conn *conn;          /* whose place is taken; NULL for nobody's */
    struct conn *first, **last; /* whose heads are whole and wait for their turn */
};

/* A head that the loop reads itself. */
struct early {
    struct conn *next; /* among those that wait for their turn */
    size_t held;       /* of its bytes, those that are in libmicrohttpd's memory already */
    size_t len;
    size_t space; /* what libmicrohttpd has room for */
    char data[];
};

/* Opens the loop's feed. 0 or SVC_ESYSTEM. */
int svc__early_start(struct loop *loop);

/* Closes it. Accepts one that was never opened, whose memory is all zeros. */
void svc__early_stop(struct loop *loop);

/* A new connection, which libmicrohttpd gets when its first head is whole; may close it. */
void svc__early_open(struct conn *conn);

/*
 * Takes over from libmicrohttpd, which must be suspending the connection, what is left of a head,
 * of whose fields it has the first `len` bytes itself. 0, SVC_ETOOBIG when there is no room for
 * more, SVC_ENOMEM or SVC_ESYSTEM.
 */
int svc__early_hold(struct conn *conn, size_t len);

/* The socket of a connection whose head is awaited has an event. */
void svc__early_event(struct conn *conn, uint32_t events);

/* Hands a head over that is whole, before libmicrohttpd runs; whether others wait for that. */
bool svc__early_feed(struct loop *loop);

/* Gives the connection that was fed its own socket back: before libmicrohttpd can write to it. */
void svc__early_unfeed(struct loop *loop);

/* The same when libmicrohttpd is about to answer some connection by itself, if it is that one. */
void svc__early_refused(struct loop *loop);

/* The connection is closed: forgets what it has here. */
void svc__early_forget(struct conn *conn);

/* Closes the connections that libmicrohttpd never got, for a loop that ends. */
void svc__early_close_all(struct loop *loop);

#endif
