/* BLAKE2b as RFC 7693 3 defines it. */
#include "libsvc/base/blake2b.h"

#include <string.h>

static const uint64_t iv[8] = {UINT64_C(0x6a09e667f3bcc908), UINT64_C(0xbb67ae8584caa73b),
                               UINT64_C(0x3c6ef372fe94f82b), UINT64_C(0xa54ff53a5f1d36f1),
                               UINT64_C(0x510e527fade682d1), UINT64_C(0x9b05688c2b3e6c1f),
                               UINT64_C(0x1f83d9abfb41bd6b), UINT64_C(0x5be0cd19137e2179)};

/* The order of message words in each round; the last two repeat the first two. */
static const unsigned char sigma[12][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                            {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
                                            {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
                                            {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
                                            {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
                                            {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
                                            {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
                                            {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
                                            {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
                                            {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
                                            {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                            {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3}};

static uint64_t rotate(uint64_t word, unsigned bits)
{
    return word >> bits | word << (64 - bits);
}

static uint64_t load(const unsigned char *at)
{
    uint64_t word = 0;
    for (unsigned i = 0; i < 8; i++)
        word |= (uint64_t)at[i] << (8 * i);
    return word;
}

/* A macro, so that the state stays in registers also where the compiler would not inline. */
#define MIX(a, b, c, d, x, y)                                                                      \
    do {                                                                                           \
        v[a] = v[a] + v[b] + (x);                                                                  \
        v[d] = rotate(v[d] ^ v[a], 32);                                                            \
        v[c] = v[c] + v[d];                                                                        \
        v[b] = rotate(v[b] ^ v[c], 24);                                                            \
        v[a] = v[a] + v[b] + (y);                                                                  \
        v[d] = rotate(v[d] ^ v[a], 16);                                                            \
        v[c] = v[c] + v[d];                                                                        \
        v[b] = rotate(v[b] ^ v[c], 63);                                                            \
    } while (0)

static inline void round_of(uint64_t v[16], const uint64_t m[16], const unsigned char s[16])
{
    MIX(0, 4, 8, 12, m[s[0]], m[s[1]]);
    MIX(1, 5, 9, 13, m[s[2]], m[s[3]]);
    MIX(2, 6, 10, 14, m[s[4]], m[s[5]]);
    MIX(3, 7, 11, 15, m[s[6]], m[s[7]]);
    MIX(0, 5, 10, 15, m[s[8]], m[s[9]]);
    MIX(1, 6, 11, 12, m[s[10]], m[s[11]]);
    MIX(2, 7, 8, 13, m[s[12]], m[s[13]]);
    MIX(3, 4, 9, 14, m[s[14]], m[s[15]]);
}

static void compress(struct blake2b *hash, const unsigned char *block, uint64_t last)
{
    uint64_t v[16], m[16];
    for (unsigned i = 0; i < 16; i++)
        m[i] = load(block + 8 * (size_t)i);
    memcpy(v, hash->chain, sizeof hash->chain);
    memcpy(v + 8, iv, sizeof iv);
    v[12] ^= hash->count;
    v[14] ^= last;
    for (unsigned i = 0; i < 12; i++)
        round_of(v, m, sigma[i]);
    for (unsigned i = 0; i < 8; i++)
        hash->chain[i] ^= v[i] ^ v[i + 8];
}

void svc__blake2b_init(struct blake2b *hash, size_t len)
{
    memcpy(hash->chain, iv, sizeof iv);
    hash->chain[0] ^= UINT64_C(0x01010000) ^ len;
    hash->count = 0;
    hash->filled = 0;
    hash->len = len;
}

/* The last block is marked as such, so a full one waits until more comes. */
void svc__blake2b_update(struct blake2b *hash, const void *data, size_t n)
{
    const unsigned char *at = data;
    while (n > 0) {
        if (hash->filled == BLAKE2B_BLOCK) {
            hash->count += BLAKE2B_BLOCK;
            compress(hash, hash->block, 0);
            hash->filled = 0;
        }
        size_t room = BLAKE2B_BLOCK - hash->filled, some = n < room ? n : room;
        memcpy(hash->block + hash->filled, at, some);
        hash->filled += some;
        at += some;
        n -= some;
    }
}

void svc__blake2b_final(struct blake2b *hash, unsigned char *out)
{
    hash->count += hash->filled;
    memset(hash->block + hash->filled, 0, BLAKE2B_BLOCK - hash->filled);
    compress(hash, hash->block, UINT64_MAX);
    for (size_t i = 0; i < hash->len; i++)
        out[i] = (unsigned char)(hash->chain[i / 8] >> (8 * (i % 8)));
}
