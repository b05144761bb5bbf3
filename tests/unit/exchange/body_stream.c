/* A body between its home and its reader: each byte once and in order, and no wake-up lost. */
#include "libsvc/exchange/body_stream.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include <svc/errors.h>
#include <svc/middleware.h>
#include <svc/pipe.h>

#include "libsvc/exchange/away.h"
#include "libsvc/run/reactor.h"
#include "tests/support/hand.h"
#include "tests/support/large.h"
#include "tests/support/starve.h"

enum { LARGE = 1 << 20, PIECE = 10007 };

static struct exchange *x;
static char *sent;      /* LARGE bytes */
static size_t received; /* bytes by read_some, each compared with `sent` */

static void open_exchange(void)
{
    hand_open();
    x = hand_exchange();
    x->framing.kind = BODY_CHUNKED;
    x->body.store.limit = UINT64_MAX;
    sent = large(LARGE);
    for (size_t i = 0; i < LARGE; i++)
        sent[i] = (char)(i * 31 + i / 251);
}

static void close_exchange(void)
{
    svc__exchange_unref(x);
    hand_close();
}

TestSuite(exchange_body_stream, .init = open_exchange, .fini = close_exchange);

static void begin_stream(void)
{
    cr_assert_eq(svc__body_stream_begin(x), 0);
}

/* The next `len` bytes of `sent`. */
static enum exchange_step push(size_t len)
{
    return svc__body_stream_push(x, sent + x->request.bytes_in, len);
}

static int64_t read_some(size_t len)
{
    static char *data;
    data = data ? data : large(LARGE);
    int64_t n = svc_request_try_read(&x->request, data, len);
    if (n > 0) {
        cr_assert_eq(memcmp(data, sent + received, (size_t)n), 0, "behind %zu bytes", received);
        received += (size_t)n;
    }
    return n;
}

static void fill(void)
{
    enum exchange_step step;
    while ((step = push(PIECE)) == EXCHANGE_BODY)
        continue;
    cr_assert_eq(step, EXCHANGE_FULL);
}

/* ---- Its beginning and its end */

Test(exchange_body_stream, of_a_request_without_a_body_is_at_its_end)
{
    x->framing.kind = BODY_NONE;
    begin_stream();
    cr_expect_eq(read_some(1), 0);
    cr_expect_eq(read_some(1), 0);
    cr_expect_eq(svc_request_length(&x->request), 0);
}

Test(exchange_body_stream, yields_every_byte_and_then_its_end_as_often_as_asked)
{
    begin_stream();
    cr_expect_eq(read_some(8), SVC_EAGAIN);
    for (size_t len = 1; len < 100; len++)
        cr_assert_eq(push(len), EXCHANGE_BODY);
    for (size_t len = 1; read_some(len) != SVC_EAGAIN;)
        len = len * 7 % 101;
    cr_expect_eq(received, 4950);
    cr_assert_eq(push(2), EXCHANGE_BODY);
    svc__body_stream_end(x);
    cr_expect_eq(read_some(1), 1);
    cr_expect_eq(read_some(8), 1);
    cr_expect_eq(read_some(8), 0);
    cr_expect_eq(read_some(8), 0);
}

Test(exchange_body_stream, without_memory_is_none)
{
    bool failed = true;
    for (int n = 0; failed; n++) {
        struct exchange *poor = hand_exchange();
        starve_after(n);
        int error = svc__body_stream_begin(poor);
        failed = starve_end();
        cr_expect_eq(error, failed ? SVC_ENOMEM : 0);
        cr_expect_eq(!poor->body.stream, failed);
        svc__exchange_unref(poor);
        cr_assert_lt(n, 8);
    }
    hand_exhaust(&x->arena);
    cr_expect_eq(svc__body_stream_begin(x), SVC_ENOMEM);
    cr_expect_null(x->body.stream);
}

/* The exchange has memory for the stream, but none to note that its pipe is to be freed. */
Test(exchange_body_stream, whose_pipe_could_not_be_freed_is_none)
{
    size_t size = (sizeof(struct body_stream) + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    x->arena.space = 0;
    x->arena.left = size;
    cr_expect_eq(svc__body_stream_begin(x), SVC_ENOMEM);
    cr_expect_eq(x->arena.left + x->arena.space, 0, "there was memory for the stream");
    cr_expect_null(x->body.stream);
}

Test(exchange_body_stream, has_the_length_that_the_client_declared)
{
    cr_expect_eq(svc_request_length(NULL), 0);
    cr_expect_eq(svc_request_length(&x->request), SVC_LENGTH_UNKNOWN);
    x->framing.kind = BODY_LENGTH;
    x->framing.length = 12345;
    cr_expect_eq(svc_request_length(&x->request), 12345);
}

Test(exchange_body_stream, is_refused_to_whom_there_is_none)
{
    char byte;
    cr_expect_eq(svc_request_try_read(&x->request, &byte, 1), SVC_ESTATE);
    cr_expect_eq(svc_request_read(&x->request, &byte, 1), SVC_ESTATE);
    cr_expect_eq(svc_request_on_data(&x->request, NULL, NULL), SVC_ESTATE);
    cr_expect_eq(svc_request_try_read(NULL, &byte, 1), SVC_ENOMEM);
    cr_expect_eq(svc_request_read(NULL, &byte, 1), SVC_ENOMEM);
    cr_expect_eq(svc_request_on_data(NULL, NULL, NULL), SVC_ENOMEM);
    svc__body_stream_stop(x, SVC_ECANCELLED);
    begin_stream();
    cr_assert_eq(push(1), EXCHANGE_BODY);
    cr_expect_eq(svc_request_try_read(&x->request, &byte, 0), SVC_EINVAL);
    struct svc_loop *before = svc__reactor_enter(&hand.loop);
    cr_expect_eq(svc_request_read(&x->request, &byte, 1), SVC_ESTATE, "a loop must not wait");
    cr_expect_eq(svc_request_try_read(&x->request, &byte, 1), 1);
    svc__reactor_enter(before);
}

/* ---- Its limit */

Test(exchange_body_stream, is_taken_up_to_its_limit_and_not_a_byte_more)
{
    x->body.store.limit = 1000;
    begin_stream();
    cr_expect_eq(push(999), EXCHANGE_BODY);
    cr_expect_eq(push(1), EXCHANGE_BODY);
    cr_expect_eq(read_some(2000), 1000);
    cr_expect_eq(push(1), EXCHANGE_OVER);
    cr_expect_eq(read_some(1), SVC_ETOOBIG);
    cr_expect_eq(read_some(1), SVC_ETOOBIG);
    cr_expect_eq(x->body.stream->ended, SVC_ETOOBIG);
    cr_expect_eq(x->request.bytes_in, 1001, "it has come all the same");
}

Test(exchange_body_stream, without_memory_for_a_piece_ends_with_that_error)
{
    begin_stream();
    starve_after(0);
    enum exchange_step step = push(100);
    cr_expect(starve_end());
    cr_expect_eq(step, EXCHANGE_BODY, "the rest is dropped");
    cr_expect_eq(read_some(100), SVC_ENOMEM);
    cr_expect_eq(push(100), EXCHANGE_BODY);
    cr_expect_eq(read_some(100), SVC_ENOMEM);
}

Test(exchange_body_stream, whose_reader_has_gone_is_never_full)
{
    begin_stream();
    svc_pipe_cancel(x->body.stream->pipe);
    while (x->request.bytes_in + PIECE <= LARGE)
        cr_assert_eq(push(PIECE), EXCHANGE_BODY);
    cr_expect_eq(hand.home.away, 0);
}

/* ---- Wake-ups */

Test(exchange_body_stream, that_is_full_takes_nothing_and_wakes_the_home_once_there_is_room)
{
    begin_stream();
    fill();
    uint64_t before = x->request.bytes_in;
    cr_expect_geq(before, SVC_PIPE_DEFAULT);
    cr_expect_lt(before, SVC_PIPE_DEFAULT + PIECE);
    cr_expect_eq(push(PIECE), EXCHANGE_FULL);
    cr_expect_eq(x->request.bytes_in, before);
    cr_expect_eq(hand.home.away, 1, "the waker holds the exchange");
    cr_expect_eq(read_some(1), 1);
    cr_expect_eq(hand.wakes, 0, "for so little");
    while (read_some(1000) > 0)
        continue;
    cr_expect_eq(hand.wakes, 1);
    svc__away_news(x);
    cr_expect_eq(hand.news, 1);
    cr_expect_eq(hand.home.away, 0);
    cr_expect_eq(push(PIECE), EXCHANGE_BODY);
    cr_expect_eq(read_some(PIECE), PIECE);
    cr_expect_eq(received, before + PIECE);
}

Test(exchange_body_stream, that_has_room_leaves_no_waker_armed)
{
    begin_stream();
    cr_assert_eq(push(PIECE), EXCHANGE_BODY);
    cr_expect_eq(hand.home.away, 0);
    cr_expect_eq(read_some(PIECE), PIECE);
    cr_expect_eq(hand.wakes, 0);
}

Test(exchange_body_stream, that_is_stopped_wakes_nobody_and_drops_what_it_holds)
{
    begin_stream();
    fill();
    svc__body_stream_stop(x, SVC_ECANCELLED);
    cr_expect_eq(hand.home.away, 0, "nobody waits for room any more");
    cr_expect_eq(read_some(1), SVC_ECANCELLED);
    cr_expect_eq(hand.wakes, 0);
    cr_expect_eq(x->refs, 1);
    svc__body_stream_stop(x, SVC_ETOOBIG);
    cr_expect_eq(read_some(1), SVC_ECANCELLED, "the first error stays");
}

static unsigned calls;

static void count_call(void *arg)
{
    cr_expect_eq(arg, &calls);
    calls++;
}

Test(exchange_body_stream, calls_its_reader_once_for_each_time_that_it_found_nothing)
{
    begin_stream();
    cr_assert_eq(svc_request_on_data(&x->request, count_call, &calls), 0);
    cr_assert_eq(push(1), EXCHANGE_BODY);
    cr_expect_eq(calls, 0, "it has not looked yet");
    cr_expect_eq(read_some(8), 1);
    cr_expect_eq(read_some(8), SVC_EAGAIN);
    cr_assert_eq(push(1), EXCHANGE_BODY);
    cr_assert_eq(push(1), EXCHANGE_BODY);
    cr_expect_eq(calls, 1);
    cr_expect_eq(read_some(8), 2);
    cr_expect_eq(read_some(8), SVC_EAGAIN);
    svc__body_stream_end(x);
    cr_expect_eq(calls, 2, "for the end");
    cr_expect_eq(read_some(8), 0);
}

Test(exchange_body_stream, calls_no_reader_that_has_taken_its_function_back)
{
    begin_stream();
    cr_assert_eq(svc_request_on_data(&x->request, count_call, &calls), 0);
    cr_expect_eq(read_some(8), SVC_EAGAIN);
    cr_assert_eq(svc_request_on_data(&x->request, NULL, NULL), 0);
    cr_assert_eq(push(1), EXCHANGE_BODY);
    cr_expect_eq(calls, 0);
}

static void *read_all(void *arg)
{
    char data[3000];
    int64_t n;
    while ((n = svc_request_read(&x->request, data, sizeof data)) > 0) {
        cr_assert_eq(memcmp(data, sent + received, (size_t)n), 0);
        received += (size_t)n;
    }
    *(int64_t *)arg = n;
    return NULL;
}

/* The home pushes until the stream is full, and then only goes on when it is woken. */
Test(exchange_body_stream, loses_no_wake_up_between_two_threads)
{
    pthread_t reader;
    int64_t end = 1;
    unsigned full = 0;
    begin_stream();
    cr_assert_eq(pthread_create(&reader, NULL, read_all, &end), 0);
    while (x->request.bytes_in + PIECE <= LARGE) {
        if (push(PIECE) == EXCHANGE_FULL) {
            hand_await_wakes(++full);
            svc__away_news(x);
        }
    }
    svc__body_stream_end(x);
    cr_assert_eq(pthread_join(reader, NULL), 0);
    cr_expect_eq(end, 0);
    cr_expect_eq(received, x->request.bytes_in);
    cr_expect_eq(hand.wakes, full);
    cr_expect_eq(hand.home.away, 0);
}

/* ---- Layers */

static int verdict;           /* of the layer */
static const char *replaced;  /* by which the layer replaces each piece; NULL: it does not */
static unsigned pieces, ends; /* that the layer has seen */

static int see_piece(svc_request *req, svc_response *res, const svc_layer *layer, svc_piece *piece)
{
    (void)req, (void)res, (void)layer;
    pieces++;
    ends += piece->last;
    if (replaced) {
        piece->data = replaced;
        piece->len = strlen(replaced);
    }
    return verdict;
}

static void begin_behind_layer(void)
{
    static const svc_middleware layer = {
        .size = sizeof layer, .name = "layer", .flags = SVC_BODY_PIECES, .on_body = see_piece};
    hand_layer(hand.plan, &hand.plan->apps->fallback.chain, &layer);
    x->passed = 1;
    verdict = SVC_PASS;
    begin_stream();
}

static void expect_read(size_t len, const char *expected)
{
    char data[64] = "";
    int64_t n = svc_request_try_read(&x->request, data, len);
    cr_expect_eq(n, (int64_t)strlen(expected), "%d", (int)n);
    cr_expect_str_eq(data, expected);
}

Test(exchange_body_stream, a_layer_may_make_more_of_a_piece_than_the_reader_takes_at_once)
{
    begin_behind_layer();
    replaced = "replaced";
    cr_assert_eq(push(1), EXCHANGE_BODY);
    expect_read(5, "repla");
    cr_assert_eq(push(1), EXCHANGE_BODY);
    expect_read(64, "ced");
    cr_expect_eq(pieces, 1, "the rest of the first piece comes before the second");
    expect_read(64, "replaced");
    replaced = "end";
    svc__body_stream_end(x);
    expect_read(2, "en");
    expect_read(2, "d");
    cr_expect_eq(read_some(2), 0);
    cr_expect_eq(read_some(2), 0);
    cr_expect_eq(ends, 1);
    cr_expect_eq(pieces, 3);
}

Test(exchange_body_stream, a_piece_that_a_layer_swallows_is_not_the_end)
{
    begin_behind_layer();
    replaced = "";
    cr_assert_eq(push(10), EXCHANGE_BODY);
    cr_expect_eq(read_some(10), SVC_EAGAIN);
    cr_expect_eq(pieces, 1);
    replaced = NULL;
    received = 10;
    cr_assert_eq(push(10), EXCHANGE_BODY);
    cr_expect_eq(read_some(10), 10);
}

Test(exchange_body_stream, a_layer_that_fails_ends_the_reading_with_its_code)
{
    begin_behind_layer();
    verdict = SVC_ENOTFOUND;
    cr_assert_eq(push(1), EXCHANGE_BODY);
    cr_expect_eq(read_some(1), SVC_ENOTFOUND);
    verdict = SVC_ANSWERED;
    cr_assert_eq(push(1), EXCHANGE_BODY);
    cr_expect_eq(read_some(1), SVC_ECANCELLED);
}

/* ---- Both ways at a time */

Test(exchange_body_stream, is_read_on_only_while_a_reply_goes_out_and_more_may_come)
{
    struct route duplex = {.flags = SVC_STREAM_BODY | SVC_DUPLEX}, plain = {.flags = 0};
    cr_expect_not(svc__body_stream_reads_on(x), "there is no stream");
    begin_stream();
    x->request.route = &duplex;
    cr_expect_not(svc__body_stream_reads_on(x), "there is no reply");
    x->replied = true;
    cr_assert_eq(svc_response_text(&x->response, 200, "reply"), 0);
    cr_expect(svc__body_stream_reads_on(x));
    x->request.route = &plain;
    cr_expect_not(svc__body_stream_reads_on(x), "the route does not allow it");
    x->request.route = NULL;
    cr_expect_not(svc__body_stream_reads_on(x));
    x->request.route = &duplex;
    x->request.method = svc__bytes_z("HEAD");
    cr_expect_not(svc__body_stream_reads_on(x), "nothing goes out");
    x->request.method = svc__bytes_z("POST");
    svc__body_stream_end(x);
    cr_expect_not(svc__body_stream_reads_on(x), "no more comes");
    x->request.route = NULL;
}

Test(exchange_body_stream, that_is_stopped_is_not_read_on)
{
    struct route duplex = {.flags = SVC_STREAM_BODY | SVC_DUPLEX};
    begin_stream();
    x->request.route = &duplex;
    x->replied = true;
    cr_assert_eq(svc_response_text(&x->response, 200, "reply"), 0);
    cr_assert(svc__body_stream_reads_on(x));
    svc__body_stream_stop(x, SVC_ECANCELLED);
    cr_expect_not(svc__body_stream_reads_on(x));
    x->request.route = NULL;
}
