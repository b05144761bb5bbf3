/* A line's way from its place to a sink, without an app: levels, threads' own logs, the taker. */
#include "libsvc/log/log.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "libsvc/log/logger.h"

static struct logger logger, other;
static int taken;
static char last[64], last_app[16];

static bool take_line(const svc_log_record *record, void *arg)
{
    cr_expect_eq(arg, &taken);
    taken++;
    snprintf(last, sizeof last, "%s", record->message);
    snprintf(last_app, sizeof last_app, "%s", record->app);
    return true;
}

static void make_logger(struct logger *made, const char *app, int level)
{
    svc_config config = SVC_CONFIG_INIT;
    config.log_level = level;
    config.log_levels = "store=debug";
    config.log_repeat_per_s = 3;
    cr_assert_eq(svc__logger_init(made, app), 0);
    made->taker = take_line;
    made->taker_arg = &taken;
    svc__logger_configure(made, &config);
}

static void make_loggers(void)
{
    make_logger(&logger, "one", SVC_LEVEL_INFO);
    make_logger(&other, "two", SVC_LEVEL_ERROR);
}

static void free_loggers(void)
{
    svc__logger_free(&logger);
    svc__logger_free(&other);
}

TestSuite(log_log, .init = make_loggers, .fini = free_loggers);

static const svc_kv no_items[] = {SVC_KV_END};

static svc_log_site place(const char *module, int level)
{
    return (svc_log_site){.module = module, .file = "here.c", .line = 7, .level = level};
}

static void log_to(struct logger *to, svc_log_site *site, const char *message)
{
    svc__log_write(svc__log_here(to), site, message, no_items);
}

Test(log_log, a_line_passes_by_the_level_of_its_module_and_logger)
{
    svc_log_site info = place("app", SVC_LEVEL_INFO), debug = place("app", SVC_LEVEL_DEBUG),
                 store = place("store", SVC_LEVEL_DEBUG), error = place("app", SVC_LEVEL_ERROR);
    log_to(&logger, &info, "an info");
    cr_expect_eq(taken, 1);
    cr_expect_str_eq(last, "an info");
    cr_expect_str_eq(last_app, "one");
    log_to(&logger, &debug, "a debug");
    log_to(&other, &info, "an info");
    cr_expect_eq(taken, 1);
    log_to(&logger, &store, "a debug of the store");
    log_to(&other, &error, "an error");
    cr_expect_eq(taken, 3);
    cr_expect_str_eq(last_app, "two");
}

Test(log_log, a_logger_without_a_place_to_go_to_wants_nothing)
{
    svc_log_site site = place("app", SVC_LEVEL_ERROR);
    cr_expect(svc__log_wants(&logger, &site));
    cr_expect(svc__log_is_open(&logger.shared));
    logger.taker = NULL;
    cr_expect_not(svc__log_wants(&logger, &site));
    cr_expect_not(svc__log_is_open(&logger.shared));
    struct log none = {.logger = NULL};
    svc__log_write(&none, &site, "lost", no_items);
    cr_expect_not(svc__log_is_open(&none));
}

Test(log_log, a_thread_logs_by_its_own_log_but_only_for_its_logger)
{
    struct log own;
    svc__log_init(&own, &logger);
    cr_expect_eq(svc__log_here(&logger), &logger.shared);
    cr_expect_null(svc__log_adopt(&own));
    cr_expect_eq(svc__log_here(&logger), &own);
    cr_expect_eq(svc__log_here(&other), &other.shared);
    cr_expect_eq(svc__log_adopt(NULL), &own);
    cr_expect_eq(svc__log_here(&logger), &logger.shared);
    svc__log_free(&own);
}

Test(log_log, a_place_that_repeats_itself_is_held_back_and_told_of)
{
    svc_log_site site = place("app", SVC_LEVEL_ERROR);
    uint64_t second = svc__log_record_of(&logger, &site, "", no_items).time_us / 1000000;
    for (int i = 0; i < 10; i++)
        log_to(&logger, &site, "again");
    if (svc__log_record_of(&logger, &site, "", no_items).time_us / 1000000 != second)
        return; /* another second has begun, with lines of its own */
    cr_expect_eq(taken, 3);
    cr_expect(svc__log_suppresses(&logger.shared));
    svc__log_report_all(&logger.shared);
    cr_expect_eq(taken, 4);
    cr_expect_str_eq(last, "log lines suppressed");
}

Test(log_log, what_is_handed_over_is_not_held_back)
{
    svc_log_site site = place("app", SVC_LEVEL_INFO);
    for (int i = 0; i < 10; i++) {
        svc_log_record record = svc__log_record_of(&logger, &site, "a request", no_items);
        svc__log_hand_over(&logger.shared, &record);
    }
    cr_expect_eq(taken, 10);
    cr_expect_not(svc__log_suppresses(&logger.shared));
}

static bool log_within(const svc_log_record *record, void *arg)
{
    static svc_log_site site = {.module = "app", .level = SVC_LEVEL_ERROR};
    take_line(record, arg);
    log_to(&logger, &site, "from within");
    return true;
}

Test(log_log, what_the_taker_logs_does_not_come_back_to_it)
{
    svc_log_site site = place("app", SVC_LEVEL_ERROR);
    logger.taker = log_within;
    log_to(&logger, &site, "from outside");
    cr_expect_eq(taken, 1);
    cr_expect_str_eq(last, "from outside");
}

Test(log_log, no_text_of_a_record_is_null)
{
    svc_log_site site = {.level = SVC_LEVEL_INFO};
    svc_log_record record = svc__log_record_of(&logger, &site, NULL, NULL);
    cr_expect_str_eq(record.module, "");
    cr_expect_str_eq(record.message, "");
    cr_expect_str_eq(record.file, "");
    cr_expect_str_eq(record.request_id, "");
    cr_expect_str_eq(record.trace_id, "");
    cr_expect_str_eq(record.span_id, "");
    cr_expect_str_eq(record.route, "");
}
