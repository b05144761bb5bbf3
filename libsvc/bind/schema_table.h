/*
 * A schema: tables of fields as binding uses them. Everything possible is prepared at start, before
 * the first request: the order of names, the compiled patterns, the struct of a document without
 * members, and the sentence for each rule that a value may break.
 */
#ifndef SVC_BIND_SCHEMA_TABLE_H
#define SVC_BIND_SCHEMA_TABLE_H

#include <regex.h>

#include <svc/bind.h>

#include "libsvc/base/bytes.h"

enum {
    SCHEMA_FIELDS = 256, /* of a table */
    SCHEMA_WORDS = SCHEMA_FIELDS / 64,
    SCHEMA_NAME = 128, /* bytes of a name */
    SCHEMA_COUNT = 1000,
    SCHEMA_MAX_COUNT = 100000,
    SCHEMA_PATTERN_LENGTH = 4096 /* characters of a text that a pattern runs on */
};

struct schema_field {
    svc_field rule; /* as the table has it, with ranges and counts filled in */
    struct bytes name;
    size_t width;      /* bytes of a value, or, in an array, of an element */
    uint64_t greatest; /* of SVC_TYPE_UINT64 */
    /* The texts for a value of another type or out of range, and for other broken rules. */
    const char *wrong, *wrong_length, *wrong_pattern, *wrong_count;
    const regex_t *pattern;           /* NULL: none */
    const struct schema_table *table; /* of SVC_TYPE_OBJECT */
};

enum schema_state { SCHEMA_NEW, SCHEMA_UNDER_WAY, SCHEMA_DONE };

struct schema_table {
    const svc_field *source;
    size_t size; /* bytes of the struct */
    struct schema_field *fields;
    const struct schema_field **by_name; /* sorted */
    size_t count;
    uint64_t required[SCHEMA_WORDS]; /* a bit for each field, by its index */
    char *blank;                     /* the struct of a document without members */
    bool nested;                     /* has fields that no text can fill */
    enum schema_state state;
    struct schema_table *next; /* of the tables of one schema */
};

struct svc_schema {
    struct schema_table *root;
    unsigned flags;
};

#endif
