#include <criterion/criterion.h>
#include <string.h>

#include "libsvc/log/log_repeat.h"

enum { SECOND = 1000000, LIMIT = 3 };

static svc_log_site sites[LOG_REPEAT_PLACES + 8];

/* How many of `count` lines pass; what is told before them is added to `*told`. */
static uint64_t pass(struct log_repeat *repeat, size_t site, uint64_t second, uint64_t count,
                     uint64_t *told)
{
    uint64_t passed = 0;
    const svc_log_record record = {.time_us = second * SECOND + 77, .message = "message"};
    struct log_repeat_report report;
    for (uint64_t i = 0; i < count; i++) {
        passed += svc__log_repeat_pass(repeat, &sites[site], &record, &report);
        *told += report.suppressed;
    }
    return passed;
}

/* All that there is to tell in that second. */
static uint64_t take(struct log_repeat *repeat, uint64_t now_us)
{
    uint64_t told = 0;
    struct log_repeat_report report;
    while (svc__log_repeat_take(repeat, now_us, &report)) {
        cr_expect_gt(report.suppressed, 0);
        told += report.suppressed;
    }
    return told;
}

Test(log_repeat, so_many_lines_of_a_place_pass_in_a_second)
{
    struct log_repeat repeat = {.limit = LIMIT};
    uint64_t told = 0;
    cr_expect_eq(pass(&repeat, 0, 5, LIMIT, &told), LIMIT);
    cr_expect_not(repeat.suppressing);
    cr_expect_eq(pass(&repeat, 0, 5, 10, &told), 0);
    cr_expect(repeat.suppressing);
    cr_expect_eq(pass(&repeat, 1, 5, 1, &told), 1, "another place");
    cr_expect_eq(told, 0);
    cr_expect_eq(pass(&repeat, 0, 6, 1, &told), 1, "another second");
    cr_expect_eq(told, 10);
}

Test(log_repeat, a_clock_that_steps_back_begins_another_second)
{
    struct log_repeat repeat = {.limit = LIMIT};
    uint64_t told = 0;
    pass(&repeat, 0, 9, 5, &told);
    cr_expect_eq(pass(&repeat, 0, 2, 5, &told), LIMIT);
    cr_expect_eq(told, 5 - LIMIT);
}

Test(log_repeat, without_a_limit_all_pass)
{
    struct log_repeat repeat = {.limit = 0};
    uint64_t told = 0;
    cr_expect_eq(pass(&repeat, 0, 5, 1000, &told), 1000);
    cr_expect_eq(take(&repeat, UINT64_MAX), 0);
}

Test(log_repeat, a_place_that_falls_silent_is_told_when_its_second_is_over)
{
    struct log_repeat repeat = {.limit = LIMIT};
    uint64_t told = 0;
    pass(&repeat, 0, 5, 10, &told);
    pass(&repeat, 1, 6, 20, &told);
    pass(&repeat, 2, 6, 1, &told);
    cr_expect_eq(take(&repeat, 6 * SECOND), 10 - LIMIT);
    cr_expect(repeat.suppressing);
    cr_expect_eq(take(&repeat, 6 * SECOND), 0);
    cr_expect_eq(take(&repeat, 7 * SECOND), 20 - LIMIT);
    cr_expect_not(repeat.suppressing);
    cr_expect_eq(told, 0);
    /* Told once, and not again by its next line. */
    cr_expect_eq(pass(&repeat, 0, 8, 1, &told), 1);
    cr_expect_eq(told, 0);
}

Test(log_repeat, all_is_told_at_the_end)
{
    struct log_repeat repeat = {.limit = LIMIT};
    uint64_t told = 0;
    pass(&repeat, 0, 5, 10, &told);
    cr_expect_eq(take(&repeat, UINT64_MAX), 10 - LIMIT);
}

/* More places than are told apart: whoever must give up its entry is told. */
Test(log_repeat, no_count_is_lost_to_a_full_table)
{
    struct log_repeat repeat = {.limit = LIMIT};
    uint64_t told = 0, passed = 0, all = 0;
    for (uint64_t second = 1; second < 50; second++) {
        for (size_t site = 0; site < LOG_REPEAT_PLACES + 8; site++) {
            uint64_t count = (second * 31 + site * 17) % 23;
            passed += pass(&repeat, site, second, count, &told);
            all += count;
        }
    }
    told += take(&repeat, UINT64_MAX);
    cr_expect_eq(passed + told, all);
    cr_expect_gt(told, 0);
}

Test(log_repeat, what_is_told_names_the_place_and_its_message)
{
    struct log_repeat repeat = {.limit = 1};
    char message[] = "a message of more than the bytes that are kept of it";
    const svc_log_record record = {.time_us = 5 * SECOND, .message = message};
    struct log_repeat_report report;
    svc__log_repeat_pass(&repeat, &sites[3], &record, &report);
    svc__log_repeat_pass(&repeat, &sites[3], &record, &report);
    memset(message, 'x', sizeof message - 1);
    cr_assert(svc__log_repeat_take(&repeat, UINT64_MAX, &report));
    cr_expect_eq(report.site, &sites[3]);
    cr_expect_eq(report.suppressed, 1);
    cr_expect_eq(strlen(report.message), LOG_REPEAT_TEXT - 1);
    cr_expect_eq(strncmp(report.message, "a message of more", 17), 0);
}
