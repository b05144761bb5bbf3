#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/base/listen_text.h"
#include "libsvc/log/log_level.h"
#include "libsvc/settings/setting.h"
#include "libsvc/settings/settings_source.h"
#include "tests/unit/settings/support.h"

Test(settings_tables, the_library_has_no_setting_with_a_fault_and_none_twice)
{
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const svc_setting *setting = &svc__settings_own[i];
        cr_expect_null(svc__setting_fault(setting), "%s", setting->name);
        for (size_t j = 0; j < i; j++)
            cr_expect_str_neq(setting->name, svc__settings_own[j].name);
    }
}

Test(settings_tables, the_levels_of_the_setting_are_those_of_the_log)
{
    svc_config config = SVC_CONFIG_INIT;
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const svc_setting *setting = &svc__settings_own[i];
        if (setting->kind != SVC_SETTING_KIND_CHOICE || strcmp(setting->name, "log_level"))
            continue;
        for (int level = SVC_LEVEL_ERROR; level <= SVC_LEVEL_DEBUG; level++) {
            struct bytes text = svc__bytes_z(svc__log_level_name(level));
            cr_expect_eq(svc__setting_parse(setting, text, &config, NULL), 0);
            cr_expect_eq(config.log_level, level);
        }
        return;
    }
    cr_assert_fail("there is no setting of the level");
}

#define WORDS(name, word, values) values,

Test(settings_tables, the_fronts_of_the_setting_are_those_of_a_listeners_option)
{
    static const char *const words[] = {LISTEN_OPTION_LIST(WORDS)};
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        if (strcmp(svc__settings_own[i].name, "http1"))
            continue;
        cr_expect_str_eq(svc__settings_own[i].choices, words[LISTEN_FRONT]);
        return;
    }
    cr_assert_fail("there is no setting of the front");
}

struct values {
    uint64_t number;
    const char *text;
};

static const svc_setting table[] = {
    SVC_SETTING_NUMBER(struct values, number, 1, 0, 9, "", "A number"),
    SVC_SETTING_STRING(struct values, text, "none", "A text"),
    SVC_SETTING_END,
};

Test(settings_tables, settings_of_an_app_go_over_to_another)
{
    struct values values;
    struct owner outer, inner;
    owner_open(&outer);
    owner_open(&inner);
    setenv("OUTER_NUMBER", "7", 1);
    setenv("INNER_NUMBER", "8", 1);
    setenv("INNER_TEXT", "inner", 1);
    cr_assert_eq(svc__settings_add(&inner.settings, table, &values), 0);
    cr_expect_eq(svc__settings_adopt(&outer.settings, &inner.settings), 0);
    cr_expect_eq(svc__settings_source_prefix(&inner.settings, "INNER"), 0);
    cr_expect_eq(values.number, 1, "it no longer reads them");
    cr_expect_eq(svc__settings_source_prefix(&outer.settings, "OUTER"), 0);
    cr_expect_eq(values.number, 7);
    cr_expect_str_eq(values.text, "none");
    values.number = 10;
    cr_expect_eq(svc__settings_check(&inner.settings), 0);
    cr_expect_eq(svc__settings_check(&outer.settings), SVC_ECONFIG);
    cr_expect(strstr(svc__faults_text(&outer.faults), "setting number: \"10\" is not in 0 to 9"),
              "%s", svc__faults_text(&outer.faults));
    owner_close(&outer);
    owner_close(&inner);
}

Test(settings_tables, settings_that_go_over_late_are_read_by_the_prefix_of_before)
{
    struct values values;
    struct owner outer, inner;
    owner_open(&outer);
    owner_open(&inner);
    setenv("LATE_NUMBER", "7", 1);
    cr_assert_eq(svc__settings_add(&inner.settings, table, &values), 0);
    cr_expect_eq(svc__settings_source_prefix(&outer.settings, "LATE"), 0);
    cr_expect_eq(svc__settings_adopt(&outer.settings, &inner.settings), 0);
    cr_expect_eq(values.number, 1);
    cr_expect_eq(svc__settings_source_added(&outer.settings), 0);
    cr_expect_eq(values.number, 7);
    owner_close(&outer);
    owner_close(&inner);
}

Test(settings_tables, settings_that_both_have_do_not_go_over)
{
    struct values one, two;
    struct owner outer, inner;
    owner_open(&outer);
    owner_open(&inner);
    cr_assert_eq(svc__settings_add(&outer.settings, table, &one), 0);
    cr_assert_eq(svc__settings_add(&inner.settings, table, &two), 0);
    cr_expect_eq(svc__settings_adopt(&outer.settings, &inner.settings), SVC_EINVAL);
    cr_expect(strstr(svc__faults_text(&outer.faults), "setting number: the name is taken\n"));
    cr_expect(strstr(svc__faults_text(&outer.faults), "setting text: the name is taken\n"));
    cr_expect_eq(svc__settings_check(&outer.settings), SVC_ECONFIG);
    owner_close(&outer);
    owner_close(&inner);
}
