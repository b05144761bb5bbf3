/* Binds parameters that are texts: each value is read by the type of the field of its name. */
#include "libsvc/bind/bind_text.h"

#include <string.h>

/* A table, and the parameters for its fields. */
struct sorted {
    const struct schema_field **fields; /* of each parameter; NULL: not known */
    size_t counts[SCHEMA_FIELDS];       /* parameters of each field */
};

/* Adds a violation, unless `detail` is NULL. */
static void note_violation(struct binding *b, struct bytes name, const char *detail)
{
    if (detail == svc__bind_value_no_memory)
        b->violations.no_memory = true;
    else if (detail)
        svc__violations_add_parameter(&b->violations, name, detail);
}

/* The field of a parameter; NULL: not known. Forms of PHP and Rails name an array "tags[]". */
static const struct schema_field *find_field(const struct schema_table *table, struct bytes name,
                                             size_t *hint)
{
    const struct schema_field *field = svc__schema_find(table, name, hint);
    if (field || name.len < 2 || memcmp(name.data + name.len - 2, "[]", 2) != 0)
        return field;
    field = svc__schema_find(table, svc__bytes(name.data, name.len - 2), hint);
    return field && field->rule.count_at ? field : NULL;
}

/* Arrays must be counted before they are filled. */
static bool sort(struct binding *b, struct sorted *sorted, const struct param *params, size_t count)
{
    const struct schema_table *table = b->schema->root;
    size_t hint = 0;
    memset(sorted->counts, 0, table->count * sizeof *sorted->counts);
    sorted->fields = svc__arena_alloc(b->arena, count * sizeof(void *));
    if (!sorted->fields) {
        b->violations.no_memory = true;
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct schema_field *field = find_field(table, params[i].name, &hint);
        sorted->fields[i] = field;
        if (field)
            sorted->counts[svc__schema_index(table, field)]++;
    }
    return true;
}

/* For types other than text, an empty value means null if the field is nullable. */
static bool is_null(const struct schema_field *field, struct bytes value)
{
    return value.len == 0 && field->rule.nullable && field->rule.type != SVC_TYPE_TEXT;
}

static void bind_single(struct binding *b, const struct schema_field *field, size_t count,
                        struct bytes value)
{
    svc_presence presence = is_null(field, value) ? SVC_NULL : SVC_PRESENT;
    svc__binding_presence(field, b->image, presence);
    if (count > 1)
        note_violation(b, field->name, "must be there once");
    else if (presence == SVC_PRESENT)
        note_violation(b, field->name,
                       svc__bind_value_parse(field, b->image + field->rule.offset, value));
}

/* Binds the elements of an array: the parameters of its name from `i` on, which is the first. */
static void bind_array(struct binding *b, const struct sorted *sorted, const struct param *params,
                       size_t i, size_t count)
{
    const struct schema_field *field = sorted->fields[i];
    svc__binding_presence(field, b->image, SVC_PRESENT);
    if (svc__binding_count_wrong(field, count)) {
        note_violation(b, field->name, field->wrong_count);
        return;
    }
    char *at = svc__binding_array(b, field, b->image, count);
    for (; at && count > 0; i++) {
        if (sorted->fields[i] != field)
            continue;
        note_violation(b, field->name, svc__bind_value_parse(field, at, params[i].value));
        at += field->width;
        count--;
    }
}

static void bind_all(struct binding *b, const struct sorted *sorted, const struct param *params,
                     size_t count)
{
    const struct schema_table *table = b->schema->root;
    struct seen seen = {{0}};
    for (size_t i = 0; i < count && !b->violations.no_memory; i++) {
        const struct schema_field *field = sorted->fields[i];
        size_t index = field ? svc__schema_index(table, field) : 0;
        if (!field)
            note_violation(b, params[i].name, b->lenient ? NULL : "is not known");
        else if (svc__binding_seen(&seen, index))
            continue;
        else if (field->rule.count_at)
            bind_array(b, sorted, params, i, sorted->counts[index]);
        else
            bind_single(b, field, sorted->counts[index], params[i].value);
        if (field)
            svc__binding_see(&seen, index);
    }
    const struct schema_field *missing;
    size_t index = 0;
    while ((missing = svc__binding_missing(table, &seen, &index)))
        note_violation(b, missing->name, svc__binding_required);
}

void svc__bind_text(struct binding *b, const struct param *params, size_t count)
{
    struct sorted sorted;
    if (sort(b, &sorted, params, count))
        bind_all(b, &sorted, params, count);
}
