/*
 * Counters of the rare ends that requests of a plan may have: refused because of load or of a
 * limit, or decided by a condition; and the time for which they waited for a worker. The layer
 * mw/http_metrics.c counts each request.
 */
#ifndef SVC_EXCHANGE_PLAN_COUNTS_H
#define SVC_EXCHANGE_PLAN_COUNTS_H

#include <svc/metric.h>

struct metrics;

/* Why a request was refused because of load, before it was served: X(NAME, label). */
#define SHED_LIST(X)                                                                               \
    X(SHED_CONCURRENCY, "concurrency")   /* a concurrency limit has no permit left */              \
    X(SHED_LOOP_WAIT, "loop_wait")       /* it may have waited in its loop's queue for too long */ \
    X(SHED_WORKER_QUEUE, "worker_queue") /* no worker is free, and the queue for them is full */   \
    X(SHED_WORKER_WAIT, "worker_wait")   /* it has waited for a worker for too long */

/* The limit that a refused request exceeds, each with a status: 413, 414 and 431. */
#define OVER_LIST(X)                                                                               \
    X(OVER_BODY, "body")                                                                           \
    X(OVER_TARGET, "target")                                                                       \
    X(OVER_HEAD, "head")

/* What became of a request with a condition, or without one where that is demanded: 304, 412, 428,
 * or a reply as without it. */
#define CONDITIONAL_LIST(X)                                                                        \
    X(CONDITIONAL_NOT_MODIFIED, "not_modified")                                                    \
    X(CONDITIONAL_FAILED, "failed")                                                                \
    X(CONDITIONAL_MISSING, "missing")                                                              \
    X(CONDITIONAL_PASSED, "passed")

#define PLAN_COUNTS_NAME(name, label) name,
enum shed_reason { SHED_LIST(PLAN_COUNTS_NAME) SHED_REASONS };
enum over_limit { OVER_LIST(PLAN_COUNTS_NAME) OVER_LIMITS };
enum conditional_result { CONDITIONAL_LIST(PLAN_COUNTS_NAME) CONDITIONAL_RESULTS };
#undef PLAN_COUNTS_NAME

/* All NULL, as of a plan that is made by hand, counts nothing. */
struct plan_counts {
    svc_counter *shed[SHED_REASONS], *over[OVER_LIMITS], *conditional[CONDITIONAL_RESULTS];
    svc_histogram_family *worker_waits; /* by route: svc__away_waited */
};

/* Registers the metrics, with a series of 0 for each label value. 0 or SVC_ENOMEM. */
int svc__plan_counts_register(struct plan_counts *counts, struct metrics *in);

/* Counts a request that is refused because of load. Any thread. */
void svc__plan_counts_shed(const struct plan_counts *counts, enum shed_reason reason);

/* Counts a request that the library has refused with the status, if that is one of a limit. Any
 * thread. */
void svc__plan_counts_over(const struct plan_counts *counts, int status);

/* Counts a decision about a condition. Any thread. */
void svc__plan_counts_conditional(const struct plan_counts *counts, enum conditional_result result);

#endif
