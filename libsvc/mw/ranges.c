/* Ranges: a request's Range field is answered by parts of the reply that a handler has given. */
#include "libsvc/cache/condition.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/mw/stack.h"
#include "libsvc/reply/response_parts.h"

/* Bytes of a body in memory from which on it is announced that there are parts of it: nobody
 * resumes the download of a smaller one. */
enum { ANNOUNCED = 16384 };

static const struct field *find_field(const svc_response *res, const char *name)
{
    return svc__response_find(res, svc__bytes_z(name));
}

/* Whether the reply says how its bytes are known again: without that, nobody can ask for the rest
 * of a reply later on. */
static bool has_validator(const svc_response *res)
{
    for (size_t i = 0; i < res->field_count; i++) {
        struct bytes name = res->fields[i].name;
        if ((name.len == 4 && svc__bytes_eq_nocase(name, svc__bytes("ETag", 4))) ||
            (name.len == 13 && svc__bytes_eq_nocase(name, svc__bytes("Last-Modified", 13))))
            return true;
    }
    return false;
}

/*
 * Whether the reply's bytes are the same in the next reply. Those of a coding may differ each time
 * that it is applied; only a strong tag says that they do not, as that of a file that is kept in
 * its coded form.
 */
static bool bytes_are_stable(const svc_response *res)
{
    if (!find_field(res, "Content-Encoding"))
        return true;
    const struct field *tag = find_field(res, "ETag");
    return tag && tag->value.data[0] == '"';
}

/* Whether the handler has set Accept-Ranges, which is "none" where it wants no ranges. */
static bool is_declined(const svc_response *res)
{
    const struct field *accepts = find_field(res, "Accept-Ranges");
    return accepts && !svc__bytes_eq_nocase(accepts->value, svc__bytes("bytes", 5));
}

static int put_accept_ranges(svc_response *res)
{
    return svc__response_put(res, svc__bytes("Accept-Ranges", 13), svc__bytes("bytes", 5));
}

static int put_content_range(svc_response *res, const struct range *range, uint64_t length)
{
    char *text = svc__arena_alloc(&res->exchange->arena, RANGE_CONTENT_SIZE);
    if (!text)
        return SVC_ENOMEM;
    size_t len = svc__range_content(text, range, length);
    return svc__response_put(res, svc__bytes("Content-Range", 13), svc__bytes(text, len));
}

static int refuse_range(svc_response *res, const char *detail, uint64_t length)
{
    int error = svc__condition_error(res, 416, detail);
    return error ? error : put_content_range(res, NULL, length);
}

static int answer_parts(svc_response *res, const struct range_set *set, uint64_t length)
{
    int error;
    if (set->count > 1) {
        error = svc__response_parts_split(res, set);
    } else {
        error = put_content_range(res, &set->list[0], length);
        if (!error)
            error = svc__response_parts_cut(res, &set->list[0]);
    }
    if (!error)
        res->status = 206;
    return error;
}

static int answer_range(const svc_request *req, svc_response *res)
{
    struct range_set set;
    uint64_t length = svc__exchange_reply_length(res->exchange);
    enum range_verdict verdict =
        svc__fields_repeats(&req->fields, FIELD_RANGE)
            ? RANGE_MALFORMED
            : svc__range_parse(svc__fields_value(&req->fields, FIELD_RANGE), length, &set);
    switch (verdict) {
    case RANGE_NONE:
        break;
    case RANGE_PARTS:
        return answer_parts(res, &set, length);
    case RANGE_UNSATISFIABLE:
        return refuse_range(res, "the representation has no such range", length);
    case RANGE_MALFORMED:
        return refuse_range(res, "the Range field is not a list of ranges", length);
    }
    return 0;
}

/* RFC 9110 13.2.2: conditions come before ranges, or a part of another version would pass for one
 * of the version that the client has. */
static int apply_range(svc_request *req, svc_response *res)
{
    if (!bytes_are_stable(res) || is_declined(res))
        return 0;
    int error = svc__condition_settle(req, res);
    if (error || res->status != 200)
        return error;
    error = put_accept_ranges(res);
    return error || !svc__condition_wants_part(req, res) ? error : answer_range(req, res);
}

/* Replies in memory are announced only where a client could ask for the rest later on. */
static int announce_ranges(svc_response *res)
{
    if (res->body.kind == REPLY_MEMORY && !has_validator(res))
        return 0;
    if (!svc__response_parts_possible(res) || find_field(res, "Accept-Ranges") ||
        !bytes_are_stable(res))
        return 0;
    return put_accept_ranges(res);
}

/* Most replies are small, in memory, and wanted as a whole: these must pay for little. */
static int settle_ranges(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)layer;
    bool asked = svc__fields_has(&req->fields, FIELD_RANGE);
    enum reply_kind kind = res->body.kind;
    if (!asked && (kind == REPLY_EMPTY || (kind == REPLY_MEMORY && res->body.len < ANNOUNCED)))
        return 0;
    if (res->status != 200 || (req->known_method != METHOD_GET && req->known_method != METHOD_HEAD))
        return 0;
    if (!asked || req->known_method == METHOD_HEAD)
        return announce_ranges(res);
    return svc__response_parts_possible(res) ? apply_range(req, res) : 0;
}

const svc_middleware *svc__ranges_make(svc_app *app)
{
    static const svc_middleware middleware = {
        .size = sizeof middleware,
        .name = "ranges",
        .on_response = settle_ranges,
    };
    (void)app;
    return &middleware;
}
