/* SHA-256 (FIPS 180-4). */
#include "libsvc/base/sha256.h"

#include <string.h>

#include "libsvc/base/least.h"

enum { ROUNDS = 64, LENGTH_AT = SHA256_BLOCK - 8 };

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t constants[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t word, unsigned by)
{
    return word >> by | word << (32 - by);
}

static uint32_t read_word(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The names of the eight words are those of the standard. */
static void add_block(struct sha256 *hash, const unsigned char *block)
{
    uint32_t schedule[ROUNDS];
    for (int i = 0; i < 16; i++)
        schedule[i] = read_word(block + (size_t)4 * (size_t)i);
    for (int i = 16; i < ROUNDS; i++) {
        uint32_t near = schedule[i - 2], far = schedule[i - 15];
        schedule[i] = schedule[i - 16] + schedule[i - 7] +
                      (rotate(far, 7) ^ rotate(far, 18) ^ far >> 3) +
                      (rotate(near, 17) ^ rotate(near, 19) ^ near >> 10);
    }
    uint32_t a = hash->words[0], b = hash->words[1], c = hash->words[2], d = hash->words[3];
    uint32_t e = hash->words[4], f = hash->words[5], g = hash->words[6], h = hash->words[7];
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) +
                      constants[i] + schedule[i];
        uint32_t t2 =
            (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g;
        g = f;
        f = e;
        e = d + t1;
        d = c;
        c = b;
        b = a;
        a = t1 + t2;
    }
    const uint32_t added[8] = {a, b, c, d, e, f, g, h};
    for (int i = 0; i < 8; i++)
        hash->words[i] += added[i];
}

void svc__sha256_init(struct sha256 *hash)
{
    static const uint32_t first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(hash->words, first, sizeof first);
    hash->len = 0;
}

void svc__sha256_update(struct sha256 *hash, const void *data, size_t n)
{
    const unsigned char *from = data;
    while (n > 0) {
        size_t used = hash->len % SHA256_BLOCK, part = svc__least(n, SHA256_BLOCK - used);
        if (part == SHA256_BLOCK) {
            add_block(hash, from);
        } else {
            memcpy(hash->block + used, from, part);
            if (used + part == SHA256_BLOCK)
                add_block(hash, hash->block);
        }
        hash->len += part;
        from += part;
        n -= part;
    }
}

void svc__sha256_final(struct sha256 *hash, unsigned char out[static SHA256_BYTES])
{
    static const unsigned char padding[SHA256_BLOCK] = {0x80};
    unsigned char bits[8];
    for (unsigned i = 0; i < sizeof bits; i++)
        bits[i] = (unsigned char)(hash->len * 8 >> (56 - 8 * i));
    size_t used = hash->len % SHA256_BLOCK;
    svc__sha256_update(hash, padding,
                       used < LENGTH_AT ? LENGTH_AT - used : SHA256_BLOCK + LENGTH_AT - used);
    svc__sha256_update(hash, bits, sizeof bits);
    for (unsigned i = 0; i < SHA256_BYTES; i++)
        out[i] = (unsigned char)(hash->words[i / 4] >> (24 - 8 * (i % 4)));
}
