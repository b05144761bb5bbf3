/* The download server without sockets. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

static char folder[] = "/tmp/files-XXXXXX";
static struct files files;
static svc_app *app;

static void write_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    cr_assert(file);
    fputs(text, file);
    fclose(file);
}

static void set_up(void)
{
    cr_assert(mkdtemp(folder));
    write_file("notes.log", "one\ntwo\n");
    write_file("disk.iso", "bytes");
    write_file("app.3f2a9c1e.js", "run()");
    app = files_new(&files);
    files.folder = folder;
}

static void tear_down(void)
{
    static const char *const names[] = {"notes.log", "disk.iso", "app.3f2a9c1e.js", ""};
    svc_app_free(app);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        cr_expect_eq(remove(path), 0, "%s", path);
    }
}

TestSuite(files, .init = set_up, .fini = tear_down);

static void expect(const char *target, const char *name, const char *value)
{
    svc_reply *reply = svc_app_test_get(app, target);
    cr_assert(reply, "%s", svc_app_errors(app));
    cr_expect_eq(svc_reply_status(reply), 200, "%s: %d", target, svc_reply_status(reply));
    const char *got = svc_reply_header(reply, name);
    cr_expect(got && !strcmp(got, value), "%s: %s: %s", target, name, got ? got : "none");
    svc_reply_free(reply);
}

Test(files, have_types_and_may_be_kept)
{
    expect("/notes.log", "Content-Type", "text/plain; charset=utf-8");
    expect("/notes.log", "Cache-Control", "public, no-cache");
    expect("/app.3f2a9c1e.js", "Cache-Control", "public, immutable, max-age=31536000");
    expect("/disk.iso", "Content-Disposition", "attachment; filename=\"disk.iso\"");
}

Test(files, are_listed)
{
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_assert(reply);
    cr_expect(strstr(svc_reply_body(reply, NULL), "<a href=\"./notes.log\">notes.log</a>"), "%s",
              svc_reply_body(reply, NULL));
    svc_reply_free(reply);
}
