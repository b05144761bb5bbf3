/* The library's own metrics: registered by fewer words, and without a reason where that fails. */
#include <string.h>

#include "libsvc/metrics/metric.h"

/* Label values of the library's own are its own choice: as many as it has routes and statuses. */
enum { OWN_SERIES_MAX = 100000 };

/* `labels` is divided by commas. */
static struct family *add_own(struct metrics *m, const char *name, const char *help,
                              const char *labels, struct metric_sort sort, svc_metric metric)
{
    char names[128] = "", *next = names;
    struct family *family;
    const char *why;
    metric.name = name;
    metric.help = help;
    metric.max_series = OWN_SERIES_MAX;
    if (labels != NULL)
        strncpy(names, labels, sizeof names - 1);
    for (size_t i = 0; i < SVC_METRIC_LABELS && *next != '\0'; i++) {
        metric.labels[i] = next;
        next += strcspn(next, ",");
        if (*next == ',')
            *next++ = '\0';
    }
    return svc__metric_register(m, &metric, sort, &family, &why) == 0 ? family : NULL;
}

static const svc_metric plain = SVC_METRIC_INIT;

static struct series *plain_of(struct family *family)
{
    return family != NULL ? family->plain : NULL;
}

svc_counter *svc__metric_counter(struct metrics *m, const char *name, const char *help)
{
    struct metric_sort sort = {.type = METRIC_COUNTER};
    return (svc_counter *)plain_of(add_own(m, name, help, NULL, sort, plain));
}

svc_gauge *svc__metric_gauge(struct metrics *m, const char *name, const char *help)
{
    struct metric_sort sort = {.type = METRIC_GAUGE};
    return (svc_gauge *)plain_of(add_own(m, name, help, NULL, sort, plain));
}

svc_counter_family *svc__metric_counters(struct metrics *m, const char *name, const char *help,
                                         const char *labels)
{
    struct metric_sort sort = {.type = METRIC_COUNTER};
    return (svc_counter_family *)add_own(m, name, help, labels, sort, plain);
}

svc_gauge_family *svc__metric_gauges(struct metrics *m, const char *name, const char *help,
                                     const char *labels)
{
    struct metric_sort sort = {.type = METRIC_GAUGE};
    return (svc_gauge_family *)add_own(m, name, help, labels, sort, plain);
}

svc_histogram_family *svc__metric_histograms(struct metrics *m, const char *name, const char *help,
                                             const char *labels, const double *bounds, size_t count)
{
    struct metric_sort sort = {.type = METRIC_HISTOGRAM};
    svc_metric metric = plain;
    metric.bounds = bounds;
    metric.bound_count = count;
    return (svc_histogram_family *)add_own(m, name, help, labels, sort, metric);
}

void svc__metric_fn(struct metrics *m, enum metric_type type, const char *name, const char *help,
                    double (*read)(void *arg), void *arg)
{
    struct metric_sort sort = {.type = type, .read = read, .arg = arg};
    add_own(m, name, help, NULL, sort, plain);
}

void svc__metric_giver(struct metrics *m, enum metric_type type, const char *name, const char *help,
                       const char *labels, void (*give)(struct metric_walk *walk, void *arg),
                       void *arg)
{
    struct metric_sort sort = {.type = type, .give = give, .arg = arg};
    add_own(m, name, help, labels, sort, plain);
}
