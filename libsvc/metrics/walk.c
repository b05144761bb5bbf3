/* The walk over families, series and their values, while others count and register. */
#include "libsvc/metrics/walk.h"

#include <math.h>

#include "libsvc/base/hex.h"
#include "libsvc/metrics/exemplar.h"
#include "libsvc/metrics/registry.h"

struct metric_walk {
    const struct metric_visitor *visitor;
    const struct family *family;
    bool begun; /* the visitor knows of the family */
};

static void give_series(struct metric_walk *walk, const struct metric_series *series)
{
    const struct metric_family *shape = &walk->family->shape;
    if (!walk->begun)
        walk->visitor->family(walk->visitor->arg, shape);
    walk->begun = true;
    walk->visitor->series(walk->visitor->arg, shape, series);
}

void svc__metric_give(struct metric_walk *walk, const char *const values[], double value)
{
    give_series(walk, &(struct metric_series){.label_values = values, .value = value});
}

/* The count is that of the buckets given, so that it agrees with them while others go on counting.
 */
static void give_histogram(struct metric_walk *walk, struct series *series)
{
    struct metric_bucket buckets[SVC_METRIC_BOUNDS + 1];
    struct shown_exemplar exemplars[SVC_METRIC_BOUNDS + 1];
    uint64_t count = 0;
    for (uint32_t i = 0; i <= series->bound_count; i++) {
        buckets[i] =
            (struct metric_bucket){.bound = series->bounds[i],
                                   .count = svc__cells_sum(series->cells, HISTOGRAM_BUCKETS + i),
                                   .exemplar = svc__exemplar_show(series, i, &exemplars[i])};
        count += buckets[i].count;
    }
    give_series(walk,
                &(struct metric_series){.label_values = series->values,
                                        .count = count,
                                        .sum = svc__cells_sum_double(series->cells, HISTOGRAM_SUM),
                                        .bucket_count = series->bound_count + 1,
                                        .buckets = buckets});
}

static void give_number(struct metric_walk *walk, struct series *series)
{
    struct shown_exemplar room;
    struct metric_series shown = {.label_values = series->values};
    if (series->family->shape.type == METRIC_COUNTER) {
        shown.value = (double)svc__cells_sum(series->cells, 0);
        shown.exemplar = svc__exemplar_show(series, 0, &room);
    } else {
        shown.value = svc__cells_sum_double(series->cells, 0);
    }
    give_series(walk, &shown);
}

static void give_by_function(struct metric_walk *walk, const struct family *family)
{
    if (family->give != NULL) {
        family->give(walk, family->arg);
        return;
    }
    double value = family->read(family->arg);
    if (!isnan(value))
        svc__metric_give(walk, NULL, value);
}

static void walk_family(struct family *family, void *arg)
{
    struct metric_walk *walk = arg;
    walk->family = family;
    walk->begun = false;
    if (family->give != NULL || (family->read != NULL && !family->is_program)) {
        if (!family->metrics->fns_end)
            give_by_function(walk, family);
        return;
    }
    struct series *series = atomic_load_explicit(&family->first, memory_order_acquire);
    for (; series != NULL; series = atomic_load_explicit(&series->next, memory_order_acquire)) {
        if (!atomic_load_explicit(&series->shown, memory_order_acquire))
            continue;
        if (family->shape.type == METRIC_HISTOGRAM)
            give_histogram(walk, series);
        else
            give_number(walk, series);
    }
}

void svc__metrics_walk(struct metrics *m, const struct metric_visitor *visitor)
{
    struct metric_walk walk = {.visitor = visitor};
    svc__metrics_each(m, walk_family, &walk);
}

uint64_t svc__counter_read(const svc_counter *counter)
{
    return counter != NULL ? svc__cells_sum(counter->series.cells, 0) : 0;
}

double svc__gauge_read(const svc_gauge *gauge)
{
    return gauge != NULL ? svc__cells_sum_double(gauge->series.cells, 0) : 0;
}
