/* Coded request bodies through an app: the layer, and routes without it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

#include "libsvc/coding/coding_zlib.h"
#include "tests/support/coding_checks.h"
#include "tests/support/large.h"

#ifdef HAVE_ZLIB

enum { PIECE = 64, BIG = 3 << 20, LIMIT = 8 << 20 };

static char *text, *coded, *twice; /* of BIG bytes */
static size_t coded_len, twice_len;

static void init(void)
{
    text = large(BIG);
    coded = large(BIG);
    twice = large(BIG);
    fill_text(text, BIG);
    coded_len = encode_all(&svc__coding_zlib[0], 0, text, BIG, PIECE, coded, BIG);
    twice_len = encode_all(&svc__coding_zlib[1], 0, coded, coded_len, PIECE, twice, BIG);
}

TestSuite(decompress, .init = init);

/* What the handler has seen. */
static size_t seen_len;
static bool seen_equal;
static uint64_t seen_length;
static char seen_fields[256];

static void see_fields(svc_request *req)
{
    const char *coding = svc_request_header(req, "Content-Encoding");
    const char *length = svc_request_header(req, "Content-Length");
    snprintf(seen_fields, sizeof seen_fields, "%s %s %s", coding ? coding : "none",
             length ? length : "none", svc_request_header(req, "X-Kept"));
}

static int take_stored(svc_request *req, svc_response *res)
{
    const char *body = svc_request_body(req, &seen_len);
    seen_equal = seen_len <= BIG && !memcmp(body, text, seen_len);
    seen_length = svc_request_length(req);
    see_fields(req);
    return svc_response_text(res, 200, "stored");
}

static int take_stream(svc_request *req, svc_response *res)
{
    char data[5000];
    int64_t n;
    seen_len = 0;
    seen_equal = true;
    seen_length = svc_request_length(req);
    see_fields(req);
    while ((n = svc_request_read(req, data, sizeof data)) > 0) {
        seen_equal =
            seen_equal && seen_len + (size_t)n <= BIG && !memcmp(data, text + seen_len, (size_t)n);
        seen_len += (size_t)n;
    }
    return n < 0 ? (int)n : svc_response_text(res, 200, "read");
}

/* A stream that is read on the loop, as it comes. */
struct reader {
    svc_request *req;
    svc_pending *pending;
};

static void read_on(void *arg)
{
    struct reader *reader = arg;
    static char data[5000];
    int64_t n;
    while ((n = svc_request_try_read(reader->req, data, sizeof data)) > 0) {
        seen_equal = seen_equal && !memcmp(data, text + seen_len, (size_t)n);
        seen_len += (size_t)n;
    }
    if (n == SVC_EAGAIN)
        return;
    svc_response *answer = svc_response_new();
    svc_request_on_data(reader->req, NULL, NULL);
    if (n == 0)
        svc_response_text(answer, 200, "read");
    if (n == 0)
        svc_pending_complete(reader->pending, answer);
    else
        svc_response_free(answer);
    svc_pending_unref(reader->pending);
}

static int take_on_loop(svc_request *req, svc_response *res)
{
    (void)res;
    struct reader *reader = svc_request_alloc(req, sizeof *reader);
    seen_len = 0;
    seen_equal = true;
    *reader = (struct reader){req, svc_request_defer(req, NULL, NULL)};
    svc_request_on_data(req, read_on, reader);
    read_on(reader);
    return 0;
}

static void add_route(svc_app *app, const char *pattern, svc_handler *handler, unsigned flags)
{
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = pattern;
    route.handler = handler;
    route.flags = flags;
    route.max_body = LIMIT;
    svc_app_route(app, &route);
}

static const char *const targets[] = {"/stored", "/worker", "/stream"};

static svc_app *make_app(bool undoes)
{
    svc_app *app = svc_app_new("decompress");
    if (undoes)
        svc_app_use(app, svc_decompress_new(app, NULL));
    add_route(app, "/stored", take_stored, 0);
    add_route(app, "/worker", take_stored, SVC_BLOCKING);
    add_route(app, "/stream", take_stream, SVC_STREAM_BODY | SVC_BLOCKING);
    add_route(app, "/loop", take_on_loop, SVC_STREAM_BODY);
    add_route(app, "/any", take_stored, SVC_ANY_CODING);
    return app;
}

static svc_reply *send(svc_app *app, const char *target, const char *coding, const void *body,
                       size_t len)
{
    const char *const headers[] = {"X-Kept", "kept", "Content-Encoding", coding, NULL};
    svc_test test = SVC_TEST_INIT;
    test.method = "POST";
    test.target = target;
    test.headers = headers;
    test.body = body;
    test.body_len = len;
    seen_len = 0;
    seen_fields[0] = '\0';
    return svc_app_test(app, &test);
}

static void expect(svc_app *app, const char *target, const char *coding, const void *body,
                   size_t len, int status, const char *detail)
{
    svc_reply *reply = send(app, target, coding, body, len);
    const char *answer = svc_reply_body(reply, NULL);
    cr_expect_eq(svc_reply_status(reply), status, "%s, %s: %d %s %s", target, coding,
                 svc_reply_status(reply), answer, svc_app_errors(app));
    cr_expect(strstr(answer ? answer : "", detail), "%s, %s: %s", target, coding, answer);
    svc_reply_free(reply);
}

Test(decompress, handlers_see_the_body_itself_stored_or_in_a_stream)
{
    const struct {
        const char *coding;
        const char *body;
        size_t len;
    } rows[] = {{"gzip", coded, coded_len},
                {"X-GZip", coded, coded_len},
                {"identity, gzip", coded, coded_len},
                {"gzip, deflate", twice, twice_len},
                {"gzip,,identity , DEFLATE", twice, twice_len}};
    svc_app *app = make_app(true);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t j = 0; j < sizeof targets / sizeof *targets; j++) {
            expect(app, targets[j], rows[i].coding, rows[i].body, rows[i].len, 200, "");
            cr_expect_eq(seen_len, BIG, "%s: %zu", targets[j], seen_len);
            cr_expect(seen_equal);
            cr_expect_str_eq(seen_fields, "none none kept");
            cr_expect_eq(seen_length, j < 2 ? BIG : SVC_LENGTH_UNKNOWN);
        }
    expect(app, "/loop", "gzip", coded, coded_len, 200, "read");
    cr_expect(seen_len == BIG && seen_equal);
    svc_app_free(app);
}

Test(decompress, bodies_without_a_coding_pass_as_they_are)
{
    static const char *const codings[] = {"identity", "Identity, identity", ","};
    svc_app *app = make_app(true);
    for (size_t i = 0; i < sizeof codings / sizeof *codings; i++)
        for (size_t j = 0; j < sizeof targets / sizeof *targets; j++) {
            expect(app, targets[j], codings[i], text, 1000, 200, "");
            cr_expect_eq(seen_len, 1000UL);
            cr_expect(seen_equal);
            cr_expect_eq(seen_length, 1000UL);
        }
    expect(app, "/stored", "gzip", "", 0, 200, "stored");
    expect(app, "/stream", "br", "", 0, 200, "read");
    svc_app_free(app);
}

Test(decompress, what_is_wrong_with_a_body_is_said)
{
    char *long_one = large(BIG);
    memcpy(long_one, coded, coded_len);
    memcpy(long_one + coded_len, "garbage", 7);
    static char deflated[2000];
    size_t len = encode_all(&svc__coding_zlib[1], 0, text, 1000, PIECE, deflated, 1000);
    deflated[len] = 'x';
    svc_app *app = make_app(true);
    for (size_t j = 0; j < sizeof targets / sizeof *targets; j++) {
        const char *to = targets[j];
        expect(app, to, "gzip", text, 1000, 400, "is not of the coding");
        expect(app, to, "gzip", coded, coded_len - 1, 400, "ends before");
        expect(app, to, "gzip", coded, 1, 400, "ends before");
        expect(app, to, "gzip", long_one, coded_len + 7, 400, "is not of the coding");
        expect(app, to, "deflate", deflated, len, 200, "");
        expect(app, to, "deflate", deflated, len + 1, 400, "behind the end");
        expect(app, to, "gzip, deflate", twice, twice_len - 1, 400, "ends before");
        expect(app, to, "deflate, gzip", twice, twice_len, 400, "is not of the coding");
        expect(app, to, "compress", text, 10, 415, "not known");
        expect(app, to, "gzip, what", text, 10, 415, "not known");
        expect(app, to, "gzip;q=1", text, 10, 415, "not known");
        expect(app, to, "gzip, gzip, gzip", text, 10, 415, "more than two");
        expect(app, to, "gzip", coded, coded_len, 200, "");
    }
    svc_reply *reply = send(app, "/stored", "compress", "x", 1);
    cr_expect_str_eq(svc_reply_header(reply, "Accept-Encoding"), "gzip, deflate");
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(decompress, a_bomb_is_stopped_by_size_and_by_ratio)
{
    char *zeros = large(LIMIT * 2), *bomb = large(BIG);
    size_t over = encode_all(&svc__coding_zlib[0], 0, zeros, (LIMIT * 2), PIECE, bomb, BIG);
    svc_decompress any = SVC_DECOMPRESS_INIT;
    any.max_ratio = 0;
    svc_app *app = make_app(true), *free_app = svc_app_new("any");
    svc_app_use(free_app, svc_decompress_new(free_app, &any));
    add_route(free_app, "/stored", take_stored, 0);
    add_route(free_app, "/stream", take_stream, SVC_STREAM_BODY | SVC_BLOCKING);
    for (size_t j = 0; j < sizeof targets / sizeof *targets; j++)
        expect(app, targets[j], "gzip", bomb, over, 413, "becomes too large");
    expect(free_app, "/stored", "gzip", bomb, over, 413, "over the limit");
    expect(free_app, "/stream", "gzip", bomb, over, 413, "over the limit");
    cr_expect_leq(seen_len, (size_t)LIMIT);
    size_t fits = encode_all(&svc__coding_zlib[0], 0, zeros, LIMIT, PIECE, bomb, BIG);
    expect(free_app, "/stored", "gzip", bomb, fits, 200, "");
    cr_expect_eq(seen_len, (size_t)LIMIT);
    expect(free_app, "/stream", "gzip", bomb, fits, 200, "");
    cr_expect_eq(seen_len, (size_t)LIMIT);
    svc_app_free(app);
    svc_app_free(free_app);
}

Test(decompress, without_the_layer_a_coded_body_is_415)
{
    svc_app *app = make_app(false);
    for (size_t j = 0; j < sizeof targets / sizeof *targets; j++) {
        svc_reply *reply = send(app, targets[j], "gzip", coded, coded_len);
        cr_expect_eq(svc_reply_status(reply), 415);
        cr_expect_str_eq(svc_reply_header(reply, "Accept-Encoding"), "identity");
        cr_expect_str_empty(seen_fields, "its handler was not called");
        svc_reply_free(reply);
        expect(app, targets[j], "identity", text, 1000, 200, "");
        expect(app, targets[j], "gzip", "", 0, 200, "");
    }
    svc_app_free(app);
}

Test(decompress, a_route_that_keeps_codings_gets_what_was_sent)
{
    for (int undoes = 0; undoes < 2; undoes++) {
        svc_app *app = make_app(undoes);
        char fields[64];
        expect(app, "/any", "gzip, what", "as it is", 8, 200, "");
        snprintf(fields, sizeof fields, "gzip, what %d kept", 8);
        cr_expect_str_eq(seen_fields, fields);
        cr_expect_eq(seen_len, 8UL);
        svc_app_free(app);
    }
}

static int count_bytes(svc_request *req, svc_response *res, const svc_layer *layer,
                       svc_piece *piece)
{
    size_t *counted = layer->arg;
    (void)req, (void)res;
    *counted += piece->len;
    counted[1] += piece->last;
    return SVC_PASS;
}

Test(decompress, layers_outside_see_the_coded_body_and_those_inside_the_other)
{
    static size_t outside[2], inside[2];
    svc_middleware outer = SVC_MIDDLEWARE_INIT;
    outer.name = "count";
    outer.flags = SVC_BODY_PIECES;
    outer.on_body = count_bytes;
    svc_middleware inner = outer;
    outer.arg = outside;
    inner.arg = inside;
    svc_app *app = svc_app_new("decompress");
    svc_app_use(app, &outer);
    svc_app_use(app, svc_decompress_new(app, NULL));
    svc_app_use(app, &inner);
    svc_app_use(app, svc_decompress_new(app, NULL)); /* another has nothing to do */
    add_route(app, "/stored", take_stored, 0);
    add_route(app, "/stream", take_stream, SVC_STREAM_BODY | SVC_BLOCKING);
    for (int i = 0; i < 2; i++) {
        memset(outside, 0, sizeof outside);
        memset(inside, 0, sizeof inside);
        expect(app, i ? "/stream" : "/stored", "gzip, deflate", twice, twice_len, 200, "");
        cr_expect_eq(seen_len, BIG);
        cr_expect_eq(outside[0], twice_len);
        cr_expect_eq(outside[1], 1UL, "%zu ends", outside[1]);
        cr_expect_eq(inside[0], BIG);
        cr_expect_eq(inside[1], 1UL, "%zu ends", inside[1]);
    }
    svc_app_free(app);
}

Test(decompress, bad_options_are_errors_of_the_set_up)
{
    svc_app *app = svc_app_new("decompress");
    svc_decompress bad = {0, 1};
    cr_expect_null(svc_decompress_new(app, &bad));
    cr_expect_not_null(strstr(svc_app_errors(app), "svc_decompress_new"));
    svc_app_free(app);
    cr_expect_null(svc_decompress_new(NULL, NULL));
}

#endif
