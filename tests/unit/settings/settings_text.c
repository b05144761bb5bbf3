#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/settings/settings_source.h"
#include "libsvc/settings/settings_text.h"
#include "tests/unit/settings/support.h"

struct values {
    const char *string, *empty, *token;
    uint64_t number, pin;
    int flag, choice;
};

static const svc_setting table[] = {
    SVC_SETTING_STRING(struct values, string, "a b",
                       "A `text` of many words, which are more than "
                       "one line of a terminal has room for, it seems"),
    SVC_SETTING_STRING(struct values, empty, NULL, "May be left out"),
    SVC_SETTING_STRING(struct values, token, NULL, "Not shown", .secret = true, .required = true),
    SVC_SETTING_NUMBER(struct values, number, 1, 0, 9, "ms", "A number"),
    SVC_SETTING_NUMBER(struct values, pin, 1234, 0, 9999, "", "A number", .secret = true),
    SVC_SETTING_FLAG(struct values, flag, 1, "A flag"),
    SVC_SETTING_CHOICE(struct values, choice, 0, "red green", "A choice"),
    SVC_SETTING_END,
};

static struct owner own;
static struct values values;
static struct buf out;

static void open_settings(void)
{
    owner_open(&own);
    cr_assert_eq(svc__settings_add(&own.settings, table, &values), 0);
    svc__buf_init(&out, 65536);
}

static void close_settings(void)
{
    svc__buf_free(&out);
    owner_close(&own);
}

TestSuite(settings_tables_text, .init = open_settings, .fini = close_settings);

static void expect_text(void (*put)(const struct settings *, struct buf *), const char *text)
{
    svc__buf_clear(&out);
    put(&own.settings, &out);
    svc__buf_terminate(&out);
    cr_assert_eq(svc__buf_error(&out), 0);
    cr_expect(strstr(out.data, text), "%s in:\n%s", text, out.data);
}

Test(settings_tables_text, help_tells_what_each_setting_is)
{
    expect_text(svc__settings_text_help,
                "  SVC_STRING (default a b)\n"
                "      A text of many words, which are more than one line of a terminal has room\n"
                "      for, it seems\n"
                "  SVC_EMPTY (no default)\n"
                "      May be left out\n"
                "  SVC_TOKEN (required; secret)\n"
                "      Not shown\n"
                "  SVC_NUMBER (default 1 ms; 0 to 9)\n"
                "      A number\n"
                "  SVC_PIN (default ********; 0 to 9999; secret)\n"
                "      A number\n"
                "  SVC_FLAG (default on; on or off)\n"
                "      A flag\n"
                "  SVC_CHOICE (default red; red or green)\n"
                "      A choice\n"
                "\n"
                "  SVC_LISTEN (default :8080)\n");
}

Test(settings_tables_text, help_has_the_prefix_that_was_read)
{
    svc__settings_source_prefix(&own.settings, "MINE");
    expect_text(svc__settings_text_help, "  MINE_STRING (");
    expect_text(svc__settings_text_help,
                "  MINE_DRAIN_DELAY_MS (default 11000 ms; 0 to 3600000)\n");
}

Test(settings_tables_text, values_are_told_with_their_origin)
{
    svc_config config = SVC_CONFIG_INIT;
    config.threads = 3;
    config.listen = "127.0.0.1:0, [::1]:0";
    cr_assert_eq(svc__settings_configure(&own.settings, &config), 0);
    setenv("TOLD_STRING", "new\nline\x1b", 1);
    setenv("TOLD_TOKEN", "hidden", 1);
    setenv("TOLD_PIN", "9876", 1);
    setenv("TOLD_MAX_FIELDS", "100", 1);
    cr_assert_eq(svc__settings_source_prefix(&own.settings, "TOLD"), 0);
    values.number = 2;
    expect_text(svc__settings_text_values,
                "TOLD_STRING=\"new\\nline\xef\xbf\xbd\" # environment TOLD_STRING\n"
                "TOLD_EMPTY=\"\" # default\n"
                "TOLD_TOKEN=******** # environment TOLD_TOKEN\n"
                "TOLD_NUMBER=2 # program\n"
                "TOLD_PIN=******** # environment TOLD_PIN\n"
                "TOLD_FLAG=on # default\n"
                "TOLD_CHOICE=red # default\n"
                "TOLD_LISTEN=\"127.0.0.1:0, [::1]:0\" # program\n");
    expect_text(svc__settings_text_values, "\nTOLD_THREADS=3 # program\n");
    expect_text(svc__settings_text_values, "\nTOLD_MAX_FIELDS=100 # environment TOLD_MAX_FIELDS\n");
}

Test(settings_tables_text, a_secret_that_is_not_set_is_told_as_such)
{
    expect_text(svc__settings_text_values, "\nSVC_TOKEN=\"\" # default\n");
    expect_text(svc__settings_text_values, "\nSVC_PIN=******** # default\n");
}

Test(settings_tables_text,
     what_the_program_configures_later_is_its_own_where_the_operator_said_nothing)
{
    svc_config config = SVC_CONFIG_INIT;
    setenv("LATER_THREADS", "2", 1);
    svc__settings_source_prefix(&own.settings, "LATER");
    config.threads = 3;
    config.max_fields = 50;
    cr_assert_eq(svc__settings_configure(&own.settings, &config), 0);
    expect_text(svc__settings_text_values, "\nLATER_THREADS=2 # environment LATER_THREADS\n");
    expect_text(svc__settings_text_values, "\nLATER_MAX_FIELDS=50 # program\n");
}
