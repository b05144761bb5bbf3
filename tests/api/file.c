/* Replies from files, without a socket: what is served, and what is refused. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <svc.h>

static char root[] = "/tmp/svc-file-XXXXXX";
static char inside[256], outside[256];

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert(file, "%s", path);
    fputs(text, file);
    fclose(file);
}

static void in_folder(char out[static 256], const char *name)
{
    snprintf(out, 256, "%s/%s", root, name);
}

/* root/public/{a.txt,empty,folder/,fifo,in -> a.txt,out -> ../secret}, root/secret. */
static void make_folder(void)
{
    char path[256];
    cr_assert(mkdtemp(root));
    in_folder(inside, "public");
    in_folder(outside, "secret");
    mkdir(inside, 0700);
    write_file(outside, "secret");
    in_folder(path, "public/a.txt");
    write_file(path, "0123456789");
    in_folder(path, "public/empty");
    write_file(path, "");
    in_folder(path, "public/folder");
    mkdir(path, 0700);
    in_folder(path, "public/fifo");
    cr_assert_eq(mkfifo(path, 0600), 0);
    in_folder(path, "public/in");
    cr_assert_eq(symlink("a.txt", path), 0);
    in_folder(path, "public/out");
    cr_assert_eq(symlink("../secret", path), 0);
}

static void remove_folder(void)
{
    static const char *const names[] = {"public/a.txt", "public/empty", "public/folder",
                                        "public/fifo",  "public/in",    "public/out",
                                        "public",       "secret",       ""};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[256];
        in_folder(path, names[i]);
        cr_expect_eq(remove(path), 0, "%s", path);
    }
}

TestSuite(file, .init = make_folder, .fini = remove_folder);

static int serve(svc_request *req, svc_response *res)
{
    return svc_response_file(res, 200, "text/plain", inside, svc_request_param(req, "path"));
}

static int serve_any(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_file(res, 200, NULL, NULL, outside);
}

/* ?offset=…&length=… of a.txt. */
static int serve_part(svc_request *req, svc_response *res)
{
    char path[256];
    const char *length = svc_request_query(req, "length");
    svc_file file = SVC_FILE_INIT;
    in_folder(path, "public/a.txt");
    file.fd = open(path, O_RDONLY | O_CLOEXEC);
    file.offset = strtoull(svc_request_query(req, "offset"), NULL, 10);
    if (length)
        file.length = strtoull(length, NULL, 10);
    int error = svc_response_fd(res, 206, "text/plain", &file);
    return error == SVC_EINVAL ? svc_response_problem(res, 416, NULL) : error;
}

static int serve_folder(svc_request *req, svc_response *res)
{
    svc_file file = SVC_FILE_INIT;
    (void)req;
    file.fd = open(inside, O_RDONLY | O_CLOEXEC);
    return svc_response_fd(res, 200, NULL, &file);
}

/* What a layer takes over, such as a compressor, it reads as a source. */
static int take_over(svc_request *req, svc_response *res, const svc_layer *layer)
{
    svc_source source = SVC_SOURCE_INIT;
    (void)req, (void)layer;
    int error = svc_response_take_source(res, &source);
    return error ? error : svc_response_source(res, 203, NULL, &source);
}

static const svc_middleware taking = {
    .size = sizeof taking, .name = "taking", .on_response = take_over};

static svc_app *make_app(void)
{
    svc_app *app = svc_app_new("files");
    svc_app_use(app, svc_conditional_new(app, NULL));
    svc_app_get(app, "/files/{path...}", serve, NULL);
    svc_app_get(app, "/any", serve_any, NULL);
    svc_app_get(app, "/part", serve_part, NULL);
    svc_app_get(app, "/folder", serve_folder, NULL);
    svc_group *taken = svc_app_group(app, "/taken");
    svc_group_use(taken, &taking);
    svc_group_get(taken, "/{path...}", serve, NULL);
    return app;
}

static void expect(svc_app *app, const char *target, int status, const char *body)
{
    svc_reply *reply = svc_app_test_get(app, target);
    cr_expect_eq(svc_reply_status(reply), status, "%s: %d", target, svc_reply_status(reply));
    if (body)
        cr_expect_str_eq(svc_reply_body(reply, NULL), body, "%s: %s", target,
                         svc_reply_body(reply, NULL));
    svc_reply_free(reply);
}

Test(file, is_served_below_a_folder)
{
    svc_app *app = make_app();
    expect(app, "/files/a.txt", 200, "0123456789");
    expect(app, "/files/empty", 200, "");
    expect(app, "/files/in", 200, "0123456789");
    expect(app, "/any", 200, "secret");
    svc_app_free(app);
}

Test(file, that_is_none_or_lies_outside_is_404)
{
    svc_app *app = make_app();
    static const char *const targets[] = {"/files/none",
                                          "/files/",
                                          "/files/folder",
                                          "/files/fifo",
                                          "/files/out",
                                          "/files/a.txt%2Fb",
                                          "/files/%2E.%2Fsecret",
                                          "/files/%2Fetc%2Fpasswd",
                                          "/files/folder%2F..%2F..%2Fsecret"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        expect(app, targets[i], 404, NULL);
    svc_app_free(app);
}

Test(file, has_its_time_and_is_not_sent_again)
{
    svc_app *app = make_app();
    svc_reply *reply = svc_app_test_get(app, "/files/a.txt");
    const char *modified = svc_reply_header(reply, "Last-Modified");
    cr_assert(modified);
    const char *const headers[] = {"If-Modified-Since", modified, NULL};
    svc_test test = SVC_TEST_INIT;
    test.target = "/files/a.txt";
    test.headers = headers;
    svc_reply *again = svc_app_test(app, &test);
    cr_expect_eq(svc_reply_status(again), 304);
    cr_expect_str_eq(svc_reply_body(again, NULL), "");
    svc_reply_free(again);
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(file, is_not_opened_to_be_read_for_its_head)
{
    svc_app *app = make_app();
    svc_test test = SVC_TEST_INIT;
    test.method = "HEAD";
    test.target = "/files/a.txt";
    svc_reply *reply = svc_app_test(app, &test);
    cr_expect_str_eq(svc_reply_header(reply, "Content-Length"), "10");
    cr_expect_str_eq(svc_reply_body(reply, NULL), "");
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(file, can_be_served_in_part)
{
    svc_app *app = make_app();
    expect(app, "/part?offset=0", 206, "0123456789");
    expect(app, "/part?offset=3&length=4", 206, "3456");
    expect(app, "/part?offset=10", 206, "");
    expect(app, "/part?offset=0&length=0", 206, "");
    expect(app, "/part?offset=11", 416, NULL);
    expect(app, "/part?offset=8&length=3", 416, NULL);
    expect(app, "/part?offset=1&length=18446744073709551614", 416, NULL);
    expect(app, "/folder", 500, NULL);
    svc_app_free(app);
}

Test(file, is_a_source_for_a_layer_that_takes_the_body)
{
    svc_app *app = make_app();
    expect(app, "/taken/a.txt", 203, "0123456789");
    expect(app, "/taken/none", 203, NULL);
    svc_app_free(app);
}
