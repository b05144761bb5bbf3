/* Binds a JSON document: walks what jansson has parsed beside the schema's tables. */
#include "libsvc/core/bind_json.h"

#include <string.h>

#include <svc/json.h>

/* A detail of NULL is all well. */
static void tell(struct binding *b, const struct violation_path *path, const char *detail)
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

static void bind_object(struct binding *b, const struct schema_table *table, json_t *json,
                        char *image, const struct violation_path *path);

/* A value that is not null, to the place of a member or of an element. */
static void bind_value(struct binding *b, const struct schema_field *field, json_t *json, char *at,
                       const struct violation_path *path)
{
    if (field->rule.type == SVC_TYPE_OBJECT)
        bind_object(b, field->table, json, at, path);
    else
        tell(b, path, bind_scalar(field, at, json));
}

static void bind_elements(struct binding *b, const struct schema_field *field, json_t *json,
                          char *at, const struct violation_path *path)
{
    size_t count = json_array_size(json);
    for (size_t i = 0; i < count && !b->violations.no_memory; i++) {
        json_t *element = json_array_get(json, i);
        const struct violation_path here = {path, NULL, i};
        if (json_is_null(element))
            tell(b, &here, svc__bind_null);
        else
            bind_value(b, field, element, at + i * field->width, &here);
    }
}

static void bind_array(struct binding *b, const struct schema_field *field, json_t *json,
                       char *image, const struct violation_path *path)
{
    size_t count = json_array_size(json);
    if (!json_is_array(json)) {
        tell(b, path, svc__bind_array_expected);
    } else if (svc__bind_count_wrong(field, count)) {
        tell(b, path, field->wrong_count);
    } else {
        char *elements = svc__bind_array(b, field, image, count);
        if (elements)
            bind_elements(b, field, json, elements, path);
    }
}

static void bind_member(struct binding *b, const struct schema_field *field, json_t *json,
                        char *image, const struct violation_path *path)
{
    if (json_is_null(json)) {
        tell(b, path, field->rule.nullable ? NULL : svc__bind_null);
        svc__bind_presence(field, image, SVC_NULL);
        return;
    }
    svc__bind_presence(field, image, SVC_PRESENT);
    if (field->rule.count_at)
        bind_array(b, field, json, image, path);
    else
        bind_value(b, field, json, image + field->rule.offset, path);
}

/* Names come from the client: one that no schema can have is not repeated. */
static void tell_unknown(struct binding *b, const char *name, const struct violation_path *path)
{
    const struct violation_path here = {path, name, 0};
    if (b->lenient)
        return;
    if (strnlen(name, SCHEMA_NAME + 1) > SCHEMA_NAME)
        tell(b, path, "has a member that is not known, of a name over 128 bytes");
    else
        tell(b, &here, "is not known");
}

static void bind_object(struct binding *b, const struct schema_table *table, json_t *json,
                        char *image, const struct violation_path *path)
{
    struct seen seen = {{0}};
    size_t hint = 0, index = 0;
    if (!json_is_object(json)) {
        tell(b, path, "must be an object");
        return;
    }
    for (void *at = json_object_iter(json); at && !b->violations.no_memory;
         at = json_object_iter_next(json, at)) {
        const char *name = json_object_iter_key(at);
        const struct schema_field *field = svc__schema_find(table, svc__bytes_z(name), &hint);
        if (!field) {
            tell_unknown(b, name, path);
            continue;
        }
        const struct violation_path here = {path, name, 0};
        svc__bind_see(&seen, svc__schema_index(table, field));
        bind_member(b, field, json_object_iter_value(at), image, &here);
    }
    const struct schema_field *missing;
    while ((missing = svc__bind_missing(table, &seen, &index))) {
        const struct violation_path here = {path, missing->name.data, 0};
        tell(b, &here, svc__bind_required);
    }
}

void svc__bind_json(struct binding *b, json_t *document)
{
    const struct violation_path root = {NULL, NULL, 0};
    bind_object(b, b->schema->root, document, b->image, &root);
}

bool svc__bind_json_body(struct binding *b, svc_request *req, svc_response *res)
{
    json_t *document = svc_request_json(req, res);
    if (document)
        svc__bind_json(b, document);
    return document != NULL;
}
