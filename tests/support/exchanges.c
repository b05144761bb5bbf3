/* The app and the table that run through both doors. */
#include "tests/support/exchanges.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int show(svc_request *req, svc_response *res)
{
    json_t *params = json_object(), *query = json_array();
    static const char *const names[] = {"id", "rest", "a", "b"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (svc_request_param(req, names[i]))
            json_object_set_new(params, names[i], json_string(svc_request_param(req, names[i])));
    const char *name, *value;
    for (size_t i = 0; !svc_request_query_at(req, i, &name, &value); i++)
        json_array_append_new(query, json_pack("[s, s]", name, value));
    const char *cookie = svc_request_cookie(req, "c");
    return svc_response_json(res, 200, "{s:s, s:s, s:s, s:o, s:o, s:s?, s:s?}", "method",
                             svc_request_method(req), "path", svc_request_path(req), "route",
                             svc_request_route(req), "params", params, "query", query, "cookie",
                             cookie, "header", svc_request_header(req, "X-Test"));
}

static int echo(svc_request *req, svc_response *res)
{
    size_t len;
    const char *body = svc_request_body(req, &len);
    return svc_response_copy(res, 200, "application/octet-stream", body, len);
}

static int json(svc_request *req, svc_response *res)
{
    json_t *body = svc_request_json(req, res);
    return body ? svc_response_json_take(res, 201, json_incref(body)) : 0;
}

static int text(svc_request *req, svc_response *res)
{
    return svc_response_text(res, 200, svc_request_arg(req));
}

static int empty(svc_request *req, svc_response *res)
{
    return svc_response_empty(res, atoi(svc_request_param(req, "status")));
}

static int problem(svc_request *req, svc_response *res)
{
    svc_response_set_header(res, "Retry-After", "7");
    return svc_response_problem(res, atoi(svc_request_param(req, "status")), "it is so");
}

static int redirect(svc_request *req, svc_response *res)
{
    return svc_response_redirect(res, atoi(svc_request_param(req, "status")), "/elsewhere?a=1");
}

static int no_answer(svc_request *req, svc_response *res)
{
    (void)req, (void)res;
    return 0;
}

static int error(svc_request *req, svc_response *res)
{
    (void)req, (void)res;
    return SVC_ENOMEM;
}

static int headers(svc_request *req, svc_response *res)
{
    (void)req;
    svc_response_add_header(res, "Set-Cookie", "a=1");
    svc_response_add_header(res, "Set-Cookie", "b=2");
    svc_response_set_header(res, "x-lower", "kept as it is");
    if (!svc_response_set_header(res, "X-Bad", "a\r\nX-Injected: 1") ||
        !svc_response_set_header(res, "Content-Length", "7"))
        return SVC_EINVAL;
    return svc_response_static(res, 200, "text/plain", "headers", 7);
}

struct counter {
    size_t at, len;
};

static int64_t count(void *state, char *data, size_t len)
{
    struct counter *counter = state;
    size_t n = counter->len - counter->at < len ? counter->len - counter->at : len;
    for (size_t i = 0; i < n; i++)
        data[i] = (char)('0' + (counter->at + i) % 10);
    counter->at += n;
    return (int64_t)n;
}

static int stream(svc_request *req, svc_response *res)
{
    struct counter *counter = svc_request_alloc(req, sizeof *counter);
    if (!counter)
        return SVC_ENOMEM;
    *counter = (struct counter){0, strtoul(svc_request_param(req, "bytes"), NULL, 10)};
    svc_source source = SVC_SOURCE_INIT;
    source.length = counter->len;
    source.read = count;
    source.state = counter;
    return svc_response_source(res, 200, "text/plain", &source);
}

static int not_modified(svc_request *req, svc_response *res)
{
    (void)req;
    svc_response_set_header(res, "ETag", "\"1\"");
    int code = svc_response_empty(res, 304);
    return code ? code : svc_response_set_length(res, 1234);
}

static int refuse(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)layer;
    if (svc_request_header(req, "Authorization"))
        return SVC_PASS;
    svc_response_set_header(res, "WWW-Authenticate", "Bearer");
    return svc_response_problem(res, 401, NULL) ? SVC_ENOMEM : SVC_ANSWERED;
}

static int mark(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req;
    return svc_response_add_header(res, "X-Layer", layer->arg);
}

static const svc_middleware guard = {.size = sizeof guard, .name = "guard", .on_request = refuse};
static char outer_name[] = "outer", inner_name[] = "inner";
static const svc_middleware outer = {
    .size = sizeof outer, .name = "outer", .arg = outer_name, .on_response = mark};
static const svc_middleware inner = {
    .size = sizeof inner, .name = "inner", .arg = inner_name, .on_response = mark};

static void add_groups(svc_app *app)
{
    svc_group *api = svc_app_group(app, "/api"), *admin = svc_group_group(api, "/admin");
    svc_group_use(api, &inner);
    svc_group_use(admin, &guard);
    svc_group_get(api, "/things/{id}", show, NULL);
    svc_group_get(admin, "/things/{id}", show, NULL);
    svc_group_post(admin, "/echo", echo, NULL);
}

svc_app *exchanges_app(void)
{
    static char root[] = "root", exact[] = "exact";
    svc_app *app = svc_app_new("exchanges");
    if (!app)
        return NULL;
    svc_app_use(app, &outer);
    svc_app_get(app, "/{$}", text, root);
    svc_app_get(app, "/show/{id}", show, NULL);
    svc_app_get(app, "/show/{a}/with/{b}", show, NULL);
    svc_app_get(app, "/files/{rest...}", show, NULL);
    svc_app_get(app, "/folder/", show, NULL);
    svc_app_get(app, "/folder/exact/{$}", text, exact);
    svc_app_put(app, "/show/{id}", echo, NULL);
    svc_app_post(app, "/echo", echo, NULL);
    svc_app_patch(app, "/echo", echo, NULL);
    svc_app_post(app, "/json", json, NULL);
    svc_app_get(app, "/empty/{status}", empty, NULL);
    svc_app_delete(app, "/empty/{status}", empty, NULL);
    svc_app_get(app, "/problem/{status}", problem, NULL);
    svc_app_get(app, "/redirect/{status}", redirect, NULL);
    svc_app_get(app, "/no-answer", no_answer, NULL);
    svc_app_get(app, "/error", error, NULL);
    svc_app_get(app, "/headers", headers, NULL);
    svc_app_get(app, "/stream/{bytes}", stream, NULL);
    svc_app_get(app, "/not-modified", not_modified, NULL);
    svc_route any = SVC_ROUTE_INIT;
    any.pattern = "GET /bytes/{id}";
    any.handler = text;
    any.arg = exact;
    any.flags = SVC_ANY_BYTES;
    svc_app_route(app, &any);
    svc_route small = SVC_ROUTE_INIT;
    small.pattern = "POST /small";
    small.handler = echo;
    small.max_body = 8;
    svc_app_route(app, &small);
    svc_app_get(app, "only.example/host", text, exact);
    add_groups(app);
    return app;
}

#define TEXT_ONLY                                                                                  \
    {                                                                                              \
        "Accept", "text/plain"                                                                     \
    }
#define JSON_BODY                                                                                  \
    {                                                                                              \
        "Content-Type", "application/json"                                                         \
    }

/* Rows end with their status where no field is of interest. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

const struct exchange_row exchange_rows[] = {
    /* paths and parameters */
    {"GET", "/", {0}, NULL, 200},
    {"GET", "/show/7", {0}, NULL, 200},
    {"GET", "/show/a%2Fb", {0}, NULL, 200},
    {"GET", "/show/%C3%A9t%C3%A9", {0}, NULL, 200},
    {"GET", "/show/%ff", {0}, NULL, 400},
    {"GET", "/show/a%00b", {0}, NULL, 400},
    {"GET", "/show/a%zz", {0}, NULL, 400, "X-Layer", "outer"},
    {"GET", "/bytes/%ff", {0}, NULL, 200},
    {"GET", "/show/1/with/2", {0}, NULL, 200},
    {"GET", "/show/1/with", {0}, NULL, 404},
    {"GET", "/files/a/b/c", {0}, NULL, 200},
    {"GET", "/files/", {0}, NULL, 200},
    {"GET", "/files", {0}, NULL, 308, "Location", "/files/"},
    {"GET", "/files?x=1", {0}, NULL, 308, "Location", "/files/?x=1"},
    {"GET", "/files?", {0}, NULL, 308, "Location", "/files/?"},
    {"GET", "/folder/any/thing", {0}, NULL, 200},
    {"GET", "/folder/exact/", {0}, NULL, 200},
    {"GET", "/folder/exact", {0}, NULL, 308, "Location", "/folder/exact/"},
    {"GET", "/a/../show/7?q=%20", {0}, NULL, 308, "Location", "/show/7?q=%20"},
    {"GET", "/show//7", {0}, NULL, 308, "Location", "/show/7"},
    {"GET", "/a//b%2Fc", {0}, NULL, 308, "Location", "/a/b%2Fc"},
    {"GET", "/none//./x/..?q", {0}, NULL, 308, "Location", "/none?q"},
    {"POST", "/folder/../echo", {0}, "kept", 308, "Location", "/echo"},
    {"GET", "http://test//show/7", {0}, NULL, 308, "Location", "/show/7"},
    {"GET", "/none", {0}, NULL, 404, "Content-Type", "application/problem+json"},
    {"GET", "/none", TEXT_ONLY, NULL, 404},
    {"GET", "http://test/show/7", {0}, NULL, 200},
    {"GET", "/host", {0}, NULL, 404},
    {"GET", "/host", {"Host", "only.example"}, NULL, 200},
    {"GET", "/host", {"Host", "ONLY.example:80"}, NULL, 200},
    /* query, fields, cookies */
    {"GET", "/show/7?a=1&a=2&b&c=%26+x", {0}, NULL, 200},
    {"GET", "/show/7?", {0}, NULL, 200},
    {"GET", "/show/7?a=%ff", {0}, NULL, 400},
    {"GET", "/show/7", {"X-Test", "value", "x-test", "second"}, NULL, 200},
    {"GET", "/show/7", {"Cookie", "a=1; c=two; d=3"}, NULL, 200},
    {"GET", "/show/7", {"X-Request-Id", "not well\"formed"}, NULL, 200},
    {"GET",
     "/show/7",
     {"X-Request-Id", "well-Formed_1.0"},
     NULL,
     200,
     "X-Request-Id",
     "well-Formed_1.0"},
    /* methods */
    {"HEAD", "/show/7", {0}, NULL, 200},
    {"HEAD", "/none", {0}, NULL, 404},
    {"POST", "/show/7", {0}, "dropped", 405, "Allow", "GET, HEAD, OPTIONS, PUT"},
    {"DELETE", "/show/7", {0}, NULL, 405, "Content-Type", "application/problem+json"},
    {"DELETE", "/echo", {0}, NULL, 405, "Allow", "OPTIONS, PATCH, POST"},
    {"POST", "/files", {0}, NULL, 405, "Allow", "GET, HEAD, OPTIONS"},
    {"DELETE", "/show/7", TEXT_ONLY, NULL, 405, "X-Layer", "outer"},
    {"OPTIONS", "/show/7", {0}, NULL, 204, "Allow", "GET, HEAD, OPTIONS, PUT"},
    {"OPTIONS", "/echo", {0}, NULL, 204, "Allow", "OPTIONS, PATCH, POST"},
    {"OPTIONS", "/empty/204", {0}, NULL, 204, "Allow", "DELETE, GET, HEAD, OPTIONS"},
    {"OPTIONS", "/none", {0}, NULL, 404},
    {"OPTIONS", "*", {0}, NULL, 200, "X-Layer", "outer"},
    {"BREW", "/show/7", {0}, NULL, 501},
    {"CONNECT", "a:80", {0}, NULL, 405, "Allow", "OPTIONS"},
    {"PUT", "/show/7", {0}, "body", 200},
    {"PATCH", "/echo", {0}, "patched", 200},
    /* bodies */
    {"POST", "/echo", {0}, "", 200},
    {"POST", "/echo", {0}, "hello", 200},
    {"POST", "/small", {0}, "12345678", 200},
    {"POST", "/small", {0}, "123456789", 413, "X-Layer", "outer"},
    {"POST", "/none", {0}, "dropped", 404},
    {"POST", "/json", JSON_BODY, "{\"a\": [1, 2.5, null, \"\\u00e9\"]}", 201},
    {"POST", "/json", {"Content-Type", "application/vnd.x+json; charset=utf-8"}, "[]", 201},
    {"POST", "/json", JSON_BODY, "{\"a\": ", 400},
    {"POST", "/json", JSON_BODY, "", 400},
    {"POST", "/json", JSON_BODY, NULL, 400},
    {"POST", "/json", JSON_BODY, "{\"a\":1,\"a\":2}", 400},
    {"POST", "/json", {"Content-Type", "text/plain"}, "{}", 415},
    {"POST", "/json", {0}, "{}", 415},
    /* answers */
    {"GET", "/empty/200", {0}, NULL, 200},
    {"GET", "/empty/204", {0}, NULL, 204},
    {"DELETE", "/empty/202", {0}, NULL, 202},
    {"GET", "/problem/503", {0}, NULL, 503},
    {"GET", "/problem/418", {0}, NULL, 418},
    {"GET", "/problem/400", TEXT_ONLY, NULL, 400},
    {"GET", "/redirect/303", {0}, NULL, 303, "Location", "/elsewhere?a=1"},
    {"GET", "/redirect/200", {0}, NULL, 500},
    {"GET", "/no-answer", {0}, NULL, 500},
    {"GET", "/error", {0}, NULL, 500, "X-Layer", "outer"},
    {"GET", "/headers", {0}, NULL, 200, "x-lower", "kept as it is"},
    {"GET", "/stream/0", {0}, NULL, 200},
    {"GET", "/stream/100000", {0}, NULL, 200},
    {"HEAD", "/stream/100000", {0}, NULL, 200},
    {"GET", "/not-modified", {0}, NULL, 304},
    /* groups and layers */
    {"GET", "/api/things/7", {0}, NULL, 200},
    {"GET", "/api/admin/things/7", {0}, NULL, 401, "WWW-Authenticate", "Bearer"},
    {"GET", "/api/admin/things/7", {"Authorization", "Bearer x"}, NULL, 200},
    {"POST", "/api/admin/echo", {0}, "dropped", 401},
    {"GET", "/api/none", {0}, NULL, 404},
    /* malformed heads */
    {"GET", "/show/7", {"Bad Name", "x"}, NULL, 400, "X-Layer", "outer"},
    {"GET", "/show/7", {"Host", "a", "Host", "b"}, NULL, 400},
    {"GET", "/show/7", {"Host", "a b"}, NULL, 400},
    {"POST", "/echo", {"Expect", "magic"}, "x", 417, "X-Layer", "outer"},
    {"POST", "/echo", {"Content-Length", "1", "Content-Length", "1"}, "x", 400},
    {"POST", "/echo", {"Transfer-Encoding", "gzip"}, "x", 501},
};

const size_t exchange_count = sizeof exchange_rows / sizeof *exchange_rows;
