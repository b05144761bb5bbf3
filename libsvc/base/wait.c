/* Waits of POSIX threads with deadlines in milliseconds. */
#include "libsvc/base/wait.h"

#include <limits.h>
#include <time.h>

#include "libsvc/base/clock.h"

/* One millisecond is added, since the clock's present one began before this call. */
uint64_t svc__wait_deadline(unsigned ms)
{
    return svc__clock_ms() + ms + 1;
}

int svc__wait_epoll_ms(int64_t ms)
{
    if (ms < 0)
        return -1;
    ms -= ms / 128;
    return ms < INT_MAX ? (int)ms : INT_MAX;
}

bool svc__wait_until(pthread_cond_t *changed, pthread_mutex_t *lock, uint64_t deadline_ms)
{
    if (deadline_ms == WAIT_NOT)
        return false;
    if (deadline_ms == WAIT_FOR_EVER)
        return pthread_cond_wait(changed, lock) == 0;
    struct timespec when = {(time_t)(deadline_ms / 1000), (long)(deadline_ms % 1000) * 1000000};
    return pthread_cond_clockwait(changed, lock, CLOCK_MONOTONIC, &when) == 0;
}
