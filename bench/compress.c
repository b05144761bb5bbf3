/*
 * The CPU of compressed replies, in nanoseconds: a JSON body of 64 kB by zlib alone, with a context
 * that is reset, and by the whole of a request through the compression layer; the same body again
 * and again; and without compression. All parts run in turns; the result is the median of a part's
 * turns.
 *
 *     compress [PART]
 */
#include <zlib.h>

#include <svc.h>

#define PART_TIMES 50
#include "bench/part.h"

enum { BODY = 64000, LEVEL = 6 };

static char body[BODY];

/* A list of records, as a service sends it: of names, numbers and times. */
static void fill_body(void)
{
    size_t at = 0;
    unsigned state = 1;
    while (at < BODY) {
        char record[256];
        state = state * 1103515245 + 12345;
        int len = snprintf(
            record, sizeof record,
            "{\"id\":%u,\"name\":\"customer %u\",\"email\":\"c%u@example.org\",\"total\":%u.%02u,"
            "\"placed\":\"2026-%02u-%02uT%02u:%02u:00Z\",\"state\":\"%s\"},\n",
            state >> 8, state % 9973, state % 9973, state >> 20, state % 100, state % 12 + 1,
            state % 28 + 1, state % 24, state % 60, state % 3 ? "shipped" : "open");
        size_t n = BODY - at < (size_t)len ? BODY - at : (size_t)len;
        memcpy(body + at, record, n);
        at += n;
    }
}

/* ---- zlib alone */

static size_t run_zlib(void *arg, size_t times)
{
    static unsigned char coded[BODY];
    z_stream *stream = arg;
    size_t total = 0;
    for (size_t i = 0; i < times; i++) {
        deflateReset(stream);
        stream->next_in = (Bytef *)body;
        stream->avail_in = BODY;
        stream->next_out = coded;
        stream->avail_out = BODY;
        if (deflate(stream, Z_FINISH) != Z_STREAM_END)
            return 0;
        total += BODY - stream->avail_out;
    }
    return total;
}

/* ---- A request */

static int send_body(svc_request *req, svc_response *res)
{
    static unsigned count;
    if (svc_request_arg(req)) /* Each body is another. */
        snprintf(body + BODY / 2, 11, "%010u", count++);
    return svc_response_copy(res, 200, "application/json", body, BODY);
}

static svc_app *make_app(const svc_compress *options)
{
    svc_app *app = svc_app_new("bench");
    svc_config config = SVC_CONFIG_INIT;
    config.log_output = "/dev/null";
    svc_app_configure(app, &config);
    if (options)
        svc_app_use(app, svc_compress_new(app, options));
    svc_app_get(app, "/", send_body, NULL);
    svc_app_get(app, "/changing", send_body, body);
    return app;
}

static size_t run_requests(svc_app *app, const char *target, size_t times)
{
    static const char *const headers[] = {"Accept-Encoding", "gzip", NULL};
    size_t total = 0;
    svc_test test = SVC_TEST_INIT;
    test.target = target;
    test.headers = headers;
    for (size_t i = 0; i < times; i++) {
        size_t len;
        svc_reply *reply = svc_app_test(app, &test);
        svc_reply_body(reply, &len);
        svc_reply_free(reply);
        if (len == 0)
            return 0;
        total += len;
    }
    return total;
}

static size_t run_same(void *arg, size_t times)
{
    return run_requests(arg, "/", times);
}

static size_t run_changing(void *arg, size_t times)
{
    return run_requests(arg, "/changing", times);
}

int main(int argc, char **argv)
{
    z_stream stream = {.next_in = Z_NULL};
    svc_compress fresh = SVC_COMPRESS_INIT, kept = SVC_COMPRESS_INIT;
    fresh.level = kept.level = LEVEL;
    fresh.cache_bytes = 0;
    fill_body();
    if (deflateInit2(&stream, LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return 1;
    svc_app *apps[] = {make_app(&fresh), make_app(&kept), make_app(NULL)};
    struct part parts[] = {{.name = "zlib", .run = run_zlib, .arg = &stream},
                           {.name = "request_gzip", .run = run_same, .arg = apps[0]},
                           {.name = "request_missed", .run = run_changing, .arg = apps[1]},
                           {.name = "request_kept", .run = run_same, .arg = apps[1]},
                           {.name = "request_plain", .run = run_same, .arg = apps[2]}};
    part_run_all(parts, sizeof parts / sizeof *parts, argc > 1 ? argv[1] : NULL);
    printf("a body of %d bytes has %zu\n", BODY, run_zlib(&stream, 1));
    deflateEnd(&stream);
    for (size_t i = 0; i < sizeof apps / sizeof *apps; i++)
        svc_app_free(apps[i]);
    return 0;
}
