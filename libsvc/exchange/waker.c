/* Waking an exchange. */
#include "libsvc/exchange/waker.h"

#include <stdlib.h>

#include "libsvc/exchange/away.h"

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
        svc__away_report(waker->x, NEWS_STREAM);
}

void svc__waker_fire_here(struct waker *waker)
{
    struct exchange *x = waker->x;
    if (!atomic_load_explicit(&waker->armed, memory_order_relaxed) ||
        !atomic_exchange(&waker->armed, false))
        return;
    struct transport *transport = x->away.given_up ? NULL : x->transport;
    svc__away_drop(x);
    if (transport)
        transport->news(transport);
}

/* ---- Of a response */

static void release(void *arg)
{
    svc_waker *waker = arg;
    if (atomic_fetch_sub(&waker->refs, 1) == 1)
        free(waker);
}

svc_waker *svc_response_waker(svc_response *res)
{
    if (!res)
        return NULL;
    if (res->waker)
        return svc_waker_ref(res->waker);
    svc_waker *waker = calloc(1, sizeof *waker);
    if (!waker)
        return NULL;
    if (svc__arena_defer(&res->exchange->arena, release, waker)) {
        free(waker);
        return NULL;
    }
    atomic_init(&waker->refs, 1);
    res->waker = waker;
    return svc_waker_ref(waker);
}

svc_waker *svc_waker_ref(svc_waker *waker)
{
    if (!waker)
        return NULL;
    atomic_fetch_add(&waker->refs, 1);
    atomic_fetch_add(&waker->holders, 1);
    return waker;
}

void svc_waker_wake(svc_waker *waker)
{
    if (waker)
        svc__waker_fire(&waker->waker);
}

bool svc__waker_is_held(svc_waker *waker)
{
    return waker && atomic_load(&waker->holders) > 0;
}

/* The last to leave has the body read once more, which then finds that nobody would wake it. */
void svc_waker_unref(svc_waker *waker)
{
    if (!waker)
        return;
    if (atomic_fetch_sub(&waker->holders, 1) == 1)
        svc_waker_wake(waker);
    release(waker);
}
