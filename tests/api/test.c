/* svc_app_test itself: it ends whatever the app does, and has the client that a test wants. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* For what never comes: the test takes that long. */
enum { SOON_MS = 50, LONG_MS = 3600000 };

static svc_app *app;
static int done_outcome, done_count; /* as layers see it */
static sem_t over;                   /* something that a request left behind has ended */

static void note_done(svc_request *req, const svc_response *res, const svc_layer *layer,
                      const svc_done *done)
{
    (void)req, (void)res, (void)layer;
    done_outcome = (int)done->outcome;
    done_count++;
}

static const svc_middleware noting = {
    .size = sizeof noting, .name = "noting", .on_done = note_done};

static void open_app(void)
{
    svc_config config = SVC_CONFIG_INIT;
    config.request_timeout_ms = LONG_MS;
    config.worker_queue_ms = LONG_MS;
    app = svc_app_new("test");
    svc_app_configure(app, &config);
    svc_app_use(app, &noting);
    sem_init(&over, 0, 0);
}

static void close_app(void)
{
    svc_app_free(app);
}

TestSuite(test, .init = open_app, .fini = close_app);

static svc_reply *run(const svc_test *test)
{
    svc_reply *reply = svc_app_test(app, test);
    cr_assert(reply, "%s", svc_app_errors(app));
    return reply;
}

static svc_reply *run_for(unsigned ms, const void *body, size_t len)
{
    svc_test test = SVC_TEST_INIT;
    test.timeout_ms = ms;
    test.body = body;
    test.body_len = len;
    return run(&test);
}

/* The client has left with `status`, and read `len` bytes. */
static void expect_left(svc_reply *reply, int status, size_t len)
{
    size_t got;
    svc_reply_body(reply, &got);
    cr_expect_eq(svc_reply_status(reply), status, "%d", svc_reply_status(reply));
    cr_expect_eq(svc_reply_outcome(reply), SVC_CLIENT_GONE, "%d", svc_reply_outcome(reply));
    cr_expect_eq(got, len, "%zu bytes", got);
    svc_reply_free(reply);
}

static void route(svc_handler *handler, unsigned flags, const svc_middleware *layer)
{
    static const svc_middleware *layers[2];
    svc_route route = SVC_ROUTE_INIT;
    layers[0] = layer;
    route.pattern = "/";
    route.handler = handler;
    route.flags = flags;
    route.middleware = layers;
    cr_assert_eq(svc_app_route(app, &route), 0);
}

/* ---- Replies that do not end */

static bool closed;

static int64_t read_for_ever(void *state, char *data, size_t len)
{
    (void)state;
    memset(data, 'x', len);
    return (int64_t)len;
}

static void close_source(void *state)
{
    (void)state;
    closed = true;
}

static int answer_for_ever(svc_request *req, svc_response *res)
{
    (void)req;
    svc_source source = SVC_SOURCE_INIT;
    source.read = read_for_ever;
    source.close = close_source;
    return svc_response_source(res, 200, NULL, &source);
}

static int write_for_ever(svc_pipe *pipe, void *arg)
{
    static const char piece[1000] = "x";
    int error;
    (void)arg;
    while ((error = svc_pipe_write(pipe, piece, sizeof piece)) == 0)
        continue;
    sem_post(&over);
    return error;
}

static int answer_writer(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_writer(res, 200, NULL, write_for_ever, NULL);
}

Test(test, the_client_leaves_an_endless_body_when_it_has_read_enough)
{
    static const size_t lengths[] = {0, 1, 1000, 16384, 100000};
    svc_app_get(app, "/source", answer_for_ever, NULL);
    svc_app_get(app, "/writer", answer_writer, NULL);
    for (size_t i = 0; i < ROWS(lengths); i++) {
        svc_test test = SVC_TEST_INIT;
        test.timeout_ms = LONG_MS;
        test.max_reply_bytes = lengths[i];
        test.target = "/source";
        expect_left(run(&test), 200, lengths[i]);
        cr_expect(closed);
        cr_expect_eq(done_outcome, SVC_CLIENT_GONE);
        test.target = "/writer";
        expect_left(run(&test), 200, lengths[i]);
        sem_wait(&over); /* its writer was told */
    }
    cr_expect_eq(done_count, 2 * (int)ROWS(lengths));
}

/* The usual test of it ends by itself. */
Test(test, without_any_limit_of_the_test_an_endless_body_ends)
{
    route(answer_writer, 0, NULL);
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_eq(svc_reply_outcome(reply), SVC_CLIENT_GONE);
    svc_reply_free(reply);
}

static int answer_text(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "0123456789");
}

Test(test, a_reply_of_just_the_length_is_whole)
{
    route(answer_text, 0, NULL);
    svc_test test = SVC_TEST_INIT;
    test.max_reply_bytes = 10;
    svc_reply *reply = run(&test);
    cr_expect_str_eq(svc_reply_body(reply, NULL), "0123456789");
    cr_expect_eq(svc_reply_outcome(reply), SVC_COMPLETE);
    svc_reply_free(reply);
    test.max_reply_bytes = 9;
    expect_left(run(&test), 200, 9);
    test.max_reply_bytes = (size_t)1 << 31;
    cr_expect_null(svc_app_test(app, &test), "more than a test may read");
}

/* ---- Replies that do not come */

static svc_pipe *silent;

static int answer_silence(svc_request *req, svc_response *res)
{
    (void)req;
    silent = svc_pipe_new(0);
    (void)!svc_pipe_try_write(silent, "first", 5);
    return svc_response_pipe(res, 200, NULL, svc_pipe_ref(silent));
}

Test(test, the_client_leaves_a_stream_that_falls_silent)
{
    route(answer_silence, 0, NULL);
    svc_reply *reply = run_for(SOON_MS, NULL, 0);
    cr_expect_str_eq(svc_reply_body(reply, NULL), "first");
    expect_left(reply, 200, 5);
    cr_expect_eq(done_outcome, SVC_CLIENT_GONE);
    cr_expect_eq(svc_pipe_try_write(silent, "x", 1), SVC_ECANCELLED);
    svc_pipe_unref(silent);
}

static void note_cancelled(svc_pending *pending, void *arg)
{
    (void)arg;
    sem_post(&over);
    svc_pending_unref(pending);
}

static int answer_never(svc_request *req, svc_response *res)
{
    (void)res;
    return svc_request_defer(req, note_cancelled, NULL) ? 0 : SVC_ENOMEM;
}

Test(test, the_client_leaves_an_answer_that_is_not_given)
{
    route(answer_never, 0, NULL);
    expect_left(run_for(SOON_MS, NULL, 0), 0, 0);
    sem_wait(&over);
    expect_left(run_for(0, NULL, 0), 0, 0);
    sem_wait(&over);
    cr_expect_eq(done_count, 2);
    cr_expect_eq(done_outcome, SVC_CLIENT_GONE);
}

static svc_request *waiting;

static int wait_for_ever(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)res, (void)layer;
    waiting = req;
    return SVC_WAIT;
}

Test(test, the_client_leaves_a_layer_that_waits)
{
    static const svc_middleware layer = {
        .size = sizeof layer, .name = "waits", .on_request = wait_for_ever};
    route(answer_text, 0, &layer);
    expect_left(run_for(SOON_MS, NULL, 0), 0, 0);
    cr_expect(svc_request_cancelled(waiting));
    cr_expect_eq(svc_request_resume(waiting), SVC_ELATE);
}

static int wait_and_resume(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)res, (void)layer;
    cr_assert_eq(svc_request_resume(req), 0);
    return SVC_WAIT;
}

Test(test, the_client_leaves_a_layer_that_goes_round_in_circles)
{
    static const svc_middleware layer = {
        .size = sizeof layer, .name = "circles", .on_request = wait_and_resume};
    route(answer_text, 0, &layer);
    expect_left(run_for(SOON_MS, NULL, 0), 0, 0);
}

static sem_t begun, release;

static int stay_on_worker(svc_request *req, svc_response *res)
{
    sem_post(&begun);
    sem_wait(&release);
    sem_post(&over);
    return svc_response_text(res, svc_request_cancelled(req) ? 500 : 200, "late");
}

Test(test, the_client_leaves_a_worker_and_a_body_that_nobody_reads)
{
    static char body[1 << 20];
    sem_init(&begun, 0, 0);
    sem_init(&release, 0, 0);
    static const unsigned flags[] = {SVC_BLOCKING, SVC_BLOCKING | SVC_STREAM_BODY};
    static const char *const targets[] = {"/whole", "/stream"};
    for (size_t i = 0; i < 2; i++) {
        svc_route route = SVC_ROUTE_INIT;
        route.pattern = targets[i];
        route.handler = stay_on_worker;
        route.flags = flags[i];
        route.max_body = sizeof body;
        svc_app_route(app, &route);
    }
    for (size_t i = 0; i < 2; i++) {
        svc_test test = SVC_TEST_INIT;
        test.method = "POST";
        test.target = targets[i];
        test.body = body;
        test.body_len = sizeof body;
        test.timeout_ms = SOON_MS;
        do
            expect_left(run(&test), 0, 0);
        while (sem_trywait(&begun)); /* a worker was not there by then */
        sem_post(&release);
        sem_wait(&over);
    }
}

/* The app is as good as before. */
Test(test, a_client_that_left_spoils_nothing)
{
    svc_app_get(app, "/never", answer_never, NULL);
    svc_app_get(app, "/text", answer_text, NULL);
    svc_app_get(app, "/endless", answer_writer, NULL);
    for (int i = 0; i < 3; i++) {
        svc_test test = SVC_TEST_INIT;
        test.timeout_ms = 1;
        test.target = i % 2 ? "/never" : "/endless";
        svc_reply *reply = run(&test);
        cr_expect_eq(svc_reply_outcome(reply), SVC_CLIENT_GONE);
        svc_reply_free(reply);
        reply = svc_app_test_get(app, "/text");
        cr_expect_eq(svc_reply_status(reply), 200);
        cr_expect_eq(svc_reply_outcome(reply), SVC_COMPLETE);
        svc_reply_free(reply);
    }
}

/* The deadline of the request is what it was, if it is earlier. */
Test(test, a_request_that_takes_too_long_is_answered_504)
{
    static const char *const headers[] = {"X-Request-Timeout", "20", NULL};
    route(answer_never, 0, NULL);
    svc_test test = SVC_TEST_INIT;
    test.headers = headers;
    test.timeout_ms = LONG_MS;
    svc_reply *reply = run(&test);
    cr_expect_eq(svc_reply_status(reply), 504);
    cr_expect_eq(svc_reply_outcome(reply), SVC_COMPLETE);
    svc_reply_free(reply);
}

/* ---- Clients of one's choice */

static int tell_peer(svc_request *req, svc_response *res)
{
    return svc_response_text(res, 200, svc_request_peer(req));
}

static svc_reply *ask_as(const char *peer)
{
    svc_test test = SVC_TEST_INIT;
    test.peer = peer;
    return svc_app_test(app, &test);
}

Test(test, the_peer_is_the_one_that_the_test_names)
{
    static const char *const rows[][2] = {{"192.0.2.1", "192.0.2.1"},
                                          {"2001:db8::1", "2001:db8::1"},
                                          {"2001:DB8:0:0::1", "2001:db8::1"},
                                          {"::ffff:192.0.2.1", "192.0.2.1"},
                                          {"::1", "::1"},
                                          {"unix", "unix"},
                                          {"test", "test"}};
    static const char *const bad[] = {
        "",           "x", "192.0.2", "192.0.2.0/24", "192.0.2.256", "[::1]", "192.0.2.1:80",
        "fe80::1%lo", NULL};
    route(tell_peer, 0, NULL);
    for (size_t i = 0; i < ROWS(rows); i++) {
        svc_reply *reply = ask_as(rows[i][0]);
        cr_expect_str_eq(svc_reply_body(reply, NULL), rows[i][1]);
        svc_reply_free(reply);
    }
    for (size_t i = 0; i < ROWS(bad); i++)
        cr_expect_null(ask_as(bad[i]), "%s", bad[i] ? bad[i] : "(none)");
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_str_eq(svc_reply_body(reply, NULL), "test");
    svc_reply_free(reply);
}

static char logged[64];

static bool take_line(const svc_log_record *record, void *arg)
{
    (void)arg;
    for (const svc_kv *item = record->items; item->key; item++)
        if (!strcmp(item->key, "peer"))
            strncpy(logged, item->value.text, sizeof logged - 1);
    return true;
}

static int status_of(const char *peer)
{
    svc_reply *reply = ask_as(peer);
    int status = svc_reply_status(reply);
    svc_reply_free(reply);
    return status;
}

Test(test, what_depends_on_the_client_depends_on_the_peer)
{
    static const char *const exempt[] = {"10.0.0.0/8", NULL};
    svc_rate_limit limit = SVC_RATE_LIMIT_INIT;
    limit.rate = 1;
    limit.period_s = 86400;
    limit.burst = 1;
    limit.exempt = exempt;
    svc_app_use(app, svc_rate_limit_new(app, &limit));
    svc_app_set_log_sink(app, take_line, NULL);
    route(answer_text, 0, NULL);
    cr_expect_eq(status_of("192.0.2.1"), 200);
    cr_expect_str_eq(logged, "192.0.2.1");
    cr_expect_eq(status_of("192.0.2.1"), 429);
    cr_expect_eq(status_of("192.0.2.2"), 200);
    cr_expect_eq(status_of("2001:db8::1"), 200);
    cr_expect_eq(status_of("2001:db8::2"), 429, "of the same network");
    for (int i = 0; i < 3; i++)
        cr_expect_eq(status_of("10.1.2.3"), 200);
}
