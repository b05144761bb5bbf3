/* The bytes that a connection still has to write: those rendered into the loop's buffer while it is
 * served, and those for which its socket had no room. */
#ifndef SVC_HTTP1_HTTP1_OUT_H
#define SVC_HTTP1_HTTP1_OUT_H

#include "libsvc/fronts/http1/http1.h"

/*
 * Writes these bytes, and then `body`, of which `*taken` bytes were written. `more`: further bytes
 * follow. 0 when all is written; SVC_EAGAIN: the socket has no room for more, and the connection
 * keeps the rest, but not of `body`; SVC_ESYSTEM: the peer has gone; SVC_ENOMEM.
 */
int svc__http1_out_write(struct http1_conn *conn, struct bytes body, size_t *taken, bool more);

/* The same without a body. */
int svc__http1_out_flush(struct http1_conn *conn);

/* Gives the rest, which the connection keeps, to the caller. */
struct unsent svc__http1_out_take(struct http1_conn *conn);

#endif
