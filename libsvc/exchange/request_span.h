/* The spans of a request: its own, those that the program begins within it, and their end. */
#ifndef SVC_EXCHANGE_REQUEST_SPAN_H
#define SVC_EXCHANGE_REQUEST_SPAN_H

#include <stdatomic.h>

#include <svc/span.h>
#include <svc/trace.h>

#include "libsvc/exchange/exchange.h"
#include "libsvc/spans/span_record.h"

/* A span as the program has it, in the request's memory. */
struct svc_span {
    _Atomic(struct span_record *) record; /* NULL once it has ended */
    struct request_spans *spans;
    struct trace own; /* its span is this one */
    struct svc_span *next;
};

/* The spans of one request. */
struct request_spans {
    const svc_sys_exporter *exporter;
    struct svc_span own;    /* the request's; without a record until one is asked for */
    struct svc_span *begun; /* by the program, the latest first */
    size_t begun_unsampled; /* of them, those that wait for the request's end */
    int64_t wall_ns;        /* the difference between svc__clock_ns and nanoseconds since 1970 */
    /* Those that have ended in a request that is not sampled, linked by their `next`: they are
     * handed over when it fails. Any thread. */
    _Atomic(svc_sys_span *) kept;
    bool failed;
};

/* Makes the spans of a request whose trace is known, and has them end with it. False when out of
 * memory: nothing is recorded then. For an app with an exporter. */
bool svc__request_span_begin(struct exchange *x);

/* Whether the request's own span is handed over: the request is over, and `failed` as far as the
 * library knows; the program may know more. */
bool svc__request_span_is_wanted(struct exchange *x, bool failed);

/* The record of the request's own span, made if there is none. NULL when out of memory. */
struct span_record *svc__request_span_own(struct exchange *x);

/* Hands over the request's own span, which began with the request and has lasted `duration_ns`. */
void svc__request_span_finish(struct exchange *x, uint64_t duration_ns);

#endif
