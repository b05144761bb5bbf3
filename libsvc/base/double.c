/*
 * Shortest decimals, by the algorithm of Raffaello Giulietti, "The Schubfach way to render doubles"
 * (2020, revised 2022): 128 bits of a power of ten decide exactly, without numbers of many words.
 */
#include "libsvc/base/double.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "libsvc/base/num.h"
#include "libsvc/base/powers.h"

typedef unsigned __int128 wide;

enum {
    FRACTION_BITS = 52,
    LOWEST_EXPONENT = -1074, /* of the smallest double: 2^-1074 */
    PLAIN_LOWEST = -5,       /* of the places that a decimal point may have without an exponent */
    PLAIN_HIGHEST = 21
};

static const uint64_t hidden_bit = UINT64_C(1) << FRACTION_BITS;

/* digits * 10^exponent */
struct decimal {
    uint64_t digits;
    int exponent;
};

/* significand * 2^exponent */
struct binary {
    uint64_t significand;
    int exponent;
};

static struct binary take_apart(double d)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    uint64_t fraction = bits & (hidden_bit - 1);
    int biased = (int)(bits >> FRACTION_BITS & 0x7ff);
    if (biased == 0)
        return (struct binary){fraction, LOWEST_EXPONENT};
    return (struct binary){fraction | hidden_bit, biased - 1 + LOWEST_EXPONENT};
}

/* Floors of logarithms in fixed point, exact for all exponents that doubles have. */
static int log10_of_power_of_2(int exponent)
{
    return (int)(exponent * INT64_C(1292913986) >> 32);
}

static int log10_of_three_quarters_of_power_of_2(int exponent)
{
    return (int)((exponent * INT64_C(1292913986) - 536607788) >> 32);
}

static int log2_of_power_of_10(int exponent)
{
    return (int)(exponent * INT64_C(14267572527) >> 32);
}

/* The product without its last 128 bits. If those were not zero, but for the error of the power,
 * the result is odd: then every comparison with an even number comes out as for the exact value. */
static uint64_t multiply(const uint64_t power[2], uint64_t n)
{
    wide low = (wide)power[1] * n;
    wide high = (wide)power[0] * n + (uint64_t)(low >> 64);
    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/* Four times a double and the ends of the interval that rounds to it, in units of 10^exponent. */
struct interval {
    uint64_t lower, value, upper;
    int exponent;
};

static struct interval interval_of(struct binary b)
{
    /* Below a power of two doubles lie closer by half. */
    bool closer = b.significand == hidden_bit && b.exponent > LOWEST_EXPONENT;
    int k = closer ? log10_of_three_quarters_of_power_of_2(b.exponent)
                   : log10_of_power_of_2(b.exponent);
    const uint64_t *power = svc__powers_of_ten[-k - POWERS_LOWEST];
    int shift = b.exponent + log2_of_power_of_10(-k) + 1;
    uint64_t value = b.significand * 4;
    uint64_t outside =
        b.significand & 1; /* readers round ties to even: then the ends belong to it */
    return (struct interval){
        .lower = multiply(power, (value - (closer ? 1 : 2)) << shift) + outside,
        .value = multiply(power, value << shift),
        .upper = multiply(power, (value + 2) << shift) - outside,
        .exponent = k,
    };
}

/* Finds the one of `step` * n and `step` * (n + 1), n being the value's floor in such steps, that
 * lies in the interval. False when neither or both do. */
static bool find_one(const struct interval *in, uint64_t step, uint64_t *found)
{
    uint64_t n = in->value / (4 * step);
    bool below = in->lower <= 4 * step * n, above = 4 * step * (n + 1) <= in->upper;
    *found = n + above;
    return below != above;
}

/* The nearer one of the two whole numbers around the value; the even one of two as near. */
static uint64_t nearest(const struct interval *in)
{
    uint64_t n = in->value / 4, middle = 4 * n + 2;
    return n + (in->value > middle || (in->value == middle && (n & 1)));
}

static struct decimal shortest(double d)
{
    struct interval in = interval_of(take_apart(d));
    uint64_t digits;
    if (in.value >= 40 && find_one(&in, 10, &digits))
        return (struct decimal){digits, in.exponent + 1};
    if (!find_one(&in, 1, &digits))
        digits = nearest(&in);
    return (struct decimal){digits, in.exponent};
}

/* Inline, since division by a constant is quicker. */
static inline void drop(struct decimal *decimal, uint64_t power, int zeros)
{
    if (decimal->digits % power != 0)
        return;
    decimal->digits /= power;
    decimal->exponent += zeros;
}

/* Drops up to 16 zeros from the end of the digits, which are 17 at most. */
static void drop_zeros(struct decimal *decimal)
{
    drop(decimal, 100000000, 8);
    drop(decimal, 10000, 4);
    drop(decimal, 10000, 4);
    drop(decimal, 100, 2);
    drop(decimal, 10, 1);
}

static char *put_bytes(char *to, const char *from, size_t n)
{
    memcpy(to, from, n);
    return to + n;
}

static char *put_zeros(char *to, int n)
{
    memset(to, '0', (size_t)n);
    return to + n;
}

/* One digit before the point, the others behind it. */
static char *put_with_exponent(char *to, const char *digits, size_t count, int exponent)
{
    *to++ = *digits;
    if (count > 1) {
        *to++ = '.';
        to = put_bytes(to, digits + 1, count - 1);
    }
    *to++ = 'e';
    *to++ = exponent < 0 ? '-' : '+';
    return to + svc__num_format_u64(to, (uint64_t)(exponent < 0 ? -exponent : exponent));
}

static char *put_decimal(char *to, struct decimal decimal)
{
    char digits[NUM_U64_LEN];
    int count = (int)svc__num_format_u64(digits, decimal.digits);
    int point = count + decimal.exponent; /* how many digits stand before it */
    if (point < PLAIN_LOWEST || point > PLAIN_HIGHEST)
        return put_with_exponent(to, digits, (size_t)count, point - 1);
    if (point <= 0) {
        to = put_zeros(put_bytes(to, "0.", 2), -point);
        return put_bytes(to, digits, (size_t)count);
    }
    if (point >= count)
        return put_zeros(put_bytes(to, digits, (size_t)count), point - count);
    to = put_bytes(to, digits, (size_t)point);
    *to++ = '.';
    return put_bytes(to, digits + point, (size_t)(count - point));
}

/* Up to 2^53 every whole number is a double, so none is identified by fewer digits than it has. */
static bool is_small_whole(double d)
{
    return d < 9007199254740992.0 && (double)(uint64_t)d == d;
}

size_t svc__double_format(char out[static DOUBLE_LEN], double d)
{
    char *to = out;
    if (signbit(d)) {
        *to++ = '-';
        d = -d;
    }
    if (is_small_whole(d))
        return (size_t)(to - out) + svc__num_format_u64(to, (uint64_t)d);
    struct decimal decimal = shortest(d);
    drop_zeros(&decimal);
    return (size_t)(put_decimal(to, decimal) - out);
}
