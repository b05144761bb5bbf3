#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libsvc/settings/settings_source.h"
#include "tests/unit/settings/support.h"

#include "tests/support/large.h"

struct values {
    uint64_t number;
    const char *text, *secret;
};

static const svc_setting table[] = {
    SVC_SETTING_NUMBER(struct values, number, 1, 0, 9, "", "A number", .secret = true),
    SVC_SETTING_STRING(struct values, text, "none", "A text"),
    SVC_SETTING_STRING(struct values, secret, NULL, "Not shown", .secret = true, .required = true),
    SVC_SETTING_END,
};

static struct owner own;
static struct values values;
static char path[] = "/tmp/svc-env-file-XXXXXX";

static void open_settings(void)
{
    owner_open(&own);
    cr_assert_eq(svc__settings_add(&own.settings, table, &values), 0);
    close(mkstemp(path));
}

static void close_settings(void)
{
    unlink(path);
    owner_close(&own);
}

TestSuite(settings_tables_source, .init = open_settings, .fini = close_settings);

static int read_text(const char *text, size_t len)
{
    FILE *file = fopen(path, "w");
    cr_assert(file && fwrite(text, 1, len, file) == len && !fclose(file));
    return svc__settings_source_file(&own.settings, path);
}

static int read_z(const char *text)
{
    return read_text(text, strlen(text));
}

static void expect_error(const char *text, bool with_file)
{
    char line[256];
    snprintf(line, sizeof line, "%s%s\n", with_file ? path : "", text);
    cr_expect(strstr(svc__faults_text(&own.faults), line), "%s in:\n%s", line,
              svc__faults_text(&own.faults));
}

Test(settings_tables_source, a_file_gives_settings_by_the_prefix)
{
    cr_expect_eq(read_z("# mine\nSVC_NUMBER=3\nexport SVC_TEXT='a b'\nSVC_THREADS=2\nNUMBER=4\n"
                        "OTHER_NUMBER=5\nSVC_UNKNOWN=6\nSVC_SECRET=x"),
                 0);
    cr_expect_eq(values.number, 3);
    cr_expect_str_eq(values.text, "a b");
    cr_expect_str_eq(values.secret, "x");
    cr_expect_eq(own.config.threads, 2);
    cr_expect_eq(svc__settings_check(&own.settings), 0);
}

Test(settings_tables_source, the_environment_has_the_last_word)
{
    setenv("LAST_NUMBER", "4", 1);
    setenv("LAST_TEXT", "", 1);
    cr_expect_eq(svc__settings_source_prefix(&own.settings, "LAST"), SVC_ECONFIG,
                 "one that is required is missing");
    cr_expect_eq(read_z("LAST_NUMBER=3\nLAST_TEXT=file\nLAST_SECRET=file\nSVC_NUMBER=5"), 0);
    cr_expect_eq(values.number, 4);
    cr_expect_str_eq(values.text, "");
    cr_expect_str_eq(values.secret, "file");
    cr_expect_eq(svc__settings_check(&own.settings), 0);
    cr_expect_str_eq(svc__faults_text(&own.faults), "");
}

Test(settings_tables_source, of_several_files_the_last_has_the_last_word)
{
    cr_expect_eq(read_z("SVC_NUMBER=3\nSVC_TEXT=first"), 0);
    cr_expect_eq(read_z("SVC_NUMBER=4"), 0);
    cr_expect_eq(values.number, 4);
    cr_expect_str_eq(values.text, "first");
}

Test(settings_tables_source, everything_that_is_wrong_in_a_file_is_told_with_its_line)
{
    cr_expect_eq(read_z("SVC_NUMBER=hidden\nSVC_MAX_FIELDS=3\nSVC_THREADS=\nwrong\n"
                        "SVC_TEXT=one\nSVC_TEXT=two\nSVC_SECRET=\"hidden\n"),
                 SVC_ECONFIG);
    expect_error(":1: SVC_NUMBER: the value is not a whole number", true);
    expect_error(":2: SVC_MAX_FIELDS: \"3\" is not in 8 to 200", true);
    expect_error(":3: SVC_THREADS: \"\" is not a whole number", true);
    expect_error(":4: expected NAME=value", true);
    expect_error(":6: SVC_TEXT: already on line 5", true);
    expect_error(":7: the double quote has no end", true);
    cr_expect_eq(svc__settings_check(&own.settings), SVC_ECONFIG);
    expect_error("setting secret: SVC_SECRET must be set", false);
    cr_expect_null(strstr(svc__faults_text(&own.faults), "hidden"));
    cr_expect_eq(values.number, 1);
    cr_expect_str_eq(values.text, "one");
}

Test(settings_tables_source, a_file_that_cannot_be_read_is_a_setup_error)
{
    cr_expect_eq(svc__settings_source_file(&own.settings, "/nowhere/env"), SVC_ECONFIG);
    expect_error("/nowhere/env: No such file or directory", false);
    cr_expect_eq(svc__settings_source_file(&own.settings, "/tmp"), SVC_ECONFIG);
    expect_error("/tmp: Is a directory", false);
    values.secret = "given";
    cr_expect_eq(svc__settings_check(&own.settings), SVC_ECONFIG);
}

Test(settings_tables_source, a_file_has_a_limit)
{
    enum { LIMIT = 1 << 20 };
    char *text = large(LIMIT + 1);
    memset(text, '\n', (LIMIT + 1));
    memcpy(text + LIMIT - 12, "SVC_NUMBER=3", 12);
    cr_expect_eq(read_text(text, LIMIT), 0);
    cr_expect_eq(values.number, 3);
    cr_expect_eq(read_text(text, LIMIT + 1), SVC_ECONFIG);
    expect_error(": over a limit", true);
}

Test(settings_tables_source, an_empty_file_gives_nothing)
{
    cr_expect_eq(read_z(""), 0);
    cr_expect_eq(values.number, 1);
}

Test(settings_tables_source, a_bad_value_of_the_environment_is_told_once)
{
    setenv("BAD_NUMBER", "10", 1);
    setenv("BAD_SECRET", "x", 1);
    cr_expect_eq(svc__settings_source_prefix(&own.settings, "BAD"), SVC_ECONFIG);
    cr_expect_eq(read_z("BAD_NUMBER=3"), 0);
    cr_expect_eq(values.number, 1);
    cr_expect_eq(svc__settings_check(&own.settings), SVC_ECONFIG);
    cr_expect_str_eq(svc__faults_text(&own.faults), "BAD_NUMBER: the value is not in 0 to 9\n");
}
