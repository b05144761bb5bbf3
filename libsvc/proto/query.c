/* Parses queries and forms into one array and one block of text, both sized before they are made.
 */
#include "libsvc/proto/query.h"

#include <stdint.h>
#include <string.h>

#include <svc/errors.h>

#include "libsvc/proto/uri.h"

/* Takes the next piece that is not empty off `*rest`; an empty piece at the end. */
static struct bytes take_piece(struct bytes *rest)
{
    struct bytes piece = {NULL, 0};
    while (rest->data && piece.len == 0)
        piece = svc__bytes_cut(rest, '&');
    return piece;
}

static size_t count_pieces(struct bytes raw)
{
    size_t count = 0;
    while (take_piece(&raw).len > 0)
        count++;
    return count;
}

/* Decodes `raw` to `*at` with a NUL behind it, and moves `*at` on. */
static struct bytes decode(char **at, struct bytes raw)
{
    struct bytes text = {*at, svc__uri_decode(*at, raw, true)};
    *at += text.len;
    *(*at)++ = '\0';
    return text;
}

/*
 * A piece with a '=' needs one byte more than it has, for two NULs in place of one '='. In a piece
 * without one, the empty value shares the NUL of the name.
 */
static struct param decode_piece(char **at, struct bytes piece)
{
    struct param param;
    struct bytes value = piece;
    struct bytes name = svc__bytes_cut(&value, '=');
    param.has_value = value.data != NULL;
    param.name = decode(at, name);
    param.value = param.has_value ? decode(at, value) : svc__bytes(*at - 1, 0);
    return param;
}

static bool has_nul(struct bytes raw)
{
    return raw.len > 0 && (memchr(raw.data, '\0', raw.len) || memmem(raw.data, raw.len, "%00", 3));
}

/* The separators are ASCII, so the whole is UTF-8 exactly when each of its parts is. */
bool svc__query_valid(struct bytes raw, bool utf8)
{
    return !has_nul(raw) && (!utf8 || svc__uri_decoded_utf8(raw));
}

int svc__query_parse(struct arena *arena, struct bytes raw, size_t max_params, struct param **out,
                     size_t *count)
{
    size_t n = count_pieces(raw);
    struct param *params = NULL;
    if (n > max_params)
        return SVC_ETOOBIG;
    if (n > 0) {
        /* Every piece but the last is followed by a '&', which pays for its one byte more. */
        if (n > SIZE_MAX / sizeof(*params) || raw.len == SIZE_MAX)
            return SVC_ENOMEM;
        char *at = svc__arena_alloc(arena, raw.len + 1);
        params = svc__arena_alloc(arena, n * sizeof(*params));
        if (!at || !params)
            return SVC_ENOMEM;
        for (size_t i = 0; i < n; i++)
            params[i] = decode_piece(&at, take_piece(&raw));
    }
    *out = params;
    *count = n;
    return 0;
}
