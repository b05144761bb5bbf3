#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

#include <svc/errors.h>

#include "libsvc/base/num.h"
#include "tests/unit/base/support.h"

Test(base_num, reads_digits_and_nothing_else)
{
    static const struct {
        struct bytes text;
        uint64_t max;
        int result;
        uint64_t number;
    } rows[] = {
        {LITERAL("0"), UINT64_MAX, 0, 0},
        {LITERAL("0"), 0, 0, 0},
        {LITERAL("7"), 7, 0, 7},
        {LITERAL("8"), 7, SVC_ETOOBIG, 0},
        {LITERAL("1"), 0, SVC_ETOOBIG, 0},
        {LITERAL("10"), 9, SVC_ETOOBIG, 0},
        {LITERAL("00042"), 42, 0, 42},
        {LITERAL("000000000000000000000000000001"), 1, 0, 1},
        {LITERAL("65535"), 65535, 0, 65535},
        {LITERAL("65536"), 65535, SVC_ETOOBIG, 0},
        {LITERAL("9223372036854775807"), INT64_MAX, 0, INT64_MAX},
        {LITERAL("9223372036854775808"), INT64_MAX, SVC_ETOOBIG, 0},
        {LITERAL("18446744073709551615"), UINT64_MAX, 0, UINT64_MAX},
        {LITERAL("18446744073709551616"), UINT64_MAX, SVC_ETOOBIG, 0},
        {LITERAL("18446744073709551620"), UINT64_MAX, SVC_ETOOBIG, 0},
        {LITERAL("99999999999999999999999999999999"), UINT64_MAX, SVC_ETOOBIG, 0},
        {LITERAL(""), UINT64_MAX, SVC_ESYNTAX, 0},
        {{NULL, 0}, UINT64_MAX, SVC_ESYNTAX, 0},
        {LITERAL("+1"), UINT64_MAX, SVC_ESYNTAX, 0},
        {LITERAL("-1"), UINT64_MAX, SVC_ESYNTAX, 0},
        {LITERAL(" 1"), UINT64_MAX, SVC_ESYNTAX, 0},
        {LITERAL("1 "), UINT64_MAX, SVC_ESYNTAX, 0},
        {LITERAL("0x10"), UINT64_MAX, SVC_ESYNTAX, 0},
        {LITERAL("1.0"), UINT64_MAX, SVC_ESYNTAX, 0},
        {LITERAL("1,0"), UINT64_MAX, SVC_ESYNTAX, 0},
        {LITERAL("1\0"), UINT64_MAX, SVC_ESYNTAX, 0},
        {LITERAL("\xd9\xa1"), UINT64_MAX, SVC_ESYNTAX, 0},
        /* What is no number is never too big. */
        {LITERAL("99999999999999999999999x"), UINT64_MAX, SVC_ESYNTAX, 0},
        {LITERAL("9x"), 1, SVC_ESYNTAX, 0},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        uint64_t number = 77;
        int result = svc__num_u64(rows[i].text, rows[i].max, &number);
        cr_expect_eq(result, rows[i].result, "row %zu: %d", i, result);
        cr_expect_eq(number, result == 0 ? rows[i].number : 77, "row %zu", i);
    }
}

Test(base_num, every_limit_is_sharp_for_small_numbers)
{
    for (uint64_t max = 0; max < 120; max++) {
        for (uint64_t n = 0; n < 1200; n++) {
            char text[8];
            int len = snprintf(text, sizeof text, "%" PRIu64, n);
            uint64_t number;
            int result = svc__num_u64(svc__bytes(text, (size_t)len), max, &number);
            cr_assert_eq(result, n <= max ? 0 : SVC_ETOOBIG, "%s of %" PRIu64, text, max);
            cr_assert(result != 0 || number == n);
        }
    }
}

static void expect_written(uint64_t n)
{
    char want[32], got[NUM_U64_LEN], got_signed[NUM_I64_LEN];
    int len = snprintf(want, sizeof want, "%" PRIu64, n);
    cr_assert_eq(svc__num_format_u64(got, n), (size_t)len, "%s", want);
    cr_assert_arr_eq(got, want, (size_t)len);
    len = snprintf(want, sizeof want, "%" PRId64, (int64_t)n);
    cr_assert_eq(svc__num_format_i64(got_signed, (int64_t)n), (size_t)len, "%s", want);
    cr_assert_arr_eq(got_signed, want, (size_t)len);
}

static void expect_written_around(uint64_t n)
{
    for (uint64_t step = 0; step < 3; step++) {
        expect_written(n + step);
        expect_written(n - step);
        expect_written(-(n + step));
        expect_written(-(n - step));
    }
}

Test(base_num, reads_whole_numbers_of_either_sign)
{
    static const struct {
        struct bytes text;
        int result;
        int64_t number;
    } rows[] = {
        {LITERAL("0"), 0, 0},
        {LITERAL("-0"), 0, 0},
        {LITERAL("-1"), 0, -1},
        {LITERAL("-007"), 0, -7},
        {LITERAL("9223372036854775807"), 0, INT64_MAX},
        {LITERAL("9223372036854775808"), SVC_ETOOBIG, 0},
        {LITERAL("-9223372036854775808"), 0, INT64_MIN},
        {LITERAL("-9223372036854775809"), SVC_ETOOBIG, 0},
        {LITERAL(""), SVC_ESYNTAX, 0},
        {LITERAL("-"), SVC_ESYNTAX, 0},
        {LITERAL("--1"), SVC_ESYNTAX, 0},
        {LITERAL("+1"), SVC_ESYNTAX, 0},
        {LITERAL("1-"), SVC_ESYNTAX, 0},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        int64_t number = 77;
        int result = svc__num_i64(rows[i].text, &number);
        cr_expect_eq(result, rows[i].result, "row %zu: %d", i, result);
        cr_expect_eq(number, result == 0 ? rows[i].number : 77, "row %zu", i);
    }
}

Test(base_num, reads_decimal_numbers_and_nothing_else_that_strtod_takes)
{
    static const struct {
        struct bytes text;
        int result;
        double number;
    } rows[] = {
        {LITERAL("0"), 0, 0},
        {LITERAL("-12.5e3"), 0, -12500},
        {LITERAL("1E+2"), 0, 100},
        {LITERAL("1e-2"), 0, 0.01},
        {LITERAL("0.1"), 0, 0.1},
        {LITERAL("1e-999"), 0, 0},
        {LITERAL("1e999"), SVC_ETOOBIG, 0},
        {LITERAL("-1e999"), SVC_ETOOBIG, 0},
        {LITERAL(""), SVC_ESYNTAX, 0},
        {LITERAL("-"), SVC_ESYNTAX, 0},
        {LITERAL("."), SVC_ESYNTAX, 0},
        {LITERAL("1."), SVC_ESYNTAX, 0},
        {LITERAL(".1"), SVC_ESYNTAX, 0},
        {LITERAL("1e"), SVC_ESYNTAX, 0},
        {LITERAL("1e+"), SVC_ESYNTAX, 0},
        {LITERAL("+1"), SVC_ESYNTAX, 0},
        {LITERAL(" 1"), SVC_ESYNTAX, 0},
        {LITERAL("1 "), SVC_ESYNTAX, 0},
        {LITERAL("1,5"), SVC_ESYNTAX, 0},
        {LITERAL("0x1p3"), SVC_ESYNTAX, 0},
        {LITERAL("inf"), SVC_ESYNTAX, 0},
        {LITERAL("nan"), SVC_ESYNTAX, 0},
        {LITERAL("1\0"), SVC_ESYNTAX, 0},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        double number = 77;
        int result = svc__num_double(rows[i].text, &number);
        cr_expect_eq(result, rows[i].result, "row %zu: %d", i, result);
        cr_expect_eq(number, result == 0 ? rows[i].number : 77, "row %zu", i);
    }
}

Test(base_num, a_decimal_number_has_a_ceiling_of_digits)
{
    char digits[NUM_DOUBLE_LEN + 2];
    double number;
    memset(digits, '0', sizeof digits);
    digits[NUM_DOUBLE_LEN + 1] = '\0';
    cr_expect_eq(svc__num_double(svc__bytes(digits, NUM_DOUBLE_LEN + 1), &number), SVC_ETOOBIG);
    cr_expect_eq(svc__num_double(svc__bytes(digits + 1, NUM_DOUBLE_LEN), &number), 0);
}

Test(base_num, writes_what_printf_writes)
{
    for (int i = 0; i < 64; i++)
        expect_written_around(UINT64_C(1) << i);
    uint64_t power = 1;
    for (int i = 0; i < NUM_U64_LEN; i++, power *= 10)
        expect_written_around(power);
    for (uint64_t n = 0; n < 20000; n++)
        expect_written(n);
}
