/* Times of attempts and waits. */
#include "libsvc/redis/redis_time.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <time.h>

#include <svc/errors.h>

enum { FIRST_MS = 50, MOST_MS = 5000, DOUBLINGS_MOST = 7 };

uint64_t svc__redis_time_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 + 1;
}

int svc__redis_time_poll(int fd, short events, uint64_t deadline_ms, int stop_fd)
{
    struct pollfd fds[] = {{fd, events, 0}, {stop_fd, POLLIN, 0}};
    for (;;) {
        uint64_t now = svc__redis_time_ms();
        if (now >= deadline_ms)
            return SVC_ETIMEDOUT;
        uint64_t left = deadline_ms - now;
        int ready = poll(fds, 2, left < INT_MAX ? (int)left : INT_MAX);
        if (ready > 0)
            return fds[1].revents ? SVC_ECANCELLED : 0;
        if (ready < 0 && errno != EINTR && errno != EAGAIN)
            return SVC_ETIMEDOUT;
    }
}

uint64_t svc__redis_time_backoff(unsigned failed, uint64_t seed)
{
    uint64_t most =
        failed > DOUBLINGS_MOST ? MOST_MS : (uint64_t)FIRST_MS << (failed ? failed - 1 : 0);
    if (most > MOST_MS)
        most = MOST_MS;
    uint64_t mixed = (seed ^ seed >> 31) * UINT64_C(0x9e3779b97f4a7c15) >> 33;
    return most - mixed % (most / 2 + 1);
}
