/* Compressed replies, through the public interface. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <svc.h>
#include <svc/sys/coding.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

enum { PAGE = 20000, LARGE = 1000000 };

static char page[PAGE], large[LARGE], noise[PAGE];

static void fill_texts(void)
{
    unsigned state = 1;
    for (size_t i = 0; i < LARGE; i++) {
        state = state * 1103515245 + 12345;
        large[i] = i % 16 < 12 ? "{\"name\":\"a\" "[i % 16] : (char)('0' + (state >> 16) % 40);
        if (i < PAGE)
            noise[i] = (char)(state >> 17);
    }
    memcpy(page, large, PAGE);
}

static svc_reply *ask(svc_app *app, const char *method, const char *target,
                      const char *const *headers)
{
    svc_test test = SVC_TEST_INIT;
    test.method = method;
    test.target = target;
    test.headers = headers;
    svc_reply *reply = svc_app_test(app, &test);
    cr_assert(reply, "%s", svc_app_errors(app));
    return reply;
}

static svc_reply *ask_coded(svc_app *app, const char *method, const char *target,
                            const char *accepts)
{
    return ask(app, method, target, (const char *const[]){"Accept-Encoding", accepts, NULL});
}

static const char *field(const svc_reply *reply, const char *name)
{
    const char *value = svc_reply_header(reply, name);
    return value ? value : "";
}

static svc_app *quiet(void)
{
    svc_app *app = svc_app_new("compress");
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = config.metrics = config.request_id = config.trace_context = 0;
    config.log_output = "/dev/null";
    svc_app_configure(app, &config);
    return app;
}

static int send_page(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_copy(res, 200, "application/json", page, PAGE);
}

static int send_fixed(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_static(res, 200, "text/html; charset=utf-8", page, PAGE);
}

static int send_small(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_copy(res, 200, "text/plain", page, 1023);
}

static int send_medium(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_copy(res, 200, "text/plain", page, 8000);
}

static int send_large(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_copy(res, 200, "text/plain", large, LARGE);
}

static int send_noise(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_copy(res, 200, "text/plain", noise, PAGE);
}

static int send_image(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_copy(res, 200, "image/png", page, PAGE);
}

static int send_untyped(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_copy(res, 200, NULL, page, PAGE);
}

/* A reply with the field that the path names. */
static int send_with_field(svc_request *req, svc_response *res)
{
    static const struct {
        const char *path, *name, *value;
    } fields[] = {{"coded", "Content-Encoding", "br"},
                  {"part", "Content-Range", "bytes 0-1/2"},
                  {"fixed", "Cache-Control", "max-age=1, No-Transform"},
                  {"digest", "Repr-Digest", "sha-256=:AAAA:"},
                  {"tagged", "ETag", "\"v1\""},
                  {"weak", "ETag", "W/\"v1\""},
                  {"varies", "Vary", "Origin"},
                  {"ranges", "Accept-Ranges", "bytes"}};
    for (size_t i = 0; i < ROWS(fields); i++)
        if (strcmp(svc_request_param(req, "field"), fields[i].path) == 0)
            svc_response_set_header(res, fields[i].name, fields[i].value);
    return send_page(req, res);
}

static int write_large(svc_pipe *pipe, void *arg)
{
    (void)arg;
    for (size_t at = 0; at < LARGE; at += 1000) {
        int error = svc_pipe_write(pipe, large + at, 1000);
        if (error)
            return error;
    }
    return 0;
}

static int stream(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_writer(res, 200, "text/plain", write_large, NULL);
}

static int left_out(svc_request *req, svc_response *res)
{
    (void)req;
    svc_response_set_header(res, "Content-Type", "text/plain");
    svc_response_set_length(res, PAGE);
    return svc_response_empty(res, 200);
}

static const char *const gzip_only[] = {"Accept-Encoding", "gzip", NULL};

static void expect_plain(const svc_reply *reply, const char *vary, const char *what)
{
    cr_expect_str_eq(field(reply, "Content-Encoding"), "", "%s", what);
    cr_expect_str_eq(field(reply, "Vary"), vary, "%s", what);
}

static svc_app *make_app(const svc_compress *options)
{
    svc_app *app = quiet();
    fill_texts();
    svc_app_use(app, svc_compress_new(app, options));
    svc_app_get(app, "/page", send_page, NULL);
    svc_app_get(app, "/fixed", send_fixed, NULL);
    svc_app_get(app, "/small", send_small, NULL);
    svc_app_get(app, "/medium", send_medium, NULL);
    svc_app_get(app, "/large", send_large, NULL);
    svc_app_get(app, "/noise", send_noise, NULL);
    svc_app_get(app, "/image", send_image, NULL);
    svc_app_get(app, "/untyped", send_untyped, NULL);
    svc_app_get(app, "/with/{field}", send_with_field, NULL);
    svc_app_get(app, "/stream", stream, NULL);
    svc_app_get(app, "/left-out", left_out, NULL);
    return app;
}

#ifdef HAVE_ZLIB

#include <zlib.h>

/* ---- What is compressed, and how */

/* Undoes a coded body, and compares it. */
static void expect_text(const svc_reply *reply, const char *coding, const char *text, size_t len,
                        const char *what)
{
    size_t coded_len;
    const char *coded = svc_reply_body(reply, &coded_len);
    char *read = malloc(len + 1);
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)coded,
                       .avail_in = (uInt)coded_len,
                       .next_out = (Bytef *)read,
                       .avail_out = (uInt)len + 1};
    cr_expect_str_eq(field(reply, "Content-Encoding"), coding, "%s", what);
    cr_assert_eq(inflateInit2(&stream, strcmp(coding, "gzip") == 0 ? 15 + 16 : 15), Z_OK);
    cr_expect_eq(inflate(&stream, Z_FINISH), Z_STREAM_END, "%s", what);
    inflateEnd(&stream);
    cr_expect_eq(stream.avail_in, 0, "%s", what);
    cr_expect_eq(stream.total_out, len, "%s", what);
    cr_expect(stream.total_out == len && memcmp(read, text, len) == 0, "%s", what);
    cr_expect_lt(coded_len, len, "%s", what);
    free(read);
}

Test(compress, the_client_chooses_the_coding)
{
    static const struct {
        const char *accepts, *coding;
    } rows[] = {
        {"gzip", "gzip"},
        {"deflate", "deflate"},
        {"deflate, gzip", "gzip"},
        {"gzip, deflate", "gzip"},
        {"gzip;q=0.5, deflate", "deflate"},
        {"gzip;q=0.5, deflate;q=0.4", "gzip"},
        {"GZip", "gzip"},
        {"x-gzip", "gzip"},
        {"br, gzip;q=0.1", "gzip"},
        {"*", "gzip"},
        {"*;q=0.1", "gzip"},
        {"gzip;q=0, *", "deflate"},
        {"*;q=0, deflate", "deflate"},
        {"identity, gzip", "gzip"},
        {"identity;q=0.5, gzip;q=0.5", "gzip"},
        {"identity, gzip;q=0.9", ""},
        {"identity;q=0, gzip;q=0.001", "gzip"},
        {"identity;q=0", ""}, /* refuses all that there is, and still gets the body */
        {"*;q=0", ""},
        {"identity;q=0, *;q=0", ""},
        {"gzip;q=0", ""},
        {"gzip;q=0, deflate;q=0.0", ""},
        {"identity", ""},
        {"br", ""},
        {"gzip;q=2", ""},
        {"gzip;q=0.12345", ""},
        {";;,=,\"gzip\"", ""},
        {"", ""},
    };
    svc_app *app = make_app(NULL);
    for (size_t i = 0; i < ROWS(rows); i++) {
        svc_reply *reply = ask_coded(app, "GET", "/page", rows[i].accepts);
        cr_expect_eq(svc_reply_status(reply), 200, "%s", rows[i].accepts);
        cr_expect_str_eq(field(reply, "Vary"), "Accept-Encoding", "%s", rows[i].accepts);
        if (*rows[i].coding)
            expect_text(reply, rows[i].coding, page, PAGE, rows[i].accepts);
        else
            expect_plain(reply, "Accept-Encoding", rows[i].accepts);
        svc_reply_free(reply);
    }
    svc_reply *reply = svc_app_test_get(app, "/page");
    expect_plain(reply, "Accept-Encoding", "without the field");
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(compress, several_fields_are_one_list)
{
    svc_app *app = make_app(NULL);
    svc_reply *reply = ask(
        app, "GET", "/page",
        (const char *const[]){"Accept-Encoding", "gzip;q=0.1", "Accept-Encoding", "deflate", NULL});
    expect_text(reply, "deflate", page, PAGE, "two fields");
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(compress, each_form_of_a_body_reads_back)
{
    static const struct {
        const char *target;
        const char *text;
        size_t len;
        bool measured;
    } rows[] = {{"/page", page, PAGE, true},
                {"/fixed", page, PAGE, true},
                {"/large", large, LARGE, false},
                {"/stream", large, LARGE, false}};
    svc_app *app = make_app(NULL);
    for (int again = 0; again < 3; again++) {
        for (size_t i = 0; i < ROWS(rows); i++) {
            char length[24];
            size_t len;
            svc_reply *reply = ask(app, "GET", rows[i].target, gzip_only);
            expect_text(reply, "gzip", rows[i].text, rows[i].len, rows[i].target);
            cr_expect_eq(svc_reply_outcome(reply), SVC_COMPLETE);
            svc_reply_body(reply, &len);
            snprintf(length, sizeof length, "%zu", len);
            cr_expect_str_eq(field(reply, "Content-Length"), rows[i].measured ? length : "", "%s",
                             rows[i].target);
            svc_reply_free(reply);
        }
    }
    svc_app_free(app);
}

Test(compress, an_answer_to_HEAD_has_the_fields_of_GET)
{
    static const char *const targets[] = {"/page",  "/fixed", "/large",       "/stream", "/small",
                                          "/noise", "/image", "/with/tagged", "/untyped"};
    svc_app *app = make_app(NULL);
    for (size_t i = 0; i < ROWS(targets); i++) {
        static const char *const names[] = {"Content-Encoding", "Content-Length", "Content-Type",
                                            "ETag", "Vary"};
        size_t len;
        svc_reply *get = ask(app, "GET", targets[i], gzip_only);
        svc_reply *head = ask(app, "HEAD", targets[i], gzip_only);
        for (size_t j = 0; j < ROWS(names); j++)
            cr_expect_str_eq(field(head, names[j]), field(get, names[j]), "%s %s", targets[i],
                             names[j]);
        svc_reply_body(head, &len);
        cr_expect_eq(len, 0);
        svc_reply_free(get);
        svc_reply_free(head);
    }
    svc_reply *head = ask(app, "HEAD", "/left-out", gzip_only);
    cr_expect_str_eq(field(head, "Content-Encoding"), "gzip");
    cr_expect_str_eq(field(head, "Content-Length"), "", "that of the coded body is not known");
    svc_reply_free(head);
    head = ask_coded(app, "HEAD", "/left-out", "identity");
    cr_expect_str_eq(field(head, "Content-Length"), "20000");
    svc_reply_free(head);
    svc_app_free(app);
}

Test(compress, some_replies_stay_as_they_are)
{
    static const struct {
        const char *target, *name, *value, *vary;
    } rows[] = {
        {"/small", NULL, NULL, ""},
        {"/image", NULL, NULL, ""},
        {"/untyped", NULL, NULL, ""},
        {"/noise", NULL, NULL, "Accept-Encoding"},
        {"/with/part", NULL, NULL, ""},
        {"/with/fixed", NULL, NULL, ""},
        {"/with/digest", NULL, NULL, ""},
        {"/page", "Range", "bytes=0-99", "Accept-Encoding"},
        {"/page", "Cache-Control", "no-transform", "Accept-Encoding"},
    };
    svc_app *app = make_app(NULL);
    for (size_t i = 0; i < ROWS(rows); i++) {
        svc_reply *reply = ask(
            app, "GET", rows[i].target,
            (const char *const[]){"Accept-Encoding", "gzip", rows[i].name, rows[i].value, NULL});
        expect_plain(reply, rows[i].vary, rows[i].target);
        svc_reply_free(reply);
    }
    svc_reply *reply = ask(app, "GET", "/with/coded", gzip_only);
    cr_expect_str_eq(field(reply, "Content-Encoding"), "br");
    cr_expect_str_eq(field(reply, "Content-Length"), "20000");
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(compress, who_refuses_identity_gets_anything_compressed)
{
    static const struct {
        const char *target;
        const char *text;
        size_t len;
    } rows[] = {{"/small", page, 1023}, {"/image", page, PAGE}, {"/untyped", page, PAGE}};
    svc_app *app = make_app(NULL);
    for (size_t i = 0; i < ROWS(rows); i++) {
        svc_reply *reply = ask_coded(app, "GET", rows[i].target, "gzip, identity;q=0");
        expect_text(reply, "gzip", rows[i].text, rows[i].len, rows[i].target);
        cr_expect_str_eq(field(reply, "Vary"), "Accept-Encoding");
        svc_reply_free(reply);
    }
    svc_reply *reply = ask_coded(app, "GET", "/noise", "gzip, identity;q=0");
    cr_expect_str_eq(field(reply, "Content-Encoding"), "gzip", "although it gets longer");
    svc_reply_free(reply);
    reply = ask_coded(app, "GET", "/with/fixed", "gzip, identity;q=0");
    cr_expect_str_eq(field(reply, "Content-Encoding"), "");
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(compress, fields_tell_the_coded_form_from_the_other)
{
    svc_app *app = make_app(NULL);
    svc_reply *reply = ask(app, "GET", "/with/tagged", gzip_only);
    cr_expect_str_eq(field(reply, "ETag"), "W/\"v1\"");
    svc_reply_free(reply);
    reply = ask(app, "GET", "/with/weak", gzip_only);
    cr_expect_str_eq(field(reply, "ETag"), "W/\"v1\"");
    svc_reply_free(reply);
    reply = ask_coded(app, "GET", "/with/tagged", "identity");
    cr_expect_str_eq(field(reply, "ETag"), "\"v1\"");
    svc_reply_free(reply);
    reply = ask(app, "GET", "/with/varies", gzip_only);
    cr_expect_str_eq(field(reply, "Vary"), "Origin, Accept-Encoding");
    svc_reply_free(reply);
    reply = ask(app, "GET", "/with/ranges", gzip_only);
    cr_expect_str_eq(field(reply, "Accept-Ranges"), "");
    svc_reply_free(reply);
    svc_app_free(app);
}

/* ---- Conditions */

static int send_version(svc_request *req, svc_response *res)
{
    int error = svc_response_set_etag(res, "v1", false);
    return error ? error : send_page(req, res);
}

static int write_version(svc_request *req, svc_response *res)
{
    svc_validators validators = SVC_VALIDATORS_INIT;
    validators.etag = "v1";
    if (!svc_request_check_conditions(req, res, &validators))
        return 0;
    return svc_response_empty(res, 204);
}

static int read_version(svc_request *req, svc_response *res)
{
    svc_validators validators = SVC_VALIDATORS_INIT;
    validators.etag = "v1";
    validators.length = PAGE;
    return svc_request_check_conditions(req, res, &validators) ? send_page(req, res) : 0;
}

/* Apps whose conditions are decided outside of the compression, within it, and by the handler. */
static svc_app *make_conditional(bool outside, bool inside)
{
    svc_app *app = quiet();
    fill_texts();
    if (outside)
        svc_app_use(app, svc_conditional_new(app, NULL));
    svc_app_use(app, svc_compress_new(app, NULL));
    if (inside)
        svc_app_use(app, svc_conditional_new(app, NULL));
    svc_app_get(app, "/", outside || inside ? send_version : read_version, NULL);
    svc_app_put(app, "/", write_version, NULL);
    return app;
}

Test(compress, conditions_hold_wherever_they_are_decided)
{
    static const struct {
        const char *name, *value, *accepts;
        int status;
        const char *tag;
    } rows[] = {
        {"If-None-Match", "W/\"v1\"", "gzip", 304, "W/\"v1\""},
        {"If-None-Match", "\"v0\", W/\"v1\"", "gzip", 304, "W/\"v1\""},
        {"If-None-Match", "\"v1\"", "identity", 304, "\"v1\""},
        {"If-None-Match", "W/\"v0\"", "gzip", 200, "W/\"v1\""},
        {"If-None-Match", "\"v0\"", "identity", 200, "\"v1\""},
        {"If-Match", "\"v1\"", "identity", 200, "\"v1\""},
        {"If-Match", "W/\"v1\"", "identity", 412, ""},
        {"If-Match", "W/\"v1\"", "gzip", 412, ""},
    };
    for (int place = 0; place < 3; place++) {
        svc_app *app = make_conditional(place == 0, place == 1);
        for (size_t i = 0; i < ROWS(rows); i++) {
            svc_reply *reply = ask(app, "GET", "/",
                                   (const char *const[]){"Accept-Encoding", rows[i].accepts,
                                                         rows[i].name, rows[i].value, NULL});
            cr_expect_eq(svc_reply_status(reply), rows[i].status, "%d: %s: %s", place, rows[i].name,
                         rows[i].value);
            cr_expect_str_eq(field(reply, "ETag"), rows[i].tag, "%d: %s: %s", place, rows[i].name,
                             rows[i].value);
            if (rows[i].status != 412)
                cr_expect_str_eq(field(reply, "Vary"), "Accept-Encoding");
            svc_reply_free(reply);
        }
        svc_app_free(app);
    }
}

/* RFC 9110 13.1.1: the weak tag of a compressed reply guards no write. */
Test(compress, a_write_needs_the_strong_tag)
{
    svc_app *app = make_conditional(true, false);
    static const struct {
        const char *tag;
        int status;
    } rows[] = {{"\"v1\"", 204}, {"W/\"v1\"", 412}};
    for (size_t i = 0; i < ROWS(rows); i++) {
        svc_reply *reply =
            ask(app, "PUT", "/", (const char *const[]){"If-Match", rows[i].tag, NULL});
        cr_expect_eq(svc_reply_status(reply), rows[i].status);
        svc_reply_free(reply);
    }
    svc_app_free(app);
}

/* Outside of the compression, tags that the library makes differ from form to form. */
Test(compress, tags_made_of_the_coded_bytes_are_strong)
{
    svc_app *app = quiet();
    fill_texts();
    svc_app_use(app, svc_conditional_new(app, NULL));
    svc_app_use(app, svc_compress_new(app, NULL));
    svc_app_get(app, "/", send_page, NULL);
    svc_reply *coded = ask(app, "GET", "/", gzip_only), *plain = svc_app_test_get(app, "/");
    cr_expect_eq(*field(coded, "ETag"), '"');
    cr_expect_str_neq(field(coded, "ETag"), field(plain, "ETag"));
    svc_reply *again = ask(app, "GET", "/",
                           (const char *const[]){"Accept-Encoding", "gzip", "If-None-Match",
                                                 field(coded, "ETag"), NULL});
    cr_expect_eq(svc_reply_status(again), 304);
    svc_reply_free(coded);
    svc_reply_free(plain);
    svc_reply_free(again);
    svc_app_free(app);
}

/* ---- Sources that fail, and lengths */

struct counted {
    size_t at, end, promised;
    int error;
    int closed;
};

static struct counted counted;

static int64_t read_counted(void *state, char *data, size_t len)
{
    struct counted *source = state;
    size_t n = source->end - source->at;
    n = n < len ? n : len;
    if (n == 0)
        return source->error;
    memcpy(data, large + source->at, n);
    source->at += n;
    return (int64_t)n;
}

static void close_counted(void *state)
{
    ((struct counted *)state)->closed++;
}

static int send_counted(svc_request *req, svc_response *res)
{
    svc_source source = SVC_SOURCE_INIT;
    (void)req;
    source.length = counted.promised;
    source.read = read_counted;
    source.close = close_counted;
    source.state = &counted;
    return svc_response_source(res, 200, "text/plain", &source);
}

Test(compress, a_body_that_breaks_off_does_not_pass_for_whole)
{
    svc_app *app = quiet();
    fill_texts();
    svc_app_use(app, svc_compress_new(app, NULL));
    svc_app_get(app, "/", send_counted, NULL);
    static const struct {
        struct counted source;
        int outcome;
    } rows[] = {{{0, LARGE, LARGE, 0, 0}, SVC_COMPLETE},
                {{0, LARGE - 1, LARGE, 0, 0}, SVC_CUT},
                {{0, LARGE, LARGE - 1, 0, 0}, SVC_CUT},
                {{0, LARGE, (size_t)-1, 0, 0}, SVC_COMPLETE},
                {{0, LARGE, (size_t)-1, SVC_ESYSTEM, 0}, SVC_CUT},
                {{0, 0, (size_t)-1, 0, 0}, SVC_COMPLETE}};
    for (size_t i = 0; i < ROWS(rows); i++) {
        counted = rows[i].source;
        svc_reply *reply = ask(app, "GET", "/", gzip_only);
        cr_expect_eq(svc_reply_outcome(reply), rows[i].outcome, "%zu", i);
        cr_expect_str_eq(field(reply, "Content-Encoding"), "gzip");
        cr_expect_eq(counted.closed, 1);
        svc_reply_free(reply);
    }
    counted = rows[0].source;
    svc_reply *reply = ask(app, "HEAD", "/", gzip_only);
    cr_expect_eq(counted.closed, 1);
    cr_expect_eq(counted.at, 0, "nobody reads the body of an answer to HEAD");
    svc_reply_free(reply);
    svc_app_free(app);
}

/* ---- Files */

static char folder[] = "/tmp/svc-compress-XXXXXX";

static int send_file(svc_request *req, svc_response *res)
{
    return svc_response_file(res, 200, "text/html", folder, svc_request_param(req, "name"));
}

/* Writes a file that was changed long ago, as far as its times can be set. */
static void write_file(const char *name, const char *text, size_t len)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, len), (ssize_t)len);
    close(fd);
}

static void remove_file(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    cr_expect_eq(unlink(path), 0);
}

Test(compress, files_read_back_and_change)
{
    cr_assert(mkdtemp(folder));
    svc_app *app = quiet();
    fill_texts();
    svc_app_use(app, svc_compress_new(app, NULL));
    svc_app_get(app, "/{name}", send_file, NULL);
    write_file("small.html", page, PAGE);
    write_file("large.html", large, LARGE);
    for (int i = 0; i < 3; i++) {
        svc_reply *reply = ask(app, "GET", "/small.html", gzip_only);
        expect_text(reply, "gzip", page, PAGE, "small");
        cr_expect_str_neq(field(reply, "Content-Length"), "");
        svc_reply_free(reply);
        reply = ask(app, "GET", "/large.html", gzip_only);
        expect_text(reply, "gzip", large, LARGE, "large");
        svc_reply_free(reply);
        reply = ask(app, "HEAD", "/large.html", gzip_only);
        cr_expect_str_eq(field(reply, "Content-Encoding"), "gzip");
        cr_expect_str_eq(field(reply, "Content-Length"), "");
        svc_reply_free(reply);
    }
    write_file("small.html", large + PAGE, PAGE); /* of the same size, within a moment */
    svc_reply *reply = ask(app, "GET", "/small.html", gzip_only);
    expect_text(reply, "gzip", large + PAGE, PAGE, "changed");
    svc_reply_free(reply);
    remove_file("small.html");
    remove_file("large.html");
    rmdir(folder);
    svc_app_free(app);
}

/* ---- Beside a response cache */

static int calls;

static int send_cacheable(svc_request *req, svc_response *res)
{
    calls++;
    svc_response_set_header(res, "Cache-Control", "max-age=60");
    return send_version(req, res);
}

Test(compress, a_response_cache_around_it_stores_each_form)
{
    svc_app *app = quiet();
    fill_texts();
    svc_app_use(app, svc_response_cache_layer(svc_response_cache_new(app, NULL)));
    svc_app_use(app, svc_compress_new(app, NULL));
    svc_app_get(app, "/", send_cacheable, NULL);
    for (int i = 0; i < 3; i++) {
        svc_reply *reply = ask(app, "GET", "/", gzip_only);
        expect_text(reply, "gzip", page, PAGE, "stored");
        cr_expect_str_eq(field(reply, "ETag"), "W/\"v1\"");
        svc_reply_free(reply);
        reply = ask_coded(app, "GET", "/", "identity");
        expect_plain(reply, "Accept-Encoding", "stored as it is");
        cr_expect_str_eq(field(reply, "ETag"), "\"v1\"");
        svc_reply_free(reply);
    }
    cr_expect_eq(calls, 2);
    svc_app_free(app);
}

Test(compress, a_response_cache_within_it_stores_the_body_as_it_is)
{
    svc_app *app = quiet();
    fill_texts();
    svc_app_use(app, svc_compress_new(app, NULL));
    svc_app_use(app, svc_response_cache_layer(svc_response_cache_new(app, NULL)));
    svc_app_get(app, "/", send_cacheable, NULL);
    for (int i = 0; i < 3; i++) {
        svc_reply *reply = ask(app, "GET", "/", gzip_only);
        expect_text(reply, "gzip", page, PAGE, "compressed anew");
        svc_reply_free(reply);
        reply = ask_coded(app, "GET", "/", "identity");
        expect_plain(reply, "Accept-Encoding", "as it is");
        svc_reply_free(reply);
    }
    cr_expect_eq(calls, 1);
    svc_app_free(app);
}

/* ---- Groups, mounts and options */

Test(compress, one_layer_does_not_compress_what_another_has)
{
    svc_app *app = quiet(), *inner = quiet();
    fill_texts();
    svc_app_use(app, svc_compress_new(app, NULL));
    svc_app_use(inner, svc_compress_new(inner, NULL));
    svc_app_get(inner, "/page", send_page, NULL);
    svc_app_mount(app, "/inner", inner);
    svc_reply *reply = ask(app, "GET", "/inner/page", gzip_only);
    expect_text(reply, "gzip", page, PAGE, "mounted");
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(compress, options_choose_codings_types_and_sizes)
{
    svc_compress options = SVC_COMPRESS_INIT;
    char codings[] = "deflate , x-gzip", types[] = "image/*,application/x-ours";
    options.codings = codings;
    options.types = types;
    options.min_bytes = 1023;
    options.level = 9;
    options.busy_ms = 10;
    options.cache_bytes = 0;
    svc_app *app = make_app(&options);
    memset(codings, 'x', sizeof codings - 1); /* They were copied. */
    memset(types, 'x', sizeof types - 1);
    svc_reply *reply = ask_coded(app, "GET", "/small", "gzip, deflate");
    expect_text(reply, "deflate", page, 1023, "small");
    svc_reply_free(reply);
    reply = ask_coded(app, "GET", "/image", "gzip");
    expect_text(reply, "gzip", page, PAGE, "image");
    svc_reply_free(reply);
    reply = ask_coded(app, "GET", "/noise", "gzip");
    expect_plain(reply, "Accept-Encoding", "noise");
    svc_reply_free(reply);
    svc_app_free(app);
}

#else

Test(compress, without_zlib_replies_stay_as_they_are)
{
    svc_app *app = make_app(NULL);
    svc_reply *reply = ask_coded(app, "GET", "/page", "gzip, deflate");
    expect_plain(reply, "Accept-Encoding", "no coding");
    svc_reply_free(reply);
    svc_app_free(app);
}

#endif

/* ---- A coding of the test's own, which counts */

static _Atomic int made, encoded, freed;

static int make_encoder(const svc_sys_coding_aim *aim, void **encoder)
{
    (void)aim;
    *encoder = &made;
    made++;
    return 0;
}

static int reset_encoder(void *encoder, const svc_sys_coding_aim *aim)
{
    (void)encoder, (void)aim;
    return 0;
}

/* Keeps every second byte. */
static int encode_half(void *encoder, svc_sys_coding_step *step, int until)
{
    (void)encoder;
    encoded += until == SVC_SYS_CODING_END;
    while (step->input_len > 0 && step->output_len > 0) {
        *step->output++ = *step->input;
        step->output_len--;
        step->input += step->input_len > 1 ? 2 : 1;
        step->input_len -= step->input_len > 1 ? 2 : 1;
    }
    return step->input_len > 0 ? SVC_EAGAIN : 0;
}

static void free_encoder(void *encoder)
{
    (void)encoder;
    freed++;
}

static void add_half(svc_app *app)
{
    svc_sys_coding half = SVC_SYS_CODING_INIT;
    half.name = "half";
    half.rank = 1000;
    half.encoder_new = make_encoder;
    half.encoder_reset = reset_encoder;
    half.encode = encode_half;
    half.encoder_free = free_encoder;
    cr_assert_eq(svc_sys_app_add_coding(app, &half), 0);
}

static void ask_often(svc_app *app, const char *target, int times, const char *length)
{
    for (int i = 0; i < times; i++) {
        svc_reply *reply = ask_coded(app, "GET", target, "gzip, half");
        cr_expect_str_eq(field(reply, "Content-Encoding"), "half", "%s", target);
        cr_expect_str_eq(field(reply, "Content-Length"), length, "%s", target);
        svc_reply_free(reply);
    }
}

Test(compress, a_reply_that_repeats_is_compressed_once)
{
    svc_app *app = make_app(NULL);
    add_half(app);
    ask_often(app, "/fixed", 5, "10000");
    cr_expect_eq(encoded, 1);
    ask_often(app, "/page", 5, "10000"); /* It has the same bytes. */
    cr_expect_eq(encoded, 1);
    ask_often(app, "/medium", 5, "4000");
    cr_expect_eq(encoded, 2);
    page[PAGE / 2]++; /* A large body that is made anew is kept once it repeats. */
    ask_often(app, "/page", 5, "10000");
    cr_expect_eq(encoded, 4);
    svc_app_free(app);
    cr_expect_eq(made, freed);
    cr_expect_eq(made, 1, "one context serves all");
}

Test(compress, without_a_cache_every_reply_is_compressed)
{
    svc_compress options = SVC_COMPRESS_INIT;
    options.cache_bytes = 0;
    svc_app *app = make_app(&options);
    add_half(app);
    ask_often(app, "/page", 5, "10000");
    cr_expect_eq(encoded, 5);
    ask_often(app, "/stream", 2, "");
    cr_expect_eq(encoded, 7);
    svc_app_free(app);
    cr_expect_eq(made, freed);
}

/* ---- Mistakes */

static void expect_refused(const svc_compress *options, const char *reason)
{
    svc_app *app = quiet();
    svc_app_use(app, svc_compress_new(app, options));
    cr_expect(strstr(svc_app_errors(app), reason), "%s", svc_app_errors(app));
    svc_app_free(app);
}

Test(compress, mistakes_are_reported)
{
    svc_compress options = SVC_COMPRESS_INIT;
    options.size = 1;
    expect_refused(&options, "SVC_COMPRESS_INIT");
    options = (svc_compress)SVC_COMPRESS_INIT;
    options.codings = "gzip,,br";
    expect_refused(&options, "names with commas");
    options = (svc_compress)SVC_COMPRESS_INIT;
    options.types = "text";
    expect_refused(&options, "media types");
    options.types = "*/*";
    expect_refused(&options, "media types");
    options = (svc_compress)SVC_COMPRESS_INIT;
    options.level = 23;
    expect_refused(&options, "level is 0 to 22");
    options = (svc_compress)SVC_COMPRESS_INIT;
    options.cache_bytes = 1000;
    expect_refused(&options, "cache_bytes is 0, or");
    cr_expect_null(svc_compress_new(NULL, NULL));
}

Test(compress, a_coding_that_is_not_there_is_reported_at_the_start)
{
    svc_app *app = quiet();
    svc_compress options = SVC_COMPRESS_INIT;
    options.codings = "never";
    svc_app_use(app, svc_compress_new(app, &options));
    svc_app_get(app, "/", send_page, NULL);
    cr_expect_null(svc_app_test_get(app, "/"));
    cr_expect(strstr(svc_app_errors(app), "the coding never needs a library"), "%s",
              svc_app_errors(app));
    svc_app_free(app);
}
