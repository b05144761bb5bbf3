/* An answer that comes later, as its home sees it. All calls accept NULL. */
#ifndef SVC_EXCHANGE_PENDING_H
#define SVC_EXCHANGE_PENDING_H

#include <svc/pending.h>

#include "libsvc/exchange/exchange.h"

/* Nobody waits for the answer any more: tells who will give it, once. The home's thread. */
void svc__pending_cancel(svc_pending *pending);

/* No answer is taken from now on. */
void svc__pending_close(svc_pending *pending);

/* The deadline has passed: no answer is taken from now on. False: one has come before, and there is
 * or will be news of it. */
bool svc__pending_expire(svc_pending *pending);

/* The answer that has come, whose exchange is the caller's; NULL when there is none, and then none
 * is taken any more. */
svc_response *svc__pending_take(svc_pending *pending);

/* Makes `answer`, of svc_response_new, that of the exchange, whose response keeps its own fields
 * but for those that `answer` has too. Takes `answer`. 0, SVC_ENOMEM or SVC_ETOOBIG. The home's
 * thread.
 */
int svc__pending_adopt(struct exchange *x, svc_response *answer);

#endif
