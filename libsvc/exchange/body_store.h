/* A request body as it arrives: small ones lie in the request's arena, larger ones grow on the
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

/* Appends. What is on the heap goes with the arena, so the store must live as long. 0, SVC_ETOOBIG
 * past the limit, SVC_ENOMEM; the bytes are unchanged on failure. */
int svc__body_store_append(struct body_store *store, struct arena *arena, const char *data,
                           size_t len);

#endif
