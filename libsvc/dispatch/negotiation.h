/* Chooses among the forms that a route offers, or answers that there is none for the client. */
#ifndef SVC_DISPATCH_NEGOTIATION_H
#define SVC_DISPATCH_NEGOTIATION_H

#include "libsvc/exchange/exchange.h"

/* For routes that offer something: others need not call, and so pay nothing. */

/* The function that answers in place of the handler: 406 when the client accepts none of the
 * route's forms, 400 when a field of it is malformed. NULL: the handler answers. */
svc_handler *svc__negotiation_refusal(const svc_request *req, const struct route *route);

/* Adds the fields by which a route's form was chosen to Vary. 0, SVC_ENOMEM or SVC_ETOOBIG. */
int svc__negotiation_vary(const struct offers *offers, svc_response *res);

#endif
