/* Reading the clocks, and the proleptic Gregorian calendar that dates are written in. */
#include "libsvc/base/clock.h"

#include <string.h>
#include <time.h>

#include "libsvc/base/least.h"

enum { DAY_SECONDS = 86400, SECOND_US = 1000000 };

static const int64_t first_second = -INT64_C(62167219200); /* 0000-01-01T00:00:00Z */
static const int64_t last_second = INT64_C(253402300799);  /* 9999-12-31T23:59:59Z */

static uint64_t read_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t svc__clock_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

uint64_t svc__clock_coarse_ns(void)
{
    return read_ns(CLOCK_MONOTONIC_COARSE);
}

uint64_t svc__clock_ms(void)
{
    return svc__clock_ns() / 1000000;
}

uint64_t svc__clock_wall_ns(void)
{
    return read_ns(CLOCK_REALTIME);
}

uint64_t svc__clock_wall_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int64_t svc__clock_wall_offset(void)
{
    static _Thread_local struct {
        uint64_t tick;
        int64_t offset;
    } known;
    uint64_t tick, now = svc__clock_coarse_ns();
    while (known.tick != now) { /* a tick between the readings would be in the difference */
        tick = now;
        known.offset = (int64_t)(read_ns(CLOCK_REALTIME_COARSE) - tick);
        now = svc__clock_coarse_ns();
        known.tick = now == tick ? tick : 0;
    }
    return known.offset;
}

struct date {
    unsigned year, month, day;
    unsigned weekday; /* 0 is Sunday */
    unsigned hour, minute, second;
};

/*
 * Sets year, month and day from days since 0000-01-01. Counting from the first of March puts the
 * leap day at the end of its year, its century and its era, so that each is found by one division;
 * the last year of four and the last century of four hold that extra day, hence the limits of 3.
 */
static void set_day(struct date *date, unsigned days)
{
    const unsigned era = 146097, century = 36524, four_years = 1461, year = 365;
    unsigned rest = days + era - 60; /* since 1 March of the year -400 */
    unsigned eras = rest / era;
    rest %= era;
    unsigned centuries = (unsigned)svc__least(rest / century, 3);
    rest -= centuries * century;
    unsigned fours = rest / four_years;
    rest %= four_years;
    unsigned years = (unsigned)svc__least(rest / year, 3);
    rest -= years * year;
    /* From March on, months have 31, 30, 31, 30, 31 days and so on: 153 in five. */
    unsigned month = (rest * 5 + 2) / 153;
    date->day = rest - (month * 153 + 2) / 5 + 1;
    date->month = month < 10 ? month + 3 : month - 9;
    date->year = eras * 400 + centuries * 100 + fours * 4 + years - 400 + (month >= 10);
}

static struct date date_of(int64_t unix_seconds)
{
    if (unix_seconds < first_second)
        unix_seconds = first_second;
    if (unix_seconds > last_second)
        unix_seconds = last_second;
    uint64_t seconds = (uint64_t)(unix_seconds - first_second);
    unsigned days = (unsigned)(seconds / DAY_SECONDS);
    unsigned of_day = (unsigned)(seconds % DAY_SECONDS);
    struct date date;
    set_day(&date, days);
    date.weekday = (days + 6) % 7; /* 0000-01-01 is a Saturday */
    date.hour = of_day / 3600;
    date.minute = of_day / 60 % 60;
    date.second = of_day % 60;
    return date;
}

/* Writes `n` with leading zeros into `width` characters. */
static void put_digits(char *to, unsigned n, size_t width)
{
    while (width > 0) {
        to[--width] = (char)('0' + n % 10);
        n /= 10;
    }
}

static void put_time(char *to, const struct date *date)
{
    put_digits(to, date->hour, 2);
    put_digits(to + 3, date->minute, 2);
    put_digits(to + 6, date->second, 2);
}

static size_t put_rfc3339(char out[static CLOCK_RFC3339_SIZE], int64_t unix_seconds, unsigned us)
{
    struct date date = date_of(unix_seconds);
    memcpy(out, "yyyy-mm-ddThh:mm:ss.uuuuuuZ", CLOCK_RFC3339_SIZE);
    put_digits(out, date.year, 4);
    put_digits(out + 5, date.month, 2);
    put_digits(out + 8, date.day, 2);
    put_time(out + 11, &date);
    put_digits(out + 20, us, 6);
    return CLOCK_RFC3339_SIZE - 1;
}

static uint64_t until_9999(uint64_t wall_us)
{
    const uint64_t last_us = (uint64_t)last_second * SECOND_US + SECOND_US - 1;
    return wall_us < last_us ? wall_us : last_us;
}

size_t svc__clock_rfc3339(char out[static CLOCK_RFC3339_SIZE], uint64_t wall_us)
{
    wall_us = until_9999(wall_us);
    return put_rfc3339(out, (int64_t)(wall_us / SECOND_US), (unsigned)(wall_us % SECOND_US));
}

const char *svc__clock_text(struct clock_text *last, uint64_t wall_us)
{
    wall_us = until_9999(wall_us);
    uint64_t second = wall_us / SECOND_US;
    if (last->second == second && *last->text) {
        put_digits(last->text + 20, (unsigned)(wall_us % SECOND_US), 6);
    } else {
        svc__clock_rfc3339(last->text, wall_us);
        last->second = second;
    }
    return last->text;
}

size_t svc__clock_timestamp(char out[static CLOCK_RFC3339_SIZE], int64_t unix_us)
{
    int64_t seconds = unix_us / SECOND_US, us = unix_us % SECOND_US;
    if (us < 0) {
        seconds--;
        us += SECOND_US;
    }
    if (seconds < first_second || seconds > last_second)
        return 0;
    size_t len = put_rfc3339(out, seconds, (unsigned)us);
    if (us > 0)
        return len;
    memcpy(out + sizeof "yyyy-mm-ddThh:mm:ss" - 1, "Z", 2);
    return sizeof "yyyy-mm-ddThh:mm:ssZ" - 1;
}

size_t svc__clock_imf(char out[static CLOCK_IMF_SIZE], int64_t unix_seconds)
{
    static const char weekdays[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct date date = date_of(unix_seconds);
    memcpy(out, "www, dd mmm yyyy hh:mm:ss GMT", CLOCK_IMF_SIZE);
    memcpy(out, weekdays + (size_t)date.weekday * 3, 3);
    put_digits(out + 5, date.day, 2);
    memcpy(out + 8, months + (size_t)(date.month - 1) * 3, 3);
    put_digits(out + 12, date.year, 4);
    put_time(out + 17, &date);
    return CLOCK_IMF_SIZE - 1;
}
