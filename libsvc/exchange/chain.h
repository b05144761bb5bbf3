/* Middleware in the order in which a request meets it, flattened once when the app is readied. */
#ifndef SVC_EXCHANGE_CHAIN_H
#define SVC_EXCHANGE_CHAIN_H

#include <svc/middleware.h>

#include "libsvc/base/arena.h"

struct chain_layer {
    const svc_middleware *middleware;
    svc_app *app; /* an argument of its start and stop */
    size_t state; /* offset in the exchange's block of layer states */
    bool blocks;
};

struct chain {
    struct chain_layer *layers; /* outermost first */
    size_t count;
    size_t state_size; /* of all layers */
    bool blocks;       /* one of the layers blocks */
};

/* Appends a layer to a chain whose `layers` has room. */
void svc__chain_append(struct chain *chain, const svc_middleware *middleware, svc_app *app);

#endif
