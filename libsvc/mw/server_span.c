/* The span of a request: its name, its attributes and whether it has failed. */
#include "libsvc/mw/server_span.h"

#include <stdio.h>

#include "libsvc/exchange/request_span.h"
#include "libsvc/proto/host.h"

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

/* "GET /orders/{id}": few names, however many requests; a method that nobody knows is "HTTP". Most
 * patterns are that name. */
static const char *make_name(struct span_record *record, const svc_request *req, const char *method,
                             struct bytes route)
{
    size_t len = strlen(method);
    const struct pattern *pattern = req->route ? &req->route->pattern : NULL;
    if (pattern && route.data == pattern->text + len + 1 &&
        svc__bytes_eq(pattern->method, svc__bytes(method, len)))
        return pattern->text;
    char *name = svc__span_record_alloc(record, len + 1 + route.len + 1);
    if (!name)
        return method;
    memcpy(name, method, len);
    name[len] = route.len ? ' ' : '\0';
    memcpy(name + len + 1, route.data, route.len);
    name[len + 1 + route.len] = '\0';
    return name;
}

/* Attributes, which a record takes at once. */
struct list {
    svc_kv items[8];
    size_t count;
};

/* Texts that are empty say nothing. */
static void list_text(struct list *list, const char *key, struct bytes text)
{
    if (text.len)
        list->items[list->count++] = svc_kv_bytes(key, text.data, text.len);
}

static void list_number(struct list *list, const char *key, uint64_t number)
{
    if (number)
        list->items[list->count++] = svc_kv_uint(key, number);
}

/* The address that the client has asked, and its port if it is no default. The Host field is
 * valid; a target that was refused need not be. */
static void list_server(struct list *texts, struct list *numbers, const struct exchange *x)
{
    struct bytes authority = x->request.target.authority;
    if (!authority.len)
        authority = x->framing.host;
    else if (!svc__host_valid(authority))
        return;
    struct bytes name = svc__host_name(authority);
    size_t port = 0;
    for (size_t i = name.len + 1; i < authority.len; i++)
        port = port * 10 + (size_t)(authority.data[i] - '0');
    if (name.len > 1 && name.data[0] == '[')
        name = svc__bytes(name.data + 1, name.len - 2);
    list_text(texts, "server.address", name);
    list_number(numbers, "server.port", port);
}

/* Those that are the same for many requests: texts that are static or the plan's, and numbers. */
static void describe_kind(struct list *list, const struct exchange *x, const char *method,
                          struct bytes route)
{
    list_text(list, "http.request.method", svc__bytes_z(method ? method : "_OTHER"));
    list_text(list, "http.route", route);
    list_text(list, "url.scheme", svc__bytes_z(x->request.scheme));
    list_text(list, "network.protocol.version", svc__bytes_z(x->framing.chunks ? "1.1" : "1.0"));
    list_number(list, "http.response.status_code", (uint64_t)x->response.status);
}

/* Those that live as long as the request. */
static void describe_request(struct list *list, const svc_request *req)
{
    const struct bytes peer = svc__bytes_z(svc_request_peer(req));
    if (req->known_method == METHOD_OTHER)
        list_text(list, "http.request.method_original", req->method);
    list_text(list, "client.address", peer);
    list_text(list, "network.peer.address", peer);
    list_text(list, "user_agent.original", svc__fields_value(&req->fields, FIELD_USER_AGENT));
    list_text(list, "url.path", req->target.path);
    if (req->plan->config->log_query)
        list_text(list, "url.query", req->target.query);
}

/* A failure that the program has set stays. */
static void describe_failure(struct span_record *record, const struct exchange *x,
                             const char *error)
{
    const svc_kv type = svc_kv_str("error.type", error);
    record->span.failed = true;
    svc__span_record_add(record, &type, 1);
    if (x->cause && !*record->span.message)
        record->span.message = svc__span_record_text(record, svc__bytes_z(x->cause));
}

static void describe_span(struct span_record *record, const struct exchange *x)
{
    struct list lasting, passing;
    const struct bytes route = route_path(&x->request);
    const char *method = svc__method_name(x->request.known_method);
    lasting.count = passing.count = 0;
    describe_kind(&lasting, x, method, route);
    list_server(&passing, &lasting, x);
    describe_request(&passing, &x->request);
    record->span.name = make_name(record, &x->request, method ? method : "HTTP", route);
    svc__span_record_borrow(record, lasting.items, lasting.count);
    svc__span_record_add(record, passing.items, passing.count);
}

void svc__server_span_end(svc_request *req, const svc_response *res, const svc_done *done,
                          const struct trace *from)
{
    struct exchange *x = svc__exchange_of(req);
    char text[ERROR_TYPE_SIZE];
    const char *error = find_error_type(res, done, text);
    if (!svc__request_span_is_wanted(x, error != NULL))
        return;
    struct span_record *record = svc__request_span_take(x);
    if (!record)
        return;
    if (from)
        svc__span_record_link(record, from);
    describe_span(record, x);
    if (error)
        describe_failure(record, x, error);
    record->span.ended_unix_ns = record->span.started_unix_ns + (int64_t)done->duration_ns;
    svc__span_record_deliver(record);
}
