/*
 * The states of an app's life. Each step has a state of its own, and the call that takes the step
 * enters it by a compare and swap. So a call within a step, from a hook, a handler or another
 * thread, is refused like a call after it.
 */
#include "libsvc/app/life.h"

#include <errno.h>
#include <unistd.h>

static _Thread_local const svc_app *own_app; /* the app that this thread belongs to */

bool svc__life_enter(svc_app *app, enum app_state from, enum app_state to)
{
    int state = (int)from;
    return atomic_compare_exchange_strong(&app->state, &state, to);
}

void svc__life_adopt_thread(const svc_app *app)
{
    own_app = svc__app_root(app);
}

bool svc__life_owns_thread(const svc_app *app)
{
    return own_app == svc__app_root(app);
}

unsigned svc__life_stops(const svc_app *app)
{
    const _Atomic unsigned *signals = atomic_load(&app->signals);
    return atomic_load(&app->stops) + (signals ? atomic_load(signals) : 0);
}

/* Signals count from the beginning of svc_app_run. An earlier svc_app_stop does not cancel the
 * start but is left to svc_app_wait, since by then there is a service to stop. */
void svc__life_begin_start(svc_app *app)
{
    app->stops_before = atomic_load(&app->stops);
}

bool svc__life_start_cancelled(const svc_app *app)
{
    return svc__life_stops(app) != app->stops_before;
}

bool svc_app_stopping(const svc_app *app)
{
    return app && svc__life_stops(svc__app_root(app)) > 0;
}

bool svc_app_draining(const svc_app *app)
{
    return app && atomic_load(&svc__app_root(app)->draining) != DRAIN_NONE;
}

/* The stop is counted before any thread is woken; a start that opens the descriptor later reads the
 * count. */
void svc_app_stop(svc_app *app)
{
    if (!app)
        return;
    uint64_t one = 1;
    int saved = errno; /* also called by signal handlers */
    app = svc__app_root(app);
    atomic_fetch_add(&app->stops, 1);
    int fd = atomic_load(&app->stop_fd);
    if (fd >= 0 && write(fd, &one, sizeof one) < 0)
        errno = saved; /* a full eventfd wakes as well */
}
