/*
 * Replies in frames (reply/response_frames.h), such as streams of events. libmicrohttpd would keep
 * the request's memory and a block of the reply's for each of them, copy each frame, and look at
 * all of them whenever another connection is resumed. So such a connection is taken from
 * libmicrohttpd: it gets a descriptor of its own for the socket, libmicrohttpd closes the other,
 * and the frames are sent from where they lie (mhd_stream.h). The connection closes behind the
 * reply.
 */
#ifndef SVC_MHD_MHD_DETACH_H
#define SVC_MHD_MHD_DETACH_H

#include "libsvc/fronts/mhd/mhd.h"

/* Begins to send the decided reply, if it has frames: libmicrohttpd must then close its part of the
 * connection. False: the reply is not in frames, or there was no memory or descriptor, so that
 * libmicrohttpd sends it. */
bool svc__mhd_detach_begin(struct mhd_conn *conn);

/* Ends the requests of the streams that have ended, and frees their connections. Only within the
 * front's turn, or when the front closes. */
void svc__mhd_detach_finish(struct mhd_loop *mhd);

#endif
