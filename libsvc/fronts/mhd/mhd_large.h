/*
 * Large files, which are sent without libmicrohttpd: it sends 128 KiB at most in a turn of the
 * loop, while the socket often takes more. When the reply is decided, libmicrohttpd closes the
 * connection, whose socket lives on by a duplicate of its descriptor. The loop sends head and file,
 * as much in each turn as the socket takes, up to a limit. Then the connection is like a new one,
 * which libmicrohttpd gets when its next head is whole.
 */
#ifndef SVC_MHD_MHD_LARGE_H
#define SVC_MHD_MHD_LARGE_H

#include "libsvc/fronts/mhd/mhd.h"

/* How far a large reply has come. */
enum large_step {
    LARGE_MORE,  /* the rest waits for the socket's room, or for the next turn */
    LARGE_WHOLE, /* the system has all of it */
    LARGE_BROKEN /* the peer has gone, or the file has become shorter */
};

/*
 * Prepares the reply for being sent so. True: the caller has libmicrohttpd close the connection.
 * False: libmicrohttpd has to send the reply, because it is none of a large file, or the client's
 * next bytes may be in libmicrohttpd's memory, or for want of memory or a descriptor.
 */
bool svc__mhd_large_begin(struct mhd_conn *conn, bool closes);

/* libmicrohttpd is about to close its descriptor: the connection lives on by the other one. */
void svc__mhd_large_take(struct mhd_conn *conn);

/* Sends more of the reply. */
enum large_step svc__mhd_large_send(struct mhd_conn *conn);

/* Ends the request, whose reply is whole or cut. */
void svc__mhd_large_end(struct mhd_conn *conn, bool whole);

#endif
