/* The life of a connection: its events, its deadlines, its end. */
#ifndef SVC_HTTP1_HTTP1_CONN_H
#define SVC_HTTP1_HTTP1_CONN_H

#include "libsvc/fronts/http1/http1.h"

/* Functions of struct front. */
void svc__http1_conn_open(struct front_part *part, struct conn *conn);
void svc__http1_conn_close_silent(struct conn *conn, uint64_t stop_ms);
void svc__http1_conn_cut(struct conn *conn);

/* Serves the connections in the loop's queue, and closes those that are over. */
void svc__http1_conn_turn(struct http1_loop *http1);

/* Ends a connection's request, and closes it. Only within the front's turn, or at the loop's end.
 */
void svc__http1_conn_close(struct http1_conn *conn);

#endif
