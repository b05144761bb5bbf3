/* The span of a request: its name, its attributes and whether it has failed. */
#include "libsvc/mw/server_span.h"

#include <stdio.h>

#include "libsvc/exchange/request_span.h"
#include "libsvc/proto/host.h"
#include "libsvc/proto/method.h"

enum { ERROR_TYPE_SIZE = 12 };

/* The reason of the request's failure, for error.type; NULL if it has not failed. A client that
 * leaves, or sends a request that is refused, is no failure of the service. */
static const char *find_error_type(const svc_response *res, const svc_done *done,
                                   char text[static ERROR_TYPE_SIZE])
{
    if (res->status >= 500) {
        snprintf(text, ERROR_TYPE_SIZE, "%d", res->status);
        return text;
    }
    if (done->outcome == SVC_TIMED_OUT)
        return "timeout";
    return done->outcome == SVC_CUT ? "cut" : NULL;
}

/* The path of the pattern, which stands behind its method and its host; empty where no route
 * matched. */
static struct bytes route_path(const svc_request *req)
{
    const char *path = strchr(svc_request_route(req), '/');
    return svc__bytes_z(path ? path : "");
}

/* "GET /orders/{id}": few names, however many requests; a method that nobody knows is "HTTP". */
static const char *make_name(struct span_record *record, const char *method, struct bytes route)
{
    size_t len = strlen(method);
    char *name = svc__span_record_alloc(record, len + 1 + route.len + 1);
    if (!name)
        return method;
    memcpy(name, method, len);
    name[len] = route.len ? ' ' : '\0';
    memcpy(name + len + 1, route.data, route.len);
    name[len + 1 + route.len] = '\0';
    return name;
}

static void add_text(struct span_record *record, const char *key, struct bytes text)
{
    if (text.len)
        svc__span_record_add(record, svc_kv_bytes(key, text.data, text.len));
}

/* Of a text that is static, or the plan's. */
static void borrow_text(struct span_record *record, const char *key, struct bytes text)
{
    if (text.len)
        svc__span_record_borrow(record, svc_kv_bytes(key, text.data, text.len));
}

/* The address that the client has asked, and its port if it is no default. */
static void add_server(struct span_record *record, const svc_request *req, struct bytes host)
{
    struct bytes authority = req->target.authority.len ? req->target.authority : host;
    if (!authority.len || !svc__host_valid(authority))
        return;
    struct bytes name = svc__host_name(authority);
    size_t port = 0;
    for (size_t i = name.len + 1; i < authority.len; i++)
        port = port * 10 + (size_t)(authority.data[i] - '0');
    if (name.len > 1 && name.data[0] == '[')
        name = svc__bytes(name.data + 1, name.len - 2);
    add_text(record, "server.address", name);
    if (port)
        svc__span_record_add(record, svc_kv_uint("server.port", port));
}

static void describe_request(struct span_record *record, const struct exchange *x)
{
    const svc_request *req = &x->request;
    const struct bytes route = route_path(req), peer = svc__bytes_z(svc_request_peer(req));
    const char *method = svc__method_name(svc__method_find(req->method));
    record->span.name = make_name(record, method ? method : "HTTP", route);
    borrow_text(record, "http.request.method", svc__bytes_z(method ? method : "_OTHER"));
    if (!method)
        add_text(record, "http.request.method_original", req->method);
    borrow_text(record, "http.route", route);
    borrow_text(record, "url.scheme", svc__bytes_z(req->scheme));
    add_text(record, "url.path", req->target.path);
    if (req->plan->config->log_query)
        add_text(record, "url.query", req->target.query);
    add_server(record, req, x->framing.host);
    add_text(record, "client.address", peer);
    add_text(record, "network.peer.address", peer);
    borrow_text(record, "network.protocol.version",
                svc__bytes_z(x->framing.chunks ? "1.1" : "1.0"));
    add_text(record, "user_agent.original", svc__fields_value(&req->fields, FIELD_USER_AGENT));
}

/* A failure that the program has set stays. */
static void describe_end(struct span_record *record, const struct exchange *x, const char *error)
{
    if (x->response.status)
        svc__span_record_add(record, svc_kv_int("http.response.status_code", x->response.status));
    if (!error)
        return;
    record->span.failed = true;
    add_text(record, "error.type", svc__bytes_z(error));
    if (x->cause && !*record->span.message)
        record->span.message = svc__span_record_text(record, svc__bytes_z(x->cause));
}

void svc__server_span_end(svc_request *req, const svc_response *res, const svc_done *done,
                          const struct trace *from)
{
    struct exchange *x = svc__exchange_of(req);
    char text[ERROR_TYPE_SIZE];
    const char *error = find_error_type(res, done, text);
    if (!req->trace.spans && !svc__request_span_begin(x)) /* an exchange that stands in */
        return;
    if (!svc__request_span_is_wanted(x, error != NULL))
        return;
    struct span_record *record = svc__request_span_own(x);
    if (!record)
        return;
    if (from)
        svc__span_record_link(record, from);
    describe_request(record, x);
    describe_end(record, x, error);
    svc__request_span_finish(x, done->duration_ns);
}
