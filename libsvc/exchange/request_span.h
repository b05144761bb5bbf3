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

/* The spans of one request, made when the program asks for one. */
struct request_spans {
    struct svc_span own;    /* the request's; without a record until one is asked for */
    struct svc_span *begun; /* by the program, the latest first */
    size_t begun_unsampled; /* of them, those that wait for the request's end */
    int64_t wall_ns;        /* of svc__clock_wall_offset */
    /* Ended ones of a request that is not sampled: handed over if it fails. Any thread. */
    _Atomic(svc_sys_span *) kept;
    bool failed;
};

/* Whether the request's own span is handed over: the request is over, and `failed` as far as the
 * library knows; the program may know more. For an app with an exporter. */
bool svc__request_span_is_wanted(struct exchange *x, bool failed);

/* Takes the record of the request's own span for the end of it, made if there is none. NULL when
 * out of memory, which the exporter is notified of. */
struct span_record *svc__request_span_take(struct exchange *x);

#endif
