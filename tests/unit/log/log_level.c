#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include <svc/errors.h>

#include "libsvc/log/log_level.h"

static struct log_levels rules_of(const char *text)
{
    struct log_levels levels = {.fallback = SVC_LEVEL_WARN};
    struct bytes bad;
    const char *reason = "";
    cr_assert_eq(svc__log_level_rules(&levels, text, &bad, &reason), 0, "%s: %s", text, reason);
    return levels;
}

Test(log_level, modules_have_levels_of_their_own)
{
    struct log_levels levels = rules_of("store=debug, http = error ,,a.b-c_1=info,store=info");
    cr_expect_eq(svc__log_level_of(&levels, "store"), SVC_LEVEL_INFO, "the last one holds");
    cr_expect_eq(svc__log_level_of(&levels, "http"), SVC_LEVEL_ERROR);
    cr_expect_eq(svc__log_level_of(&levels, "a.b-c_1"), SVC_LEVEL_INFO);
    cr_expect_eq(svc__log_level_of(&levels, "htt"), SVC_LEVEL_WARN);
    cr_expect_eq(svc__log_level_of(&levels, "https"), SVC_LEVEL_WARN);
    cr_expect_eq(svc__log_level_of(&levels, ""), SVC_LEVEL_WARN);
    levels = rules_of("");
    cr_expect_eq(svc__log_level_of(&levels, "store"), SVC_LEVEL_WARN);
}

Test(log_level, rules_that_cannot_be_read_change_nothing)
{
    static const struct {
        const char *text, *bad, *reason;
    } rows[] = {
        {"store", "store", "module=level"},
        {"a=info,store:debug", "store:debug", "module=level"},
        {"=debug", "=debug", "module"},
        {"st ore=debug", "st ore=debug", "module"},
        {"a12345678901234567890123456789012=debug", "a12345678901234567890123456789012=debug",
         "1 to 31"},
        {"store=", "store=", "level"},
        {"store=DEBUG", "store=DEBUG", "level"},
        {"store=4,a=info", "store=4", "level"},
        {"a=info=debug", "a=info=debug", "level"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct log_levels levels = rules_of("kept=debug");
        struct bytes bad = {NULL, 0};
        const char *reason = "";
        int error = svc__log_level_rules(&levels, rows[i].text, &bad, &reason);
        cr_expect_eq(error, SVC_ESYNTAX, "%s", rows[i].text);
        cr_expect(svc__bytes_eq_z(bad, rows[i].bad), "%.*s", (int)bad.len, bad.data);
        cr_expect(strstr(reason, rows[i].reason), "%s: %s", rows[i].text, reason);
        cr_expect_eq(svc__log_level_of(&levels, "kept"), SVC_LEVEL_DEBUG);
    }
}

Test(log_level, there_are_32_rules_at_most)
{
    char text[512] = "", *at = text;
    struct log_levels levels = {.fallback = SVC_LEVEL_WARN};
    struct bytes bad;
    const char *reason = "";
    for (int i = 0; i < LOG_RULES; i++)
        at += sprintf(at, "%sm%d=info", i ? "," : "", i);
    cr_expect_eq(svc__log_level_rules(&levels, text, &bad, &reason), 0);
    strcpy(at, ",more=info");
    cr_expect_eq(svc__log_level_rules(&levels, text, &bad, &reason), SVC_ESYNTAX);
}

Test(log_level, the_ceiling_of_a_module_is_what_some_app_asks_for)
{
    const int *early = svc__log_level_ceiling("early");
    cr_expect_lt(*early, SVC_LEVEL_ERROR, "no app has asked for anything");
    struct log_levels levels = rules_of("store=debug,quiet=error");
    svc__log_level_raise(&levels);
    cr_expect_eq(*early, SVC_LEVEL_WARN);
    cr_expect_eq(*svc__log_level_ceiling("store"), SVC_LEVEL_DEBUG);
    cr_expect_eq(*svc__log_level_ceiling("quiet"), SVC_LEVEL_ERROR);
    cr_expect_eq(*svc__log_level_ceiling("late"), SVC_LEVEL_WARN);
    cr_expect_eq(svc__log_level_ceiling("early"), early);
    /* Another app that asks for less takes nothing away, and one that asks for more gets it. */
    struct log_levels other = rules_of("store=error,late=info");
    svc__log_level_raise(&other);
    cr_expect_eq(*svc__log_level_ceiling("store"), SVC_LEVEL_DEBUG);
    cr_expect_eq(*svc__log_level_ceiling("quiet"), SVC_LEVEL_WARN);
    cr_expect_eq(*svc__log_level_ceiling("late"), SVC_LEVEL_INFO);
}

Test(log_level, modules_beyond_those_that_are_kept_are_always_looked_at)
{
    char name[16];
    for (int i = 0; i < 64; i++) {
        snprintf(name, sizeof name, "m%d", i);
        cr_expect_lt(*svc__log_level_ceiling(name), SVC_LEVEL_ERROR);
    }
    cr_expect_eq(*svc__log_level_ceiling("more"), SVC_LEVEL_DEBUG);
    cr_expect_lt(*svc__log_level_ceiling("m63"), SVC_LEVEL_ERROR);
}

Test(log_level, a_long_name_is_a_module_too)
{
    cr_expect_eq(*svc__log_level_ceiling("a-name-of-a-module-that-is-rather-long"),
                 SVC_LEVEL_DEBUG);
    struct log_levels levels = rules_of("");
    cr_expect_eq(svc__log_level_of(&levels, "a-name-of-a-module-that-is-rather-long"),
                 SVC_LEVEL_WARN);
}
