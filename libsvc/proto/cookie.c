/* Cookies are looked up in place, since a service asks for only one or two of those that a browser
 * sends. */
#include "libsvc/proto/cookie.h"

#include <stdbool.h>

#include <svc/errors.h>

/* Spaces and commas are against RFC 6265 but common, and cannot be mistaken for anything else. */
static bool value_valid(struct bytes value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
            return false;
    }
    return true;
}

int svc__cookie_find(struct bytes header_value, struct bytes name, struct bytes *value)
{
    while (header_value.data) {
        struct bytes rest = svc__bytes_trim(svc__bytes_cut(&header_value, ';'));
        struct bytes found = svc__bytes_cut(&rest, '=');
        if (!rest.data || found.len == 0 || !svc__bytes_eq(found, name))
            continue;
        rest = svc__bytes_unquote(rest);
        if (value_valid(rest)) {
            *value = rest;
            return 0;
        }
    }
    return SVC_ENOTFOUND;
}
