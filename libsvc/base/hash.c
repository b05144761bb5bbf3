/* SipHash-1-3 of Aumasson and Bernstein, with the round counts that Rust and Python settled on. */
#include "libsvc/base/hash.h"

#include "libsvc/base/rand.h"

struct state {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void round_once(struct state *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 = rotate(s->v2, 32);
}

static inline void take_word(struct state *s, uint64_t word)
{
    s->v3 ^= word;
    round_once(s);
    s->v0 ^= word;
}

/* Up to eight bytes as a little-endian number, whatever the machine. */
static inline uint64_t load(const char *data, size_t n)
{
    uint64_t word = 0;
    for (size_t i = 0; i < n; i++)
        word |= (uint64_t)(unsigned char)data[i] << (8 * i);
    return word;
}

uint64_t svc__hash_bytes(struct hash_seed seed, struct bytes text)
{
    struct state s = {
        seed.k0 ^ UINT64_C(0x736f6d6570736575), seed.k1 ^ UINT64_C(0x646f72616e646f6d),
        seed.k0 ^ UINT64_C(0x6c7967656e657261), seed.k1 ^ UINT64_C(0x7465646279746573)};
    size_t whole = text.len & ~(size_t)7;
    for (size_t i = 0; i < whole; i += 8)
        take_word(&s, load(text.data + i, 8));
    uint64_t rest = text.len > whole ? load(text.data + whole, text.len - whole) : 0;
    take_word(&s, rest | (uint64_t)text.len << 56);
    s.v2 ^= 0xff;
    round_once(&s);
    round_once(&s);
    round_once(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

struct hash_seed svc__hash_seed(void)
{
    struct hash_seed seed;
    svc__rand_bytes(&seed, sizeof seed);
    return seed;
}
