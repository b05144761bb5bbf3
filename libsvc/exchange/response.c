/* The response: status, header fields, and a body that is memory or a source. */
#include <stdlib.h>
#include <string.h>

#include "libsvc/exchange/response_internal.h"
#include "libsvc/proto/reference.h"
#include "libsvc/proto/target.h"
#include "libsvc/proto/token.h"

enum {
    FIRST_FIELDS = 8,
    MAX_FIELDS = 128,
    MAX_FIELD_BYTES = 16384,
    /* Bodies up to this size are copied into the arena, larger ones to the heap. */
    ARENA_BODY = 16384,
    /* A scratch buffer larger than this is not kept. */
    SCRATCH_KEPT = 65536
};

int svc_response_status(const svc_response *res)
{
    return res ? res->status : 0;
}

int svc_response_set_status(svc_response *res, int status)
{
    if (!res)
        return SVC_ENOMEM;
    if (status < 200 || status > 599)
        return SVC_EINVAL;
    res->status = status;
    return 0;
}

static struct arena *arena_of(const svc_response *res)
{
    return &res->exchange->arena;
}

/* Fields that only the server may set: they frame the message or belong to the connection. */
static bool reserved(struct bytes name)
{
    static const char *const names[] = {"Content-Length", "Transfer-Encoding", "Connection",
                                        "Date",           "Upgrade",           "Keep-Alive"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (svc__bytes_eq_nocase(name, svc__bytes_z(names[i])))
            return true;
    return false;
}

/* RFC 9110 5.5: no control characters, no white space at the ends; the empty value is of no use. */
static bool value_valid(struct bytes value)
{
    struct bytes trimmed = svc__bytes_trim(value);
    return value.len > 0 && trimmed.len == value.len && svc__token_value_valid(value);
}

static int grow_fields(svc_response *res)
{
    size_t space = res->field_space ? res->field_space * 2 : FIRST_FIELDS;
    if (space > MAX_FIELDS)
        return SVC_ETOOBIG;
    struct field *fields = svc__arena_alloc(arena_of(res), space * sizeof *fields);
    if (!fields)
        return SVC_ENOMEM;
    if (res->field_count)
        memcpy(fields, res->fields, res->field_count * sizeof *fields);
    res->fields = fields;
    res->field_space = space;
    return 0;
}

static int append_field(svc_response *res, struct bytes name, struct bytes value)
{
    size_t bytes = name.len + value.len + 4; /* ": " and CRLF */
    if (bytes > MAX_FIELD_BYTES || res->field_bytes > MAX_FIELD_BYTES - bytes)
        return SVC_ETOOBIG;
    if (res->field_count == res->field_space) {
        int error = grow_fields(res);
        if (error)
            return error;
    }
    res->fields[res->field_count++] = (struct field){name, value};
    res->field_bytes += bytes;
    return 0;
}

static void remove_fields(svc_response *res, struct bytes name, size_t end)
{
    size_t kept = 0;
    if (!end)
        return;
    for (size_t i = 0; i < res->field_count; i++) {
        const struct field *field = &res->fields[i];
        if (i < end && field->name.len == name.len && svc__bytes_eq_nocase(field->name, name))
            res->field_bytes -= field->name.len + field->value.len + 4;
        else if (kept++ != i)
            res->fields[kept - 1] = *field;
    }
    res->field_count = kept;
}

/* Puts a field where those of its name are, as there is no room for it beside them. */
static int replace_fields(svc_response *res, struct bytes name, struct bytes value)
{
    size_t freed = 0;
    const struct field *field = NULL;
    while ((field = svc__fields_next(res->fields, res->field_count, field, name)))
        freed += field->name.len + field->value.len + 4;
    if (name.len + value.len + 4 > MAX_FIELD_BYTES - (res->field_bytes - freed))
        return SVC_ETOOBIG;
    remove_fields(res, name, res->field_count);
    return append_field(res, name, value);
}

int svc__response_put(svc_response *res, struct bytes name, struct bytes value)
{
    size_t before = res->field_count;
    int error = append_field(res, name, value);
    if (!error)
        remove_fields(res, name, before);
    return error == SVC_ETOOBIG ? replace_fields(res, name, value) : error;
}

int svc__response_merge_fields(svc_response *to, const svc_response *from)
{
    size_t before = to->field_count, bytes_before = to->field_bytes;
    int error = 0;
    for (size_t i = 0; i < from->field_count && !error; i++)
        error = append_field(to, from->fields[i].name, from->fields[i].value);
    if (error) {
        to->field_count = before;
        to->field_bytes = bytes_before;
        return error;
    }
    for (size_t i = 0; i < from->field_count; i++) {
        size_t count = to->field_count;
        remove_fields(to, from->fields[i].name, before);
        before -= count - to->field_count;
    }
    return 0;
}

static bool is_reference(struct bytes name)
{
    static const struct bytes location = {"Location", 8}, content = {"Content-Location", 16};
    return (name.len == location.len && svc__bytes_eq_nocase(name, location)) ||
           (name.len == content.len && svc__bytes_eq_nocase(name, content));
}

/* As a URI reference, which may need escapes. */
static int copy_reference(svc_response *res, struct bytes text, struct bytes *out)
{
    char *copy = svc__arena_alloc(arena_of(res), 3 * text.len + 1);
    if (!copy)
        return SVC_ENOMEM;
    size_t len = svc__reference_write(copy, text);
    copy[len] = '\0';
    *out = svc__bytes(copy, len);
    return len > 0 ? 0 : SVC_EINVAL;
}

/* Checks and copies a field; NUL-terminated, since transports may need C strings. */
static int copy_field(svc_response *res, const char *name, const char *value, struct field *out)
{
    if (!res)
        return SVC_ENOMEM;
    if (!name || !value)
        return SVC_EINVAL;
    struct bytes n = svc__bytes_z(name), v = svc__bytes_z(value);
    if (!svc__token_valid(n) || !value_valid(v) || reserved(n))
        return SVC_EINVAL;
    if (n.len > MAX_FIELD_BYTES || v.len > MAX_FIELD_BYTES)
        return SVC_ETOOBIG;
    if (is_reference(n)) {
        int error = copy_reference(res, v, &out->value);
        if (error)
            return error;
    } else {
        out->value = svc__arena_copy(arena_of(res), v);
    }
    out->name = svc__arena_copy(arena_of(res), n);
    return out->name.data && out->value.data ? 0 : SVC_ENOMEM;
}

int svc_response_set_header(svc_response *res, const char *name, const char *value)
{
    struct field field;
    int error = copy_field(res, name, value, &field);
    return error ? error : svc__response_put(res, field.name, field.value);
}

int svc_response_add_header(svc_response *res, const char *name, const char *value)
{
    struct field field;
    int error = copy_field(res, name, value, &field);
    return error ? error : append_field(res, field.name, field.value);
}

void svc_response_remove_header(svc_response *res, const char *name)
{
    if (res && name)
        remove_fields(res, svc__bytes_z(name), res->field_count);
}

const char *svc_response_header(const svc_response *res, const char *name)
{
    if (!res || !name)
        return NULL;
    const struct field *field = svc__response_find(res, svc__bytes_z(name));
    return field ? field->value.data : NULL;
}

size_t svc_response_header_count(const svc_response *res)
{
    return res ? res->field_count : 0;
}

int svc_response_header_at(const svc_response *res, size_t index, const char **name,
                           const char **value)
{
    if (index >= svc_response_header_count(res))
        return SVC_ENOTFOUND;
    *name = res->fields[index].name.data;
    *value = res->fields[index].value.data;
    return 0;
}

void svc__response_drop_body(svc_response *res)
{
    svc__response_body_drop(&res->body);
}

void svc__response_reset(svc_response *res)
{
    svc__response_drop_body(res);
    res->status = 0;
    res->field_count = 0;
    res->field_bytes = 0;
    res->length = SVC_LENGTH_UNKNOWN;
    res->on_trailers = NULL;
    res->holds_head = false;
    res->cached_errors = res->dated = false;
}

/* Checks and copies a caller's Content-Type; "none" for NULL. */
static inline int copy_type(svc_response *res, const char *type, struct bytes *out)
{
    struct bytes value = svc__bytes_z(type);
    if (!res)
        return SVC_ENOMEM;
    if (type && !value_valid(value))
        return SVC_EINVAL;
    if (type)
        value = svc__arena_copy(arena_of(res), value);
    if (type && !value.data)
        return SVC_ENOMEM;
    *out = value;
    return 0;
}

/* The type is static or in the arena; "none" leaves it as it is. */
static int put_type(svc_response *res, struct bytes type)
{
    return type.data ? svc__response_put(res, svc__bytes_z("Content-Type"), type) : 0;
}

int svc__response_put_type(svc_response *res, const char *type)
{
    struct bytes copied;
    int error = copy_type(res, type, &copied);
    return error ? error : put_type(res, copied);
}

static inline int set_memory(svc_response *res, int status, struct bytes type, const char *data,
                             size_t len, void (*release)(void *))
{
    if (status < 200 || status > 599 || (!data && len))
        return SVC_EINVAL;
    int error = put_type(res, type);
    if (error)
        return error;
    svc__response_drop_body(res);
    res->status = status;
    res->body =
        (struct response_body){.kind = REPLY_MEMORY, .data = data, .len = len, .release = release};
    return 0;
}

int svc_response_empty(svc_response *res, int status)
{
    int error = svc_response_set_status(res, status);
    if (!error)
        svc__response_drop_body(res);
    return error;
}

static int set_copy(svc_response *res, int status, struct bytes type, const void *data, size_t len)
{
    bool heap = len > ARENA_BODY;
    char *copy = heap ? malloc(len) : svc__arena_alloc(arena_of(res), len ? len : 1);
    if (!copy)
        return SVC_ENOMEM;
    if (len)
        memcpy(copy, data, len);
    int error = set_memory(res, status, type, copy, len, heap ? free : NULL);
    if (error && heap)
        free(copy);
    return error;
}

int svc_response_copy(svc_response *res, int status, const char *type, const void *data, size_t len)
{
    struct bytes copied;
    if (!data && len)
        return res ? SVC_EINVAL : SVC_ENOMEM;
    int error = copy_type(res, type, &copied);
    return error ? error : set_copy(res, status, copied, data, len);
}

int svc_response_text(svc_response *res, int status, const char *text)
{
    static const char type[] = "text/plain; charset=utf-8";
    if (!res)
        return SVC_ENOMEM;
    if (!text)
        return SVC_EINVAL;
    return set_copy(res, status, svc__bytes(type, sizeof type - 1), text, strlen(text));
}

int svc__response_constant(svc_response *res, int status, const char *type, struct bytes body)
{
    return set_memory(res, status, svc__bytes_z(type), body.data, body.len, NULL);
}

int svc_response_static(svc_response *res, int status, const char *type, const void *data,
                        size_t len)
{
    struct bytes copied;
    int error = copy_type(res, type, &copied);
    return error ? error : set_memory(res, status, copied, data, len, NULL);
}

int svc_response_take(svc_response *res, int status, const char *type, void *data, size_t len,
                      void (*release)(void *data))
{
    struct bytes copied;
    int error = copy_type(res, type, &copied);
    if (!error)
        error = set_memory(res, status, copied, data, len, release);
    if (error && release)
        release(data);
    return error;
}

int svc_response_redirect(svc_response *res, int status, const char *location)
{
    if (!res)
        return SVC_ENOMEM;
    bool redirects =
        status == 201 || (status >= 301 && status <= 303) || status == 307 || status == 308;
    if (!redirects)
        return SVC_EINVAL;
    int error = svc_response_set_header(res, "Location", location);
    return error ? error : svc_response_empty(res, status);
}

const char *svc_response_body(const svc_response *res, size_t *len)
{
    bool memory = res && res->body.kind == REPLY_MEMORY;
    if (len)
        *len = memory ? res->body.len : 0;
    return memory ? res->body.data : NULL;
}

int svc_response_set_length(svc_response *res, uint64_t length)
{
    if (!res)
        return SVC_ENOMEM;
    if (length == SVC_LENGTH_UNKNOWN)
        return SVC_EINVAL;
    res->length = length;
    return 0;
}

struct buf *svc__response_scratch(svc_response *res)
{
    struct buf *scratch = &res->exchange->host->scratch;
    svc__buf_clear(scratch);
    return scratch;
}

void svc__response_scratch_done(svc_response *res)
{
    struct buf *scratch = &res->exchange->host->scratch;
    if (scratch->cap > SCRATCH_KEPT)
        svc__buf_free(scratch);
}

void svc__response_scratch_take(svc_response *res, struct buf *out)
{
    struct buf *scratch = svc__response_scratch(res);
    *out = *scratch;
    svc__buf_init(scratch, out->ceiling);
}

void svc__response_scratch_give(svc_response *res, struct buf *taken)
{
    struct buf *scratch = &res->exchange->host->scratch;
    if (taken->cap > scratch->cap && taken->cap <= SCRATCH_KEPT) {
        struct buf smaller = *scratch;
        *scratch = *taken;
        *taken = smaller;
    }
    svc__buf_free(taken);
}

int svc__response_rendered(svc_response *res, int status, const char *type, struct buf *text)
{
    int error = svc__buf_error(text);
    if (error)
        return error;
    /* A copy is worth it where the thread keeps the buffer, or the buffer is mostly empty. */
    if (text->cap <= SCRATCH_KEPT || text->len < text->cap / 2)
        return set_copy(res, status, svc__bytes_z(type), text->data, text->len);
    error = set_memory(res, status, svc__bytes_z(type), text->data, text->len, free);
    if (!error)
        svc__buf_init(text, text->ceiling);
    return error;
}
