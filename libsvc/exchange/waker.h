/*
 * Wakers: each wakes an exchange that waits for a pipe or a source, once for each arming. An armed
 * waker holds the exchange, so that it exists when it is woken. A response's waker is public
 * (svc_waker), counted, and may outlive the exchange.
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
    struct waker waker;       /* its exchange is set when the body is first read */
    _Atomic unsigned refs;    /* references that keep the memory: the response's and the holders' */
    _Atomic unsigned holders; /* references of others, which may wake it */
};

/* Arms the waker: before the call that may lead to svc__waker_fire. The home's thread. */
void svc__waker_arm(struct waker *waker);

/* Disarms the waker when nobody will fire it, or shall. The exchange may be freed by this. The
 * home's thread. */
void svc__waker_disarm(struct waker *waker);

/* Wakes the exchange if the waker is armed; `waker` is a struct waker, as svc_pipe_on_room has it.
 * Any thread. */
void svc__waker_fire(void *waker);

/* Wakes the exchange at once, within this call, if the waker is armed. The home's thread, where
 * neither the exchange nor its source is in a call. */
void svc__waker_fire_here(struct waker *waker);

/* Sets the exchange that the waker wakes, unless it has one. The home's thread. */
static inline void svc__waker_bind(svc_waker *waker, struct exchange *x)
{
    if (!waker->waker.x) /* a thread that fired it earlier may still be reading it */
        waker->waker.x = x;
}

/* Whether a holder is left that may wake it. Accepts NULL. */
bool svc__waker_is_held(svc_waker *waker);

#endif
