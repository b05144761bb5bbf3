/* SHA-256 (FIPS 180-4): for names and fingerprints that a hostile client must not make collide, and
 * that all instances of a service must agree on. */
#ifndef SVC_BASE_SHA256_H
#define SVC_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32, SHA256_BLOCK = 64 };

/* A hash under way. Embedded by value; its members are its own. */
struct sha256 {
    uint32_t words[8];
    uint64_t len; /* bytes added so far */
    unsigned char block[SHA256_BLOCK];
};

/* Begins a hash. */
void svc__sha256_init(struct sha256 *hash);

/* Adds `n` bytes; `data` may be NULL when `n` is 0. */
void svc__sha256_update(struct sha256 *hash, const void *data, size_t n);

/* Writes the hash, which must then be begun anew. */
void svc__sha256_final(struct sha256 *hash, unsigned char out[static SHA256_BYTES]);

#endif
