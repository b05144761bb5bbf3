/*
 * The watchdog of an event loop: finds out that handlers, layers or callbacks have held the loop
 * for too long, counts that by route, and says what to do about it.
 *
 * One clock read a piece of the application's code, at its end: where it began is where the loop
 * was last known to be free, which whoever reads a clock anyway tells by a mark.
 */
#ifndef SVC_CORE_WATCHDOG_H
#define SVC_CORE_WATCHDOG_H

#include <svc/types.h>

#include "libsvc/base/clock.h"

struct route;

/* All zero watches nothing. The loop's thread, once it runs. */
struct watchdog {
    svc_app *app;      /* the one that serves */
    uint64_t limit_ns; /* 0: off */
    uint64_t mark_ns;  /* when the loop was last known to be free */
};

/* Makes the watchdog of a loop that serves a readied app. */
void svc__watchdog_init(struct watchdog *dog, svc_app *app);

/* Registers what all watchdogs of the app count. 0 or SVC_ENOMEM. */
int svc__watchdog_register(svc_app *app);

/* The loop is free now, `now_ns` of svc__clock_ns: what has passed until here is nobody's. */
static inline void svc__watchdog_mark(struct watchdog *dog, uint64_t now_ns)
{
    dog->mark_ns = now_ns;
}

/* The part of svc__watchdog_look that is not inline. */
void svc__watchdog_bark(struct watchdog *dog, const struct route *route, uint64_t held_ns);

/*
 * A piece of the application's code has just run on the loop, for a request of `route`, or, when
 * that is NULL, for one that none matched or as a callback of the loop. Not for what runs on a
 * worker. The coarse clock may lie before the mark.
 */
static inline void svc__watchdog_look(struct watchdog *dog, const struct route *route)
{
    if (dog->limit_ns == 0)
        return;
    uint64_t now_ns = svc__clock_coarse_ns(), since_ns = dog->mark_ns;
    if (now_ns < since_ns)
        return;
    dog->mark_ns = now_ns;
    if (now_ns - since_ns >= dog->limit_ns)
        svc__watchdog_bark(dog, route, now_ns - since_ns);
}

#endif
