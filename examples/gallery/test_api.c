/* The gallery without sockets. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gallery.h"
#include "picture.h"

#define PNG "\x89PNG\r\n\x1a\n(pixels)"
#define GIF "GIF89a(pixels)"

static char folder[] = "/tmp/gallery-XXXXXX";
static struct gallery gallery;
static svc_app *app;

static void set_up(void)
{
    cr_assert(mkdtemp(folder));
    app = gallery_new(&gallery);
    gallery.folder = gallery.page_folder = folder;
}

/* Removes the pictures, and returns their number; the name of one stays in `name`. */
static size_t clear_folder(char name[300])
{
    size_t count = 0;
    DIR *dir = opendir(folder);
    cr_assert(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, 300, "%s", entry->d_name);
        cr_expect_eq(unlinkat(dirfd(dir), entry->d_name, 0), 0);
        count++;
    }
    closedir(dir);
    return count;
}

static void tear_down(void)
{
    char name[300];
    svc_app_free(app);
    clear_folder(name);
    cr_expect_eq(rmdir(folder), 0);
}

TestSuite(gallery, .init = set_up, .fini = tear_down);

static svc_reply *upload(const char *body)
{
    static const char *const headers[] = {"Content-Type", "multipart/form-data; boundary=x",
                                          "Accept", "application/problem+json", NULL};
    svc_test test = SVC_TEST_INIT;
    test.method = "POST";
    test.target = "/pictures";
    test.headers = headers;
    test.body = body;
    test.body_len = strlen(body);
    svc_reply *reply = svc_app_test(app, &test);
    cr_assert(reply, "%s", svc_app_errors(app));
    return reply;
}

#define PART(name, file, data)                                                                     \
    "--x\r\nContent-Disposition: form-data; name=\"" name "\"; filename=\"" file                   \
    "\"\r\nContent-Type: image/png\r\n\r\n" data "\r\n"

static void expect_refused(const char *body, int status)
{
    char name[300];
    svc_reply *reply = upload(body);
    cr_expect_eq(svc_reply_status(reply), status, "%d %s", svc_reply_status(reply),
                 svc_reply_body(reply, NULL));
    svc_reply_free(reply);
    cr_expect_eq(clear_folder(name), 0, "%s is left", name);
}

static svc_reply *get(const char *target, const char *accept)
{
    svc_test test = SVC_TEST_INIT;
    test.target = target;
    test.headers = (const char *const[]){"Accept", accept, NULL};
    svc_reply *reply = svc_app_test(app, &test);
    cr_assert(reply, "%s", svc_app_errors(app));
    return reply;
}

Test(gallery, pictures_are_kept_under_names_of_their_own)
{
    char name[300], target[400];
    svc_reply *reply = upload(PART("picture", "../../a.html", PNG) "--x--\r\n");
    cr_expect_eq(svc_reply_status(reply), 303, "%s", svc_reply_body(reply, NULL));
    cr_expect_str_eq(svc_reply_header(reply, "Location"), "/");
    svc_reply_free(reply);
    reply = get("/pictures/", "application/json");
    const char *at = strstr(svc_reply_body(reply, NULL), "\"name\":\"");
    cr_assert(at, "%s", svc_reply_body(reply, NULL));
    snprintf(name, sizeof name, "%.*s", (int)strcspn(at + 8, "\""), at + 8);
    svc_reply_free(reply);
    cr_expect_eq(strlen(name), strlen("00112233445566778899aabbccddeeff.png"), "%s", name);
    snprintf(target, sizeof target, "/pictures/%s", name);
    reply = get(target, "image/*");
    cr_expect_str_eq(svc_reply_body(reply, NULL), PNG);
    cr_expect_str_eq(svc_reply_header(reply, "Content-Type"), "image/png");
    cr_expect_str_eq(svc_reply_header(reply, "Cache-Control"),
                     "public, immutable, max-age=31536000");
    cr_expect(strstr(svc_reply_header(reply, "Content-Security-Policy"), "default-src 'none'"));
    svc_reply_free(reply);
    reply = upload(PART("picture", "a", GIF) PART("picture", "b", PNG) "--x--\r\n");
    cr_expect_eq(svc_reply_status(reply), 303);
    svc_reply_free(reply);
    cr_expect_eq(clear_folder(name), 3);
}

Test(gallery, nothing_is_left_of_an_upload_that_is_refused)
{
    expect_refused(PART("picture", "a.png", "<script>") "--x--\r\n", 415);
    expect_refused(PART("picture", "a.png", PNG) PART("picture", "b.png", "") "--x--\r\n", 415);
    expect_refused(PART("other", "a.png", PNG) "--x--\r\n", 400);
    expect_refused("--x--\r\n", 400);
    expect_refused(PART("picture", "a.png", PNG) "--x", 400);
}

Test(gallery, open_pages_have_a_stream_of_events)
{
    svc_test test = SVC_TEST_INIT;
    test.target = "/events";
    test.timeout_ms = 50;
    svc_reply *reply = svc_app_test(app, &test);
    cr_assert(reply, "%s", svc_app_errors(app));
    cr_expect_str_eq(svc_reply_header(reply, "Content-Type"), "text/event-stream");
    svc_reply_free(reply);
}

Test(picture, kinds_are_known_by_their_first_bytes)
{
    static const char webp[] = "RIFF\0\0\0\0WEBP", wave[] = "RIFF\0\0\0\0WAVE";
    cr_expect_str_eq(picture_suffix("\xff\xd8\xff\xe0", 4), "jpg");
    cr_expect_str_eq(picture_suffix(PNG, 8), "png");
    cr_expect_str_eq(picture_suffix("GIF87a", 6), "gif");
    cr_expect_str_eq(picture_suffix(webp, 12), "webp");
    cr_expect_null(picture_suffix(PNG, 7));
    cr_expect_null(picture_suffix(webp, 11));
    cr_expect_null(picture_suffix(wave, 12));
    cr_expect_null(picture_suffix("____\0\0\0\0WEBP", 12));
    cr_expect_null(picture_suffix("<svg", 4));
    cr_expect_null(picture_suffix("", 0));
}

Test(picture, names_differ)
{
    char one[PICTURE_NAME], other[PICTURE_NAME];
    cr_assert(!picture_make_name(one, "webp") && !picture_make_name(other, "webp"));
    cr_expect_str_neq(one, other);
    cr_expect_str_eq(strchr(one, '.'), ".webp");
    cr_expect_eq(strspn(one, "0123456789abcdef"), 32);
}
