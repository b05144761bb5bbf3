/*
 * The watchdog of an event loop: finds out that handlers, layers or callbacks have held the loop
 * for too long, and reports it to whoever made the loop.
 *
 * One clock read a piece of the application's code, at its end: where it began is where the loop
 * was last known to be free, which whoever reads a clock anyway tells by a mark. What the thread
 * did meanwhile is known from a sample of its own figures, which costs system calls, and is taken a
 * few times in the limit at most.
 */
#ifndef SVC_RUN_WATCHDOG_H
#define SVC_RUN_WATCHDOG_H

#include "libsvc/base/clock.h"
#include "libsvc/base/thread.h"

/* What of the application's has run on the loop. */
enum watched {
    WATCHED_NOTHING, /* only the library */
    WATCHED_REQUEST, /* layers and handler, as far as they are not a worker's */
    WATCHED_SOURCE,  /* the source of a response */
    WATCHED_DONE,    /* on_done of layers */
    WATCHED_POST,
    WATCHED_TIMER,
    WATCHED_WATCH,
    WATCHED_KINDS
};

/* What the thread did while the loop was held. */
enum hold {
    HOLD_UNKNOWN,
    HOLD_COMPUTED, /* it ran: for the limit, or for a quarter of the time */
    HOLD_WAITED,   /* it did not want to run */
    HOLD_NOT_RUN   /* it wanted to, and the system ran others */
};

/* The loop was held. */
struct stall {
    enum watched what;
    const void *subject; /* see svc__watchdog_look */
    enum hold hold;
    uint64_t held_ns, limit_ns;
    int64_t ran_ns; /* of the processor's time meanwhile; -1: not known */
};

/* The loop's thread, once it runs. */
struct watchdog {
    void (*bark)(void *arg, const struct stall *stall);
    void *arg;
    uint64_t limit_ns;  /* 0: off */
    uint64_t mark_ns;   /* when the loop was last known to be free */
    uint64_t sample_ns; /* when the next sample is due; UINT64_MAX: never */
    uint64_t sampled_ns;
    struct thread_usage sample;
    uint64_t waits; /* of the loop's own since the sample, for events */
};

/* Makes a watchdog that calls `bark` with each stall of at least `limit_ns`; 0: of none. */
void svc__watchdog_init(struct watchdog *dog, uint64_t limit_ns,
                        void (*bark)(void *arg, const struct stall *stall), void *arg);

/* Another thread is the loop's from now on, whose figures are its own. */
void svc__watchdog_enter(struct watchdog *dog);

/* Takes a sample. The loop is free now. */
void svc__watchdog_sample(struct watchdog *dog, uint64_t now_ns);

/* What kept the thread from the mark on for `held_ns`, at the end of which it has these figures. */
enum hold svc__watchdog_hold(const struct watchdog *dog, uint64_t held_ns,
                             const struct thread_usage *now);

/* The loop is free now, `now_ns` of svc__clock_ns: what has passed until here is nobody's. */
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
 * A piece of the application's code has just run on the loop, for a request of the route
 * `subject`, or, when that is NULL, for one that none matched or as a callback of the loop. Not for
 * what runs on a worker. The coarse clock may lie before the mark.
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
