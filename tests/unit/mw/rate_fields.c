/* Limits as clients are told of them: each field to the letter, at the ends of its numbers. */
#include "libsvc/mw/rate_fields.h"

#include <criterion/criterion.h>
#include <string.h>

#include "libsvc/exchange/response_internal.h"
#include "tests/support/hand.h"

#define S UINT64_C(1000000000)

static struct arena memory;
static struct rate_limit limit;
static struct exchange *x;
static svc_response *res;

static void open_limit(void)
{
    hand_open();
    x = hand_exchange();
    res = &x->response;
    svc__arena_init(&memory, NULL, 1 << 20);
    limit = (struct rate_limit){.windows = {{.name = "short", .window = {2, S, 5}},
                                            {.name = "long", .window = {100, 3600 * S, 100}}},
                                .window_count = 2};
    cr_assert_eq(svc__rate_fields_prepare(&limit, &memory), 0);
}

static void close_limit(void)
{
    svc__arena_reset(&memory);
    svc__exchange_unref(x);
    hand_close();
}

TestSuite(mw_rate_fields, .init = open_limit, .fini = close_limit);

static void expect_field(const char *name, const char *value)
{
    const char *is = svc_response_header(res, name);
    cr_expect((!is && !value) || (is && value && !strcmp(is, value)), "%s: %s", name,
              is ? is : "none");
}

/* ---- Rendered once */

Test(mw_rate_fields, the_policy_says_in_which_time_a_burst_comes_back)
{
    cr_expect_str_eq(limit.policy.data, "\"short\";q=5;w=3, \"long\";q=100;w=3600");
    limit.windows[0].window = (struct limiter_window){1, UINT64_MAX, UINT64_MAX};
    limit.windows[1].window = (struct limiter_window){UINT64_MAX, 1, 1};
    cr_assert_eq(svc__rate_fields_prepare(&limit, &memory), 0);
    cr_expect_str_eq(limit.policy.data, "\"short\";q=18446744073709551615;w=999999999999999, "
                                        "\"long\";q=1;w=1");
}

Test(mw_rate_fields, there_is_a_problem_for_each_set_of_windows)
{
    static const char *const members[] = {"", "[\"short\"]", "[\"long\"]", "[\"short\",\"long\"]"};
    cr_expect_eq(limit.problems[0].data, NULL);
    cr_expect_eq(limit.problems[4].data, NULL);
    for (size_t set = 1; set < 4; set++) {
        cr_expect(strstr(limit.problems[set].data, members[set]), "%s", limit.problems[set].data);
        cr_expect(strstr(limit.problems[set].data, "\"status\":429"));
    }
    cr_expect_not(strstr(limit.problems[1].data, "long"));
}

Test(mw_rate_fields, without_memory_is_not_prepared)
{
    for (size_t ceiling = 0; ceiling < 400; ceiling += 16) {
        struct arena small;
        svc__arena_init(&small, NULL, ceiling);
        cr_expect_eq(svc__rate_fields_prepare(&limit, &small), SVC_ENOMEM, "%zu", ceiling);
        svc__arena_reset(&small);
    }
}

/* ---- Of each reply */

Test(mw_rate_fields, a_reply_tells_all_windows_with_times_rounded_up)
{
    const struct limiter_decision decision = {.pass = true,
                                              .quotas = {{4, S + 1, 2 * S, 0}, {100, 0, 0, 0}}};
    svc__rate_fields_put(&limit, &decision, res);
    expect_field("RateLimit-Policy", limit.policy.data);
    expect_field("RateLimit", "\"short\";r=4;t=2, \"long\";r=100");
    expect_field("X-RateLimit-Limit", NULL);
}

Test(mw_rate_fields, a_refusal_tells_those_that_refused_and_when_all_would_pass)
{
    const struct limiter_decision decision = {
        .refused = 2, .quotas = {{0, S, 3 * S, 0}, {1, 36 * S, 3599 * S, 71 * S + 1}}};
    limit.flags = SVC_RATE_X_FIELDS;
    svc__rate_fields_put(&limit, &decision, res);
    svc__rate_fields_put_retry(&limit, &decision, res);
    expect_field("RateLimit", "\"long\";r=1;t=36");
    expect_field("X-RateLimit-Limit", "100");
    expect_field("X-RateLimit-Remaining", "1");
    expect_field("X-RateLimit-Reset", "3599");
    expect_field("Retry-After", "72");
}

Test(mw_rate_fields, the_latest_of_several_refusals_is_when_to_come_back)
{
    const struct limiter_decision decision = {.refused = 3,
                                              .quotas = {{.retry_ns = 9 * S}, {.retry_ns = 2 * S}}};
    svc__rate_fields_put_retry(&limit, &decision, res);
    expect_field("Retry-After", "9");
}

Test(mw_rate_fields, a_time_that_never_comes_is_left_out)
{
    const struct limiter_decision decision = {
        .refused = 3, .quotas = {{0, LIMITER_NEVER, LIMITER_NEVER, LIMITER_NEVER}, {7, 0, 0, S}}};
    limit.flags = SVC_RATE_X_FIELDS;
    svc__rate_fields_put(&limit, &decision, res);
    svc__rate_fields_put_retry(&limit, &decision, res);
    expect_field("RateLimit", "\"short\";r=0, \"long\";r=7");
    expect_field("X-RateLimit-Reset", "0");
    expect_field("Retry-After", NULL);
}

Test(mw_rate_fields, single_fields_are_of_the_window_with_the_least_left)
{
    const struct limiter_decision decision = {.pass = true, .quotas = {{3, S, S, 0}, {3, 1, 1, 0}}};
    limit.flags = SVC_RATE_X_FIELDS | SVC_RATE_NO_DRAFT_FIELDS;
    svc__rate_fields_put(&limit, &decision, res);
    expect_field("RateLimit", NULL);
    expect_field("RateLimit-Policy", NULL);
    expect_field("X-RateLimit-Limit", "5");
    expect_field("X-RateLimit-Reset", "1");
}

/* The limit further in has answered first. */
Test(mw_rate_fields, a_limit_further_out_adds_to_lists_and_leaves_single_values)
{
    const struct limiter_decision inner = {.refused = 1, .quotas = {{0, S, S, 7 * S}}},
                                  outer = {.pass = true, .quotas = {{2, S, S, 0}, {9, S, S, 0}}};
    limit.flags = SVC_RATE_X_FIELDS;
    svc__rate_fields_put(&limit, &inner, res);
    svc__rate_fields_put_retry(&limit, &inner, res);
    svc__rate_fields_put(&limit, &outer, res);
    svc__rate_fields_put_retry(&limit, &outer, res);
    expect_field("X-RateLimit-Remaining", "0");
    expect_field("Retry-After", "7");
    expect_field("RateLimit", "\"short\";r=0;t=1");
    cr_expect_eq(svc_response_header_count(res), 2 + 2 + 3 + 1);
}

Test(mw_rate_fields, without_memory_the_reply_goes_without_them)
{
    const struct limiter_decision decision = {.refused = 1, .quotas = {{0, S, S, S}}};
    hand_exhaust(&x->arena);
    limit.flags = SVC_RATE_X_FIELDS;
    svc__rate_fields_put(&limit, &decision, res);
    svc__rate_fields_put_retry(&limit, &decision, res);
    cr_expect_eq(svc_response_header_count(res), 0);
}
