/*
 * A limit of concurrency that follows latency, as arithmetic over windows of samples: what a window
 * took on average, and whether the limit was felt in it, give the limit of the next one.
 *
 * Where more is in flight than can be worked on, the rest waits, and latency grows with it. The
 * limit is multiplied by what a request takes when nothing waits over what it takes now (the
 * gradient, half of it at least and 1 at most, with some tolerance), and gets its square root on
 * top, which is the queue that is allowed, and how it rises again.
 *
 * What a request takes when nothing waits cannot be seen while something always does, and whatever
 * is learned then makes the next overload look normal. So while requests are refused, a quarter of
 * the limit must do for two windows from time to time: in the first the queue runs empty, and the
 * second is measured. That costs 1 to 2% of what could be done, and sooner again only where it told
 * news.
 */
#ifndef SVC_STORE_GRADIENT_H
#define SVC_STORE_GRADIENT_H

#include <stdint.h>

enum {
    GRADIENT_PROBE_EVERY = 100, /* windows */
    GRADIENT_PROBE_SOON = 10,   /* windows, if the last probe had another result */
    GRADIENT_FIRST_PROBE = 3,   /* windows, since what they tell may be a queue's */
    GRADIENT_PROBE_PART = 4     /* of the limit */
};

/* How much of a limit was in flight in a window. */
enum gradient_pressure {
    GRADIENT_CALM, /* never more than half of it */
    GRADIENT_BUSY, /* more than half */
    GRADIENT_FULL  /* all, and some were refused */
};

enum gradient_phase { GRADIENT_FOLLOW, GRADIENT_DRAIN, GRADIENT_PROBE };

struct gradient {
    double min, max, limit;
    double base_ns; /* what a request takes when nothing waits; 0: not known */
    enum gradient_phase phase;
    unsigned windows; /* until the next probe may come */
};

/* 1 <= min <= limit <= max <= 2^20. Pure, as the rest. */
void svc__gradient_init(struct gradient *gradient, uint32_t min, uint32_t limit, uint32_t max);

/* Takes a window and returns the limit of the next one, `min` to `max`. */
uint32_t svc__gradient_next(struct gradient *gradient, uint64_t latency_ns,
                            enum gradient_pressure pressure);

/* The same for a window of which nothing is known. */
uint32_t svc__gradient_skip(struct gradient *gradient);

#endif
