/* Cache-Control for the replies of an app, a group or a route, from one policy. */
#include "libsvc/app/app_internal.h"
#include "libsvc/base/arena.h"
#include "libsvc/cache/caching.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/exchange/vary.h"

/* A prepared policy: its field values are texts that all replies share. */
struct cache_control_layer {
    svc_middleware middleware;
    struct bytes text;  /* of Cache-Control; empty: the field is not sent */
    struct bytes vary;  /* "none": the field is not sent */
    int64_t expires_in; /* seconds; -1: Expires is not sent */
    bool errors, personal;
};

static bool has(const svc_response *res, struct bytes name)
{
    return svc__response_find(res, name) != NULL;
}

/* Whether a reply may be meant for one client alone. */
static bool personal(const svc_request *req, const svc_response *res)
{
    return svc__fields_has(&req->fields, FIELD_AUTHORIZATION) ||
           has(res, svc__bytes_z("Set-Cookie"));
}

/* Caches hardly ever reuse replies to other methods, and never as the resource that the policy is
 * for. */
static bool reusable(const svc_request *req)
{
    return svc__bytes_eq(req->method, svc__bytes_z("GET")) ||
           svc__bytes_eq(req->method, svc__bytes_z("HEAD"));
}

static int put_policy(svc_response *res, const struct cache_control_layer *layer)
{
    if (layer->text.len == 0)
        return 0;
    int error = svc__response_put(res, svc__bytes_z("Cache-Control"), layer->text);
    if (!error && layer->expires_in >= 0)
        error = svc__caching_put_expires(res, layer->expires_in);
    return error;
}

static int set_cache_control(svc_request *req, svc_response *res, const svc_layer *given)
{
    const struct cache_control_layer *layer = given->arg;
    if (res->status >= 400 && !layer->errors && !res->cached_errors)
        return svc__caching_forbid(res);
    if (!reusable(req))
        return 0;
    int error = 0;
    if (!has(res, svc__bytes_z("Cache-Control")) && !has(res, svc__bytes_z("Expires")))
        error = personal(req, res) && !layer->personal ? svc__caching_forbid(res)
                                                       : put_policy(res, layer);
    /* The library's errors are JSON or text, by the client's Accept. */
    if (!error && res->status >= 400)
        error = svc__vary_merge(res, svc__bytes_z("Accept"));
    return !error && layer->vary.data ? svc__vary_merge(res, layer->vary) : error;
}

static int read_policy(struct cache_control_layer *layer, struct arena *memory,
                       const svc_cache_policy *policy)
{
    struct cache_control value;
    svc_cache_policy own;
    char text[CACHE_CONTROL_SIZE];
    int error = svc__caching_read(policy, &own, &value);
    if (error)
        return error;
    struct bytes vary = svc__bytes_z(own.vary);
    if (vary.data && !svc__vary_valid(vary))
        return SVC_EINVAL;
    size_t len = svc__cache_control_format(text, &value);
    layer->text = svc__arena_copy(memory, svc__bytes(text, len));
    if (vary.data)
        layer->vary = svc__arena_copy(memory, vary);
    layer->expires_in = own.expires ? svc__cache_control_expires_in(&value) : -1;
    layer->errors = own.errors;
    layer->personal = own.personal;
    return !layer->text.data || (vary.data && !layer->vary.data) ? SVC_ENOMEM : 0;
}

const svc_middleware *svc_cache_control_new(svc_app *app, const svc_cache_policy *policy)
{
    if (svc__app_open(app, "svc_cache_control_new"))
        return NULL;
    struct cache_control_layer *layer = svc__arena_zalloc(&app->memory, sizeof *layer);
    int error = layer ? read_policy(layer, &app->memory, policy) : SVC_ENOMEM;
    if (error) {
        svc__faults_add(&app->faults, NULL, 0, "svc_cache_control_new: %s", svc_error_text(error));
        return NULL;
    }
    layer->middleware = (svc_middleware){.size = sizeof layer->middleware,
                                         .name = "cache_control",
                                         .arg = layer,
                                         .on_response = set_cache_control};
    return &layer->middleware;
}
