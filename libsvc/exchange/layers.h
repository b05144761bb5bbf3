/* The layers of an exchange's chain, as they run. */
#ifndef SVC_EXCHANGE_LAYERS_H
#define SVC_EXCHANGE_LAYERS_H

#include "libsvc/exchange/exchange.h"

/* The end of a way in through the layers. */
enum layers_end {
    LAYERS_PASSED,
    LAYERS_ENDED,  /* by a layer's verdict, SVC_ANSWERED or an error, which the exchange has */
    LAYERS_WAIT,   /* a layer waits for svc_request_resume */
    LAYERS_BLOCKED /* a layer would block, and this thread is no worker: it is still to run */
};

/* Runs on_request from the exchange's current layer on. */
enum layers_end svc__layers_request(struct exchange *x);

/* Hands a piece of a body through on_body of the layers with SVC_BODY_PIECES, or a whole body
 * through on_body of the others. Never LAYERS_WAIT. LAYERS_BLOCKED only for a whole body, and then
 * no layer has seen it. While the exchange's body.again is not 0, the call is repeated with an
 * empty piece, for the layer that has more and those further in. */
enum layers_end svc__layers_body(struct exchange *x, svc_piece *piece, bool whole);

/* The first layer that wants the body, whole or in pieces. */
size_t svc__layers_body_first(const struct exchange *x, bool whole);

/* The first of the layers that go with the exchange to the thread of its handler: where the handler
 * reads the body, those that see its pieces. */
size_t svc__layers_lent(const struct exchange *x);

/* Runs on_response in reverse over the layers that have passed and are unanswered, and keeps the
 * first negative code in the exchange. Never LAYERS_ENDED, and LAYERS_PASSED where `hurried`. */
enum layers_end svc__layers_response(struct exchange *x);

/* Runs on_done in reverse over the layers that passed, down to `from`. */
void svc__layers_done(struct exchange *x, const svc_done *done, size_t from);

#endif
