/* Timers of the application. */
#include "libsvc/run/reactor.h"

#include <stdlib.h>

/* More than any program waits, and far from where nanoseconds overflow. */
static const uint64_t max_ms = UINT64_C(366) * 86400 * 1000;

struct svc_timer {
    struct deadline deadline; /* first */
    svc_loop *loop;
    void (*fn)(void *arg);
    void *arg;
};

/* Its function may free it. */
static void fire_timer(struct svc_loop *loop, struct deadline *deadline)
{
    svc_timer *timer = (svc_timer *)(void *)deadline;
    timer->fn(timer->arg);
    svc__watchdog_look(&loop->watchdog, WATCHED_TIMER, NULL);
}

svc_timer *svc_timer_new(svc_loop *loop, void (*fn)(void *arg), void *arg)
{
    svc_timer *timer = loop && svc__reactor_is_open(loop) ? malloc(sizeof *timer) : NULL;
    if (timer)
        *timer = (svc_timer){{.expired = fire_timer}, loop, fn, arg};
    return timer;
}

/* By the time of the call and not of the turn, which may have begun long before: never early. */
int svc_timer_set(svc_timer *timer, uint64_t ms)
{
    if (!timer || ms > max_ms)
        return timer ? SVC_EINVAL : SVC_ENOMEM;
    if (!svc__reactor_is_open(timer->loop))
        return SVC_ESTATE;
    svc__wheel_set(&timer->loop->timers, &timer->deadline.timer, svc__clock_ns() + ms * 1000000);
    return 0;
}

/* The loop may be gone when the timer is not set, and is not looked at. */
void svc_timer_cancel(svc_timer *timer)
{
    if (timer && svc__wheel_armed(&timer->deadline.timer))
        svc__wheel_cancel(&timer->loop->timers, &timer->deadline.timer);
}

void svc_timer_free(svc_timer *timer)
{
    svc_timer_cancel(timer);
    free(timer);
}
