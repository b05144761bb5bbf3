/* Schemas that are made by hand, so that no app is needed: a table of fields in the order in
 * which their names are searched. */
#ifndef TESTS_UNIT_BIND_SUPPORT_H
#define TESTS_UNIT_BIND_SUPPORT_H

#include <criterion/criterion.h>
#include <string.h>

#include "libsvc/bind/schema_table.h"

enum { HAND_FIELDS = SCHEMA_FIELDS };

static struct schema_field hand_fields[HAND_FIELDS];
static const struct schema_field *hand_by_name[HAND_FIELDS];
static struct schema_table hand_table = {.fields = hand_fields, .by_name = hand_by_name};

/* Adds a field behind those with shorter names, and those of its length that come before it. */
static inline struct schema_field *hand_field(const char *name, int type, size_t offset,
                                              size_t width)
{
    size_t at = hand_table.count++;
    cr_assert_lt(at, HAND_FIELDS);
    struct schema_field *field = &hand_fields[at];
    hand_by_name[at] = field;
    *field = (struct schema_field){.rule = {.type = type,
                                            .offset = offset,
                                            .min = type == SVC_TYPE_UINT64 ? 0 : INT64_MIN,
                                            .max = INT64_MAX,
                                            .max_count = 10},
                                   .name = svc__bytes_z(name),
                                   .width = width,
                                   .greatest = UINT64_MAX,
                                   .wrong = "is wrong",
                                   .wrong_count = "has a wrong count"};
    return field;
}

/* The field must be there. */
static inline void hand_require(const struct schema_field *field)
{
    size_t at = (size_t)(field - hand_fields);
    hand_table.required[at / 64] |= UINT64_C(1) << at % 64;
}

#endif
