/* Writes URI references. Each part of a reference has its own set of characters, and ends at the
 * first character that begins another part. */
#include "libsvc/proto/reference.h"

#include <stdbool.h>

#include "libsvc/proto/host.h"
#include "libsvc/proto/uri.h"

/* The parts in which a character may stand. PLAIN is unreserved, sub-delims, and '%' of an escape,
 * which is checked elsewhere. */
enum part { NONE, PLAIN, PATH, QUERY };

/* For each character, the first of the parts above that may have it without an escape; later parts
 * may have it too. */
/* clang-format off */
static const unsigned char part_of[256] = {
    [0x20] =
    /* 0x20 */ 0, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2,
    /* 0x30 */ 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 1, 0, 1, 0, 3,
    /* 0x40 */ 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    /* 0x50 */ 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1,
    /* 0x60 */ 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    /* 0x70 */ 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 0,
};
/* clang-format on */

static bool belongs_to(char c, enum part part)
{
    unsigned char first = part_of[(unsigned char)c];
    return first != NONE && first <= part;
}

static char *put_escaped(char *to, char c)
{
    static const char digits[] = "0123456789ABCDEF";
    *to++ = '%';
    *to++ = digits[(unsigned char)c >> 4];
    *to++ = digits[(unsigned char)c & 15];
    return to;
}

/* Copies text, and escapes the characters that the part may not have. */
static char *put_part(char *to, struct bytes text, enum part part)
{
    for (size_t i = 0; i < text.len; i++)
        if (belongs_to(text.data[i], part))
            *to++ = text.data[i];
        else
            to = put_escaped(to, text.data[i]);
    return to;
}

/* The length up to the first of the characters in `ends`, or the whole length. */
static size_t length_to(struct bytes text, const char *ends)
{
    size_t len = 0;
    while (len < text.len && !strchr(ends, text.data[len]))
        len++;
    return len;
}

static struct bytes take_bytes(struct bytes *text, size_t len)
{
    struct bytes part = svc__bytes(text->data, len);
    *text = svc__bytes(text->data + len, text->len - len);
    return part;
}

static bool has_visible_only(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] <= ' ' || text.data[i] == 0x7f)
            return false;
    return true;
}

static bool scheme_valid(struct bytes scheme)
{
    if (scheme.len == 0 || !svc__bytes_is_letter(*scheme.data))
        return false;
    for (size_t i = 0; i < scheme.len; i++)
        if (!svc__bytes_is_letter(scheme.data[i]) && !svc__bytes_is_digit(scheme.data[i]) &&
            !strchr("+-.", scheme.data[i]))
            return false;
    return true;
}

static bool is_http(struct bytes scheme)
{
    return svc__bytes_eq_nocase(scheme, svc__bytes_z("http")) ||
           svc__bytes_eq_nocase(scheme, svc__bytes_z("https"));
}

/* User information is the part before an '@', which no host has. */
static bool authority_valid(struct bytes authority, bool needs_host)
{
    size_t user = length_to(authority, "@");
    if (user < authority.len) {
        struct bytes information = take_bytes(&authority, user + 1);
        for (size_t i = 0; i < user; i++)
            if (!belongs_to(information.data[i], PLAIN) && information.data[i] != ':')
                return false;
    }
    return svc__host_valid(authority) && (!needs_host || svc__host_name(authority).len > 0);
}

/* Copies an authority and escapes bytes that are not ASCII. NULL for an invalid authority. */
static char *put_authority(char *to, struct bytes authority, bool needs_host)
{
    char *begin = to;
    for (size_t i = 0; i < authority.len; i++)
        if ((unsigned char)authority.data[i] < 0x80)
            *to++ = authority.data[i];
        else
            to = put_escaped(to, authority.data[i]);
    return authority_valid(svc__bytes(begin, (size_t)(to - begin)), needs_host) ? to : NULL;
}

size_t svc__reference_write(char *out, struct bytes text)
{
    char *to = out;
    bool needs_host = true;
    if (text.len == 0 || !has_visible_only(text) || !svc__uri_escapes_valid(text))
        return 0;
    size_t before = length_to(text, ":/?#");
    bool has_scheme = before < text.len && text.data[before] == ':';
    if (has_scheme) {
        struct bytes scheme = take_bytes(&text, before + 1);
        memcpy(to, scheme.data, scheme.len);
        to += scheme.len;
        scheme.len--;
        if (!scheme_valid(scheme))
            return 0;
        needs_host = is_http(scheme);
    }
    bool has_authority = text.len >= 2 && memcmp(text.data, "//", 2) == 0;
    if (has_scheme && needs_host && !has_authority)
        return 0;
    if (has_authority) {
        take_bytes(&text, 2);
        *to++ = '/';
        *to++ = '/';
        to = put_authority(to, take_bytes(&text, length_to(text, "/?#")), needs_host);
        if (!to)
            return 0;
    }
    to = put_part(to, take_bytes(&text, length_to(text, "?#")), PATH);
    if (text.len > 0 && *text.data == '?')
        to = put_part(to, take_bytes(&text, length_to(text, "#")), QUERY);
    if (text.len > 0) {
        *to++ = *take_bytes(&text, 1).data;
        to = put_part(to, text, QUERY);
    }
    return (size_t)(to - out);
}
