/* Forms with files, by the public calls. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <svc.h>

#include "tests/support/large.h"

#define TYPE "multipart/form-data; boundary=x"
#define PART(name) "--x\r\nContent-Disposition: form-data; name=" name "\r\n\r\n"
#define END "\r\n--x--\r\n"

enum { ON_WORKER = SVC_BLOCKING | SVC_STREAM_BODY };
enum { LONG = 4 << 20, TOO_LONG = 9 << 20 };

static char folder[] = "/tmp/multipart-XXXXXX";
static svc_multipart_options options = SVC_MULTIPART_OPTIONS_INIT;
static svc_app *app;

static void make_folder(void)
{
    cr_assert_not_null(mkdtemp(folder));
    options.folder = folder;
}

/* Removes the files that a test has kept. */
static void remove_file(const char *name)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    cr_expect_eq(unlink(path), 0, "%s: %s", path, strerror(errno));
}

static void remove_folder(void)
{
    svc_app_free(app);
    cr_expect_eq(rmdir(folder), 0, "something was left in %s", folder);
}

TestSuite(api_multipart, .init = make_folder, .fini = remove_folder);

static _Atomic int errors; /* lines of the log */

static bool count_errors(const svc_log_record *record, void *arg)
{
    (void)arg;
    errors += record->level == SVC_LEVEL_ERROR;
    return true;
}

static void make_app(svc_handler *handler, unsigned flags)
{
    svc_route route = SVC_ROUTE_INIT;
    app = svc_app_new("test");
    svc_app_set_log_sink(app, count_errors, NULL);
    route.pattern = "POST /";
    route.handler = handler;
    route.flags = flags;
    route.max_body = 8 << 20;
    cr_assert_eq(svc_app_route(app, &route), 0);
}

static svc_reply *send_bytes(const char *type, const void *body, size_t len)
{
    const char *const headers[] = {"Content-Type", type, NULL};
    svc_test test = SVC_TEST_INIT;
    test.method = "POST";
    test.headers = type ? headers : NULL;
    test.body = body;
    test.body_len = len;
    return svc_app_test(app, &test);
}

static svc_reply *send_form(const char *body)
{
    return send_bytes(TYPE, body, strlen(body));
}

static void expect_reply(svc_reply *reply, int status, const char *text)
{
    const char *body = svc_reply_body(reply, NULL);
    cr_expect_eq(svc_reply_status(reply), status, "%d: %s", svc_reply_status(reply), body);
    cr_expect(strstr(body, text), "%s", body);
    svc_reply_free(reply);
}

/* ---- Part by part */

static char listed[1024];
static size_t listed_len;

/* Adds to the list, which is cut at its end. */
static void list_text(const char *text, size_t len)
{
    size_t room = sizeof listed - 1 - listed_len;
    len = len < room ? len : room;
    memcpy(listed + listed_len, text, len);
    listed_len += len;
    listed[listed_len] = '\0';
}

static uint64_t sum; /* of the bytes of all parts, each with its place */

static int64_t list_part(svc_part *part)
{
    const char *const texts[] = {svc_part_name(part), svc_part_filename(part), svc_part_type(part)};
    const char *data;
    int64_t n;
    for (size_t i = 0; i < 3; i++) {
        list_text(texts[i] ? texts[i] : "-", texts[i] ? strlen(texts[i]) : 1);
        list_text("|", 1);
    }
    while ((n = svc_part_read(part, &data)) > 0) {
        list_text(data, (size_t)n);
        for (int64_t i = 0; i < n; i++)
            sum = sum * 31 + (unsigned char)data[i];
    }
    cr_expect_eq(svc_part_read(part, &data), n, "the end of a part stays");
    list_text(";", 1);
    return n;
}

/* Answers with the parts as text: "name|filename|type|bytes;". */
static int list_parts(svc_request *req, svc_response *res)
{
    svc_multipart *form = svc_request_multipart(req, &options);
    svc_part *part;
    int rc;
    listed_len = 0;
    listed[0] = '\0';
    sum = 0;
    while ((rc = svc_multipart_next(form, &part)) > 0)
        if (list_part(part) < 0)
            break;
    rc = svc_multipart_next(form, &part);
    cr_expect_eq(svc_multipart_next(form, &part), rc, "the end of a form stays");
    return rc < 0 ? rc : svc_response_text(res, 200, listed);
}

static const char two_parts[] =
    PART("a") "A\r\n" PART("f; filename=\"dir/f.txt\"\r\nContent-Type: text/csv") "1,2" END;

Test(api_multipart, reads_parts_as_they_come)
{
    make_app(list_parts, ON_WORKER);
    expect_reply(send_form(two_parts), 200, "a|-|text/plain|A;f|f.txt|text/csv|1,2;");
    expect_reply(send_form("--x--"), 200, "");
}

Test(api_multipart, reads_parts_of_a_body_that_is_whole)
{
    make_app(list_parts, 0); /* on the loop: nothing waits */
    expect_reply(send_form(two_parts), 200, "a|-|text/plain|A;f|f.txt|text/csv|1,2;");
    expect_reply(send_form(""), 400, "boundary");
}

Test(api_multipart, answers_for_a_form_that_it_cannot_read)
{
    static const unsigned flags[] = {0, ON_WORKER};
    for (size_t i = 0; i < 2; i++) {
        svc_app_free(app);
        make_app(list_parts, flags[i]);
        expect_reply(send_bytes(NULL, "x", 1), 415, "multipart/form-data");
        expect_reply(send_bytes("application/json", "{}", 2), 415, "multipart/form-data");
        expect_reply(send_bytes("multipart/form-data", "x", 1), 400, "no boundary");
        expect_reply(send_form(PART("a") "A"), 400, "ends before its last boundary");
        expect_reply(send_form(PART("\"\xe9\"") "A" END), 400, "UTF-8");
        expect_reply(send_form(PART("a\r\nContent-Transfer-Encoding: base64") "QQ==" END), 415,
                     "Content-Transfer-Encoding");
        expect_reply(send_form("--x\r\n\r\nA" END), 400, "no header fields");
    }
    cr_expect_eq(errors, 0, "none of these is a failure of the service");
}

Test(api_multipart, passes_over_the_charset_when_it_is_utf_8)
{
    make_app(list_parts, ON_WORKER);
    expect_reply(send_form(PART("_charset_") "UTF-8\r\n" PART("a") "A" END), 200,
                 "a|-|text/plain|A;");
    expect_reply(send_form(PART("_charset_") "iso-8859-1\r\n" PART("a") "A" END), 415, "_charset_");
    expect_reply(send_form(PART("_charset_") "utf-8xxxxxxxxx\r\n" PART("a") "A" END), 415,
                 "_charset_");
    expect_reply(send_form(PART("_charset_; filename=a") "b" END), 200,
                 "_charset_|a|text/plain|b;");
}

Test(api_multipart, keeps_to_the_limits_of_its_options)
{
    make_app(list_parts, ON_WORKER);
    options.max_parts = 1;
    expect_reply(send_form(two_parts), 413, "too many parts");
    options.max_parts = 2;
    options.max_file = 2;
    expect_reply(send_form(two_parts), 413, "over the limit");
    options.max_file = 3;
    options.max_field = 0;
    expect_reply(send_form(two_parts), 413, "over the limit");
    options.max_field = 1;
    options.max_name = 4;
    expect_reply(send_form(two_parts), 413, "too long");
    options.max_name = 9;
    expect_reply(send_form(two_parts), 200, "1,2;");
    options.max_head = 63;
    expect_reply(send_form(two_parts), 500, "");
}

/* A stream comes in pieces, and a beginning of a boundary lies at the end of some of them. */
Test(api_multipart, reads_a_large_part_whole)
{
    char *text = large(LONG);
    static const char head[] = PART("f; filename=f");
    size_t begin = sizeof head - 1, end = LONG - sizeof END;
    uint64_t expected = 0;
    memcpy(text, head, begin);
    for (size_t i = begin; i < end; i++) {
        text[i] = "\r\n--a"[i % 5];
        expected = expected * 31 + (unsigned char)text[i];
    }
    memcpy(text + end, END, sizeof END);
    make_app(list_parts, ON_WORKER);
    expect_reply(send_bytes(TYPE, text, LONG - 1), 200, "f|f|text/plain|");
    cr_expect_eq(sum, expected);
}

static int skip_parts(svc_request *req, svc_response *res)
{
    svc_multipart *form = svc_request_multipart(req, NULL);
    svc_part *part;
    int count = 0, rc;
    const char *data;
    while ((rc = svc_multipart_next(form, &part)) > 0)
        if (count++ == 0 && svc_part_read(part, &data) < 0)
            return SVC_ESYNTAX;
    return rc < 0 ? rc : svc_response_text(res, count == 2 ? 200 : 500, "skipped");
}

Test(api_multipart, drops_what_a_handler_does_not_read)
{
    make_app(skip_parts, ON_WORKER);
    expect_reply(send_form(two_parts), 200, "skipped");
}

/* ---- Content codings */

/* PART("a") "A" END in gzip. */
static const char coded[] =
    "\037\213\010\000\000\000\000\000\002\003\323\325\255\340\345\162\316\317\053\111\315"
    "\053\321\165\311\054\056\310\057\316\054\311\314\317\263\122\110\313\057\312\325\115"
    "\111\054\111\264\126\310\113\314\115\265\115\344\345\342\345\162\344\345\322\325\255"
    "\320\325\345\345\002\000\276\343\304\325\071\000\000\000";

static svc_reply *send_coded(void)
{
    static const char *const headers[] = {"Content-Type", TYPE, "Content-Encoding", "gzip", NULL};
    svc_test test = SVC_TEST_INIT;
    test.method = "POST";
    test.headers = headers;
    test.body = coded;
    test.body_len = sizeof coded - 1;
    return svc_app_test(app, &test);
}

Test(api_multipart, reads_no_coded_body_as_it_was_sent)
{
    make_app(list_parts, ON_WORKER | SVC_ANY_CODING);
    expect_reply(send_coded(), 415, "content coding");
    svc_app_free(app);
    make_app(list_parts, SVC_ANY_CODING);
    expect_reply(send_coded(), 415, "content coding");
}

#ifdef HAVE_ZLIB
Test(api_multipart, reads_what_a_layer_has_undone)
{
    make_app(list_parts, ON_WORKER);
    cr_assert_eq(svc_app_use(app, svc_decompress_new(app, NULL)), 0);
    expect_reply(send_coded(), 200, "a|-|text/plain|A;");
    svc_app_free(app);
    make_app(list_parts, 0);
    cr_assert_eq(svc_app_use(app, svc_decompress_new(app, NULL)), 0);
    expect_reply(send_coded(), 200, "a|-|text/plain|A;");
}
#endif

/* ---- Memory and files */

static int keep_parts(svc_request *req, svc_response *res)
{
    svc_multipart *form = svc_request_multipart(req, &options);
    int error = svc_multipart_collect(form);
    if (error)
        return error;
    const char *name = svc_form_value(svc_multipart_form(form), "name");
    error = svc_upload_keep(svc_multipart_upload(form, "f", 0), name ? name : "kept");
    return error ? error : svc_response_text(res, 201, "kept");
}

static size_t read_kept(const char *name, char *data, size_t size)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    size_t len = fread(data, 1, size, file);
    fclose(file);
    return len;
}

Test(api_multipart, keeps_a_file_under_the_name_that_the_handler_gives)
{
    char data[16];
    make_app(keep_parts, ON_WORKER);
    expect_reply(send_form(PART("f; filename=a") "abc\r\n" PART("name") "mine" END), 201, "kept");
    cr_expect_eq(read_kept("mine", data, sizeof data), 3);
    cr_expect_eq(memcmp(data, "abc", 3), 0);
    expect_reply(send_form(PART("f; filename=a") "def\r\n" PART("name") "mine" END), 500, "");
    cr_expect_eq(read_kept("mine", data, sizeof data), 3);
    cr_expect_eq(memcmp(data, "abc", 3), 0, "a file is not replaced");
    remove_file("mine");
    expect_reply(send_form(PART("f; filename=a") "abc\r\n" PART("name") "../a" END), 500, "");
    expect_reply(send_form(PART("f; filename=a") END), 201, "kept");
    cr_expect_eq(read_kept("kept", data, sizeof data), 0, "an empty file is one");
    remove_file("kept");
}

static int collect_only(svc_request *req, svc_response *res)
{
    svc_multipart *form = svc_request_multipart(req, &options);
    int error = svc_multipart_collect(form);
    if (error)
        return error;
    char text[200];
    svc_upload *file = svc_multipart_upload(form, "f", 1);
    const svc_form *fields = svc_multipart_form(form);
    const char *second = svc_form_value_nth(fields, "a", 1);
    char bytes[8] = "";
    cr_expect_geq(read(svc_upload_fd(file), bytes, sizeof bytes - 1), -1);
    snprintf(text, sizeof text, "%s|%s|%s|%d|%s|%d", second ? second : "-",
             svc_upload_filename(file), svc_upload_type(file), (int)svc_upload_size(file), bytes,
             svc_form_value(fields, "f") || svc_multipart_upload(form, "a", 0) ||
                 svc_multipart_upload(form, "f", 2));
    return svc_response_text(res, 200, text);
}

Test(api_multipart, collects_fields_and_files_in_their_order)
{
    make_app(collect_only, ON_WORKER);
    expect_reply(send_form(PART("a") "1\r\n" PART("f; filename=p") "P\r\n" PART("a") "2\r\n" PART(
                     "f; filename=q\r\nContent-Type: image/png") "QQ" END),
                 200, "2|q|image/png|2|QQ|0");
    expect_reply(send_form("--x--"), 200, "-||text/plain|0||0");
}

Test(api_multipart, passes_over_a_file_that_nobody_has_chosen)
{
    make_app(collect_only, ON_WORKER);
    expect_reply(send_form(PART("f; filename=\"\"") "\r\n" PART("f; filename=a") "A\r\n" PART(
                     "f; filename=\"b\"") "B" END),
                 200, "-|b|text/plain|1|B|0");
    expect_reply(send_form(PART("f; filename=\"\"") "A" END), 400, "no name");
}

Test(api_multipart, refuses_fields_that_are_no_text)
{
    static const char nul[] = PART("a") "A\0" END;
    make_app(collect_only, ON_WORKER);
    expect_reply(send_form(PART("a") "\xff" END), 400, "UTF-8");
    expect_reply(send_bytes(TYPE, nul, sizeof nul - 1), 400, "NUL");
}

Test(api_multipart, keeps_little_in_memory)
{
    make_app(collect_only, ON_WORKER);
    options.max_memory = 10;
    expect_reply(send_form(PART("a") "123\r\n" PART("a") "12345" END), 200, "12345|");
    expect_reply(send_form(PART("a") "1234\r\n" PART("a") "12345" END), 413, "more text");
}

Test(api_multipart, takes_no_file_without_a_folder)
{
    make_app(collect_only, ON_WORKER);
    options.folder = NULL;
    expect_reply(send_form(two_parts), 400, "none is taken");
    expect_reply(send_form(PART("a") "1\r\n" PART("a") "2" END), 200, "2|");
}

Test(api_multipart, waits_for_no_disk_on_a_loop)
{
    make_app(collect_only, 0);
    expect_reply(send_form(PART("a") "1\r\n" PART("a") "2" END), 200, "2|");
    expect_reply(send_form(two_parts), 500, "");
}

Test(api_multipart, says_that_there_is_no_room)
{
    static char text[64 << 10];
    struct rlimit limit = {20000, 20000};
    static const char head[] = PART("f; filename=f");
    memset(text, 'a', sizeof text);
    memcpy(text, head, sizeof head - 1);
    memcpy(text + sizeof text - sizeof END, END, sizeof END);
    make_app(keep_parts, ON_WORKER);
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    expect_reply(send_bytes(TYPE, text, sizeof text - 1), 507, "no room");
    cr_expect_eq(errors, 1, "the reason is logged");
}

Test(api_multipart, says_that_the_folder_cannot_be_used)
{
    make_app(keep_parts, ON_WORKER);
    options.folder = "/proc";
    expect_reply(send_form(two_parts), 500, "");
    options.folder = "/nonexistent";
    expect_reply(send_form(two_parts), 500, "");
}

Test(api_multipart, stops_at_the_limit_of_the_route)
{
    char *text = large(TOO_LONG);
    const char *const headers[] = {"Content-Type", TYPE, NULL};
    const char *const trailers[] = {"X-End", "1", NULL};
    static const char head[] = PART("f; filename=f");
    memset(text, 'a', TOO_LONG);
    memcpy(text, head, sizeof head - 1);
    make_app(keep_parts, ON_WORKER);
    svc_test test = SVC_TEST_INIT;
    test.method = "POST";
    test.headers = headers;
    test.trailers = trailers; /* so the length is not known before */
    test.body = text;
    test.body_len = TOO_LONG;
    expect_reply(svc_app_test(app, &test), 413, "over the limit");
}

/* ---- Fields that a schema binds */

struct photo {
    const char *title;
    int64_t year;
    const char **tags;
    size_t tag_count;
};

static const svc_field photo_fields[] = {
    SVC_FIELD_TEXT(struct photo, title, .required = true, .max_length = 5),
    SVC_FIELD_INT64(struct photo, year, .min = 1900, .max = 2100),
    SVC_FIELD_TEXTS(struct photo, tags, tag_count, .max_count = 3), SVC_FIELD_END};

static const svc_schema *photo_schema;

static int bind_photo(svc_request *req, svc_response *res)
{
    struct photo photo;
    svc_multipart *form = svc_request_multipart(req, &options);
    int error = svc_multipart_collect(form);
    if (error)
        return error;
    if (!svc_form_bind(svc_multipart_form(form), res, photo_schema, &photo))
        return 0;
    char text[200];
    snprintf(text, sizeof text, "%s %d %d %s %d", photo.title, (int)photo.year,
             (int)photo.tag_count, photo.tag_count ? photo.tags[photo.tag_count - 1] : "-",
             (int)svc_upload_size(svc_multipart_upload(form, "file", 0)));
    return svc_response_text(res, 200, text);
}

Test(api_multipart, binds_fields_beside_files)
{
    make_app(bind_photo, ON_WORKER);
    photo_schema = svc_schema_new(app, photo_fields, sizeof(struct photo), 0);
    expect_reply(send_form(PART("title") "A day\r\n" PART("year") "1999\r\n" PART(
                     "tags") "a\r\n" PART("file; filename=f") "FFF\r\n" PART("tags") "b" END),
                 200, "A day 1999 2 b 3");
    svc_reply *reply = send_form(PART("title") "Another day\r\n" PART("year") "1\r\n" PART(
        "file; filename=f") "FFF\r\n" PART("other") "b" END);
    const char *body = svc_reply_body(reply, NULL);
    cr_expect_eq(svc_reply_status(reply), 422);
    cr_expect(strstr(body, "title") && strstr(body, "year") && strstr(body, "other"), "%s", body);
    svc_reply_free(reply);
}

/* ---- Deferred, on a loop */

static svc_pending *pending;
static svc_multipart *deferred;
static svc_part *current;
static uint64_t received;
static unsigned parts, waits;

static void read_on(void *arg)
{
    const char *data;
    int64_t n = 1;
    (void)arg;
    while (n > 0 || (n == 0 && current)) {
        if (!current) {
            n = svc_multipart_try_next(deferred, &current);
            parts += n > 0;
        } else if ((n = svc_part_try_read(current, &data)) > 0) {
            received += (uint64_t)n;
        } else if (n == 0) {
            current = NULL;
            n = 1;
        }
    }
    if (n == SVC_EAGAIN) {
        waits++;
        return;
    }
    svc_response *res = svc_response_new();
    if (n < 0)
        svc_multipart_answer(deferred, res);
    else
        svc_response_text(res, 200, "read");
    svc_request_on_data(svc_pending_request(pending), NULL, NULL);
    svc_pending_complete(pending, res);
    svc_pending_unref(pending);
}

static int defer_reading(svc_request *req, svc_response *res)
{
    (void)res;
    received = parts = waits = 0;
    current = NULL;
    deferred = svc_request_multipart(req, &options);
    pending = svc_request_defer(req, NULL, NULL);
    svc_request_on_data(req, read_on, NULL);
    read_on(NULL);
    return 0;
}

Test(api_multipart, reads_on_a_loop_when_more_has_come)
{
    char *text = large(LONG);
    static const char head[] = PART("a") "A\r\n" PART("f; filename=f");
    memset(text, 'a', LONG);
    memcpy(text, head, sizeof head - 1);
    memcpy(text + LONG - sizeof END, END, sizeof END);
    make_app(defer_reading, SVC_STREAM_BODY);
    expect_reply(send_bytes(TYPE, text, LONG - 1), 200, "read");
    cr_expect_eq(parts, 2);
    cr_expect_eq(received, LONG - sizeof head - sizeof END + 1 + 1);
    cr_expect_gt(waits, 1, "the body came in pieces");
    expect_reply(send_bytes(TYPE, text, LONG - 10), 400, "ends before its last boundary");
    expect_reply(send_bytes("text/plain", text, 10), 415, "multipart/form-data");
}

/* ---- Calls without a form */

static int call_on_nothing(svc_request *req, svc_response *res)
{
    svc_multipart *form = svc_request_multipart(req, NULL);
    svc_part *part = NULL;
    svc_upload *upload = NULL;
    const char *data;
    cr_expect_eq(svc_multipart_answer(form, res), SVC_ESTATE);
    cr_expect_eq(svc_part_save(part, &upload), SVC_ENOMEM);
    cr_expect_eq(svc_part_bytes(part, &data, NULL), SVC_ENOMEM);
    cr_assert_eq(svc_multipart_next(form, &part), 1);
    cr_expect_eq(svc_part_save(part, &upload), SVC_EINVAL, "there is no folder");
    cr_assert_eq(svc_part_bytes(part, &data, NULL), 0);
    cr_expect_str_eq(data, "A");
    cr_expect_eq(svc_multipart_collect(NULL), SVC_ENOMEM);
    cr_expect_null(svc_multipart_form(form), "it was not collected");
    return svc_response_text(res, 200, "none");
}

Test(api_multipart, has_calls_that_do_nothing)
{
    make_app(call_on_nothing, ON_WORKER);
    expect_reply(send_form(two_parts), 200, "none");
}
