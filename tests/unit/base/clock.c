#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "libsvc/base/clock.h"
#include "tests/unit/base/support.h"

/* The offset is as of the last tick: until then the clocks may have drifted by some microseconds.
 */
Test(base_clock, the_offset_leads_from_one_clock_to_the_other)
{
    enum { DRIFT_NS = 1000000 };
    for (int i = 0; i < 10000; i++) {
        uint64_t before = svc__clock_wall_ns();
        uint64_t between = svc__clock_ns() + (uint64_t)svc__clock_wall_offset();
        uint64_t after = svc__clock_wall_ns();
        cr_assert_geq(between + DRIFT_NS, before);
        cr_assert_leq(between, after + DRIFT_NS);
    }
}

Test(base_clock, never_steps_back)
{
    uint64_t before = svc__clock_ns();
    for (int i = 0; i < 10000; i++) {
        uint64_t now = svc__clock_ns();
        cr_assert_geq(now, before);
        before = now;
    }
    uint64_t ms = svc__clock_ms();
    cr_expect_geq(ms, before / 1000000);
    cr_expect_leq(ms, svc__clock_ns() / 1000000);
}

/* As programs that wait for one on the other need. */
Test(base_clock, the_coarse_clock_is_never_ahead)
{
    for (int i = 0; i < 1000; i++) {
        uint64_t coarse_ns = svc__clock_coarse_ns();
        cr_assert_leq(coarse_ns, svc__clock_ns());
    }
    uint64_t before_ns = svc__clock_coarse_ns(), until_ns = svc__clock_ns() + 60000000000;
    while (svc__clock_coarse_ns() == before_ns)
        cr_assert_lt(svc__clock_ns(), until_ns, "it stands still");
}

Test(base_clock, the_wall_clock_is_that_of_the_system)
{
    struct timespec before, after; /* and not by time(), which may lag by a tick of the kernel */
    clock_gettime(CLOCK_REALTIME, &before);
    uint64_t now = svc__clock_wall_us() / 1000000;
    clock_gettime(CLOCK_REALTIME, &after);
    cr_expect_geq(now, (uint64_t)before.tv_sec);
    cr_expect_leq(now, (uint64_t)after.tv_sec);
}

Test(base_clock, http_dates_are_imf_fixdates)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } rows[] = {
        {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"}, /* RFC 9110 5.6.7 */
        {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {-1, "Wed, 31 Dec 1969 23:59:59 GMT"},
        {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
        {951868800, "Wed, 01 Mar 2000 00:00:00 GMT"},
        {INT64_C(4107542400), "Mon, 01 Mar 2100 00:00:00 GMT"},
        {INT64_C(4107542399), "Sun, 28 Feb 2100 23:59:59 GMT"},
        {INT64_C(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT"},
        {INT64_C(253402300800), "Fri, 31 Dec 9999 23:59:59 GMT"},
        {INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT"},
        {INT64_C(-62167219200), "Sat, 01 Jan 0000 00:00:00 GMT"},
        {INT64_C(-62167219201), "Sat, 01 Jan 0000 00:00:00 GMT"},
        {INT64_MIN, "Sat, 01 Jan 0000 00:00:00 GMT"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        char out[CLOCK_IMF_SIZE];
        cr_expect_eq(svc__clock_imf(out, rows[i].seconds), 29);
        cr_expect_str_eq(out, rows[i].text);
    }
}

Test(base_clock, log_times_are_rfc3339_with_microseconds)
{
    static const struct {
        uint64_t us;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000000Z"},
        {1, "1970-01-01T00:00:00.000001Z"},
        {UINT64_C(1000000000999999), "2001-09-09T01:46:40.999999Z"},
        {UINT64_C(253402300799999999), "9999-12-31T23:59:59.999999Z"},
        {UINT64_C(253402300800000000), "9999-12-31T23:59:59.999999Z"},
        {UINT64_MAX, "9999-12-31T23:59:59.999999Z"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        char out[CLOCK_RFC3339_SIZE];
        cr_expect_eq(svc__clock_rfc3339(out, rows[i].us), 27);
        cr_expect_str_eq(out, rows[i].text);
    }
}

Test(base_clock, a_time_that_is_written_again_has_the_same_text)
{
    static const uint64_t times[] = {0,
                                     999999,
                                     1,
                                     1000000,
                                     UINT64_C(1000000000999999),
                                     UINT64_C(1000000000000000),
                                     UINT64_C(1000000001000000),
                                     UINT64_C(1000000000999999),
                                     UINT64_C(253402300799999998),
                                     UINT64_C(253402300800000000),
                                     UINT64_C(253402300800000001),
                                     5};
    struct clock_text last = {0};
    for (size_t i = 0; i < ROWS(times); i++) {
        char out[CLOCK_RFC3339_SIZE];
        svc__clock_rfc3339(out, times[i]);
        cr_expect_str_eq(svc__clock_text(&last, times[i]), out, "row %zu", i);
    }
}

Test(base_clock, timestamps_have_a_fraction_only_where_it_is_not_zero)
{
    static const struct {
        int64_t us;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00Z"},
        {1, "1970-01-01T00:00:00.000001Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
        {-1000000, "1969-12-31T23:59:59Z"},
        {INT64_C(1795488286123000), "2026-11-24T02:44:46.123000Z"},
        {INT64_C(1795488286000000), "2026-11-24T02:44:46Z"},
        {-INT64_C(62167219200000000), "0000-01-01T00:00:00Z"},
        {-INT64_C(62167219200000001), ""},
        {INT64_C(253402300799999999), "9999-12-31T23:59:59.999999Z"},
        {INT64_C(253402300800000000), ""},
        {INT64_MIN, ""},
        {INT64_MAX, ""},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        char out[CLOCK_RFC3339_SIZE] = "";
        cr_expect_eq(svc__clock_timestamp(out, rows[i].us), strlen(rows[i].text));
        cr_expect_str_eq(out, rows[i].text, "row %zu: %s", i, out);
    }
}

/* A stride that is no multiple of a day passes every day of 10,000 years at many times of day. */
Test(base_clock, dates_agree_with_the_c_library)
{
    for (int64_t at = INT64_C(-62167219200); at <= INT64_C(253402300799); at += 86399) {
        char out[CLOCK_IMF_SIZE], want[64];
        time_t seconds = (time_t)at;
        struct tm tm;
        cr_assert_not_null(gmtime_r(&seconds, &tm));
        svc__clock_imf(out, at);
        /* The tests run in the C locale; %Y has no leading zeros there. */
        size_t len = strftime(want, sizeof want, "%a, %d %b ", &tm);
        snprintf(want + len, sizeof want - len, "%04d %02d:%02d:%02d GMT", tm.tm_year + 1900,
                 tm.tm_hour, tm.tm_min, tm.tm_sec);
        cr_assert_eq(strcmp(out, want), 0, "%s is not %s", out, want);
    }
}
