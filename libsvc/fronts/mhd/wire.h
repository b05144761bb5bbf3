/* Replies that are written to a socket directly, where libmicrohttpd cannot send them. */
#ifndef SVC_MHD_WIRE_H
#define SVC_MHD_WIRE_H

#include "libsvc/exchange/exchange.h"
#include "libsvc/server/linger.h"

/*
 * Renders the exchange's response, whose body is in memory, left out, or sent by the caller, with
 * `Connection: close`, and sends as much as the socket takes at once. `date` is an IMF-fixdate. The
 * rest is copied to `*rest`, which the caller frees (data NULL: nothing is left). 0; SVC_ESYSTEM:
 * the peer has gone; SVC_ENOMEM.
 */
int svc__wire_send(int fd, struct exchange *x, const char *date, struct unsent *rest);

/* Renders the head of the exchange's response, whose length is known, into memory that the caller
 * frees. 0 or SVC_ENOMEM. */
int svc__wire_head(struct exchange *x, const char *date, bool closes, struct unsent *head);

/* Sends a problem without an exchange and without memory of the heap: 408 before a head, 503 over
 * the limit of connections. Bytes that the socket does not take at once are lost. */
void svc__wire_send_problem(int fd, int status, const char *detail, const char *date);

#endif
