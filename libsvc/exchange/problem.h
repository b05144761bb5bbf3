/* The two forms of an error. */
#ifndef SVC_EXCHANGE_PROBLEM_H
#define SVC_EXCHANGE_PROBLEM_H

#include <stdbool.h>

#include <svc/types.h>

/* Whether an error is told as problem details or, to a client that accepts no JSON, as text. Adds
 * Accept to Vary, since another client would be told the same in the other form. 0, SVC_ENOMEM or
 * SVC_ETOOBIG. */
int svc__problem_negotiate(svc_response *res, bool *json);

#endif
