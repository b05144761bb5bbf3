/* Entity tags are compared byte by byte, quotes included. */
#include "libsvc/proto/etag.h"

#include <svc/errors.h>

static bool etag_byte(unsigned char c)
{
    return c == 0x21 || (c >= 0x23 && c != 0x7f);
}

bool svc__etag_text_valid(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!etag_byte((unsigned char)text.data[i]))
            return false;
    return true;
}

static void skip(struct bytes *text, size_t n)
{
    text->data += n;
    text->len -= n;
}

/* Takes a tag off the front of `*text`. */
static bool take_tag(struct bytes *text, struct etag *out)
{
    struct bytes rest = *text;
    struct etag tag = {.weak = rest.len > 2 && memcmp(rest.data, "W/", 2) == 0};
    if (tag.weak)
        skip(&rest, 2);
    if (rest.len < 2 || rest.data[0] != '"')
        return false;
    size_t end = 1;
    while (end < rest.len && etag_byte((unsigned char)rest.data[end]))
        end++;
    if (end == rest.len || rest.data[end] != '"')
        return false;
    tag.opaque = svc__bytes(rest.data, end + 1);
    skip(&rest, end + 1);
    *text = rest;
    *out = tag;
    return true;
}

void svc__etag_write_hash(char out[static ETAG_HASH_TEXT],
                          const unsigned char hash[static ETAG_HASH_BYTES])
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (size_t i = 0; i < ETAG_HASH_TEXT; i++) {
        size_t at = i * 6 / 8;
        unsigned next = at + 1 < ETAG_HASH_BYTES ? hash[at + 1] : 0;
        unsigned bits = (unsigned)hash[at] << 8 | next;
        out[i] = alphabet[bits >> (10 - i * 6 % 8) & 63];
    }
}

int svc__etag_parse(struct bytes text, struct etag *out)
{
    struct etag tag;
    if (!take_tag(&text, &tag) || text.len > 0)
        return SVC_ESYNTAX;
    *out = tag;
    return 0;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

int svc__etag_next(struct bytes *list, struct etag *out)
{
    struct bytes rest = *list;
    while (rest.len > 0 && (blank(rest.data[0]) || rest.data[0] == ','))
        skip(&rest, 1);
    struct etag tag;
    if (rest.len == 0) {
        *list = rest;
        return 0;
    }
    if (!take_tag(&rest, &tag))
        return SVC_ESYNTAX;
    while (rest.len > 0 && blank(rest.data[0]))
        skip(&rest, 1);
    if (rest.len > 0 && rest.data[0] != ',')
        return SVC_ESYNTAX;
    *list = rest;
    *out = tag;
    return 1;
}

bool svc__etag_equal(const struct etag *a, const struct etag *b, bool strong)
{
    if (!a->opaque.data || !b->opaque.data || (strong && (a->weak || b->weak)))
        return false;
    return svc__bytes_eq(a->opaque, b->opaque);
}
