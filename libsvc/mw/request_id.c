/* Request ids, so that the lines of one request can be found across services. */
#include "libsvc/base/hex.h"
#include "libsvc/base/rand.h"
#include "libsvc/core/exchange.h"
#include "libsvc/core/response_internal.h"
#include "libsvc/mw/stack.h"

enum { MADE_BYTES = 16, MAX_INBOUND = 128 };

static const char header_name[] = "X-Request-Id";

/* What is safe in a log, a header and a shell. Anything else is replaced, not repaired. */
static bool well_formed(struct bytes id)
{
    if (id.len == 0 || id.len > MAX_INBOUND)
        return false;
    for (size_t i = 0; i < id.len; i++) {
        char c = id.data[i];
        bool letter = svc__bytes_lower(c) >= 'a' && svc__bytes_lower(c) <= 'z';
        bool digit = c >= '0' && c <= '9';
        if (!letter && !digit && c != '-' && c != '_' && c != '.')
            return false;
    }
    return true;
}

static const char *make_id(struct arena *arena)
{
    unsigned char bytes[MADE_BYTES];
    svc__rand_bytes(bytes, sizeof bytes);
    char *id = svc__arena_alloc(arena, 2 * MADE_BYTES + 1);
    if (!id)
        return "";
    svc__hex_write(id, bytes, sizeof bytes);
    id[2 * MADE_BYTES] = '\0';
    return id;
}

static int on_request(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)res, (void)layer;
    const char *inbound = svc_request_header(req, header_name);
    bool accepted = inbound && well_formed(svc__bytes_z(inbound));
    req->id = accepted ? inbound : make_id(&svc__exchange_of(req)->arena);
    return SVC_PASS;
}

static int on_response(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)layer;
    struct bytes id = svc__bytes_z(req->id);
    if (id.len)
        svc__response_put(res, svc__bytes(header_name, sizeof header_name - 1), id);
    return 0;
}

const svc_middleware *svc__request_id_make(svc_app *app)
{
    static const svc_middleware middleware = {
        .size = sizeof middleware,
        .name = "request_id",
        .on_request = on_request,
        .on_response = on_response,
    };
    (void)app;
    return &middleware;
}
