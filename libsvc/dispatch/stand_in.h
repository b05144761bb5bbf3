/*
 * Answers in place of an exchange that is away. Another exchange stands in for it: it has the
 * request's head and the layers that are not lent, and answers. The first one is given up and stays
 * with its holder. All calls are for the home's thread.
 */
#ifndef SVC_DISPATCH_STAND_IN_H
#define SVC_DISPATCH_STAND_IN_H

#include "libsvc/exchange/exchange.h"

/* Reports to the holder of the exchange that nobody waits for its answer any more. */
void svc__stand_in_cancel(struct exchange *x);

/* Returns an exchange that can answer now: `x`, if it is at home or can be taken back from the
 * workers' queue; otherwise one that stands in for `x` and takes the caller's reference, while `x`
 * is given up with `outcome`. NULL without memory for a stand-in: `x` is given up all the same, and
 * all of its layers end with it. */
struct exchange *svc__stand_in_reclaim(struct exchange *x, enum svc_outcome outcome);

#endif
