/*
 * A limit of concurrency that follows latency, as arithmetic over windows of samples: the average
 * latency in a window, and whether the limit was reached in it, give the limit of the next one.
 *
 * When more requests are in flight than the service can work on, the rest wait, and latency grows.
 * The limit is multiplied by the gradient, the latency without a queue over the present latency
 * (with some tolerance; at least 1/2, at most 1). Then its square root is added: this is the
 * allowed queue, and lets the limit rise again.
 *
 * The latency without a queue cannot be measured while there always is one, and a value learned
 * then makes the next overload look normal. So while requests are refused, the limit is reduced to
 * a quarter for two windows from time to time: in the first the queue runs empty, and the second is
 * measured, a probe. This costs 1 to 2% of the throughput, and the next probe comes sooner only
 * when the last one differed from the known latency.
 */
#ifndef SVC_STORE_GRADIENT_H
#define SVC_STORE_GRADIENT_H

#include <stdint.h>

enum {
    GRADIENT_PROBE_EVERY = 100, /* windows */
    GRADIENT_PROBE_SOON = 10,   /* windows, if the last probe had another result */
    GRADIENT_FIRST_PROBE = 3,   /* windows, since their latency may be that of a queue */
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
    double base_ns; /* the latency without a queue; 0: not known */
    enum gradient_phase phase;
    unsigned windows; /* until the next probe may come */
};

/* 1 <= min <= limit <= max <= 2^20. Pure, as the rest. */
void svc__gradient_init(struct gradient *gradient, uint32_t min, uint32_t limit, uint32_t max);

/* Takes a window and returns the limit of the next one, `min` to `max`. */
uint32_t svc__gradient_next(struct gradient *gradient, uint64_t latency_ns,
                            enum gradient_pressure pressure);

/* The same for a window without samples. */
uint32_t svc__gradient_skip(struct gradient *gradient);

#endif
