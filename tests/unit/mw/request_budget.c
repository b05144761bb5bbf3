/* Budgets that callers send: the earliest deadline holds, and none is later than the route's. */
#include <criterion/criterion.h>
#include <string.h>

#include "libsvc/mw/stack.h"
#include "tests/support/hand.h"

#define MS UINT64_C(1000000)

enum { OWN_MS = 3600000 /* what the settings give */ };

static void open_plan(void)
{
    hand_open();
    hand.config.request_timeout_ms = OWN_MS;
    hand_plant(hand.plan);
}

TestSuite(mw_request_budget, .init = open_plan, .fini = hand_close);

/* The milliseconds that a request has by its fields; 0 where it is answered. */
static uint64_t budget_of(const char *const *fields)
{
    const svc_layer layer = {NULL, NULL};
    struct exchange *x = hand_begin(hand.plan, "GET", "/", fields);
    int verdict = svc__request_budget_make(NULL)->on_request(&x->request, &x->response, &layer);
    uint64_t ns = x->request.deadline_ns - x->request.started_ns;
    cr_expect_eq(x->response.status, verdict == SVC_ANSWERED ? 504 : 0);
    cr_expect_eq(ns % MS, 0);
    hand_end(x);
    return verdict == SVC_PASS ? ns / MS : 0;
}

#define EXPECT(ms, ...)                                                                            \
    do {                                                                                           \
        uint64_t is = budget_of((const char *const[]){__VA_ARGS__, NULL});                         \
        cr_expect_eq(is, (ms), "%s: %llu", #__VA_ARGS__, (unsigned long long)is);                  \
    } while (0)

Test(mw_request_budget, a_shorter_time_is_the_request_s)
{
    EXPECT(OWN_MS, NULL);
    EXPECT(1800000, "X-Request-Timeout", "1800000");
    EXPECT(1800000, "grpc-timeout", "30M");
    EXPECT(OWN_MS - 1, "X-Request-Timeout", "3599999");
}

Test(mw_request_budget, a_longer_time_changes_nothing_however_long_it_is)
{
    EXPECT(OWN_MS, "X-Request-Timeout", "3600000");
    EXPECT(OWN_MS, "X-Request-Timeout", "18446744073709551");
    EXPECT(OWN_MS, "X-Request-Timeout", "99999999999999999999999");
    EXPECT(OWN_MS, "grpc-timeout", "99999999H");
}

Test(mw_request_budget, the_least_of_several_holds_in_any_order)
{
    EXPECT(900000, "X-Request-Timeout", "1800000", "X-Request-Timeout", "900000");
    EXPECT(900000, "X-Request-Timeout", "900000", "X-Request-Timeout", "1800000");
    EXPECT(600000, "grpc-timeout", "10M", "X-Request-Timeout", "900000");
    EXPECT(600000, "X-Request-Timeout", "600000", "grpc-timeout", "15M");
}

Test(mw_request_budget, what_cannot_be_read_says_nothing)
{
    EXPECT(OWN_MS, "X-Request-Timeout", "soon");
    EXPECT(OWN_MS, "X-Request-Timeout", "-1");
    EXPECT(OWN_MS, "grpc-timeout", "10");
    EXPECT(900000, "X-Request-Timeout", "x", "X-Request-Timeout", "900000");
}

Test(mw_request_budget, no_time_at_all_is_answered_at_once)
{
    EXPECT(0, "X-Request-Timeout", "0");
    EXPECT(0, "grpc-timeout", "0S");
}
