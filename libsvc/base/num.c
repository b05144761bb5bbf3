/* Decimal numbers to and from bytes. */
#include "libsvc/base/num.h"

#include <stdbool.h>

#include <svc/errors.h>

int svc__num_u64(struct bytes text, uint64_t max, uint64_t *out)
{
    if (text.len == 0)
        return SVC_ESYNTAX;
    uint64_t n = 0;
    bool over = false; /* goes on to the end: what is no number at all is never "too big" */
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return SVC_ESYNTAX;
        unsigned digit = (unsigned)(text.data[i] - '0');
        over = over || digit > max || n > (max - digit) / 10;
        n = over ? 0 : n * 10 + digit;
    }
    if (over)
        return SVC_ETOOBIG;
    *out = n;
    return 0;
}

size_t svc__num_format_u64(char out[static NUM_U64_LEN], uint64_t n)
{
    char digits[NUM_U64_LEN];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    memcpy(out, digits + at, sizeof digits - at);
    return sizeof digits - at;
}
