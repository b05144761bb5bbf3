/* SHA-1, as FIPS 180-4 defines it. */
#include "libsvc/redis/redis_sha1.h"

#include <stdint.h>
#include <string.h>

enum { BLOCK_BYTES = 64, LENGTH_BYTES = 8, ROUNDS = 80 };

static uint32_t rotate_left(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

static void expand_block(uint32_t words[ROUNDS], const unsigned char *block)
{
    for (int i = 0; i < 16; i++)
        words[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
                   (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < ROUNDS; i++)
        words[i] = rotate_left(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
}

/* The function and the constant of a round. */
static uint32_t mix_round(int round, uint32_t b, uint32_t c, uint32_t d)
{
    if (round < 20)
        return ((b & c) | (~b & d)) + 0x5a827999U;
    if (round < 40)
        return (b ^ c ^ d) + 0x6ed9eba1U;
    if (round < 60)
        return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdcU;
    return (b ^ c ^ d) + 0xca62c1d6U;
}

static void hash_block(uint32_t state[5], const unsigned char *block)
{
    uint32_t words[ROUNDS], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    expand_block(words, block);
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t next = rotate_left(a, 5) + mix_round(i, b, c, d) + e + words[i];
        e = d;
        d = c;
        c = rotate_left(b, 30);
        b = a;
        a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

void svc__redis_sha1(const void *data, size_t len, unsigned char hash[REDIS_SHA1_BYTES])
{
    uint32_t state[5] = {0x67452301U, 0xefcdab89U, 0x98badcfeU, 0x10325476U, 0xc3d2e1f0U};
    unsigned char last[2 * BLOCK_BYTES] = {0};
    const unsigned char *at = data;
    size_t rest = len % BLOCK_BYTES;
    for (size_t i = 0; i < len / BLOCK_BYTES; i++)
        hash_block(state, at + i * BLOCK_BYTES);
    if (rest)
        memcpy(last, at + (len - rest), rest);
    last[rest] = 0x80;
    size_t padded = rest < BLOCK_BYTES - LENGTH_BYTES ? BLOCK_BYTES : 2 * BLOCK_BYTES;
    uint64_t bits = (uint64_t)len * 8;
    for (size_t i = 0; i < LENGTH_BYTES; i++)
        last[padded - 1 - i] = (unsigned char)(bits >> (8 * i));
    for (size_t i = 0; i < padded; i += BLOCK_BYTES)
        hash_block(state, last + i);
    for (size_t i = 0; i < REDIS_SHA1_BYTES; i++)
        hash[i] = (unsigned char)(state[i / 4] >> (24 - 8 * (i % 4)));
}

void svc__redis_sha1_digits(const void *data, size_t len, char digits[REDIS_SHA1_DIGITS + 1])
{
    static const char hexadecimal[] = "0123456789abcdef";
    unsigned char hash[REDIS_SHA1_BYTES];
    svc__redis_sha1(data, len, hash);
    for (size_t i = 0; i < REDIS_SHA1_BYTES; i++) {
        digits[2 * i] = hexadecimal[hash[i] >> 4];
        digits[2 * i + 1] = hexadecimal[hash[i] & 15];
    }
    digits[REDIS_SHA1_DIGITS] = '\0';
}
