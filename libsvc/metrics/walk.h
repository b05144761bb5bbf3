/*
 * A walk over all that a registry counts: families, the series of each, and the values of each
 * series. /metrics in each of its formats and exporters see metrics by it alone. All texts are
 * valid UTF-8 and are escaped by nobody yet: that belongs to the format.
 */
#ifndef SVC_METRICS_WALK_H
#define SVC_METRICS_WALK_H

#include "libsvc/metrics/view.h"

struct metrics;
struct metric_walk;

/* `family` is called for each family in order of registration, and `series` for each of its series
 * behind it. All that they are given is valid during the call. */
struct metric_visitor {
    void (*family)(void *arg, const struct metric_family *family);
    void (*series)(void *arg, const struct metric_family *family,
                   const struct metric_series *series);
    void *arg;
};

/* Walks over all metrics. The visitor must not call functions of this registry. Any thread. */
void svc__metrics_walk(struct metrics *m, const struct metric_visitor *visitor);

/* Gives one series with its label values, which are UTF-8. In a function of svc__metric_giver
 * alone. */
void svc__metric_give(struct metric_walk *walk, const char *const values[], double value);

#endif
