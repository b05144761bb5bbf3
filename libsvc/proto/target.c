/* The request target is hostile until it has been parsed here; later code relies on these checks.
 */
#include "libsvc/proto/target.h"

#include <string.h>

#include "libsvc/proto/host.h"
#include "libsvc/proto/uri.h"

static int bad_target(const char **reason, const char *text)
{
    *reason = text;
    return 400;
}

static bool byte_allowed(unsigned char c)
{
    return c > 0x20 && c != 0x7f && c != '#';
}

bool svc__target_ends_early(struct bytes raw)
{
    for (size_t i = 0; i < raw.len; i++) {
        unsigned char c = (unsigned char)raw.data[i];
        if (c <= 0x20 || c == 0x7f)
            return true;
    }
    return false;
}

static bool bytes_allowed(struct bytes raw)
{
    bool allowed = true;
    for (size_t i = 0; i < raw.len; i++)
        allowed &= byte_allowed((unsigned char)raw.data[i]);
    return allowed;
}

static bool has_escaped_nul(struct bytes path)
{
    return memmem(path.data, path.len, "%00", 3) != NULL;
}

/* Browsers take a backslash for a slash: /\host in a Location would lead to another site. */
static bool has_backslash(struct bytes path)
{
    return memchr(path.data, '\\', path.len) != NULL;
}

/* The length of "http://" or "https://" in any case at the start of `raw`, or 0. */
static size_t scheme_span(struct bytes raw)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        struct bytes scheme = svc__bytes_z(schemes[i]);
        struct bytes start = {raw.data, scheme.len};
        if (raw.len >= scheme.len && svc__bytes_eq_nocase(start, scheme))
            return scheme.len;
    }
    return 0;
}

/* Takes the authority, up to the path or query, off the front of `*rest`. */
static struct bytes take_authority(struct bytes *rest)
{
    struct bytes authority = {rest->data, 0};
    while (authority.len < rest->len && rest->data[authority.len] != '/' &&
           rest->data[authority.len] != '?')
        authority.len++;
    rest->data += authority.len;
    rest->len -= authority.len;
    return authority;
}

/* Parts path and query at the first '?'. */
static void split_query(struct target *t, struct bytes text)
{
    const char *mark = text.len > 0 ? memchr(text.data, '?', text.len) : NULL;
    t->path = text;
    if (mark) {
        t->path.len = (size_t)(mark - text.data);
        t->query = svc__bytes(mark + 1, text.len - t->path.len - 1);
        t->has_query = true;
    }
    if (t->path.len == 0)
        t->path = svc__bytes_z("/");
}

static int parse_absolute(struct target *t, const char **reason)
{
    size_t scheme = scheme_span(t->raw);
    if (scheme == 0)
        return bad_target(reason, "the request target is neither a path nor an http URL");
    struct bytes rest = {t->raw.data + scheme, t->raw.len - scheme};
    t->form = TARGET_ABSOLUTE;
    t->authority = take_authority(&rest);
    if (svc__host_name(t->authority).len == 0 || !svc__host_valid(t->authority))
        return bad_target(reason, "the request target has a malformed host");
    split_query(t, rest);
    return 0;
}

/* RFC 9110 9.3.6: CONNECT names a host and a port, of which neither may be empty. */
static int parse_authority(struct target *t, const char **reason)
{
    size_t name = svc__host_name(t->raw).len;
    if (name == 0 || t->raw.len <= name + 1 || !svc__host_valid(t->raw))
        return bad_target(reason, "the target of CONNECT is neither host:port nor a path");
    t->form = TARGET_AUTHORITY;
    t->authority = t->raw;
    t->path = svc__bytes_z("/");
    return 0;
}

static int parse_form(struct target *t, struct bytes method, const char **reason)
{
    if (t->raw.data[0] == '/') {
        t->form = TARGET_ORIGIN;
        split_query(t, t->raw);
        return 0;
    }
    if (svc__bytes_eq_z(t->raw, "*")) {
        t->form = TARGET_ASTERISK;
        t->path = t->raw;
        return svc__bytes_eq_z(method, "OPTIONS")
                   ? 0
                   : bad_target(reason, "the request target * is for OPTIONS only");
    }
    if (svc__bytes_eq_z(method, "CONNECT") && scheme_span(t->raw) == 0)
        return parse_authority(t, reason);
    return parse_absolute(t, reason);
}

int svc__target_parse(struct bytes raw, struct bytes method, struct target *out,
                      const char **reason)
{
    struct target t = {.raw = raw};
    if (raw.len == 0)
        return bad_target(reason, "the request target is empty");
    if (!bytes_allowed(raw))
        return bad_target(reason, "the request target has a byte that must be escaped");
    if (!svc__uri_escapes_valid(raw))
        return bad_target(reason, "the request target has a malformed percent escape");
    int status = parse_form(&t, method, reason);
    if (status != 0)
        return status;
    t.escaped = memchr(t.path.data, '%', t.path.len) != NULL;
    if (t.escaped && has_escaped_nul(t.path))
        return bad_target(reason, "the path has an escaped NUL");
    if (has_backslash(t.path))
        return bad_target(reason, "the path has a backslash that must be escaped");
    t.unclean = t.form != TARGET_ASTERISK && svc__uri_unclean(t.path);
    *out = t;
    return 0;
}
