/* An app with a response cache, and a handler behind it that counts its runs. */
#include "tests/api/origin.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct origin origin;
svc_app *origin_app;
svc_response_cache *origin_cache;
svc_reply *origin_inner;

static int64_t read_piece(void *state, char *data, size_t len)
{
    const char **rest = state;
    size_t left = strlen(*rest);
    if (len > 3)
        len = 3;
    if (left == 0 && origin.fails)
        return SVC_ESYSTEM;
    len = len < left ? len : left;
    memcpy(data, *rest, len);
    *rest += len;
    return (int64_t)len;
}

static int answer_stream(svc_response *res, int status)
{
    static const char *rest;
    rest = origin.body;
    svc_source source = SVC_SOURCE_INIT;
    source.read = read_piece;
    source.state = &rest;
    return svc_response_source(res, status, "text/plain", &source);
}

static int add_trailer(svc_trailers *out, void *arg)
{
    (void)arg;
    return svc_trailers_add(out, "Digest", "1");
}

int origin_answer(svc_request *req, svc_response *res)
{
    static char seen[64];
    const char *condition = svc_request_header(req, "If-None-Match");
    snprintf(seen, sizeof seen, "%s", condition ? condition : "");
    origin.if_none_match = seen;
    int status = origin.status ? origin.status : 200;
    int run = ++origin.runs;
    if (origin.error)
        return origin.error;
    if (origin.waits && run == 1) { /* another request for the same, meanwhile */
        origin_inner = svc_app_test_get(origin_app, "/thing");
        cr_assert(origin_inner);
    }
    if (origin.purges)
        svc_response_cache_purge_all(origin_cache, req);
    for (size_t i = 0; i + 1 < ORIGIN_HEADERS && origin.headers[i]; i += 2) {
        int error = svc_response_add_header(res, origin.headers[i], origin.headers[i + 1]);
        if (error)
            return error;
    }
    if (origin.age)
        svc_response_set_age(res, (uint64_t)origin.age);
    svc_validators validators = SVC_VALIDATORS_INIT;
    validators.etag = "1";
    if (origin.checks && !svc_request_check_conditions(req, res, &validators))
        return 0;
    if (origin.trails)
        svc_response_on_trailers(res, add_trailer, NULL);
    if (origin.file)
        return svc_response_file(res, 200, "text/plain", NULL, origin.file);
    return origin.streams
               ? answer_stream(res, status)
               : svc_response_copy(res, status, "text/plain", origin.body, strlen(origin.body));
}

static int set_outer(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)layer;
    return origin.outer ? svc_response_set_header(res, "X-Outer", origin.outer) : SVC_PASS;
}

void origin_make(const svc_response_cache_options *options)
{
    origin_app = svc_app_new("cached");
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = 0;
    config.log_output = "/dev/null";
    config.debug_pages = 1;
    svc_app_configure(origin_app, &config);
    origin_cache = svc_response_cache_new(origin_app, options);
    svc_response_cache_add_admin(origin_cache);
    static svc_middleware outer = SVC_MIDDLEWARE_INIT;
    outer.name = "outer";
    outer.on_request = set_outer;
    svc_app_use(origin_app, &outer);
    svc_app_use(origin_app, svc_response_cache_layer(origin_cache));
    for (size_t i = 0; i < 2; i++)
        svc_app_get(origin_app, i ? "/thing" : "/other", origin_answer, NULL);
    svc_app_post(origin_app, "/thing", origin_answer, NULL);
    svc_app_post(origin_app, "/other", origin_answer, NULL);
    memset(&origin, 0, sizeof origin);
    origin.body = "the body";
}

void origin_begin(void)
{
    origin_make(NULL);
}

void origin_end(void)
{
    svc_app_free(origin_app);
}

void origin_reply_with(const char *name, ...)
{
    va_list args;
    size_t i = 0;
    memset(origin.headers, 0, sizeof origin.headers);
    va_start(args, name);
    for (; name; name = va_arg(args, const char *))
        origin.headers[i++] = name;
    va_end(args);
}

svc_reply *origin_ask_as(const char *method, const char *target, const char *const *headers)
{
    svc_test test = SVC_TEST_INIT;
    test.method = method;
    test.target = target;
    test.headers = headers;
    svc_reply *reply = svc_app_test(origin_app, &test);
    cr_assert(reply, "%s", svc_app_errors(origin_app));
    return reply;
}

svc_reply *origin_ask(const char *name, const char *value)
{
    return origin_ask_as("GET", "/thing", (const char *const[]){name, value, NULL});
}

const char *origin_field(const svc_reply *reply, const char *name)
{
    const char *value = svc_reply_header(reply, name);
    return value ? value : "";
}

void origin_expect_status(svc_reply *reply, const char *text)
{
    cr_expect_str_eq(origin_field(reply, "Cache-Status"), text);
    svc_reply_free(reply);
}

void origin_expect_runs(int runs)
{
    origin.runs = 0;
    svc_response_cache_purge_all(origin_cache, NULL);
    ORIGIN_EXPECT(origin_ask(NULL, NULL), origin.status ? origin.status : 200, origin.body);
    ORIGIN_EXPECT(origin_ask(NULL, NULL), origin.status ? origin.status : 200, origin.body);
    cr_expect_eq(origin.runs, runs, "%d runs with %s", origin.runs,
                 origin.headers[0] ? origin.headers[1] : "nothing");
}
