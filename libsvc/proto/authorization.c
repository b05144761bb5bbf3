/* The secret in an Authorization field. */
#include "libsvc/proto/authorization.h"

#include <stdint.h>

#include <svc/errors.h>

/* The six bits of a letter of base64; -1: it is none. */
static int sextet_of(char c)
{
    if (svc__bytes_is_letter(c))
        return c >= 'a' ? c - 'a' + 26 : c - 'A';
    if (svc__bytes_is_digit(c))
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Groups of four letters, of which the last may be shortened and filled up with '='. */
static int decode_base64(struct bytes text, char *out, size_t room, size_t *len)
{
    size_t letters = text.len, written = 0;
    uint32_t bits = 0;
    if (text.len % 4 != 0)
        return SVC_ESYNTAX;
    if (text.len / 4 * 3 > room)
        return SVC_ETOOBIG;
    while (letters > 0 && text.len - letters < 2 && text.data[letters - 1] == '=')
        letters--;
    for (size_t i = 0; i < letters; i++) {
        int sextet = sextet_of(text.data[i]);
        if (sextet < 0)
            return SVC_ESYNTAX;
        bits = bits << 6 | (uint32_t)sextet;
        if (i % 4 > 0)
            out[written++] = (char)(bits >> (6 - 2 * (i % 4)) & 0xff);
    }
    *len = written;
    return 0;
}

int svc__authorization_secret(struct bytes value, char room[static AUTHORIZATION_ROOM],
                              struct bytes *secret)
{
    struct bytes rest = svc__bytes_trim(value), scheme = svc__bytes_cut(&rest, ' ');
    struct bytes given = svc__bytes_trim(rest);
    if (svc__bytes_eq_nocase(scheme, svc__bytes_z("Bearer"))) {
        *secret = given;
        return 0;
    }
    if (!svc__bytes_eq_nocase(scheme, svc__bytes_z("Basic")))
        return SVC_ESYNTAX;
    struct bytes pair = {room, 0};
    int error = decode_base64(given, room, AUTHORIZATION_ROOM, &pair.len);
    if (error)
        return error;
    svc__bytes_cut(&pair, ':');
    if (!pair.data) /* a user's name alone */
        return SVC_ESYNTAX;
    *secret = pair;
    return 0;
}
