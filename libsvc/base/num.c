/* Decimal numbers to and from bytes. */
#include "libsvc/base/num.h"

#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <svc/errors.h>

int svc__num_u64(struct bytes text, uint64_t max, uint64_t *out)
{
    if (text.len == 0)
        return SVC_ESYNTAX;
    uint64_t n = 0;
    bool over = false; /* read to the end: a text that is no number is never "too big" */
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return SVC_ESYNTAX;
        unsigned digit = (unsigned)(text.data[i] - '0');
        over = over || digit > max || n > (max - digit) / 10;
        n = over ? 0 : n * 10 + digit;
    }
    if (over)
        return SVC_ETOOBIG;
    *out = n;
    return 0;
}

int svc__num_i64(struct bytes text, int64_t *out)
{
    uint64_t n;
    bool negative = text.len > 0 && text.data[0] == '-';
    if (negative)
        text = svc__bytes(text.data + 1, text.len - 1);
    int error = svc__num_u64(text, (uint64_t)INT64_MAX + negative, &n);
    if (!error)
        *out = negative && n > 0 ? -(int64_t)(n - 1) - 1 : (int64_t)n;
    return error;
}

static bool skip_one_of(const char **at, const char *wanted)
{
    bool there = **at != '\0' && strchr(wanted, **at) != NULL;
    *at += there;
    return there;
}

static bool take_digits(const char **at)
{
    const char *begin = *at;
    while (**at >= '0' && **at <= '9')
        (*at)++;
    return *at > begin;
}

static bool is_decimal(struct bytes text)
{
    const char *at = text.data;
    skip_one_of(&at, "-");
    bool good = take_digits(&at);
    if (good && skip_one_of(&at, "."))
        good = take_digits(&at);
    if (good && skip_one_of(&at, "eE")) {
        skip_one_of(&at, "+-");
        good = take_digits(&at);
    }
    return good && at == text.data + text.len;
}

/* The C library keeps the locale "C" itself: asking for it allocates nothing and cannot fail. */
static locale_t plain_locale(void)
{
    return newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

int svc__num_double(struct bytes text, double *out)
{
    if (text.len == 0)
        return SVC_ESYNTAX;
    if (text.len > NUM_DOUBLE_LEN)
        return SVC_ETOOBIG;
    if (!is_decimal(text))
        return SVC_ESYNTAX;
    double n = strtod_l(text.data, NULL, plain_locale());
    if (!isfinite(n))
        return SVC_ETOOBIG;
    *out = n;
    return 0;
}

/* The number of decimal digits of `n`. A digit is worth log2(10) bits, and 1233 / 4096 is its
 * inverse as closely as 64 bits need; where a power of ten lies between two powers of two, the
 * table decides. */
static size_t count_digits(uint64_t n)
{
    static const uint64_t powers[NUM_U64_LEN] = {
        0,
        10,
        100,
        1000,
        10000,
        100000,
        1000000,
        10000000,
        100000000,
        1000000000,
        10000000000,
        100000000000,
        1000000000000,
        10000000000000,
        100000000000000,
        1000000000000000,
        10000000000000000,
        100000000000000000,
        1000000000000000000,
        UINT64_C(10000000000000000000),
    };
    unsigned bits = 64 - (unsigned)__builtin_clzll(n | 1);
    unsigned guess = bits * 1233 >> 12;
    return guess + (n >= powers[guess]);
}

size_t svc__num_format_u64(char out[static NUM_U64_LEN], uint64_t n)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    if (n < 10) { /* the most frequent ones */
        out[0] = (char)('0' + n);
        return 1;
    }
    size_t len = count_digits(n), at = len;
    while (n >= 10) {
        at -= 2;
        memcpy(out + at, pairs + n % 100 * 2, 2);
        n /= 100;
    }
    if (at > 0)
        out[0] = (char)('0' + n);
    return len;
}

size_t svc__num_format_i64(char out[static NUM_I64_LEN], int64_t n)
{
    if (n >= 0)
        return svc__num_format_u64(out, (uint64_t)n);
    *out = '-';
    return 1 + svc__num_format_u64(out + 1, -(uint64_t)n);
}
