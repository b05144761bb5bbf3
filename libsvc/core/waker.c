/* Waking an exchange by a pipe. */
#include "libsvc/core/waker.h"

#include "libsvc/core/away.h"

void svc__waker_arm(struct waker *waker)
{
    if (!atomic_exchange(&waker->armed, true)) /* it still is where something else has woken x */
        svc__away_hold(waker->x);
}

void svc__waker_disarm(struct waker *waker)
{
    if (atomic_exchange(&waker->armed, false))
        svc__away_drop(waker->x);
}

void svc__waker_fire(void *arg)
{
    struct waker *waker = arg;
    if (atomic_exchange(&waker->armed, false))
        svc__away_tell(waker->x, NEWS_STREAM);
}
