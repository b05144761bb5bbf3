/*
 * SipHash-2-4 with 128 bits, piece by piece, under a key that everybody knows: no two texts share a
 * hash by accident, and every process gives a text the same one. Who can choose texts may find two
 * that share one, so it stands for no secret and no signature.
 */
#ifndef LIBSVC_BASE_SIPHASH_H
#define LIBSVC_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

enum { SIPHASH_SIZE = 16 };

/* A hash under way. Embedded by value; its members are its own. */
struct siphash {
    uint64_t v0, v1, v2, v3;
    uint64_t tail; /* bytes that fill no word yet */
    uint64_t len;  /* of all that was added */
};

/* Begins a hash. The key is the one of the algorithm's own test vectors: 00, 01, 02, and so on. */
void svc__siphash_init(struct siphash *hash);

/* Adds `n` bytes; `data` may be NULL when `n` is 0. */
void svc__siphash_update(struct siphash *hash, const void *data, size_t n);

/* Writes the hash, which is then to be begun anew. */
void svc__siphash_final(struct siphash *hash, unsigned char out[static SIPHASH_SIZE]);

#endif
