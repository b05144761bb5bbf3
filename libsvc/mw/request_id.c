/* Request ids, so that the lines of one request can be found across services. */
#include "libsvc/base/hex.h"
#include "libsvc/base/rand.h"
#include "libsvc/exchange/request_internal.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/mw/stack.h"

enum { ID_BYTES = 16, MAX_INBOUND = 128 };

/* An id may have the characters that are safe in a log, a header and a shell. Any other id is
 * replaced, not repaired. */
static bool well_formed(struct bytes id)
{
    if (id.len == 0 || id.len > MAX_INBOUND)
        return false;
    for (size_t i = 0; i < id.len; i++) {
        char c = id.data[i];
        if (!svc__bytes_is_letter(c) && !svc__bytes_is_digit(c) && c != '-' && c != '_' && c != '.')
            return false;
    }
    return true;
}

/* Where a trace begins, its id is the request's too; in one that is continued, a service may have
 * several requests, whose ids must differ. */
static const char *make_id(svc_request *req)
{
    unsigned char bytes[ID_BYTES];
    if (req->trace.origin == TRACE_BEGUN)
        return svc__request_trace_text(req);
    svc__rand_bytes(bytes, sizeof bytes);
    char *id = svc__arena_alloc(&svc__exchange_of(req)->arena, 2 * ID_BYTES + 1);
    if (!id)
        return "";
    svc__hex_write(id, bytes, sizeof bytes);
    id[2 * ID_BYTES] = '\0';
    return id;
}

static int take_id(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)res, (void)layer;
    struct bytes inbound = svc__fields_value(&req->fields, FIELD_X_REQUEST_ID);
    if (!well_formed(inbound)) {
        req->id = make_id(req);
        return SVC_PASS;
    }
    /* A copy, because threads may log with the id when the head is gone. */
    const char *id = svc__arena_strndup(&svc__exchange_of(req)->arena, inbound.data, inbound.len);
    req->id = id ? id : "";
    return SVC_PASS;
}

static int echo_id(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)layer;
    struct bytes id = svc__bytes_z(req->id);
    if (id.len)
        svc__response_put(res, svc__field_name_text(FIELD_X_REQUEST_ID), id);
    return 0;
}

const svc_middleware *svc__request_id_make(svc_app *app)
{
    static const svc_middleware middleware = {
        .size = sizeof middleware,
        .name = "request_id",
        .on_request = take_id,
        .on_response = echo_id,
    };
    (void)app;
    return &middleware;
}
