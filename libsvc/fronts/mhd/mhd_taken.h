/*
 * Counts the bytes that a connection has taken off its socket, and compares them with those that
 * the kernel has received: this shows whether a next request is there already, or the connection is
 * idle. libmicrohttpd reads ahead, and does not report how far.
 */
#ifndef SVC_MHD_MHD_TAKEN_H
#define SVC_MHD_MHD_TAKEN_H

#include "libsvc/fronts/mhd/mhd.h"

/* Counts a request's head, whose method begins at `method`; `bytes` is 0 if not known. */
void svc__mhd_taken_head(struct mhd_conn *conn, const char *method, size_t bytes);

/* Counts a piece of its body. */
void svc__mhd_taken_body(struct mhd_conn *conn, size_t bytes);

/* Whether bytes of a next request have arrived, as far as that can be known. */
bool svc__mhd_taken_has_unread(struct mhd_conn *conn);

/* Whether libmicrohttpd holds nothing: our count is that of the kernel, and was never in doubt. */
bool svc__mhd_taken_is_all(const struct mhd_conn *conn);

/* Whether libmicrohttpd has read no byte behind the request: all that have come since are still in
 * the socket. */
bool svc__mhd_taken_leaves_rest(const struct mhd_conn *conn);

#endif
