/* The rules of RFC 9111 for a shared cache. */
#include "libsvc/shared_cache/cache_rules.h"

#include "libsvc/base/least.h"
#include "libsvc/base/num.h"
#include "libsvc/proto/date.h"
#include "libsvc/proto/status.h"

/* ---- The facts of a reply */

static bool has_field(const struct field *fields, size_t count, const char *name)
{
    return svc__fields_find(fields, count, svc__bytes_z(name)) != NULL;
}

/* RFC 9111 5.1: an Age that is no single number says that the reply is old, but not how old. */
static int64_t read_age(const struct field *fields, size_t count)
{
    struct bytes name = svc__bytes_z("Age");
    uint64_t age;
    const struct field *field = svc__fields_find(fields, count, name);
    if (!field)
        return 0;
    if (svc__fields_next(fields, count, field, name) ||
        svc__num_u64(field->value, (uint64_t)CACHE_CONTROL_MAX_SECONDS, &age))
        return CACHE_CONTROL_MAX_SECONDS;
    return (int64_t)age;
}

/* The date in a field; `malformed` if it is none, and CACHE_NO_TIME without the field. */
static int64_t read_date(const struct field *fields, size_t count, const char *name, int64_t now,
                         int64_t malformed)
{
    int64_t date = malformed;
    const struct field *field = svc__fields_find(fields, count, svc__bytes_z(name));
    if (!field)
        return CACHE_NO_TIME;
    svc__date_parse(field->value, now, &date);
    return date;
}

static bool varies_by_all(const struct field *fields, size_t count)
{
    const struct field *field = NULL;
    while ((field = svc__fields_next(fields, count, field, svc__bytes_z("Vary")))) {
        struct bytes rest = field->value;
        while (rest.data)
            if (svc__bytes_eq_z(svc__bytes_trim(svc__bytes_cut(&rest, ',')), "*"))
                return true;
    }
    return false;
}

void svc__cache_rules_read(struct cache_facts *out, int status, const struct field *fields,
                           size_t count, int64_t now)
{
    struct cache_facts facts = {.status = status, .control = svc__cache_control_none()};
    const struct field *field = NULL;
    while ((field = svc__fields_next(fields, count, field, svc__bytes_z("Cache-Control"))))
        svc__cache_control_parse(field->value, &facts.control);
    int64_t date = read_date(fields, count, "Date", now, now);
    facts.date = date == CACHE_NO_TIME ? now : date;
    facts.age = read_age(fields, count);
    facts.expires = read_date(fields, count, "Expires", now, 0);
    facts.modified = read_date(fields, count, "Last-Modified", now, CACHE_NO_TIME);
    facts.has_etag = has_field(fields, count, "ETag");
    facts.sets_cookie =
        has_field(fields, count, "Set-Cookie") || has_field(fields, count, "Set-Cookie2");
    facts.varies_by_all = varies_by_all(fields, count);
    *out = facts;
}

/* ---- Storing */

/* RFC 9111 3: the cache understands a status if it knows its rules. It stores no parts (206), a 304
 * is of a stored reply, and a 101 or a 416 is of one connection or one request. */
static bool understands(int status)
{
    return status >= 200 && status != 206 && status != 304 && status != 416 &&
           svc__status_text(status);
}

/* RFC 9110 15.1: statuses of which a cache may estimate the lifetime; 206 is not stored. */
static bool may_estimate(int status)
{
    static const short statuses[] = {200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i] == status)
            return true;
    return false;
}

static int64_t clamp(int64_t seconds)
{
    if (seconds < 0)
        return 0;
    return seconds < CACHE_CONTROL_MAX_SECONDS ? seconds : CACHE_CONTROL_MAX_SECONDS;
}

/* RFC 9111 4.2.1 and 4.2.2: the first of the rules that the reply has. */
static int64_t find_lifetime(const struct cache_facts *facts, const struct cache_policy *policy)
{
    if (facts->control.s_maxage >= 0)
        return facts->control.s_maxage;
    if (facts->control.max_age >= 0)
        return facts->control.max_age;
    if (facts->expires != CACHE_NO_TIME)
        return clamp(facts->expires - facts->date);
    bool estimates = may_estimate(facts->status) || (facts->control.flags & CACHE_CONTROL_PUBLIC);
    if (!estimates || facts->modified == CACHE_NO_TIME)
        return 0;
    int64_t tenth = clamp((facts->date - facts->modified) / 10);
    return tenth < policy->heuristic_most ? tenth : policy->heuristic_most;
}

/* RFC 9111 3: a reply is stored if it or its status says that it may be. */
static bool is_offered(const struct cache_facts *facts)
{
    return (facts->control.flags & CACHE_CONTROL_PUBLIC) || facts->expires != CACHE_NO_TIME ||
           facts->control.max_age >= 0 || facts->control.s_maxage >= 0 ||
           may_estimate(facts->status);
}

static bool is_licensed(const struct cache_control *control)
{
    return (control->flags & (CACHE_CONTROL_PUBLIC | CACHE_CONTROL_MUST_REVALIDATE)) ||
           control->s_maxage >= 0;
}

static bool is_forbidden(const struct cache_facts *facts, bool authorized)
{
    const struct cache_control *control = &facts->control;
    /* Of a status that the cache knows, must-understand takes back the no-store (5.2.2.3). */
    bool no_store = (control->flags & CACHE_CONTROL_NO_STORE) &&
                    !(control->flags & CACHE_CONTROL_MUST_UNDERSTAND);
    return no_store || (control->flags & CACHE_CONTROL_PRIVATE) || facts->sets_cookie ||
           facts->varies_by_all || (authorized && !is_licensed(control));
}

bool svc__cache_rules_store(const struct cache_facts *facts, const struct cache_policy *policy,
                            bool authorized, struct cache_terms *terms)
{
    if (!understands(facts->status) || is_forbidden(facts, authorized) || !is_offered(facts))
        return false;
    const struct cache_control *control = &facts->control;
    const unsigned strict = CACHE_CONTROL_MUST_REVALIDATE | CACHE_CONTROL_PROXY_REVALIDATE;
    struct cache_terms found = {.lifetime = find_lifetime(facts, policy),
                                .while_revalidate = clamp(control->stale_while_revalidate),
                                .if_error = clamp(control->stale_if_error),
                                .validates = control->flags & CACHE_CONTROL_NO_CACHE,
                                /* s-maxage implies proxy-revalidate (5.2.2.10). */
                                .strict = (control->flags & (strict | CACHE_CONTROL_NO_CACHE)) ||
                                          control->s_maxage >= 0,
                                .licensed = is_licensed(control)};
    bool has_validator = facts->has_etag || facts->modified != CACHE_NO_TIME;
    bool useful = !found.strict && (found.while_revalidate || found.if_error);
    if (!(found.lifetime > 0 && !found.validates) && !useful && !has_validator)
        return false;
    *terms = found;
    return true;
}

int64_t svc__cache_rules_age(const struct cache_facts *facts, int64_t now, int64_t delay)
{
    int64_t apparent = clamp(now - facts->date);
    int64_t corrected = clamp(facts->age + clamp(delay));
    return apparent > corrected ? apparent : corrected;
}

/* ---- Use */

/* Whether a stale reply is within a time that was given for it; -1: it was not given. */
static bool is_within(int64_t stale, int64_t seconds)
{
    return seconds >= 0 && (seconds >= CACHE_CONTROL_MAX_SECONDS || stale <= seconds);
}

enum cache_use svc__cache_rules_use(const struct cache_terms *terms,
                                    const struct cache_control *wish, int64_t age)
{
    if (wish->flags & CACHE_CONTROL_NO_CACHE)
        return CACHE_VALIDATE_ASKED;
    if (terms->validates)
        return CACHE_VALIDATE;
    int64_t left = terms->lifetime - age; /* 0 and below: it is stale */
    if ((wish->max_age >= 0 && age > wish->max_age) ||
        (wish->min_fresh >= 0 && left < wish->min_fresh))
        return CACHE_VALIDATE_ASKED;
    if (left > 0)
        return CACHE_FRESH;
    if (terms->strict)
        return CACHE_VALIDATE;
    if (is_within(-left, wish->max_stale))
        return CACHE_STALE;
    bool validating = terms->while_revalidate > 0 && is_within(-left, terms->while_revalidate);
    return validating ? CACHE_STALE_VALIDATING : CACHE_VALIDATE;
}

bool svc__cache_rules_use_on_error(const struct cache_terms *terms,
                                   const struct cache_control *wish, int64_t age)
{
    int64_t stale = age - terms->lifetime;
    if (terms->strict || (wish->flags & CACHE_CONTROL_NO_CACHE))
        return false;
    return stale < 0 || (terms->if_error > 0 && is_within(stale, terms->if_error)) ||
           is_within(stale, wish->stale_if_error);
}
