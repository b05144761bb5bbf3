/* A request's body as it arrives: a small one lies in the request's arena, a larger one on the
 * heap. */
#ifndef SVC_EXCHANGE_BODY_STORE_H
#define SVC_EXCHANGE_BODY_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libsvc/base/arena.h"

struct body_store {
    char *data;
    size_t len, space;
    uint64_t limit; /* bytes that are accepted */
    bool heap;
};

/* Appends bytes. Memory on the heap is freed with the arena, so the store must live as long. 0;
 * SVC_ETOOBIG past the limit, or SVC_ENOMEM: the store is unchanged then. */
int svc__body_store_append(struct body_store *store, struct arena *arena, const char *data,
                           size_t len);

#endif
