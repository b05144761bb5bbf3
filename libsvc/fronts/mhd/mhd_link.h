/* A connection's tie with libmicrohttpd. */
#ifndef SVC_MHD_MHD_LINK_H
#define SVC_MHD_MHD_LINK_H

#include "libsvc/fronts/mhd/mhd.h"

/* Hands over the connection's socket, which libmicrohttpd closes from now on, also when it fails.
 * 1; 0 when it was refused and the connection is freed; -1 when nothing else knows of it. */
int svc__mhd_link_add(struct mhd_conn *conn);

/* Suspends it, from within libmicrohttpd's calls. */
void svc__mhd_link_suspend(struct mhd_conn *conn);

/* Goes on with it, where it is suspended: its access handler is called again, or its reply's
 * source. */
void svc__mhd_link_resume(struct mhd_conn *conn);

/* In libmicrohttpd's call of the access handler: see svc__mhd_link_resume. */
void svc__mhd_link_called(struct mhd_conn *conn);

/* The reply's source fails: its connection is closed in the next turn. In libmicrohttpd's call of
 * it. */
void svc__mhd_link_close(struct mhd_conn *conn);

/* Gives the memory of an idle connection, its pool that begins at `base` and holds nothing, back to
 * the system until it is used again. */
void svc__mhd_link_rest(const struct mhd_conn *conn);

#endif
