/* Ranges of replies of every kind, and the replies that are sent as a whole. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <svc.h>

static const char digits[] = "0123456789";
static const char old[] = "Sun, 06 Nov 1994 08:49:37 GMT";

/* ---- The app */

static int answer_memory(svc_request *req, svc_response *res)
{
    const char *tag = svc_request_query(req, "tag"), *coding = svc_request_query(req, "coding");
    const char *accept = svc_request_query(req, "accept");
    if (tag)
        svc_response_set_etag(res, tag, svc_request_query(req, "weak") != NULL);
    if (coding)
        svc_response_set_header(res, "Content-Encoding", coding);
    if (accept)
        svc_response_set_header(res, "Accept-Ranges", accept);
    if (svc_request_query(req, "dated"))
        svc_response_set_modified(res, 784111777);
    return svc_response_copy(res, 200, "text/plain", digits, 10);
}

/* A body that is worth resuming. */
static int answer_large(svc_request *req, svc_response *res)
{
    static const char large[16384];
    int error = answer_memory(req, res);
    return error ? error : svc_response_static(res, 200, "text/plain", large, sizeof large);
}

static int answer_status(svc_request *req, svc_response *res)
{
    return svc_response_copy(res, atoi(svc_request_param(req, "status")), NULL, digits, 10);
}

static int answer_file(svc_request *req, svc_response *res)
{
    char name[] = "/tmp/svc-ranges-XXXXXX";
    svc_file file = SVC_FILE_INIT;
    (void)req;
    file.fd = mkstemp(name);
    unlink(name);
    if (write(file.fd, "xx0123456789xx", 14) != 14)
        return SVC_ESYSTEM;
    file.offset = 2;
    file.length = 10;
    return svc_response_fd(res, 200, "text/plain", &file);
}

struct reader {
    size_t at;
};

static int64_t read_digit(void *state, char *data, size_t len)
{
    struct reader *reader = state;
    if (len == 0 || reader->at == 10)
        return 0;
    *data = digits[reader->at++];
    return 1;
}

static int seek_digit(void *state, uint64_t offset)
{
    cr_expect_lt(offset, 10);
    ((struct reader *)state)->at = (size_t)offset;
    return 0;
}

static int seek_nowhere(void *state, uint64_t offset)
{
    (void)state, (void)offset;
    return SVC_ESYSTEM;
}

static int answer_source(svc_request *req, svc_response *res)
{
    const char *kind = svc_request_param(req, "kind");
    svc_source source = SVC_SOURCE_INIT;
    source.length = strcmp(kind, "endless") ? 10 : SVC_LENGTH_UNKNOWN;
    source.read = read_digit;
    source.close = free;
    source.state = calloc(1, sizeof(struct reader));
    source.seek = strcmp(kind, "stream") ? seek_digit : NULL;
    if (!strcmp(kind, "broken"))
        source.seek = seek_nowhere;
    if (!strcmp(kind, "held"))
        svc_response_hold_head(res);
    return svc_response_source(res, 200, "text/plain", &source);
}

static int end_with_digest(svc_trailers *out, void *arg)
{
    (void)arg;
    return svc_trailers_add(out, "X-Digest", "of-the-whole");
}

static int answer_trailing(svc_request *req, svc_response *res)
{
    (void)req;
    svc_response_on_trailers(res, end_with_digest, NULL);
    return svc_response_copy(res, 200, "text/plain", digits, 10);
}

static int write_digits(svc_pipe *pipe, void *arg)
{
    (void)arg;
    return svc_pipe_write(pipe, digits, 10);
}

static int answer_pipe(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_writer(res, 200, "text/plain", write_digits, NULL);
}

static int answer_later(svc_request *req, svc_response *res)
{
    (void)res;
    svc_pending *pending = svc_request_defer(req, NULL, NULL);
    svc_response *later = svc_response_new();
    svc_response_set_etag(later, "1", false);
    svc_response_copy(later, 200, "text/plain", digits, 10);
    int error = svc_pending_complete(pending, later);
    svc_pending_unref(pending);
    return error;
}

static int answer_checked(svc_request *req, svc_response *res)
{
    svc_validators validators = SVC_VALIDATORS_INIT;
    validators.etag = "1";
    if (!svc_request_check_conditions(req, res, &validators))
        return 0;
    return svc_response_copy(res, 200, "text/plain", digits, 10);
}

static int answer_nothing(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_empty(res, 200);
}

/* As a layer that wraps the body, such as a compressor. */
static int wrap(svc_request *req, svc_response *res, const svc_layer *layer)
{
    svc_source source = SVC_SOURCE_INIT;
    (void)req, (void)layer;
    int error = svc_response_take_source(res, &source);
    cr_expect(source.seek, "memory can seek");
    if (!svc_request_query(req, "seek"))
        source.seek = NULL;
    return error ? error : svc_response_source(res, svc_response_status(res), NULL, &source);
}

static const svc_middleware wrapping = {
    .size = sizeof wrapping, .name = "wrapping", .on_response = wrap};

static void add_routes(svc_app *app)
{
    svc_app_get(app, "/memory", answer_memory, NULL);
    svc_app_post(app, "/memory", answer_memory, NULL);
    svc_app_get(app, "/large", answer_large, NULL);
    svc_app_get(app, "/status/{status}", answer_status, NULL);
    svc_app_get(app, "/file", answer_file, NULL);
    svc_app_get(app, "/source/{kind}", answer_source, NULL);
    svc_app_get(app, "/trailing", answer_trailing, NULL);
    svc_app_get(app, "/pipe", answer_pipe, NULL);
    svc_app_get(app, "/later", answer_later, NULL);
    svc_app_get(app, "/checked", answer_checked, NULL);
    svc_app_get(app, "/empty", answer_nothing, NULL);
    svc_group *wrapped = svc_app_group(app, "/wrapped");
    svc_group_use(wrapped, &wrapping);
    svc_group_get(wrapped, "/memory", answer_memory, NULL);
}

static svc_app *app;

static void open_app(void)
{
    svc_app *inner = svc_app_new("inner");
    app = svc_app_new("ranges");
    add_routes(app);
    add_routes(inner);
    svc_app_mount(app, "/mounted", inner);
}

static void close_app(void)
{
    svc_app_free(app);
}

TestSuite(ranges, .init = open_app, .fini = close_app);

/* ---- Asking */

static svc_reply *ask_by(const char *method, const char *target, const char *const *headers)
{
    svc_test test = SVC_TEST_INIT;
    test.method = method;
    test.target = target;
    test.headers = headers;
    return svc_app_test(app, &test);
}

#define ASK(target, ...) ask_by("GET", target, (const char *const[]){__VA_ARGS__, NULL})

static const char *field(const svc_reply *reply, const char *name)
{
    const char *value = svc_reply_header(reply, name);
    return value ? value : "";
}

/* Frees the reply. */
static void expect(svc_reply *reply, int status, const char *range, const char *body,
                   const char *what)
{
    char length[24];
    cr_expect_eq(svc_reply_status(reply), status, "%s: %d", what, svc_reply_status(reply));
    cr_expect_str_eq(field(reply, "Content-Range"), range, "%s: %s", what,
                     field(reply, "Content-Range"));
    if (body) {
        snprintf(length, sizeof length, "%zu", strlen(body));
        cr_expect_str_eq(svc_reply_body(reply, NULL), body, "%s: %s", what,
                         svc_reply_body(reply, NULL));
        cr_expect_str_eq(field(reply, "Content-Length"), length, "%s", what);
    }
    cr_expect_eq(svc_reply_outcome(reply), SVC_COMPLETE, "%s", what);
    svc_reply_free(reply);
}

#define EXPECT_PART(reply, range, body) expect(reply, 206, range, body, #reply)
#define EXPECT_WHOLE(reply) expect(reply, 200, "", digits, #reply)

static const char *const bodies[] = {"/memory",
                                     "/memory?tag=1",
                                     "/file",
                                     "/source/plain",
                                     "/source/held",
                                     "/later",
                                     "/checked",
                                     "/mounted/file",
                                     "/mounted/memory",
                                     "/wrapped/memory?seek=1",
                                     "/memory?coding=gzip&tag=1"};
enum { BODIES = sizeof bodies / sizeof *bodies };

Test(ranges, of_one_part_are_206)
{
    for (size_t i = 0; i < BODIES; i++) {
        svc_reply *part = ASK(bodies[i], "Range", "bytes=2-4");
        cr_expect_str_eq(field(part, "Accept-Ranges"), "bytes", "%s", bodies[i]);
        cr_expect_str_eq(field(part, "Content-Type"), "text/plain", "%s", bodies[i]);
        expect(part, 206, "bytes 2-4/10", "234", bodies[i]);
        expect(ASK(bodies[i], "Range", "bytes=7-"), 206, "bytes 7-9/10", "789", bodies[i]);
        expect(ASK(bodies[i], "Range", "bytes=-1"), 206, "bytes 9-9/10", "9", bodies[i]);
        expect(ASK(bodies[i], "Range", "bytes=0-"), 206, "bytes 0-9/10", digits, bodies[i]);
        expect(ASK(bodies[i], "Range", "bytes=-20"), 206, "bytes 0-9/10", digits, bodies[i]);
        expect(ASK(bodies[i], "X-Other", "1"), 200, "", digits, bodies[i]);
    }
}

Test(ranges, of_several_parts_are_multipart)
{
    for (size_t i = 0; i < BODIES; i++) {
        char boundary[64] = "", expected[512];
        svc_reply *reply = ASK(bodies[i], "Range", "bytes=8-,0-0");
        cr_expect_eq(
            sscanf(field(reply, "Content-Type"), "multipart/byteranges; boundary=%63s", boundary),
            1, "%s: %s", bodies[i], field(reply, "Content-Type"));
        snprintf(expected, sizeof expected,
                 "\r\n--%1$s\r\nContent-Type: text/plain\r\nContent-Range: bytes 8-9/10\r\n\r\n89"
                 "\r\n--%1$s\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-0/10\r\n\r\n0"
                 "\r\n--%1$s--\r\n",
                 boundary);
        expect(reply, 206, "", expected, bodies[i]);
    }
}

/* RFC 9110 15.3.7.2: a single part is never multipart. */
Test(ranges, that_are_joined_to_one_are_no_multipart)
{
    EXPECT_PART(ASK("/file", "Range", "bytes=0-4,3-6"), "bytes 0-6/10", "0123456");
    EXPECT_PART(ASK("/memory", "Range", "bytes=0-4,20-"), "bytes 0-4/10", "01234");
    EXPECT_PART(ASK("/source/plain", "Range", "bytes=0-,0-,0-,0-,0-,0-"), "bytes 0-9/10", digits);
}

Test(ranges, of_nothing_that_is_there_are_416)
{
    for (size_t i = 0; i < BODIES; i++) {
        svc_reply *reply = ASK(bodies[i], "Range", "bytes=10-");
        cr_expect_str_eq(field(reply, "Content-Type"), "application/problem+json");
        cr_expect_str_eq(field(reply, "Cache-Control"), "no-store");
        cr_expect_str_eq(field(reply, "ETag"), "");
        cr_expect_str_eq(field(reply, "Content-Encoding"), "");
        cr_expect(strstr(svc_reply_body(reply, NULL), "no such range"));
        expect(reply, 416, "bytes */10", NULL, bodies[i]);
        expect(ASK(bodies[i], "Range", "bytes=-0"), 416, "bytes */10", NULL, bodies[i]);
    }
}

Test(ranges, that_are_malformed_are_416_and_say_so)
{
    static const char *const values[] = {"bytes=4-2", "bytes=a-b", "bytes=", "bytes=1-2;3"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        svc_reply *reply = ASK("/memory?tag=1", "Range", values[i]);
        cr_expect(strstr(svc_reply_body(reply, NULL), "not a list of ranges"), "%s", values[i]);
        expect(reply, 416, "bytes */10", NULL, values[i]);
    }
    svc_reply *twice = ASK("/memory", "Range", "bytes=0-1", "Range", "bytes=3-4");
    expect(twice, 416, "bytes */10", NULL, "two fields");
}

Test(ranges, that_are_not_for_the_reply_get_the_whole)
{
    EXPECT_WHOLE(ASK("/memory", "Range", "lines=0-1"));
    EXPECT_WHOLE(ASK("/memory", "Range",
                     "bytes=0-0,2-2,4-4,6-6,8-8,0-0,2-2,4-4,6-6,8-8,0-0,2-2,4-4,6-6,8-8,0-0,2-2"));
    EXPECT_WHOLE(ASK("/source/stream", "Range", "bytes=2-4"));
    EXPECT_WHOLE(ASK("/wrapped/memory", "Range", "bytes=2-4"));
    EXPECT_WHOLE(ASK("/memory?accept=none", "Range", "bytes=2-4"));
    EXPECT_WHOLE(ASK("/memory?coding=gzip", "Range", "bytes=2-4"));
    EXPECT_WHOLE(ASK("/memory?coding=gzip&tag=1&weak=1", "Range", "bytes=2-4"));
    expect(ASK("/source/endless", "Range", "bytes=2-4"), 200, "", NULL, "endless");
    expect(ASK("/pipe", "Range", "bytes=2-4"), 200, "", NULL, "pipe");
    expect(ASK("/empty", "Range", "bytes=2-4"), 200, "", "", "empty");
    expect(ask_by("POST", "/memory", (const char *const[]){"Range", "bytes=2-4", NULL}), 200, "",
           digits, "POST");
    expect(ASK("/status/201", "Range", "bytes=2-4"), 201, "", digits, "201");
    expect(ASK("/status/404", "Range", "bytes=2-4"), 404, "", digits, "404");
}

Test(ranges, of_a_body_with_trailers_are_the_whole_with_them)
{
    svc_reply *reply = ASK("/trailing", "Range", "bytes=2-4");
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_str_eq(svc_reply_body(reply, NULL), digits);
    cr_expect_str_eq(svc_reply_trailer(reply, "X-Digest"), "of-the-whole");
    svc_reply_free(reply);
}

Test(ranges, of_a_source_that_cannot_seek_after_all_are_500)
{
    svc_reply *reply = ASK("/source/broken", "Range", "bytes=2-4");
    cr_expect_eq(svc_reply_status(reply), 500);
    svc_reply_free(reply);
    EXPECT_WHOLE(ASK("/source/broken", "X-Other", "1"));
}

/* RFC 9110 14.2: Range is for GET alone. */
Test(ranges, are_nothing_to_HEAD_which_announces_them)
{
    static const char *const headers[] = {"Range", "bytes=2-4", NULL};
    for (size_t i = 0; i < BODIES; i++) {
        svc_reply *reply = ask_by("HEAD", bodies[i], headers);
        cr_expect_eq(svc_reply_status(reply), 200);
        cr_expect_str_eq(field(reply, "Content-Length"), "10");
        svc_reply_free(reply);
    }
    svc_reply *reply = ask_by("HEAD", "/file", NULL);
    cr_expect_str_eq(field(reply, "Accept-Ranges"), "bytes");
    svc_reply_free(reply);
}

Test(ranges, are_announced_where_the_rest_can_be_asked_for)
{
    static const struct {
        const char *target, *value;
    } rows[] = {
        {"/memory?tag=1", ""},
        {"/large", ""},
        {"/large?tag=1", "bytes"},
        {"/large?tag=1&weak=1", "bytes"},
        {"/large?dated=1", "bytes"},
        {"/large?tag=1&accept=none", "none"},
        {"/large?tag=1&coding=gzip", "bytes"},
        {"/large?tag=1&coding=gzip&weak=1", ""},
        {"/file", "bytes"},
        {"/source/plain", "bytes"},
        {"/source/stream", ""},
        {"/source/endless", ""},
        {"/pipe", ""},
        {"/trailing", ""},
        {"/empty", ""},
        {"/status/404", ""},
        {"/none", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        svc_reply *reply = svc_app_test_get(app, rows[i].target);
        cr_expect_str_eq(field(reply, "Accept-Ranges"), rows[i].value, "%s", rows[i].target);
        svc_reply_free(reply);
    }
}

#define PART "Range", "bytes=2-4"

/* RFC 9110 13.1.5, by strong comparison; without a layer for conditions. */
Test(ranges, are_of_the_version_that_the_client_has)
{
    EXPECT_PART(ASK("/memory?tag=1", PART, "If-Range", "\"1\""), "bytes 2-4/10", "234");
    EXPECT_WHOLE(ASK("/memory?tag=1", PART, "If-Range", "\"2\""));
    EXPECT_WHOLE(ASK("/memory?tag=1", PART, "If-Range", "W/\"1\""));
    EXPECT_WHOLE(ASK("/memory?tag=1&weak=1", PART, "If-Range", "W/\"1\""));
    EXPECT_WHOLE(ASK("/memory", PART, "If-Range", "\"1\""));
    EXPECT_PART(ASK("/memory?dated=1", PART, "If-Range", old), "bytes 2-4/10", "234");
    EXPECT_WHOLE(ASK("/memory?dated=1", PART, "If-Range", "Sun, 06 Nov 1994 08:49:38 GMT"));
    EXPECT_WHOLE(ASK("/memory?tag=1", PART, "If-Range", old));
    EXPECT_WHOLE(ASK("/memory?tag=1", "If-Range", "\"1\""));
    EXPECT_WHOLE(ASK("/memory?tag=1", "Range", "bytes=90-", "If-Range", "\"2\""));
    expect(ASK("/memory?tag=1", "Range", "bytes=90-", "If-Range", "\"1\""), 416, "bytes */10", NULL,
           "If-Range holds");
}

/* RFC 9110 13.2.2; a part of another version must not pass for one of the client's. */
Test(ranges, come_after_conditions)
{
    EXPECT_PART(ASK("/memory?tag=1", PART, "If-Match", "\"1\""), "bytes 2-4/10", "234");
    expect(ASK("/memory?tag=1", PART, "If-Match", "\"2\""), 412, "", NULL, "If-Match");
    expect(ASK("/memory?tag=1", PART, "If-None-Match", "\"1\""), 304, "", NULL, "If-None-Match");
    EXPECT_PART(ASK("/memory?tag=1", PART, "If-None-Match", "\"2\""), "bytes 2-4/10", "234");
    expect(ASK("/memory?dated=1", PART, "If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:36 GMT"),
           412, "", NULL, "If-Unmodified-Since");
    expect(ASK("/memory?tag=1", PART, "If-Match", "\"2\"", "If-Range", "\"1\""), 412, "", NULL,
           "If-Match before If-Range");
    EXPECT_WHOLE(ASK("/memory?tag=1", "If-Match", "\"2\"")); /* no layer checks it */
    expect(ASK("/checked", PART, "If-None-Match", "\"1\""), 304, "", NULL, "asked by the handler");
    EXPECT_PART(ASK("/checked", PART, "If-Match", "\"1\""), "bytes 2-4/10", "234");
}

Test(ranges, of_a_part_keep_the_fields_of_the_whole)
{
    svc_reply *reply = ASK("/memory?tag=1&dated=1&coding=gzip", PART);
    cr_expect_str_eq(field(reply, "ETag"), "\"1\"");
    cr_expect_str_eq(field(reply, "Last-Modified"), old);
    cr_expect_str_eq(field(reply, "Content-Encoding"), "gzip");
    expect(reply, 206, "bytes 2-4/10", "234", "fields");
}

Test(ranges, can_be_turned_off)
{
    svc_config config = SVC_CONFIG_INIT;
    config.ranges = 0;
    svc_app *without = svc_app_new("without");
    add_routes(without);
    svc_app_configure(without, &config);
    svc_test test = SVC_TEST_INIT;
    test.target = "/memory?tag=1";
    test.headers = (const char *const[]){PART, NULL};
    svc_reply *reply = svc_app_test(without, &test);
    cr_expect_str_eq(field(reply, "Accept-Ranges"), "");
    EXPECT_WHOLE(reply);
    svc_app_free(without);
}
