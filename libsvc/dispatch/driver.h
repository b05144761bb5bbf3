/*
 * The decisions that all hosts of exchanges share, be they connections of a server, streams or
 * tests: how long to wait for an exchange that is away, and how to answer then. The host itself has
 * a timer, and sends.
 *
 * All calls are for the thread of the exchange's home.
 */
#ifndef SVC_DISPATCH_DRIVER_H
#define SVC_DISPATCH_DRIVER_H

#include "libsvc/exchange/exchange.h"

enum driver_end {
    DRIVER_WAITS,    /* the time is not over, or the answer is on its way: svc__driver_due_ms */
    DRIVER_REPLIES,  /* no worker has taken the exchange in time: it has its reply */
    DRIVER_TIMED_OUT /* the request's time is over: it has its reply; NULL without memory for one */
};

/* Milliseconds from `now_ns` of svc__clock_ns until the host of an exchange that is away is to call
 * svc__driver_expired: until its time in the queue of the workers, or the request's time, is over.
 * 0: the request's time is over; if the exchange waits all the same, the host will be woken. */
uint64_t svc__driver_due_ms(const struct exchange *x, uint64_t now_ns);

/* Decides about an exchange when the time of svc__driver_due_ms is over, at `now_ns`. May replace
 * `*x` by an exchange that stands in for it. */
enum driver_end svc__driver_expired(struct exchange **x, uint64_t now_ns);

/* Longer than any time limit of a request. */
#define DRIVER_NEVER_MS UINT64_C(0x7fffffff)

/* Milliseconds from `now_ns` for which a body may still come that is read on while its reply goes
 * out: the rest of the request's time; DRIVER_NEVER_MS if none is. */
uint64_t svc__driver_body_ms(const struct exchange *x, uint64_t now_ns);

/* Ends the reading of such a body if its time is over at `now_ns`, and not the reply, which may say
 * so. Whether it has. */
bool svc__driver_body_expired(struct exchange *x, uint64_t now_ns);

/* Goes on after news, or for the first time, as svc__dispatch_run; but EXCHANGE_BODY while the
 * exchange is away, since its holder may have made room for more of its body. */
enum exchange_step svc__driver_go_on(struct exchange *x);

#endif
