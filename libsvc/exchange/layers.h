/* The layers of an exchange's chain, as they run. */
#ifndef SVC_EXCHANGE_LAYERS_H
#define SVC_EXCHANGE_LAYERS_H

#include "libsvc/exchange/exchange.h"

/* How a way in through the layers went. */
enum layers_end {
    LAYERS_PASSED,
    LAYERS_ENDED,  /* by a layer, whose verdict the exchange has: SVC_ANSWERED or an error */
    LAYERS_WAIT,   /* for svc_request_resume */
    LAYERS_BLOCKED /* a layer would block, and this is no worker: it is still to run */
};

/* Runs on_request from the exchange's current layer on. */
enum layers_end svc__layers_request(struct exchange *x);

/* Hands a body piece (whole: the layers without SVC_BODY_PIECES) through on_body. Never
 * LAYERS_WAIT; LAYERS_BLOCKED only for the whole, of which then no layer has seen anything. */
enum layers_end svc__layers_body(struct exchange *x, svc_piece *piece, bool whole);

/* The first layer that wants the body, whole or in pieces. */
size_t svc__layers_body_first(const struct exchange *x, bool whole);

/* The first of the layers that go with the exchange to who runs its handler: those that see pieces
 * of a body that it reads itself. */
size_t svc__layers_lent(const struct exchange *x);

/* Runs on_response in reverse over the layers that have passed and are unanswered, and keeps the
 * first negative code in the exchange. False: one would block, and is still to run. */
bool svc__layers_response(struct exchange *x);

/* Runs on_done in reverse over the layers that passed, down to `from`. */
void svc__layers_done(struct exchange *x, const svc_done *done, size_t from);

#endif
