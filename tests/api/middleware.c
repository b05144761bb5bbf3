/* Layers: their order, what each phase may do, and waiting. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <svc.h>

/* What the layers of a test did, in order. */
static char trace[512];

static void note(const char *what, const char *who)
{
    strcat(trace, what);
    strcat(trace, who);
    strcat(trace, " ");
}

static int on_request(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)res;
    note("request:", layer->arg);
    return SVC_PASS;
}

static int on_response(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)res;
    note("response:", layer->arg);
    return 0;
}

static void on_done(svc_request *req, const svc_response *res, const svc_layer *layer,
                    const svc_done *done)
{
    (void)req, (void)res;
    cr_expect_eq(done->outcome, SVC_COMPLETE);
    cr_expect_lt(llabs((long long)time(NULL) - done->started_unix_ns / 1000000000), 3600LL);
    note("done:", layer->arg);
}

static char a[] = "a", b[] = "b", c[] = "c", d[] = "d";

#define TRACER(who)                                                                                \
    {                                                                                              \
        .size = sizeof(svc_middleware), .name = "tracer", .arg = (who), .on_request = on_request,  \
        .on_response = on_response, .on_done = on_done                                             \
    }

static const svc_middleware tracer_a = TRACER(a), tracer_b = TRACER(b), tracer_c = TRACER(c),
                            tracer_d = TRACER(d);

static int handler(svc_request *req, svc_response *res)
{
    size_t len;
    const char *body = svc_request_body(req, &len);
    note("handler", "");
    return svc_response_copy(res, 200, "text/plain", body, len);
}

static svc_app *quiet_within(uint64_t timeout_ms)
{
    svc_app *app = svc_app_new("layers");
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = config.metrics = config.request_id = 0;
    config.request_timeout_ms = timeout_ms;
    svc_app_configure(app, &config);
    return app;
}

/* No deadline passes, however busy the machine is. */
static svc_app *quiet(void)
{
    return quiet_within(600000);
}

static void add_route(svc_app *app, const char *pattern, const svc_middleware *const *layers)
{
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = pattern;
    route.handler = handler;
    route.middleware = layers;
    svc_app_route(app, &route);
}

static int ask(svc_app *app, const char *method, const char *target, const char *body, char *out)
{
    svc_test test = SVC_TEST_INIT;
    test.method = method;
    test.target = target;
    test.body = body;
    test.body_len = body ? strlen(body) : 0;
    svc_reply *reply = svc_app_test(app, &test);
    int status = svc_reply_status(reply);
    if (out)
        strcpy(out, svc_reply_body(reply, NULL));
    svc_reply_free(reply);
    return status;
}

Test(middleware, app_group_and_route_nest_and_unwind)
{
    static const svc_middleware *const layers[] = {&tracer_d, NULL};
    svc_app *app = quiet();
    svc_app_use(app, &tracer_a);
    svc_group *outer = svc_app_group(app, "/g"), *inner = svc_group_group(outer, "/h");
    svc_group_use(outer, &tracer_b);
    svc_group_use(inner, &tracer_c);
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "/i";
    route.handler = handler;
    route.middleware = layers;
    svc_group_route(inner, &route);
    cr_expect_eq(ask(app, "GET", "/g/h/i", NULL, NULL), 200);
    cr_expect_str_eq(trace, "request:a request:b request:c request:d handler "
                            "response:d response:c response:b response:a "
                            "done:d done:c done:b done:a ");
    trace[0] = '\0';
    cr_expect_eq(ask(app, "GET", "/g/none", NULL, NULL), 404);
    cr_expect_str_eq(trace, "request:a response:a done:a ");
    svc_app_free(app);
}

Test(middleware, errors_of_the_library_pass_through_the_layers_of_the_app)
{
    static const svc_middleware *const layers[] = {&tracer_b, NULL};
    static const struct {
        const char *method, *target, *body;
        int status;
        bool routed; /* the route's own layer is met as well */
    } rows[] = {
        {"GET", "/none", NULL, 404, false},    {"PUT", "/a", NULL, 405, false},
        {"OPTIONS", "/a", NULL, 204, false},   {"BREW", "/a", NULL, 501, false},
        {"CONNECT", "a:80", NULL, 405, false}, {"GET", "//a", NULL, 308, false},
        {"GET", "/%zz", NULL, 400, false},     {"G T", "/a", NULL, 400, false},
        {"GET", "/a?a=%ff", NULL, 400, true},  {"POST", "/a", "too large", 413, true},
    };
    svc_app *app = quiet();
    svc_app_use(app, &tracer_a);
    svc_route route = SVC_ROUTE_INIT;
    route.handler = handler;
    route.max_body = 8;
    route.middleware = layers;
    static const char *const patterns[] = {"GET /a", "POST /a", "PUT /b"};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        route.pattern = patterns[i];
        svc_app_route(app, &route);
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        trace[0] = '\0';
        int status = ask(app, rows[i].method, rows[i].target, rows[i].body, NULL);
        cr_expect_eq(status, rows[i].status, "row %zu: %d", i, status);
        cr_expect_str_eq(trace, rows[i].routed
                                    ? "request:a request:b response:b response:a done:b done:a "
                                    : "request:a response:a done:a ");
    }
    svc_app_free(app);
}

static int answer(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req;
    note("answer:", layer->arg);
    svc_response_text(res, 429, "no");
    return SVC_ANSWERED;
}

Test(middleware, an_answer_ends_the_way_in)
{
    static const svc_middleware middle = {.size = sizeof middle,
                                          .name = "answer",
                                          .arg = b,
                                          .on_request = answer,
                                          .on_response = on_response};
    svc_app *app = quiet();
    svc_app_use(app, &tracer_a);
    svc_app_use(app, &middle);
    svc_app_use(app, &tracer_c);
    add_route(app, "/", NULL);
    cr_expect_eq(ask(app, "POST", "/", "body", NULL), 429);
    cr_expect_str_eq(trace, "request:a answer:b response:a done:a ");
    svc_app_free(app);
}

static int give(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)res;
    return *(int *)layer->arg;
}

Test(middleware, a_failing_layer_is_a_500)
{
    static int codes[] = {SVC_ENOMEM, SVC_ANSWERED, 77};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        svc_middleware layer = {
            .size = sizeof layer, .name = "give", .arg = &codes[i], .on_request = give};
        svc_app *app = quiet();
        svc_app_use(app, &layer);
        add_route(app, "/", NULL);
        cr_expect_eq(ask(app, "GET", "/", NULL, NULL), 500, "%d", codes[i]);
        svc_app_free(app);
    }
}

static int fail_response(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)res, (void)layer;
    return SVC_EINVAL;
}

Test(middleware, a_failing_way_out_is_a_500)
{
    static const svc_middleware layer = {
        .size = sizeof layer, .name = "fail", .on_response = fail_response};
    svc_app *app = quiet();
    svc_app_use(app, &layer);
    add_route(app, "/", NULL);
    cr_expect_eq(ask(app, "GET", "/", NULL, NULL), 500);
    svc_app_free(app);
}

/* ---- Bodies */

struct seen {
    size_t pieces, bytes;
};

static int count_piece(svc_request *req, svc_response *res, const svc_layer *layer,
                       svc_piece *piece)
{
    struct seen *seen = layer->state;
    (void)req, (void)res;
    seen->pieces++;
    seen->bytes += piece->len;
    if (piece->last) {
        char text[64];
        snprintf(text, sizeof text, "%zu/%zu", (size_t)(seen->pieces > 1), seen->bytes);
        note("pieces:", text);
    }
    return SVC_PASS;
}

static int shout(svc_request *req, svc_response *res, const svc_layer *layer, svc_piece *piece)
{
    (void)res, (void)layer;
    char *copy = svc_request_alloc(req, piece->len + 1);
    for (size_t i = 0; i < piece->len; i++)
        copy[i] = (char)(piece->data[i] - 'a' + 'A');
    piece->data = copy;
    return SVC_PASS;
}

Test(middleware, bodies_are_seen_in_pieces_and_whole_and_may_be_changed)
{
    static const svc_middleware pieces = {.size = sizeof pieces,
                                          .name = "pieces",
                                          .flags = SVC_BODY_PIECES,
                                          .state_size = sizeof(struct seen),
                                          .on_body = count_piece};
    static const svc_middleware upper = {.size = sizeof upper, .name = "shout", .on_body = shout};
    static char body[40001], echoed[40001];
    memset(body, 'x', sizeof body - 1);
    svc_app *app = quiet();
    svc_app_use(app, &pieces);
    svc_app_use(app, &upper);
    add_route(app, "POST /", NULL);
    cr_expect_eq(ask(app, "POST", "/", body, echoed), 200);
    cr_expect_str_eq(trace, "pieces:1/40000 handler ");
    cr_expect_eq(strspn(echoed, "X"), 40000);
    svc_app_free(app);
}

static int refuse_body(svc_request *req, svc_response *res, const svc_layer *layer,
                       svc_piece *piece)
{
    (void)req, (void)layer, (void)piece;
    svc_response_problem(res, 422, "not this body");
    return SVC_ANSWERED;
}

Test(middleware, a_body_can_be_refused)
{
    static const svc_middleware layer = {
        .size = sizeof layer, .name = "refuse", .on_body = refuse_body};
    svc_app *app = quiet();
    svc_app_use(app, &layer);
    add_route(app, "POST /", NULL);
    cr_expect_eq(ask(app, "POST", "/", "body", NULL), 422);
    cr_expect_str_eq(trace, "");
    cr_expect_eq(ask(app, "POST", "/", NULL, NULL), 200, "there is no body to refuse");
    svc_app_free(app);
}

/* Doubles each byte of what it wraps. */
struct doubler {
    svc_source inner;
    char pending;
    bool has_pending;
};

static int64_t read_double(void *state, char *data, size_t len)
{
    struct doubler *doubler = state;
    (void)len;
    if (doubler->has_pending) {
        data[0] = doubler->pending;
        doubler->has_pending = false;
        return 1;
    }
    int64_t n = doubler->inner.read(doubler->inner.state, &doubler->pending, 1);
    doubler->has_pending = n == 1;
    data[0] = doubler->pending;
    return n;
}

static void close_double(void *state)
{
    struct doubler *doubler = state;
    if (doubler->inner.close)
        doubler->inner.close(doubler->inner.state);
    note("closed", "");
}

static int wrap(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)layer;
    struct doubler *doubler = svc_request_alloc(req, sizeof *doubler);
    *doubler = (struct doubler){.inner = SVC_SOURCE_INIT, .has_pending = false};
    int error = svc_response_take_source(res, &doubler->inner);
    svc_source source = SVC_SOURCE_INIT;
    source.length = doubler->inner.length * 2;
    source.read = read_double;
    source.close = close_double;
    source.state = doubler;
    return error ? error : svc_response_source(res, svc_response_status(res), NULL, &source);
}

Test(middleware, a_response_body_can_be_wrapped_whatever_it_is)
{
    static const svc_middleware layer = {.size = sizeof layer, .name = "wrap", .on_response = wrap};
    char body[64];
    svc_app *app = quiet();
    svc_app_use(app, &layer);
    add_route(app, "POST /", NULL);
    cr_expect_eq(ask(app, "POST", "/", "abc", body), 200);
    cr_expect_str_eq(body, "aabbcc");
    cr_expect_str_eq(trace, "handler closed ");
    svc_app_free(app);
}

/* ---- Waiting */

struct waiting {
    int times;
    pthread_t thread;
    svc_request *req;
};

static int resumed_with; /* what the last svc_request_resume returned */

static void *resume_soon(void *arg)
{
    struct waiting *waiting = arg;
    resumed_with = svc_request_resume(waiting->req);
    return NULL;
}

static int wait_twice(svc_request *req, svc_response *res, const svc_layer *layer)
{
    struct waiting *waiting = layer->state;
    (void)res;
    if (waiting->times > 0)
        pthread_join(waiting->thread, NULL);
    if (waiting->times++ == 2)
        return SVC_PASS;
    waiting->req = req;
    cr_assert_eq(pthread_create(&waiting->thread, NULL, resume_soon, waiting), 0);
    return SVC_WAIT;
}

Test(middleware, a_layer_may_wait_again_and_again)
{
    static const svc_middleware layer = {.size = sizeof layer,
                                         .name = "wait",
                                         .state_size = sizeof(struct waiting),
                                         .on_request = wait_twice};
    char body[16];
    svc_app *app = quiet();
    svc_app_use(app, &tracer_a);
    svc_app_use(app, &layer);
    add_route(app, "POST /", NULL);
    cr_expect_eq(ask(app, "POST", "/", "kept", body), 200);
    cr_expect_str_eq(body, "kept");
    cr_expect_eq(resumed_with, 0);
    cr_expect_str_eq(trace, "request:a handler response:a done:a ");
    svc_app_free(app);
}

static void *resume_late(void *arg)
{
    svc_request *req = arg;
    while (!svc_request_cancelled(req))
        continue;
    resumed_with = svc_request_resume(req); /* about when the deadline is answered */
    return NULL;
}

static pthread_t late_thread;

static int wait_long(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)res;
    int *times = layer->state;
    if ((*times)++)
        return SVC_PASS;
    cr_assert_eq(pthread_create(&late_thread, NULL, resume_late, req), 0);
    return SVC_WAIT;
}

Test(middleware, who_waits_too_long_is_answered_504_or_just_in_time)
{
    static const svc_middleware layer = {
        .size = sizeof layer, .name = "late", .state_size = sizeof(int), .on_request = wait_long};
    svc_app *app = quiet_within(200);
    svc_app_use(app, &layer);
    add_route(app, "/", NULL);
    int status = ask(app, "GET", "/", NULL, NULL);
    pthread_join(late_thread, NULL);
    /* A resume in time is no promise: the deadline may pass before the layer's turn comes. */
    cr_expect(status == 504 || (status == 200 && resumed_with == 0), "%d with %d", status,
              resumed_with);
    svc_app_free(app);
}
