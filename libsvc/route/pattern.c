/* Parses route patterns. */
#include "libsvc/route/pattern.h"

#include <svc/errors.h>

#include "libsvc/proto/token.h"
#include "libsvc/proto/uri.h"

struct parser {
    struct arena *arena;
    const char *text;
    struct buf *error;
    struct segment segments[PATTERN_MAX_SEGMENTS];
    size_t count, params;
};

static int bad_pattern(struct parser *p, const char *at, const char *why)
{
    svc__buf_printf(p->error, "at offset %zu: %s", (size_t)(at - p->text), why);
    return SVC_ESYNTAX;
}

/* Takes "METHOD " off the front, if it is there; `*rest` becomes the text behind it. */
static int parse_method(struct parser *p, struct bytes *rest, struct bytes *method)
{
    size_t len = strcspn(rest->data, " \t");
    *method = svc__bytes(NULL, 0);
    if (len == rest->len)
        return 0;
    struct bytes token = {rest->data, len};
    if (!svc__token_valid(token))
        return bad_pattern(p, token.data, "the method is not a token");
    *rest = svc__bytes_trim(svc__bytes(rest->data + len, rest->len - len));
    *method = svc__arena_copy(p->arena, token);
    return method->data ? 0 : SVC_ENOMEM;
}

static int parse_host(struct parser *p, struct bytes *rest, struct bytes *host)
{
    const char *slash = memchr(rest->data, '/', rest->len);
    if (!slash)
        return bad_pattern(p, rest->data, "the path must begin with '/'");
    struct bytes text = {rest->data, (size_t)(slash - rest->data)};
    for (size_t i = 0; i < text.len; i++)
        if (strchr(" \t{}@?#%", text.data[i]))
            return bad_pattern(p, text.data + i, "the host has a character that no host has");
    const char *port =
        text.len > 0 && text.data[0] != '[' ? memchr(text.data, ':', text.len) : NULL;
    if (port)
        return bad_pattern(p, port, "a host is matched without its port");
    if (text.len > PATTERN_MAX_LITERAL)
        return bad_pattern(p, text.data, "the host is too long");
    char *copy = svc__arena_strndup(p->arena, text.data, text.len);
    if (!copy)
        return SVC_ENOMEM;
    for (size_t i = 0; i < text.len; i++)
        copy[i] = svc__bytes_lower(copy[i]); /* RFC 9110 4.2.3: hosts have no case */
    *host = svc__bytes(copy, text.len);
    *rest = svc__bytes(slash, rest->len - text.len);
    return 0;
}

static int append(struct parser *p, const char *at, enum segment_kind kind, struct bytes text)
{
    if (p->count == PATTERN_MAX_SEGMENTS)
        return bad_pattern(p, at, "more than 255 segments");
    if (text.len > PATTERN_MAX_LITERAL)
        return bad_pattern(p, at, "a segment of more than 255 bytes");
    struct bytes copy = svc__arena_copy(p->arena, text);
    if (!copy.data)
        return SVC_ENOMEM;
    p->segments[p->count++] = (struct segment){kind, copy};
    return 0;
}

static int parse_literal(struct parser *p, struct bytes text)
{
    char decoded[PATTERN_MAX_LITERAL + 1];
    size_t len = 0;
    for (struct bytes rest = text; rest.len > 0;) {
        if (len == sizeof decoded)
            return bad_pattern(p, text.data, "a segment of more than 255 bytes");
        decoded[len++] = (char)svc__uri_take(&rest);
    }
    return append(p, text.data, SEGMENT_LITERAL, svc__bytes(decoded, len));
}

static bool name_valid(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = svc__bytes_lower(name.data[i]);
        bool letter = (c >= 'a' && c <= 'z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return true;
}

static bool name_taken(const struct parser *p, struct bytes name)
{
    for (size_t i = 0; i < p->count; i++)
        if (svc__pattern_is_wild(&p->segments[i]) && svc__bytes_eq(p->segments[i].text, name))
            return true;
    return false;
}

static int append_named(struct parser *p, struct bytes name, bool multi)
{
    if (name.len == 0)
        return bad_pattern(p, name.data, "a wildcard without a name");
    if (!name_valid(name))
        return bad_pattern(p, name.data,
                           "a wildcard's name is not a letter or '_', then letters, "
                           "digits or '_'");
    if (name_taken(p, name))
        return bad_pattern(p, name.data, "two wildcards have the same name");
    if (p->params++ == PATTERN_MAX_PARAMS)
        return bad_pattern(p, name.data, "more than 16 wildcards");
    return append(p, name.data, multi ? SEGMENT_MULTI : SEGMENT_WILD, name);
}

static int parse_wildcard(struct parser *p, struct bytes text, bool last)
{
    static const char dots[] = "...";
    enum { DOTS = sizeof dots - 1 };
    if (text.data[0] != '{' || text.data[text.len - 1] != '}')
        return bad_pattern(p, text.data, "a wildcard must be a whole segment");
    struct bytes name = {text.data + 1, text.len - 2};
    if (svc__bytes_eq_z(name, "$"))
        return last ? append(p, text.data, SEGMENT_END, svc__bytes("", 0))
                    : bad_pattern(p, text.data, "{$} is not at the end");
    bool multi = name.len >= DOTS && !memcmp(name.data + name.len - DOTS, dots, DOTS);
    if (multi && !last)
        return bad_pattern(p, text.data, "a {name...} wildcard is not at the end");
    name.len -= multi ? DOTS : 0;
    return append_named(p, name, multi);
}

/* `rest` begins with '/'. */
static int parse_path(struct parser *p, struct bytes rest)
{
    svc__bytes_cut(&rest, '/');
    while (rest.data) {
        struct bytes text = svc__bytes_cut(&rest, '/');
        int error;
        if (memchr(text.data, '{', text.len) || memchr(text.data, '}', text.len))
            error = parse_wildcard(p, text, !rest.data);
        else if (text.len == 0 && !rest.data)
            error = append(p, text.data, SEGMENT_MULTI, svc__bytes("", 0));
        else
            error = parse_literal(p, text);
        if (error)
            return error;
    }
    return 0;
}

static int parse_all(struct parser *p, struct pattern *out)
{
    struct bytes rest = svc__bytes_z(p->text);
    int error = parse_method(p, &rest, &out->method);
    if (!error)
        error = parse_host(p, &rest, &out->host);
    /* Without a method too: Go accepts this for CONNECT, but such a pattern is hardly ever meant
     * for CONNECT. */
    if (!error && svc__uri_unclean(rest) && !svc__bytes_eq_z(out->method, "CONNECT"))
        error = bad_pattern(p, rest.data,
                            "no request but CONNECT matches a path with '//', '/./' or '/../'");
    return error ? error : parse_path(p, rest);
}

/* A hash of a literal in one byte, never 0. */
static uint64_t print(struct bytes literal)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < literal.len; i++)
        hash = (hash ^ (unsigned char)literal.data[i]) * 16777619u;
    return hash % 255 + 1;
}

static uint64_t print_all(const struct parser *p)
{
    uint64_t prints = 0;
    for (size_t i = 0; i < p->count && i < sizeof prints; i++)
        if (p->segments[i].kind == SEGMENT_LITERAL)
            prints |= print(p->segments[i].text) << (8 * i);
    return prints;
}

int svc__pattern_parse(struct arena *arena, const char *text, const char *file, int line,
                       struct pattern *out, struct buf *error)
{
    struct pattern pattern = {.file = file, .line = line};
    struct parser p = {.arena = arena, .error = error, .text = text};
    int code = parse_all(&p, &pattern);
    if (code)
        return code;
    pattern.count = p.count;
    pattern.params = p.params;
    pattern.prints = print_all(&p);
    pattern.text = svc__arena_strndup(arena, text, strlen(text));
    pattern.segments = svc__arena_alloc(arena, p.count * sizeof *pattern.segments);
    if (!pattern.text || !pattern.segments)
        return SVC_ENOMEM;
    memcpy(pattern.segments, p.segments, p.count * sizeof *pattern.segments);
    *out = pattern;
    return 0;
}

const char *svc__pattern_path(const struct pattern *pattern)
{
    const char *text = pattern->text + pattern->method.len;
    return text + strspn(text, " \t");
}
