/* The rules of one field: whether they can be kept, and what is told of a value that breaks them.
 */
#ifndef SVC_BIND_SCHEMA_FIELD_H
#define SVC_BIND_SCHEMA_FIELD_H

#include "libsvc/app/app_internal.h"
#include "libsvc/bind/schema_table.h"

/* A schema under way. */
struct schema_build {
    svc_app *app;
    struct schema_table *tables; /* all that the schema needs, compiled or not */
    int error;                   /* SVC_EINVAL after a mistake, SVC_ENOMEM, which ends the work */
};

/* Keeps a mistake of a table as a set-up error. */
void svc__schema_field_wrong(struct schema_build *build, const svc_field *rule, const char *what);

/*
 * Makes the rest of a field from its rule, which is set; its table is left to others. False when it
 * cannot be used: `build->error` is set then. `struct_size` is the size of the struct that it is
 * of.
 */
bool svc__schema_field_read(struct schema_build *build, struct schema_field *field,
                            size_t struct_size);

/* Writes to `at` what an absent member is, if the rule says so; a mistake when it breaks the rules.
 */
void svc__schema_field_fall_back(struct schema_build *build, const struct schema_field *field,
                                 void *at);

#endif
