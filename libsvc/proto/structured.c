/* Structured fields (RFC 9651): Items with a String. */
#include "libsvc/proto/structured.h"

#include <stdint.h>

#include <svc/errors.h>

#include "libsvc/base/hex.h"

/* The text that is still to be read. */
struct reader {
    const char *at, *end;
};

static bool next_is(const struct reader *in, char c)
{
    return in->at < in->end && *in->at == c;
}

static bool take_char(struct reader *in, char c)
{
    if (!next_is(in, c))
        return false;
    in->at++;
    return true;
}

static bool is_printable(char c)
{
    return c >= 0x20 && c <= 0x7e;
}

/* Reads a string behind its first quote; `out` may be NULL. */
static bool read_string(struct reader *in, char *out, size_t *len)
{
    size_t count = 0;
    while (in->at < in->end && !next_is(in, '"')) {
        char c = *in->at++;
        if (c == '\\' && !next_is(in, '"') && !next_is(in, '\\'))
            return false;
        if (c == '\\')
            c = *in->at++;
        if (!is_printable(c))
            return false;
        if (out)
            out[count] = c;
        count++;
    }
    *len = count;
    return take_char(in, '"');
}

/* Passes over the characters for which `is_part` holds, and returns their number. */
static size_t skip_while(struct reader *in, bool (*is_part)(char c))
{
    const char *from = in->at;
    while (in->at < in->end && is_part(*in->at))
        in->at++;
    return (size_t)(in->at - from);
}

static bool is_key_part(char c)
{
    return (c >= 'a' && c <= 'z') || svc__bytes_is_digit(c) || (c && strchr("_-.*", c));
}

static bool is_token_part(char c)
{
    return svc__bytes_is_letter(c) || svc__bytes_is_digit(c) ||
           (c && strchr("!#$%&'*+-.^_`|~:/", c));
}

static bool is_base64_part(char c)
{
    return svc__bytes_is_letter(c) || svc__bytes_is_digit(c) || c == '+' || c == '/' || c == '=';
}

/* An integer has up to 15 digits; a decimal up to 12, and 1 to 3 behind the point. */
static bool skip_number(struct reader *in, bool decimals)
{
    (void)take_char(in, '-');
    size_t whole = skip_while(in, svc__bytes_is_digit);
    if (whole == 0 || whole > 15)
        return false;
    if (!decimals || !take_char(in, '.'))
        return true;
    size_t part = skip_while(in, svc__bytes_is_digit);
    return whole <= 12 && part >= 1 && part <= 3;
}

/* A display string is %"…" with lower-case percent escapes; whether they are UTF-8 matters to a
 * reader of it alone. */
static bool skip_display(struct reader *in)
{
    if (!take_char(in, '"'))
        return false;
    while (in->at < in->end && *in->at != '"') {
        char c = *in->at++;
        if (!is_printable(c))
            return false;
        if (c != '%')
            continue;
        unsigned char byte;
        if (in->end - in->at < 2 || !svc__hex_read(&byte, in->at, 1))
            return false;
        in->at += 2;
    }
    return take_char(in, '"');
}

static bool skip_bare_item(struct reader *in)
{
    size_t len;
    if (take_char(in, '"'))
        return read_string(in, NULL, &len);
    if (take_char(in, '?'))
        return take_char(in, '0') || take_char(in, '1');
    if (take_char(in, '@'))
        return skip_number(in, false);
    if (take_char(in, '%'))
        return skip_display(in);
    if (take_char(in, ':')) {
        (void)skip_while(in, is_base64_part);
        return take_char(in, ':');
    }
    if (next_is(in, '-') || (in->at < in->end && svc__bytes_is_digit(*in->at)))
        return skip_number(in, true);
    if (in->at < in->end && (svc__bytes_is_letter(*in->at) || *in->at == '*'))
        return skip_while(in, is_token_part) > 0;
    return false;
}

static bool skip_parameters(struct reader *in)
{
    while (take_char(in, ';')) {
        while (take_char(in, ' '))
            ;
        if (next_is(in, '_') || next_is(in, '-') || next_is(in, '.') ||
            (in->at < in->end && svc__bytes_is_digit(*in->at)) || !skip_while(in, is_key_part))
            return false;
        if (take_char(in, '=') && !skip_bare_item(in))
            return false;
    }
    return true;
}

int svc__structured_string(struct bytes field, char *out, size_t *len)
{
    size_t count;
    if (field.len == 0)
        return SVC_ESYNTAX;
    struct reader in = {field.data, field.data + field.len};
    while (take_char(&in, ' '))
        ;
    if (!take_char(&in, '"') || !read_string(&in, out, &count) || !skip_parameters(&in))
        return SVC_ESYNTAX;
    while (take_char(&in, ' '))
        ;
    if (in.at != in.end)
        return SVC_ESYNTAX;
    *len = count;
    return 0;
}
