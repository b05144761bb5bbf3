/*
 * The questions of idempotency keys to their store. On an event loop whose store waits for a server
 * they wait for a callback; everywhere else they are answered at once.
 */
#ifndef SVC_MW_IDEMPOTENCY_STORE_H
#define SVC_MW_IDEMPOTENCY_STORE_H

#include "libsvc/mw/idempotency_state.h"

/*
 * Asks for the key of a request, which is then its own until its deadline, and for the time of
 * grace behind it. True: `state->error` is 0, SVC_ECONFLICT if another has the key, or the store's
 * error. False: it will be so when the request is resumed; the layer waits. If the request is given
 * up meanwhile, a key that it gets is freed.
 */
bool svc__idempotency_store_take(const struct idempotency *idempotency, svc_request *req,
                                 struct idempotency_state *state);

/* Reads the record of a key, under the same rule: `state->error` is 0 with a value, SVC_ENOTFOUND
 * if the key has become free, or the store's error. */
bool svc__idempotency_store_read(const struct idempotency *idempotency, svc_request *req,
                                 struct idempotency_state *state);

/*
 * Gives a key that the request has taken its record; or, if that is too large for the store, the
 * mark below. A failure is counted and logged. 0; or SVC_WAIT: the request will be resumed when the
 * store has the record. `waits` is the request, or NULL where none waits. Where none does, or its
 * answer must not wait, the store may have the record later, and `state` may be gone by then.
 */
int svc__idempotency_store_keep(const struct idempotency *idempotency, svc_request *waits,
                                struct idempotency_state *state, struct bytes record);

/* Marks a key that the request has taken: it was answered, and a repetition must not run the
 * handler, though the answer cannot be kept. */
void svc__idempotency_store_mark(const struct idempotency *idempotency,
                                 const struct idempotency_state *state);

/* Frees a key that the request has taken, under the same rule. */
int svc__idempotency_store_free(const struct idempotency *idempotency, svc_request *waits,
                                struct idempotency_state *state);

#endif
