/* Finds the pieces of a request's body in the bytes that have come. */
#ifndef SVC_HTTP1_HTTP1_BODY_H
#define SVC_HTTP1_HTTP1_BODY_H

#include "libsvc/fronts/http1/http1.h"

enum {
    BODY_PART = -1, /* more bytes are needed */
    BODY_PIECE = 0, /* the input begins with a piece, of conn->piece bytes */
    BODY_END = 1    /* the body is whole, and its trailers have been read */
};

/* Begins a body of the given framing. */
void svc__http1_body_begin(struct http1_conn *conn, const struct framing *framing);

/* Finds the next piece, the same until it is taken. At the end, `*trailers` is the number of fields
 * in the loop's room. One of the results above, or the status to refuse with and a static text in
 * `*reason`. */
int svc__http1_body_next(struct http1_conn *conn, size_t *trailers, const char **reason);

/* The piece is used. */
void svc__http1_body_taken(struct http1_conn *conn);

#endif
