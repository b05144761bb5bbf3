/* The metrics of stores: operations by their outcome, and the counts of backends. */
#ifndef SVC_STORAGE_STORE_METRICS_H
#define SVC_STORAGE_STORE_METRICS_H

#include <stdatomic.h>

#include <svc/sys/store.h>

#include "libsvc/metrics/metric.h"

enum { STORE_KINDS = SVC_SYS_STORE_LEASE + 1, STORE_OUTCOMES = 9 };

/* The counters of one store. Embedded by value. */
struct store_meter {
    struct metrics *metrics;
    const svc_sys_store *backend;
    void *state; /* of the backend */
    svc_counter_family *family;
    svc_histogram_family *durations;
    _Atomic(svc_counter *) counters[STORE_KINDS][STORE_OUTCOMES]; /* NULL until it is counted in */
    _Atomic(svc_histogram *) times[STORE_KINDS];                  /* likewise */
    struct store_meter *next;                                     /* of all that are shown */
};

/* Registers the metrics of a store that is open, whose meter is zero, and shows its numbers until
 * svc__store_metrics_end. `metrics` are those of the app that serves. */
void svc__store_metrics_begin(struct store_meter *meter, struct metrics *metrics,
                              const svc_sys_store *backend, void *state);
void svc__store_metrics_end(struct store_meter *meter);

/* Counts an operation that is done. Any thread. */
void svc__store_metrics_count(struct store_meter *meter, const svc_sys_store_op *op);

/* Observes how long a call of operations of that kind has taken since `begun_ns` of svc__clock_ns.
 * For backends that wait: of others the clock would take more time than the call. Any thread. */
void svc__store_metrics_time(struct store_meter *meter, int kind, uint64_t begun_ns);

#endif
