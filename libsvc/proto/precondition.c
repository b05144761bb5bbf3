/* The precedence of RFC 9110 13.2.2, row by row. */
#include "libsvc/proto/precondition.h"

#include "libsvc/proto/date.h"

#define NAME(text) svc__bytes((text), sizeof(text) - 1)

/* Where the first field of that name is kept; NULL for a name that is no condition. */
static const struct field **place_of(struct conditions *conditions, struct bytes name)
{
    const struct {
        struct bytes name;
        const struct field **place;
    } places[] = {
        {NAME("If-Match"), &conditions->match},
        {NAME("If-None-Match"), &conditions->none_match},
        {NAME("If-Modified-Since"), &conditions->modified_since},
        {NAME("If-Unmodified-Since"), &conditions->unmodified_since},
        {NAME("If-Range"), &conditions->if_range},
        {NAME("Range"), &conditions->range},
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (svc__bytes_eq_nocase(name, places[i].name))
            return places[i].place;
    return NULL;
}

/* Few requests have any, so that most fields must be passed over by their first bytes. */
static bool possible(struct bytes name)
{
    if (name.len < 5)
        return false;
    char first = svc__bytes_lower(name.data[0]);
    return (first == 'i' && name.data[2] == '-') || (first == 'r' && name.len == 5);
}

bool svc__precondition_find(const struct field *fields, size_t count, struct conditions *out)
{
    struct conditions conditions = {.fields = fields, .count = count};
    for (size_t i = 0; i < count; i++) {
        if (!possible(fields[i].name))
            continue;
        const struct field **place = place_of(&conditions, fields[i].name);
        if (place && !*place)
            *place = &fields[i];
    }
    if (!conditions.match && !conditions.none_match && !conditions.modified_since &&
        !conditions.unmodified_since && !conditions.if_range)
        return false;
    *out = conditions;
    return true;
}

/* What a list of tags says of the resource. */
enum listed { LISTED, NOT_LISTED, UNREADABLE };

static enum listed find_in_list(struct bytes list, const struct etag *tag, bool strong)
{
    struct etag candidate;
    int taken;
    while ((taken = svc__etag_next(&list, &candidate)) > 0)
        if (svc__etag_equal(&candidate, tag, strong))
            return LISTED;
    return taken == 0 ? NOT_LISTED : UNREADABLE;
}

/* "*" stands alone in the one field of its name (RFC 9110 13.1.1). */
static bool is_star(const struct conditions *conditions, const struct field *first)
{
    return svc__bytes_eq(first->value, NAME("*")) &&
           !svc__fields_next(conditions->fields, conditions->count, first, first->name);
}

/* Several fields of one name are one list. */
static enum listed find_tag(const struct conditions *conditions, const struct field *first,
                            const struct validators *now, bool strong)
{
    if (is_star(conditions, first))
        return now->exists ? LISTED : NOT_LISTED;
    enum listed found = NOT_LISTED;
    const struct field *field = first;
    for (; field && found == NOT_LISTED;
         field = svc__fields_next(conditions->fields, conditions->count, field, first->name))
        found = find_in_list(field->value, &now->tag, strong);
    return found;
}

/* A date condition applies when it is one date and the resource has one to compare it with. */
static bool date_applies(const struct conditions *conditions, const struct field *field,
                         const struct validators *now, int64_t *date)
{
    return field && now->modified != PRECONDITION_NO_DATE &&
           !svc__fields_next(conditions->fields, conditions->count, field, field->name) &&
           svc__date_parse(field->value, now->now, date) == 0;
}

/* RFC 9110 13.1.5: an entity tag has a quote among its first three bytes; anything else is a date.
 * Both must be strong, and equal. */
static bool if_range_holds(const struct conditions *conditions, const struct validators *now)
{
    const struct field *field = conditions->if_range;
    if (svc__fields_next(conditions->fields, conditions->count, field, field->name))
        return false;
    struct bytes value = field->value;
    struct etag tag;
    int64_t date;
    if (value.len > 0 && memchr(value.data, '"', value.len < 3 ? value.len : 3))
        return svc__etag_parse(value, &tag) == 0 && svc__etag_equal(&tag, &now->tag, true);
    return now->date_strong && date_applies(conditions, field, now, &date) && date == now->modified;
}

static bool safe(enum method method)
{
    return method == METHOD_GET || method == METHOD_HEAD;
}

/* Rows 1 and 2: whether the state is still the one that the client knows. */
static enum precondition guard(const struct conditions *conditions, const struct validators *now)
{
    int64_t date;
    if (conditions->match)
        return find_tag(conditions, conditions->match, now, true) == LISTED ? PRECONDITION_HOLDS
                                                                            : PRECONDITION_FAILED;
    if (date_applies(conditions, conditions->unmodified_since, now, &date))
        return now->modified <= date ? PRECONDITION_HOLDS : PRECONDITION_FAILED;
    return PRECONDITION_NONE;
}

static enum precondition none_match(enum method method, const struct conditions *conditions,
                                    const struct validators *now)
{
    enum listed found = find_tag(conditions, conditions->none_match, now, false);
    if (found == NOT_LISTED || (found == UNREADABLE && safe(method)))
        return PRECONDITION_HOLDS;
    return safe(method) ? PRECONDITION_NOT_MODIFIED : PRECONDITION_FAILED;
}

/* Rows 3 and 4: whether the client has, or wants to make, something that is there already. */
static enum precondition freshness(enum method method, const struct conditions *conditions,
                                   const struct validators *now)
{
    int64_t date;
    if (conditions->none_match)
        return none_match(method, conditions, now);
    if (safe(method) && date_applies(conditions, conditions->modified_since, now, &date))
        return now->modified > date ? PRECONDITION_HOLDS : PRECONDITION_NOT_MODIFIED;
    return PRECONDITION_NONE;
}

enum precondition svc__precondition_evaluate(enum method method,
                                             const struct conditions *conditions,
                                             const struct validators *now)
{
    if (method == METHOD_CONNECT || method == METHOD_OPTIONS || method == METHOD_TRACE)
        return PRECONDITION_NONE;
    enum precondition guarded = guard(conditions, now);
    if (guarded == PRECONDITION_FAILED)
        return guarded;
    enum precondition fresh = freshness(method, conditions, now);
    if (fresh == PRECONDITION_NOT_MODIFIED || fresh == PRECONDITION_FAILED)
        return fresh;
    if (method == METHOD_GET && conditions->range && conditions->if_range &&
        if_range_holds(conditions, now))
        return PRECONDITION_RANGE;
    return guarded == PRECONDITION_NONE ? fresh : guarded;
}
