/* Dates are read by pattern: each of the three forms has its parts at fixed places. */
#include "libsvc/proto/date.h"

#include <stdbool.h>

#include <svc/errors.h>

enum { DAY_SECONDS = 86400, ERA_DAYS = 146097 };

struct parts {
    unsigned year, month, day, hour, minute, second;
};

/* Days since 1970-01-01 of a date in the Gregorian calendar of the years 0 to 9999. */
static int64_t days_of(const struct parts *parts)
{
    /* Years begin in March, so that the leap day ends its year; counting from the year -400 keeps
     * all numbers positive. */
    unsigned month = (parts->month + 9) % 12;
    unsigned year = parts->year + 400 - (month >= 10);
    unsigned before = year * 365 + year / 4 - year / 100 + year / 400;
    unsigned days = before + (month * 153 + 2) / 5 + parts->day - 1;
    const int64_t epoch = 719468 + ERA_DAYS; /* 1970-01-01, counted so */
    return (int64_t)days - epoch;
}

static unsigned month_days(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap ? 1U : 0U);
}

/* The 1-based index of the name at `text` in a list of names of `width` bytes each; 0: none. */
static unsigned index_of(const char *text, const char *names, size_t width)
{
    for (unsigned i = 0; names[i * width]; i++)
        if (memcmp(text, names + i * width, width) == 0)
            return i + 1;
    return 0;
}

static bool read_digits(const char *text, size_t count, unsigned *out)
{
    unsigned n = 0;
    for (size_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        n = n * 10 + (unsigned)(text[i] - '0');
    }
    *out = n;
    return true;
}

static bool read_month(const char *text, unsigned *out)
{
    *out = index_of(text, "JanFebMarAprMayJunJulAugSepOctNovDec", 3);
    return *out != 0;
}

/* "hh:mm:ss" */
static bool read_time(const char *text, struct parts *out)
{
    return read_digits(text, 2, &out->hour) && text[2] == ':' &&
           read_digits(text + 3, 2, &out->minute) && text[5] == ':' &&
           read_digits(text + 6, 2, &out->second);
}

static bool is_weekday(const char *text)
{
    return index_of(text, "SunMonTueWedThuFriSat", 3) != 0;
}

static bool ends_in_gmt(struct bytes text)
{
    return memcmp(text.data + text.len - 4, " GMT", 4) == 0;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool read_imf(struct bytes text, struct parts *out)
{
    const char *at = text.data;
    return text.len == 29 && is_weekday(at) && at[3] == ',' && at[4] == ' ' &&
           read_digits(at + 5, 2, &out->day) && at[7] == ' ' && read_month(at + 8, &out->month) &&
           at[11] == ' ' && read_digits(at + 12, 4, &out->year) && at[16] == ' ' &&
           read_time(at + 17, out) && ends_in_gmt(text);
}

/* "Sun Nov  6 08:49:37 1994" */
static bool read_asctime(struct bytes text, struct parts *out)
{
    const char *at = text.data;
    if (text.len != 24 || !is_weekday(at) || at[3] != ' ' || !read_month(at + 4, &out->month) ||
        at[7] != ' ')
        return false;
    bool one_digit = at[8] == ' ';
    return read_digits(at + 8 + one_digit, 2 - (size_t)one_digit, &out->day) && at[10] == ' ' &&
           read_time(at + 11, out) && at[19] == ' ' && read_digits(at + 20, 4, &out->year);
}

/* The length of the full name of a day at the start of `text`; 0: none. */
static size_t weekday_span(struct bytes text)
{
    static const char *const names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                        "Thursday", "Friday", "Saturday"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t len = strlen(names[i]);
        if (text.len > len && memcmp(text.data, names[i], len) == 0)
            return len;
    }
    return 0;
}

/* "Sunday, 06-Nov-94 08:49:37 GMT" */
static bool read_rfc850(struct bytes text, struct parts *out)
{
    size_t name = weekday_span(text);
    if (name == 0 || text.len != name + 24)
        return false;
    const char *at = text.data + name;
    return at[0] == ',' && at[1] == ' ' && read_digits(at + 2, 2, &out->day) && at[4] == '-' &&
           read_month(at + 5, &out->month) && at[8] == '-' && read_digits(at + 9, 2, &out->year) &&
           at[11] == ' ' && read_time(at + 12, out) && ends_in_gmt(text);
}

static bool in_calendar(const struct parts *parts)
{
    return parts->day >= 1 && parts->day <= month_days(parts->year, parts->month) &&
           parts->hour < 24 && parts->minute < 60 && parts->second <= 60;
}

static int64_t seconds_of(const struct parts *parts)
{
    return days_of(parts) * DAY_SECONDS + parts->hour * 3600 + parts->minute * 60 + parts->second;
}

/* The year of a number of days since 1970, exact enough to choose a century. */
static int64_t year_of(int64_t unix_seconds)
{
    return 1970 + unix_seconds / (INT64_C(31556952)); /* the mean Gregorian year */
}

/* RFC 9110 5.6.7: a year of two digits belongs to the past when it would be more than 50 years in
 * the future. False when no century has that date in the calendar. */
static bool choose_century(struct parts *parts, int64_t now)
{
    const int64_t fifty_years = INT64_C(50) * 31556952;
    int64_t century = year_of(now) / 100 * 100 + 100;
    if (century < 100 || century > 9800)
        return false;
    unsigned of_century = parts->year;
    for (int back = 0; back < 3; back++, century -= 100) {
        parts->year = (unsigned)century + of_century;
        if (in_calendar(parts) && seconds_of(parts) <= now + fifty_years)
            return true;
    }
    return false;
}

int svc__date_parse(struct bytes text, int64_t now, int64_t *out)
{
    struct parts parts = {0};
    bool read = read_imf(text, &parts) || read_asctime(text, &parts);
    if (!read)
        read = read_rfc850(text, &parts) && choose_century(&parts, now);
    if (!read || !in_calendar(&parts))
        return SVC_ESYNTAX;
    *out = seconds_of(&parts);
    return 0;
}
