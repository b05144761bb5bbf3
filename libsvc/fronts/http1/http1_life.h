/* The phases of a connection, its turn in the front's queue, and answers without an exchange. */
#ifndef SVC_HTTP1_HTTP1_LIFE_H
#define SVC_HTTP1_HTTP1_LIFE_H

#include "libsvc/fronts/http1/http1.h"

/* Enters a phase that is not a flight's, and sets its time limit. */
void svc__http1_life_enter(struct http1_conn *conn, enum http1_phase phase);

/* Enters a phase of the connection's flight. */
void svc__http1_life_fly(struct http1_conn *conn, enum flight_phase phase);

/* Has the connection served, or closed, in the front's turn. */
void svc__http1_life_again(struct http1_conn *conn);

/* Has the connection closed in the front's turn, which also ends its request. */
void svc__http1_life_end(struct http1_conn *conn);

/* Takes the next connection from the queue; NULL when it is empty. */
struct http1_conn *svc__http1_life_next(struct http1_loop *http1);

/* Answers and ends a connection whose request has no exchange, because there was no memory for one
 * or the server is cut. */
void svc__http1_life_refuse(struct http1_conn *conn, int status, const char *detail);

/* The same for a request whose head was never understood: it has no line in the access log, so its
 * end is logged here. */
void svc__http1_life_refuse_headless(struct http1_conn *conn, int status, const char *detail,
                                     const char *end);

#endif
