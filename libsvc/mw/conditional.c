/* Conditional requests: tags for bodies in memory, 304 and 412 for reads, 428 for bare writes. */
#include "libsvc/app/app_internal.h"
#include "libsvc/base/arena.h"
#include "libsvc/base/siphash.h"
#include "libsvc/base/sized.h"
#include "libsvc/cache/condition.h"
#include "libsvc/exchange/response_internal.h"

enum { TAG = ETAG_HASH_TEXT + 2 };

struct conditional_layer {
    svc_middleware middleware;
    svc_conditional options;
};

static bool reads(const svc_request *req)
{
    return req->known_method == METHOD_GET || req->known_method == METHOD_HEAD;
}

static bool writes(const svc_request *req)
{
    enum method method = req->known_method;
    return !reads(req) && method != METHOD_OPTIONS && method != METHOD_TRACE &&
           method != METHOD_CONNECT;
}

static int require_condition(svc_request *req, svc_response *res, const svc_layer *given)
{
    const struct conditional_layer *layer = given->arg;
    if (!layer->options.require || !writes(req))
        return SVC_PASS;
    req->condition_required = true;
    if (svc__condition_guarded(req))
        return SVC_PASS;
    int error = svc__condition_demand(req, res);
    return error ? error : SVC_ANSWERED;
}

/* ---- Tags */

static void hash_field(struct siphash *hash, const svc_response *res, struct bytes name)
{
    const struct field *field = svc__response_find(res, name);
    if (field)
        svc__siphash_update(hash, field->value.data, field->value.len);
    svc__siphash_update(hash, "\n", 1); /* never in a value */
}

static void write_tag(char out[static TAG + 1], const unsigned char hash[static SIPHASH_SIZE])
{
    out[0] = out[TAG - 1] = '"';
    out[TAG] = '\0';
    svc__etag_write_hash(out + 1, hash);
}

/* Sets a tag over the form of a representation as well as its bytes, since both may differ. */
static int set_tag(svc_response *res)
{
    char *tag = svc__arena_alloc(&res->exchange->arena, TAG + 1);
    if (!tag)
        return SVC_ENOMEM;
    struct siphash hash;
    unsigned char bytes[SIPHASH_SIZE];
    svc__siphash_init(&hash, svc__siphash_known_key);
    hash_field(&hash, res, svc__bytes_z("Content-Type"));
    hash_field(&hash, res, svc__bytes_z("Content-Encoding"));
    svc__siphash_update(&hash, res->body.data, res->body.len);
    svc__siphash_final(&hash, bytes);
    write_tag(tag, bytes);
    return svc__condition_put_etag(res, svc__bytes(tag, TAG));
}

static bool wants_tag(const struct conditional_layer *layer, const svc_response *res)
{
    return res->status == 200 && res->body.kind == REPLY_MEMORY &&
           res->body.len <= layer->options.max_tagged_bytes && layer->options.max_tagged_bytes &&
           !svc__response_find(res, svc__bytes_z("ETag"));
}

static int apply_conditions(svc_request *req, svc_response *res, const svc_layer *given)
{
    const struct conditional_layer *layer = given->arg;
    if (!reads(req) || res->status / 100 != 2)
        return 0;
    int error = wants_tag(layer, res) ? set_tag(res) : 0;
    return error ? error : svc__condition_settle(req, res);
}

const svc_middleware *svc_conditional_new(svc_app *app, const svc_conditional *options)
{
    struct conditional_layer *layer = NULL;
    if (svc__app_open(app, "svc_conditional_new"))
        return NULL;
    svc_conditional own = SVC_CONDITIONAL_INIT;
    int error = options ? SIZED_READ(&own, options, max_tagged_bytes) : 0;
    if (!error) {
        layer = svc__arena_zalloc(&app->memory, sizeof *layer);
        error = layer ? 0 : SVC_ENOMEM;
    }
    if (error) {
        svc__faults_add(&app->faults, NULL, 0, "svc_conditional_new: %s", svc_error_text(error));
        return NULL;
    }
    layer->options = own;
    layer->middleware = (svc_middleware){.size = sizeof layer->middleware,
                                         .name = "conditional",
                                         .arg = layer,
                                         .on_request = require_condition,
                                         .on_response = apply_conditions};
    return &layer->middleware;
}
