/*
 * The life of a connection of HTTP/1: the part of a request that it is in, the limit of that part,
 * and the answers that are written to the socket without libmicrohttpd.
 */
#ifndef SVC_MHD_MHD_CONN_H
#define SVC_MHD_MHD_CONN_H

#include "libsvc/fronts/mhd/mhd.h"

/* Functions of struct front. */
void svc__mhd_conn_open(struct front_part *part, struct conn *conn);
void svc__mhd_conn_close_silent(struct conn *conn, uint64_t stop_ms);
void svc__mhd_conn_cut(struct conn *conn);

/* Enters a phase that is not a flight's, and sets its time limit. */
void svc__mhd_conn_enter(struct mhd_conn *conn, enum mhd_phase phase);

/* Enters a phase of the connection's flight. */
void svc__mhd_conn_fly(struct mhd_conn *conn, enum flight_phase phase);

/* Passes the next head that the loop has read to libmicrohttpd, which is about to run. */
void svc__mhd_conn_feed(struct mhd_loop *mhd);

/* Before libmicrohttpd closes the socket: lets the socket linger if needed, and frees the
 * connection. */
void svc__mhd_conn_closed(struct mhd_conn *conn);

/* Closes a connection that libmicrohttpd never got: the same, and closes the socket. */
void svc__mhd_conn_close_own(struct mhd_conn *conn);

/* Answers and closes a connection whose request has no exchange, because there was no memory for
 * one or the server is cut. The next call of libmicrohttpd ends the connection. */
void svc__mhd_conn_refuse_bare(struct mhd_conn *conn, int status, const char *reason);

/* Logs the end of a request whose head was never understood: it has no line in the access log.
 * `status` is that of the answer, 0: none. */
void svc__mhd_conn_log_headless(const struct mhd_conn *conn, int status, const char *end);

/*
 * Writes the exchange's reply to the socket directly. libmicrohttpd must close the connection next;
 * bytes for which the socket has no room are sent while it lingers. A body that is a source cannot
 * be sent so: an error with `status` replaces the reply.
 */
void svc__mhd_conn_send_raw(struct mhd_conn *conn, int status);

#endif
