/*
 * The two clocks, and dates as text without gmtime, which takes a lock, and without strftime, which
 * follows the locale.
 */
#ifndef SVC_BASE_CLOCK_H
#define SVC_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

enum {
    CLOCK_RFC3339_SIZE = 28, /* "2026-11-24T02:44:46.123456Z" and a NUL */
    CLOCK_IMF_SIZE = 30      /* "Tue, 24 Nov 2026 02:44:46 GMT" and a NUL */
};

/* Nanoseconds since some fixed point: this clock never steps back and cannot be set. Any thread. */
uint64_t svc__clock_ns(void);

/* The same clock as of the system's last tick, 4 ms ago at most on most systems, for a fraction of
 * the cost. Any thread. */
uint64_t svc__clock_coarse_ns(void);

/* The same clock in whole milliseconds. Any thread. */
uint64_t svc__clock_ms(void);

/* Microseconds since 1970-01-01T00:00:00Z; may step when the clock is set. Any thread. */
uint64_t svc__clock_wall_us(void);

/* The same in nanoseconds, up to the year 2554. Any thread. */
uint64_t svc__clock_wall_ns(void);

/* What is added to a time of svc__clock_ns to get nanoseconds since 1970, by the clocks of the last
 * tick, whose difference is exact, for a fraction of the cost of reading both. Any thread. */
int64_t svc__clock_wall_offset(void);

/* Writes a wall clock time as RFC 3339 in UTC with microseconds, with a NUL. Returns the
 * length, 27. Times after the year 9999 are written as its last microsecond. Any thread. */
size_t svc__clock_rfc3339(char out[static CLOCK_RFC3339_SIZE], uint64_t wall_us);

/* A time as text that is written again and again; zeros to begin with. */
struct clock_text {
    uint64_t second; /* the second of `text` */
    char text[CLOCK_RFC3339_SIZE];
};

/* Writes the same text, but only its fraction where the time is in the second of the last one.
 * Returns `last->text`. One thread at a time. */
const char *svc__clock_text(struct clock_text *last, uint64_t wall_us);

/* Writes microseconds since 1970 as RFC 3339 in UTC, with a fraction only where it is not zero and
 * a NUL. Returns the length, 20 or 27; 0 for times outside the years 0 to 9999, for which nothing
 * is written. Any thread. */
size_t svc__clock_timestamp(char out[static CLOCK_RFC3339_SIZE], int64_t unix_us);

/* Writes seconds since 1970 as an IMF-fixdate (RFC 9110 5.6.7), with a NUL. Returns the length, 29.
 * Times outside the years 0 to 9999 are written as the nearest second inside. Any thread. */
size_t svc__clock_imf(char out[static CLOCK_IMF_SIZE], int64_t unix_seconds);

#endif
