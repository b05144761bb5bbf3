/* Allocations that fail, one after the other, while a reply is compressed. */
#include <criterion/criterion.h>
#include <string.h>
#include <zstd.h>

#include <svc.h>
#include <svc/zstd_brotli.h>

#include "libsvc/compress/compress_brotli.h"
#include "libsvc/compress/compress_zstd.h"
#include "tests/support/coding_checks.h"
#include "tests/support/starve.h"

static bool zstd_fails;

ZSTD_CCtx *__real_ZSTD_createCCtx(void);
ZSTD_DCtx *__real_ZSTD_createDCtx(void);
ZSTD_CCtx *__wrap_ZSTD_createCCtx(void);
ZSTD_DCtx *__wrap_ZSTD_createDCtx(void);

ZSTD_CCtx *__wrap_ZSTD_createCCtx(void)
{
    return zstd_fails ? NULL : __real_ZSTD_createCCtx();
}

ZSTD_DCtx *__wrap_ZSTD_createDCtx(void)
{
    return zstd_fails ? NULL : __real_ZSTD_createDCtx();
}

static char text[TEXT], read_back[TEXT + 1];

static int send_text(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_static(res, 200, "text/plain", text, TEXT);
}

static int64_t read_text(void *state, char *data, size_t len)
{
    size_t *at = state, n = TEXT - *at < len ? TEXT - *at : len;
    memcpy(data, text + *at, n);
    *at += n;
    return (int64_t)n;
}

static int stream_text(svc_request *req, svc_response *res)
{
    svc_source source = SVC_SOURCE_INIT;
    size_t *at = svc_request_alloc(req, sizeof *at);
    if (!at)
        return SVC_ENOMEM;
    *at = 0;
    source.read = read_text;
    source.state = at;
    return svc_response_source(res, 200, "text/plain", &source);
}

static svc_app *make_app(void)
{
    svc_app *app = svc_app_new("memory");
    svc_config config = SVC_CONFIG_INIT;
    svc_compress options = SVC_COMPRESS_INIT;
    config.log_output = "/dev/null";
    svc_app_configure(app, &config);
    fill_text(text, TEXT);
    options.cache_bytes = 65536; /* which this body does not fit, so that each request is new */
    svc_zstd_use(app);
    svc_brotli_use(app);
    svc_app_use(app, svc_compress_new(app, &options));
    svc_app_get(app, "/text", send_text, NULL);
    svc_app_get(app, "/stream", stream_text, NULL);
    svc_reply *reply = svc_app_test_get(app, "/text"); /* readies the app */
    cr_assert(reply, "%s", svc_app_errors(app));
    svc_reply_free(reply);
    return app;
}

static svc_reply *ask(svc_app *app, const char *target, const char *accepts)
{
    svc_test test = SVC_TEST_INIT;
    test.target = target;
    test.headers = (const char *const[]){"Accept-Encoding", accepts, NULL};
    return svc_app_test(app, &test);
}

/* A reply is whole in the form that it names, or it is an error, or it breaks off and says so. */
static void expect_honest(const svc_reply *reply, const svc_sys_coding *coding)
{
    size_t len;
    const char *body = svc_reply_body(reply, &len), *named;
    if (svc_reply_status(reply) != 200 || svc_reply_outcome(reply) != SVC_COMPLETE)
        return;
    named = svc_reply_header(reply, "Content-Encoding");
    if (!named) {
        cr_expect(len == TEXT && memcmp(body, text, TEXT) == 0);
        return;
    }
    cr_assert_str_eq(named, coding->name);
    struct decoded decoded = decode_all(coding, body, len, 1000, read_back, sizeof read_back);
    cr_expect_eq(decoded.result, 0);
    cr_expect(decoded.len == TEXT && memcmp(read_back, text, TEXT) == 0);
}

static void starve_replies(const char *target, const svc_sys_coding *coding)
{
    bool failed = true;
    svc_app *app = make_app();
    for (int n = 0; failed && n < 1000; n++) {
        starve_after(n);
        svc_reply *reply = ask(app, target, coding->name);
        failed = starve_end();
        if (reply)
            expect_honest(reply, coding);
        cr_assert(reply || failed);
        svc_reply_free(reply);
    }
    cr_expect_not(failed, "it succeeds in the end");
    svc_app_free(app);
}

Test(memory, a_reply_stays_honest_when_any_allocation_fails)
{
    starve_replies("/text", &svc__compress_brotli);
    starve_replies("/text", &svc__compress_zstd);
    starve_replies("/stream", &svc__compress_brotli);
    starve_replies("/stream", &svc__compress_zstd);
}

Test(memory, without_a_context_the_body_is_sent_as_it_is)
{
    static const char *const targets[] = {"/text", "/stream"};
    svc_app *app = make_app();
    zstd_fails = true;
    for (size_t i = 0; i < 2; i++) {
        svc_reply *reply = ask(app, targets[i], "zstd");
        cr_assert_not_null(reply);
        cr_expect_eq(svc_reply_status(reply), 200);
        cr_expect_null(svc_reply_header(reply, "Content-Encoding"));
        expect_honest(reply, &svc__compress_zstd);
        svc_reply_free(reply);
        reply = ask(app, targets[i], "zstd, identity;q=0");
        cr_assert_not_null(reply);
        cr_expect_eq(svc_reply_status(reply), 500, "the client has refused the body as it is");
        svc_reply_free(reply);
    }
    svc_app_free(app);
}

Test(memory, a_decoder_is_made_or_refused)
{
    void *decoder = NULL;
    zstd_fails = true;
    cr_expect_eq(svc__compress_zstd.decoder_new(&decoder), SVC_ENOMEM);
    cr_expect_null(decoder);
    starve_after(0);
    cr_expect_eq(svc__compress_brotli.decoder_new(&decoder), SVC_ENOMEM);
    starve_end();
    cr_expect_null(decoder);
}
