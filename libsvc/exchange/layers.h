/* The layers of an exchange's chain, as they run. */
#ifndef SVC_EXCHANGE_LAYERS_H
#define SVC_EXCHANGE_LAYERS_H

#include "libsvc/exchange/exchange.h"

/* A layer would block, and this is no worker: its phase, and those behind it, are still to run. */
enum { LAYERS_BLOCKED = 100 };

/*
 * Runs on_request from the exchange's current layer on. SVC_PASS when all passed, SVC_ANSWERED,
 * SVC_WAIT, LAYERS_BLOCKED, or a negative code of a layer.
 */
int svc__layers_request(struct exchange *x);

/* Hands a body piece (whole: the layers without SVC_BODY_PIECES) through on_body. As above, but for
 * SVC_WAIT; LAYERS_BLOCKED only for the whole, of which then no layer has seen anything. */
int svc__layers_body(struct exchange *x, svc_piece *piece, bool whole);

/* The first layer that wants the body, whole or in pieces. */
size_t svc__layers_body_first(const struct exchange *x, bool whole);

/* The first of the layers that go with the exchange to who runs its handler: those that see pieces
 * of a body that it reads itself. */
size_t svc__layers_lent(const struct exchange *x);

/* Runs on_response in reverse over the layers that have passed and are unanswered, and keeps the
 * first negative code in the exchange. 0 or LAYERS_BLOCKED. */
int svc__layers_response(struct exchange *x);

/* Runs on_done in reverse over the layers that passed, down to `from`. */
void svc__layers_done(struct exchange *x, const svc_done *done, size_t from);

#endif
