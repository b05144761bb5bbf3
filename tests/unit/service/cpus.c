#include "libsvc/service/cpus.h"

#include <criterion/criterion.h>
#include <sched.h>

Test(cpus, a_quota_is_rounded_up)
{
    static const struct {
        long long quota, period;
        size_t cpus;
    } rows[] = {{100000, 100000, 1}, {150000, 100000, 2},
                {1, 100000, 1},      {200000, 100000, 2},
                {-1, 100000, 0},     {0, 100000, 0},
                {100000, 0, 0},      {9223372036854775807, 1, 9223372036854775807}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(svc__cpus_of_quota(rows[i].quota, rows[i].period), rows[i].cpus, "%zu", i);
}

Test(cpus, the_scheduler_s_mask_bounds_them)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    cr_assert_eq(sched_getaffinity(0, sizeof set, &set), 0);
    cr_expect_leq(svc__cpus_usable(), (size_t)CPU_COUNT(&set));
    size_t first = 0;
    while (!CPU_ISSET(first, &set))
        first++;
    CPU_ZERO(&set);
    CPU_SET(first, &set);
    cr_assert_eq(sched_setaffinity(0, sizeof set, &set), 0);
    cr_expect_eq(svc__cpus_usable(), 1);
}
