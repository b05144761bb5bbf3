#include <criterion/criterion.h>

#include "libsvc/base/backoff.h"
#include "tests/unit/base/support.h"

/* By chance 0 the shortest, by the highest the longest. */
static void expect_range(struct backoff *backoff, uint32_t least, uint32_t most)
{
    struct backoff same = *backoff, middle = *backoff;
    cr_expect_eq(svc__backoff_next(backoff, 0), least);
    cr_expect_eq(svc__backoff_next(&same, UINT64_MAX), most);
    uint32_t between = svc__backoff_next(&middle, UINT64_C(1) << 63);
    uint32_t half = least + (most - least + 1) / 2;
    cr_expect_eq(between, half, "%u and not %u", (unsigned)between, (unsigned)half);
    cr_expect_eq(same.ceiling_ms, backoff->ceiling_ms);
}

Test(base_backoff, delays_double_up_to_the_ceiling)
{
    static const uint32_t least[] = {100, 200, 400, 800, 1500, 1500, 1500},
                          most[] = {200, 400, 800, 1600, 3000, 3000, 3000};
    struct backoff backoff;
    svc__backoff_init(&backoff, 100, 3000);
    for (size_t i = 0; i < ROWS(least); i++)
        expect_range(&backoff, least[i], most[i]);
}

Test(base_backoff, a_reset_begins_anew)
{
    struct backoff backoff;
    svc__backoff_init(&backoff, 100, 30000);
    for (int i = 0; i < 100; i++)
        svc__backoff_next(&backoff, 0);
    expect_range(&backoff, 15000, 30000);
    svc__backoff_reset(&backoff);
    expect_range(&backoff, 100, 200);
    expect_range(&backoff, 200, 400);
}

Test(base_backoff, a_ceiling_below_twice_the_least_is_kept)
{
    struct backoff backoff;
    svc__backoff_init(&backoff, 100, 150);
    expect_range(&backoff, 100, 150);
    expect_range(&backoff, 100, 150);
    svc__backoff_init(&backoff, 7, 7);
    expect_range(&backoff, 7, 7);
    expect_range(&backoff, 7, 7);
}

Test(base_backoff, nothing_overflows_at_the_largest_numbers)
{
    struct backoff backoff;
    svc__backoff_init(&backoff, UINT32_MAX, UINT32_MAX);
    expect_range(&backoff, UINT32_MAX, UINT32_MAX);
    svc__backoff_init(&backoff, 1, UINT32_MAX);
    for (int i = 0; i < 100; i++)
        svc__backoff_next(&backoff, UINT64_MAX);
    expect_range(&backoff, UINT32_MAX / 2, UINT32_MAX);
}
