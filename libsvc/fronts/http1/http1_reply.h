/* Sends decided replies, of each kind. */
#ifndef SVC_HTTP1_HTTP1_REPLY_H
#define SVC_HTTP1_HTTP1_REPLY_H

#include "libsvc/fronts/http1/http1.h"

/* How far a reply has come. */
enum http1_sent {
    SENT_WHOLE, /* the system has all of it */
    SENT_PART,  /* the rest waits: for the socket's room, the source, or the front's turn */
    SENT_BROKEN /* it cannot be completed: the connection has to end */
};

/* Renders the head of the flight's reply behind other replies, with its body if that is small, and
 * decides whether the connection closes behind it. False when out of memory. */
bool svc__http1_reply_render(struct http1_conn *conn);

/* Whether all of a rendered reply stands in the loop's buffer. */
bool svc__http1_reply_is_small(const struct http1_conn *conn);

/* Sends more of the rendered reply. */
enum http1_sent svc__http1_reply_send(struct http1_conn *conn);

/* Ends the request, whose reply is whole if the outcome says so. */
void svc__http1_reply_end(struct http1_conn *conn, enum svc_outcome outcome);

#endif
