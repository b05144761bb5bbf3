/* A reply may stay as it is for its own reasons, for the request's, or for want of a coding. */
#include "libsvc/coding/compress_choice.h"

#include "libsvc/coding/compressible.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/proto/accept_encoding.h"
#include "libsvc/proto/cache_control.h"

/* ---- The reply */

static struct bytes value_of(const svc_response *res, const char *name)
{
    const struct field *field = svc__response_find(res, svc__bytes_z(name));
    return field ? field->value : svc__bytes(NULL, 0);
}

/* Fields of a body that has its form already: a coding, a part, or digests of its bytes. */
static bool is_final(const svc_response *res)
{
    static const char *const names[] = {"Content-Encoding", "Content-Range", "Content-Digest",
                                        "Repr-Digest",      "Digest",        "Content-MD5"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (value_of(res, names[i]).data)
            return true;
    return false;
}

static bool forbids(const struct field *fields, size_t count)
{
    struct cache_control control = svc__cache_control_none();
    const struct field *field = NULL;
    while ((field = svc__fields_next(fields, count, field, svc__bytes_z("Cache-Control"))))
        svc__cache_control_parse(field->value, &control);
    return control.flags & CACHE_CONTROL_NO_TRANSFORM;
}

static bool has_body(const svc_response *res)
{
    if (res->status == 204 || res->status == 205 || res->status == 206)
        return false;
    /* A handler may have left out the body of an answer to HEAD, and stated its length. */
    return svc__exchange_reply_length(res->exchange) > 0;
}

static bool shrinks(const struct compress_layer *layer, const svc_response *res)
{
    uint64_t length = svc__exchange_reply_length(res->exchange);
    struct bytes type = value_of(res, "Content-Type");
    if (length != SVC_LENGTH_UNKNOWN && length < layer->options.min_bytes)
        return false;
    return type.data &&
           (svc__compressible_known(type) || svc__compressible_listed(type, layer->types));
}

/* ---- The request */

static bool wants_part(const svc_request *req)
{
    return req->known_method == METHOD_GET && svc__fields_has(&req->fields, FIELD_RANGE);
}

/* The coding that the client likes best, the first of several; NULL: none that it likes as much as
 * the body as it is. */
static struct coder *find_coder(struct compress_layer *layer, const struct fields *fields,
                                bool *forced)
{
    struct coder *best = NULL;
    if (!svc__fields_has(fields, FIELD_ACCEPT_ENCODING))
        return NULL;
    unsigned highest = svc__accept_encoding_weight(fields, svc__bytes_z("identity"));
    *forced = highest == 0;
    for (size_t i = 0; i < layer->coder_count; i++) {
        struct coder *coder = &layer->coders[i];
        unsigned weight = svc__accept_encoding_weight(fields, svc__bytes_z(coder->coding->name));
        if (weight > highest || (weight == highest && weight > 0 && !best)) {
            highest = weight;
            best = coder;
        }
    }
    *forced &= best != NULL;
    return best;
}

struct compress_choice svc__compress_choice_make(struct compress_layer *layer,
                                                 const svc_request *req, const svc_response *res)
{
    struct compress_choice choice = {.coder = NULL};
    bool forced = false;
    if (!has_body(res) || is_final(res) || forbids(res->fields, res->field_count))
        return choice;
    struct coder *coder = find_coder(layer, &req->fields, &forced);
    bool worth = shrinks(layer, res);
    choice.varies = worth || forced;
    if (!choice.varies || forbids(req->fields.list, req->fields.count) ||
        (wants_part(req) && !forced))
        return choice;
    choice.coder = coder;
    choice.forced = forced;
    return choice;
}
