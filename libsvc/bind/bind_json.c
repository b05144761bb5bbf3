/* Binds a JSON document: walks jansson's tree beside the schema's tables. The walk keeps its place
 * in the arena and not on the stack, since a table that names itself is as deep as the text. */
#include "libsvc/bind/bind_json.h"

#include <string.h>

#include <svc/json.h>

/* An object or array whose values are being bound. */
struct level {
    struct level *up, *down;          /* `down` was used before, and can be again */
    const struct schema_table *table; /* of an object's members */
    const struct schema_field *field; /* of an array's elements; NULL: it is an object */
    json_t *json;
    char *image; /* the struct, or the first element */
    struct violation_path path;
    void *member; /* the next one of an object */
    size_t index; /* of the next element */
    size_t hint;
    struct seen seen; /* of the members */
};

/* Adds a violation, unless `detail` is NULL. */
static void note_violation(struct binding *b, const struct violation_path *path, const char *detail)
{
    if (detail == svc__bind_value_no_memory)
        b->violations.no_memory = true;
    else if (detail)
        svc__violations_add(&b->violations, path, detail);
}

static const char *bind_text(const struct schema_field *field, void *at, const json_t *json)
{
    const char *text = json_string_value(json);
    size_t len = json_string_length(json);
    if (memchr(text, '\0', len))
        return "must not hold NUL";
    return svc__bind_value_text(field, at, svc__bytes(text, len));
}

static const char *bind_number(const struct schema_field *field, void *at, const json_t *json)
{
    if (json_is_integer(json) && field->rule.type != SVC_TYPE_DOUBLE)
        return svc__bind_value_whole(field, at, json_integer_value(json));
    return json_is_number(json) ? svc__bind_value_number(field, at, json_number_value(json))
                                : field->wrong;
}

static const char *bind_choice(const struct schema_field *field, void *at, const json_t *json)
{
    struct bytes name = {json_string_value(json), json_string_length(json)};
    return name.data ? svc__bind_value_choice(field, at, name) : field->wrong;
}

static const char *bind_bool(const struct schema_field *field, void *at, const json_t *json)
{
    bool truth = json_is_true(json);
    if (!json_is_boolean(json))
        return field->wrong;
    memcpy(at, &truth, sizeof truth);
    return NULL;
}

static const char *bind_scalar(const struct schema_field *field, void *at, json_t *json)
{
    switch (field->rule.type) {
    case SVC_TYPE_TEXT:
        return json_is_string(json) ? bind_text(field, at, json) : field->wrong;
    case SVC_TYPE_ENUM:
        return bind_choice(field, at, json);
    case SVC_TYPE_BOOL:
        return bind_bool(field, at, json);
    case SVC_TYPE_JSON:
        memcpy(at, &json, sizeof json);
        return NULL;
    default:
        return bind_number(field, at, json);
    }
}

/* Adds a level below `up` with its path. Without memory the walk goes on in `up`. */
static struct level *add_level(struct binding *b, struct level *up,
                               const struct violation_path *path)
{
    struct level *level = up->down;
    if (!level) {
        level = svc__arena_alloc(b->arena, sizeof *level);
        if (!level) {
            b->violations.no_memory = true;
            return up;
        }
        level->up = up;
        level->down = NULL;
        up->down = level;
    }
    level->path = *path;
    return level;
}

static struct level *enter_object(struct binding *b, struct level *up,
                                  const struct schema_table *table, json_t *json, char *image,
                                  const struct violation_path *path)
{
    if (!json_is_object(json)) {
        note_violation(b, path, "must be an object");
        return up;
    }
    struct level *level = add_level(b, up, path);
    if (level == up)
        return up;
    level->table = table;
    level->field = NULL;
    level->json = json;
    level->image = image;
    level->member = json_object_iter(json);
    level->hint = 0;
    level->seen = (struct seen){{0}};
    return level;
}

static struct level *enter_array(struct binding *b, struct level *up,
                                 const struct schema_field *field, json_t *json,
                                 const struct violation_path *path)
{
    size_t count = json_array_size(json);
    if (!json_is_array(json)) {
        note_violation(b, path, svc__binding_array_expected);
        return up;
    }
    if (svc__binding_count_wrong(field, count)) {
        note_violation(b, path, field->wrong_count);
        return up;
    }
    char *elements = svc__binding_array(b, field, up->image, count);
    struct level *level = elements ? add_level(b, up, path) : up;
    if (level == up)
        return up;
    level->field = field;
    level->json = json;
    level->image = elements;
    level->index = 0;
    return level;
}

/* Binds a value that is not null to a member or an element. Returns the level to go on with, as the
 * functions below do. */
static struct level *bind_value(struct binding *b, struct level *level,
                                const struct schema_field *field, json_t *json, char *at,
                                const struct violation_path *path)
{
    if (field->rule.type == SVC_TYPE_OBJECT)
        return enter_object(b, level, field->table, json, at, path);
    note_violation(b, path, bind_scalar(field, at, json));
    return level;
}

static struct level *bind_element(struct binding *b, struct level *level)
{
    size_t i = level->index++;
    if (i == json_array_size(level->json))
        return level->up;
    const struct violation_path here = {&level->path, NULL, i};
    json_t *element = json_array_get(level->json, i);
    if (!json_is_null(element))
        return bind_value(b, level, level->field, element, level->image + i * level->field->width,
                          &here);
    note_violation(b, &here, svc__binding_null);
    return level;
}

static struct level *bind_member(struct binding *b, struct level *level,
                                 const struct schema_field *field, json_t *json,
                                 const struct violation_path *path)
{
    if (json_is_null(json)) {
        note_violation(b, path, field->rule.nullable ? NULL : svc__binding_null);
        svc__binding_presence(field, level->image, SVC_NULL);
        return level;
    }
    svc__binding_presence(field, level->image, SVC_PRESENT);
    if (field->rule.count_at)
        return enter_array(b, level, field, json, path);
    return bind_value(b, level, field, json, level->image + field->rule.offset, path);
}

/* Names come from the client: a name too long for any schema is not repeated. */
static void note_unknown(struct binding *b, const char *name, const struct violation_path *path)
{
    const struct violation_path here = {path, name, 0};
    if (b->lenient)
        return;
    if (strnlen(name, SCHEMA_NAME + 1) > SCHEMA_NAME)
        note_violation(b, path, "has a member that is not known, of a name over 128 bytes");
    else
        note_violation(b, &here, "is not known");
}

static void note_missing(struct binding *b, const struct level *level)
{
    size_t index = 0;
    const struct schema_field *missing;
    while ((missing = svc__binding_missing(level->table, &level->seen, &index))) {
        const struct violation_path here = {&level->path, missing->name.data, 0};
        note_violation(b, &here, svc__binding_required);
    }
}

static struct level *bind_next_member(struct binding *b, struct level *level)
{
    void *at = level->member;
    if (!at) {
        note_missing(b, level);
        return level->up;
    }
    level->member = json_object_iter_next(level->json, at);
    const char *name = json_object_iter_key(at);
    const struct schema_field *field =
        svc__schema_find(level->table, svc__bytes_z(name), &level->hint);
    if (!field) {
        note_unknown(b, name, &level->path);
        return level;
    }
    const struct violation_path here = {&level->path, name, 0};
    svc__binding_see(&level->seen, svc__schema_index(level->table, field));
    return bind_member(b, level, field, json_object_iter_value(at), &here);
}

void svc__bind_json(struct binding *b, json_t *document)
{
    const struct violation_path root = {NULL, NULL, 0};
    struct level above = {.up = NULL};
    struct level *level = enter_object(b, &above, b->schema->root, document, b->image, &root);
    while (level != &above && !b->violations.no_memory)
        level = level->field ? bind_element(b, level) : bind_next_member(b, level);
}

bool svc__bind_json_body(struct binding *b, svc_request *req, svc_response *res)
{
    json_t *document = svc_request_json(req, res);
    if (document)
        svc__bind_json(b, document);
    return document != NULL;
}
