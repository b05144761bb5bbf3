/* A request body as it arrives. */
#include "libsvc/exchange/body_store.h"

#include <stdlib.h>
#include <string.h>

#include <svc/errors.h>

/* A body up to this size costs no allocation: it fits in the exchange's first chunk. */
enum { FIRST_SPACE = 1024 };

static void free_heap(void *arg)
{
    struct body_store *store = arg;
    if (store->heap)
        free(store->data);
    *store = (struct body_store){.limit = store->limit};
}

/* Grows by doubling, as bytes arrive: an announced length alone costs nothing. */
static int grow(struct body_store *store, struct arena *arena, size_t needed)
{
    if (!store->data && needed <= FIRST_SPACE) {
        store->data = svc__arena_alloc(arena, FIRST_SPACE);
        if (!store->data)
            return SVC_ENOMEM;
        store->space = FIRST_SPACE;
        return 0;
    }
    size_t space = store->space ? store->space : FIRST_SPACE;
    while (space < needed) {
        if (space > SIZE_MAX / 2)
            return SVC_ENOMEM;
        space *= 2;
    }
    if (!store->heap && svc__arena_defer(arena, free_heap, store))
        return SVC_ENOMEM;
    char *data = realloc(store->heap ? store->data : NULL, space);
    if (!data)
        return SVC_ENOMEM;
    if (!store->heap && store->len)
        memcpy(data, store->data, store->len);
    store->data = data;
    store->space = space;
    store->heap = true;
    return 0;
}

int svc__body_store_append(struct body_store *store, struct arena *arena, const char *data,
                           size_t len)
{
    if (len > store->limit || store->len > store->limit - len)
        return SVC_ETOOBIG;
    if (len > SIZE_MAX - 1 - store->len)
        return SVC_ETOOBIG;
    size_t needed = store->len + len + 1;
    if (needed > store->space) {
        int error = grow(store, arena, needed);
        if (error)
            return error;
    }
    if (len)
        memcpy(store->data + store->len, data, len);
    store->len += len;
    store->data[store->len] = '\0';
    return 0;
}
