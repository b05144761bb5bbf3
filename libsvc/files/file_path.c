/* The path of a file, as a client has written it in a request's target. */
#include "libsvc/files/file_path.h"

#include "libsvc/proto/uri.h"

static bool part_allowed(struct bytes part, bool first)
{
    if (part.len == 0)
        return false;
    return part.data[0] != '.' || (first && svc__bytes_eq_z(part, ".well-known"));
}

/* Decodes one part, and tells whether it has a byte that could be taken for the end of a part. */
static bool decode_part(struct bytes raw, char **to)
{
    while (raw.len > 0) {
        unsigned char byte = svc__uri_take(&raw);
        if (byte == '\0' || byte == '/' || byte == '\\')
            return false;
        *(*to)++ = (char)byte;
    }
    return true;
}

bool svc__file_path_read(struct bytes raw, char *out, bool *folder)
{
    char *at = out;
    bool first = true;
    *folder = raw.len == 0 || raw.data[raw.len - 1] == '/';
    if (*folder && raw.len > 0 && --raw.len == 0)
        return false;
    while (raw.data && (!first || raw.len > 0)) {
        if (!first)
            *at++ = '/';
        char *begin = at;
        if (!decode_part(svc__bytes_cut(&raw, '/'), &at) ||
            !part_allowed(svc__bytes(begin, (size_t)(at - begin)), first))
            return false;
        first = false;
    }
    *at = '\0';
    return true;
}

/* The characters of RFC 3986's pchar, but for '&' and "'", which HTML may have to escape. */
static bool stays(char c)
{
    return svc__bytes_is_letter(c) || svc__bytes_is_digit(c) ||
           (c != '\0' && strchr("-._~!$()*+,;=@", c) != NULL);
}

void svc__file_path_escape(struct buf *out, struct bytes path, bool slashes)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.data[i];
        if (stays((char)c) || (slashes && c == '/')) {
            svc__buf_putc(out, (char)c);
            continue;
        }
        const char escape[] = {'%', digits[c >> 4], digits[c & 15]};
        svc__buf_append(out, escape, sizeof escape);
    }
}
