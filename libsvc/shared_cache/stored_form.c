/* A stored reply as bytes: a version, numbers of fixed size in the order of the least byte first,
 * and texts with their lengths before them. */
#include "libsvc/shared_cache/stored_form.h"

#include <svc/errors.h>

#include "libsvc/proto/token.h"

enum {
    FORM_VERSION = 1,
    FLAG_VALIDATES = 1,
    FLAG_STRICT = 2,
    FLAG_LICENSED = 4,
    FLAG_SELECTS = 8,
    FLAGS = 15,
    KEY_MAX = 1 << 20
};

/* ---- Writing */

static void put_integer(struct buf *out, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        svc__buf_putc(out, (char)(unsigned char)(number >> (8 * i)));
}

static void put_sized(struct buf *out, struct bytes text)
{
    put_integer(out, text.len, 4);
    if (text.len > 0)
        svc__buf_bytes(out, text);
}

void svc__stored_form_write(struct buf *out, const struct stored_parts *parts, int64_t born_ms,
                            bool selects)
{
    const struct cache_terms *terms = &parts->terms;
    int flags = (terms->validates ? FLAG_VALIDATES : 0) | (terms->strict ? FLAG_STRICT : 0) |
                (terms->licensed ? FLAG_LICENSED : 0) | (selects ? FLAG_SELECTS : 0);
    put_integer(out, FORM_VERSION, 1);
    put_integer(out, (uint64_t)flags, 1);
    put_integer(out, (uint64_t)parts->status, 2);
    put_integer(out, (uint64_t)born_ms, 8);
    put_integer(out, (uint64_t)terms->lifetime, 8);
    put_integer(out, (uint64_t)terms->while_revalidate, 8);
    put_integer(out, (uint64_t)terms->if_error, 8);
    put_integer(out, parts->generation, 8);
    put_sized(out, parts->key);
    put_sized(out, parts->names);
    if (selects)
        return;
    put_sized(out, parts->selection);
    put_integer(out, parts->tag_count, 2);
    for (size_t i = 0; i < parts->tag_count; i++)
        put_integer(out, parts->tags[i], 8);
    put_integer(out, parts->field_count, 2);
    for (size_t i = 0; i < parts->field_count; i++) {
        put_sized(out, parts->fields[i].name);
        put_sized(out, parts->fields[i].value);
    }
    put_sized(out, parts->body);
}

/* ---- Reading */

/* The bytes that are left; once something was missing it is empty, and all numbers are 0. */
struct reading {
    struct bytes rest;
    bool failed;
};

static struct bytes take_part(struct reading *from, size_t len)
{
    if (from->failed || len > from->rest.len) {
        from->failed = true;
        return svc__bytes("", 0);
    }
    struct bytes taken = svc__bytes(from->rest.data, len);
    from->rest = svc__bytes(from->rest.data + len, from->rest.len - len);
    return taken;
}

static uint64_t take_number(struct reading *from, size_t bytes)
{
    uint64_t number = 0;
    struct bytes taken = take_part(from, bytes);
    for (size_t i = 0; i < taken.len; i++)
        number |= (uint64_t)(unsigned char)taken.data[i] << (8 * i);
    return number;
}

static struct bytes take_sized(struct reading *from)
{
    return take_part(from, (size_t)take_number(from, 4));
}

/* Seconds of a directive. */
static int64_t read_seconds(struct reading *from)
{
    uint64_t seconds = take_number(from, 8);
    from->failed = from->failed || seconds > (uint64_t)CACHE_CONTROL_MAX_SECONDS;
    return from->failed ? 0 : (int64_t)seconds;
}

static void read_terms(struct reading *from, struct stored_form *form)
{
    struct cache_terms *terms = &form->parts.terms;
    unsigned flags = (unsigned)take_number(from, 1);
    form->parts.status = (int)take_number(from, 2);
    form->born_ms = (int64_t)take_number(from, 8);
    terms->lifetime = read_seconds(from);
    terms->while_revalidate = read_seconds(from);
    terms->if_error = read_seconds(from);
    terms->validates = flags & FLAG_VALIDATES;
    terms->strict = flags & FLAG_STRICT;
    terms->licensed = flags & FLAG_LICENSED;
    form->selects = flags & FLAG_SELECTS;
    form->parts.generation = take_number(from, 8);
    from->failed =
        from->failed || flags > FLAGS || form->parts.status < 200 || form->parts.status > 599;
}

/* As a handler's fields are checked, since they go into a reply's head. */
static bool is_field(const struct field *field)
{
    struct bytes trimmed = svc__bytes_trim(field->value);
    return svc__token_valid(field->name) && field->value.len > 0 &&
           trimmed.len == field->value.len && svc__token_value_valid(field->value);
}

static void read_tags(struct reading *from, struct stored_form *form)
{
    size_t count = (size_t)take_number(from, 2);
    from->failed = from->failed || count > STORED_TAGS;
    for (size_t i = 0; i < count && !from->failed; i++)
        form->tags[i] = take_number(from, 8);
    form->parts.tags = form->tags;
    form->parts.tag_count = count;
}

static void read_fields(struct reading *from, struct stored_form *form)
{
    size_t count = (size_t)take_number(from, 2);
    from->failed = from->failed || count > STORED_FIELDS;
    for (size_t i = 0; i < count && !from->failed; i++) {
        struct field *field = &form->fields[i];
        field->name = take_sized(from);
        field->value = take_sized(from);
        from->failed = from->failed || !is_field(field);
    }
    form->parts.fields = form->fields;
    form->parts.field_count = count;
}

int svc__stored_form_read(struct bytes data, struct stored_form *out)
{
    struct reading from = {.rest = data};
    out->parts = (struct stored_parts){.status = 0};
    if (take_number(&from, 1) != FORM_VERSION)
        return SVC_ESYNTAX;
    read_terms(&from, out);
    out->parts.key = take_sized(&from);
    out->parts.names = take_sized(&from);
    if (!out->selects) {
        out->parts.selection = take_sized(&from);
        read_tags(&from, out);
        read_fields(&from, out);
        out->parts.body = take_sized(&from);
    }
    bool names = out->parts.names.len > 0;
    bool good = out->selects ? names : names == (out->parts.selection.len > 0);
    return from.failed || from.rest.len > 0 || !good || out->parts.key.len > KEY_MAX ? SVC_ESYNTAX
                                                                                     : 0;
}
