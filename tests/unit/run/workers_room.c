#include "libsvc/run/workers_room.h"

#include <criterion/criterion.h>
#include <sys/resource.h>

enum { STACK = 262144, MIB = 1048576 };

Test(workers_room, is_the_least_of_memory_and_threads_within_its_bounds)
{
    static const struct {
        uint64_t memory, threads;
        size_t room;
    } rows[] = {
        {UINT64_MAX, UINT64_MAX, 1024},
        {4096ull * MIB, 100000, 1024},
        {1152ull * MIB, UINT64_MAX, 1024},
        {576ull * MIB, UINT64_MAX, 512},
        {UINT64_MAX, 500, 250},
        {64ull * MIB, UINT64_MAX, 64},
        {0, 0, 64},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(svc__workers_room_of(rows[i].memory, rows[i].threads, STACK), rows[i].room,
                     "%zu", i);
}

Test(workers_room, large_stacks_take_more_of_the_memory)
{
    cr_expect_eq(svc__workers_room_of(4096ull * MIB, UINT64_MAX, 8 * MIB - 32768), 128);
    cr_expect_eq(svc__workers_room_of(4096ull * MIB, UINT64_MAX, UINT64_MAX / 2), 64);
}

Test(workers_room, a_limit_of_the_process_counts)
{
    struct rlimit threads;
    cr_assert_eq(getrlimit(RLIMIT_NPROC, &threads), 0);
    size_t before = svc__workers_room(STACK);
    cr_expect(before >= 64 && before <= 1024, "%zu", before);
    threads.rlim_cur = 200;
    cr_assert_eq(setrlimit(RLIMIT_NPROC, &threads), 0);
    cr_expect_leq(svc__workers_room(STACK), 100);
    threads.rlim_cur = 100;
    cr_assert_eq(setrlimit(RLIMIT_NPROC, &threads), 0);
    cr_expect_eq(svc__workers_room(STACK), 64);
}
