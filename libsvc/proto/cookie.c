/* The pairs of a Cookie field are read in place. */
#include "libsvc/proto/cookie.h"

#include "libsvc/proto/token.h"

/* Spaces and commas are against RFC 6265bis but common, and cannot be mistaken for anything else.
 */
static bool value_valid(struct bytes value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
            return false;
    }
    return true;
}

bool svc__cookie_take(struct bytes *rest, struct bytes *name, struct bytes *value)
{
    while (rest->data) {
        struct bytes right = svc__bytes_trim(svc__bytes_cut(rest, ';'));
        struct bytes left = svc__bytes_cut(&right, '=');
        if (!right.data || !svc__token_valid(left))
            continue;
        right = svc__bytes_unquote(right);
        if (!value_valid(right))
            continue;
        *name = left;
        *value = right;
        return true;
    }
    return false;
}
