/* One request leads, others wait or pass. Waits of real requests are in tests/api/response_cache.c.
 */
#include <criterion/criterion.h>

#include "libsvc/shared_cache/collapse.h"
#include "tests/support/test_clock.h"

static struct collapse *collapse;

static void open_collapse(void)
{
    collapse = svc__collapse_new();
    cr_assert(collapse);
}

static void close_collapse(void)
{
    svc__collapse_free(collapse);
}

TestSuite(collapse, .init = open_collapse, .fini = close_collapse);

static enum collapse_part join(const char *key, struct collapse_lead *lead,
                               struct collapse_waiter *waiter)
{
    return svc__collapse_join(collapse, 7, svc__bytes_z(key), lead, waiter, NULL, 2);
}

Test(collapse, has_one_lead_for_a_key_and_some_that_wait)
{
    struct collapse_lead lead, other, none;
    struct collapse_waiter waiters[3];
    cr_expect_eq(join("a", &lead, &waiters[0]), COLLAPSE_LEADS);
    cr_expect_eq(join("b", &other, &waiters[0]), COLLAPSE_LEADS);
    cr_expect_eq(join("a", &none, &waiters[0]), COLLAPSE_WAITS);
    cr_expect_eq(join("a", &none, &waiters[1]), COLLAPSE_WAITS);
    cr_expect_eq(join("a", &none, &waiters[2]), COLLAPSE_PASSES);
    cr_expect(svc__collapse_leave(collapse, &waiters[0]));
    cr_expect_not(svc__collapse_leave(collapse, &waiters[0]));
    cr_expect_eq(join("a", &none, &waiters[2]), COLLAPSE_WAITS);
    svc__collapse_end(collapse, &lead, true);
    cr_expect_not(svc__collapse_leave(collapse, &waiters[1]));
    cr_expect_not(svc__collapse_leave(collapse, &waiters[2]));
    cr_expect_eq(join("a", &lead, &waiters[0]), COLLAPSE_LEADS);
    svc__collapse_end(collapse, &lead, true);
    svc__collapse_end(collapse, &lead, true);
    svc__collapse_end(collapse, &other, true);
}

Test(collapse, lets_requests_pass_after_a_reply_that_was_not_stored)
{
    struct collapse_lead lead, other;
    struct collapse_waiter waiter;
    test_clock_stop();
    cr_expect_eq(join("a", &lead, &waiter), COLLAPSE_LEADS);
    svc__collapse_end(collapse, &lead, false);
    cr_expect_eq(join("a", &other, &waiter), COLLAPSE_PASSES);
    test_clock_ns += UINT64_C(10001000000);
    cr_expect_eq(join("a", &lead, &waiter), COLLAPSE_LEADS);
    svc__collapse_end(collapse, &lead, true);
}
