/* Serves a connection: its requests, their bodies and their replies, as far as they go now. */
#ifndef SVC_HTTP1_HTTP1_SERVE_H
#define SVC_HTTP1_HTTP1_SERVE_H

#include "libsvc/fronts/http1/http1.h"

/* Goes on with all that can go on without waiting. Not from within a function of a flight. The
 * connection may belong to another loop after that, and is not to be touched any more. */
void svc__http1_serve(struct http1_conn *conn);

/* Sends the decided reply to a request whose body has not come whole, and closes behind it. From
 * within a function of the flight. */
void svc__http1_serve_unread(struct http1_conn *conn);

/* Whether the flight waits, and no event of the socket concerns it but the peer's departure. */
bool svc__http1_serve_waits(const struct http1_conn *conn);

#endif
