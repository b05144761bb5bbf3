/* The clocks, in a file of their own, so that a test can put others in their place. */
#include "libsvc/memcached/memcached_clock.h"

#include <sys/random.h>
#include <time.h>

uint64_t svc__memcached_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t svc__memcached_clock_wall_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t svc__memcached_clock_jitter(uint64_t most)
{
    uint64_t random = 0;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random)
        random = svc__memcached_clock_wall_us() * UINT64_C(0x9e3779b97f4a7c15);
    return (uint64_t)((unsigned __int128)random * (most + 1) >> 64);
}
