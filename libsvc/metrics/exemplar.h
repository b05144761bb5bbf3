/* Examples of the values that a histogram's buckets, or a counter, have counted, each with the
 * trace that it was counted in. */
#ifndef SVC_METRICS_EXEMPLAR_H
#define SVC_METRICS_EXEMPLAR_H

#include "libsvc/metrics/metric.h"

enum { EXEMPLAR_TRACE_BYTES = 16, EXEMPLAR_SPAN_BYTES = 8 };

/* Keeps a value, which the histogram has counted, as the example of its bucket, unless that has one
 * of the last second: so a busy bucket costs a look at a clock. Accepts NULL. Any thread. */
void svc__exemplar_keep(svc_histogram *histogram, double value,
                        const unsigned char trace_id[static EXEMPLAR_TRACE_BYTES],
                        const unsigned char span_id[static EXEMPLAR_SPAN_BYTES]);

/* The same for an amount that was added to a counter. */
void svc__exemplar_keep_added(svc_counter *counter, uint64_t amount,
                              const unsigned char trace_id[static EXEMPLAR_TRACE_BYTES],
                              const unsigned char span_id[static EXEMPLAR_SPAN_BYTES]);

/* A copy to look at. */
struct shown_exemplar {
    struct metric_exemplar own;
    char trace_id[2 * EXEMPLAR_TRACE_BYTES + 1], span_id[2 * EXEMPLAR_SPAN_BYTES + 1];
};

/* The example of a bucket, or of a counter (0), copied into `to`; NULL when it has none, or one is
 * being written. Any thread. */
const struct metric_exemplar *svc__exemplar_show(const struct series *series, uint32_t bucket,
                                                 struct shown_exemplar *to);

#endif
