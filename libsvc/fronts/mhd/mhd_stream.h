/* The frames of a reply on a connection that has left libmicrohttpd: see mhd_detach.h. */
#ifndef SVC_MHD_MHD_STREAM_H
#define SVC_MHD_MHD_STREAM_H

#include "libsvc/fronts/mhd/mhd.h"

/* Sends the frames that there are, as flight_ops.resume. */
void svc__mhd_stream_go_on(struct mhd_conn *conn);

/* Handles events of the socket. */
void svc__mhd_stream_event(struct mhd_conn *conn, uint32_t events);

/* Ends the reply in the front's next turn. May be called again. */
void svc__mhd_stream_end(struct mhd_conn *conn);

#endif
