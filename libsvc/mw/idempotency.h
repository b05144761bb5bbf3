/* Idempotency keys as a middleware. */
#ifndef SVC_MW_IDEMPOTENCY_H
#define SVC_MW_IDEMPOTENCY_H

#include "libsvc/mw/idempotency_state.h"

/* Under which a request has its id. */
extern const svc_key svc__idempotency_id_key;

/* Fills in the middleware, after the other members. */
void svc__idempotency_prepare(struct idempotency *idempotency);

#endif
