/* The precedence of RFC 9110 13.2.2, row by row. */
#include "libsvc/proto/precondition.h"

#include "libsvc/proto/date.h"

bool svc__precondition_any(const struct fields *fields)
{
    return svc__fields_has(fields, FIELD_IF_MATCH) ||
           svc__fields_has(fields, FIELD_IF_NONE_MATCH) ||
           svc__fields_has(fields, FIELD_IF_MODIFIED_SINCE) ||
           svc__fields_has(fields, FIELD_IF_UNMODIFIED_SINCE) ||
           svc__fields_has(fields, FIELD_IF_RANGE);
}

/* The result of comparing a list of tags with the resource. */
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

/* Several fields of one name are one list; "*" stands alone in the one field of its name (RFC 9110
 * 13.1.1). */
static enum listed find_tag(const struct fields *fields, enum field_name name,
                            const struct validators *now, bool strong)
{
    if (svc__bytes_eq(svc__fields_value(fields, name), svc__bytes_z("*")) &&
        !svc__fields_repeats(fields, name))
        return now->exists ? LISTED : NOT_LISTED;
    enum listed found = NOT_LISTED;
    const struct field *field = NULL;
    while (found == NOT_LISTED && (field = svc__fields_each(fields, field, name)))
        found = find_in_list(field->value, &now->tag, strong);
    return found;
}

/* A date condition applies when it is one date and the resource has one to compare it with. */
static bool date_applies(const struct fields *fields, enum field_name name,
                         const struct validators *now, int64_t *date)
{
    return svc__fields_has(fields, name) && !svc__fields_repeats(fields, name) &&
           now->modified != PRECONDITION_NO_DATE &&
           svc__date_parse(svc__fields_value(fields, name), now->now, date) == 0;
}

/* RFC 9110 13.1.5: an entity tag has a quote among its first three bytes; anything else is a date.
 * Both must be strong, and equal. */
static bool if_range_holds(const struct fields *fields, const struct validators *now)
{
    struct bytes value = svc__fields_value(fields, FIELD_IF_RANGE);
    struct etag tag;
    int64_t date;
    if (!value.data || svc__fields_repeats(fields, FIELD_IF_RANGE))
        return false;
    if (value.len > 0 && memchr(value.data, '"', value.len < 3 ? value.len : 3))
        return svc__etag_parse(value, &tag) == 0 && svc__etag_equal(&tag, &now->tag, true);
    return now->date_strong && date_applies(fields, FIELD_IF_RANGE, now, &date) &&
           date == now->modified;
}

/* Rows 1 and 2: whether the state is still the one that the client knows. */
static enum precondition guard(const struct fields *fields, const struct validators *now)
{
    int64_t date;
    if (svc__fields_has(fields, FIELD_IF_MATCH))
        return find_tag(fields, FIELD_IF_MATCH, now, true) == LISTED ? PRECONDITION_HOLDS
                                                                     : PRECONDITION_FAILED;
    if (date_applies(fields, FIELD_IF_UNMODIFIED_SINCE, now, &date))
        return now->modified <= date ? PRECONDITION_HOLDS : PRECONDITION_FAILED;
    return PRECONDITION_NONE;
}

/* Rows 3 and 4: whether the client has the current representation, or wants to create one that
 * exists. */
static enum precondition freshness(enum method method, const struct fields *fields,
                                   const struct validators *now)
{
    int64_t date;
    bool reads = method == METHOD_GET || method == METHOD_HEAD;
    if (svc__fields_has(fields, FIELD_IF_NONE_MATCH)) {
        enum listed found = find_tag(fields, FIELD_IF_NONE_MATCH, now, false);
        if (found == NOT_LISTED || (found == UNREADABLE && reads))
            return PRECONDITION_HOLDS;
        return reads ? PRECONDITION_NOT_MODIFIED : PRECONDITION_FAILED;
    }
    if (reads && date_applies(fields, FIELD_IF_MODIFIED_SINCE, now, &date))
        return now->modified > date ? PRECONDITION_HOLDS : PRECONDITION_NOT_MODIFIED;
    return PRECONDITION_NONE;
}

enum precondition svc__precondition_evaluate(enum method method, const struct fields *fields,
                                             const struct validators *now)
{
    if (method == METHOD_CONNECT || method == METHOD_OPTIONS || method == METHOD_TRACE)
        return PRECONDITION_NONE;
    enum precondition guarded = guard(fields, now);
    if (guarded == PRECONDITION_FAILED)
        return guarded;
    enum precondition fresh = freshness(method, fields, now);
    if (fresh == PRECONDITION_NOT_MODIFIED || fresh == PRECONDITION_FAILED)
        return fresh;
    if (method == METHOD_GET && svc__fields_has(fields, FIELD_RANGE) && if_range_holds(fields, now))
        return PRECONDITION_RANGE;
    return guarded == PRECONDITION_NONE ? fresh : guarded;
}
