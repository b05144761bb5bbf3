/* Walks over trees of jansson's with a stack of their own, or, to free one, none at all. */
#include "libsvc/json/json_tree.h"

#include <jansson.h>
#include <stdlib.h>

#include <svc/errors.h>

#include "libsvc/base/double.h"
#include "libsvc/base/num.h"

enum { FIRST_LEVELS = 32 /* most trees are not deeper, and need no memory for their walk */ };

/* An array or object that is written so far. */
struct level {
    const json_t *json;
    void *member; /* of an object, the next one */
    size_t index; /* how many are written */
};

struct walk {
    struct buf *out;
    struct level *levels; /* `first`, or JSON_TREE_DEPTH of them */
    size_t depth;
    struct level first[FIRST_LEVELS];
};

/* ---- Writing */

/* Nothing is changed, but jansson's iterators have no const. */
static json_t *drop_const(const json_t *json)
{
    return (json_t *)(uintptr_t)json;
}

/* Room for one level more. 0, or why there is none. */
static int make_level(struct walk *walk, const json_t *json)
{
    if (walk->depth == JSON_TREE_DEPTH) {
        for (size_t i = 0; i < walk->depth; i++)
            if (walk->levels[i].json == json)
                return SVC_EINVAL;
        return SVC_ETOOBIG;
    }
    if (walk->depth == FIRST_LEVELS) {
        struct level *levels = malloc(JSON_TREE_DEPTH * sizeof *levels);
        if (!levels)
            return SVC_ENOMEM;
        memcpy(levels, walk->first, sizeof walk->first);
        walk->levels = levels;
    }
    return 0;
}

static int open_level(struct walk *walk, const json_t *json)
{
    int error = make_level(walk, json);
    if (error)
        return error;
    bool object = json_is_object(json);
    void *member = object ? json_object_iter(drop_const(json)) : NULL;
    walk->levels[walk->depth++] = (struct level){json, member, 0};
    svc__buf_putc(walk->out, object ? '{' : '[');
    return 0;
}

static void write_number(struct buf *out, const json_t *json)
{
    _Static_assert((int)DOUBLE_LEN >= (int)NUM_I64_LEN, "there is room for either");
    char *to = svc__buf_reserve(out, DOUBLE_LEN);
    if (!to)
        return;
    out->len += json_is_integer(json) ? svc__num_format_i64(to, json_integer_value(json))
                                      : svc__double_format(to, json_real_value(json));
}

static int write_value(struct walk *walk, const json_t *json)
{
    if (!json)
        return SVC_EINVAL;
    switch (json_typeof(json)) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        return open_level(walk, json);
    case JSON_STRING:
        svc__buf_json_text(walk->out,
                           svc__bytes(json_string_value(json), json_string_length(json)));
        break;
    case JSON_INTEGER:
    case JSON_REAL:
        write_number(walk->out, json);
        break;
    case JSON_TRUE:
        svc__buf_puts(walk->out, "true");
        break;
    case JSON_FALSE:
        svc__buf_puts(walk->out, "false");
        break;
    case JSON_NULL:
        svc__buf_puts(walk->out, "null");
        break;
    }
    return svc__buf_error(walk->out);
}

static int write_member(struct walk *walk, struct level *level)
{
    const char *name = json_object_iter_key(level->member);
#if JANSSON_VERSION_HEX >= 0x020e00 /* before, no name can hold NUL */
    svc__buf_json_text(walk->out, svc__bytes(name, json_object_iter_key_len(level->member)));
#else
    svc__buf_json_text(walk->out, svc__bytes_z(name));
#endif
    svc__buf_putc(walk->out, ':');
    const json_t *value = json_object_iter_value(level->member);
    level->member = json_object_iter_next(drop_const(level->json), level->member);
    return write_value(walk, value);
}

/* The next step on the innermost level: a value, or its end. */
static int write_next(struct walk *walk)
{
    struct level *level = &walk->levels[walk->depth - 1];
    bool object = json_is_object(level->json);
    if (object ? !level->member : level->index == json_array_size(level->json)) {
        svc__buf_putc(walk->out, object ? '}' : ']');
        walk->depth--;
        return 0;
    }
    if (level->index++ > 0)
        svc__buf_putc(walk->out, ',');
    return object ? write_member(walk, level)
                  : write_value(walk, json_array_get(level->json, level->index - 1));
}

int svc__json_tree_write(struct buf *out, const json_t *json)
{
    struct walk walk;
    walk.out = out;
    walk.levels = walk.first;
    walk.depth = 0;
    int error = write_value(&walk, json);
    while (!error && walk.depth > 0)
        error = write_next(&walk);
    if (walk.levels != walk.first)
        free(walk.levels);
    return error ? error : svc__buf_error(out);
}

json_t *svc__json_tree_text(const char *text)
{
    struct buf valid;
    struct bytes given = svc__bytes_z(text);
    svc__buf_init(&valid, SIZE_MAX);
    svc__buf_utf8(&valid, given);
    svc__buf_terminate(&valid);
    json_t *json = svc__buf_error(&valid) ? NULL : json_stringn_nocheck(valid.data, valid.len);
    svc__buf_free(&valid);
    return json;
}

/* ---- Freeing */

static bool is_container(const json_t *json)
{
    return json_is_array(json) || json_is_object(json);
}

/* Whether dropping this reference would make json_decref recurse: it is the last one, of a
 * container with another in it. */
static bool is_deep(json_t *json)
{
    if (!is_container(json) || __atomic_load_n(&json->refcount, __ATOMIC_ACQUIRE) != 1)
        return false;
    for (size_t i = 0; i < json_array_size(json); i++)
        if (is_container(json_array_get(json, i)))
            return true;
    for (void *at = json_object_iter(json); at; at = json_object_iter_next(json, at))
        if (is_container(json_object_iter_value(at)))
            return true;
    return false;
}

static void delete_first(json_t *object)
{
    void *first = json_object_iter(object);
#if JANSSON_VERSION_HEX >= 0x020e00
    json_object_deln(object, json_object_iter_key(first), json_object_iter_key_len(first));
#else
    json_object_del(object, json_object_iter_key(first));
#endif
}

/*
 * Drops flat values, from an array's end or an object's beginning, up to a container that is deep,
 * which is taken out. In its place stands `above`, whose reference is taken: so the way back needs
 * no memory. NULL when nothing deep is left.
 */
static json_t *descend(json_t *json, json_t *above)
{
    for (size_t n; (n = json_array_size(json)) > 0; json_array_remove(json, n - 1)) {
        json_t *last = json_array_get(json, n - 1);
        if (!is_deep(last))
            continue;
        json_incref(last);
        json_array_set_new(json, n - 1, above);
        return last;
    }
    for (void *at; (at = json_object_iter(json)); delete_first(json)) {
        json_t *first = json_object_iter_value(at);
        if (!is_deep(first))
            continue;
        json_incref(first);
        json_object_iter_set_new(json, at, above);
        return first;
    }
    return NULL;
}

/* Takes out the pointer that descend has left in a container. */
static json_t *take_above(json_t *json)
{
    json_t *above;
    if (json_is_array(json)) {
        size_t last = json_array_size(json) - 1;
        above = json_incref(json_array_get(json, last));
        json_array_remove(json, last);
    } else {
        above = json_incref(json_object_iter_value(json_object_iter(json)));
        delete_first(json);
    }
    return above;
}

void svc__json_tree_free(json_t *json)
{
    if (!is_deep(json)) {
        json_decref(json);
        return;
    }
    json_t *above = json_null();
    for (;;) {
        json_t *child = descend(json, above);
        if (child) {
            above = json;
            json = child;
            continue;
        }
        json_decref(json);
        if (json_is_null(above))
            return;
        json = above;
        above = take_above(json);
    }
}
