/* Who answers an exchange: a route's handler, or one of the library's own answers. */
#ifndef SVC_CORE_ROUTING_H
#define SVC_CORE_ROUTING_H

#include "libsvc/core/exchange.h"

/* Finds the route for the exchange's method, host and target, with its chain, limits and
 * parameters; else sets the answer that RFC 9110 asks for: redirect, OPTIONS, 404, 405, 501, 413.
 */
void svc__routing_resolve(struct exchange *x);

/* Sets a problem as the answer. `reason` is static or lives in the exchange's arena. */
void svc__routing_refuse(struct exchange *x, int status, const char *reason);

#endif
