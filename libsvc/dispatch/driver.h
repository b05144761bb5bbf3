/*
 * What every host of exchanges decides alike, be it a server's connection, a stream or a test: how
 * long it waits for an exchange that others have, and what becomes of it then. The host itself has
 * a timer, and sends.
 *
 * For the thread of the exchange's home.
 */
#ifndef SVC_DISPATCH_DRIVER_H
#define SVC_DISPATCH_DRIVER_H

#include "libsvc/exchange/exchange.h"

enum driver_end {
    DRIVER_WAITS,    /* the time is not over, or the answer is on its way: svc__driver_due_ms */
    DRIVER_REPLIES,  /* no worker has taken it in time: it has its reply */
    DRIVER_TIMED_OUT /* the request's time is over: as above; or NULL, without memory for a reply */
};

/* Milliseconds from `now_ns` of svc__clock_ns until an exchange that others have is to be looked at
 * by svc__driver_expired: its time in the queue of the workers, or the request's, is over. 0: the
 * latter is; if the exchange waits all the same, its host will be told. */
uint64_t svc__driver_due_ms(const struct exchange *x, uint64_t now_ns);

/* The time that svc__driver_due_ms has given is over at `now_ns`. `*x` may be another afterwards,
 * which stands in for it. */
enum driver_end svc__driver_expired(struct exchange **x, uint64_t now_ns);

/* Longer than any time limit of a request. */
#define DRIVER_NEVER_MS UINT64_C(0x7fffffff)

/* Milliseconds from `now_ns` for which a body may still come that is read on while its reply goes
 * out: the rest of the request's time; DRIVER_NEVER_MS if none is. */
uint64_t svc__driver_body_ms(const struct exchange *x, uint64_t now_ns);

/* Ends the reading of such a body if its time is over at `now_ns`, and not the reply, which may say
 * so. Whether it has. */
bool svc__driver_body_expired(struct exchange *x, uint64_t now_ns);

/* Goes on after news, or for the first time: as svc__dispatch_run, but EXCHANGE_BODY while others
 * have the exchange still, who may have made room for more of its body. */
enum exchange_step svc__driver_go_on(struct exchange *x);

#endif
