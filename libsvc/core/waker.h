/* How a pipe wakes the exchange that waits at its other end: once for each arming, and with a hold
 * on the exchange, so that it is there to be woken. */
#ifndef SVC_CORE_WAKER_H
#define SVC_CORE_WAKER_H

#include <stdatomic.h>
#include <stdbool.h>

struct exchange;

struct waker {
    struct exchange *x;
    _Atomic bool armed;
};

/* Before what may have the pipe call svc__waker_fire. The home's thread. */
void svc__waker_arm(struct waker *waker);

/* When it will not, or no more. The exchange may be gone then. The home's thread. */
void svc__waker_disarm(struct waker *waker);

/* For svc_pipe_on_room and svc_pipe_on_data. Any thread. */
void svc__waker_fire(void *waker);

#endif
