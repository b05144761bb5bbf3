/* SHA-256 (FIPS 180-4). The hash of an upload's content is its name, so no client can make two
 * uploads that share a name. A program that links a cryptographic library uses that one. */
#ifndef REPORTS_SHA256_H
#define REPORTS_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_TEXT = 65 /* 64 lower-case hexadecimal digits and a NUL */ };

struct sha256 {
    uint32_t state[8];
    uint64_t bytes; /* so far */
    unsigned char block[64];
};

void sha256_init(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *data, size_t len);

/* Ends the hash and writes it as text. */
void sha256_text(struct sha256 *hash, char text[SHA256_TEXT]);

#endif
