#include "libsvc/server/pointer_gaps.h"

#include <criterion/criterion.h>

/* Parses a head as libmicrohttpd 0.9.75 does: line ends become zeros, values end at the first zero.
 */
static bool clean(const char *head, size_t len)
{
    static char buffer[512];
    struct field fields[8];
    size_t count = 0;
    memcpy(buffer, head, len);
    char *version = strstr(buffer, "HTTP/1.1"), *at = memchr(version, '\n', len),
         *end = buffer + len;
    for (char *c = version; c < end; c++)
        if (*c == '\n' || (*c == '\r' && c[1] == '\n'))
            *c = '\0';
    for (at++; at < end && *at;) {
        char *value = strchr(at, ':') + 2;
        fields[count++] =
            (struct field){svc__bytes(at, (size_t)(value - 2 - at)), svc__bytes_z(value)};
        for (at = value; at < end && !memchr(head + (at - buffer), '\n', 1); at++)
            continue;
        at++;
    }
    return svc__pointer_gaps_clean(version, fields, count, end);
}

#define HEAD(text) clean("GET / " text, sizeof("GET / " text) - 1)

Test(pointer_gaps, well_formed_heads_are_clean)
{
    cr_expect(HEAD("HTTP/1.1\r\n\r\n"));
    cr_expect(HEAD("HTTP/1.1\r\nHost: a\r\n\r\n"));
    cr_expect(HEAD("HTTP/1.1\r\nHost: a\r\nX: \r\nY: b c\r\n\r\n"));
}

Test(pointer_gaps, bare_line_feeds_and_zeros_are_seen_wherever_they_are)
{
    cr_expect_not(HEAD("HTTP/1.1\nHost: a\r\n\r\n"));
    cr_expect_not(HEAD("HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"));
    cr_expect_not(HEAD("HTTP/1.1\r\nHost: a\n\r\n"));
    cr_expect_not(HEAD("HTTP/1.1\r\nHost: a\r\n\n"));
    cr_expect_not(HEAD("HTTP/1.1\r\nHost: a\0b\r\nX: b\r\n\r\n"));
    cr_expect_not(HEAD("HTTP/1.1\r\nHost: a\0b\r\n\r\n"));
    cr_expect_not(HEAD("HTTP/1.1\r\nHost: a\0\r\n\r\n"));
}

/* A folded line makes 0.9.75 put the name elsewhere. */
Test(pointer_gaps, a_name_from_elsewhere_is_seen)
{
    static const char version[] = "HTTP/1.1\0\0Host: a\0\0\0\0", elsewhere[] = "Host";
    struct field field = {svc__bytes_z(elsewhere), svc__bytes(version + 16, 1)};
    cr_expect_not(svc__pointer_gaps_clean(version, &field, 1, version + 21));
}
