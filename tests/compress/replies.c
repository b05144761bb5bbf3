/* Replies under zstd and br, through the public interface, and the calls that add them. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>
#include <svc/zstd_brotli.h>

#include "libsvc/compress/compress_brotli.h"
#include "libsvc/compress/compress_zstd.h"
#include "tests/support/coding_checks.h"

enum { LARGE = 400000 };

static char large[LARGE];

static int send_page(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_copy(res, 200, "application/json", large, TEXT);
}

static int write_large(svc_pipe *pipe, void *arg)
{
    (void)arg;
    return svc_pipe_write(pipe, large, LARGE);
}

static int stream_large(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_writer(res, 200, "text/plain", write_large, NULL);
}

static svc_app *make_app(const char *codings)
{
    svc_app *app = svc_app_new("compress");
    svc_config config = SVC_CONFIG_INIT;
    svc_compress options = SVC_COMPRESS_INIT;
    config.log_output = "/dev/null";
    svc_app_configure(app, &config);
    fill_text(large, LARGE);
    options.codings = codings;
    cr_expect_eq(svc_zstd_use(app), 0);
    cr_expect_eq(svc_brotli_use(app), 0);
    svc_app_use(app, svc_compress_new(app, &options));
    svc_app_get(app, "/page", send_page, NULL);
    svc_app_get(app, "/stream", stream_large, NULL);
    return app;
}

static void expect_coding(svc_app *app, const char *target, const char *accepts,
                          const svc_sys_coding *coding)
{
    static char read[LARGE + 1];
    size_t coded_len, len = strcmp(target, "/page") == 0 ? TEXT : LARGE;
    svc_test test = SVC_TEST_INIT;
    test.target = target;
    test.headers = (const char *const[]){"Accept-Encoding", accepts, NULL};
    svc_reply *reply = svc_app_test(app, &test);
    cr_assert(reply, "%s", svc_app_errors(app));
    const char *named = svc_reply_header(reply, "Content-Encoding");
    cr_assert_str_eq(named ? named : "", coding->name, "%s", accepts);
    const char *coded = svc_reply_body(reply, &coded_len);
    struct decoded decoded = decode_all(coding, coded, coded_len, 5000, read, sizeof read);
    cr_expect_eq(decoded.result, 0);
    cr_expect_eq(decoded.left, 0);
    cr_expect_eq(decoded.len, len);
    cr_expect_eq(memcmp(read, large, len), 0);
    cr_expect_lt(coded_len, len / 2);
    svc_reply_free(reply);
}

Test(replies, zstd_comes_before_br_and_br_before_gzip)
{
    static const char *const targets[] = {"/page", "/stream"};
    svc_app *app = make_app(NULL);
    for (size_t i = 0; i < 2; i++) {
        expect_coding(app, targets[i], "gzip, deflate, br, zstd", &svc__compress_zstd);
        expect_coding(app, targets[i], "gzip, deflate, br", &svc__compress_brotli);
        expect_coding(app, targets[i], "br;q=0.9, zstd;q=0.8", &svc__compress_brotli);
        expect_coding(app, targets[i], "zstd;q=0.1, identity;q=0", &svc__compress_zstd);
    }
    svc_app_free(app);
}

Test(replies, the_program_may_choose_another_order)
{
    svc_app *app = make_app("br,zstd");
    expect_coding(app, "/page", "gzip, br, zstd", &svc__compress_brotli);
    expect_coding(app, "/page", "gzip, zstd", &svc__compress_zstd);
    svc_app_free(app);
}

Test(replies, a_coding_is_added_once)
{
    svc_app *app = make_app(NULL);
    cr_expect_eq(svc_zstd_use(app), SVC_ESTATE);
    cr_expect_eq(svc_brotli_use(app), SVC_ESTATE);
    cr_expect_eq(svc_zstd_use(NULL), SVC_ENOMEM);
    cr_expect_eq(svc_brotli_use(NULL), SVC_ENOMEM);
    svc_app_free(app);
}
