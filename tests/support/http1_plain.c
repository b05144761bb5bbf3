#include "tests/support/http1_plain.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "libsvc/proto/http1_chunks.h"

/* ---- Characters */

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static bool is_digit(char c)
{
    return is_one_of(c, "0123456789");
}

static bool is_hex(char c)
{
    return is_one_of(c, "0123456789abcdefABCDEF");
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_vchar_or_obs(char c)
{
    return (unsigned char)c > 0x20 && c != 0x7f;
}

static bool is_tchar(char c)
{
    return is_one_of(c, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

static bool is_value_char(char c)
{
    return is_blank(c) || is_vchar_or_obs(c);
}

/* qdtext = HTAB / SP / %x21 / %x23-5B / %x5D-7E / obs-text */
static bool is_qdtext(char c)
{
    return is_value_char(c) && c != '"' && c != '\\';
}

/* ---- Lines */

enum { LINE_PART = -1, LINE_TOO_LONG = -2 };

/* Finds the line at `at`, without CRLF. 0, LINE_PART, LINE_TOO_LONG or 400. */
static int find_line(const char *text, size_t len, size_t at, size_t limit, struct place *line)
{
    size_t end = at;
    while (end < len && end < limit && text[end] != '\n')
        end++;
    if (end == limit)
        return LINE_TOO_LONG;
    if (end == len)
        return LINE_PART;
    if (end == at || text[end - 1] != '\r')
        return 400;
    *line = (struct place){at, end - 1 - at};
    return 0;
}

static size_t count_while(const char *text, struct place part, bool (*is)(char c))
{
    size_t n = 0;
    while (n < part.len && is(text[part.at + n]))
        n++;
    return n;
}

/* request-line = method SP request-target SP HTTP-version; HTTP-version = "HTTP/" DIGIT "." DIGIT
 */
static int match_request_line(const char *text, struct place line, struct plain_head *out)
{
    struct place method = {line.at, count_while(text, line, is_tchar)};
    size_t used = method.len + 1;
    if (!method.len || used > line.len || text[line.at + method.len] != ' ')
        return 400;
    struct place behind = {line.at + used, line.len - used};
    struct place target = {behind.at, count_while(text, behind, is_vchar_or_obs)};
    const char *version = text + target.at + target.len;
    if (!target.len || behind.len - target.len != strlen(" HTTP/1.1") ||
        strncmp(version, " HTTP/", 6) != 0 || !is_digit(version[6]) || version[7] != '.' ||
        !is_digit(version[8]))
        return 400;
    if (version[6] != '1')
        return 505;
    out->method = method;
    out->target = target;
    out->minor = (size_t)(version[8] - '0');
    return 0;
}

/* field-line = field-name ":" OWS field-value OWS */
static int match_field(const char *text, struct place line, struct plain_field *out)
{
    struct place name = {line.at, count_while(text, line, is_tchar)};
    if (!name.len || name.len == line.len || text[line.at + name.len] != ':')
        return 400;
    struct place value = {name.at + name.len + 1, line.len - name.len - 1};
    if (count_while(text, value, is_value_char) != value.len)
        return 400;
    while (value.len && is_blank(text[value.at]))
        value = (struct place){value.at + 1, value.len - 1};
    while (value.len && is_blank(text[value.at + value.len - 1]))
        value.len--;
    *out = (struct plain_field){name, value};
    return 0;
}

static int match_fields(const char *text, size_t len, size_t at, size_t limit, size_t max_fields,
                        struct plain_head *out)
{
    for (;;) {
        struct place line;
        int status = find_line(text, len, at, limit, &line);
        if (status)
            return status == LINE_TOO_LONG ? 431 : status;
        at += line.len + 2;
        if (!line.len) {
            out->end = at;
            return 0;
        }
        if (out->count == max_fields)
            return 431;
        status = match_field(text, line, &out->fields[out->count]);
        if (status)
            return status;
        out->count++;
    }
}

/* Only a whole head has fields. */
static void forget_fields(struct plain_head *out)
{
    memset(out->fields, 0, sizeof out->fields);
    out->count = 0;
}

static int match_head(const char *text, size_t len, const struct head_limits *limits,
                      struct plain_head *out)
{
    struct place line;
    while (len - out->begin >= 2 && memcmp(text + out->begin, "\r\n", 2) == 0) {
        if (out->begin == (size_t)2 * HTTP1_EMPTY_LINES)
            return 400;
        out->begin += 2;
    }
    size_t limit = out->begin + limits->max_bytes;
    int status = find_line(text, len, out->begin, limit, &line);
    if (status)
        return status == LINE_TOO_LONG ? 414 : status;
    status = match_request_line(text, line, out);
    if (status)
        return status;
    if (out->target.len > limits->max_target)
        return 414;
    return match_fields(text, len, out->begin + line.len + 2, limit, limits->max_fields, out);
}

void plain_head(const char *text, size_t len, const struct head_limits *limits,
                struct plain_head *out)
{
    memset(out, 0, sizeof *out);
    int status = match_head(text, len, limits, out);
    if (status)
        forget_fields(out);
    if (status == LINE_PART)
        memset(out, 0, sizeof *out);
    out->status = status;
}

void plain_trailers(const char *text, size_t len, const struct head_limits *limits,
                    struct plain_head *out)
{
    memset(out, 0, sizeof *out);
    int status = match_fields(text, len, 0, limits->max_bytes, limits->max_fields, out);
    if (status)
        forget_fields(out);
    out->status = status;
}

/* ---- Chunks */

/* How far the text matches. `at` stops at the first byte that does not, which is the end of the
 * text if more bytes could match. */
struct cursor {
    const char *text;
    size_t len, at;
    bool failed;
};

static bool sees(const struct cursor *c, bool (*is)(char c))
{
    return !c->failed && c->at < c->len && is(c->text[c->at]);
}

static bool sees_char(const struct cursor *c, char wanted)
{
    return !c->failed && c->at < c->len && c->text[c->at] == wanted;
}

static void skip_while(struct cursor *c, bool (*is)(char c))
{
    while (sees(c, is))
        c->at++;
}

static void take(struct cursor *c, bool found)
{
    if (found)
        c->at++;
    else
        c->failed = true;
}

static void take_some(struct cursor *c, bool (*is)(char c))
{
    take(c, sees(c, is));
    skip_while(c, is);
}

static void take_crlf(struct cursor *c)
{
    take(c, sees_char(c, '\r'));
    take(c, sees_char(c, '\n'));
}

/* quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE */
static void take_quoted(struct cursor *c)
{
    take(c, sees_char(c, '"'));
    while (sees(c, is_qdtext) || sees_char(c, '\\')) {
        bool pair = sees_char(c, '\\');
        c->at++;
        if (pair)
            take(c, sees(c, is_value_char));
    }
    take(c, sees_char(c, '"'));
}

/* chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] ) */
static void take_extensions(struct cursor *c)
{
    while (sees(c, is_blank) || sees_char(c, ';')) {
        skip_while(c, is_blank);
        take(c, sees_char(c, ';'));
        skip_while(c, is_blank);
        take_some(c, is_tchar);
        size_t name_end = c->at;
        skip_while(c, is_blank);
        if (!sees_char(c, '=')) {
            /* The white space is that before the next semicolon. */
            if (c->at < c->len)
                c->failed |= c->at > name_end && !sees_char(c, ';');
            continue;
        }
        c->at++;
        skip_while(c, is_blank);
        if (sees_char(c, '"'))
            take_quoted(c);
        else
            take_some(c, is_tchar);
    }
}

static uint64_t value_of(const char *digits, size_t len, bool *over)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        const char *all = "0123456789abcdef0123456789ABCDEF";
        uint64_t digit = (uint64_t)(strchr(all, digits[i]) - all) % 16;
        *over = *over || value > (uint64_t)INT64_MAX / 16;
        value = value * 16 + digit;
    }
    return value;
}

/*
 * The framing before a chunk's data: the CRLF of the chunk before, if there is one, then a line
 * with the size and extensions. 413 if it is too long before it is malformed.
 */
static int match_framing(struct cursor *c, bool behind, uint64_t *excess, uint64_t *size)
{
    size_t begin = c->at;
    bool over = false;
    if (behind)
        take_crlf(c);
    size_t digits = c->at;
    take_some(c, is_hex);
    size_t digits_len = c->at - digits;
    *size = value_of(c->text + digits, digits_len, &over);
    take_extensions(c);
    size_t extensions = c->at - digits - digits_len;
    take_crlf(c);
    if (over || c->at - begin > HTTP1_CHUNK_FRAMING ||
        *excess + extensions > HTTP1_CHUNK_EXTENSIONS)
        return 413;
    if (c->failed)
        return c->at < c->len ? 400 : HTTP1_PART;
    *excess += extensions;
    *excess -= *excess < *size ? *excess : *size;
    return 0;
}

static int match_chunks(const char *text, size_t len, struct plain_body *out)
{
    struct cursor c = {text, len, 0, false};
    uint64_t size = 0, excess = 0;
    for (bool behind = false;; behind = true) {
        int status = match_framing(&c, behind, &excess, &size);
        if (status)
            return status;
        if (size == 0) {
            out->end = c.at;
            return 0;
        }
        size_t here = size < len - c.at ? (size_t)size : len - c.at;
        memcpy(out->data + out->len, text + c.at, here);
        out->len += here;
        c.at += here;
        if (here < size)
            return HTTP1_PART;
    }
}

void plain_chunks(const char *text, size_t len, struct plain_body *out)
{
    out->len = out->end = 0;
    out->status = match_chunks(text, len, out);
}
