/* Keeping the first answer to an idempotency key: before it is sent if its body is in memory, else
 * while the body is sent. */
#ifndef SVC_MW_IDEMPOTENCY_RECORDING_H
#define SVC_MW_IDEMPOTENCY_RECORDING_H

#include "libsvc/mw/idempotency_state.h"

/*
 * Keeps an answer, or only that there was one if it is too large. If its body is a source, the body
 * is wrapped, and the answer is kept with its last byte. The store's failures are no errors. 0,
 * SVC_ENOMEM, or SVC_WAIT: the request will be resumed when the store has the answer.
 */
int svc__idempotency_recording_begin(const struct idempotency *idempotency, svc_request *req,
                                     svc_response *res, struct idempotency_state *state);

#endif
