/*
 * How an exchange that waits for a pipe or a source is woken: once for each arming, and with a hold
 * on the exchange, so that it is there to be woken. A response's waker is public (svc_waker),
 * counted, and may outlive the exchange.
 */
#ifndef SVC_EXCHANGE_WAKER_H
#define SVC_EXCHANGE_WAKER_H

#include <stdatomic.h>
#include <stdbool.h>

#include <svc/response.h>

struct exchange;

struct waker {
    struct exchange *x;
    _Atomic bool armed;
};

struct svc_waker {
    struct waker waker;       /* its exchange is known once the body is read */
    _Atomic unsigned refs;    /* keep the memory: the response's, and one for each holder */
    _Atomic unsigned holders; /* references of others, who may wake it */
};

/* Before what may have somebody call svc__waker_fire. The home's thread. */
void svc__waker_arm(struct waker *waker);

/* When nobody will, or shall any more. The exchange may be gone then. The home's thread. */
void svc__waker_disarm(struct waker *waker);

/* For svc_pipe_on_room. Any thread. */
void svc__waker_fire(void *waker);

/* The response is that of `x`. The home's thread. */
static inline void svc__waker_bind(svc_waker *waker, struct exchange *x)
{
    if (!waker->waker.x) /* who has fired it earlier may still be reading it */
        waker->waker.x = x;
}

/* Whether anybody is left who may wake it. Accepts NULL. */
bool svc__waker_is_held(svc_waker *waker);

#endif
