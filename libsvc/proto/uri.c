/* Percent escapes and dot segments, worked on in the escaped text so that %2F stays data. */
#include "libsvc/proto/uri.h"

#include <string.h>

#include "libsvc/base/hex.h"
#include "libsvc/base/utf8.h"

/* The byte of the escape at the start of `text`, or -1 when there is none. */
static int escape_value(struct bytes text)
{
    if (text.len < 3 || text.data[0] != '%')
        return -1;
    int high = svc__hex_value(text.data[1]);
    int low = svc__hex_value(text.data[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

unsigned char svc__uri_take(struct bytes *text)
{
    int value = escape_value(*text);
    size_t used = value < 0 ? 1 : 3;
    unsigned char byte = value < 0 ? (unsigned char)text->data[0] : (unsigned char)value;
    text->data += used;
    text->len -= used;
    return byte;
}

bool svc__uri_escapes_valid(struct bytes text)
{
    while (text.len > 0) {
        const char *percent = memchr(text.data, '%', text.len);
        if (!percent)
            return true;
        text.len -= (size_t)(percent - text.data);
        text.data = percent;
        if (escape_value(text) < 0)
            return false;
        text.data += 3;
        text.len -= 3;
    }
    return true;
}

size_t svc__uri_decode(char *dst, struct bytes src, bool plus_is_space)
{
    size_t len = 0;
    while (src.len > 0) {
        char c = *src.data;
        if (c == '%') {
            dst[len++] = (char)svc__uri_take(&src);
            continue;
        }
        dst[len++] = plus_is_space && c == '+' ? ' ' : c;
        src.data++;
        src.len--;
    }
    return len;
}

bool svc__uri_decoded_eq(struct bytes escaped, struct bytes literal)
{
    size_t i = 0;
    while (escaped.len > 0 && i < literal.len)
        if (svc__uri_take(&escaped) != (unsigned char)literal.data[i++])
            return false;
    return escaped.len == 0 && i == literal.len;
}

/* Decodes up to four bytes, the most that a character can have, without taking them. */
static struct bytes look_ahead(char window[static 4], struct bytes text)
{
    size_t len = 0;
    while (len < 4 && text.len > 0)
        window[len++] = (char)svc__uri_take(&text);
    return svc__bytes(window, len);
}

bool svc__uri_decoded_utf8(struct bytes escaped)
{
    if (escaped.len == 0 || !memchr(escaped.data, '%', escaped.len))
        return svc__utf8_valid(escaped);
    while (escaped.len > 0) {
        if ((unsigned char)*escaped.data < 0x80 && *escaped.data != '%') {
            escaped.data++;
            escaped.len--;
            continue;
        }
        char window[4];
        size_t sequence = svc__utf8_sequence(look_ahead(window, escaped));
        if (sequence == 0)
            return false;
        while (sequence-- > 0)
            (void)svc__uri_take(&escaped);
    }
    return true;
}

/* The kind of a path segment: 1 for ".", 2 for "..", with dots escaped or not, else 0. */
static unsigned count_dots(struct bytes segment)
{
    unsigned dots = 0;
    while (segment.len > 0 && dots < 3) {
        if (svc__uri_take(&segment) != '.')
            return 0;
        dots++;
    }
    return dots < 3 ? dots : 0;
}

/* Takes "/segment" off the front of a path that begins with '/'. */
static struct bytes take_segment(struct bytes *path)
{
    struct bytes segment = {path->data + 1, path->len - 1};
    const char *slash = segment.len > 0 ? memchr(segment.data, '/', segment.len) : NULL;
    if (slash)
        segment.len = (size_t)(slash - segment.data);
    path->data += segment.len + 1;
    path->len -= segment.len + 1;
    return segment;
}

bool svc__uri_unclean(struct bytes escaped_path)
{
    while (escaped_path.len > 0) {
        struct bytes segment = take_segment(&escaped_path);
        if (segment.len == 0 ? escaped_path.len > 0 : count_dots(segment) > 0)
            return true;
    }
    return false;
}

size_t svc__uri_clean(char *dst, struct bytes escaped_path)
{
    bool slash_at_end = escaped_path.len > 0 && escaped_path.data[escaped_path.len - 1] == '/';
    size_t len = 0;
    while (escaped_path.len > 0) {
        struct bytes segment = take_segment(&escaped_path);
        unsigned dots = count_dots(segment);
        if (dots == 2) {
            while (len > 0 && dst[--len] != '/') {
                /* back over the segment that was written last */
            }
        } else if (dots == 0 && segment.len > 0) {
            dst[len++] = '/';
            memcpy(dst + len, segment.data, segment.len);
            len += segment.len;
        }
    }
    if (len == 0 || slash_at_end)
        dst[len++] = '/';
    dst[len] = '\0';
    return len;
}
