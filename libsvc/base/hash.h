/*
 * A keyed hash (SipHash-1-3) for tables whose keys come from the network: without the seed nobody
 * can make up keys that meet in one place.
 */
#ifndef LIBSVC_BASE_HASH_H
#define LIBSVC_BASE_HASH_H

#include <stdint.h>

#include "libsvc/base/bytes.h"

/* The key of the hash. A table draws its own, by svc__hash_seed. */
struct hash_seed {
    uint64_t k0, k1;
};

/* A random seed. Any thread. */
struct hash_seed svc__hash_seed(void);

/* The hash of `text` under `seed`: every bit of it depends on every bit of both. Any thread. */
uint64_t svc__hash_bytes(struct hash_seed seed, struct bytes text);

#endif
