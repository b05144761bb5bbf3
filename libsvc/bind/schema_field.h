/* The rules of one field: their check, and the texts for values that break them. */
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
 * Fills a field, whose rule is set, from that rule, but for its table. False when the field cannot
 * be used: `build->error` is set then. `struct_size` is the size of the field's struct.
 */
bool svc__schema_field_read(struct schema_build *build, struct schema_field *field,
                            size_t struct_size);

/* Writes the rule's default, if it has one, to `at`. A default that breaks the rules is a mistake.
 */
void svc__schema_field_fall_back(struct schema_build *build, const struct schema_field *field,
                                 void *at);

#endif
