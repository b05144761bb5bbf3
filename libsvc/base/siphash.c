/* SipHash of Aumasson and Bernstein, with the longer output of its reference implementation. */
#include "libsvc/base/siphash.h"

#include <endian.h>
#include <string.h>

static inline uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static inline void round_once(struct siphash *h)
{
    h->v0 += h->v1;
    h->v2 += h->v3;
    h->v1 = rotate(h->v1, 13) ^ h->v0;
    h->v3 = rotate(h->v3, 16) ^ h->v2;
    h->v0 = rotate(h->v0, 32);
    h->v2 += h->v1;
    h->v0 += h->v3;
    h->v1 = rotate(h->v1, 17) ^ h->v2;
    h->v3 = rotate(h->v3, 21) ^ h->v0;
    h->v2 = rotate(h->v2, 32);
}

static inline void take_word(struct siphash *h, uint64_t word)
{
    h->v3 ^= word;
    round_once(h);
    round_once(h);
    h->v0 ^= word;
}

static inline uint64_t load(const unsigned char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return le64toh(word);
}

void svc__siphash_init(struct siphash *hash)
{
    const uint64_t k0 = UINT64_C(0x0706050403020100), k1 = UINT64_C(0x0f0e0d0c0b0a0908);
    *hash = (struct siphash){.v0 = k0 ^ UINT64_C(0x736f6d6570736575),
                             .v1 = k1 ^ UINT64_C(0x646f72616e646f6d) ^ 0xee,
                             .v2 = k0 ^ UINT64_C(0x6c7967656e657261),
                             .v3 = k1 ^ UINT64_C(0x7465646279746573)};
}

static inline void take_byte(struct siphash *h, unsigned char byte)
{
    h->tail |= (uint64_t)byte << (8 * (h->len & 7));
    if ((++h->len & 7) == 0) {
        take_word(h, h->tail);
        h->tail = 0;
    }
}

void svc__siphash_update(struct siphash *hash, const void *data, size_t n)
{
    const unsigned char *at = data;
    struct siphash h = *hash; /* in registers */
    for (; n > 0 && (h.len & 7); n--)
        take_byte(&h, *at++);
    for (; n >= 8; n -= 8, at += 8, h.len += 8)
        take_word(&h, load(at));
    for (; n > 0; n--)
        take_byte(&h, *at++);
    *hash = h;
}

static uint64_t squeeze(struct siphash *h)
{
    for (int i = 0; i < 4; i++)
        round_once(h);
    return htole64(h->v0 ^ h->v1 ^ h->v2 ^ h->v3);
}

void svc__siphash_final(struct siphash *hash, unsigned char out[static SIPHASH_SIZE])
{
    uint64_t words[2];
    take_word(hash, hash->tail | hash->len << 56);
    hash->v2 ^= 0xee;
    words[0] = squeeze(hash);
    hash->v1 ^= 0xdd;
    words[1] = squeeze(hash);
    memcpy(out, words, sizeof words);
}
