/* Fields behind bodies, through the door without sockets. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

/* ---- Of replies */

static int asked; /* how often add_all was */
static int codes[16];

static int add_all(svc_trailers *out, void *arg)
{
    (void)arg;
    size_t n = 0;
    asked++;
    codes[n++] = svc_trailers_add(out, "X-Good", "a");
    codes[n++] = svc_trailers_add(out, "X-Good", "b");
    codes[n++] = svc_trailers_add(NULL, "X-Good", "a");
    codes[n++] = svc_trailers_add(out, NULL, "a");
    codes[n++] = svc_trailers_add(out, "X-Good", NULL);
    codes[n++] = svc_trailers_add(out, "X Y", "a");
    codes[n++] = svc_trailers_add(out, "X-Bad", "a\r\nX-Injected: 1");
    codes[n++] = svc_trailers_add(out, "X-Bad", "");
    codes[n++] = svc_trailers_add(out, "X-Bad", " a");
    codes[n++] = svc_trailers_add(out, "host", "a");
    codes[n++] = svc_trailers_add(out, "Set-Cookie", "a=1");
    codes[n++] = svc_trailers_add(out, "Transfer-Encoding", "chunked");
    return 0;
}

static int add_much(svc_trailers *out, void *arg)
{
    static char value[5000];
    (void)arg;
    memset(value, 'v', sizeof value - 1);
    for (int i = 0; i < 4; i++)
        codes[i] = svc_trailers_add(out, "X-Much", value);
    return 0;
}

static int fail(svc_trailers *out, void *arg)
{
    (void)out, (void)arg;
    return SVC_ESYSTEM;
}

static svc_trailers_fn *function;

static int answer(svc_request *req, svc_response *res)
{
    int error = svc_response_on_trailers(res, function, NULL);
    return error ? error : svc_response_text(res, atoi(svc_request_param(req, "status")), "text");
}

static svc_app *make(svc_trailers_fn *fn)
{
    svc_app *app = svc_app_new("test");
    function = fn;
    svc_app_get(app, "/{status}", answer, NULL);
    return app;
}

Test(trailers, are_added_where_they_can_be_trailers)
{
    static const int expected[] = {0,          0,          SVC_ENOMEM, SVC_EINVAL,
                                   SVC_EINVAL, SVC_EINVAL, SVC_EINVAL, SVC_EINVAL,
                                   SVC_EINVAL, SVC_EINVAL, SVC_EINVAL, SVC_EINVAL};
    const char *name, *value;
    svc_app *app = make(add_all);
    svc_reply *reply = svc_app_test_get(app, "/200");
    cr_expect_str_eq(svc_reply_body(reply, NULL), "text");
    cr_expect_eq(asked, 1);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        cr_expect_eq(codes[i], expected[i], "%zu: %d", i, codes[i]);
    cr_expect_str_eq(svc_reply_trailer(reply, "x-good"), "a");
    cr_expect_eq(svc_reply_trailer_at(reply, 1, &name, &value), 0);
    cr_expect_str_eq(value, "b");
    cr_expect_eq(svc_reply_trailer_at(reply, 2, &name, &value), SVC_ENOTFOUND);
    cr_expect_null(svc_reply_header(reply, "X-Good"));
    cr_expect_null(svc_reply_header(reply, "Content-Length"));
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(trailers, have_a_limit)
{
    svc_app *app = make(add_much);
    svc_reply *reply = svc_app_test_get(app, "/200");
    cr_expect_eq(codes[2], 0);
    cr_expect_eq(codes[3], SVC_ETOOBIG);
    cr_expect_eq(svc_reply_outcome(reply), SVC_COMPLETE);
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(trailers, are_not_asked_for_where_the_reply_has_none)
{
    svc_app *app = make(add_all);
    svc_test head = SVC_TEST_INIT;
    head.method = "HEAD";
    head.target = "/200";
    svc_reply *replies[] = {svc_app_test_get(app, "/204"), svc_app_test_get(app, "/304"),
                            svc_app_test(app, &head)};
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        cr_expect_eq(svc_reply_outcome(replies[i]), SVC_COMPLETE);
        cr_expect_null(svc_reply_trailer(replies[i], "X-Good"));
        svc_reply_free(replies[i]);
    }
    cr_expect_eq(asked, 0);
    svc_app_free(app);
}

Test(trailers, that_fail_cut_the_reply)
{
    svc_app *app = make(fail);
    svc_reply *reply = svc_app_test_get(app, "/200");
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_eq(svc_reply_outcome(reply), SVC_CUT);
    svc_reply_free(reply);
    svc_app_free(app);
}

static int64_t break_off(void *state, char *data, size_t len)
{
    (void)state, (void)data, (void)len;
    return SVC_ESYSTEM;
}

static int answer_cut(svc_request *req, svc_response *res)
{
    (void)req;
    svc_source source = SVC_SOURCE_INIT;
    source.read = break_off;
    int error = svc_response_on_trailers(res, add_all, NULL);
    return error ? error : svc_response_source(res, 200, NULL, &source);
}

Test(trailers, are_not_asked_for_when_the_reply_is_cut)
{
    svc_app *app = svc_app_new("test");
    svc_app_get(app, "/", answer_cut, NULL);
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_eq(svc_reply_outcome(reply), SVC_CUT);
    cr_expect_eq(asked, 0);
    svc_reply_free(reply);
    svc_app_free(app);
}

static int answer_nothing(svc_request *req, svc_response *res)
{
    (void)req;
    cr_expect_eq(svc_response_on_trailers(res, NULL, NULL), SVC_EINVAL);
    cr_expect_eq(svc_response_on_trailers(NULL, add_all, NULL), SVC_ENOMEM);
    return svc_response_on_trailers(res, add_all, NULL); /* which is no answer yet */
}

Test(trailers, are_not_those_of_the_error_in_its_place)
{
    svc_app *app = svc_app_new("test");
    svc_app_get(app, "/", answer_nothing, NULL);
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_eq(svc_reply_status(reply), 500);
    cr_expect_eq(asked, 0);
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(trailers, of_no_reply_are_none)
{
    const char *name, *value;
    cr_expect_null(svc_reply_trailer(NULL, "a"));
    cr_expect_eq(svc_reply_trailer_at(NULL, 0, &name, &value), SVC_ENOTFOUND);
}

/* ---- Of requests */

static char seen[256];

static void look(svc_request *req, const char *when)
{
    const char *sum = svc_request_trailer(req, "x-SUM");
    size_t len = strlen(seen);
    snprintf(seen + len, sizeof seen - len, "%s %zu %s, ", when, svc_request_trailer_count(req),
             sum ? sum : "none");
}

static int look_before(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)res, (void)layer;
    look(req, "head");
    return SVC_PASS;
}

static int look_at_body(svc_request *req, svc_response *res, const svc_layer *layer,
                        svc_piece *piece)
{
    (void)res, (void)layer, (void)piece;
    look(req, "body");
    return SVC_PASS;
}

static int look_behind(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)layer;
    look(req, "reply");
    return svc_response_set_header(res, "X-Seen", "it");
}

static const svc_middleware layer = {.size = sizeof layer,
                                     .name = "look",
                                     .on_request = look_before,
                                     .on_body = look_at_body,
                                     .on_response = look_behind};

static int take_body(svc_request *req, svc_response *res)
{
    look(req, "handler");
    return svc_response_empty(res, 200);
}

static svc_reply *send(svc_app *app, const char *const *trailers)
{
    svc_test test = SVC_TEST_INIT;
    test.method = "POST";
    test.body = "body";
    test.body_len = 4;
    test.trailers = trailers;
    return svc_app_test(app, &test);
}

Test(trailers, of_a_request_are_there_from_its_body_on)
{
    static const char *const trailers[] = {"X-Sum", "7", "X-Sum", "8", "Cookie", "a=1", NULL};
    svc_app *app = svc_app_new("test");
    svc_app_use(app, &layer);
    svc_app_post(app, "/", take_body, NULL);
    svc_reply *reply = send(app, trailers);
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_str_eq(seen, "head 0 none, body 2 7, handler 2 7, reply 2 7, ");
    svc_reply_free(reply);
    svc_app_free(app);
}

static svc_request *request; /* of the pending answer */

static int read_later(svc_request *req, svc_response *res)
{
    (void)res;
    char data[16];
    look(req, "handler");
    svc_pending *pending = svc_request_defer(req, NULL, NULL);
    svc_response *answer = svc_response_new();
    request = req;
    while (svc_request_read(req, data, sizeof data) > 0)
        look(req, "piece");
    look(svc_pending_request(pending), "end");
    svc_response_empty(answer, 200);
    svc_pending_complete(pending, answer);
    svc_pending_unref(pending);
    return 0;
}

Test(trailers, of_a_request_that_is_read_are_there_at_its_end)
{
    static const char *const trailers[] = {"X-Sum", "7", NULL};
    svc_app *app = svc_app_new("test");
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "POST /";
    route.handler = read_later;
    route.flags = SVC_STREAM_BODY | SVC_BLOCKING;
    svc_app_route(app, &route);
    svc_reply *reply = send(app, trailers);
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_str_eq(seen, "handler 0 none, piece 0 none, end 1 7, ");
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(trailers, of_a_request_that_are_malformed_are_refused)
{
    static const char *const bad[][3] = {
        {"X Y", "7", NULL}, {"", "7", NULL}, {"X-Sum", "a\001b", NULL}, {"X-Sum", "a\nb", NULL}};
    svc_app *app = svc_app_new("test");
    svc_app_post(app, "/", take_body, NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        svc_reply *reply = send(app, bad[i]);
        cr_expect_eq(svc_reply_status(reply), 400, "%zu", i);
        svc_reply_free(reply);
    }
    cr_expect_str_empty(seen);
    svc_app_free(app);
}
