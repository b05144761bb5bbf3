/*
 * The watchdog of an event loop: finds handlers, layers and callbacks that have held the loop for
 * too long, and reports them to the maker of the loop.
 *
 * It reads the clock once for a piece of the application's code, at its end. The piece began when
 * the loop was last known to be free: a caller that reads a clock anyway sets that time as a mark.
 * A sample of the thread's own figures shows whether the thread ran meanwhile; as it costs system
 * calls, it is taken a few times within the limit at most.
 */
#ifndef SVC_RUN_WATCHDOG_H
#define SVC_RUN_WATCHDOG_H

#include "libsvc/base/clock.h"
#include "libsvc/base/thread.h"

/* The code of the application that has run on the loop. */
enum watched {
    WATCHED_NOTHING, /* only the library */
    WATCHED_REQUEST, /* layers and handler, as far as they run on the loop */
    WATCHED_SOURCE,  /* the source of a response */
    WATCHED_DONE,    /* on_done of layers */
    WATCHED_POST,
    WATCHED_TIMER,
    WATCHED_WATCH,
    WATCHED_KINDS
};

/* The thread's state while the loop was held. */
enum hold {
    HOLD_UNKNOWN,
    HOLD_COMPUTED, /* it ran: for the limit, or for a quarter of the time */
    HOLD_WAITED,   /* it did not want to run */
    HOLD_NOT_RUN   /* it wanted to run, and the system ran others */
};

/* A time for which the loop was held. */
struct stall {
    enum watched what;
    const void *subject; /* see svc__watchdog_look */
    enum hold hold;
    uint64_t held_ns, limit_ns;
    int64_t ran_ns; /* of the processor's time meanwhile; -1: not known */
};

/* For the loop's thread, once that runs. */
struct watchdog {
    void (*bark)(void *arg, const struct stall *stall);
    void *arg;
    uint64_t limit_ns;  /* 0: off */
    uint64_t mark_ns;   /* the last time at which the loop was known to be free */
    uint64_t sample_ns; /* the time of the next sample; UINT64_MAX: never */
    uint64_t sampled_ns;
    struct thread_usage sample;
    uint64_t waits; /* the loop's own waits for events since the sample */
};

/* Makes a watchdog that calls `bark` for each stall of at least `limit_ns`; 0: for none. */
void svc__watchdog_init(struct watchdog *dog, uint64_t limit_ns,
                        void (*bark)(void *arg, const struct stall *stall), void *arg);

/* Notes that another thread, with figures of its own, is the loop's from now on. */
void svc__watchdog_enter(struct watchdog *dog);

/* Takes a sample. The loop is free now. */
void svc__watchdog_sample(struct watchdog *dog, uint64_t now_ns);

/* Judges the thread's state in the `held_ns` since the mark, at whose end it has the figures `now`.
 */
enum hold svc__watchdog_hold(const struct watchdog *dog, uint64_t held_ns,
                             const struct thread_usage *now);

/* Notes that the loop is free at `now_ns` of svc__clock_ns: nobody has held it until then. */
static inline void svc__watchdog_mark(struct watchdog *dog, uint64_t now_ns)
{
    dog->mark_ns = now_ns;
    if (now_ns >= dog->sample_ns)
        svc__watchdog_sample(dog, now_ns);
}

/* The same after the loop has waited for events. */
static inline void svc__watchdog_woken(struct watchdog *dog, uint64_t now_ns)
{
    dog->waits++;
    svc__watchdog_mark(dog, now_ns);
}

/* The part of svc__watchdog_look that is not inline. */
void svc__watchdog_bark(struct watchdog *dog, enum watched what, const void *subject,
                        uint64_t held_ns);

/*
 * Looks at the time after a piece of the application's code that has run on the loop and not on a
 * worker: for a request of the route `subject`, or, with NULL, for a request that no route matched
 * or as a callback of the loop. The coarse clock may lie before the mark.
 */
static inline void svc__watchdog_look(struct watchdog *dog, enum watched what, const void *subject)
{
    if (dog->limit_ns == 0)
        return;
    uint64_t now_ns = svc__clock_coarse_ns(), since_ns = dog->mark_ns;
    if (now_ns < since_ns)
        return;
    if (now_ns - since_ns >= dog->limit_ns)
        svc__watchdog_bark(dog, what, subject, now_ns - since_ns);
    svc__watchdog_mark(dog, now_ns);
}

#endif
