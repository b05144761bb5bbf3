/*
 * Counters, gauges and histograms as the library registers and counts them; svc/metric.h is the
 * same for programs. A registry has families, a family has a series for each set of label values,
 * and a series has cells. Families and series are only ever added, so a reader needs no lock, and
 * they are freed with the registry alone.
 */
#ifndef SVC_METRICS_METRIC_H
#define SVC_METRICS_METRIC_H

#include <stdbool.h>

#include <svc/metric.h>

#include "libsvc/metrics/cells.h"
#include "libsvc/metrics/view.h"

struct metrics;
struct metric_walk;

enum { METRIC_FAMILIES_MAX = 4096, METRIC_SERIES_MAX = 1000000 };

/* The cells of a histogram: that of its sum, and those of its buckets. The sum is in front, so that
 * it lies beside the buckets of low values, which are the most frequent of a duration. */
enum { HISTOGRAM_SUM, HISTOGRAM_BUCKETS };

struct exemplars;

struct series {
    struct cells cells; /* of a histogram: HISTOGRAM_SUM and the buckets */
    struct family *family;
    const double *bounds; /* of a histogram: the family's, and behind them INFINITY */
    uint32_t bound_count;
    _Atomic bool shown;
    uint64_t hash;
    _Atomic(struct series *) next; /* of the family */
    struct series
        *same; /* the one whose cells these are, of an app on which this one's app was mounted */
    _Atomic(struct exemplars *) exemplars; /* not of a gauge; made with the first */
    const char *values[];                  /* of the labels, in UTF-8 */
};

struct svc_counter {
    struct series series;
};
struct svc_gauge {
    struct series series;
};
struct svc_histogram {
    struct series series;
};

struct series_table;

struct family {
    struct metric_family shape;
    const char *labels[SVC_METRIC_LABELS];
    double *bounds;
    uint32_t bound_count, max_series;
    struct metrics *metrics;              /* whose lock orders the calls that add series */
    _Atomic(struct series_table *) table; /* where series are looked up */
    _Atomic(struct series *) first,
        *last; /* in order of making; `last` is where the next one is put */
    _Atomic uint32_t series_count;
    struct series *plain;      /* of a family without labels, the only one */
    struct series *overflow;   /* of one with labels */
    svc_counter *overflowed;   /* how often `overflow` was given; NULL: not counted */
    double (*read)(void *arg); /* of one whose value is asked for: by the walk, */
    bool is_program;           /* or before it, by svc__metric_ask */
    void (*give)(struct metric_walk *walk, void *arg); /* of one whose series are kept elsewhere */
    void *arg;
    struct family *same; /* of an app on which this one's app was mounted; NULL: none */
    _Atomic(struct family *) next;
};

struct svc_counter_family {
    struct family family;
};
struct svc_gauge_family {
    struct family family;
};
struct svc_histogram_family {
    struct family family;
};

/* Makes an empty registry; NULL when out of memory. The caller's. */
struct metrics *svc__metrics_new(void);

/* Frees a registry, in which nobody counts any more. Accepts NULL. */
void svc__metrics_free(struct metrics *m);

/* What becomes of `metric`, beside its own members. */
struct metric_sort {
    enum metric_type type;
    double (*read)(void *arg);
    bool is_program; /* `read` is asked by svc__metric_ask alone */
    void (*give)(struct metric_walk *walk, void *arg);
    void *arg;
};

/*
 * Registers a family, or finds the one that was registered alike. 0 with `*out`, or a code as of
 * svc_app_counter_at and a reason in `*why`, static. Any thread.
 */
int svc__metric_register(struct metrics *m, const svc_metric *metric, struct metric_sort sort,
                         struct family **out, const char **why);

/*
 * The same for the library's own, without a reason: NULL when it cannot be registered, which all
 * calls accept. `labels` are names divided by commas, or NULL. A counter or gauge without labels is
 * its series.
 */
svc_counter *svc__metric_counter(struct metrics *m, const char *name, const char *help);
svc_gauge *svc__metric_gauge(struct metrics *m, const char *name, const char *help);
svc_counter_family *svc__metric_counters(struct metrics *m, const char *name, const char *help,
                                         const char *labels);
svc_gauge_family *svc__metric_gauges(struct metrics *m, const char *name, const char *help,
                                     const char *labels);
svc_histogram_family *svc__metric_histograms(struct metrics *m, const char *name, const char *help,
                                             const char *labels, const double *bounds,
                                             size_t count);

/* A counter or gauge whose value is asked for when it is read: `read(arg)`, in the thread that
 * reads. */
void svc__metric_fn(struct metrics *m, enum metric_type type, const char *name, const char *help,
                    double (*read)(void *arg), void *arg);

/* The same for one with labels: `give` gives each series by svc__metric_give. */
void svc__metric_giver(struct metrics *m, enum metric_type type, const char *name, const char *help,
                       const char *labels, void (*give)(struct metric_walk *walk, void *arg),
                       void *arg);

/* Ends the metrics of the two calls above, before the structs that their functions read are freed:
 * walks are without them from then on. While nobody walks. */
void svc__metrics_end_fns(struct metrics *m);

/*
 * Moves all families of `inner`, of an app that is mounted, to `outer`. Where that has one of the
 * same name and shape, they become one; where the shapes differ, `refuse` is called and the family
 * stays. 0, or SVC_ENOMEM. While nobody else uses either.
 */
int svc__metrics_adopt(struct metrics *outer, struct metrics *inner,
                       void (*refuse)(void *arg, const char *name), void *arg);

/* Asks a family of the program for its value, which walks then give, if `read` has one, until the
 * next call or svc__metric_forget. A thread that may wait for `read`. */
void svc__metric_ask(struct family *family);
void svc__metric_forget(struct family *family);

/* Calls `visit` for each family, in order. Any thread. */
void svc__metrics_each(struct metrics *m, void (*visit)(struct family *family, void *arg),
                       void *arg);

/* The family of that name; NULL. Any thread. */
struct family *svc__metrics_find(struct metrics *m, const char *name);

/* The series for label values, as svc_counter_of. Any thread. */
struct series *svc__series_of(struct family *family, size_t n, const char *const values[]);

/* The part of svc__histogram_observe that is not inline: the first use of its cells by a thread;
 * `bucket` is the index of a cell. */
void svc__series_observe_slowly(const struct series *series, uint32_t bucket, double value);

static inline void svc__counter_add(svc_counter *counter, uint64_t n)
{
    if (counter != NULL)
        svc__cells_add(counter->series.cells, 0, n);
}

static inline void svc__gauge_add(svc_gauge *gauge, double amount)
{
    if (gauge != NULL)
        svc__cells_add_double(gauge->series.cells, 0, amount);
}

/* The index of the bucket that a value counts in. Its few first bounds are looked at one by one:
 * durations are mostly short, and alike, so that a processor predicts where the search ends.
 * INFINITY, which no value exceeds, ends it. */
static inline uint32_t svc__series_bucket(const struct series *series, double value)
{
    const double *bound = series->bounds;
    while (value > *bound)
        bound++;
    return (uint32_t)(bound - series->bounds);
}

static inline void svc__histogram_observe(svc_histogram *histogram, double value)
{
    if (histogram == NULL)
        return;
    const struct series *series = &histogram->series;
    uint32_t bucket = HISTOGRAM_BUCKETS + svc__series_bucket(series, value);
    _Atomic uint64_t *chunk = svc__cells_chunk(series->cells);
    if (__builtin_expect(chunk != NULL, 1)) {
        _Atomic uint64_t *copies = &chunk[series->cells.first];
        svc__cells_bump_double(&copies[HISTOGRAM_SUM], value);
        svc__cells_bump(&copies[bucket], 1);
    } else {
        svc__series_observe_slowly(series, bucket, value);
    }
}

/* The value of a counter or gauge; 0 for NULL. Any thread. */
uint64_t svc__counter_read(const svc_counter *counter);
double svc__gauge_read(const svc_gauge *gauge);

#endif
