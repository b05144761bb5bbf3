/* Field names are compared by length first: most of a request's fields differ in it. */
#include "libsvc/proto/fields.h"

#include "libsvc/proto/token.h"

struct bytes svc__fields_normal(char *value, size_t len)
{
    struct bytes normal = svc__bytes_trim(svc__bytes(value, len));
    value[(size_t)(normal.data - value) + normal.len] = '\0';
    return normal;
}

const struct field *svc__fields_next(const struct field *fields, size_t count,
                                     const struct field *previous, struct bytes name)
{
    size_t i = previous ? (size_t)(previous - fields) + 1 : 0;
    for (; i < count; i++)
        if (fields[i].name.len == name.len && svc__bytes_eq_nocase(fields[i].name, name))
            return &fields[i];
    return NULL;
}

const struct field *svc__fields_find(const struct field *fields, size_t count, struct bytes name)
{
    return svc__fields_next(fields, count, NULL, name);
}

size_t svc__fields_text_size(const struct field *fields, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += fields[i].name.len + fields[i].value.len + 2;
    return size;
}

void svc__fields_copy(struct field *to, const struct field *from, size_t count, char **text)
{
    for (size_t i = 0; i < count; i++) {
        to[i].name = svc__bytes_copy(text, from[i].name);
        to[i].value = svc__bytes_copy(text, from[i].value);
    }
}

/* A known name is a token, so only other names are checked. */
void svc__fields_read(struct fields *out, const struct field *list, size_t count)
{
    _Static_assert(FIELD_NAME_COUNT <= 64, "a bit for each");
    uint64_t known = 0, repeated = 0;
    bool bad_name = false, bad_value = false;
    for (size_t i = 0; i < count; i++) {
        enum field_name name = svc__field_name_find(list[i].name);
        uint64_t bit = UINT64_C(1) << name;
        if (name == FIELD_OTHER)
            bad_name |= !svc__token_valid(list[i].name);
        else if (known & bit)
            repeated |= bit;
        else
            out->first[name] = (uint32_t)i;
        known |= bit;
        bad_value |= !svc__token_value_valid(list[i].value);
    }
    out->list = list;
    out->count = count;
    out->known = known;
    out->repeated = repeated;
    out->bad_name = bad_name;
    out->bad_value = bad_value;
}

const struct field *svc__fields_named(const struct fields *fields, const struct field *previous,
                                      struct bytes name)
{
    enum field_name known = svc__field_name_find(name);
    if (known == FIELD_OTHER)
        return svc__fields_next(fields->list, fields->count, previous, name);
    return svc__fields_each(fields, previous, known);
}
