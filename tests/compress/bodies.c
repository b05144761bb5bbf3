/* Request bodies in zstd and br, undone for the handler. */
#include <criterion/criterion.h>
#include <string.h>

#include <svc.h>
#include <svc/zstd_brotli.h>

#include "libsvc/compress/compress_brotli.h"
#include "libsvc/compress/compress_zstd.h"
#include "tests/support/coding_checks.h"
#include "tests/support/large.h"

enum { BIG = 8 << 20, PIECE = 64 };

static char text[TEXT], coded[2 * TEXT], twice[2 * TEXT];
static size_t seen_len;
static bool seen_equal;

static int take_stored(svc_request *req, svc_response *res)
{
    const char *body = svc_request_body(req, &seen_len);
    seen_equal = seen_len == TEXT && !memcmp(body, text, TEXT);
    return svc_response_text(res, 200, "stored");
}

static int take_stream(svc_request *req, svc_response *res)
{
    char data[1000];
    int64_t n;
    seen_len = 0;
    seen_equal = true;
    while ((n = svc_request_read(req, data, sizeof data)) > 0) {
        seen_equal =
            seen_equal && seen_len + (size_t)n <= TEXT && !memcmp(data, text + seen_len, (size_t)n);
        seen_len += (size_t)n;
    }
    return n < 0 ? (int)n : svc_response_text(res, 200, "read");
}

static svc_app *make_app(void)
{
    svc_app *app = svc_app_new("bodies");
    svc_route stream = SVC_ROUTE_INIT;
    stream.pattern = "POST /stream";
    stream.handler = take_stream;
    stream.flags = SVC_STREAM_BODY | SVC_BLOCKING;
    svc_zstd_use(app);
    svc_brotli_use(app);
    svc_app_use(app, svc_decompress_new(app, NULL));
    svc_app_post(app, "/stored", take_stored, NULL);
    svc_app_route(app, &stream);
    fill_text(text, sizeof text);
    return app;
}

static void expect(svc_app *app, const char *coding, const char *body, size_t len, int status)
{
    static const char *const targets[] = {"/stored", "/stream"};
    const char *const headers[] = {"Content-Encoding", coding, NULL};
    for (size_t i = 0; i < 2; i++) {
        svc_test test = SVC_TEST_INIT;
        test.method = "POST";
        test.target = targets[i];
        test.headers = headers;
        test.body = body;
        test.body_len = len;
        svc_reply *reply = svc_app_test(app, &test);
        cr_expect_eq(svc_reply_status(reply), status, "%s, %s: %d", targets[i], coding,
                     svc_reply_status(reply));
        if (status == 200)
            cr_expect(seen_len == TEXT && seen_equal, "%zu", seen_len);
        if (status == 415)
            cr_expect_str_eq(svc_reply_header(reply, "Accept-Encoding"), "zstd, br, gzip, deflate");
        svc_reply_free(reply);
    }
}

Test(bodies, each_coding_and_two_in_a_row_are_undone)
{
    const struct {
        const svc_sys_coding *inner, *outer;
        const char *one, *both;
    } rows[] = {{&svc__compress_zstd, &svc__compress_brotli, "zstd", "zstd, br"},
                {&svc__compress_brotli, &svc__compress_zstd, "br", "BR, identity, zstd"}};
    svc_app *app = make_app();
    for (size_t i = 0; i < 2; i++) {
        size_t len = encode_all(rows[i].inner, 0, text, TEXT, PIECE, coded, sizeof coded);
        size_t both = encode_all(rows[i].outer, 0, coded, len, PIECE, twice, sizeof twice);
        expect(app, rows[i].one, coded, len, 200);
        expect(app, rows[i].both, twice, both, 200);
        expect(app, rows[i].one, coded, len - 1, 400);
        expect(app, rows[i].one, text, 100, 400);
        memcpy(coded + len, "garbage", 7);
        expect(app, rows[i].one, coded, len + 7, 400);
    }
    expect(app, "lzma", text, 1, 415);
    svc_app_free(app);
}

Test(bodies, a_bomb_is_stopped)
{
    char *zeros = large(BIG);
    static char bomb[TEXT];
    svc_app *app = make_app();
    size_t len = encode_all(&svc__compress_zstd, 0, zeros, BIG, PIECE, bomb, sizeof bomb);
    expect(app, "zstd", bomb, len, 413);
    len = encode_all(&svc__compress_brotli, 0, zeros, BIG, PIECE, bomb, sizeof bomb);
    expect(app, "br", bomb, len, 413);
    svc_app_free(app);
}
