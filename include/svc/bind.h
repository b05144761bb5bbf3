/*
 * Binding: a table of fields and their rules describes how a client's input becomes a C struct. Input that
 * breaks a rule is answered 422; the answer lists all violations at once, each with its place.
 *
 *     struct draft { const char *title; int64_t priority; };
 *
 *     static const svc_field draft_fields[] = {
 *         SVC_FIELD_TEXT(struct draft, title, .required = true, .min_length = 1, .max_length = 200),
 *         SVC_FIELD_INT64(struct draft, priority, .min = 1, .max = 5, .fallback = 3),
 *         SVC_FIELD_END};
 *
 *     schema = svc_schema_new(app, draft_fields, sizeof(struct draft), 0);      at start
 *
 *     struct draft draft;                                                       in a handler
 *     if (!svc_request_bind(req, res, schema, &draft))
 *         return 0;
 *
 * A table reads the same in C and in C++. docs/binding.md shows more.
 */
#ifndef SVC_BIND_H
#define SVC_BIND_H

#include <svc/json_writer.h>
#include <svc/row.h>
#include <svc/types.h>

SVC_BEGIN_DECLS

/* ---- Tables of fields */

/* The type of a value, and of the struct's member that takes it. */
typedef enum svc_field_type {
    SVC_TYPE_END = 0, /* ends a table */
    SVC_TYPE_TEXT,    /* const char *: UTF-8 without an embedded NUL; NULL when absent */
    SVC_TYPE_INT64,   /* int64_t: a whole number; 1.0 is one too */
    SVC_TYPE_UINT64,  /* uint64_t; in JSON up to INT64_MAX: larger numbers are bad syntax to jansson */
    SVC_TYPE_DOUBLE,  /* double: any finite number */
    SVC_TYPE_BOOL,    /* bool: true or false */
    SVC_TYPE_ENUM,    /* int, or an enum of its size: one of several texts */
    SVC_TYPE_OBJECT,  /* a struct: a JSON object with its own table; JSON only */
    SVC_TYPE_JSON     /* struct json_t *: anything but null, borrowed; JSON only */
} svc_field_type;

/* The values of a member that SVC_FIELD_PRESENCE names. */
typedef enum svc_presence {
    SVC_ABSENT = 0,
    SVC_PRESENT = 1,
    SVC_NULL = 2 /* the value was null, which the field allows */
} svc_presence;

/* A text of an enumeration and its value. A list of choices ends with {NULL, 0}. */
typedef struct svc_choice {
    const char *name;
    int value;
} svc_choice;

/*
 * One field. The macros below set the members of the first part; the table sets those of the second part,
 * and a rule that it leaves out does not apply. A range includes both ends; a `min` without a `max` is a
 * mistake.
 */
typedef struct svc_field {
    size_t size;
    int type;           /* svc_field_type */
    const char *member; /* of the struct */
    const char *file;   /* the table's source file and line, for reports */
    int line;
    size_t offset;             /* of the member */
    size_t count_at;           /* of an array: 1 + the offset of its count; 0: not an array */
    const svc_choice *choices; /* of SVC_TYPE_ENUM */
    const struct svc_field *fields; /* of SVC_TYPE_OBJECT */
    size_t object_size;             /* of SVC_TYPE_OBJECT, in bytes */

    const char *name; /* in the document; NULL: the name of the struct's member */
    bool required;    /* must be present */
    bool nullable;    /* null is allowed, and counts as absent; in a query or form, an empty value is
                         null for types other than text */
    size_t presence;  /* set by SVC_FIELD_PRESENCE */

    int64_t min, max;              /* of SVC_TYPE_INT64 and SVC_TYPE_UINT64 */
    double min_double, max_double; /* of SVC_TYPE_DOUBLE */
    size_t min_length, max_length; /* of a text, in characters (code points); max 0: no limit */
    const char *pattern; /* of a text: a POSIX extended regular expression, which may match anywhere in
                            the text unless anchored with ^ and $; needs a max_length, of at most 4096 */
    size_t min_count, max_count; /* of an array; max 0: 1000; at most 100000 */

    /* Value used when the member is absent. It must satisfy the rules; 0 and NULL mean "no default". */
    int64_t fallback;          /* of SVC_TYPE_INT64, SVC_TYPE_UINT64, SVC_TYPE_BOOL, SVC_TYPE_ENUM */
    double fallback_double;    /* of SVC_TYPE_DOUBLE */
    const char *fallback_text; /* of SVC_TYPE_TEXT; borrowed until the app is freed */
} svc_field;

/*
 * A field: the type of the struct, its member, then rules such as `.required = true`. A member whose C type
 * does not fit the field does not compile.
 *
 *     SVC_FIELD_TEXT(struct draft, title, .required = true, .max_length = 200)
 *     SVC_FIELD_ENUM(struct draft, state, state_choices)
 *     SVC_FIELD_OBJECT(struct draft, author, author_fields)
 */
#define SVC_FIELD_TEXT(type, ...)                                                                  \
    SVC__FIELD(SVC_TYPE_TEXT, const char *, type, __VA_ARGS__, SVC__FIELD_LAST)
#define SVC_FIELD_INT64(type, ...)                                                                 \
    SVC__FIELD(SVC_TYPE_INT64, int64_t, type, __VA_ARGS__, SVC__FIELD_LAST)
#define SVC_FIELD_UINT64(type, ...)                                                                \
    SVC__FIELD(SVC_TYPE_UINT64, uint64_t, type, __VA_ARGS__, SVC__FIELD_LAST)
#define SVC_FIELD_DOUBLE(type, ...)                                                                \
    SVC__FIELD(SVC_TYPE_DOUBLE, double, type, __VA_ARGS__, SVC__FIELD_LAST)
#define SVC_FIELD_BOOL(type, ...)                                                                  \
    SVC__FIELD(SVC_TYPE_BOOL, bool, type, __VA_ARGS__, SVC__FIELD_LAST)
#define SVC_FIELD_JSON(type, ...)                                                                  \
    SVC__FIELD(SVC_TYPE_JSON, struct json_t *, type, __VA_ARGS__, SVC__FIELD_LAST)
#define SVC_FIELD_ENUM(type, member, ...) SVC__ENUM(type, member, __VA_ARGS__, SVC__FIELD_LAST)
#define SVC_FIELD_OBJECT(type, member, ...) SVC__OBJECT(type, member, __VA_ARGS__, SVC__FIELD_LAST)

/*
 * Arrays: the struct has a pointer to the first element and a size_t for the number of elements. Rules
 * apply to each element, except required, min_count and max_count. Elements are never null.
 *
 *     const char **tags; size_t tag_count;
 *     SVC_FIELD_TEXTS(struct draft, tags, tag_count, .max_count = 10, .max_length = 40)
 *     SVC_FIELD_ENUMS(struct draft, states, state_count, state_choices)
 *     SVC_FIELD_OBJECTS(struct draft, links, link_count, link_fields)
 */
#define SVC_FIELD_TEXTS(type, member, ...)                                                         \
    SVC__ARRAY(SVC_TYPE_TEXT, const char **, type, member, __VA_ARGS__, SVC__FIELD_LAST)
#define SVC_FIELD_INT64S(type, member, ...)                                                        \
    SVC__ARRAY(SVC_TYPE_INT64, int64_t *, type, member, __VA_ARGS__, SVC__FIELD_LAST)
#define SVC_FIELD_UINT64S(type, member, ...)                                                       \
    SVC__ARRAY(SVC_TYPE_UINT64, uint64_t *, type, member, __VA_ARGS__, SVC__FIELD_LAST)
#define SVC_FIELD_DOUBLES(type, member, ...)                                                       \
    SVC__ARRAY(SVC_TYPE_DOUBLE, double *, type, member, __VA_ARGS__, SVC__FIELD_LAST)
#define SVC_FIELD_BOOLS(type, member, ...)                                                         \
    SVC__ARRAY(SVC_TYPE_BOOL, bool *, type, member, __VA_ARGS__, SVC__FIELD_LAST)
#define SVC_FIELD_ENUMS(type, member, count, ...)                                                  \
    SVC__ENUMS(type, member, count, __VA_ARGS__, SVC__FIELD_LAST)
#define SVC_FIELD_OBJECTS(type, member, count, ...)                                                \
    SVC__OBJECTS(type, member, count, __VA_ARGS__, SVC__FIELD_LAST)

/* The end of a table. */
#define SVC_FIELD_END SVC__ROW(svc_field, SVC__FIELD_LAST)

/* A rule that names the struct's member, an svc_presence, that is set to whether the field was present. */
#define SVC_FIELD_PRESENCE(type, member) .presence = 1 + SVC__AT(type, member, svc_presence)

/* The last entry of each field. It keeps a list of rules from being empty, which C99 does not allow. */
#define SVC__FIELD_LAST .size = sizeof(svc_field)

/* The offset of a member, with a check of its C type or its size at compile time: pointers of different
 * types cannot be subtracted, and an array of negative size does not compile. */
#define SVC__AT(whole, part, ctype)                                                                \
    (offsetof(whole, part) + 0 * sizeof(&((whole *)0)->part - (ctype *)sizeof(ctype)))
#define SVC__AT_SIZED(whole, part, value)                                                          \
    (offsetof(whole, part) + 0 * sizeof(char[sizeof(value) == sizeof(int) ? 1 : -1]))

#define SVC__FIELD_AT(kind, part, where, ...)                                                      \
    SVC__ROW(svc_field, .type = (kind), .member = #part, .file = __FILE__, .line = __LINE__,       \
             .offset = (where), __VA_ARGS__)
#define SVC__FIELD(kind, ctype, whole, part, ...)                                                  \
    SVC__FIELD_AT(kind, part, SVC__AT(whole, part, ctype), __VA_ARGS__)
#define SVC__ARRAY(kind, ctype, whole, part, count, ...)                                           \
    SVC__FIELD_AT(kind, part, SVC__AT(whole, part, ctype),                                         \
                  .count_at = 1 + SVC__AT(whole, count, size_t), __VA_ARGS__)
#define SVC__ENUM(whole, part, list, ...)                                                          \
    SVC__FIELD_AT(SVC_TYPE_ENUM, part, SVC__AT_SIZED(whole, part, ((whole *)0)->part),             \
                  .choices = (list), __VA_ARGS__)
#define SVC__ENUMS(whole, part, count, list, ...)                                                  \
    SVC__FIELD_AT(SVC_TYPE_ENUM, part, SVC__AT_SIZED(whole, part, *((whole *)0)->part),            \
                  .count_at = 1 + SVC__AT(whole, count, size_t), .choices = (list), __VA_ARGS__)
#define SVC__OBJECT(whole, part, table, ...)                                                       \
    SVC__FIELD_AT(SVC_TYPE_OBJECT, part, offsetof(whole, part), .fields = (table),                 \
                  .object_size = sizeof(((whole *)0)->part), __VA_ARGS__)
#define SVC__OBJECTS(whole, part, count, table, ...)                                               \
    SVC__FIELD_AT(SVC_TYPE_OBJECT, part, offsetof(whole, part),                                    \
                  .count_at = 1 + SVC__AT(whole, count, size_t), .fields = (table),                \
                  .object_size = sizeof(*((whole *)0)->part), __VA_ARGS__)

/* ---- Schemas */

/* A table that was checked and prepared; immutable, so any number of threads may use it at once. */
typedef struct svc_schema svc_schema;

/* Flags of a schema. */
enum {
    /* Members and parameters that are in no table are ignored. Without this flag they are violations. */
    SVC_SCHEMA_LENIENT = 1 << 13,
    /* The body may be a form (application/x-www-form-urlencoded) as well as JSON. Beware: a page of any
     * other site can make a browser send a form with the user's cookies, but not JSON. */
    SVC_SCHEMA_FORM = 1 << 14
};

/*
 * Makes a schema from a table. The table is copied; the texts, lists of choices and tables that it names
 * are borrowed until the app is freed. `struct_size` is the size of the struct in bytes. A table may name
 * itself for the elements of an array (trees). A table has at most 256 fields, and names are UTF-8 of at
 * most 128 bytes.
 *
 * Owned by the app. NULL when out of memory, or when the table has mistakes, which are kept as set-up errors
 * with file and line: repeated names, empty ranges, defaults out of range, bad patterns (back-references
 * too, whose cost has no bound), rules that the type does not have, members outside of the struct, nesting
 * when a form is allowed. Before start only. Since: 0.1
 */
SVC_API const svc_schema *svc_schema_new(svc_app *app, const svc_field *fields, size_t struct_size,
                                         unsigned flags);

/* ---- Binding: for the thread that runs the handler */

/*
 * Binds the request's body to the struct `out`, which is written only on success, as a whole. Pointers in
 * `out` are borrowed until the exchange ends. When this returns false, `res` holds the answer, and the
 * handler returns 0: 415, 400 or 503 as for svc_request_json (for a form also 400 for bad escapes, NUL or
 * invalid UTF-8, and 413 for more than 10000 fields or 1 MiB: svc/form.h has forms alone), or 422 as for svc_response_violations, with the
 * violations in the document's order and missing members last. 500 for a NULL schema, whose set-up errors
 * keep its app from starting. Since: 0.1
 */
SVC_API bool svc_request_bind(svc_request *req, svc_response *res, const svc_schema *schema,
                              void *out) SVC_MUST_CHECK;

/*
 * Binds the query in the same way. The field's type decides how a value is read: decimal numbers, true
 * and false, "on" for true, as browsers send a checkbox. A repeated name fills an array, also with "[]" behind
 * it, and is a violation for any other field. 500 for a schema that contains objects or JSON. Since: 0.1
 */
SVC_API bool svc_request_bind_query(svc_request *req, svc_response *res, const svc_schema *schema,
                                    void *out) SVC_MUST_CHECK;

/*
 * Binds the wildcards of the route's pattern in the same way; wildcards without a field are ignored.
 * If a value breaks a rule, the answer is 404: there is no such resource. Since: 0.1
 */
SVC_API bool svc_request_bind_path(svc_request *req, svc_response *res, const svc_schema *schema,
                                   void *out) SVC_MUST_CHECK;

/* ---- Writing: a schema also writes the structs that it reads */

/*
 * Answers with a struct as a JSON object, whose members are in the order of the table.
 *
 * A member that is not required and has no presence is left out if its value can only come from binding an
 * absent member: NULL; no elements, if min_count is more than 0; 0, if that is no choice or out of range; a
 * struct in which a required text or JSON is NULL. If the field is nullable, null is written instead. For a
 * member with a presence (SVC_FIELD_PRESENCE), the presence alone decides. Ranges, lengths and patterns
 * apply to input and are not checked here, so that values stored under an older rule can still be read.
 *
 * 0; SVC_EINVAL for a NULL schema or value, a required member without a value, an enum that is no choice,
 * a number that is not finite, text that is not UTF-8, a NULL pointer to elements or a NULL element;
 * SVC_ETOOBIG for more than 64 levels or 16 MiB; SVC_ENOMEM. When it fails, the response counts as not
 * answered. Since: 0.1
 */
SVC_API int svc_response_bind(svc_response *res, int status, const svc_schema *schema,
                              const void *value);

/* Writes the struct as a value within a document: see svc/json_writer.h. The writer fails with the codes of
 * svc_response_bind. For the thread that has the writer. Since: 0.1 */
SVC_API void svc_json_put_bound(svc_json_writer *w, const char *key,
                                const svc_schema *schema, const void *value);

/* ---- Violations */

/* One violation. Either `pointer` or `parameter` is NULL. */
typedef struct svc_violation {
    const char *pointer;   /* the place in the body: a JSON Pointer as a URI fragment, "#/tags/0" */
    const char *parameter; /* the name of a query or form parameter */
    const char *detail;    /* "must have 1 to 200 characters" */
} svc_violation;

/*
 * Answers 422 in the same form as binding, for rules that a table cannot express: problem details whose
 * `errors` list the violations, at most 100 of them (the detail gives the number of all). The texts must
 * be UTF-8 and are copied. A client that accepts no JSON gets lines of plain text. 0, SVC_EINVAL for no
 * violation or one without detail, SVC_ENOMEM, SVC_ETOOBIG. Since: 0.1
 */
SVC_API int svc_response_violations(svc_response *res, const svc_violation *violations,
                                    size_t count);

SVC_END_DECLS

#endif
