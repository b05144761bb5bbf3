/* The decisions that all hosts of exchanges share. */
#include "libsvc/dispatch/driver.h"

#include "libsvc/dispatch/dispatch.h"
#include "libsvc/exchange/away.h"
#include "libsvc/exchange/body_stream.h"
#include "libsvc/exchange/refusal.h"

uint64_t svc__driver_due_ms(const struct exchange *x, uint64_t now_ns)
{
    uint64_t left_ms = svc__exchange_remaining_ms(x, now_ns), now_ms = now_ns / 1000000;
    if (!x->away.out)
        return left_ms;
    uint64_t queued_ms = x->away.work.since_ns / 1000000 + x->request.plan->config->worker_queue_ms;
    return queued_ms > now_ms && queued_ms - now_ms < left_ms ? queued_ms - now_ms : left_ms;
}

enum driver_end svc__driver_expired(struct exchange **x, uint64_t now_ns)
{
    if (svc__dispatch_unqueue(*x))
        return DRIVER_REPLIES;
    if (svc__exchange_remaining_ms(*x, now_ns) || !svc__dispatch_expire(*x))
        return DRIVER_WAITS;
    *x = svc__dispatch_refuse(*x, REFUSAL_LATE, SVC_TIMED_OUT);
    return DRIVER_TIMED_OUT;
}

uint64_t svc__driver_body_ms(const struct exchange *x, uint64_t now_ns)
{
    return svc__body_stream_reads_on(x) ? svc__exchange_remaining_ms(x, now_ns) : DRIVER_NEVER_MS;
}

bool svc__driver_body_expired(struct exchange *x, uint64_t now_ns)
{
    if (svc__driver_body_ms(x, now_ns))
        return false;
    svc__body_stream_stop(x, SVC_ECANCELLED);
    return true;
}

enum exchange_step svc__driver_go_on(struct exchange *x)
{
    if (svc__away_is(x))
        return EXCHANGE_BODY;
    return x->replied ? EXCHANGE_REPLY : svc__dispatch_run(x);
}
