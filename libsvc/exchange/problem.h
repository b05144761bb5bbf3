/* The two forms of an error: problem details and text. */
#ifndef SVC_EXCHANGE_PROBLEM_H
#define SVC_EXCHANGE_PROBLEM_H

#include <stdbool.h>

#include <svc/types.h>

#include "libsvc/base/buf.h"

/* Sets `*json` to whether the client accepts problem details; it gets text otherwise. Adds Accept
 * to Vary, since another client would get the other form. 0, SVC_ENOMEM or SVC_ETOOBIG. */
int svc__problem_negotiate(svc_response *res, bool *json);

/* Answers with an error in the form that the client accepts; `render` writes `error` in that form.
 * 0, SVC_ENOMEM or SVC_ETOOBIG. */
int svc__problem_answer(svc_response *res, int status,
                        void (*render)(struct buf *out, bool json, const void *error),
                        const void *error);

#endif
