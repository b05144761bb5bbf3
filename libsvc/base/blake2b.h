/*
 * BLAKE2b (RFC 7693) without a key: a hash that nobody can find two inputs for, at about a gigabyte
 * a second, and the same in every process that serves the same bytes.
 */
#ifndef LIBSVC_BASE_BLAKE2B_H
#define LIBSVC_BASE_BLAKE2B_H

#include <stddef.h>
#include <stdint.h>

enum { BLAKE2B_BLOCK = 128, BLAKE2B_MAX = 64 };

/* A hash under way. Embedded by value; its members are its own. */
struct blake2b {
    uint64_t chain[8];
    uint64_t count; /* bytes hashed; 2^64 of them are out of reach */
    size_t filled;  /* bytes waiting in `block` */
    size_t len;     /* of the digest */
    unsigned char block[BLAKE2B_BLOCK];
};

/* Begins a hash whose digest will have `len` bytes, 1 to BLAKE2B_MAX. */
void svc__blake2b_init(struct blake2b *hash, size_t len);

/* Adds `n` bytes; `data` may be NULL when `n` is 0. */
void svc__blake2b_update(struct blake2b *hash, const void *data, size_t n);

/* Writes the digest. The hash is then to be begun anew. */
void svc__blake2b_final(struct blake2b *hash, unsigned char *out);

#endif
