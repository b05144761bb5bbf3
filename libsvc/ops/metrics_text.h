/* Metrics in the text format of Prometheus. */
#ifndef SVC_OPS_METRICS_TEXT_H
#define SVC_OPS_METRICS_TEXT_H

#include "libsvc/base/buf.h"

struct metrics;

/*
 * Appends all metrics in version 0.0.4 of the format. Names begin with `prefix`, in place of "svc_"
 * or before their own: for the second of two registries on one page. NULL: names stay. Errors stay
 * in `out`. Any thread.
 */
void svc__metrics_text_write(struct metrics *m, const char *prefix, struct buf *out);

#endif
