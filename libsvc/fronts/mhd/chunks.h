/*
 * Checks chunked framing, of which libmicrohttpd accepts malformed forms. If the layout of its
 * memory is known, the pointers that it passes lead into its buffer, in which the framing is still
 * as it was sent. So the framing is checked between two pieces of one read, and from the buffer's
 * beginning to the first piece of a read.
 */
#ifndef SVC_MHD_CHUNKS_H
#define SVC_MHD_CHUNKS_H

#include "libsvc/fronts/mhd/mhd.h"

/* Notes where the framing begins, when the head has come. */
void svc__chunks_begin(struct mhd_conn *conn);

/* Whether the framing before a piece of the body, which begins at `data`, is well formed. */
bool svc__chunks_lead(const struct mhd_conn *conn, const char *data);

/* Notes that the body has been taken up to `end`. */
void svc__chunks_took(struct mhd_conn *conn, const char *end);

/* Whether the framing at the body's end was well formed, as far as it could be seen. */
bool svc__chunks_end(const struct mhd_conn *conn);

#endif
