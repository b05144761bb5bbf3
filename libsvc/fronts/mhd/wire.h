/* Responses written straight to a socket, where libmicrohttpd cannot be made to send one. */
#ifndef SVC_MHD_WIRE_H
#define SVC_MHD_WIRE_H

#include "libsvc/exchange/exchange.h"
#include "libsvc/server/linger.h"

/*
 * Renders the exchange's response, whose body is in memory or left out, with `Connection: close`
 * and sends what the socket takes without waiting. `date` is an IMF-fixdate. The rest is copied to
 * `*rest`, the caller's (data NULL when there is none). 0, SVC_ESYSTEM when the peer is gone,
 * SVC_ENOMEM.
 */
int svc__wire_send(int fd, struct exchange *x, const char *date, struct unsent *rest);

/* Sends a problem without an exchange, and without memory: 408 before a head, 503 over the
 * connection limit. What the socket does not take at once is lost. */
void svc__wire_send_problem(int fd, int status, const char *detail, const char *date);

#endif
