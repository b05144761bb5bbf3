#include <criterion/criterion.h>
#include <inttypes.h>

#include <svc/errors.h>

#include "libsvc/base/clock.h"
#include "libsvc/proto/date.h"
#include "tests/unit/proto/vectors.h"

enum { NOW = 1795515326 /* Tue, 24 Nov 2026 10:15:26 GMT */ };

Test(proto_date, all_three_forms_are_read)
{
    static const struct {
        struct bytes text;
        int64_t seconds;
    } rows[] = {
        /* RFC 9110 5.6.7 */
        {LITERAL("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777},
        {LITERAL("Sunday, 06-Nov-94 08:49:37 GMT"), 784111777},
        {LITERAL("Sun Nov  6 08:49:37 1994"), 784111777},
        {LITERAL("Sun Nov 06 08:49:37 1994"), 784111777},
        {LITERAL("Wed Nov 16 08:49:37 1994"), 784975777},
        {LITERAL("Thu, 01 Jan 1970 00:00:00 GMT"), 0},
        {LITERAL("Wed, 31 Dec 1969 23:59:59 GMT"), -1},
        {LITERAL("Sat, 01 Jan 0000 00:00:00 GMT"), INT64_C(-62167219200)},
        {LITERAL("Fri, 31 Dec 9999 23:59:59 GMT"), INT64_C(253402300799)},
        {LITERAL("Tue, 29 Feb 2000 12:00:00 GMT"), 951825600},
        {LITERAL("Wed, 01 Mar 2000 00:00:00 GMT"), 951868800},
        {LITERAL("Thu, 29 Feb 2024 00:00:00 GMT"), 1709164800},
        {LITERAL("Tue, 19 Jan 2038 03:14:08 GMT"), INT64_C(2147483648)},
        /* the day's name is not checked against the date */
        {LITERAL("Mon, 06 Nov 1994 08:49:37 GMT"), 784111777},
        /* a leap second */
        {LITERAL("Sat, 31 Dec 2016 23:59:60 GMT"), 1483228800},
        /* two digits: at most 50 years ahead */
        {LITERAL("Tuesday, 24-Nov-26 00:00:00 GMT"), 1795478400},
        {LITERAL("Saturday, 01-Jan-00 00:00:00 GMT"), 946684800},
        {LITERAL("Wednesday, 01-Jan-75 00:00:00 GMT"), INT64_C(3313526400)},
        {LITERAL("Thursday, 31-Dec-76 00:00:00 GMT"), 220838400},
        {LITERAL("Tuesday, 31-Dec-99 23:59:59 GMT"), 946684799},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        int64_t seconds = 7;
        cr_expect_eq(svc__date_parse(rows[i].text, NOW, &seconds), 0, "%.*s", SHOW(rows[i].text));
        cr_expect_eq(seconds, rows[i].seconds, "%.*s gave %" PRId64, SHOW(rows[i].text), seconds);
    }
}

Test(proto_date, what_is_no_date_is_refused)
{
    static const struct bytes rows[] = {
        {NULL, 0},
        LITERAL(""),
        LITERAL("0"),
        LITERAL("-1"),
        LITERAL("now"),
        LITERAL(" Sun, 06 Nov 1994 08:49:37 GMT"),
        LITERAL("Sun, 06 Nov 1994 08:49:37 GMT "),
        LITERAL("Sun, 06 Nov 1994 08:49:37"),
        LITERAL("Sun, 06 Nov 1994 08:49:37 UTC"),
        LITERAL("Sun, 06 Nov 1994 08:49:37 gmt"),
        LITERAL("Sun, 06 Nov 1994 08:49:37 +00"),
        LITERAL("sun, 06 Nov 1994 08:49:37 GMT"),
        LITERAL("Sun, 06 nov 1994 08:49:37 GMT"),
        LITERAL("Xyz, 06 Nov 1994 08:49:37 GMT"),
        LITERAL("unM, 06 Nov 1994 08:49:37 GMT"),
        LITERAL("Sun, 06 anF 1994 08:49:37 GMT"),
        LITERAL("Sun, 6 Nov 1994 08:49:37 GMT"),
        LITERAL("Sun,  6 Nov 1994 08:49:37 GMT"),
        LITERAL("Sun, 00 Nov 1994 08:49:37 GMT"),
        LITERAL("Sun, 31 Nov 1994 08:49:37 GMT"),
        LITERAL("Sun, 29 Feb 1900 08:49:37 GMT"),
        LITERAL("Sun, 29 Feb 2023 08:49:37 GMT"),
        LITERAL("Sun, 06 Nov 1994 24:00:00 GMT"),
        LITERAL("Sun, 06 Nov 1994 08:60:37 GMT"),
        LITERAL("Sun, 06 Nov 1994 08:49:61 GMT"),
        LITERAL("Sun, 06 Nov 1994 -8:49:37 GMT"),
        LITERAL("Sun, 06 Nov 1994 08.49.37 GMT"),
        LITERAL("Sun, 06 Nov +994 08:49:37 GMT"),
        LITERAL("Sun, 06-Nov-1994 08:49:37 GMT"),
        LITERAL("Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT"),
        LITERAL("Sunday, 06-Nov-1994 08:49:37 GMT"),
        LITERAL("Sun, 06-Nov-94 08:49:37 GMT"),
        LITERAL("Someday, 06-Nov-94 08:49:37 GMT"),
        LITERAL("Sunday, 31-Nov-94 08:49:37 GMT"),
        LITERAL("Sunday"),
        LITERAL("Sunday, "),
        LITERAL("Sun Nov 6 08:49:37 1994"),
        LITERAL("Sun Nov   08:49:37 1994"),
        LITERAL("Sun Nov  0 08:49:37 1994"),
        LITERAL("Sun Nov  6 08:49:37 1994 GMT"),
        LITERAL("Sun Nov  6 08:49:37 94"),
        LITERAL("Sun, 06 Nov 1994 08:49:37\0GMT"),
        LITERAL("1994-11-06T08:49:37Z"),
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        int64_t seconds = 7;
        cr_expect_eq(svc__date_parse(rows[i], NOW, &seconds), SVC_ESYNTAX, "%.*s", SHOW(rows[i]));
        cr_expect_eq(seconds, 7);
    }
}

Test(proto_date, what_is_written_is_read_back)
{
    for (int64_t day = -719528; day < 2932897; day += 61) { /* all years from 0 to 9999 */
        char text[CLOCK_IMF_SIZE];
        int64_t seconds = day * 86400 + (day + 719528) % 86400, read = 0;
        struct bytes written = {text, svc__clock_imf(text, seconds)};
        cr_assert_eq(svc__date_parse(written, NOW, &read), 0, "%s", text);
        cr_assert_eq(read, seconds, "%s", text);
    }
}

/* The century's leap days are not those of its neighbours: 29 February 2100 does not exist. */
Test(proto_date, two_digits_find_a_century_that_has_the_day)
{
    static const struct {
        int64_t now;
        struct bytes text;
        int64_t seconds; /* INT64_MIN: refused */
    } rows[] = {
        {INT64_C(4102444800), LITERAL("Tuesday, 29-Feb-00 00:00:00 GMT"), 951782400},
        {INT64_C(4102444800), LITERAL("Tuesday, 28-Feb-00 00:00:00 GMT"), INT64_C(4107456000)},
        {0, LITERAL("Friday, 01-Jan-99 00:00:00 GMT"), 915148800},
        {0, LITERAL("Monday, 01-Jan-19 00:00:00 GMT"), 1546300800},
        {INT64_MIN, LITERAL("Friday, 01-Jan-99 00:00:00 GMT"), INT64_MIN},
        {INT64_MAX / 2, LITERAL("Friday, 01-Jan-99 00:00:00 GMT"), INT64_MIN},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        int64_t seconds = INT64_MIN;
        svc__date_parse(rows[i].text, rows[i].now, &seconds);
        cr_expect_eq(seconds, rows[i].seconds, "%zu: %" PRId64, i, seconds);
    }
}
