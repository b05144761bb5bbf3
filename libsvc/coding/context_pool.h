/*
 * Contexts of codings that wait for their next body: they are large, and dear to make. Any thread;
 * no lock. All of a pool are of one coding, one direction and, for compression, one weight.
 */
#ifndef SVC_CODING_CONTEXT_POOL_H
#define SVC_CODING_CONTEXT_POOL_H

#include <stdatomic.h>

enum { CONTEXT_SPARES = 16 };

struct context_pool {
    void (*end)(void *context);
    _Atomic(void *) spares[CONTEXT_SPARES];
};

/* Makes an empty pool, whose contexts `end` frees. */
void svc__context_pool_init(struct context_pool *pool, void (*end)(void *context));

/* Frees the contexts that wait; the pool is empty then. */
void svc__context_pool_free(struct context_pool *pool);

/* A context, which the caller resets and owns; NULL: none waits. */
void *svc__context_pool_take(struct context_pool *pool);

/* Gives a context back, wherever its body has ended, or frees it if enough of them wait. Accepts
 * NULL. */
void svc__context_pool_give(struct context_pool *pool, void *context);

#endif
