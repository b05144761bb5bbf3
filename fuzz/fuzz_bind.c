/*
 * Binding: a document by the first byte's lowest bit, else a query. A struct that was bound is
 * written as JSON again by jansson and must be what was sent; where nothing was bound there are as
 * many violations as a plain reading of the rules finds, each at a place that is there.
 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include "fuzz/fuzz.h"
#include "libsvc/app/app_internal.h"
#include "libsvc/bind/bind_json.h"
#include "libsvc/bind/bind_text.h"
#include "libsvc/proto/uri.h"

enum { MAX_CHILDREN = 3, MAX_TAGS = 2 };

struct point {
    double x;
};

struct item {
    const char *text;
    struct item *children;
    size_t child_count;
    svc_presence children_is;
};

struct document {
    const char *text;
    int64_t whole;
    uint64_t natural;
    double real;
    bool flag;
    int state;
    const char **tags;
    size_t tag_count;
    struct point point;
    struct item item;
    json_t *raw;
    svc_presence text_is, whole_is, natural_is, real_is, flag_is, state_is, tags_is, point_is,
        item_is, raw_is;
};

#define IS(member) SVC_FIELD_PRESENCE(struct document, member##_is)

static const svc_choice states[] = {{"open", 1}, {"done", 2}, {NULL, 0}};

static const svc_field point_fields[] = {SVC_FIELD_DOUBLE(struct point, x, .required = true),
                                         SVC_FIELD_END};

static const svc_field item_fields[] = {
    SVC_FIELD_TEXT(struct item, text, .required = true, .max_length = 4, .pattern = "^[a-z]*$"),
    SVC_FIELD_OBJECTS(struct item, children, child_count, item_fields, .max_count = MAX_CHILDREN,
                      SVC_FIELD_PRESENCE(struct item, children_is)),
    SVC_FIELD_END,
};

#define FLAT_FIELDS                                                                                \
    SVC_FIELD_TEXT(struct document, text, IS(text), .min_length = 1, .max_length = 5),             \
        SVC_FIELD_INT64(struct document, whole, IS(whole), .nullable = true),                      \
        SVC_FIELD_UINT64(struct document, natural, IS(natural), .min = 1, .max = 9),               \
        SVC_FIELD_DOUBLE(struct document, real, IS(real), .min_double = -1, .max_double = 1),      \
        SVC_FIELD_BOOL(struct document, flag, IS(flag)),                                           \
        SVC_FIELD_ENUM(struct document, state, states, IS(state)),                                 \
        SVC_FIELD_TEXTS(struct document, tags, tag_count, IS(tags), .max_count = MAX_TAGS)

static const svc_field flat_fields[] = {FLAT_FIELDS, SVC_FIELD_END};

static const svc_field all_fields[] = {
    FLAT_FIELDS,
    SVC_FIELD_OBJECT(struct document, point, point_fields, IS(point)),
    SVC_FIELD_OBJECT(struct document, item, item_fields, IS(item)),
    SVC_FIELD_JSON(struct document, raw, IS(raw)),
    SVC_FIELD_END,
};

static svc_app *app; /* kept for all inputs */
static const svc_schema *flat_schema, *whole_schema;

static void make_schemas(void)
{
    app = svc_app_new("fuzz");
    REQUIRE(app != NULL);
    flat_schema = svc_schema_new(app, flat_fields, sizeof(struct document), SVC_SCHEMA_FORM);
    whole_schema = svc_schema_new(app, all_fields, sizeof(struct document), 0);
    REQUIRE(flat_schema && whole_schema);
}

/* ---- The rules, read plainly: how many violations a document has */

static size_t length(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static bool text_within(const json_t *json, size_t min, size_t max)
{
    const char *text = json_string_value(json);
    return text && length(text) >= min && length(text) <= max;
}

static bool is_whole(const json_t *json)
{
    double n = json_number_value(json);
    return json_is_integer(json) ||
           (json_is_real(json) && fabs(n) <= 9007199254740992 && n == (double)(int64_t)n);
}

static size_t count_item(json_t *json)
{
    const char *name;
    json_t *value;
    if (!json_is_object(json))
        return 1;
    size_t count = !json_object_get(json, "text");
    json_object_foreach(json, name, value)
    {
        if (!strcmp(name, "text")) {
            const char *text = json_string_value(value);
            count += !text_within(value, 0, 4) ||
                     text[strspn(text, "abcdefghijklmnopqrstuvwxyz")] != '\0';
        } else if (strcmp(name, "children") != 0 || !json_is_array(value) ||
                   json_array_size(value) > MAX_CHILDREN) {
            count++;
        } else {
            for (size_t i = 0; i < json_array_size(value); i++)
                count += count_item(json_array_get(value, i));
        }
    }
    return count;
}

static size_t count_point(json_t *json)
{
    const json_t *x = json_object_get(json, "x");
    if (!json_is_object(json))
        return 1;
    return json_object_size(json) - (x != NULL) + !json_is_number(x);
}

static size_t count_tags(const json_t *json)
{
    size_t count = 0;
    if (!json_is_array(json) || json_array_size(json) > MAX_TAGS)
        return 1;
    for (size_t i = 0; i < json_array_size(json); i++)
        count += !json_is_string(json_array_get(json, i));
    return count;
}

static size_t count_member(const char *name, json_t *value)
{
    double n = json_number_value(value);
    const char *text = json_string_value(value);
    if (!strcmp(name, "text"))
        return !text_within(value, 1, 5);
    if (!strcmp(name, "whole"))
        return !json_is_null(value) && !is_whole(value);
    if (!strcmp(name, "natural"))
        return !is_whole(value) || n < 1 || n > 9;
    if (!strcmp(name, "real"))
        return !json_is_number(value) || n < -1 || n > 1;
    if (!strcmp(name, "flag"))
        return !json_is_boolean(value);
    if (!strcmp(name, "state"))
        return !text || (strcmp(text, "open") != 0 && strcmp(text, "done") != 0);
    if (!strcmp(name, "tags"))
        return count_tags(value);
    if (!strcmp(name, "point"))
        return count_point(value);
    if (!strcmp(name, "item"))
        return count_item(value);
    return strcmp(name, "raw") != 0 || json_is_null(value);
}

static size_t count_violations(json_t *json)
{
    const char *name;
    json_t *value;
    size_t count = 0;
    if (!json_is_object(json))
        return 1;
    json_object_foreach(json, name, value) count += count_member(name, value);
    return count;
}

/* ---- The struct as JSON again */

static json_t *item_json(const struct item *item)
{
    json_t *json = json_pack("{s:s}", "text", item->text);
    if (item->children_is != SVC_PRESENT)
        return json;
    json_t *children = json_array();
    for (size_t i = 0; i < item->child_count; i++)
        json_array_append_new(children, item_json(&item->children[i]));
    json_object_set_new(json, "children", children);
    return json;
}

static json_t *tags_json(const struct document *document)
{
    json_t *json = json_array();
    for (size_t i = 0; i < document->tag_count; i++)
        json_array_append_new(json, json_string(document->tags[i]));
    return json;
}

static void set(json_t *json, const char *name, svc_presence presence, json_t *value)
{
    if (presence == SVC_PRESENT)
        json_object_set_new(json, name, value);
    else
        json_decref(value);
    if (presence == SVC_NULL)
        json_object_set_new(json, name, json_null());
}

static json_t *document_json(const struct document *d)
{
    json_t *json = json_object();
    set(json, "text", d->text_is, json_string(d->text ? d->text : ""));
    set(json, "whole", d->whole_is, json_integer(d->whole));
    set(json, "natural", d->natural_is, json_integer((json_int_t)d->natural));
    set(json, "real", d->real_is, json_real(d->real));
    set(json, "flag", d->flag_is, json_boolean(d->flag));
    set(json, "state", d->state_is, json_string(d->state == 1 ? "open" : "done"));
    set(json, "tags", d->tags_is, tags_json(d));
    set(json, "point", d->point_is, json_pack("{s:f}", "x", d->point.x));
    set(json, "item", d->item_is, d->item_is ? item_json(&d->item) : json_null());
    set(json, "raw", d->raw_is, json_incref(d->raw));
    return json;
}

/* As json_equal, but that 1 equals 1.0. */
static bool equal(json_t *a, json_t *b)
{
    const char *name;
    json_t *value;
    if (json_is_number(a) && json_is_number(b) && json_typeof(a) != json_typeof(b))
        return json_number_value(a) == json_number_value(b);
    if (!json_is_object(a) || !json_is_object(b) || json_object_size(a) != json_object_size(b))
        return json_equal(a, b);
    json_object_foreach(a, name, value)
    {
        json_t *other = json_object_get(b, name);
        if (!other || !equal(value, other))
            return false;
    }
    return true;
}

/* ---- Places */

/* The next name of a pointer, decoded. */
static void take_name(struct bytes *pointer, char *name)
{
    size_t len = 0;
    while (pointer->len > 0 && *pointer->data != '/') {
        char c = (char)svc__uri_take(pointer);
        if (c == '~') {
            char which = (char)svc__uri_take(pointer);
            REQUIRE(which == '0' || which == '1');
            c = which == '0' ? '~' : '/';
        }
        name[len++] = c;
    }
    name[len] = '\0';
}

static json_t *step(json_t *json, const char *name)
{
    if (json_is_array(json))
        return json_array_get(json, strtoul(name, NULL, 10));
    return json_object_get(json, name);
}

static void check_place(json_t *document, const svc_violation *violation)
{
    struct bytes pointer = svc__bytes_z(violation->pointer);
    json_t *parent = NULL, *at = document;
    char *name = fuzz_alloc(pointer.len + 1);
    REQUIRE(svc__uri_take(&pointer) == '#');
    while (pointer.len > 0) {
        REQUIRE(svc__uri_take(&pointer) == '/');
        REQUIRE(at != NULL);
        take_name(&pointer, name);
        parent = at;
        at = step(at, name);
    }
    bool missing = violation->detail == svc__binding_required;
    REQUIRE(missing ? at == NULL && json_is_object(parent) : at != NULL);
    free(name);
}

/* ---- One input */

static void check_json(struct arena *arena, json_t *json)
{
    struct document document;
    struct binding b;
    REQUIRE(svc__binding_begin(&b, whole_schema, arena) == 0);
    svc__bind_json(&b, json);
    bool bound = svc__binding_end(&b, &document);
    REQUIRE(!b.violations.no_memory);
    REQUIRE(b.violations.count + b.violations.more == count_violations(json));
    REQUIRE(bound == (b.violations.count == 0));
    REQUIRE(b.violations.count <= VIOLATIONS_MAX && b.violations.bytes <= VIOLATIONS_BYTES);
    for (size_t i = 0; i < b.violations.count; i++)
        check_place(json, &b.violations.list[i]);
    if (!bound)
        return;
    json_t *again = document_json(&document);
    REQUIRE(equal(again, json));
    json_decref(again);
}

/* What a query fills can be sent as JSON as well, and comes to the same. */
static void check_text(struct arena *arena, struct bytes raw)
{
    struct document document;
    struct binding b;
    struct param *params;
    size_t count;
    if (!svc__uri_escapes_valid(raw) || !svc__query_valid(raw, true))
        return;
    REQUIRE(svc__query_parse(arena, raw, raw.len, &params, &count) == 0);
    REQUIRE(svc__binding_begin(&b, flat_schema, arena) == 0);
    svc__bind_text(&b, params, count);
    bool bound = svc__binding_end(&b, &document);
    REQUIRE(bound == (b.violations.count == 0));
    if (!bound)
        return;
    json_t *json = document_json(&document);
    check_json(arena, json);
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    if (!app)
        make_schemas();
    if (size == 0)
        return 0;
    svc__arena_init(&arena, NULL, SIZE_MAX);
    struct bytes input = fuzz_input(data + 1, size - 1);
    if (*data & 1) {
        size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
        json_t *json = json_loadb(input.data, input.len, flags, NULL);
        if (json)
            check_json(&arena, json);
        json_decref(json);
    } else {
        check_text(&arena, input);
    }
    svc__arena_reset(&arena);
    return 0;
}
