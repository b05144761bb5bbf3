/* Folders whose files are served, without a socket: what a path leads to, and the reply's fields.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <svc.h>

static char root[] = "/tmp/svc-files-XXXXXX";
static char inside[64];

static void write_file(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *file = fopen(path, "w");
    cr_assert(file, "%s", path);
    fputs(text, file);
    fclose(file);
}

static void make_link(const char *to, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    cr_assert_eq(symlink(to, path), 0);
}

static void make_dir(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    cr_assert_eq(mkdir(path, 0700), 0);
}

/* Sets a file's times to a moment long ago, and its status' to now, which is awaited: the tag of a
 * file that has just changed is weak. */
static void set_time(const char *name, time_t seconds)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    const struct timespec times[] = {{seconds, 5}, {seconds, 5}};
    cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void make_folder(void)
{
    cr_assert(mkdtemp(root));
    snprintf(inside, sizeof inside, "%s/public", root);
    make_dir("public");
    write_file("secret.txt", "secret");
    write_file("public/a.txt", "0123456789");
    write_file("public/empty", "");
    write_file("public/page.html", "<p>page</p>");
    write_file("public/app.3f2a9c1e.js", "run()");
    write_file("public/.hidden", "hidden");
    write_file("public/with space.PDF", "%PDF");
    write_file("public/na\xc3\xafve.bin", "x");
    write_file("public/\xff.txt", "bytes");
    make_dir("public/.git");
    write_file("public/.git/config", "hidden");
    make_dir("public/.well-known");
    write_file("public/.well-known/security.txt", "contact");
    make_dir("public/site");
    write_file("public/site/index.html", "<h1>index</h1>");
    make_dir("public/site/deep");
    write_file("public/site/deep/b.txt", "deep");
    make_link("a.txt", "public/link");
    make_link("../secret.txt", "public/out");
    make_link("/etc/passwd", "public/absolute");
    make_link("..", "public/up");
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info, (void)kind, (void)at;
    return remove(path);
}

static void remove_folder(void)
{
    cr_expect_eq(nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

TestSuite(files, .init = make_folder, .fini = remove_folder);

static svc_app *make_app(const svc_files *given)
{
    svc_files files = SVC_FILES_INIT;
    if (given)
        files = *given;
    files.root = inside;
    svc_app *app = svc_app_new("files");
    cr_assert_eq(svc_app_files(app, "/static/", &files), 0, "%s", svc_app_errors(app));
    return app;
}

static svc_reply *ask(svc_app *app, const char *method, const char *target,
                      const char *const *headers)
{
    svc_test test = SVC_TEST_INIT;
    test.method = method;
    test.target = target;
    test.headers = headers;
    svc_reply *reply = svc_app_test(app, &test);
    cr_assert(reply, "%s: %s", target, svc_app_errors(app));
    return reply;
}

static void expect(svc_app *app, const char *target, int status, const char *body)
{
    svc_reply *reply = ask(app, "GET", target, NULL);
    cr_expect_eq(svc_reply_status(reply), status, "%s: %d", target, svc_reply_status(reply));
    if (body)
        cr_expect_str_eq(svc_reply_body(reply, NULL), body, "%s: %s", target,
                         svc_reply_body(reply, NULL));
    svc_reply_free(reply);
}

static void expect_field(svc_app *app, const char *target, const char *accept_name,
                         const char *accept, const char *name, const char *value)
{
    const char *const headers[] = {accept_name, accept, NULL};
    svc_reply *reply = ask(app, "GET", target, accept_name ? headers : NULL);
    const char *got = svc_reply_header(reply, name);
    if (value)
        cr_expect(got && !strcmp(got, value), "%s, %s: %s", target, name, got ? got : "none");
    else
        cr_expect(!got, "%s, %s: %s", target, name, got);
    svc_reply_free(reply);
}

Test(files, are_served_beneath_a_folder)
{
    svc_app *app = make_app(NULL);
    expect(app, "/static/a.txt", 200, "0123456789");
    expect(app, "/static/%61.txt", 200, "0123456789");
    expect(app, "/static/empty", 200, "");
    expect(app, "/static/link", 200, "0123456789");
    expect(app, "/static/site/deep/b.txt", 200, "deep");
    expect(app, "/static/with%20space.PDF", 200, "%PDF");
    expect(app, "/static/%ff.txt", 200, "bytes");
    expect(app, "/static/.well-known/security.txt", 200, "contact");
    svc_app_free(app);
}

Test(files, that_lie_outside_or_are_hidden_are_404)
{
    static const char *const targets[] = {
        "/static/none",
        "/static/a.txt/",
        "/static/a.txt/b",
        "/static/out",
        "/static/absolute",
        "/static/up/secret.txt",
        "/static/up",
        "/static/%2fetc%2fpasswd",
        "/static/site%2fdeep%2fb.txt",
        "/static/..%2fsecret.txt",
        "/static/%2e%2e%2fsecret.txt",
        "/static/site/..%2f..%2fsecret.txt",
        "/static/..%5csecret.txt",
        "/static/site%5cindex.html",
        "/static/.hidden",
        "/static/%2ehidden",
        "/static/.git/config",
        "/static/.git/",
        "/static/site/.well-known/x",
        "/static/..a",
    };
    svc_app *app = make_app(NULL);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        expect(app, targets[i], 404, NULL);
    svc_app_free(app);
}

/* The library itself answers paths that are not clean, and those with a NUL. */
Test(files, are_not_reached_by_paths_that_are_not_clean)
{
    svc_app *app = make_app(NULL);
    expect_field(app, "/static/../secret.txt", NULL, NULL, "Location", "/secret.txt");
    expect_field(app, "/static/%2e%2e/secret.txt", NULL, NULL, "Location", "/secret.txt");
    expect_field(app, "/static//a.txt", NULL, NULL, "Location", "/static/a.txt");
    expect(app, "/static/a.txt%00.html", 400, NULL);
    expect(app, "/static/..\\secret.txt", 400, NULL);
    svc_app_free(app);
}

Test(files, have_types_by_their_suffix)
{
    static const svc_file_type types[] = {{"BIN", "application/x-own"}, {NULL, NULL}};
    svc_files files = SVC_FILES_INIT;
    files.types = types;
    svc_app *app = make_app(&files);
    expect_field(app, "/static/a.txt", NULL, NULL, "Content-Type", "text/plain; charset=utf-8");
    expect_field(app, "/static/page.html", NULL, NULL, "Content-Type", "text/html; charset=utf-8");
    expect_field(app, "/static/with%20space.PDF", NULL, NULL, "Content-Type", "application/pdf");
    expect_field(app, "/static/empty", NULL, NULL, "Content-Type", "application/octet-stream");
    expect_field(app, "/static/na%C3%AFve.bin", NULL, NULL, "Content-Type", "application/x-own");
    expect_field(app, "/static/a.txt", NULL, NULL, "X-Content-Type-Options", "nosniff");
    svc_app_free(app);
}

Test(files, answer_conditions)
{
    svc_app *app = make_app(NULL);
    set_time("public/a.txt", 1000000000);
    expect_field(app, "/static/a.txt", NULL, NULL, "Last-Modified",
                 "Sun, 09 Sep 2001 01:46:40 GMT");
    svc_reply *reply = ask(app, "GET", "/static/a.txt", NULL);
    char tag[64];
    const char *sent = svc_reply_header(reply, "ETag");
    cr_assert(sent);
    snprintf(tag, sizeof tag, "%s", sent);
    svc_reply_free(reply);

    static const struct {
        const char *name, *value;
        int status;
    } conditions[] = {
        {"If-None-Match", NULL, 304},
        {"If-None-Match", "*", 304},
        {"If-None-Match", "\"another\"", 200},
        {"If-Modified-Since", "Sun, 09 Sep 2001 01:46:40 GMT", 304},
        {"If-Modified-Since", "Sun, 09 Sep 2001 01:46:39 GMT", 200},
        {"If-Match", "\"another\"", 412},
        {"If-Unmodified-Since", "Sun, 09 Sep 2001 01:46:39 GMT", 412},
        {"If-Unmodified-Since", "Sun, 09 Sep 2001 01:46:40 GMT", 200},
    };
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
        const char *value = conditions[i].value ? conditions[i].value : tag;
        const char *const headers[] = {conditions[i].name, value, NULL};
        reply = ask(app, "GET", "/static/a.txt", headers);
        cr_expect_eq(svc_reply_status(reply), conditions[i].status, "%s: %s: %d",
                     conditions[i].name, value, svc_reply_status(reply));
        if (conditions[i].status == 304)
            cr_expect(svc_reply_header(reply, "ETag") &&
                      !strcmp(svc_reply_header(reply, "ETag"), tag));
        svc_reply_free(reply);
    }
    svc_app_free(app);
}

static void read_tag(svc_app *app, const char *target, char out[static 64])
{
    svc_reply *reply = ask(app, "GET", target, NULL);
    const char *tag = svc_reply_header(reply, "ETag");
    cr_assert(tag, "%s", target);
    snprintf(out, 64, "%s", tag);
    svc_reply_free(reply);
}

/* Waits until a file's tag is strong: it is weak within a tick of its last change. */
static void await_strong_tag(svc_app *app, const char *target, char out[static 64])
{
    do
        read_tag(app, target, out);
    while (!strncmp(out, "W/", 2));
}

Test(files, have_a_tag_of_their_version_which_is_weak_at_first)
{
    svc_app *app = make_app(NULL);
    char before[64], after[64];
    await_strong_tag(app, "/static/a.txt", before);
    read_tag(app, "/static/a.txt", after);
    cr_expect_str_eq(after, before);
    write_file("public/a.txt", "9876543210"); /* of the same size */
    read_tag(app, "/static/a.txt", after);
    cr_expect_str_neq(after, before);
    await_strong_tag(app, "/static/a.txt", after);
    cr_expect_str_neq(after, before);
    set_time("public/a.txt", 1000000000);
    await_strong_tag(app, "/static/a.txt", before);
    cr_expect_str_neq(after, before);
    svc_app_free(app);
}

Test(files, have_a_tag_of_their_content_on_request)
{
    svc_files files = SVC_FILES_INIT;
    files.content_tags = true;
    svc_app *app = make_app(&files);
    char before[64], after[64];
    read_tag(app, "/static/a.txt", before);
    /* The first 128 bits of the SHA-256 of 0123456789, 84d89877f0d4041efb6bf91a16f0248f…, in
     * base64. */
    cr_expect_str_eq(before, "\"hNiYd_DUBB77a_kaFvAkjw\"");
    set_time("public/a.txt", 1000000000);
    read_tag(app, "/static/a.txt", after);
    cr_expect_str_eq(after, before, "the time is in the tag");
    read_tag(app, "/static/link", after);
    cr_expect_str_eq(after, before, "the name is in the tag");
    write_file("public/a.txt", "9876543210");
    read_tag(app, "/static/a.txt", after);
    cr_expect_str_neq(after, before);
    const char *const headers[] = {"If-None-Match", after, NULL};
    svc_reply *reply = ask(app, "GET", "/static/a.txt", headers);
    cr_expect_eq(svc_reply_status(reply), 304);
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(files, answer_HEAD_with_the_fields_of_GET)
{
    svc_app *app = make_app(NULL);
    char tag[64];
    await_strong_tag(app, "/static/a.txt", tag);
    svc_reply *reply = ask(app, "HEAD", "/static/a.txt", NULL);
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_str_eq(svc_reply_header(reply, "Content-Length"), "10");
    cr_expect_str_eq(svc_reply_header(reply, "ETag"), tag);
    cr_expect_str_eq(svc_reply_body(reply, NULL), "");
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(files, of_other_methods_are_405)
{
    svc_app *app = make_app(NULL);
    svc_reply *reply = ask(app, "POST", "/static/a.txt", NULL);
    cr_expect_eq(svc_reply_status(reply), 405);
    cr_expect_str_eq(svc_reply_header(reply, "Allow"), "GET, HEAD, OPTIONS");
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(files, of_a_folder_are_its_index)
{
    svc_app *app = make_app(NULL);
    expect(app, "/static/site/", 200, "<h1>index</h1>");
    expect_field(app, "/static/site/", NULL, NULL, "Content-Type", "text/html; charset=utf-8");
    expect(app, "/static/site", 308, NULL);
    expect_field(app, "/static/site?a=b", NULL, NULL, "Location", "/static/site/?a=b");
    expect(app, "/static/site/deep/", 404, NULL);
    expect(app, "/static/", 404, NULL);
    expect(app, "/static", 308, NULL);
    svc_app_free(app);
}

Test(files, of_a_folder_have_names_that_the_program_chooses)
{
    static const char *const index[] = {"none.txt", "a.txt", "page.html", NULL};
    static const char *const none[] = {NULL};
    svc_files files = SVC_FILES_INIT;
    files.index = index;
    svc_app *app = make_app(&files);
    expect(app, "/static/", 200, "0123456789");
    expect(app, "/static/site/", 404, NULL);
    svc_app_free(app);
    files.index = none;
    app = make_app(&files);
    expect(app, "/static/site/", 404, NULL);
    svc_app_free(app);
}

/* ---- Codings */

static void expect_coding(svc_app *app, const char *accept, const char *coding, const char *body)
{
    const char *const headers[] = {"Accept-Encoding", accept, NULL};
    svc_reply *reply = ask(app, "GET", "/static/page.html", accept ? headers : NULL);
    const char *got = svc_reply_header(reply, "Content-Encoding");
    cr_expect(coding ? got && !strcmp(got, coding) : !got, "%s: %s", accept ? accept : "none",
              got ? got : "none");
    cr_expect_str_eq(svc_reply_body(reply, NULL), body, "%s", accept ? accept : "none");
    cr_expect_str_eq(svc_reply_header(reply, "Vary"), "Accept-Encoding");
    cr_expect_str_eq(svc_reply_header(reply, "Content-Type"), "text/html; charset=utf-8");
    svc_reply_free(reply);
}

Test(files, compressed_before_are_sent_to_those_who_accept_them)
{
    svc_files files = SVC_FILES_INIT;
    files.precompressed = true;
    svc_app *app = make_app(&files);
    write_file("public/page.html.br", "brotli");
    write_file("public/page.html.gz", "gzip");
    expect_coding(app, NULL, NULL, "<p>page</p>");
    expect_coding(app, "gzip, deflate, br, zstd", "br", "brotli");
    expect_coding(app, "zstd, gzip", "gzip", "gzip");
    expect_coding(app, "zstd", NULL, "<p>page</p>");
    expect_coding(app, "br;q=0.5, gzip", "gzip", "gzip");
    expect_coding(app, "br;q=0, gzip;q=0", NULL, "<p>page</p>");
    expect_coding(app, "identity, gzip;q=0.5", NULL, "<p>page</p>");
    expect_coding(app, "identity;q=0, *", "br", "brotli");
    expect_coding(app, "identity;q=0", NULL, "<p>page</p>");
    write_file("public/page.html.zst", "zstd");
    expect_coding(app, "zstd, gzip", "zstd", "zstd");
    set_time("public/page.html.zst", 1000000000); /* made of an older page */
    expect_coding(app, "zstd, gzip", "gzip", "gzip");
    svc_app_free(app);
}

Test(files, compressed_before_have_tags_of_their_own)
{
    svc_files files = SVC_FILES_INIT;
    files.precompressed = true;
    svc_app *app = make_app(&files);
    write_file("public/page.html.gz", "gzip");
    char plain[64];
    await_strong_tag(app, "/static/page.html", plain);
    const char *const headers[] = {"Accept-Encoding", "gzip", "If-None-Match", plain, NULL};
    svc_reply *reply = ask(app, "GET", "/static/page.html", headers);
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_str_neq(svc_reply_header(reply, "ETag"), plain);
    svc_reply_free(reply);
    svc_app_free(app);
}

/* ---- Cache-Control, downloads, fallback */

Test(files, have_cache_control_by_pattern)
{
    svc_cache_policy forever = SVC_CACHE_POLICY_INIT, check = SVC_CACHE_POLICY_INIT;
    forever.directives = SVC_CACHE_PUBLIC | SVC_CACHE_IMMUTABLE;
    forever.max_age_s = 31536000;
    check.directives = SVC_CACHE_NO_CACHE;
    const svc_file_rule rules[] = {
        {"*.js", true, &forever}, {"site/*", false, &check}, {NULL, false, NULL}};
    svc_files files = SVC_FILES_INIT;
    files.rules = rules;
    svc_app *app = make_app(&files);
    write_file("public/component.js", "no hash");
    expect_field(app, "/static/app.3f2a9c1e.js", NULL, NULL, "Cache-Control",
                 "public, immutable, max-age=31536000");
    expect_field(app, "/static/component.js", NULL, NULL, "Cache-Control", NULL);
    expect_field(app, "/static/site/", NULL, NULL, "Cache-Control", "no-cache");
    expect_field(app, "/static/site/deep/b.txt", NULL, NULL, "Cache-Control", "no-cache");
    expect_field(app, "/static/a.txt", NULL, NULL, "Cache-Control", NULL);
    svc_app_free(app);
}

Test(files, to_be_saved_have_their_name)
{
    svc_files files = SVC_FILES_INIT;
    files.downloads = "*[!l]"; /* not the page */
    svc_app *app = make_app(&files);
    expect_field(app, "/static/a.txt", NULL, NULL, "Content-Disposition",
                 "attachment; filename=\"a.txt\"");
    expect_field(app, "/static/with%20space.PDF", NULL, NULL, "Content-Disposition",
                 "attachment; filename=\"with space.PDF\"");
    expect_field(app, "/static/na%C3%AFve.bin", NULL, NULL, "Content-Disposition",
                 "attachment; filename=\"na_ve.bin\"; filename*=UTF-8''na%C3%AFve.bin");
    expect_field(app, "/static/page.html", NULL, NULL, "Content-Disposition", NULL);
    svc_app_free(app);
}

static int attach(svc_request *req, svc_response *res)
{
    int error = svc_response_set_attachment(res, svc_request_query(req, "name"));
    return error ? svc_response_problem(res, 400, svc_error_text(error))
                 : svc_response_text(res, 200, "report");
}

Test(files, made_by_a_handler_have_names_too)
{
    svc_app *app = svc_app_new("files");
    svc_app_get(app, "/report", attach, NULL);
    expect_field(app, "/report?name=a/b%5Cc.txt", NULL, NULL, "Content-Disposition",
                 "attachment; filename=\"c.txt\"");
    expect_field(app, "/report?name=%E2%82%AC+rates.csv", NULL, NULL, "Content-Disposition",
                 "attachment; filename=\"_ rates.csv\"; filename*=UTF-8''%E2%82%AC%20rates.csv");
    expect_field(app, "/report?name=a%22b%25c%0A.txt", NULL, NULL, "Content-Disposition",
                 "attachment; filename=\"a_b_c_.txt\"; filename*=UTF-8''a%22b%25c_.txt");
    expect(app, "/report?name=", 400, NULL);
    expect(app, "/report?name=a/", 400, NULL);
    expect(app, "/report", 400, NULL);
    svc_app_free(app);
}

Test(files, of_one_page_answer_navigations_to_any_path)
{
    svc_files files = SVC_FILES_INIT;
    files.fallback = "page.html";
    svc_app *app = make_app(&files);
    static const char *const navigation[] = {
        "Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", NULL};
    static const char *const script[] = {"Accept", "*/*", NULL};
    svc_reply *reply = ask(app, "GET", "/static/users/7", navigation);
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_str_eq(svc_reply_body(reply, NULL), "<p>page</p>");
    cr_expect_str_eq(svc_reply_header(reply, "Vary"), "Accept");
    svc_reply_free(reply);
    reply = ask(app, "GET", "/static/none.js", script);
    cr_expect_eq(svc_reply_status(reply), 404);
    cr_expect_str_eq(svc_reply_header(reply, "Vary"), "Accept");
    svc_reply_free(reply);
    expect(app, "/static/a.txt", 200, "0123456789");
    expect(app, "/static/none", 404, NULL);
    svc_app_free(app);
}

/* ---- Listings */

static svc_app *make_listing(void)
{
    svc_files files = SVC_FILES_INIT;
    files.listing = true;
    return make_app(&files);
}

static char *read_names(svc_app *app, const char *target)
{
    static const char *const json[] = {"Accept", "application/json", NULL};
    svc_reply *reply = ask(app, "GET", target, json);
    cr_assert_eq(svc_reply_status(reply), 200, "%s", target);
    cr_expect_str_eq(svc_reply_header(reply, "Content-Type"), "application/json");
    json_t *listing = json_loads(svc_reply_body(reply, NULL), 0, NULL);
    cr_assert(listing, "%s", svc_reply_body(reply, NULL));
    static char names[1024];
    size_t index, len = 0;
    json_t *entry;
    json_array_foreach(json_object_get(listing, "entries"), index, entry) len +=
        (size_t)snprintf(names + len, sizeof names - len, "%s%s", len ? " " : "",
                         json_string_value(json_object_get(entry, "href")));
    json_decref(listing);
    svc_reply_free(reply);
    return names;
}

Test(files, are_listed_as_json_in_the_order_that_is_asked_for)
{
    svc_app *app = make_listing();
    make_dir("public/list");
    write_file("public/list/b", "1");
    write_file("public/list/a", "333");
    write_file("public/list/c", "22");
    make_dir("public/list/z");
    set_time("public/list/a", 1000000002);
    set_time("public/list/b", 1000000003);
    set_time("public/list/c", 1000000001);
    cr_expect_str_eq(read_names(app, "/static/list/"), "./z/ ./a ./b ./c");
    cr_expect_str_eq(read_names(app, "/static/list/?order=desc"), "./z/ ./c ./b ./a");
    cr_expect_str_eq(read_names(app, "/static/list/?sort=size"), "./z/ ./b ./c ./a");
    cr_expect_str_eq(read_names(app, "/static/list/?sort=modified"), "./z/ ./c ./a ./b");
    cr_expect_str_eq(read_names(app, "/static/list/?sort=modified&order=desc"), "./z/ ./b ./a ./c");
    cr_expect_str_eq(read_names(app, "/static/list/?sort=other"), "./z/ ./a ./b ./c");
    svc_app_free(app);
}

/* Neither links that lead out, nor the sizes of the files behind them. */
Test(files, that_may_not_be_served_are_not_listed)
{
    svc_app *app = make_listing();
    cr_expect_str_eq(read_names(app, "/static/"),
                     "./site/ ./a.txt ./app.3f2a9c1e.js ./empty ./link ./na%C3%AFve.bin "
                     "./page.html ./with%20space.PDF ./%FF.txt");
    svc_app_free(app);
}

Test(files, are_listed_as_a_page_whose_names_are_escaped)
{
    svc_app *app = make_listing();
    make_dir("public/list");
    write_file("public/list/<script>alert('x')&\"", "1");
    write_file("public/list/javascript:alert(1)", "1");
    write_file("public/list/\xff", "1");
    svc_reply *reply = ask(app, "GET", "/static/list/", NULL);
    const char *page = svc_reply_body(reply, NULL);
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_str_eq(svc_reply_header(reply, "Content-Type"), "text/html; charset=utf-8");
    cr_expect_str_eq(svc_reply_header(reply, "Vary"), "Accept");
    cr_expect_str_eq(svc_reply_header(reply, "Cache-Control"), "no-cache");
    cr_expect(strstr(svc_reply_header(reply, "Content-Security-Policy"), "default-src 'none'"));
    cr_expect(!strstr(page, "<script"), "%s", page);
    cr_expect(strstr(page, "<a href=\"./%3Cscript%3Ealert(%27x%27)%26%22\">"
                           "&lt;script&gt;alert(&#39;x&#39;)&amp;&quot;</a>"),
              "%s", page);
    cr_expect(strstr(page, "href=\"./javascript%3Aalert(1)\""), "%s", page);
    cr_expect(strstr(page, "<a href=\"./%FF\">\xef\xbf\xbd</a>"), "%s", page);
    cr_expect(strstr(page, "<a href=\"../\">"), "%s", page);
    svc_reply_free(reply);
    reply = ask(app, "GET", "/static/", NULL);
    cr_expect(!strstr(svc_reply_body(reply, NULL), "<a href=\"../\">"));
    svc_reply_free(reply);
    expect(app, "/static/none/", 404, NULL);
    expect(app, "/static/up/", 404, NULL);
    expect(app, "/static/.git/", 404, NULL);
    expect(app, "/static/site/", 200, "<h1>index</h1>");
    svc_app_free(app);
}

/* ---- Set-up */

Test(files, of_a_group_and_a_mounted_app_have_its_prefix)
{
    svc_files files = SVC_FILES_INIT;
    files.root = inside;
    svc_app *outer = svc_app_new("outer"), *inner = svc_app_new("inner");
    svc_group_files(svc_app_group(outer, "/of/{tenant}"), "/static/", &files);
    svc_app_files(inner, "/", &files);
    svc_app_mount(outer, "/mounted", inner);
    expect(outer, "/of/acme/static/a.txt", 200, "0123456789");
    expect(outer, "/mounted/site/deep/b.txt", 200, "deep");
    expect_field(outer, "/mounted/site", NULL, NULL, "Location", "/mounted/site/");
    svc_app_free(outer);
}

/* On a slow disk, paths are resolved on workers, which then wait for workers themselves. */
Test(files, may_be_found_by_workers)
{
    svc_files files = SVC_FILES_AT(inside);
    files.listing = files.content_tags = true;
    svc_app *app = svc_app_new("files");
    svc_group *group = svc_app_group(app, "/slow");
    svc_group_set_flags(group, SVC_BLOCKING);
    svc_group_files(group, "/", &files);
    expect(app, "/slow/a.txt", 200, "0123456789");
    expect_field(app, "/slow/a.txt", NULL, NULL, "ETag", "\"hNiYd_DUBB77a_kaFvAkjw\"");
    expect(app, "/slow/", 200, NULL);
    expect(app, "/slow/none", 404, NULL);
    svc_app_free(app);
}

struct settings {
    const char *folder;
};

static const svc_setting table[] = {SVC_SETTING_STRING(struct settings, folder, NULL, "The files"),
                                    SVC_SETTING_END};

Test(files, may_lie_where_a_setting_says)
{
    static struct settings settings;
    svc_files files = SVC_FILES_INIT;
    files.root_setting = &settings.folder;
    svc_app *app = svc_app_new("files");
    svc_app_add_settings(app, table, &settings);
    cr_expect_eq(svc_app_files(app, "/static/", &files), 0);
    setenv("FILES_FOLDER", inside, 1);
    cr_expect_eq(svc_app_read_environment(app, "FILES"), 0);
    expect(app, "/static/a.txt", 200, "0123456789");
    svc_app_free(app);
}

static void expect_refused(const char *prefix, const svc_files *files, const char *why)
{
    svc_app *app = svc_app_new("files");
    cr_expect_eq(svc_app_files(app, prefix, files), SVC_EINVAL, "%s", why);
    cr_expect(strstr(svc_app_errors(app), why), "%s", svc_app_errors(app));
    svc_app_free(app);
}

Test(files, that_cannot_be_served_are_refused_at_set_up)
{
    svc_files files = SVC_FILES_INIT;
    expect_refused("/static/", &files, "no root");
    files.root = inside;
    expect_refused("/static", &files, "prefix");
    expect_refused("static/", &files, "prefix");
    expect_refused("/{a}/", &files, "prefix");
    expect_refused(NULL, &files, "prefix");
    const svc_file_rule rules[] = {{"*", false, NULL}, {NULL, false, NULL}};
    files.rules = rules;
    expect_refused("/static/", &files, "policy");
    files.rules = NULL;
    files.size = 3;
    expect_refused("/static/", &files, "SVC_FILES_INIT");
    expect_refused("/static/", NULL, "SVC_FILES_INIT");
    cr_expect_eq(svc_app_files(NULL, "/static/", &files), SVC_ENOMEM);
}

Test(files, whose_folder_is_missing_fail_the_start)
{
    svc_files files = SVC_FILES_INIT;
    files.root = "/tmp/svc-files-no-such-folder";
    svc_app *app = svc_app_new("files");
    cr_expect_eq(svc_app_files(app, "/static/", &files), 0);
    cr_expect(!svc_app_test_get(app, "/static/a.txt"));
    cr_expect(strstr(svc_app_errors(app), files.root), "%s", svc_app_errors(app));
    svc_app_free(app);
}
