/* Cache-Control, from one list of directives for reading and writing. */
#include "libsvc/proto/cache_control.h"

#include <stdbool.h>

#include <svc/errors.h>

#include "libsvc/base/num.h"
#include "libsvc/proto/token.h"

#define REQUEST_ONLY CACHE_CONTROL_ONLY_IF_CACHED

struct cache_control svc__cache_control_none(void)
{
#define UNSAID(member, text) .member = -1,
    return (struct cache_control){.flags = 0, CACHE_CONTROL_SECONDS(UNSAID)};
#undef UNSAID
}

/* ---- Reading */

struct directive {
    struct bytes name, argument; /* argument "none": without '=' */
};

/* The end of the element that `text` begins with: a comma outside of a quoted string. */
static size_t element_span(struct bytes text)
{
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == ',' && !quoted)
            return i;
        if (c == '"')
            quoted = !quoted;
        else if (c == '\\' && quoted)
            i++;
    }
    return text.len;
}

static struct bytes take_element(struct bytes *rest)
{
    size_t span = element_span(*rest);
    struct bytes element = svc__bytes(rest->data, span);
    size_t behind = span < rest->len ? span + 1 : span;
    *rest = svc__bytes(rest->data + behind, rest->len - behind);
    return svc__bytes_trim(element);
}

static bool read_directive(struct bytes element, struct directive *out)
{
    struct directive directive;
    directive.name = svc__bytes(element.data, svc__token_span(element));
    size_t len = directive.name.len;
    if (len == 0 || (len < element.len && element.data[len] != '='))
        return false;
    directive.argument = svc__bytes(NULL, 0);
    if (len < element.len)
        directive.argument = svc__bytes(element.data + len + 1, element.len - len - 1);
    *out = directive;
    return true;
}

/* Sets a member that is not set yet, to `otherwise` where the directive has no argument. */
static void take_seconds(int64_t *member, const struct directive *directive, int64_t otherwise)
{
    struct bytes argument = directive->argument;
    uint64_t seconds;
    if (*member >= 0)
        return;
    *member = otherwise;
    if (!argument.data)
        return;
    int error =
        svc__num_u64(svc__bytes_unquote(argument), (uint64_t)CACHE_CONTROL_MAX_SECONDS, &seconds);
    *member = error == SVC_ETOOBIG ? CACHE_CONTROL_MAX_SECONDS : error ? 0 : (int64_t)seconds;
}

static void take_directive(const struct directive *directive, struct cache_control *out)
{
#define TAKE_FLAG(flag, text)                                                                      \
    if (svc__bytes_eq_nocase(directive->name, svc__bytes_z(text)))                                 \
        out->flags |= CACHE_CONTROL_##flag;
    CACHE_CONTROL_FLAGS(TAKE_FLAG)
#undef TAKE_FLAG
    bool max_stale = svc__bytes_eq_nocase(directive->name, svc__bytes_z("max-stale"));
#define TAKE_SECONDS(member, text)                                                                 \
    if (svc__bytes_eq_nocase(directive->name, svc__bytes_z(text)))                                 \
        take_seconds(&out->member, directive, max_stale ? CACHE_CONTROL_MAX_SECONDS : 0);
    CACHE_CONTROL_SECONDS(TAKE_SECONDS)
#undef TAKE_SECONDS
}

void svc__cache_control_parse(struct bytes value, struct cache_control *out)
{
    while (value.len > 0) {
        struct directive directive;
        if (read_directive(take_element(&value), &directive))
            take_directive(&directive, out);
    }
}

/* ---- Writing */

int svc__cache_control_check(const struct cache_control *value)
{
#define BELOW(member, text) || value->member < -1
    if (0 CACHE_CONTROL_SECONDS(BELOW))
        return SVC_EINVAL;
#undef BELOW
    bool private = value->flags & CACHE_CONTROL_PRIVATE;
    bool shared = (value->flags & CACHE_CONTROL_PUBLIC) || value->s_maxage >= 0;
    bool of_requests =
        (value->flags & REQUEST_ONLY) || value->max_stale >= 0 || value->min_fresh >= 0;
    return (private && shared) || of_requests ? SVC_EINVAL : 0;
}

static char *put_text(char *at, const char *start, struct bytes text)
{
    if (at != start) {
        *at++ = ',';
        *at++ = ' ';
    }
    memcpy(at, text.data, text.len);
    return at + text.len;
}

static char *put_seconds(char *at, const char *start, struct bytes text, int64_t seconds)
{
    if (seconds < 0)
        return at;
    if (seconds > CACHE_CONTROL_MAX_SECONDS)
        seconds = CACHE_CONTROL_MAX_SECONDS;
    char digits[NUM_U64_LEN];
    size_t len = svc__num_format_u64(digits, (uint64_t)seconds);
    at = put_text(at, start, text);
    *at++ = '=';
    memcpy(at, digits, len);
    return at + len;
}

size_t svc__cache_control_format(char out[static CACHE_CONTROL_SIZE],
                                 const struct cache_control *value)
{
    char *at = out;
#define PUT_FLAG(flag, text)                                                                       \
    if (value->flags & CACHE_CONTROL_##flag)                                                       \
        at = put_text(at, out, svc__bytes_z(text));
    CACHE_CONTROL_FLAGS(PUT_FLAG)
#undef PUT_FLAG
#define PUT_SECONDS(member, text) at = put_seconds(at, out, svc__bytes_z(text), value->member);
    CACHE_CONTROL_SECONDS(PUT_SECONDS)
#undef PUT_SECONDS
    *at = '\0';
    return (size_t)(at - out);
}

int64_t svc__cache_control_expires_in(const struct cache_control *value)
{
    const unsigned never = CACHE_CONTROL_NO_STORE | CACHE_CONTROL_NO_CACHE | CACHE_CONTROL_PRIVATE;
    return value->flags & never ? 0 : value->max_age;
}
