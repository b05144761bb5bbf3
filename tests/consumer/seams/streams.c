/* A call as an RPC is: its head waits for the first byte, its body and its reply flow at the same time, and
 * both end with trailers. Over HTTP/1 such a route is refused at start, by a set-up error. */
#include <stdio.h>
#include <string.h>

#include <svc.h>

struct call {
    svc_request *req;
    svc_response *res;
    uint64_t bytes;
};

static int end_call(svc_trailers *out, void *arg)
{
    const struct call *call = (const struct call *)arg;
    const char *digest = svc_request_trailer(call->req, "X-Digest");
    return svc_trailers_add(out, "X-Seen", digest ? digest : "none");
}

static int echo(svc_pipe *pipe, void *arg)
{
    struct call *call = (struct call *)arg;
    char data[1000];
    int64_t n;
    int error = 0;
    while (!error && (n = svc_request_read(call->req, data, sizeof data)) > 0) {
        if (!call->bytes) /* the head has waited */
            error = svc_response_set_header(call->res, "X-First", "known");
        if (!error)
            error = svc_pipe_write(pipe, data, (size_t)n);
        call->bytes += (uint64_t)n;
    }
    return error ? error : (int)n;
}

static int answer_call(svc_request *req, svc_response *res)
{
    struct call *call = (struct call *)svc_request_alloc(req, sizeof *call);
    if (!call)
        return SVC_ENOMEM;
    call->req = req;
    call->res = res;
    call->bytes = 0;
    int error = svc_response_on_trailers(res, end_call, call);
    if (!error)
        error = svc_response_hold_head(res);
    return error ? error : svc_response_writer(res, 200, "text/plain", echo, call);
}

static svc_app *make(void)
{
    svc_app *app = svc_app_new("streams");
    svc_config config = SVC_CONFIG_INIT;
    svc_route route = SVC_ROUTE_INIT;
    config.listen = "127.0.0.1:0";
    config.admin_listen = "";
    svc_app_configure(app, &config);
    route.pattern = "POST /call";
    route.handler = answer_call;
    route.flags = SVC_DUPLEX;
    svc_app_route(app, &route);
    return app;
}

static bool is(const char *text, const char *expected)
{
    return text && !strcmp(text, expected);
}

int main(void)
{
    static char body[300000]; /* more than both pipes hold */
    static const char *const trailers[] = {"X-Digest", "abc", NULL};
    size_t len = 0;
    memset(body, 'b', sizeof body);
    svc_app *app = make();
    svc_test test = SVC_TEST_INIT;
    test.method = "POST";
    test.target = "/call";
    test.body = body;
    test.body_len = sizeof body;
    test.trailers = trailers;
    svc_reply *reply = svc_app_test(app, &test);
    const char *echoed = svc_reply_body(reply, &len);
    bool good = svc_reply_status(reply) == 200 && len == sizeof body && !memcmp(echoed, body, len) &&
                is(svc_reply_header(reply, "X-First"), "known") &&
                is(svc_reply_trailer(reply, "X-Seen"), "abc");
    if (!good)
        printf("%d, %zu bytes, %s\n", svc_reply_status(reply), len, svc_app_errors(app));
    svc_reply_free(reply);
    svc_app_free(app);
    app = make();
    bool refused = svc_app_start(app) && strstr(svc_app_errors(app), "SVC_DUPLEX");
    if (!refused)
        puts(svc_app_errors(app));
    svc_app_free(app);
    return !(good && refused);
}
