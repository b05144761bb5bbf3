#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "libsvc/base/hex.h"

Test(base_hex, every_byte_is_written_as_printf_does_and_read_back)
{
    unsigned char bytes[256], again[256];
    char digits[513] = "", expected[513];
    for (size_t i = 0; i < 256; i++) {
        bytes[i] = (unsigned char)i;
        snprintf(expected + 2 * i, 3, "%02x", (unsigned)i);
    }
    svc__hex_write(digits, bytes, 256);
    cr_expect_str_eq(digits, expected);
    cr_assert(svc__hex_read(again, digits, 256));
    cr_expect_eq(memcmp(again, bytes, 256), 0);
}

Test(base_hex, every_length_is_written_and_nothing_behind_it)
{
    static const unsigned char bytes[] = {0x9a, 0xf0, 0x0f, 0xa9, 0x12, 0xbc, 0xde, 0x00, 0xff};
    static const char expected[] = "9af00fa912bcde00ff";
    for (size_t n = 0; n <= sizeof bytes; n++) {
        char digits[20];
        memset(digits, '!', sizeof digits);
        svc__hex_write(digits, bytes, n);
        cr_expect_eq(memcmp(digits, expected, 2 * n), 0, "%zu", n);
        cr_expect_eq(digits[2 * n], '!', "%zu", n);
    }
}

Test(base_hex, what_is_no_lower_case_digit_is_refused)
{
    static const char *const bad[] = {"A0", "0F", "g0", "0g", "/0", "0:", "`0", " 0", "0\xff"};
    unsigned char byte;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_not(svc__hex_read(&byte, bad[i], 1), "%s", bad[i]);
    cr_expect(svc__hex_read(&byte, "", 0));
}

Test(base_hex, a_digit_of_either_case_has_its_value_and_nothing_else_has_one)
{
    static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
    for (int c = -128; c < 128; c++) {
        const char *at = c ? strchr(lower, c) : NULL;
        at = at || !c ? at : strchr(upper, c) ? lower + (strchr(upper, c) - upper) : NULL;
        cr_expect_eq(svc__hex_value((char)c), at ? (int)(at - lower) : -1, "%d", c);
    }
}
