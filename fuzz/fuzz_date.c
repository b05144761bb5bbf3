/* Dates of header fields. */
#include <svc/errors.h>

#include "fuzz/fuzz.h"
#include "libsvc/base/clock.h"
#include "libsvc/proto/date.h"

static const int64_t now = 1795515326;

/* What is written of a date is read as the same; the year 0 and the year 9999 are the ends. */
static void check_written(int64_t seconds)
{
    char text[CLOCK_IMF_SIZE];
    int64_t again = 0;
    size_t len = svc__clock_imf(text, seconds);
    REQUIRE(svc__date_parse(svc__bytes(text, len), now, &again) == 0);
    REQUIRE(again == seconds || seconds == INT64_C(253402300800)); /* a leap second at the end */
}

/* A date of four digits does not depend on the time; one of two is at most 50 years ahead. */
static void check_now(struct bytes text, int64_t seconds)
{
    int64_t later = 0;
    bool two_digits = text.len > 29 || memchr(text.data, '-', text.len);
    if (two_digits)
        REQUIRE(seconds <= now + INT64_C(50) * 31556952 + 1);
    else
        REQUIRE(svc__date_parse(text, now * 2, &later) == 0 && later == seconds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = fuzz_input(data, size);
    int64_t seconds = 7;
    int result = svc__date_parse(text, now, &seconds);
    REQUIRE(result == 0 || (result == SVC_ESYNTAX && seconds == 7));
    if (result == 0) {
        REQUIRE(seconds >= -INT64_C(62167219200) && seconds <= INT64_C(253402300800));
        check_written(seconds);
        check_now(text, seconds);
    }
    return 0;
}
