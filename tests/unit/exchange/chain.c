/* Layers in a row: where each has its state, and whether any may block. */
#include "libsvc/exchange/chain.h"

#include <criterion/criterion.h>

enum { ROOM = 8 };

static struct chain_layer layers[ROOM];
static struct chain chain = {.layers = layers};
static char app;
#define APP ((svc_app *)(void *)&app)

static svc_middleware with_state(size_t size)
{
    svc_middleware middleware = SVC_MIDDLEWARE_INIT;
    middleware.state_size = size;
    return middleware;
}

Test(exchange_chain, states_lie_apart_and_fit_any_type)
{
    static const size_t sizes[ROOM] = {1, 0, 16, 17, 0, 15, 32, 1};
    svc_middleware middleware[ROOM];
    for (size_t i = 0; i < ROOM; i++) {
        middleware[i] = with_state(sizes[i]);
        svc__chain_append(&chain, &middleware[i], APP);
    }
    cr_assert_eq(chain.count, ROOM);
    size_t end = 0;
    for (size_t i = 0; i < ROOM; i++) {
        cr_expect_eq(layers[i].middleware, &middleware[i]);
        cr_expect_eq(layers[i].app, APP);
        cr_expect_eq(layers[i].state % _Alignof(max_align_t), 0);
        cr_expect_geq(layers[i].state, end, "layer %zu lies in the one before", i);
        end = layers[i].state + sizes[i];
    }
    cr_expect_geq(chain.state_size, end);
    cr_expect_leq(chain.state_size, 16 + 16 + 32 + 16 + 32 + 16);
}

Test(exchange_chain, layers_without_state_cost_none)
{
    svc_middleware plain = with_state(0);
    for (size_t i = 0; i < ROOM; i++)
        svc__chain_append(&chain, &plain, APP);
    cr_expect_eq(chain.state_size, 0);
}

Test(exchange_chain, one_that_blocks_makes_it_block)
{
    svc_middleware plain = with_state(0), blocking = plain, pieces = plain;
    blocking.flags = SVC_BLOCKING;
    pieces.flags = SVC_BODY_PIECES;
    svc__chain_append(&chain, &plain, APP);
    svc__chain_append(&chain, &pieces, APP);
    cr_expect_not(chain.blocks);
    svc__chain_append(&chain, &blocking, APP);
    cr_expect(chain.blocks);
    svc__chain_append(&chain, &plain, APP);
    cr_expect(chain.blocks, "it stays so");
    cr_expect_not(layers[0].blocks || layers[1].blocks || layers[3].blocks);
    cr_expect(layers[2].blocks);
}
