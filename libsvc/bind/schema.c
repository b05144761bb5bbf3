/* Makes a schema of tables: reads each once, sorts its names, and lays out the struct without
 * members. */
#include "libsvc/bind/schema.h"

#include <stdlib.h>
#include <string.h>

#include "libsvc/base/sized.h"
#include "libsvc/bind/bind_value.h"
#include "libsvc/bind/schema_field.h"

static int compare(struct bytes a, struct bytes b)
{
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return a.len ? memcmp(a.data, b.data, a.len) : 0;
}

const struct schema_field *svc__schema_find(const struct schema_table *table, struct bytes name,
                                            size_t *hint)
{
    if (*hint < table->count && svc__bytes_eq(table->fields[*hint].name, name))
        return &table->fields[(*hint)++];
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct schema_field *field = table->by_name[middle];
        int order = compare(name, field->name);
        if (order == 0) {
            *hint = svc__schema_index(table, field) + 1;
            return field;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* Finds or makes the table of `source` for a struct of that size; NULL when out of memory. */
static struct schema_table *table_of(struct schema_build *build, const svc_field *source,
                                     size_t size)
{
    struct schema_table **at = &build->tables;
    while (*at && ((*at)->source != source || (*at)->size != size))
        at = &(*at)->next;
    if (*at)
        return *at;
    struct schema_table *table = svc__arena_zalloc(&build->app->memory, sizeof *table);
    if (!table) {
        build->error = SVC_ENOMEM;
        return NULL;
    }
    table->source = source;
    table->size = size;
    *at = table;
    return table;
}

/* An entry's place follows from the size of entries in the program's release. */
static const svc_field *entry(const svc_field *table, size_t index)
{
    return (const svc_field *)(const void *)((const char *)table + index * table->size);
}

static bool count_fields(struct schema_build *build, struct schema_table *table)
{
    const svc_field *at = table->source;
    svc_field own = {.size = sizeof own};
    if (SIZED_READ(&own, at, object_size)) {
        svc__schema_field_wrong(build, at, "a table has the entries of the SVC_FIELD macros");
        return false;
    }
    while (at->type != SVC_TYPE_END && table->count <= SCHEMA_FIELDS)
        at = entry(table->source, ++table->count);
    if (table->count <= SCHEMA_FIELDS)
        return true;
    svc__schema_field_wrong(build, table->source, "a table has at most 256 fields and an end");
    return false;
}

static int by_name(const void *a, const void *b)
{
    const struct schema_field *const *x = a, *const *y = b;
    return compare((*x)->name, (*y)->name);
}

static void sort_names(struct schema_build *build, struct schema_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        table->by_name[i] = &table->fields[i];
    qsort(table->by_name, table->count, sizeof *table->by_name, by_name);
    for (size_t i = 1; i < table->count; i++)
        if (by_name(&table->by_name[i - 1], &table->by_name[i]) == 0)
            svc__schema_field_wrong(build, &table->by_name[i]->rule, "the name is there twice");
}

static void compile(struct schema_build *build, struct schema_table *table);

/* Tables of array elements are compiled later, so that they may contain arrays of this table again;
 * a nested struct must be complete before this one can be. */
static void read_object(struct schema_build *build, struct schema_field *field)
{
    struct schema_table *table = table_of(build, field->rule.fields, field->rule.object_size);
    field->table = table;
    if (!table || field->rule.count_at)
        return;
    if (table->state != SCHEMA_UNDER_WAY) {
        compile(build, table);
        return;
    }
    svc__schema_field_wrong(build, &field->rule, "an object is within itself");
    field->table = NULL;
}

/* Writes a field's default to its place in the table's blank struct. A table with mistakes has no
 * blank struct. */
static void lay_out(struct schema_build *build, struct schema_table *table,
                    const struct schema_field *field)
{
    char *at = table->blank + field->rule.offset;
    if (field->rule.count_at)
        return;
    if (field->rule.type != SVC_TYPE_OBJECT)
        svc__schema_field_fall_back(build, field, at);
    else if (field->table && field->table->blank)
        memcpy(at, field->table->blank, field->width);
}

static void read_fields(struct schema_build *build, struct schema_table *table)
{
    for (size_t i = 0; i < table->count && build->error != SVC_ENOMEM; i++) {
        struct schema_field *field = &table->fields[i];
        field->rule.size = sizeof field->rule;
        if (SIZED_READ(&field->rule, entry(table->source, i), object_size)) {
            svc__schema_field_wrong(build, entry(table->source, i),
                                    "it has a rule that this release does not know");
            continue;
        }
        if (!svc__schema_field_read(build, field, table->size))
            continue;
        if (field->rule.type == SVC_TYPE_OBJECT)
            read_object(build, field);
        if (field->rule.type == SVC_TYPE_OBJECT || field->rule.type == SVC_TYPE_JSON)
            table->nested = true;
        if (field->rule.required)
            table->required[i / 64] |= UINT64_C(1) << i % 64;
        lay_out(build, table, field);
    }
}

static void compile(struct schema_build *build, struct schema_table *table)
{
    if (table->state == SCHEMA_DONE || build->error == SVC_ENOMEM)
        return;
    table->state = SCHEMA_UNDER_WAY;
    if (count_fields(build, table)) {
        struct arena *memory = &build->app->memory;
        table->fields = svc__arena_zalloc(memory, table->count * sizeof *table->fields);
        table->by_name = svc__arena_alloc(memory, table->count * sizeof(void *));
        table->blank = svc__arena_zalloc(memory, table->size);
        if (table->fields && table->by_name && table->blank) {
            read_fields(build, table);
            if (build->error != SVC_ENOMEM)
                sort_names(build, table);
        } else {
            build->error = SVC_ENOMEM;
        }
    }
    table->state = SCHEMA_DONE;
}

const svc_schema *svc_schema_new(svc_app *app, const svc_field *fields, size_t struct_size,
                                 unsigned flags)
{
    const unsigned known = SVC_SCHEMA_LENIENT | SVC_SCHEMA_FORM;
    struct schema_build build = {.app = app};
    if (svc__app_open(app, "svc_schema_new"))
        return NULL;
    if (!fields || struct_size == 0 || flags & ~known) {
        svc__faults_refuse(&app->faults, SVC_EINVAL, "svc_schema_new");
        return NULL;
    }
    struct svc_schema *schema = svc__arena_alloc(&app->memory, sizeof *schema);
    struct schema_table *root = table_of(&build, fields, struct_size);
    for (struct schema_table *table = build.tables; table; table = table->next)
        compile(&build, table);
    if (!build.error && root->nested && flags & SVC_SCHEMA_FORM)
        svc__schema_field_wrong(&build, fields, "a form has no objects and no JSON in it");
    if (!schema || build.error == SVC_ENOMEM)
        svc__faults_refuse(&app->faults, SVC_ENOMEM, "svc_schema_new");
    if (!schema || build.error)
        return NULL;
    *schema = (struct svc_schema){root, flags};
    return schema;
}
