/* Middleware in the order in which a request meets it. */
#include "libsvc/exchange/chain.h"

enum { STATE_ALIGNMENT = 16 };

void svc__chain_append(struct chain *chain, const svc_middleware *middleware, svc_app *app)
{
    chain->layers[chain->count++] =
        (struct chain_layer){middleware, app, chain->state_size, middleware->flags & SVC_BLOCKING};
    chain->blocks = chain->blocks || middleware->flags & SVC_BLOCKING;
    chain->state_size +=
        (middleware->state_size + STATE_ALIGNMENT - 1) & ~(size_t)(STATE_ALIGNMENT - 1);
}
