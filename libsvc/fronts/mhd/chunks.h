/*
 * Chunked framing, which libmicrohttpd takes leniently. It hands on pointers into its buffer, in
 * which the framing is as it was sent, where its memory's layout is known. It is looked at between
 * two pieces of one read, and from the buffer's beginning to the first piece of a read.
 */
#ifndef SVC_MHD_CHUNKS_H
#define SVC_MHD_CHUNKS_H

#include "libsvc/fronts/mhd/mhd.h"

/* The head is in. */
void svc__chunks_begin(struct mhd_conn *conn);

/* Whether the framing before a piece of the body, which begins at `data`, is sound. */
bool svc__chunks_lead(const struct mhd_conn *conn, const char *data);

/* What has been taken of the body ends at `end`. */
void svc__chunks_took(struct mhd_conn *conn, const char *end);

/* Whether the body has ended in good order. */
bool svc__chunks_end(const struct mhd_conn *conn);

#endif
