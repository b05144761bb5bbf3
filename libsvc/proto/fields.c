/* Field names are compared by length first: most of a request's fields differ in it. */
#include "libsvc/proto/fields.h"

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

size_t svc__fields_count(const struct field *fields, size_t count, struct bytes name)
{
    size_t n = 0;
    const struct field *f = NULL;
    while ((f = svc__fields_next(fields, count, f, name)) != NULL)
        n++;
    return n;
}
