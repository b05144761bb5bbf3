#include <criterion/criterion.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <svc/sys/number.h>

static void expect_text(const char *text, size_t len, const char *expected)
{
    cr_expect(len == strlen(expected) && !memcmp(text, expected, len), "%.*s and not %s", (int)len,
              text, expected);
}

Test(spans_number_sys, whole_numbers_are_written_in_decimal)
{
    char text[SVC_SYS_INT_LEN];
    expect_text(text, svc_sys_int_format(text, 0), "0");
    expect_text(text, svc_sys_int_format(text, INT64_MIN), "-9223372036854775808");
    expect_text(text, svc_sys_int_format(text, INT64_MAX), "9223372036854775807");
    expect_text(text, svc_sys_uint_format(text, UINT64_MAX), "18446744073709551615");
}

/* Where the system has such a locale, printf has shown its comma first. */
Test(spans_number_sys, doubles_have_a_point_whatever_the_locale)
{
    static const char *const locales[] = {"C", "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"};
    for (size_t i = 0; i < sizeof locales / sizeof *locales; i++) {
        char text[SVC_SYS_DOUBLE_LEN], printed[8];
        if (!setlocale(LC_ALL, locales[i]))
            continue;
        snprintf(printed, sizeof printed, "%.1f", 0.5);
        cr_expect(i == 0 || printed[1] == ',', "%s", locales[i]);
        expect_text(text, svc_sys_double_format(text, 0.1), "0.1");
        expect_text(text, svc_sys_double_format(text, -1234.5), "-1234.5");
        expect_text(text, svc_sys_double_format(text, 1e300), "1e+300");
    }
}

Test(spans_number_sys, infinities_and_no_buffer_give_no_text)
{
    char text[SVC_SYS_DOUBLE_LEN];
    cr_expect_eq(svc_sys_double_format(text, NAN), 0);
    cr_expect_eq(svc_sys_double_format(text, -INFINITY), 0);
    cr_expect_eq(svc_sys_double_format(NULL, 1), 0);
    cr_expect_eq(svc_sys_int_format(NULL, 1), 0);
    cr_expect_eq(svc_sys_uint_format(NULL, 1), 0);
}
