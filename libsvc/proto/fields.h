/* Header fields as an array in the order of arrival, and how to look a name up in it. */
#ifndef SVC_PROTO_FIELDS_H
#define SVC_PROTO_FIELDS_H

#include <stddef.h>

#include "libsvc/base/bytes.h"

struct field {
    struct bytes name, value;
};

/* A value without white space around it (RFC 9110 5.5), and a NUL behind: takes both off `len`
 * bytes, behind which there is room for the NUL. Any thread. */
struct bytes svc__fields_normal(char *value, size_t len);

/* The first field of that name in any case, or NULL. Borrowed from the list. Any thread. */
const struct field *svc__fields_find(const struct field *fields, size_t count, struct bytes name);

/*
 * The next field of that name after `previous`, a member of the same list; the first one when
 * `previous` is NULL; NULL when there is none. Any thread.
 */
const struct field *svc__fields_next(const struct field *fields, size_t count,
                                     const struct field *previous, struct bytes name);

/* How many fields of that name the list has. Any thread. */
size_t svc__fields_count(const struct field *fields, size_t count, struct bytes name);

#endif
