/*
 * A request's head, from libmicrohttpd to the exchange: looked at as it was sent before
 * libmicrohttpd edits it, and taken when it is in. What is malformed is an answer of the
 * exchange's.
 */
#ifndef SVC_MHD_MHD_HEAD_H
#define SVC_MHD_MHD_HEAD_H

#include "libsvc/fronts/mhd/mhd.h"

/*
 * The request line is in, and an exchange made for it: looks at the fields behind it, as far as
 * they have come, and hides the query from libmicrohttpd, of which each argument would cost it
 * memory that the head needs.
 */
void svc__mhd_head_look(struct mhd_conn *conn, const char *target);

/* The body has ended: takes the fields behind it. Returns 0, or the status to refuse the request
 * with and a static text in `*reason`. */
int svc__mhd_head_take_trailers(struct mhd_conn *conn, const char **reason);

/* The head is in. */
void svc__mhd_head_take(struct mhd_conn *conn, const char *method, const char *version);

#endif
