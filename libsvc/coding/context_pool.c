/* Each spare is one atomic word: taken by an exchange with NULL, given by a comparison with NULL.
 */
#include "libsvc/coding/context_pool.h"

#include <stddef.h>

void svc__context_pool_init(struct context_pool *pool, void (*end)(void *context))
{
    pool->end = end;
    for (size_t i = 0; i < CONTEXT_SPARES; i++)
        atomic_init(&pool->spares[i], NULL);
}

void svc__context_pool_free(struct context_pool *pool)
{
    void *context;
    while ((context = svc__context_pool_take(pool)))
        pool->end(context);
}

void *svc__context_pool_take(struct context_pool *pool)
{
    for (size_t i = 0; i < CONTEXT_SPARES; i++) {
        void *context = atomic_load_explicit(&pool->spares[i], memory_order_relaxed);
        if (context)
            context = atomic_exchange_explicit(&pool->spares[i], NULL, memory_order_acquire);
        if (context)
            return context;
    }
    return NULL;
}

void svc__context_pool_give(struct context_pool *pool, void *context)
{
    for (size_t i = 0; i < CONTEXT_SPARES && context; i++) {
        void *none = NULL;
        if (atomic_compare_exchange_strong_explicit(&pool->spares[i], &none, context,
                                                    memory_order_release, memory_order_relaxed))
            return;
    }
    if (context)
        pool->end(context);
}
