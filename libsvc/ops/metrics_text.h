/* Metrics as text, in the two formats that Prometheus reads. */
#ifndef SVC_OPS_METRICS_TEXT_H
#define SVC_OPS_METRICS_TEXT_H

#include "libsvc/base/buf.h"
#include "libsvc/proto/fields.h"

struct metrics;

enum metrics_format { METRICS_PROMETHEUS /* 0.0.4 */, METRICS_OPENMETRICS /* 1.0.0 */ };

/* The format that a request's Accept fields want: OpenMetrics if it is named and has at least the
 * weight of the other, which everybody else gets, also if nothing is acceptable. Any thread. */
enum metrics_format svc__metrics_text_choose(const struct fields *fields);

/* The Content-Type of a format. */
const char *svc__metrics_text_type(enum metrics_format format);

/* The families that a page had no room for. */
struct metrics_omitted {
    size_t families;
    const char *first; /* the name of the first, which its registry has; NULL: none */
};

/*
 * Appends the families of a registry. Names begin with `prefix`, in place of "svc_" or before their
 * own: for the second of two registries on one page. NULL: names stay. A family that does not fit
 * below the ceiling of `out` is left out as a whole, and counted in `omitted` (or NULL). SVC_ENOMEM
 * stays in `out`. Any thread.
 */
void svc__metrics_text_write(struct metrics *m, const char *prefix, enum metrics_format format,
                             struct buf *out, struct metrics_omitted *omitted);

/* Appends the end of the page; `out` must have room for it beyond the ceiling of the families. */
void svc__metrics_text_end(enum metrics_format format, struct buf *out);

#endif
