/* A table of all pairs of digits, and four bytes a turn, since every request writes ids. */
#include "libsvc/base/hex.h"

#include <string.h>

#define ROW(high)                                                                                  \
    high "0" high "1" high "2" high "3" high "4" high "5" high "6" high "7" high "8" high "9" high \
         "a" high "b" high "c" high "d" high "e" high "f"

static const char pairs[] = ROW("0") ROW("1") ROW("2") ROW("3") ROW("4") ROW("5") ROW("6") ROW("7")
    ROW("8") ROW("9") ROW("a") ROW("b") ROW("c") ROW("d") ROW("e") ROW("f");

static void put_hex(char *out, unsigned char byte)
{
    memcpy(out, pairs + (size_t)2 * byte, 2);
}

void svc__hex_write(char *out, const unsigned char *bytes, size_t n)
{
    const unsigned char *end = bytes + n;
    for (; end - bytes >= 4; bytes += 4, out += 8) {
        put_hex(out, bytes[0]);
        put_hex(out + 2, bytes[1]);
        put_hex(out + 4, bytes[2]);
        put_hex(out + 6, bytes[3]);
    }
    for (; bytes < end; bytes++, out += 2)
        put_hex(out, *bytes);
}

/* 0 to 15, or 16 for any other character. */
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

int svc__hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
