/*
 * A walk over all that a registry counts: families, the series of each, and the values of each
 * series. /metrics in each of its formats and exporters see metrics by it alone. All texts are
 * valid UTF-8 and are escaped by nobody yet: that belongs to the format.
 */
#ifndef SVC_METRICS_WALK_H
#define SVC_METRICS_WALK_H

#include <stddef.h>
#include <stdint.h>

struct metrics;

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* The metrics of one name. */
struct metric_family {
    enum metric_type type;
    const char *name, *help;
    size_t label_count;
    const char *const *labels; /* names */
};

/* One observation, with the trace that it was made in. */
struct metric_exemplar {
    double value;
    uint64_t unix_ms;               /* when */
    const char *trace_id, *span_id; /* hexadecimal */
};

struct metric_bucket {
    double bound;   /* the highest value in it; of the last bucket infinite */
    uint64_t count; /* of this bucket alone */
    const struct metric_exemplar *exemplar; /* NULL: none */
};

/* The values of one series: of a counter or gauge `value`, of a histogram the others. */
struct metric_series {
    const char *const *label_values; /* as many as the family has labels */
    double value;
    const struct metric_exemplar *exemplar; /* of a counter; NULL: none */
    uint64_t count;                         /* the sum of all buckets */
    double sum;
    size_t bucket_count;
    const struct metric_bucket *buckets;
};

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

#endif
