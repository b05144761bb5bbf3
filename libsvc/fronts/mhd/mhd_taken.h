/*
 * The bytes that a connection has taken off its socket, by our count, beside those that the kernel
 * has counted as received: whether a next request is there already, or idleness is all there is.
 * libmicrohttpd reads ahead and does not say how far.
 */
#ifndef SVC_MHD_MHD_TAKEN_H
#define SVC_MHD_MHD_TAKEN_H

#include "libsvc/fronts/mhd/mhd.h"

/* Counts a request's head, whose method begins at `method`; 0 bytes: not known. */
void svc__mhd_taken_head(struct mhd_conn *conn, const char *method, size_t bytes);

/* Counts a piece of its body. */
void svc__mhd_taken_body(struct mhd_conn *conn, size_t bytes);

/* Whether bytes of a next request have arrived, as far as that can be known. */
bool svc__mhd_taken_has_unread(struct mhd_conn *conn);

/* Whether libmicrohttpd holds nothing: all bytes that the kernel has counted are accounted for, and
 * the count never was in doubt. */
bool svc__mhd_taken_is_all(const struct mhd_conn *conn);

#endif
