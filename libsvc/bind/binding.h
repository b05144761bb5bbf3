/* One binding under way: the common part of its sources, JSON and texts. */
#ifndef SVC_BIND_BINDING_H
#define SVC_BIND_BINDING_H

#include "libsvc/base/arena.h"
#include "libsvc/bind/bind_value.h"
#include "libsvc/bind/schema.h"
#include "libsvc/bind/violations.h"

struct binding {
    const svc_schema *schema;
    struct arena *arena;
    bool lenient;
    char *image; /* the struct in the making; it is copied to the handler's own when nothing is
                    wrong */
    struct violations violations;
};

/* Begins a binding, which takes its memory from the arena. 0 or SVC_ENOMEM. */
int svc__binding_begin(struct binding *b, const svc_schema *schema, struct arena *arena);

/* Writes `out` if there are no violations. Whether it did. */
bool svc__binding_end(const struct binding *b, void *out);

/* Allocates the elements of an array field and sets the field in the struct at `image`; NULL when
 * out of memory. `count` is within the field's limits. */
char *svc__binding_array(struct binding *b, const struct schema_field *field, char *image,
                         size_t count);

/* Whether so many elements are too few or too many for an array field. */
static inline bool svc__binding_count_wrong(const struct schema_field *field, size_t count)
{
    return count < field->rule.min_count || count > field->rule.max_count;
}

/* Records the presence of a field in the struct at `image`, if the field has a member for it. */
static inline void svc__binding_presence(const struct schema_field *field, char *image,
                                         svc_presence presence)
{
    if (field->rule.presence)
        memcpy(image + field->rule.presence - 1, &presence, sizeof presence);
}

/* The fields of a table that were present, a bit each. */
struct seen {
    uint64_t words[SCHEMA_WORDS];
};

static inline void svc__binding_see(struct seen *seen, size_t index)
{
    seen->words[index / 64] |= UINT64_C(1) << index % 64;
}

static inline bool svc__binding_seen(const struct seen *seen, size_t index)
{
    return seen->words[index / 64] >> index % 64 & 1;
}

/* The next field from `*index` on that is required and was absent; moves `*index` behind it. NULL
 * when there is none. */
const struct schema_field *svc__binding_missing(const struct schema_table *table,
                                                const struct seen *seen, size_t *index);

/* Texts of violations that are the same for every field. */
extern const char svc__binding_required[], svc__binding_null[], svc__binding_array_expected[];

#endif
