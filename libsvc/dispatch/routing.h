/* Chooses the function that answers an exchange: a route's handler, or one of the library's own. */
#ifndef SVC_DISPATCH_ROUTING_H
#define SVC_DISPATCH_ROUTING_H

#include "libsvc/exchange/exchange.h"

/* Whether HTTP or a resource of the service knows the exchange's method. If not, the answer is 501,
 * and the target is not looked at, since other methods may have other targets. */
bool svc__routing_method_known(struct exchange *x);

/* Finds the route for the exchange's method, host and target, and takes its chain, limits and
 * parameters; or sets the answer that RFC 9110 asks for: redirect, OPTIONS, 404, 405, 413. */
void svc__routing_resolve(struct exchange *x);

/* Sets a problem as the answer. `detail` is static or lives in the exchange's arena. */
void svc__routing_refuse(struct exchange *x, int status, const char *detail);

#endif
