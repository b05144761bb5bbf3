/* Who answers an exchange: a route's handler, or one of the library's own answers. */
#ifndef SVC_EXCHANGE_ROUTING_H
#define SVC_EXCHANGE_ROUTING_H

#include "libsvc/exchange/exchange.h"

/* Whether the exchange's method is one of HTTP's, or any resource of the service has it. If not,
 * 501 has been set as the answer: what the target says is then of no interest, since other methods
 * may have other targets. */
bool svc__routing_method_known(struct exchange *x);

/* Finds the route for the exchange's method, host and target, with its chain, limits and
 * parameters; else sets the answer that RFC 9110 asks for: redirect, OPTIONS, 404, 405, 413. */
void svc__routing_resolve(struct exchange *x);

/* Sets a problem as the answer. `detail` is static or lives in the exchange's arena. */
void svc__routing_refuse(struct exchange *x, int status, const char *detail);

#endif
