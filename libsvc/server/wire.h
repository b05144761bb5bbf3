/* Responses written straight to a socket, where libmicrohttpd cannot be made to send one. */
#ifndef SVC_SERVER_WIRE_H
#define SVC_SERVER_WIRE_H

#include "libsvc/core/exchange.h"

/*
 * Renders the exchange's response, whose body is in memory or left out, with `Connection: close`
 * and sends it. `date` is an IMF-fixdate. Whether the socket took all of it; it does not wait.
 */
bool svc__wire_send(int fd, struct exchange *x, const char *date);

/* The same for a problem without an exchange: 408 before a head, 503 over the connection limit. */
bool svc__wire_send_problem(int fd, int status, const char *detail, const char *date);

#endif
