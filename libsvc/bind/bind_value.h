/*
 * Checks one value against the rules of its field. Each call writes the value to `at`, the struct's
 * member or an array's element, and returns NULL; or writes nothing and returns the violation's
 * text, which lives as long as the schema, or svc__bind_value_no_memory. Any thread.
 */
#ifndef SVC_BIND_BIND_VALUE_H
#define SVC_BIND_BIND_VALUE_H

#include "libsvc/bind/schema_table.h"

/* Returned instead of a violation's text, and known by its address, when there was no memory. */
extern const char svc__bind_value_no_memory[];

/* Binds a text, NUL-terminated and without another NUL, to which the member then points. */
const char *svc__bind_value_text(const struct schema_field *field, void *at, struct bytes text);

/* Binds a whole number, for SVC_TYPE_INT64 and SVC_TYPE_UINT64. */
const char *svc__bind_value_whole(const struct schema_field *field, void *at, int64_t n);

/* Binds a number, for SVC_TYPE_INT64, SVC_TYPE_UINT64 and SVC_TYPE_DOUBLE. */
const char *svc__bind_value_number(const struct schema_field *field, void *at, double n);

/* Binds a choice by its name, for SVC_TYPE_ENUM. */
const char *svc__bind_value_choice(const struct schema_field *field, void *at, struct bytes name);

/* Binds the text of a value of the field's type, which is neither an object nor JSON. */
const char *svc__bind_value_parse(const struct schema_field *field, void *at, struct bytes text);

#endif
