/* Chooses the function that answers an exchange: a route's handler, or one of the library's own. */
#include "libsvc/dispatch/routing.h"

#include <string.h>

#include <svc/app.h>

#include "libsvc/base/least.h"
#include "libsvc/base/utf8.h"
#include "libsvc/dispatch/negotiation.h"
#include "libsvc/exchange/refusal.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/proto/host.h"
#include "libsvc/proto/uri.h"

static int answer_refusal(svc_request *req, svc_response *res)
{
    struct exchange *x = svc__exchange_of(req);
    x->refused = true;
    return svc_response_problem(res, x->own.status, x->own.detail);
}

void svc__routing_refuse(struct exchange *x, int status, const char *detail)
{
    x->own.status = status;
    x->own.detail = detail;
    x->answer = answer_refusal;
}

/* `OPTIONS *` asks about the server as a whole, which has nothing to report (RFC 9110 9.3.7). */
static int answer_server_options(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_empty(res, 200);
}

/* 308 keeps the method and the body, where 301 makes GET of POST. */
static int answer_redirect(svc_request *req, svc_response *res)
{
    return svc_response_redirect(res, 308, svc__exchange_of(req)->own.location);
}

static int answer_options(svc_request *req, svc_response *res)
{
    int error = svc_response_empty(res, 204);
    return error ? error : svc_response_set_header(res, "Allow", svc__exchange_of(req)->own.allow);
}

static int answer_not_allowed(svc_request *req, svc_response *res)
{
    int error = svc_response_problem(res, 405, "the resource has other methods");
    return error ? error : svc_response_set_header(res, "Allow", svc__exchange_of(req)->own.allow);
}

static void redirect(struct exchange *x, struct bytes path, const char *suffix)
{
    const struct target *target = &x->request.target;
    struct buf *location = svc__response_scratch(&x->response);
    svc__buf_bytes(location, path);
    svc__buf_puts(location, suffix);
    if (target->has_query) {
        svc__buf_putc(location, '?');
        svc__buf_bytes(location, target->query);
    }
    const char *copy = svc__buf_error(location)
                           ? NULL
                           : svc__arena_strndup(&x->arena, location->data, location->len);
    svc__response_scratch_done(&x->response);
    if (!copy) {
        svc__routing_refuse(x, REFUSAL_NO_MEMORY);
        return;
    }
    x->own.location = copy;
    x->answer = answer_redirect;
}

/* Writes a sorted list of methods with OPTIONS in its place, which the library answers where no
 * route does. */
static void write_allow(struct buf *out, struct bytes methods)
{
    static const char options[] = "OPTIONS";
    const size_t len = sizeof options - 1;
    bool there = false;
    while (methods.data) {
        struct bytes method = svc__bytes_trim(svc__bytes_cut(&methods, ','));
        int order = memcmp(method.data, options, svc__least(method.len, len));
        if (order == 0)
            order = (method.len > len) - (method.len < len);
        if (!there && order > 0)
            svc__buf_puts(out, "OPTIONS, ");
        there = there || order >= 0;
        svc__buf_bytes(out, method);
        svc__buf_puts(out, methods.data ? ", " : "");
    }
    if (!there)
        svc__buf_puts(out, ", OPTIONS");
}

/* Decodes a parameter that has escapes; refuses bytes that a handler could not write as JSON. */
static const char *decode_param(struct exchange *x, struct bytes raw, bool any_bytes)
{
    size_t len = raw.len;
    char *value = svc__arena_strndup(&x->arena, raw.data, raw.len);
    if (!value) {
        svc__routing_refuse(x, REFUSAL_NO_MEMORY);
        return NULL;
    }
    if (x->request.target.escaped) {
        len = svc__uri_decode(value, raw, false);
        value[len] = '\0';
    }
    if (!any_bytes && !svc__utf8_valid(svc__bytes(value, len))) {
        svc__routing_refuse(x, 400, "a path segment is not valid UTF-8");
        return NULL;
    }
    return value;
}

static bool take_params(struct exchange *x, bool any_bytes)
{
    svc_request *req = &x->request;
    for (size_t i = 0; i < req->match.count; i++) {
        req->params[i] = decode_param(x, req->match.params[i].raw, any_bytes);
        if (!req->params[i])
            return false;
    }
    return true;
}

static void take_route(struct exchange *x, const struct route *route)
{
    svc_request *req = &x->request;
    bool any_bytes = route->flags & SVC_ANY_BYTES;
    req->route = route;
    req->owner = route->owner;
    req->deadline_ns = req->started_ns + route->timeout_ms * UINT64_C(1000000);
    x->chain = &route->chain;
    x->body.store.limit = route->max_body;
    if (!take_params(x, any_bytes))
        return;
    if (!svc__query_valid(req->target.query, !any_bytes))
        svc__routing_refuse(x, 400, "a query value is not valid UTF-8, or holds NUL");
    else if (x->framing.kind == BODY_LENGTH && x->framing.length > route->max_body)
        svc__routing_refuse(x, REFUSAL_BODY_OVER);
    else
        x->answer = route->offers ? svc__negotiation_refusal(req, route) : NULL;
    if (!x->answer)
        x->answer = route->handler;
}

/* No route has the path: the app's fallback answers, or the library if the app has none. */
static void not_found(struct exchange *x)
{
    const struct route *fallback = &x->request.owner->fallback;
    x->request.match.count = 0;
    if (fallback->handler)
        take_route(x, fallback);
    else
        svc__routing_refuse(x, 404, NULL);
    if (!fallback->handler && x->request.plan->not_found)
        x->answer = x->request.plan->not_found;
}

/* No route matches method and path: other methods may (405, or an answer to OPTIONS), else 404. */
static void no_route(struct exchange *x, struct bytes host, struct bytes path)
{
    const struct plan *plan = x->request.plan;
    struct buf *scratch = svc__response_scratch(&x->response);
    if (svc__tree_allow(plan->tree, host, path, scratch) == 0) {
        not_found(x);
        return;
    }
    bool options = svc__bytes_eq_z(x->request.method, "OPTIONS");
    struct buf allow;
    svc__buf_init(&allow, scratch->len + sizeof ", OPTIONS");
    write_allow(&allow, svc__buf_view(scratch));
    const char *copy = svc__buf_error(scratch) || svc__buf_error(&allow)
                           ? NULL
                           : svc__arena_strndup(&x->arena, allow.data, allow.len);
    svc__buf_free(&allow);
    if (!copy) {
        svc__routing_refuse(x, REFUSAL_NO_MEMORY);
        return;
    }
    x->own.allow = copy;
    x->answer = options ? answer_options : answer_not_allowed;
}

/* The path to match: the target's own, or its clean form when they differ. False: out of memory. */
static bool clean_path(struct exchange *x, bool connect, struct bytes *path)
{
    *path = x->request.target.path;
    if (!x->request.target.unclean || connect)
        return true;
    char *clean = svc__arena_alloc(&x->arena, path->len + 1);
    if (!clean)
        return false;
    *path = (struct bytes){clean, svc__uri_clean(clean, *path)};
    return true;
}

bool svc__routing_method_known(struct exchange *x)
{
    const struct bytes method = x->request.method;
    if (x->request.known_method != METHOD_OTHER)
        return true;
    if (svc__tree_knows_method(x->request.plan->tree, method) || svc__method_registered(method))
        return true;
    svc__routing_refuse(x, 501,
                        "the method is none of HTTP's, and no resource of this service has it");
    return false;
}

void svc__routing_resolve(struct exchange *x)
{
    svc_request *req = &x->request;
    const struct tree *tree = req->plan->tree;
    if (req->target.form == TARGET_ASTERISK) {
        x->answer = answer_server_options;
        return;
    }
    /* Routes of CONNECT are for paths: only a proxy could answer for another host. Of the server
     * behind an authority a client can ask `OPTIONS *` and nothing else. */
    if (req->target.form == TARGET_AUTHORITY) {
        x->own.allow = "OPTIONS";
        x->answer = answer_not_allowed;
        return;
    }
    struct bytes path;
    if (!clean_path(x, svc__bytes_eq_z(req->method, "CONNECT"), &path)) {
        svc__routing_refuse(x, REFUSAL_NO_MEMORY);
        return;
    }
    bool absolute = req->target.form == TARGET_ABSOLUTE;
    struct bytes host = svc__host_name(absolute ? req->target.authority : x->framing.host);
    enum match_verdict verdict = svc__tree_match(tree, req->method, host, path, &req->match);
    if (verdict == MATCH_FOUND && svc__bytes_eq(path, req->target.path)) {
        take_route(x, &req->plan->routes[req->match.pattern]);
        return;
    }
    req->owner = svc__plan_owner(req->plan, path);
    x->chain = &req->owner->fallback.chain;
    if (verdict == MATCH_REDIRECT_SLASH)
        redirect(x, path, "/");
    else if (!svc__bytes_eq(path, req->target.path))
        redirect(x, path, "");
    else
        no_route(x, host, path);
}
