/* One binding under way. */
#include "libsvc/bind/binding.h"

#include <string.h>

const char svc__binding_required[] = "is required", svc__binding_null[] = "must not be null",
           svc__binding_array_expected[] = "must be an array";

int svc__binding_begin(struct binding *b, const svc_schema *schema, struct arena *arena)
{
    *b = (struct binding){.schema = schema,
                          .arena = arena,
                          .lenient = schema->flags & SVC_SCHEMA_LENIENT,
                          .image = svc__arena_alloc(arena, schema->root->size),
                          .violations = {.arena = arena}};
    if (!b->image)
        return SVC_ENOMEM;
    memcpy(b->image, schema->root->blank, schema->root->size);
    return 0;
}

bool svc__binding_end(const struct binding *b, void *out)
{
    const struct violations *v = &b->violations;
    if (v->count || v->more || v->no_memory)
        return false;
    memcpy(out, b->image, b->schema->root->size);
    return true;
}

char *svc__binding_array(struct binding *b, const struct schema_field *field, char *image,
                         size_t count)
{
    bool too_many = count > SIZE_MAX / field->width;
    char *elements = too_many ? NULL : svc__arena_alloc(b->arena, count * field->width);
    if (!elements) {
        b->violations.no_memory = true;
        return NULL;
    }
    if (field->table)
        for (size_t i = 0; i < count; i++)
            memcpy(elements + i * field->width, field->table->blank, field->width);
    memcpy(image + field->rule.offset, &elements, sizeof elements);
    memcpy(image + field->rule.count_at - 1, &count, sizeof count);
    return elements;
}

const struct schema_field *svc__binding_missing(const struct schema_table *table,
                                                const struct seen *seen, size_t *index)
{
    for (size_t i = *index; i < table->count; i++) {
        uint64_t left = (table->required[i / 64] & ~seen->words[i / 64]) >> i % 64;
        if (left & 1) {
            *index = i + 1;
            return &table->fields[i];
        }
        if (left == 0)
            i |= 63; /* none in this word */
    }
    *index = table->count;
    return NULL;
}
