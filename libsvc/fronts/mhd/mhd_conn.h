/*
 * A connection as libmicrohttpd has it: which part of a request it is in, which limit that part
 * has, and what is said on it past libmicrohttpd.
 */
#ifndef SVC_MHD_MHD_CONN_H
#define SVC_MHD_MHD_CONN_H

#include "libsvc/fronts/mhd/mhd.h"

/* As struct front has them. */
void svc__mhd_conn_open(struct front_part *part, struct conn *conn);
void svc__mhd_conn_close_silent(struct conn *conn, uint64_t stop_ms);
void svc__mhd_conn_cut(struct conn *conn);

/* Enters a phase beside the flight's, and sets its limit. */
void svc__mhd_conn_enter(struct mhd_conn *conn, enum mhd_phase phase);

/* Enters a phase of its flight. */
void svc__mhd_conn_fly(struct mhd_conn *conn, enum flight_phase phase);

/* Hands the next head that the loop has read itself to libmicrohttpd, which is about to run. */
void svc__mhd_conn_feed(struct mhd_loop *mhd);

/* libmicrohttpd is about to close the socket: lingers where needed, and frees the connection. */
void svc__mhd_conn_closed(struct mhd_conn *conn);

/* Closes one that libmicrohttpd never got, likewise. */
void svc__mhd_conn_close_own(struct mhd_conn *conn);

/* Answers without an exchange, of which there is none any more, and closes the connection: for
 * when there is nothing to answer with. libmicrohttpd's calls for it end it from now on. */
void svc__mhd_conn_refuse_bare(struct mhd_conn *conn, int status, const char *reason);

/* A line in place of the access log's, which a request whose head never was understood has not:
 * `status` is what its peer was told, 0 for nothing. */
void svc__mhd_conn_log_headless(const struct mhd_conn *conn, int status, const char *end);

/*
 * Writes the exchange's reply to the socket, past libmicrohttpd, which must close the connection
 * next: what the socket has no room for is sent while it lingers. A body that is a source cannot be
 * sent so: an error of `status` goes in its place.
 */
void svc__mhd_conn_send_raw(struct mhd_conn *conn, int status);

#endif
