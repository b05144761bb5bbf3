/*
 * SipHash-2-4 of Aumasson and Bernstein. Under a random key no stranger can find texts whose hashes
 * collide, so tables whose keys come from the network use it. Under the known key every process
 * gives a text the same hash; a stranger who can choose texts may then find two with the same hash,
 * so it must serve neither as a secret nor as a signature.
 */
#ifndef SVC_BASE_SIPHASH_H
#define SVC_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#include "libsvc/base/bytes.h"

enum { SIPHASH_SIZE = 16 };

struct siphash_key {
    uint64_t k0, k1;
};

/* The key of the algorithm's own test vectors: 00, 01, 02, and so on. */
extern const struct siphash_key svc__siphash_known_key;

/* A random key. Any thread. */
struct siphash_key svc__siphash_key(void);

/* The hash of `text` in 64 bits. Any thread. */
uint64_t svc__siphash(struct siphash_key key, struct bytes text);

/* A hash of 128 bits under way, piece by piece. Embedded by value; its members are its own. */
struct siphash {
    uint64_t v0, v1, v2, v3;
    uint64_t tail; /* bytes that fill no word yet */
    uint64_t len;  /* bytes added so far */
};

/* Begins a hash of 128 bits. */
void svc__siphash_init(struct siphash *hash, struct siphash_key key);

/* Adds `n` bytes; `data` may be NULL when `n` is 0. */
void svc__siphash_update(struct siphash *hash, const void *data, size_t n);

/* Writes the hash, which must then be begun anew. */
void svc__siphash_final(struct siphash *hash, unsigned char out[static SIPHASH_SIZE]);

#endif
