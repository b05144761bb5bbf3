/* Finds the fields of a schema. */
#ifndef SVC_BIND_SCHEMA_H
#define SVC_BIND_SCHEMA_H

#include "libsvc/bind/schema_table.h"

/*
 * The field of that name; NULL when there is none. `*hint` is 0 at first and then the likely index
 * of the next field, since documents tend to have the table's order. Any thread.
 */
const struct schema_field *svc__schema_find(const struct schema_table *table, struct bytes name,
                                            size_t *hint);

/* The index of a field in its table. */
static inline size_t svc__schema_index(const struct schema_table *table,
                                       const struct schema_field *field)
{
    return (size_t)(field - table->fields);
}

#endif
