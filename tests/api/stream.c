/* Bodies that never lie in memory whole. */
#include <criterion/criterion.h>
#include <ctype.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

enum { LARGE = 3 << 20 };
static char *large;

static void make_large(void)
{
    large = malloc(LARGE);
    for (size_t i = 0; i < LARGE; i++)
        large[i] = (char)(i * 31 + i / 4096);
}

/* ---- In, on a worker */

static size_t total;
static int64_t last;
static bool equal;

static int count_body(svc_request *req, svc_response *res)
{
    char data[10000];
    int64_t n;
    total = 0;
    equal = true;
    while ((n = svc_request_read(req, data, sizeof data)) > 0) {
        equal = equal && large && !memcmp(data, large + total, (size_t)n);
        total += (size_t)n;
    }
    last = n;
    return n < 0 ? (int)n : svc_response_text(res, 200, "counted");
}

static svc_app *make(svc_handler *handler, unsigned flags, const svc_middleware *layer)
{
    static const svc_middleware *layers[] = {NULL, NULL};
    svc_app *app = svc_app_new("test");
    svc_route route = SVC_ROUTE_INIT;
    layers[0] = layer;
    route.pattern = "/";
    route.handler = handler;
    route.flags = flags;
    route.max_body = 16 << 20;
    route.middleware = layer ? layers : NULL;
    svc_app_route(app, &route);
    return app;
}

static svc_reply *send(svc_app *app, const void *body, size_t len)
{
    svc_test test = SVC_TEST_INIT;
    test.method = "POST";
    test.body = body;
    test.body_len = len;
    return svc_app_test(app, &test);
}

Test(stream, a_large_body_passes_through_a_worker, .init = make_large)
{
    svc_app *app = make(count_body, SVC_STREAM_BODY | SVC_BLOCKING, NULL);
    svc_reply *reply = send(app, large, LARGE);
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_eq(total, LARGE);
    cr_expect(equal);
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(stream, without_a_body_the_end_comes_at_once)
{
    svc_app *app = make(count_body, SVC_STREAM_BODY | SVC_BLOCKING, NULL);
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_eq(total, 0);
    svc_reply_free(reply);
    svc_app_free(app);
}

static int answer_early(svc_request *req, svc_response *res)
{
    char data[16];
    cr_expect_eq(svc_request_length(req), LARGE);
    cr_expect_gt(svc_request_read(req, data, sizeof data), 0);
    return svc_response_text(res, 422, "enough");
}

Test(stream, an_answer_may_come_early, .init = make_large)
{
    svc_app *app = make(answer_early, SVC_STREAM_BODY | SVC_BLOCKING, NULL);
    svc_reply *reply = send(app, large, LARGE);
    cr_expect_eq(svc_reply_status(reply), 422);
    svc_reply_free(reply);
    svc_app_free(app);
}

static int read_undeclared(svc_request *req, svc_response *res)
{
    cr_expect_eq(svc_request_length(req), SVC_LENGTH_UNKNOWN);
    return count_body(req, res);
}

Test(stream, a_body_of_unknown_length_is_refused_once_it_is_over_the_limit)
{
    static const char *const headers[] = {"Transfer-Encoding", "chunked", NULL};
    svc_app *app = svc_app_new("test");
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "/";
    route.handler = read_undeclared;
    route.flags = SVC_STREAM_BODY | SVC_BLOCKING;
    route.max_body = 1000000;
    svc_app_route(app, &route);
    make_large();
    svc_test test = SVC_TEST_INIT;
    test.method = "POST";
    test.headers = headers;
    test.body = large;
    test.body_len = LARGE;
    svc_reply *reply = svc_app_test(app, &test);
    cr_expect_eq(svc_reply_status(reply), 413);
    svc_reply_free(reply);
    svc_app_free(app);
    cr_expect_eq(last, SVC_ETOOBIG);
    cr_expect_leq(total, 1000000);
}

/* ---- In, on the loop */

struct reader {
    svc_pending *pending;
    svc_request *req;
    size_t total;
};

static void finish(struct reader *reader, int status)
{
    char text[32];
    svc_request_on_data(reader->req, NULL, NULL);
    svc_response *res = svc_response_new();
    snprintf(text, sizeof text, "%zu", reader->total);
    svc_response_text(res, status, text);
    svc_pending_complete(reader->pending, res);
    svc_pending_unref(reader->pending);
}

static void read_more(void *arg)
{
    struct reader *reader = arg;
    char data[4096];
    int64_t n;
    while ((n = svc_request_try_read(reader->req, data, sizeof data)) > 0)
        reader->total += (size_t)n;
    if (n != SVC_EAGAIN)
        finish(reader, n ? 500 : 200);
}

static int read_on_loop(svc_request *req, svc_response *res)
{
    char byte;
    (void)res;
    cr_expect_eq(svc_request_read(req, &byte, 1), SVC_ESTATE);
    struct reader *reader = svc_request_alloc(req, sizeof *reader);
    if (!reader)
        return SVC_ENOMEM;
    *reader = (struct reader){svc_request_defer(req, NULL, NULL), req, 0};
    if (!reader->pending)
        return SVC_ENOMEM;
    svc_request_on_data(req, read_more, reader);
    read_more(reader);
    return 0;
}

Test(stream, a_handler_on_the_loop_reads_what_is_there, .init = make_large)
{
    svc_app *app = make(read_on_loop, SVC_STREAM_BODY, NULL);
    svc_reply *reply = send(app, large, LARGE);
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_str_eq(svc_reply_body(reply, NULL), "3145728");
    svc_reply_free(reply);
    svc_app_free(app);
}

/* ---- Layers */

static int shout(svc_request *req, svc_response *res, const svc_layer *layer, svc_piece *piece)
{
    (void)res, (void)layer;
    char *copy = svc_request_alloc(req, 2 * piece->len + 1);
    if (!copy)
        return SVC_ENOMEM;
    for (size_t i = 0; i < piece->len; i++)
        copy[2 * i] = copy[2 * i + 1] = (char)toupper((unsigned char)piece->data[i]);
    size_t len = 2 * piece->len;
    if (piece->last)
        copy[len++] = '!';
    piece->data = copy;
    piece->len = len;
    return SVC_PASS;
}

static int echo(svc_request *req, svc_response *res)
{
    char data[64];
    size_t len = 0;
    int64_t n;
    while ((n = svc_request_read(req, data + len, 3)) > 0)
        len += (size_t)n;
    return n < 0 ? (int)n : svc_response_copy(res, 200, "text/plain", data, len);
}

Test(stream, layers_change_the_pieces_that_the_handler_reads)
{
    static const svc_middleware layer = {
        .size = sizeof layer, .name = "shout", .flags = SVC_BODY_PIECES, .on_body = shout};
    svc_app *app = make(echo, SVC_STREAM_BODY | SVC_BLOCKING, &layer);
    svc_reply *reply = send(app, "abcdefg", 7);
    cr_expect_str_eq(svc_reply_body(reply, NULL), "AABBCCDDEEFFGG!");
    svc_reply_free(reply);
    svc_app_free(app);
}

static int refuse(svc_request *req, svc_response *res, const svc_layer *layer, svc_piece *piece)
{
    (void)req, (void)layer, (void)piece;
    svc_response_problem(res, 415, "not such a body");
    return SVC_ANSWERED;
}

Test(stream, a_layer_may_refuse_a_piece)
{
    static const svc_middleware layer = {
        .size = sizeof layer, .name = "refuse", .flags = SVC_BODY_PIECES, .on_body = refuse};
    svc_app *app = make(count_body, SVC_STREAM_BODY | SVC_BLOCKING, &layer);
    svc_reply *reply = send(app, "abcdefg", 7);
    cr_expect_eq(svc_reply_status(reply), 415);
    cr_expect_eq(last, SVC_ECANCELLED);
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(stream, a_layer_that_wants_the_whole_body_refuses_the_start)
{
    static const svc_middleware layer = {.size = sizeof layer, .name = "whole", .on_body = shout};
    svc_app *app = make(count_body, SVC_STREAM_BODY | SVC_BLOCKING, &layer);
    cr_expect_null(svc_app_test_get(app, "/"));
    cr_expect_not_null(strstr(svc_app_errors(app), "middleware \"whole\" wants the whole body"));
    svc_app_free(app);
}

Test(stream, other_routes_have_no_stream)
{
    svc_app *app = make(count_body, SVC_BLOCKING, NULL);
    svc_reply_free(svc_app_test_get(app, "/"));
    cr_expect_eq(last, SVC_ESTATE);
    svc_app_free(app);
}

/* ---- Out */

static int write_large(svc_pipe *pipe, void *arg)
{
    (void)arg;
    return svc_pipe_write(pipe, large, LARGE);
}

static int answer_writer(svc_request *req, svc_response *res)
{
    return svc_response_writer(res, 200, "application/octet-stream", write_large, req);
}

static void expect_large(svc_app *app)
{
    size_t len;
    svc_reply *reply = svc_app_test_get(app, "/");
    const char *body = svc_reply_body(reply, &len);
    cr_expect_eq(svc_reply_outcome(reply), SVC_COMPLETE);
    cr_expect_eq(len, LARGE);
    cr_expect(len == LARGE && !memcmp(body, large, LARGE));
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(stream, a_writer_on_a_worker_fills_the_answer, .init = make_large)
{
    expect_large(make(answer_writer, 0, NULL));
}

static void *write_from_thread(void *arg)
{
    svc_pipe *pipe = arg;
    svc_pipe_end(pipe, svc_pipe_write(pipe, large, LARGE));
    svc_pipe_unref(pipe);
    return NULL;
}

static pthread_t writer;

static int answer_pipe(svc_request *req, svc_response *res)
{
    (void)req;
    svc_pipe *pipe = svc_pipe_new(1000);
    if (!pipe || pthread_create(&writer, NULL, write_from_thread, svc_pipe_ref(pipe)))
        return SVC_ENOMEM;
    return svc_response_pipe(res, 200, NULL, pipe);
}

Test(stream, any_thread_fills_the_answer, .init = make_large)
{
    expect_large(make(answer_pipe, 0, NULL));
    pthread_join(writer, NULL);
}

static int write_and_fail(svc_pipe *pipe, void *arg)
{
    (void)arg;
    int error = svc_pipe_write(pipe, "half", 4);
    return error ? error : SVC_ESYSTEM;
}

static int answer_half(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_writer(res, 200, NULL, write_and_fail, NULL);
}

Test(stream, a_writer_that_fails_cuts_the_answer)
{
    svc_app *app = make(answer_half, SVC_BLOCKING, NULL);
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_eq(svc_reply_outcome(reply), SVC_CUT);
    svc_reply_free(reply);
    svc_app_free(app);
}

static int answer_bad(svc_request *req, svc_response *res)
{
    (void)req;
    cr_expect_eq(svc_response_pipe(res, 99, NULL, svc_pipe_new(0)), SVC_EINVAL);
    cr_expect_eq(svc_response_writer(res, 200, NULL, NULL, NULL), SVC_EINVAL);
    return svc_response_text(res, 200, "no stream");
}

Test(stream, what_cannot_be_answered_is_refused)
{
    svc_app *app = make(answer_bad, 0, NULL);
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_str_eq(svc_reply_body(reply, NULL), "no stream");
    svc_reply_free(reply);
    svc_app_free(app);
}

/* ---- Out, by a source that waits */

/* What a thread gives to a source, a letter at a time. */
struct letters {
    svc_waker *waker;
    _Atomic int given, taken;
    bool ends; /* else it goes away without having given all of them */
};

enum { LETTERS = 5 };

static int64_t read_letter(void *state, char *data, size_t len)
{
    struct letters *letters = state;
    cr_assert_gt(len, 0);
    if (letters->taken == LETTERS)
        return 0;
    if (letters->taken == letters->given)
        return SVC_EAGAIN;
    *data = (char)('a' + letters->taken++);
    return 1;
}

/* Each only when the one before has been taken, so that the source waits for each. */
static void *give_letters(void *arg)
{
    struct letters *letters = arg;
    svc_waker *waker = letters->waker;
    for (int i = 0; i < (letters->ends ? LETTERS : LETTERS / 2); i++) {
        while (letters->taken < i)
            sched_yield();
        letters->given++;
        svc_waker_wake(waker);
    }
    svc_waker_unref(waker);
    return NULL;
}

static struct letters letters;
static pthread_t giver;

static int set_letters(svc_response *res)
{
    svc_source source = SVC_SOURCE_INIT;
    source.read = read_letter;
    source.state = &letters;
    letters.waker = svc_response_waker(res);
    cr_assert(letters.waker);
    cr_assert_not(pthread_create(&giver, NULL, give_letters, &letters));
    return svc_response_source(res, 200, "text/plain", &source);
}

static int answer_letters(svc_request *req, svc_response *res)
{
    (void)req;
    return set_letters(res);
}

static void expect_letters(svc_app *app, int outcome, const char *body)
{
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_eq(svc_reply_outcome(reply), outcome);
    cr_expect_str_eq(svc_reply_body(reply, NULL), body);
    pthread_join(giver, NULL);
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(stream, a_source_that_has_nothing_is_woken_by_any_thread)
{
    letters.ends = true;
    expect_letters(make(answer_letters, 0, NULL), SVC_COMPLETE, "abcde");
}

Test(stream, a_source_that_nobody_can_wake_any_more_is_cut)
{
    expect_letters(make(answer_letters, 0, NULL), SVC_CUT, "ab");
}

static int answer_letters_later(svc_request *req, svc_response *res)
{
    (void)res;
    svc_pending *pending = svc_request_defer(req, NULL, NULL);
    svc_response *later = svc_response_new();
    cr_expect_eq(set_letters(later), 0);
    cr_expect_eq(svc_pending_complete(pending, later), 0);
    svc_pending_unref(pending);
    return 0;
}

Test(stream, the_source_of_a_deferred_answer_is_woken)
{
    letters.ends = true;
    expect_letters(make(answer_letters_later, 0, NULL), SVC_COMPLETE, "abcde");
}

static int64_t read_capital(void *state, char *data, size_t len)
{
    svc_source *inner = state;
    int64_t n = inner->read(inner->state, data, len);
    for (int64_t i = 0; i < n; i++)
        data[i] = (char)toupper((unsigned char)data[i]);
    return n;
}

static void close_capital(void *state)
{
    svc_source *inner = state;
    if (inner->close)
        inner->close(inner->state);
}

/* Knows nothing of the waker. */
static int wrap_source(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)layer;
    svc_source *inner = svc_request_alloc(req, sizeof *inner), outer = SVC_SOURCE_INIT;
    *inner = (svc_source)SVC_SOURCE_INIT;
    cr_assert_not(svc_response_take_source(res, inner));
    outer.read = read_capital;
    outer.close = close_capital;
    outer.state = inner;
    return svc_response_source(res, svc_response_status(res), NULL, &outer);
}

static const svc_middleware wraps = {
    .size = sizeof wraps, .name = "wraps", .on_response = wrap_source};

Test(stream, a_source_that_is_wrapped_is_woken)
{
    letters.ends = true;
    expect_letters(make(answer_letters, 0, &wraps), SVC_COMPLETE, "ABCDE");
}

static int write_letters(svc_pipe *pipe, void *arg)
{
    (void)arg;
    return svc_pipe_write(pipe, "abcde", 5);
}

static int answer_written(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_writer(res, 200, "text/plain", write_letters, NULL);
}

static void expect_body(svc_app *app, const char *body)
{
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_eq(svc_reply_outcome(reply), SVC_COMPLETE);
    cr_expect_str_eq(svc_reply_body(reply, NULL), body);
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(stream, a_writer_whose_source_is_wrapped_is_called)
{
    expect_body(make(answer_written, 0, &wraps), "ABCDE");
}

/* In the place of what was written. */
static int replace_source(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)layer;
    svc_source inner = SVC_SOURCE_INIT;
    cr_assert_not(svc_response_take_source(res, &inner));
    inner.close(inner.state);
    return svc_response_text(res, 200, "vwxyz");
}

static const svc_middleware replaces = {
    .size = sizeof replaces, .name = "replaces", .on_response = replace_source};

Test(stream, a_writer_whose_source_is_closed_is_not_called)
{
    expect_body(make(answer_written, 0, &replaces), "vwxyz");
}

static int64_t read_never(void *state, char *data, size_t len)
{
    (void)state, (void)data, (void)len;
    return SVC_EAGAIN;
}

static int answer_never(svc_request *req, svc_response *res)
{
    (void)req;
    svc_source source = SVC_SOURCE_INIT;
    source.read = read_never;
    return svc_response_source(res, 200, NULL, &source);
}

Test(stream, a_source_that_has_nothing_and_no_waker_is_cut)
{
    svc_app *app = make(answer_never, 0, NULL);
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_eq(svc_reply_outcome(reply), SVC_CUT);
    svc_reply_free(reply);
    svc_app_free(app);
}

static svc_waker *kept_waker;

static int answer_and_keep(svc_request *req, svc_response *res)
{
    (void)req;
    kept_waker = svc_response_waker(res);
    return svc_response_text(res, 200, "no stream");
}

Test(stream, a_waker_may_outlive_all_that_it_could_wake)
{
    svc_app *app = make(answer_and_keep, 0, NULL);
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_str_eq(svc_reply_body(reply, NULL), "no stream");
    svc_reply_free(reply);
    svc_waker_wake(kept_waker);
    svc_app_free(app);
    svc_waker_wake(kept_waker);
    cr_expect_eq(svc_waker_ref(kept_waker), kept_waker);
    svc_waker_unref(kept_waker);
    svc_waker_unref(kept_waker);
    svc_waker_unref(NULL);
    svc_response *res = svc_response_new();
    kept_waker = svc_response_waker(res);
    svc_response_free(res);
    svc_waker_wake(kept_waker);
    svc_waker_unref(kept_waker);
}

/* ---- Both ways at a time */

static int pass_body(svc_request *req, svc_response *res, const svc_layer *layer, svc_piece *piece)
{
    (void)req, (void)res, (void)layer, (void)piece;
    return SVC_PASS;
}

static svc_request *duplex; /* whose body the writer reads */

static int echo_pieces(svc_pipe *pipe, void *arg)
{
    (void)arg;
    char data[1000];
    int64_t n, error = 0;
    while (error >= 0 && (n = svc_request_read(duplex, data, sizeof data)) > 0)
        error = svc_pipe_write(pipe, data, (size_t)n);
    return error < 0 ? (int)error : (int)n;
}

static int echo_while_read(svc_request *req, svc_response *res)
{
    duplex = req;
    return svc_response_writer(res, 200, "text/plain", echo_pieces, NULL);
}

Test(stream, a_body_is_read_on_while_the_reply_goes_out, .init = make_large)
{
    size_t len;
    svc_app *app = make(echo_while_read, SVC_DUPLEX, NULL);
    svc_reply *reply = send(app, large, LARGE); /* more than both pipes hold */
    const char *body = svc_reply_body(reply, &len);
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_eq(svc_reply_outcome(reply), SVC_COMPLETE);
    cr_expect(len == LARGE && !memcmp(body, large, LARGE));
    svc_reply_free(reply);
    svc_app_free(app);
}

static int read_over_limit(svc_pipe *pipe, void *arg)
{
    (void)arg;
    char data[10000];
    while ((last = svc_request_read(duplex, data, sizeof data)) > 0)
        continue;
    int64_t written = svc_pipe_write(pipe, "over", 4);
    return written < 0 ? (int)written : 0;
}

static int answer_while_read(svc_request *req, svc_response *res)
{
    duplex = req;
    return svc_response_writer(res, 200, "text/plain", read_over_limit, NULL);
}

Test(stream, a_body_over_its_limit_ends_the_reading_and_not_the_reply, .init = make_large)
{
    svc_app *app = svc_app_new("test");
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "/";
    route.handler = answer_while_read;
    route.flags = SVC_DUPLEX;
    route.max_body = 1 << 20;
    svc_app_route(app, &route);
    svc_test test = SVC_TEST_INIT;
    test.method = "POST";
    test.headers = (const char *const[]){"Transfer-Encoding", "chunked", NULL};
    test.body = large;
    test.body_len = LARGE;
    svc_reply *reply = svc_app_test(app, &test);
    cr_expect_eq(last, SVC_ETOOBIG);
    cr_expect_str_eq(svc_reply_body(reply, NULL), "over");
    svc_reply_free(reply);
    svc_app_free(app);
}

static int read_when_late(svc_pipe *pipe, void *arg)
{
    char data[1000];
    (void)arg;
    while (!svc_request_cancelled(duplex))
        sched_yield();
    while ((last = svc_request_read(duplex, data, sizeof data)) > 0)
        continue;
    return svc_pipe_write(pipe, "late", 4);
}

static int answer_late(svc_request *req, svc_response *res)
{
    duplex = req;
    return svc_response_writer(res, 200, "text/plain", read_when_late, NULL);
}

Test(stream, a_deadline_ends_the_reading_and_not_the_reply, .init = make_large)
{
    svc_app *app = svc_app_new("test");
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "/";
    route.handler = answer_late;
    route.flags = SVC_DUPLEX;
    route.max_body = LARGE;
    route.timeout_ms = 1000; /* for a worker to begin */
    svc_app_route(app, &route);
    svc_reply *reply = send(app, large, LARGE);
    cr_expect_eq(last, SVC_ECANCELLED);
    cr_expect_eq(svc_reply_outcome(reply), SVC_COMPLETE);
    cr_expect_str_eq(svc_reply_body(reply, NULL), "late");
    svc_reply_free(reply);
    svc_app_free(app);
}

static void *echo_later(void *arg)
{
    svc_pending *pending = arg;
    svc_pipe *pipe = svc_pipe_new(0);
    svc_response *answer = svc_response_new();
    svc_response_pipe(answer, 200, "text/plain", svc_pipe_ref(pipe));
    svc_pending_complete(pending, answer);
    duplex = svc_pending_request(pending);
    svc_pipe_end(pipe, echo_pieces(pipe, NULL));
    svc_pipe_unref(pipe);
    svc_pending_unref(pending);
    return NULL;
}

static pthread_t duplex_thread;

static int echo_from_thread(svc_request *req, svc_response *res)
{
    (void)res;
    svc_pending *pending = svc_request_defer(req, NULL, NULL);
    return pthread_create(&duplex_thread, NULL, echo_later, pending) ? SVC_ESYSTEM : 0;
}

Test(stream, a_body_is_read_on_when_the_deferred_answer_is_complete, .init = make_large)
{
    size_t len;
    svc_app *app = make(echo_from_thread, SVC_DUPLEX, NULL);
    svc_reply *reply = send(app, large, LARGE);
    pthread_join(duplex_thread, NULL);
    const char *body = svc_reply_body(reply, &len);
    cr_expect(len == LARGE && !memcmp(body, large, LARGE));
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(stream, both_ways_at_a_time_allow_no_layer_for_the_body)
{
    static const svc_middleware pieces = {
        .size = sizeof pieces, .name = "pieces", .flags = SVC_BODY_PIECES, .on_body = pass_body};
    svc_app *app = make(echo_while_read, SVC_DUPLEX, &pieces);
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_null(reply);
    cr_expect(strstr(svc_app_errors(app), "reads while it answers"), "%s", svc_app_errors(app));
    svc_app_free(app);
}

Test(stream, both_ways_at_a_time_are_refused_where_the_protocol_cannot)
{
    svc_app *app = make(echo_while_read, SVC_DUPLEX, NULL);
    svc_config config = SVC_CONFIG_INIT;
    config.listen = "127.0.0.1:0";
    config.admin_listen = "";
    svc_app_configure(app, &config);
    cr_expect_eq(svc_app_start(app), SVC_EROUTES);
    cr_expect(strstr(svc_app_errors(app), "SVC_DUPLEX"), "%s", svc_app_errors(app));
    svc_app_free(app);
}
