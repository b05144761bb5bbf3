/* Header fields as an array in the order of arrival, and look-ups of names in it. */
#ifndef SVC_PROTO_FIELDS_H
#define SVC_PROTO_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libsvc/base/bytes.h"
#include "libsvc/proto/field_name.h"

struct field {
    struct bytes name, value;
};

/* Removes the white space around a value of `len` bytes (RFC 9110 5.5) and puts a NUL behind it;
 * there is room for one more byte. Returns the value. Any thread. */
struct bytes svc__fields_normal(char *value, size_t len);

/* The first field of that name in any case, or NULL. Borrowed from the list. Any thread. */
const struct field *svc__fields_find(const struct field *fields, size_t count, struct bytes name);

/*
 * The next field of that name after `previous`, a member of the same list; the first one when
 * `previous` is NULL; NULL when there is none. Any thread.
 */
const struct field *svc__fields_next(const struct field *fields, size_t count,
                                     const struct field *previous, struct bytes name);

/* The bytes that the names and values of a list take, with a NUL behind each. Any thread. */
size_t svc__fields_text_size(const struct field *fields, size_t count);

/* Copies a list; its names and values go to `*text`, as svc__bytes_copy does. Any thread. */
void svc__fields_copy(struct field *to, const struct field *from, size_t count, char **text);

/* The fields of a request's head, read once: known names are found without a search. */
struct fields {
    const struct field *list;
    size_t count;
    uint64_t known, repeated; /* a bit for each field_name: present; present more than once */
    uint32_t first[FIELD_NAME_COUNT]; /* index of the first of each known name */
    bool bad_name, bad_value; /* a name that is no token, a value with a control character */
};

/* Reads a list of at most UINT32_MAX fields, which is borrowed. Any thread. */
void svc__fields_read(struct fields *out, const struct field *list, size_t count);

/* Whether there is a field of that name, and whether there are several. Any thread. */
static inline bool svc__fields_has(const struct fields *fields, enum field_name name)
{
    return fields->known >> name & 1;
}

static inline bool svc__fields_repeats(const struct fields *fields, enum field_name name)
{
    return fields->repeated >> name & 1;
}

/* The first field of a known name, or NULL. Any thread. */
static inline const struct field *svc__fields_first(const struct fields *fields,
                                                    enum field_name name)
{
    return svc__fields_has(fields, name) ? &fields->list[fields->first[name]] : NULL;
}

/* The value of the first field of a known name, or "none". Any thread. */
static inline struct bytes svc__fields_value(const struct fields *fields, enum field_name name)
{
    const struct field *field = svc__fields_first(fields, name);
    return field ? field->value : svc__bytes(NULL, 0);
}

/* The next field of a known name after `previous`, or the first one when that is NULL; NULL when
 * there is none. Any thread. */
static inline const struct field *svc__fields_each(const struct fields *fields,
                                                   const struct field *previous,
                                                   enum field_name name)
{
    if (!previous)
        return svc__fields_first(fields, name);
    if (!svc__fields_repeats(fields, name))
        return NULL;
    return svc__fields_next(fields->list, fields->count, previous, svc__field_name_text(name));
}

/* The same for any name. */
const struct field *svc__fields_named(const struct fields *fields, const struct field *previous,
                                      struct bytes name);

#endif
