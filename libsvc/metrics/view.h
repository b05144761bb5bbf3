/* A family and its series as writers of pages see them: texts are valid UTF-8, and
 * values are those of all threads together. */
#ifndef SVC_METRICS_VIEW_H
#define SVC_METRICS_VIEW_H

#include <stddef.h>
#include <stdint.h>

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

#endif
