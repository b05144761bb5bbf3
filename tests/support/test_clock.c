/* Replaces the C library's function, for the libraries of the program too. */
#include "tests/support/test_clock.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

_Atomic uint64_t test_clock_ns;

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (!test_clock_ns || (clock != CLOCK_MONOTONIC && clock != CLOCK_MONOTONIC_COARSE))
        return (int)syscall(SYS_clock_gettime, clock, now);
    uint64_t ns = test_clock_ns++;
    *now = (struct timespec){(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    return 0;
}

void test_clock_stop(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    test_clock_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
