/* The two forms of an error. */
#ifndef SVC_EXCHANGE_PROBLEM_H
#define SVC_EXCHANGE_PROBLEM_H

#include <stdbool.h>

#include <svc/types.h>

#include "libsvc/base/buf.h"

/* Whether an error is told as problem details or, to a client that accepts no JSON, as text. Adds
 * Accept to Vary, since another client would be told the same in the other form. 0, SVC_ENOMEM or
 * SVC_ETOOBIG. */
int svc__problem_negotiate(svc_response *res, bool *json);

/* Answers with an error in the form that the client accepts; `render` writes it, given `error`. 0,
 * SVC_ENOMEM or SVC_ETOOBIG. */
int svc__problem_answer(svc_response *res, int status,
                        void (*render)(struct buf *out, bool json, const void *error),
                        const void *error);

#endif
