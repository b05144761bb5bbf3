/* Middleware in the order in which a request meets it, flattened once when the app is readied. */
#ifndef SVC_EXCHANGE_CHAIN_H
#define SVC_EXCHANGE_CHAIN_H

#include <svc/middleware.h>

#include "libsvc/base/arena.h"

struct exchange;

struct chain_layer {
    const svc_middleware *middleware;
    svc_app *app; /* which its start and stop are told of */
    size_t state; /* offset in the exchange's block of layer states */
    bool blocks;
};

/* A layer would block, and this is no worker: its phase, and those behind it, are still to run. */
enum { CHAIN_BLOCKED = 100 };

struct chain {
    struct chain_layer *layers; /* outermost first */
    size_t count;
    size_t state_size; /* of all layers */
    bool blocks;       /* some layer does */
};

/* Appends a layer to a chain whose `layers` has room. */
void svc__chain_append(struct chain *chain, const svc_middleware *middleware, svc_app *app);

/*
 * Runs on_request from the exchange's current layer on. SVC_PASS when all passed, SVC_ANSWERED,
 * SVC_WAIT, CHAIN_BLOCKED, or a negative code of a layer.
 */
int svc__chain_request(struct exchange *x);

/* Hands a body piece (whole: the layers without SVC_BODY_PIECES) through on_body. As above, but for
 * SVC_WAIT; CHAIN_BLOCKED only for the whole, of which then no layer has seen anything. */
int svc__chain_body(struct exchange *x, svc_piece *piece, bool whole);

/* The first layer that wants the body, whole or in pieces. */
size_t svc__chain_body_first(const struct exchange *x, bool whole);

/* Runs on_response in reverse over the layers that have passed and are unanswered, and keeps the
 * first negative code in the exchange. 0 or CHAIN_BLOCKED. */
int svc__chain_response(struct exchange *x);

/* Runs on_done in reverse over the layers that passed, down to `from`. */
void svc__chain_done(struct exchange *x, const svc_done *done, size_t from);

#endif
