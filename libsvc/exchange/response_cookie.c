/* Cookies that a reply sets: checked as browsers check them, and written: the one writer of
 * Set-Cookie fields. */
#include <string.h>
#include <strings.h>

#include <svc/cookie.h>
#include <svc/errors.h>
#include <svc/response.h>

#include "libsvc/base/clock.h"
#include "libsvc/base/sized.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/proto/token.h"

/* The years that browsers read (RFC 6265bis 5.1.1). */
static const int64_t first_s = -11644473600, last_s = 253402300799;

/* What is wrong about a cookie, with the code of the call that refuses it. */
struct mistake {
    int error;
    const char *text;
};

static const struct mistake no_mistake;

static struct mistake mistake_of(const char *text)
{
    return (struct mistake){SVC_EINVAL, text};
}

/* ---- Parts */

/* Whether all bytes are visible ASCII, and none is forbidden. */
static bool is_visible(const char *text, const char *forbidden)
{
    for (; *text; text++)
        if (*text <= 0x20 || *text >= 0x7f || strchr(forbidden, *text))
            return false;
    return true;
}

static bool is_host(const char *domain)
{
    char before = '.';
    for (; *domain; before = *domain++)
        if (*domain == '.'
                ? before == '.'
                : !svc__bytes_is_letter(*domain) && !svc__bytes_is_digit(*domain) && *domain != '-')
            return false;
    return before != '.';
}

static struct mistake check_name(const svc_cookie *cookie)
{
    struct bytes name = svc__bytes_z(cookie->name), value = svc__bytes_z(cookie->value);
    if (!svc__token_valid(name))
        return mistake_of("a cookie's name is not a token");
    if (cookie->value && !is_visible(cookie->value, "\",;\\"))
        return mistake_of("the value has a byte that a cookie cannot hold: encode it");
    if (name.len > SVC_COOKIE_BYTES || value.len > SVC_COOKIE_BYTES - name.len)
        return (struct mistake){SVC_ETOOBIG, "name and value have more than 4096 bytes"};
    return no_mistake;
}

static struct mistake check_place(const svc_cookie *cookie)
{
    const char *domain = cookie->domain ? cookie->domain : "a";
    const char *path = cookie->path ? cookie->path : "/";
    if (!is_host(domain))
        return mistake_of("the domain is not a host name, or has a dot at an end");
    if (*path != '/' || !is_visible(path, ";"))
        return mistake_of(
            "the path does not begin with '/', or has a byte that a cookie cannot hold");
    if (strlen(domain) > SVC_COOKIE_ATTRIBUTE_BYTES || strlen(path) > SVC_COOKIE_ATTRIBUTE_BYTES)
        return (struct mistake){SVC_ETOOBIG, "domain or path has more than 1024 bytes"};
    return no_mistake;
}

static struct mistake check_end(const svc_cookie *cookie)
{
    if (cookie->max_age_s < 0 || cookie->max_age_s > SVC_COOKIE_MAX_AGE_S)
        return mistake_of("max_age_s is not 0 to 34560000 (400 days)");
    if (cookie->expires_s < first_s || cookie->expires_s > last_s)
        return mistake_of("expires_s is not within the years 1601 to 9999");
    return no_mistake;
}

/* RFC 6265bis 5.7: browsers compare the prefixes without regard to case. */
static bool has_prefix(const svc_cookie *cookie, const char *prefix)
{
    return strncasecmp(cookie->name, prefix, strlen(prefix)) == 0;
}

static struct mistake check_flags(const svc_cookie *cookie)
{
    bool is_host_only = !cookie->domain && cookie->path && !strcmp(cookie->path, "/");
    if (cookie->same_site < SVC_SAME_SITE_LAX || cookie->same_site > SVC_SAME_SITE_UNSET)
        return mistake_of("same_site is none of svc_same_site");
    if (!cookie->secure && has_prefix(cookie, "__Secure-"))
        return mistake_of("a name that begins with __Secure- needs secure");
    if (!(cookie->secure && is_host_only) && has_prefix(cookie, "__Host-"))
        return mistake_of("a name that begins with __Host- needs secure, the path / and no domain");
    if (!cookie->secure && (cookie->same_site == SVC_SAME_SITE_NONE || cookie->partitioned))
        return mistake_of("SVC_SAME_SITE_NONE and partitioned need secure");
    return no_mistake;
}

/* ---- The whole */

/* The first mistake of a cookie that has this release's size. */
static struct mistake check_cookie(const svc_cookie *cookie)
{
    static struct mistake (*const checks[])(const svc_cookie *) = {check_name, check_place,
                                                                   check_end, check_flags};
    struct mistake mistake = no_mistake;
    for (size_t i = 0; i < sizeof checks / sizeof *checks && !mistake.error; i++)
        mistake = checks[i](cookie);
    return mistake;
}

/* Reads a program's cookie over the defaults. */
static struct mistake read_cookie(svc_cookie *own, const svc_cookie *given)
{
    *own = (svc_cookie)SVC_COOKIE_INIT;
    return SIZED_READ(own, given, value) ? mistake_of("it needs SVC_COOKIE_INIT") : no_mistake;
}

const char *svc_cookie_mistake(const svc_cookie *cookie)
{
    svc_cookie own;
    struct mistake mistake = read_cookie(&own, cookie);
    return mistake.error ? mistake.text : check_cookie(&own).text;
}

static void write_attributes(struct buf *out, const svc_cookie *cookie)
{
    static const char *const sites[] = {"; SameSite=Lax", "; SameSite=Strict", "; SameSite=None",
                                        ""};
    char date[CLOCK_IMF_SIZE];
    if (cookie->path)
        svc__buf_printf(out, "; Path=%s", cookie->path);
    if (cookie->domain)
        svc__buf_printf(out, "; Domain=%s", cookie->domain);
    if (cookie->expires_s && svc__clock_imf(date, cookie->expires_s))
        svc__buf_printf(out, "; Expires=%s", date);
    if (cookie->max_age_s)
        svc__buf_printf(out, "; Max-Age=%lld", (long long)cookie->max_age_s);
    svc__buf_puts(out, cookie->http_only ? "; HttpOnly" : "");
    svc__buf_puts(out, sites[cookie->same_site]);
    svc__buf_puts(out, cookie->secure ? "; Secure" : "");
    svc__buf_puts(out, cookie->partitioned ? "; Partitioned" : "");
}

static int add_cookie(svc_response *res, const svc_cookie *cookie)
{
    struct buf *out = svc__response_scratch(res);
    svc__buf_printf(out, "%s=%s", cookie->name, cookie->value);
    write_attributes(out, cookie);
    svc__buf_terminate(out);
    int error = svc__buf_error(out);
    if (!error)
        error = svc_response_add_header(res, "Set-Cookie", out->data);
    svc__response_scratch_done(res);
    return error;
}

/* Adds a cookie unless there is a mistake, which goes into the log line of the request: the code
 * alone does not name it. */
static int try_cookie(svc_response *res, const svc_cookie *cookie, struct mistake mistake)
{
    if (!mistake.error)
        mistake = check_cookie(cookie);
    if (!mistake.error && !cookie->value)
        mistake = mistake_of("the value is NULL");
    if (!mistake.error)
        return add_cookie(res, cookie);
    res->exchange->cause = mistake.text;
    return mistake.error;
}

int svc_response_set_cookie(svc_response *res, const svc_cookie *cookie)
{
    svc_cookie own;
    struct mistake mistake = read_cookie(&own, cookie);
    return res ? try_cookie(res, &own, mistake) : SVC_ENOMEM;
}

int svc_response_remove_cookie(svc_response *res, const svc_cookie *cookie)
{
    svc_cookie own;
    struct mistake mistake = read_cookie(&own, cookie);
    own.value = "";
    own.max_age_s = 0;
    own.expires_s = 1; /* 0 is no end */
    return res ? try_cookie(res, &own, mistake) : SVC_ENOMEM;
}
