/* The grammar of JSON (RFC 8259) without values, without memory and without recursion. */
#include "libsvc/base/json_check.h"

#include <stdint.h>

#include "libsvc/base/utf8.h"

struct scan {
    const char *at, *end;
    uint64_t objects; /* a bit for each level: whether it is an object; the innermost lowest */
    unsigned depth;
};

/* The next byte; NUL, which the grammar has nowhere, at the end. */
static char peek(const struct scan *s)
{
    return s->at < s->end ? *s->at : '\0';
}

static bool take(struct scan *s, char c)
{
    bool found = peek(s) == c && s->at < s->end;
    s->at += found;
    return found;
}

static void skip_space(struct scan *s)
{
    while (peek(s) == ' ' || peek(s) == '\t' || peek(s) == '\n' || peek(s) == '\r')
        s->at++;
}

static bool take_digits(struct scan *s)
{
    const char *start = s->at;
    while (peek(s) >= '0' && peek(s) <= '9')
        s->at++;
    return s->at > start;
}

static bool take_number(struct scan *s)
{
    take(s, '-');
    if (!take(s, '0') && !take_digits(s))
        return false;
    if (take(s, '.') && !take_digits(s))
        return false;
    if (!take(s, 'e') && !take(s, 'E'))
        return true;
    if (!take(s, '-'))
        take(s, '+');
    return take_digits(s);
}

/* Four hexadecimal digits. */
static bool take_code(struct scan *s, unsigned *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++) {
        char c = svc__bytes_lower(peek(s));
        bool digit = c >= '0' && c <= '9';
        if (!digit && (c < 'a' || c > 'f'))
            return false;
        *code = *code << 4 | (unsigned)(digit ? c - '0' : c - 'a' + 10);
        s->at++;
    }
    return true;
}

/* What follows "\u", with the second half where it is the first one of a pair. */
static bool take_unicode(struct scan *s)
{
    unsigned code;
    if (!take_code(s, &code))
        return false;
    if (code < 0xd800 || code > 0xdfff)
        return true;
    return code < 0xdc00 && take(s, '\\') && take(s, 'u') && take_code(s, &code) &&
           code >= 0xdc00 && code <= 0xdfff;
}

static bool take_escape(struct scan *s)
{
    if (take(s, 'u'))
        return take_unicode(s);
    char c = peek(s);
    return c != '\0' && strchr("\"\\/bfnrt", c) && take(s, c);
}

static bool take_string(struct scan *s)
{
    if (!take(s, '"'))
        return false;
    for (;;) {
        while (s->at < s->end && *s->at != '"' && *s->at != '\\' && (unsigned char)*s->at >= 0x20)
            s->at++;
        if (take(s, '"'))
            return true;
        if (!take(s, '\\') || !take_escape(s))
            return false;
    }
}

static bool take_word(struct scan *s, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0)
        return false;
    s->at += len;
    return true;
}

static bool take_scalar(struct scan *s)
{
    switch (peek(s)) {
    case '"':
        return take_string(s);
    case 't':
        return take_word(s, "true");
    case 'f':
        return take_word(s, "false");
    case 'n':
        return take_word(s, "null");
    default:
        return take_number(s);
    }
}

/* The name of a member and its colon, where the innermost level is an object. */
static bool take_name(struct scan *s)
{
    if (!(s->objects & 1))
        return true;
    skip_space(s);
    if (!take_string(s))
        return false;
    skip_space(s);
    return take(s, ':');
}

/* The end of the innermost level, if it is there. */
static bool take_end(struct scan *s)
{
    skip_space(s);
    if (!take(s, s->objects & 1 ? '}' : ']'))
        return false;
    s->objects >>= 1;
    s->depth--;
    return true;
}

/* All beginnings of levels and their first names that stand before a value. `*empty` tells that a
 * level has ended instead. */
static bool take_beginnings(struct scan *s, unsigned max_depth, bool *empty)
{
    *empty = false;
    for (;;) {
        skip_space(s);
        bool object = peek(s) == '{';
        if (!object && peek(s) != '[')
            return true;
        if (s->depth == max_depth)
            return false;
        s->at++;
        s->objects = s->objects << 1 | object;
        s->depth++;
        *empty = take_end(s);
        if (*empty)
            return true;
        if (!take_name(s))
            return false;
    }
}

bool svc__json_check(struct bytes text, unsigned max_depth)
{
    if (text.len == 0 || !svc__utf8_valid(text))
        return false;
    struct scan s = {.at = text.data, .end = text.data + text.len};
    for (;;) {
        bool empty;
        if (!take_beginnings(&s, max_depth, &empty) || (!empty && !take_scalar(&s)))
            return false;
        while (s.depth > 0 && take_end(&s))
            continue;
        skip_space(&s);
        if (s.depth == 0)
            return s.at == s.end;
        if (!take(&s, ',') || !take_name(&s))
            return false;
    }
}
