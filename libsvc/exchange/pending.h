/* A deferred answer, from the side of its home. All calls accept NULL. */
#ifndef SVC_EXCHANGE_PENDING_H
#define SVC_EXCHANGE_PENDING_H

#include <svc/pending.h>

#include "libsvc/exchange/exchange.h"

/* Reports, once, to the giver of the answer that nobody waits for it now. The home's thread. */
void svc__pending_cancel(svc_pending *pending);

/* Refuses every answer from now on. */
void svc__pending_close(svc_pending *pending);

/* Refuses every answer from now on, since the deadline has passed. False: an answer has come
 * before, and its news has come or will come. */
bool svc__pending_expire(svc_pending *pending);

/* Hands the answer, and its exchange, to the caller. NULL when none has come: later ones are
 * refused then. */
svc_response *svc__pending_take(svc_pending *pending);

/* Makes `answer`, of svc_response_new, the exchange's response, which keeps its own fields unless
 * `answer` has a field of that name. Takes `answer`. 0, SVC_ENOMEM or SVC_ETOOBIG. The home's
 * thread. */
int svc__pending_adopt(struct exchange *x, svc_response *answer);

#endif
