/* Cache-Control, Expires and Age of one response, and Cache-Control of a request. */
#include "libsvc/cache/caching.h"

#include "libsvc/base/clock.h"
#include "libsvc/base/least.h"
#include "libsvc/base/num.h"
#include "libsvc/base/sized.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/exchange/vary.h"

/* The public bits are the internal ones; a directive that has no public name is left out here. */
#define SAME(name, text)                                                                           \
    _Static_assert((int)SVC_CACHE_##name == (int)CACHE_CONTROL_##name, "another bit for " text);
CACHE_CONTROL_FLAGS(SAME)
#undef SAME

/* ---- Cache-Control */

int svc__caching_read(const svc_cache_policy *given, svc_cache_policy *own,
                      struct cache_control *out)
{
    *own = (svc_cache_policy)SVC_CACHE_POLICY_INIT;
    if (SIZED_READ(own, given, directives) || own->directives >= 1U << CACHE_CONTROL_FLAG_COUNT)
        return SVC_EINVAL;
    struct cache_control value = svc__cache_control_none();
    value.flags = own->directives;
    value.max_age = own->max_age_s;
    value.s_maxage = own->s_maxage_s;
    value.stale_while_revalidate = own->stale_while_revalidate_s;
    value.stale_if_error = own->stale_if_error_s;
    if (value.flags & CACHE_CONTROL_MUST_UNDERSTAND)
        value.flags |= CACHE_CONTROL_NO_STORE; /* RFC 9111 5.2.2.3 */
    int error = svc__cache_control_check(&value);
    if (!error)
        *out = value;
    return error;
}

int svc__caching_put_date(svc_response *res, struct bytes name, int64_t unix_seconds)
{
    char *text = svc__arena_alloc(&res->exchange->arena, CLOCK_IMF_SIZE);
    if (!text)
        return SVC_ENOMEM;
    size_t len = svc__clock_imf(text, unix_seconds);
    return svc__response_put(res, name, svc__bytes(text, len));
}

int svc__caching_put_expires(svc_response *res, int64_t seconds)
{
    int64_t now = (int64_t)(svc__clock_wall_us() / 1000000);
    return svc__caching_put_date(res, svc__bytes_z("Expires"), now + seconds);
}

int svc__caching_forbid(svc_response *res)
{
    svc_response_remove_header(res, "Expires");
    return svc__response_put(res, svc__bytes_z("Cache-Control"), svc__bytes_z("no-store"));
}

int svc_response_set_cache_control(svc_response *res, const svc_cache_policy *policy)
{
    svc_cache_policy own;
    struct cache_control value;
    char text[CACHE_CONTROL_SIZE];
    if (!res)
        return SVC_ENOMEM;
    int error = svc__caching_read(policy, &own, &value);
    if (error)
        return error;
    size_t len = svc__cache_control_format(text, &value);
    if (len == 0 || (own.vary && !svc__vary_valid(svc__bytes_z(own.vary))))
        return SVC_EINVAL;
    error = svc_response_set_header(res, "Cache-Control", text);
    int64_t expires = svc__cache_control_expires_in(&value);
    if (!error && own.expires && expires >= 0)
        error = svc__caching_put_expires(res, expires);
    if (!error && own.vary)
        error = svc_response_add_vary(res, own.vary);
    if (!error)
        res->cached_errors = own.errors;
    return error;
}

int svc_response_set_age(svc_response *res, uint64_t seconds)
{
    char text[NUM_U64_LEN + 1];
    seconds = svc__least_u64(seconds, (uint64_t)CACHE_CONTROL_MAX_SECONDS);
    text[svc__num_format_u64(text, seconds)] = '\0';
    return svc_response_set_header(res, "Age", text);
}

int svc_response_set_date(svc_response *res, int64_t unix_seconds)
{
    if (!res)
        return SVC_ENOMEM;
    int error = svc__caching_put_date(res, svc__bytes_z("Date"), unix_seconds);
    if (!error)
        res->dated = true;
    return error;
}

int svc_request_cache_control(const svc_request *req, svc_cache_wish *wish)
{
    if (!req)
        return SVC_ENOMEM;
    struct cache_control value = svc__cache_control_none();
    const struct field *field = NULL;
    while ((field = svc__fields_each(&req->fields, field, FIELD_CACHE_CONTROL)))
        svc__cache_control_parse(field->value, &value);
    const unsigned known = CACHE_CONTROL_NO_CACHE | CACHE_CONTROL_NO_STORE |
                           CACHE_CONTROL_NO_TRANSFORM | CACHE_CONTROL_ONLY_IF_CACHED;
    svc_cache_wish own = SVC_CACHE_WISH_INIT;
    own.directives = value.flags & known;
    own.max_age_s = value.max_age;
    own.max_stale_s = value.max_stale < CACHE_CONTROL_MAX_SECONDS ? value.max_stale : INT64_MAX;
    own.min_fresh_s = value.min_fresh;
    own.stale_if_error_s = value.stale_if_error;
    return SIZED_WRITE(wish, &own, directives);
}
