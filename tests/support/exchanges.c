/* The app and the table that run without sockets and over TCP. */
#include "tests/support/exchanges.h"

#include <sched.h>
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

/* ---- Trailers */

static int add_end(svc_trailers *out, void *arg)
{
    if (!svc_trailers_add(out, "Content-Length", "1") || !svc_trailers_add(out, "X-Bad", "a\nb"))
        return SVC_EINVAL;
    int error = svc_trailers_add(out, "X-Sum", arg);
    return error ? error : svc_trailers_add(out, "x-lower", "kept as it is");
}

static int add_layer_end(svc_trailers *out, void *arg)
{
    (void)arg;
    return svc_trailers_add(out, "X-Layer-End", "reached");
}

static int trail(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)layer;
    return svc_response_on_trailers(res, add_layer_end, NULL);
}

static int write_text(svc_pipe *pipe, void *arg)
{
    int error = svc_pipe_write(pipe, arg, strlen(arg));
    return error < 0 ? error : 0;
}

static int answer_by(svc_request *req, svc_response *res, const char *how)
{
    static char body[] = "written";
    struct counter *counter = svc_request_alloc(req, sizeof *counter);
    if (!counter)
        return SVC_ENOMEM;
    if (!strcmp(how, "memory"))
        return svc_response_text(res, 200, "memory");
    if (!strcmp(how, "nothing"))
        return svc_response_empty(res, 200);
    if (!strcmp(how, "204"))
        return svc_response_empty(res, 204);
    if (!strcmp(how, "problem"))
        return svc_response_problem(res, 404, "and how");
    if (!strcmp(how, "fails"))
        return SVC_ENOMEM;
    if (!strcmp(how, "writer"))
        return svc_response_writer(res, 200, "text/plain", write_text, body);
    if (!strcmp(how, "pipe")) {
        svc_pipe *pipe = svc_pipe_new(0);
        svc_pipe_ref(pipe);
        int error = svc_response_pipe(res, 200, "text/plain", pipe);
        svc_pipe_try_write(pipe, "piped", 5);
        svc_pipe_end(pipe, 0);
        svc_pipe_unref(pipe);
        return error;
    }
    *counter = (struct counter){0, 100000};
    svc_source source = SVC_SOURCE_INIT;
    source.length = strcmp(how, "length") ? SVC_LENGTH_UNKNOWN : counter->len;
    source.read = count;
    source.state = counter;
    return svc_response_source(res, 200, "text/plain", &source);
}

static int trailing(svc_request *req, svc_response *res)
{
    static char sum[] = "42";
    int error = svc_response_on_trailers(res, add_end, sum);
    return error ? error : answer_by(req, res, svc_request_param(req, "how"));
}

static int trailing_later(svc_request *req, svc_response *res)
{
    (void)res;
    static char sum[] = "43";
    svc_pending *pending = svc_request_defer(req, NULL, NULL);
    svc_response *answer = svc_response_new();
    int error = svc_response_on_trailers(answer, add_end, sum);
    if (!error)
        error = answer_by(req, answer, svc_request_param(req, "how"));
    if (error)
        svc_response_set_status(answer, 500);
    svc_pending_complete(pending, answer);
    svc_pending_unref(pending);
    return 0;
}

static int end_badly(svc_trailers *out, void *arg)
{
    (void)arg;
    int error = svc_trailers_add(out, "X-Sum", "lost");
    return error ? error : SVC_ESYSTEM;
}

static int trailing_badly(svc_request *req, svc_response *res)
{
    (void)req;
    int error = svc_response_on_trailers(res, end_badly, NULL);
    return error ? error : svc_response_text(res, 200, "whole");
}

/* ---- Held heads */

struct held {
    svc_request *req;
    svc_response *res;
    const char *how;
};

static int write_held(svc_pipe *pipe, void *arg)
{
    const struct held *held = arg;
    if (!strcmp(held->how, "fails"))
        return SVC_ESYSTEM;
    while (!strcmp(held->how, "late") && !svc_request_cancelled(held->req))
        sched_yield();
    if (!strcmp(held->how, "late"))
        return SVC_ECANCELLED;
    int error = svc_response_set_status(held->res, 404);
    if (!error)
        error = svc_response_set_header(held->res, "X-Held", "set by the writer");
    if (!error)
        error = svc_response_on_trailers(held->res, add_layer_end, NULL);
    if (!error && strcmp(held->how, "nothing"))
        error = svc_pipe_write(pipe, "written", 7);
    return error < 0 ? error : 0;
}

static int answer_held(svc_request *req, svc_response *res)
{
    struct held *held = svc_request_alloc(req, sizeof *held);
    if (!held)
        return SVC_ENOMEM;
    *held = (struct held){req, res, svc_request_param(req, "how")};
    int error = svc_response_writer(res, 200, "text/plain", write_held, held);
    return error ? error : svc_response_hold_head(res);
}

static int answer_held_later(svc_request *req, svc_response *res)
{
    (void)res;
    svc_pending *pending = svc_request_defer(req, NULL, NULL);
    svc_response *answer = svc_response_new();
    int error = answer_held(req, answer);
    if (error)
        svc_response_set_status(answer, 500);
    svc_pending_complete(pending, answer);
    svc_pending_unref(pending);
    return 0;
}

static int64_t fail_to_read(void *state, char *data, size_t len)
{
    (void)state, (void)data, (void)len;
    return SVC_ESYSTEM;
}

static int answer_held_source(svc_request *req, svc_response *res)
{
    svc_source source = SVC_SOURCE_INIT;
    source.read = fail_to_read;
    int error = strcmp(svc_request_param(req, "how"), "fails")
                    ? answer_by(req, res, "length")
                    : svc_response_source(res, 200, NULL, &source);
    return error ? error : svc_response_hold_head(res);
}

/* The fields after the body, which must not be in the head. */
static int show_trailers(svc_request *req, svc_response *res)
{
    json_t *all = json_array();
    const char *name, *value;
    for (size_t i = 0; !svc_request_trailer_at(req, i, &name, &value); i++)
        json_array_append_new(all, json_pack("[s, s]", name, value));
    return svc_response_json(
        res, 200, "{s:o, s:s?, s:s?, s:i}", "all", all, "sum", svc_request_trailer(req, "x-sum"),
        "head", svc_request_header(req, "X-Sum"), "count", (int)svc_request_trailer_count(req));
}

static int read_to_trailers(svc_request *req, svc_response *res)
{
    char data[16];
    int64_t n;
    size_t early = svc_request_trailer_count(req);
    while ((n = svc_request_read(req, data, sizeof data)) > 0)
        continue;
    return n < 0 ? (int)n : early ? SVC_ESTATE : show_trailers(req, res);
}

static const svc_middleware trailer_layer = {
    .size = sizeof trailer_layer, .name = "trailers", .on_response = trail};

static void add_trailing(svc_app *app)
{
    svc_group *both = svc_app_group(app, "/both");
    svc_group_use(both, &trailer_layer);
    svc_group_get(both, "/{how}", trailing, NULL);
    svc_app_get(app, "/trailing/{how}", trailing, NULL);
    svc_app_get(app, "/badly", trailing_badly, NULL);
    svc_route held = SVC_ROUTE_INIT;
    held.pattern = "GET /held/{how}";
    held.handler = answer_held;
    held.timeout_ms = 10000;
    svc_app_route(app, &held);
    held.pattern = "GET /held/{how}/soon";
    held.timeout_ms = 100;
    svc_app_route(app, &held);
    svc_app_get(app, "/held/{how}/later", answer_held_later, NULL);
    svc_app_get(app, "/held/{how}/source", answer_held_source, NULL);
    svc_app_get(app, "/later/{how}", trailing_later, NULL);
    svc_app_post(app, "/trailers", show_trailers, NULL);
    svc_route stream_in = SVC_ROUTE_INIT;
    stream_in.pattern = "POST /trailers/read";
    stream_in.handler = read_to_trailers;
    stream_in.flags = SVC_STREAM_BODY | SVC_BLOCKING;
    svc_app_route(app, &stream_in);
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
    add_trailing(app);
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

#define LAYER_END "X-Layer-End: reached\r\n"
#define TRAILERS(sum) "X-Sum: " sum "\r\nx-lower: kept as it is\r\n"

/* Over the common limit of a head and its trailers. */
#define FIFTY "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define FIVE_HUNDRED FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY
#define TWO_THOUSAND FIVE_HUNDRED FIVE_HUNDRED FIVE_HUNDRED FIVE_HUNDRED
#define LONG_VALUE TWO_THOUSAND TWO_THOUSAND TWO_THOUSAND TWO_THOUSAND FIFTY FIFTY FIFTY

/* A row ends with its status if no field is checked. */
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
    /* trailers of replies */
    {"GET", "/trailing/memory", {0}, NULL, 200, .trailer = TRAILERS("42")},
    {"GET", "/trailing/nothing", {0}, NULL, 200, .trailer = TRAILERS("42")},
    {"GET", "/trailing/source", {0}, NULL, 200, .trailer = TRAILERS("42")},
    {"GET", "/trailing/length", {0}, NULL, 200, .trailer = TRAILERS("42")},
    {"GET", "/trailing/pipe", {0}, NULL, 200, .trailer = TRAILERS("42")},
    {"GET", "/trailing/writer", {0}, NULL, 200, .trailer = TRAILERS("42")},
    {"GET", "/trailing/problem", {0}, NULL, 404, .trailer = TRAILERS("42")},
    {"GET", "/later/memory", {0}, NULL, 200, .trailer = TRAILERS("43")},
    {"GET", "/later/writer", {0}, NULL, 200, .trailer = TRAILERS("43")},
    {"GET", "/both/memory", {0}, NULL, 200, .trailer = TRAILERS("42") "X-Layer-End: reached\r\n"},
    {"GET", "/trailing/fails", {0}, NULL, 500},
    {"GET", "/trailing/204", {0}, NULL, 204},
    {"HEAD", "/trailing/memory", {0}, NULL, 200},
    {"HEAD", "/trailing/source", {0}, NULL, 200},
    /* held heads */
    {"GET", "/held/good", {0}, NULL, 404, "X-Held", "set by the writer", .trailer = LAYER_END},
    {"GET", "/held/nothing", {0}, NULL, 404, "X-Layer", "outer", .trailer = LAYER_END},
    {"GET", "/held/fails", {0}, NULL, 500},
    {"GET", "/held/late/soon", {0}, NULL, 504},
    {"HEAD", "/held/good", {0}, NULL, 200},
    {"GET",
     "/held/good/later",
     {0},
     NULL,
     404,
     "X-Held",
     "set by the writer",
     .trailer = LAYER_END},
    {"GET", "/held/fails/later", {0}, NULL, 500},
    {"GET", "/held/good/source", {0}, NULL, 200},
    {"GET", "/held/fails/source", {0}, NULL, 500},
    /* trailers of requests */
    {"POST", "/trailers", {0}, "body", 200, .trailers = {"X-Sum", "7", "x-b", " spaced \t"}},
    {"POST", "/trailers", {0}, "", 200, .trailers = {"X-Sum", "7"}},
    {"POST", "/trailers", {0}, "body", 200, .trailers = {"Content-Type", "a/b", "X-Sum", ""}},
    {"POST", "/trailers", {0}, "body", 200, .trailers = {"hOST", "b", "Authorization", "x"}},
    {"POST", "/trailers", {0}, "body", 431, .trailers = {"X-Sum", LONG_VALUE}},
    {"POST", "/trailers/read", {0}, "a body to read", 200, .trailers = {"X-Sum", "7"}},
    {"POST", "/none", {0}, "dropped", 404, .trailers = {"X-Sum", "7"}},
};

const size_t exchange_count = sizeof exchange_rows / sizeof *exchange_rows;
