/* The validation of stored replies by the handler. */
#include "libsvc/shared_cache/cache_validation.h"

#include "libsvc/exchange/response_internal.h"
#include "libsvc/proto/precondition.h"

static const struct field *stored_field(const struct stored_reply *stored, const char *name)
{
    return svc__fields_find(stored->parts.fields, stored->parts.field_count, svc__bytes_z(name));
}

static bool is_condition(struct bytes name)
{
    switch (svc__field_name_find(name)) {
    case FIELD_IF_MATCH:
    case FIELD_IF_NONE_MATCH:
    case FIELD_IF_MODIFIED_SINCE:
    case FIELD_IF_UNMODIFIED_SINCE:
    case FIELD_IF_RANGE:
    case FIELD_RANGE:
        return true;
    default:
        return false;
    }
}

/* Appends the conditions of a stored reply, if there is one. False: out of memory. */
static bool append_conditions(struct arena *arena, const struct stored_reply *stored,
                              struct field *list, size_t *count)
{
    static const struct {
        const char *field;
        enum field_name condition;
    } rows[] = {{"ETag", FIELD_IF_NONE_MATCH}, {"Last-Modified", FIELD_IF_MODIFIED_SINCE}};
    for (size_t i = 0; stored && i < sizeof rows / sizeof *rows; i++) {
        const struct field *field = stored_field(stored, rows[i].field);
        struct bytes value = field ? svc__arena_copy(arena, field->value) : svc__bytes(NULL, 0);
        if (field && !value.data)
            return false;
        if (field)
            list[(*count)++] = (struct field){svc__field_name_text(rows[i].condition), value};
    }
    return true;
}

/* Not on a worker: the home may read the fields meanwhile, for a stand-in. */
void svc__cache_validation_begin(struct cache_visit *visit)
{
    svc_request *req = visit->req;
    struct exchange *x = svc__exchange_of(req);
    size_t count = 0;
    if (x->host->worker || req->known_method != METHOD_GET ||
        (!visit->stored && !svc__precondition_any(&req->fields)))
        return;
    struct field *list = svc__arena_alloc(&x->arena, (req->fields.count + 2) * sizeof *list);
    for (size_t i = 0; list && i < req->fields.count; i++)
        if (!is_condition(req->fields.list[i].name))
            list[count++] = req->fields.list[i];
    if (!list || !append_conditions(&x->arena, visit->stored, list, &count))
        return;
    visit->own_fields = req->fields;
    visit->validates = true;
    svc__fields_read(&req->fields, list, count);
}

/* ---- The way back */

void svc__cache_validation_end(struct cache_visit *visit, svc_request *req)
{
    if (!visit->validates)
        return;
    visit->validates = false;
    req->fields = visit->own_fields;
    req->conditions_asked = false; /* the handler was asked other ones */
}

/* Fields that a 304 does not change in a stored reply: they are of its body, or of the connection.
 */
static bool is_of_body(struct bytes name)
{
    static const char *const names[] = {"Content-Encoding", "Content-Length", "Content-MD5",
                                        "Content-Range", "ETag"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (svc__bytes_eq_nocase(name, svc__bytes_z(names[i])))
            return true;
    return false;
}

int svc__cache_validation_freshen(const struct cache_visit *visit, svc_response *res)
{
    struct stored_reply *stored = visit->stored;
    const struct stored_parts *parts = &stored->parts;
    struct arena *arena = &res->exchange->arena;
    for (size_t i = 0; i < parts->field_count; i++) {
        const struct field *field = &parts->fields[i];
        if (svc__bytes_eq_nocase(field->name, svc__bytes("Date", 4)) ||
            (svc__response_find(res, field->name) && !is_of_body(field->name)))
            continue;
        struct bytes name = svc__arena_copy(arena, field->name),
                     value = svc__arena_copy(arena, field->value);
        int error = name.data && value.data ? svc__response_put(res, name, value) : SVC_ENOMEM;
        if (error)
            return error;
    }
    res->length = SVC_LENGTH_UNKNOWN;
    return svc_response_copy(res, parts->status, NULL, parts->body.data, parts->body.len);
}
