/* A logger's life: its settings, and its sink from opening to end. */
#include "libsvc/log/logger.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct logger logger;
static int ends[2]; /* of a pipe that lines go to */

static void make_logger(void)
{
    cr_assert_eq(svc__logger_init(&logger, "test"), 0);
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
}

static void free_logger(void)
{
    svc__logger_free(&logger);
    close(ends[0]);
    close(ends[1]);
}

TestSuite(log_logger, .init = make_logger, .fini = free_logger);

static void open_as(int format)
{
    svc_config config = SVC_CONFIG_INIT;
    config.log_format = format;
    svc__logger_configure(&logger, &config);
    cr_assert_eq(svc__logger_open(&logger, &config, ends[1], 2), 0);
}

static void log_line(struct log *log, const char *message)
{
    svc_log_site site = {.module = "app", .file = "here.c", .line = 7, .level = SVC_LEVEL_INFO};
    const svc_kv items[] = {svc_kv_int("number", 1), SVC_KV_END};
    svc__log_write(log, &site, message, items);
}

/* All that was written, once the sink is closed. */
static const char *read_output(void)
{
    static char text[4096];
    svc__logger_close(&logger, 60000);
    ssize_t len = read(ends[0], text, sizeof text - 1);
    cr_assert_geq(len, 0);
    text[len] = '\0';
    return text;
}

Test(log_logger, logs_nothing_before_it_is_configured_and_opened)
{
    svc_log_site site = {.module = "app", .level = SVC_LEVEL_ERROR};
    cr_expect_not(svc__log_wants(&logger, &site));
    cr_expect_null(logger.sink);
}

Test(log_logger, one_that_was_never_made_can_be_freed)
{
    struct logger none = {.app = NULL};
    svc__logger_free(&none);
}

Test(log_logger, takes_levels_and_the_limit_of_repeats_from_the_settings)
{
    svc_config config = SVC_CONFIG_INIT;
    config.log_level = SVC_LEVEL_WARN;
    config.log_levels = "store=debug";
    config.log_repeat_per_s = 5;
    svc__logger_configure(&logger, &config);
    cr_expect_eq(svc__log_level_of(&logger.levels, "app"), SVC_LEVEL_WARN);
    cr_expect_eq(svc__log_level_of(&logger.levels, "store"), SVC_LEVEL_DEBUG);
    cr_expect_eq(logger.repeat_limit, 5);
    cr_expect_eq(logger.shared.repeat.limit, 5);
}

Test(log_logger, writes_json_where_no_terminal_is_and_all_of_it_before_it_closes)
{
    open_as(SVC_LOG_AUTO);
    cr_expect(svc__log_is_json(&logger.shared));
    log_line(&logger.shared, "a line");
    const char *text = read_output();
    cr_expect(strstr(text, "\"msg\":\"a line\"") && strstr(text, "\"number\":1"), "%s", text);
    cr_expect_null(logger.sink);
    log_line(&logger.shared, "too late");
}

Test(log_logger, writes_the_form_that_was_asked_for_also_by_the_ring_of_a_thread)
{
    open_as(SVC_LOG_LOGFMT);
    struct log own;
    svc__log_init(&own, &logger);
    cr_expect(own.ring);
    log_line(&own, "of_the_thread");
    log_line(&logger.shared, "of_all");
    cr_expect_not(svc__log_is_json(&own));
    svc__log_free(&own);
    const char *text = read_output();
    cr_expect(strstr(text, "msg=of_the_thread") && strstr(text, "msg=of_all"), "%s", text);
}

Test(log_logger, cannot_be_opened_on_what_is_no_descriptor)
{
    svc_config config = SVC_CONFIG_INIT;
    cr_expect_eq(svc__logger_open(&logger, &config, -1, 1), SVC_ESYSTEM);
    cr_expect_null(logger.sink);
}
