/* One function for each rule of the grammar; the levels that recursion would remember are bits. */
#include "libsvc/base/json_scan.h"

#include "libsvc/base/hex.h"
#include "libsvc/base/utf8.h"

/* The tokens that are allowed at a position. */
enum state {
    VALUE,    /* a value */
    FIRST,    /* the first value or name of a level, or its end */
    FOLLOWING /* a comma or the level's end; on the outermost level the text's end */
};

static enum json_token bad_json(struct json_scan *s, const char *reason)
{
    s->reason = s->at < s->end && *s->at == '\0' ? "NUL is not JSON" : reason;
    return JSON_TOKEN_FAULT;
}

enum json_token svc__json_scan_refuse(struct json_scan *s, const char *reason)
{
    if (s->text.data)
        s->at = s->text.data;
    return bad_json(s, reason);
}

/* The next byte; NUL, which the grammar has nowhere, at the end. */
static char peek(const struct json_scan *s)
{
    return s->at < s->end ? *s->at : '\0';
}

static bool take_byte(struct json_scan *s, char c)
{
    bool found = peek(s) == c && s->at < s->end;
    s->at += found;
    return found;
}

static void skip_space(struct json_scan *s)
{
    while (peek(s) == ' ' || peek(s) == '\t' || peek(s) == '\n' || peek(s) == '\r')
        s->at++;
}

static bool in_object(const struct json_scan *s)
{
    unsigned level = s->depth - 1;
    return s->depth > 0 && s->objects[level / 64] >> level % 64 & 1;
}

/* ---- Numbers and words */

static bool take_digits(struct json_scan *s)
{
    const char *start = s->at;
    while (peek(s) >= '0' && peek(s) <= '9')
        s->at++;
    return s->at > start;
}

static bool take_exponent(struct json_scan *s)
{
    if (!take_byte(s, '-'))
        take_byte(s, '+');
    return take_digits(s);
}

static enum json_token take_number(struct json_scan *s)
{
    const char *start = s->at;
    bool negative = take_byte(s, '-');
    if (!take_byte(s, '0') && !take_digits(s))
        return bad_json(s, negative ? "a digit is expected" : "a value is expected");
    const char *whole_end = s->at;
    if (take_byte(s, '.') && !take_digits(s))
        return bad_json(s, "a digit is expected");
    if ((take_byte(s, 'e') || take_byte(s, 'E')) && !take_exponent(s))
        return bad_json(s, "a digit is expected");
    s->text = svc__bytes(start, (size_t)(s->at - start));
    s->whole = s->at == whole_end;
    return JSON_TOKEN_NUMBER;
}

static enum json_token take_word(struct json_scan *s, const char *word, enum json_token token)
{
    size_t len = strlen(word);
    if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0)
        return bad_json(s, "a value is expected");
    s->text = svc__bytes(s->at, len);
    s->at += len;
    return token;
}

/* ---- Strings */

/* Four hexadecimal digits. */
static bool take_code(struct json_scan *s, unsigned *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++) {
        int digit = svc__hex_value(peek(s));
        if (digit < 0)
            return false;
        *code = *code << 4 | (unsigned)digit;
        s->at++;
    }
    return true;
}

/* The digits behind "\u", and the second half of a surrogate pair where they are its first. NULL,
 * or the error's text. */
static const char *take_unicode(struct json_scan *s)
{
    unsigned code;
    if (!take_code(s, &code))
        return "\\u needs four hexadecimal digits";
    if (code < 0xd800 || code > 0xdfff)
        return NULL;
    bool paired = code < 0xdc00 && take_byte(s, '\\') && take_byte(s, 'u') && take_code(s, &code) &&
                  code >= 0xdc00 && code <= 0xdfff;
    return paired ? NULL : "half a surrogate pair";
}

/* Checks an escape after its backslash. NULL, or the error's text. */
static const char *take_escape(struct json_scan *s)
{
    if (take_byte(s, 'u'))
        return take_unicode(s);
    char c = peek(s);
    bool known = c != '\0' && strchr("\"\\/bfnrt", c) && take_byte(s, c);
    return known ? NULL : "an escape that JSON has not";
}

static enum json_token take_string(struct json_scan *s, enum json_token token)
{
    const char *start = ++s->at;
    s->escaped = false;
    for (;;) {
        while (s->at < s->end && *s->at != '"' && *s->at != '\\' && (unsigned char)*s->at >= 0x20)
            s->at++;
        if (peek(s) != '\\')
            break;
        const char *escape = s->at++, *reason = take_escape(s);
        s->escaped = true;
        if (reason) {
            s->at = escape;
            return bad_json(s, reason);
        }
    }
    s->text = svc__bytes(start, (size_t)(s->at - start));
    if (take_byte(s, '"'))
        return token;
    return bad_json(s, s->at == s->end ? "a string does not end"
                                       : "a control character in a string is not escaped");
}

static char *put_utf8(char *to, unsigned code)
{
    if (code < 0x80) {
        *to++ = (char)code;
        return to;
    }
    unsigned more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned leads[] = {0, 0xc0, 0xe0, 0xf0};
    *to++ = (char)(leads[more] | code >> 6 * more);
    while (more-- > 0)
        *to++ = (char)(0x80 | (code >> 6 * more & 0x3f));
    return to;
}

static char *unescape_one(char *to, struct json_scan *s)
{
    static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
    char c = *s->at++;
    if (c == 'u') {
        unsigned code = 0, second = 0;
        take_code(s, &code);
        if (code >= 0xd800 && code <= 0xdfff) {
            s->at += 2; /* the "\u" of the other half, already checked */
            take_code(s, &second);
            code = 0x10000 + ((code & 0x3ff) << 10 | (second & 0x3ff));
        }
        return put_utf8(to, code);
    }
    const char *letter = strchr(letters, c);
    *to++ = letter ? meant[letter - letters] : c;
    return to;
}

size_t svc__json_scan_unescape(char *out, struct bytes text)
{
    struct json_scan s = {.at = text.data, .end = text.data + text.len};
    char *to = out;
    while (s.at < s.end) {
        const char *backslash = memchr(s.at, '\\', (size_t)(s.end - s.at));
        size_t plain = (size_t)((backslash ? backslash : s.end) - s.at);
        memcpy(to, s.at, plain);
        to += plain;
        s.at += plain;
        if (s.at < s.end) {
            s.at++;
            to = unescape_one(to, &s);
        }
    }
    return (size_t)(to - out);
}

/* ---- The structure */

static enum json_token open_level(struct json_scan *s, bool object)
{
    if (s->depth == s->max_depth)
        return bad_json(s, "nested deeper than is allowed");
    uint64_t bit = UINT64_C(1) << s->depth % 64;
    uint64_t *word = &s->objects[s->depth / 64];
    *word = object ? *word | bit : *word & ~bit;
    s->at++;
    s->depth++;
    s->state = FIRST;
    return object ? JSON_TOKEN_OBJECT : JSON_TOKEN_ARRAY;
}

static enum json_token take_value(struct json_scan *s)
{
    char c = peek(s);
    if (c == '{' || c == '[')
        return open_level(s, c == '{');
    s->state = FOLLOWING;
    switch (c) {
    case '"':
        return take_string(s, JSON_TOKEN_STRING);
    case 't':
        return take_word(s, "true", JSON_TOKEN_TRUE);
    case 'f':
        return take_word(s, "false", JSON_TOKEN_FALSE);
    case 'n':
        return take_word(s, "null", JSON_TOKEN_NULL);
    default:
        return take_number(s);
    }
}

static enum json_token take_name(struct json_scan *s)
{
    if (peek(s) != '"')
        return bad_json(s, "a name in quotes is expected");
    enum json_token token = take_string(s, JSON_TOKEN_NAME);
    if (token == JSON_TOKEN_FAULT)
        return token;
    skip_space(s);
    if (!take_byte(s, ':'))
        return bad_json(s, "':' is expected");
    s->state = VALUE;
    return token;
}

static bool take_end(struct json_scan *s)
{
    if (!take_byte(s, in_object(s) ? '}' : ']'))
        return false;
    s->depth--;
    s->state = FOLLOWING;
    return true;
}

/* Behind a value. */
static enum json_token take_following(struct json_scan *s)
{
    if (s->depth == 0)
        return s->at == s->end ? JSON_TOKEN_DONE : bad_json(s, "the text goes on behind its value");
    if (take_end(s))
        return JSON_TOKEN_CLOSE;
    if (!take_byte(s, ','))
        return bad_json(s, in_object(s) ? "',' or '}' is expected" : "',' or ']' is expected");
    skip_space(s);
    return in_object(s) ? take_name(s) : take_value(s);
}

enum json_token svc__json_scan_next(struct json_scan *s)
{
    if (s->reason)
        return JSON_TOKEN_FAULT;
    skip_space(s);
    switch (s->state) {
    case FOLLOWING:
        return take_following(s);
    case FIRST:
        if (take_end(s))
            return JSON_TOKEN_CLOSE;
        return in_object(s) ? take_name(s) : take_value(s);
    default:
        return take_value(s);
    }
}

/* ---- Begin and faults */

void svc__json_scan_begin(struct json_scan *s, struct bytes text, unsigned max_depth)
{
    s->start = s->at = text.data;
    s->end = text.len > 0 ? text.data + text.len : text.data;
    s->text = svc__bytes(NULL, 0);
    s->reason = NULL;
    s->depth = 0;
    s->max_depth = max_depth;
    s->state = VALUE;
    if (svc__utf8_valid(text))
        return;
    for (size_t n; (n = svc__utf8_sequence(svc__bytes(s->at, (size_t)(s->end - s->at)))) > 0;)
        s->at += n;
    bad_json(s, "the text is not UTF-8");
}

void svc__json_scan_place(const struct json_scan *s, size_t *line, size_t *column)
{
    const char *begin = s->start, *feed;
    *line = 1;
    while (begin < s->at && (feed = memchr(begin, '\n', (size_t)(s->at - begin)))) {
        begin = feed + 1;
        ++*line;
    }
    *column = 1 + svc__utf8_count(svc__bytes(begin, (size_t)(s->at - begin)));
}
