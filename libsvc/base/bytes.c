/* Comparing and splitting views of bytes; what is not worth inlining. */
#include "libsvc/base/bytes.h"

bool svc__bytes_eq_nocase(struct bytes a, struct bytes b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (svc__bytes_lower(a.data[i]) != svc__bytes_lower(b.data[i]))
            return false;
    }
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct bytes svc__bytes_trim(struct bytes b)
{
    while (b.len > 0 && is_blank(b.data[0])) {
        b.data++;
        b.len--;
    }
    while (b.len > 0 && is_blank(b.data[b.len - 1]))
        b.len--;
    return b;
}

struct bytes svc__bytes_cut(struct bytes *rest, char sep)
{
    struct bytes part = *rest;
    const char *at = part.len == 0 ? NULL : memchr(part.data, sep, part.len);
    if (at == NULL) {
        *rest = svc__bytes(NULL, 0);
        return part;
    }
    part.len = (size_t)(at - part.data);
    *rest = svc__bytes(at + 1, rest->len - part.len - 1);
    return part;
}
