/* Middleware in the order in which a request meets it. */
#include "libsvc/core/chain.h"

#include "libsvc/core/exchange.h"

enum { STATE_ALIGNMENT = 16 };

void svc__chain_append(struct chain *chain, const svc_middleware *middleware, svc_app *app)
{
    chain->layers[chain->count++] = (struct chain_layer){middleware, app, chain->state_size};
    chain->state_size +=
        (middleware->state_size + STATE_ALIGNMENT - 1) & ~(size_t)(STATE_ALIGNMENT - 1);
}

static svc_layer layer_of(const struct exchange *x, const struct chain_layer *layer)
{
    const svc_middleware *middleware = layer->middleware;
    void *state = middleware->state_size ? x->layer_state + layer->state : NULL;
    return (svc_layer){middleware->arg, state};
}

int svc__chain_request(struct exchange *x)
{
    const struct chain *chain = x->chain;
    for (; x->passed < chain->count; x->passed++) {
        const struct chain_layer *layer = &chain->layers[x->passed];
        if (!layer->middleware->on_request)
            continue;
        svc_layer given = layer_of(x, layer);
        int verdict = layer->middleware->on_request(&x->request, &x->response, &given);
        if (verdict != SVC_PASS)
            return verdict;
    }
    return SVC_PASS;
}

int svc__chain_body(struct exchange *x, svc_piece *piece, bool whole)
{
    for (size_t i = 0; i < x->passed; i++) {
        const struct chain_layer *layer = &x->chain->layers[i];
        const svc_middleware *middleware = layer->middleware;
        if (!middleware->on_body || whole == !!(middleware->flags & SVC_BODY_PIECES))
            continue;
        svc_layer given = layer_of(x, layer);
        int verdict = middleware->on_body(&x->request, &x->response, &given, piece);
        if (verdict != SVC_PASS)
            return verdict;
    }
    return SVC_PASS;
}

int svc__chain_response(struct exchange *x)
{
    int first = 0;
    for (size_t i = x->passed; i-- > 0;) {
        const struct chain_layer *layer = &x->chain->layers[i];
        if (!layer->middleware->on_response)
            continue;
        svc_layer given = layer_of(x, layer);
        int error = layer->middleware->on_response(&x->request, &x->response, &given);
        if (error < 0 && !first)
            first = error;
    }
    return first;
}

void svc__chain_done(struct exchange *x, const svc_done *done)
{
    for (size_t i = x->passed; i-- > 0;) {
        const struct chain_layer *layer = &x->chain->layers[i];
        if (!layer->middleware->on_done)
            continue;
        svc_layer given = layer_of(x, layer);
        layer->middleware->on_done(&x->request, &x->response, &given, done);
    }
}
