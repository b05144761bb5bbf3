/* The link of a connection to libmicrohttpd. */
#ifndef SVC_MHD_MHD_LINK_H
#define SVC_MHD_MHD_LINK_H

#include "libsvc/fronts/mhd/mhd.h"

/* Passes the connection's socket to libmicrohttpd, which closes it from then on, also on failure.
 * 1; 0: it was refused, and the connection is freed; -1: it failed, and the caller frees the
 * connection. */
int svc__mhd_link_add(struct mhd_conn *conn);

/* Suspends the connection, from within libmicrohttpd's calls. */
void svc__mhd_link_suspend(struct mhd_conn *conn);

/* Resumes the connection if it is suspended: libmicrohttpd calls its access handler again, or its
 * reply's source. */
void svc__mhd_link_resume(struct mhd_conn *conn);

/* For each call of the access handler: the connection is no longer handled first, as
 * svc__mhd_link_resume has it. */
void svc__mhd_link_called(struct mhd_conn *conn);

/* Has libmicrohttpd close the connection in its next run, because the reply's source has failed.
 * From within libmicrohttpd's call of the source. */
void svc__mhd_link_close(struct mhd_conn *conn);

/* Gives the memory of an idle connection back to the system until it is used again: its pool, which
 * begins at `base` and holds nothing. */
void svc__mhd_link_rest(const struct mhd_conn *conn);

#endif
