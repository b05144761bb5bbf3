/* The reasons of failures in replies: only in development mode, since they help attackers too. */
#ifndef SVC_DISPATCH_DEVELOPMENT_H
#define SVC_DISPATCH_DEVELOPMENT_H

#include "libsvc/exchange/exchange.h"

/* The detail of a request's 500: `who` failed with `error`, or with 0 gave no answer. In the
 * exchange's arena; NULL outside of development mode, or without memory. */
const char *svc__development_failure(struct exchange *x, const char *who, int error);

#endif
