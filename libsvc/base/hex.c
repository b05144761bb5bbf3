/* Four bytes become eight digits at a time, since every request writes ids. */
#include "libsvc/base/hex.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

enum { STRIDE = 4 };

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The digits of four bytes as they lie in memory: each byte is spread over two, its high half
 * first; then '0' is added to all, and what separates '9' from 'a' to those above 9. */
static uint64_t digits_of(const unsigned char *bytes)
{
    uint32_t four;
    memcpy(&four, bytes, sizeof four);
    uint64_t x = le32toh(four);
    x = (x | x << 16) & UINT64_C(0x0000ffff0000ffff);
    x = (x | x << 8) & UINT64_C(0x00ff00ff00ff00ff);
    x = (x >> 4 & UINT64_C(0x000f000f000f000f)) | (x & UINT64_C(0x000f000f000f000f)) << 8;
    uint64_t letters = (x + EACH(6)) >> 4 & EACH(1);
    return htole64(x + EACH('0') + letters * ('a' - '9' - 1));
}

void svc__hex_write(char *out, const unsigned char *bytes, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    size_t i = 0;
    for (; n - i >= STRIDE; i += STRIDE) {
        uint64_t digits = digits_of(bytes + i);
        memcpy(out + 2 * i, &digits, sizeof digits);
    }
    for (; i < n; i++) {
        out[2 * i] = hex[bytes[i] >> 4];
        out[2 * i + 1] = hex[bytes[i] & 15];
    }
}

/* 0 to 15, or 16 for what is no digit. */
static unsigned value_of(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

bool svc__hex_read(unsigned char *out, const char *digits, size_t n)
{
    unsigned seen = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned high = value_of(digits[2 * i]), low = value_of(digits[2 * i + 1]);
        seen |= high | low;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return seen < 16;
}
