/* Writes a struct as JSON by its table of fields: the reverse of binding. */
#include <string.h>

#include <svc/bind.h>
#include <svc/json.h>

#include "libsvc/base/json_check.h"
#include "libsvc/bind/schema.h"
#include "libsvc/json/json_writer.h"

/* An object or an array that is open. */
struct open_level {
    const struct schema_table *table; /* of an object; NULL for an array */
    const struct schema_field *field; /* of an array */
    const char *image;                /* the object's struct, or the array's first element */
    size_t next, count;               /* fields or elements: the next one, and how many */
};

/* The open levels, outermost first. The writer nests no deeper than there is room here. */
struct writing {
    svc_json_writer *w;
    struct open_level levels[JSON_CHECK_DEPTH];
    size_t depth;
};

static void push_level(struct writing *writing, struct open_level level)
{
    if (!svc_json_writer_error(writing->w))
        writing->levels[writing->depth++] = level;
}

static void open_struct(struct writing *writing, const char *key, const struct schema_table *table,
                        const char *image)
{
    svc_json_open_object(writing->w, key);
    push_level(writing, (struct open_level){table, NULL, image, 0, table->count});
}

static const void *pointer_at(const struct schema_field *field, const char *image)
{
    const void *pointer;
    memcpy(&pointer, image + field->rule.offset, sizeof pointer);
    return pointer;
}

static void open_elements(struct writing *writing, const struct schema_field *field,
                          const char *image)
{
    const char *first = pointer_at(field, image);
    size_t count;
    memcpy(&count, image + field->rule.count_at - 1, sizeof count);
    if (!first && count > 0)
        svc__json_writer_fail(writing->w, SVC_EINVAL);
    svc_json_open_array(writing->w, field->name.data);
    push_level(writing, (struct open_level){NULL, field, first, 0, count});
}

/* The first name that stands for the value; NULL. */
static const char *name_choice(const svc_choice *choice, int value)
{
    while (choice->name && choice->value != value)
        choice++;
    return choice->name;
}

static void write_text(svc_json_writer *w, const char *key, const char *text)
{
    if (text)
        svc_json_put_text(w, key, text);
    else
        svc__json_writer_fail(w, SVC_EINVAL);
}

/* Writes the value at `at`, of a member or, without a key, of an element. */
static void write_value(struct writing *writing, const char *key, const struct schema_field *field,
                        const char *at)
{
    union {
        const char *text;
        const json_t *json;
        int64_t number;
        uint64_t count;
        double real;
        int choice;
        unsigned char truth;
    } value;
    svc_json_writer *w = writing->w;
    if (field->rule.type == SVC_TYPE_OBJECT) {
        open_struct(writing, key, field->table, at);
        return;
    }
    memcpy(&value, at, field->width);
    switch (field->rule.type) {
    case SVC_TYPE_TEXT:
        write_text(w, key, value.text);
        break;
    case SVC_TYPE_INT64:
        svc_json_put_i64(w, key, value.number);
        break;
    case SVC_TYPE_UINT64:
        svc_json_put_u64(w, key, value.count);
        break;
    case SVC_TYPE_DOUBLE:
        svc_json_put_double(w, key, value.real);
        break;
    case SVC_TYPE_BOOL:
        svc_json_put_bool(w, key, value.truth != 0);
        break;
    case SVC_TYPE_ENUM:
        write_text(w, key, name_choice(field->rule.choices, value.choice));
        break;
    default:
        svc_json_put_jansson(w, key, value.json);
        break;
    }
}

/* Whether a struct cannot have been bound from a document, since a pointer that a document must set
 * is NULL. */
static bool lacks_required(const struct schema_table *table, const char *image)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct schema_field *field = &table->fields[i];
        const svc_field *rule = &field->rule;
        bool is_pointer = rule->type == SVC_TYPE_TEXT || rule->type == SVC_TYPE_JSON;
        if (rule->required && is_pointer && !rule->count_at && !rule->nullable && !rule->presence &&
            !pointer_at(field, image))
            return true;
    }
    return false;
}

/*
 * Whether a member has the value that binding gives to an absent one without a default, and that no
 * document could give: NULL, no elements where there must be some, 0 where that breaks the rules.
 */
static bool is_nothing(const struct schema_field *field, const char *image)
{
    const svc_field *rule = &field->rule;
    static const char zero[sizeof(double)];
    const char *at = image + rule->offset;
    if (rule->count_at)
        return rule->min_count > 0 && !memcmp(image + rule->count_at - 1, zero, sizeof(size_t));
    switch (rule->type) {
    case SVC_TYPE_TEXT:
    case SVC_TYPE_JSON:
        return !pointer_at(field, image);
    case SVC_TYPE_OBJECT:
        return lacks_required(field->table, at);
    case SVC_TYPE_ENUM:
        return !memcmp(at, zero, sizeof(int)) && !name_choice(rule->choices, 0);
    case SVC_TYPE_INT64:
    case SVC_TYPE_UINT64:
        return !memcmp(at, zero, sizeof(int64_t)) && (rule->min > 0 || rule->max < 0);
    case SVC_TYPE_DOUBLE:
        return !memcmp(at, zero, sizeof(double)) && (rule->min_double > 0 || rule->max_double < 0);
    default:
        return false;
    }
}

/* The presence of a member: its struct's record of it where there is one, else judged by the value.
 */
static svc_presence presence_of(const struct schema_field *field, const char *image)
{
    svc_presence presence;
    if (!field->rule.presence)
        return !is_nothing(field, image) ? SVC_PRESENT
               : field->rule.nullable    ? SVC_NULL
                                         : SVC_ABSENT;
    memcpy(&presence, image + field->rule.presence - 1, sizeof presence);
    return presence;
}

static void write_member(struct writing *writing, const struct schema_field *field,
                         const char *image)
{
    const char *key = field->name.data;
    svc_presence presence = presence_of(field, image);
    if (presence == SVC_PRESENT && field->rule.count_at)
        open_elements(writing, field, image);
    else if (presence == SVC_PRESENT)
        write_value(writing, key, field, image + field->rule.offset);
    else if (presence == SVC_NULL && field->rule.nullable)
        svc_json_put_null(writing->w, key);
    else if (presence != SVC_ABSENT || field->rule.required)
        svc__json_writer_fail(writing->w, SVC_EINVAL); /* binding could not read it */
}

/* The levels are a loop, not recursion, since the program chooses how deep structs nest, and the
 * stack may be small. */
void svc_json_put_bound(svc_json_writer *w, const char *key, const svc_schema *schema,
                        const void *value)
{
    struct writing writing;
    writing.w = w;
    writing.depth = 0;
    if (!schema || !value) {
        svc__json_writer_fail(w, SVC_EINVAL);
        return;
    }
    open_struct(&writing, key, schema->root, value);
    while (writing.depth > 0 && !svc_json_writer_error(w)) {
        struct open_level *level = &writing.levels[writing.depth - 1];
        size_t i = level->next++;
        if (i == level->count) {
            svc_json_close(w);
            writing.depth--;
        } else if (level->table) {
            write_member(&writing, &level->table->fields[i], level->image);
        } else {
            write_value(&writing, NULL, level->field, level->image + i * level->field->width);
        }
    }
}

int svc_response_bind(svc_response *res, int status, const svc_schema *schema, const void *value)
{
    svc_json_writer *w = svc_response_json_begin(res, status);
    svc_json_put_bound(w, NULL, schema, value);
    return svc_response_json_end(w);
}
