/* The layers of an exchange's chain, as they run. */
#include "libsvc/exchange/layers.h"

#include "libsvc/exchange/away.h"

static svc_layer layer_of(const struct exchange *x, const struct chain_layer *layer)
{
    const svc_middleware *middleware = layer->middleware;
    void *state = middleware->state_size ? x->layer_state + layer->state : NULL;
    return (svc_layer){middleware->arg, state};
}

/* Whether a layer must be left to a worker, which the caller's thread is not. */
static bool left_to_worker(const struct exchange *x, const struct chain_layer *layer)
{
    return layer->blocks && !x->host->worker;
}

static enum layers_end end_with(struct exchange *x, int verdict)
{
    x->verdict = verdict;
    return LAYERS_ENDED;
}

enum layers_end svc__layers_request(struct exchange *x)
{
    const struct chain *chain = x->chain;
    for (; x->passed < chain->count; x->passed++) {
        const struct chain_layer *layer = &chain->layers[x->passed];
        if (!layer->middleware->on_request)
            continue;
        if (left_to_worker(x, layer))
            return LAYERS_BLOCKED;
        svc_layer given = layer_of(x, layer);
        int verdict = layer->middleware->on_request(&x->request, &x->response, &given);
        if (verdict != SVC_PASS)
            return verdict == SVC_WAIT ? LAYERS_WAIT : end_with(x, verdict);
    }
    return LAYERS_PASSED;
}

static bool sees_body(const struct chain_layer *layer, bool whole)
{
    const svc_middleware *middleware = layer->middleware;
    return middleware->on_body && whole != !!(middleware->flags & SVC_BODY_PIECES);
}

size_t svc__layers_body_first(const struct exchange *x, bool whole)
{
    size_t i = 0;
    while (i < x->passed && !sees_body(&x->chain->layers[i], whole))
        i++;
    return i;
}

size_t svc__layers_lent(const struct exchange *x)
{
    return x->body.stream ? svc__layers_body_first(x, false) : x->passed;
}

/* A worker runs all of these layers or none: bytes that a layer makes stay with its thread. */
static bool body_blocks(const struct exchange *x)
{
    for (size_t i = 0; i < x->passed; i++)
        if (sees_body(&x->chain->layers[i], true) && left_to_worker(x, &x->chain->layers[i]))
            return true;
    return false;
}

enum layers_end svc__layers_body(struct exchange *x, svc_piece *piece, bool whole)
{
    if (whole && body_blocks(x))
        return LAYERS_BLOCKED;
    size_t i = x->body.again ? x->body.again - 1 : 0;
    x->body.again = 0;
    for (; i < x->passed; i++) {
        const struct chain_layer *layer = &x->chain->layers[i];
        if (!sees_body(layer, whole))
            continue;
        svc_layer given = layer_of(x, layer);
        const svc_piece before = *piece;
        int verdict = layer->middleware->on_body(&x->request, &x->response, &given, piece);
        if (piece->data != before.data || piece->len != before.len)
            x->request.body_changed = true;
        if (x->body.again == BODY_AGAIN)
            x->body.again = i + 1;
        if (verdict != SVC_PASS)
            return end_with(x, verdict);
    }
    return LAYERS_PASSED;
}

enum layers_end svc__layers_response(struct exchange *x)
{
    for (; x->unanswered > 0; x->unanswered--) {
        const struct chain_layer *layer = &x->chain->layers[x->unanswered - 1];
        if (!layer->middleware->on_response || (left_to_worker(x, layer) && x->hurried))
            continue;
        if (left_to_worker(x, layer))
            return LAYERS_BLOCKED;
        svc_layer given = layer_of(x, layer);
        int error = layer->middleware->on_response(&x->request, &x->response, &given);
        bool may_wait = atomic_load_explicit(&x->away.wait, memory_order_relaxed) != WAIT_NONE;
        if (may_wait && error == SVC_WAIT)
            return LAYERS_WAIT;
        if (may_wait)
            svc__away_forgo_wait(x);
        if (error < 0 && !x->response_error)
            x->response_error = error;
    }
    return LAYERS_PASSED;
}

void svc__layers_done(struct exchange *x, const svc_done *done, size_t from)
{
    for (size_t i = x->passed; i-- > from;) {
        const struct chain_layer *layer = &x->chain->layers[i];
        if (!layer->middleware->on_done)
            continue;
        svc_layer given = layer_of(x, layer);
        layer->middleware->on_done(&x->request, &x->response, &given, done);
    }
}
