/* A log whose file is opened again by its name: a stop writes all, so that nothing has to be
 * awaited. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <svc.h>

static char home[] = "/tmp/svc-log-XXXXXX";

static void open_home(void)
{
    cr_assert(mkdtemp(home));
    cr_assert_eq(chdir(home), 0);
}

static void close_home(void)
{
    static const char *const names[] = {"log", "old", "older", "other", "away/log", "away/old"};
    cr_assert_eq(chdir(home), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(names[i]);
    rmdir("away");
    rmdir("gone");
    rmdir(home);
}

TestSuite(log_reopen, .init = open_home, .fini = close_home);

static svc_app *start(const char *output)
{
    svc_app *app = svc_app_new("test");
    svc_config config = SVC_CONFIG_INIT;
    config.listen = "127.0.0.1:0";
    config.admin_listen = "";
    config.log_output = output;
    config.log_format = SVC_LOG_JSON;
    config.log_repeat_per_s = 0;
    config.drain_delay_ms = 0;
    config.threads = 1;
    svc_app_configure(app, &config);
    cr_assert_eq(svc_app_start(app), 0, "%s", svc_app_errors(app));
    return app;
}

static void stop(svc_app *app)
{
    svc_app_stop(app);
    cr_expect_eq(svc_app_wait(app), 0);
    svc_app_free(app);
}

static const char *content(const char *path)
{
    static char text[1 << 20];
    FILE *file = fopen(path, "re");
    size_t len = file ? fread(text, 1, sizeof text - 1, file) : 0;
    text[len] = '\0';
    if (file)
        fclose(file);
    return text;
}

static void expect(const char *path, const char *line, bool there)
{
    const char *text = content(path);
    cr_expect_eq(strstr(text, line) != NULL, there, "%s, \"%s\": %s", path, line, text);
}

static void rename_file(const char *from, const char *to)
{
    cr_assert_eq(rename(from, to), 0);
}

Test(log_reopen, what_is_logged_after_the_call_is_in_the_new_file)
{
    svc_app *app = start("log");
    rename_file("log", "old");
    svc_app_log_info(app, "in between");
    cr_expect_eq(svc_app_reopen_log(app), 0);
    svc_app_log_info(app, "behind it");
    stop(app);
    expect("old", "behind it", false);
    expect("log", "behind it", true);
    expect("log", "\"stopped\"", true);
    bool old = strstr(content("old"), "in between"), new = strstr(content("log"), "in between");
    cr_expect(old != new, "a line is in one of the two");
}

Test(log_reopen, no_line_is_lost_or_split_by_many_rotations)
{
    enum { LINES = 5000, ROTATIONS = 200 }; /* which a ring holds */
    svc_app *app = start("log");
    size_t lines = 0;
    for (int i = 0; i < LINES; i++) {
        svc_app_log_info(app, "counted", svc_kv_int("number", i));
        if (i % (LINES / ROTATIONS) == 0) {
            char name[32];
            snprintf(name, sizeof name, "log.%d", i);
            rename("log", name); /* which is not there when the last one is yet to be opened */
            svc_app_reopen_log(app);
        }
    }
    stop(app);
    for (int i = -1; i < LINES; i++) {
        char name[32] = "log";
        if (i >= 0)
            snprintf(name, sizeof name, "log.%d", i);
        const char *text = content(name);
        for (const char *at = text; (at = strstr(at, "\"msg\":\"counted\"")); at++)
            lines++;
        size_t len = strlen(text);
        cr_expect(len == 0 || (text[0] == '{' && text[len - 1] == '\n' && !strstr(text, "\n\n")));
        unlink(name);
    }
    cr_expect_eq(lines, LINES, "%zu lines", lines);
}

Test(log_reopen, a_file_that_vanished_is_made_again)
{
    svc_app *app = start("log");
    cr_assert_eq(unlink("log"), 0);
    cr_expect_eq(svc_app_reopen_log(app), 0);
    svc_app_log_info(app, "made again");
    stop(app);
    expect("log", "made again", true);
}

Test(log_reopen, what_cannot_be_opened_leaves_the_old_file_and_is_logged_there)
{
    cr_assert_eq(mkdir("gone", 0700), 0);
    svc_app *app = start("gone/log");
    rename_file("gone", "away");
    cr_expect_eq(svc_app_reopen_log(app), 0);
    svc_app_log_info(app, "goes on");
    stop(app);
    expect("away/log", "goes on", true);
    expect("away/log",
           "\"level\":\"error\",\"msg\":\"log_output cannot be reopened\","
           "\"error\":\"No such file or directory\"}\n",
           true);
}

Test(log_reopen, a_relative_name_is_that_of_the_start)
{
    cr_assert_eq(mkdir("away", 0700), 0);
    svc_app *app = start("log");
    rename_file("log", "old");
    cr_assert_eq(chdir("away"), 0);
    cr_expect_eq(svc_app_reopen_log(app), 0);
    svc_app_log_info(app, "at home");
    stop(app);
    cr_expect_eq(chdir(home), 0);
    expect("log", "at home", true);
    expect("away/log", "at home", false);
}

Test(log_reopen, each_app_of_a_program_has_its_own)
{
    svc_app *one = start("log"), *two = start("other");
    rename_file("log", "old");
    rename_file("other", "older");
    cr_expect_eq(svc_app_reopen_log(one), 0);
    svc_app_log_info(one, "of one");
    svc_app_log_info(two, "of two");
    stop(one);
    stop(two);
    expect("log", "of one", true);
    expect("older", "of two", true);
    expect("other", "of two", false);
}

Test(log_reopen, two_apps_may_have_one_file)
{
    svc_app *one = start("log"), *two = start("log");
    rename_file("log", "old");
    cr_expect_eq(svc_app_reopen_log(one), 0);
    cr_expect_eq(svc_app_reopen_log(two), 0);
    svc_app_log_info(one, "of one");
    svc_app_log_info(two, "of two");
    stop(one);
    stop(two);
    expect("log", "of one", true);
    expect("log", "of two", true);
}

Test(log_reopen, standard_output_stays_as_it_is)
{
    cr_assert(freopen("log", "a", stdout));
    svc_app *app = start("stdout");
    rename_file("log", "old");
    cr_expect_eq(svc_app_reopen_log(app), 0);
    svc_app_log_info(app, "on stdout");
    stop(app);
    expect("old", "on stdout", true);
    cr_expect_neq(access("log", F_OK), 0);
}

Test(log_reopen, where_no_log_is_open_there_is_a_code)
{
    svc_app *app = svc_app_new("test"), *inner = svc_app_new("inner");
    cr_expect_eq(svc_app_reopen_log(NULL), SVC_ENOMEM);
    cr_expect_eq(svc_app_reopen_log(app), SVC_ESTATE);
    svc_app_mount(app, "/in", inner);
    cr_expect_eq(svc_app_reopen_log(inner), SVC_ESTATE);
    svc_app_free(app);
}
