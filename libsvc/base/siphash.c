/* Both lengths of output are those of the authors' reference implementation. */
#include "libsvc/base/siphash.h"

#include <endian.h>
#include <string.h>

#include "libsvc/base/rand.h"

const struct siphash_key svc__siphash_known_key = {UINT64_C(0x0706050403020100),
                                                   UINT64_C(0x0f0e0d0c0b0a0908)};

struct siphash_key svc__siphash_key(void)
{
    struct siphash_key key;
    svc__rand_bytes(&key, sizeof key);
    return key;
}

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

static inline struct siphash begin(struct siphash_key key)
{
    return (struct siphash){.v0 = key.k0 ^ UINT64_C(0x736f6d6570736575),
                            .v1 = key.k1 ^ UINT64_C(0x646f72616e646f6d),
                            .v2 = key.k0 ^ UINT64_C(0x6c7967656e657261),
                            .v3 = key.k1 ^ UINT64_C(0x7465646279746573)};
}

void svc__siphash_init(struct siphash *hash, struct siphash_key key)
{
    *hash = begin(key);
    hash->v1 ^= 0xee;
}

static inline void take_byte(struct siphash *h, unsigned char byte)
{
    h->tail |= (uint64_t)byte << (8 * (h->len & 7));
    if ((++h->len & 7) == 0) {
        take_word(h, h->tail);
        h->tail = 0;
    }
}

static inline struct siphash absorb(struct siphash h, const unsigned char *at, size_t n)
{
    for (; n > 0 && (h.len & 7); n--)
        take_byte(&h, *at++);
    for (; n >= 8; n -= 8, at += 8, h.len += 8)
        take_word(&h, load(at));
    for (; n > 0; n--)
        take_byte(&h, *at++);
    return h;
}

void svc__siphash_update(struct siphash *hash, const void *data, size_t n)
{
    *hash = absorb(*hash, data, n);
}

static inline uint64_t squeeze(struct siphash *h)
{
    for (int i = 0; i < 4; i++)
        round_once(h);
    return h->v0 ^ h->v1 ^ h->v2 ^ h->v3;
}

static inline void take_end(struct siphash *h)
{
    take_word(h, h->tail | h->len << 56);
}

/* The whole text is there, so its last bytes are one word at once. */
uint64_t svc__siphash(struct siphash_key key, struct bytes text)
{
    struct siphash h = begin(key);
    const unsigned char *at = (const unsigned char *)text.data;
    size_t left = text.len;
    uint64_t tail = 0;
    for (; left >= 8; left -= 8, at += 8)
        take_word(&h, load(at));
    if (left > 0)
        memcpy(&tail, at, left);
    take_word(&h, le64toh(tail) | (uint64_t)text.len << 56);
    h.v2 ^= 0xff;
    return squeeze(&h);
}

void svc__siphash_final(struct siphash *hash, unsigned char out[static SIPHASH_SIZE])
{
    uint64_t words[2];
    take_end(hash);
    hash->v2 ^= 0xee;
    words[0] = htole64(squeeze(hash));
    hash->v1 ^= 0xdd;
    words[1] = htole64(squeeze(hash));
    memcpy(out, words, sizeof words);
}
