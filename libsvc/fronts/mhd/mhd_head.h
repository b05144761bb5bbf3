/*
 * A request's head, from libmicrohttpd to the exchange: checked as it was sent, before
 * libmicrohttpd edits it, and taken when all of it has come. The exchange answers a malformed head.
 */
#ifndef SVC_MHD_MHD_HEAD_H
#define SVC_MHD_MHD_HEAD_H

#include "libsvc/fronts/mhd/mhd.h"

/*
 * The request line has come, and has an exchange. Checks the fields behind it, as far as they have
 * come, and hides the query from libmicrohttpd: each argument would cost memory that the head
 * needs.
 */
void svc__mhd_head_look(struct mhd_conn *conn, const char *target);

/* The body has ended: takes the fields behind it. 0, or the status to refuse the request with and a
 * static text in `*reason`. */
int svc__mhd_head_take_trailers(struct mhd_conn *conn, const char **reason);

/* The head has come whole, and libmicrohttpd has parsed it. */
void svc__mhd_head_take(struct mhd_conn *conn, const char *method, const char *version);

#endif
