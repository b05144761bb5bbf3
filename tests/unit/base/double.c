#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/base/double.h"
#include "tests/unit/base/support.h"

/* The text of `d`, in memory that the next call uses again. */
static const char *text_of(double d)
{
    static char text[DOUBLE_LEN + 1];
    size_t len = svc__double_format(text, d);
    cr_assert(len > 0 && len <= DOUBLE_LEN);
    text[len] = '\0';
    return text;
}

Test(base_double, known_numbers)
{
    static const struct {
        double number;
        const char *text;
    } rows[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {-1, "-1"},
        {10, "10"},
        {1234567890, "1234567890"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {2.0 / 3, "0.6666666666666666"},
        {100.5, "100.5"},
        {-1.5e-3, "-0.0015"},
        {299792458.25, "299792458.25"},
        {3.141592653589793, "3.141592653589793"},
        {5e-324, "5e-324"},
        {1e-323, "1e-323"},
        {1.5e-323, "1.5e-323"},
        {2.225073858507201e-308, "2.225073858507201e-308"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {DBL_EPSILON, "2.220446049250313e-16"},
        {9007199254740991, "9007199254740991"},
        {9007199254740992, "9007199254740992"},
        {9007199254740993.0, "9007199254740992"},
        {9007199254740994, "9007199254740994"},
        {1e16, "10000000000000000"},
        {1e20, "100000000000000000000"},
        {123456789012345680000.0, "123456789012345680000"},
        {1e21, "1e+21"},
        {1.5e21, "1.5e+21"},
        {999999999999999900000.0, "999999999999999900000"},
        {1e22, "1e+22"},
        {1e23, "1e+23"},
        {9.999999999999999e22, "1e+23"},
        {9.999999999999997e22, "9.999999999999997e+22"},
        {9.5367431640625e-7, "9.5367431640625e-7"},
        {1e-5, "0.00001"},
        {1e-6, "0.000001"},
        {1e-7, "1e-7"},
        {-1.2345678901234567e-6, "-0.0000012345678901234567"},
        {1.2345e-7, "1.2345e-7"},
        {4.35, "4.35"},
        {4.349999999999999, "4.349999999999999"},
        {2e-44, "2e-44"},
        {5.960464477539063e-8, "5.960464477539063e-8"},
        {4294967296.5, "4294967296.5"},
        {72057594037927936.0, "72057594037927940"},
        {1.7800590868057611e-307, "1.7800590868057611e-307"},
        {2.8480945388892175e-306, "2.8480945388892175e-306"},
        {-9.1e100, "-9.1e+100"},
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_str_eq(text_of(rows[i].number), rows[i].text, "%s", text_of(rows[i].number));
}

static double of_bits(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

/* Digits without point, sign, exponent and zeros at the ends: how many, and which. */
static size_t digits_of(const char *text, char digits[32])
{
    size_t count = 0;
    for (; *text && *text != 'e'; text++)
        if (*text >= '0' && *text <= '9' && (count > 0 || *text != '0'))
            digits[count++] = *text;
    while (count > 0 && digits[count - 1] == '0')
        count--;
    digits[count] = '\0';
    return count;
}

/* printf's decimals are the nearest of their length. So if none of them with one digit less means
 * the number, no decimal of that length does. */
static void expect_shortest(double d)
{
    char text[32], digits[32], other[32], nearest[48];
    strcpy(text, text_of(d));
    cr_assert_eq(strtod(text, NULL), d, "%s for %a", text, d);
    int count = (int)digits_of(text, digits);
    snprintf(nearest, sizeof nearest, "%.*e", count - 1, d);
    digits_of(nearest, other);
    cr_assert(!strcmp(digits, other) || strtod(nearest, NULL) != d, "%s for %s", text, nearest);
    if (count == 1)
        return;
    snprintf(nearest, sizeof nearest, "%.*e", count - 2, d);
    cr_assert(strtod(nearest, NULL) != d, "%s for %s", text, nearest);
}

/* A double and its neighbours. */
static void expect_shortest_around(uint64_t bits)
{
    for (uint64_t step = 0; step <= 3; step++) {
        expect_shortest(of_bits(bits + step));
        if (bits > step)
            expect_shortest(of_bits(bits - step));
    }
}

Test(base_double, around_every_power_of_two)
{
    for (uint64_t biased = 1; biased < 2047; biased++)
        expect_shortest_around(biased << 52);
    for (int i = 0; i < 52; i++)
        expect_shortest_around(UINT64_C(1) << i);
}

Test(base_double, around_every_power_of_ten)
{
    for (int exponent = -323; exponent <= 308; exponent++) {
        char text[8];
        snprintf(text, sizeof text, "1e%d", exponent);
        double power = strtod(text, NULL);
        uint64_t bits;
        memcpy(&bits, &power, sizeof bits);
        expect_shortest_around(bits);
    }
}

static uint64_t next_number(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

Test(base_double, random_bits)
{
    uint64_t state = 88172645463325252;
    for (int i = 0; i < 200000; i++) {
        double d = of_bits(next_number(&state) >> 1);
        if (isfinite(d) && d > 0)
            expect_shortest(d);
    }
}

/* What services mostly send: few digits. */
Test(base_double, short_decimals_come_back_as_they_were)
{
    uint64_t state = 1;
    for (int i = 0; i < 100000; i++) {
        uint64_t number = next_number(&state);
        char text[40];
        snprintf(text, sizeof text, "%u.%u", (unsigned)(number % 1000000),
                 (unsigned)(number >> 32) % 10000 * 10 + 1);
        cr_assert_str_eq(text_of(strtod(text, NULL)), text);
    }
}
