/* Reads Accept-Language fields once for each tag asked for. */
#include "libsvc/proto/accept_language.h"

#include "libsvc/proto/accept_element.h"
#include "libsvc/proto/media.h"

enum { SUBTAG_MAX = 8 };

/* How well a range matches a tag, worst first; a range that filters has this and its length. */
enum match { MATCH_NONE, MATCH_ANY, MATCH_LOOKUP, MATCH_FILTER };

bool svc__accept_language_valid(struct bytes text)
{
    bool is_first = true;
    if (text.len == 0)
        return false;
    for (struct bytes rest = text; rest.data; is_first = false) {
        struct bytes subtag = svc__bytes_cut(&rest, '-');
        if (subtag.len == 0 || subtag.len > SUBTAG_MAX)
            return false;
        for (size_t i = 0; i < subtag.len; i++)
            if (!svc__bytes_is_letter(subtag.data[i]) &&
                (is_first || !svc__bytes_is_digit(subtag.data[i])))
                return false;
    }
    return true;
}

static bool is_any(struct bytes range)
{
    return svc__bytes_eq_z(range, "*");
}

/* Whether `tag` is `range`, or begins with it and '-'. */
static bool begins_with(struct bytes tag, struct bytes range)
{
    if (tag.len < range.len || (tag.len > range.len && tag.data[range.len] != '-'))
        return false;
    return svc__bytes_eq_nocase(svc__bytes(tag.data, range.len), range);
}

static size_t match_range(const struct accept_element *element, struct bytes tag)
{
    if (begins_with(tag, element->name))
        return MATCH_FILTER + element->name.len;
    if (begins_with(element->name, tag) && element->weight > 0)
        return MATCH_LOOKUP;
    return is_any(element->name) ? MATCH_ANY : MATCH_NONE;
}

unsigned svc__accept_language_weight(const struct fields *fields, struct bytes tag)
{
    size_t best = MATCH_NONE;
    unsigned weight = 0;
    bool is_heard = false;
    const struct field *f = NULL;
    while ((f = svc__fields_each(fields, f, FIELD_ACCEPT_LANGUAGE)) != NULL) {
        for (struct bytes rest = f->value; rest.data;) {
            struct accept_element element;
            if (!svc__accept_element_read(svc__bytes_cut(&rest, ','), &element) ||
                (!is_any(element.name) && !svc__accept_language_valid(element.name)))
                continue;
            is_heard = true;
            size_t match = match_range(&element, tag);
            if (match == MATCH_NONE || match < best)
                continue;
            if (match > best || element.weight > weight)
                weight = element.weight;
            best = match;
        }
    }
    return is_heard ? weight : MEDIA_WEIGHT_ONE;
}
