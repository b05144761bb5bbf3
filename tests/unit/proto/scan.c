#include "libsvc/proto/scan.h"

#include <criterion/criterion.h>
#include <string.h>

static bool is_allowed(enum scan_run run, int byte)
{
    bool letter = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
    switch (run) {
    case SCAN_VALUE:
        return byte == '\t' || (byte >= ' ' && byte != 0x7f);
    case SCAN_VISIBLE:
        return byte > ' ' && byte != 0x7f;
    default:
        return letter || (byte >= '0' && byte <= '9') || byte == '-';
    }
}

static const char *find_end(enum scan_run run, const char *begin, const char *at, const char *end)
{
    switch (run) {
    case SCAN_VALUE:
        return svc__scan_end(SCAN_VALUE, begin, at, end);
    case SCAN_VISIBLE:
        return svc__scan_end(SCAN_VISIBLE, begin, at, end);
    default:
        return svc__scan_end(SCAN_PLAIN, begin, at, end);
    }
}

/* In texts of any length up to some blocks, of which a part is before the run. */
Test(proto_scan, a_run_ends_at_the_first_byte_that_it_may_not_have)
{
    enum { LONGEST = 40 };
    char text[LONGEST];
    for (enum scan_run run = SCAN_VALUE; run <= SCAN_PLAIN; run++) {
        for (int byte = 0; byte < 256; byte++) {
            for (size_t place = 0; place < LONGEST; place++) {
                size_t len = place + 1 + (size_t)byte % (LONGEST - place), at = place / 2;
                memset(text, 'x', sizeof text);
                text[place] = (char)byte;
                const char *end = find_end(run, text, text + at, text + len);
                size_t wanted = is_allowed(run, byte) ? len : place;
                cr_assert_eq((size_t)(end - text), wanted, "run %d, byte %d at %zu of %zu: %td",
                             run, byte, place, len, end - text);
            }
        }
    }
}

Test(proto_scan, what_is_before_does_not_end_a_run)
{
    const char text[] = "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nabc";
    for (size_t at = 16; at < sizeof text; at++)
        cr_expect_eq(svc__scan_end(SCAN_VALUE, text, text + at, text + sizeof text - 1),
                     text + sizeof text - 1);
}
