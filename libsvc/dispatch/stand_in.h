/*
 * Doing without an exchange that others have. Another stands in for it: it has the request's head
 * and the layers that are not lent, answers, and leaves the first one, which is given up, to
 * whoever has it. All calls are for the home's thread.
 */
#ifndef SVC_DISPATCH_STAND_IN_H
#define SVC_DISPATCH_STAND_IN_H

#include "libsvc/exchange/exchange.h"

/* Nobody waits for the answer any more: who has the exchange is told. */
void svc__stand_in_cancel(struct exchange *x);

/* The exchange, taken back from the workers' queue where it lies there; or, when others have it,
 * one that stands in for it and takes the caller's reference, while `x` is given up with `outcome`.
 * NULL when there is no memory for that: `x` is given up all the same, and all of its layers end
 * with it. */
struct exchange *svc__stand_in_reclaim(struct exchange *x, enum svc_outcome outcome);

#endif
