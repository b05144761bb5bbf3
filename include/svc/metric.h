/*
 * Metrics of the program's own: counters, gauges and histograms, shown on /metrics of the admin
 * listener beside those of the library. docs/metrics.md describes them all.
 *
 *     static svc_counter_family *orders;
 *
 *     svc_metric metric = SVC_METRIC_INIT;
 *     metric.name = "orders_total";
 *     metric.help = "Orders by their channel and result.";
 *     metric.labels[0] = "channel";
 *     metric.labels[1] = "result";
 *     orders = svc_app_counter(app, &metric);
 *
 *     svc_counter *web_ok = svc_counter_of(orders, 2, (const char *[]){"web", "ok"});
 *     svc_counter_add(web_ok, 1);
 *
 * Counting costs a few instructions on memory of the thread's own: no lock, nothing that threads
 * share, and no allocation but for the first time that a thread counts. All counting calls accept
 * NULL, which a family is that could not be registered, and then do nothing.
 *
 * A metric lives as long as its app. No thread may count in it any more when the app is freed.
 */
#ifndef SVC_METRIC_H
#define SVC_METRIC_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/* The series of one name, one for each set of label values. Borrowed from the app. */
typedef struct svc_counter_family svc_counter_family;
typedef struct svc_gauge_family svc_gauge_family;
typedef struct svc_histogram_family svc_histogram_family;

/* One series, to be kept or looked up each time. Borrowed from the app, and never freed before it.
 */
typedef struct svc_counter svc_counter;
typedef struct svc_gauge svc_gauge;
typedef struct svc_histogram svc_histogram;

enum {
    SVC_METRIC_LABELS = 8,        /* the most labels of a metric */
    SVC_METRIC_BOUNDS = 64,       /* the most bounds of a histogram */
    SVC_METRIC_VALUE_BYTES = 1024 /* the longest value of a label */
};

/* A metric as it is registered. Begin with SVC_METRIC_INIT. All is copied. */
typedef struct svc_metric {
    size_t size; /* set by SVC_METRIC_INIT */

    /*
     * Letters, digits and '_', not beginning with a digit; by custom with the unit, such as
     * "_seconds" or
     * "_bytes", behind it. The name of a counter, and no other, ends in "_total". Names that begin
     * with "svc_", "http_server_" and "process_" are the library's.
     */
    const char *name;
    const char *help; /* a sentence about it, for people; needed */

    /* The names of its labels, up to the first NULL: as `name`, but not beginning with "__", and
     * not "le" or "quantile". */
    const char *labels[SVC_METRIC_LABELS];

    /* Of a histogram: the highest value of each bucket, ascending and finite. The bucket of all
     * higher values is added. NULL: 14 bounds from 0.005 to 10, for seconds. */
    const double *bounds;
    size_t bound_count; /* 1 to SVC_METRIC_BOUNDS */

    /*
     * The most series, 1 to 1,000,000; 1000 at first. Further ones are counted together, in a
     * series in which each label has the value "_OTHER", and svc_metric_overflows_total counts how
     * often: values that come from a client cannot fill the memory.
     */
    uint32_t max_series;

    int *error; /* is set to 0, or to the reason why a call returns NULL; or NULL */
} svc_metric;

#define SVC_METRIC_INIT                                                                            \
    {                                                                                              \
        sizeof(svc_metric), NULL, NULL, {NULL}, NULL, 0, 1000, NULL                                \
    }

/*
 * Registers a counter: a number that only grows, such as of events or bytes. Registered again with
 * the same labels, by another part of the program or by an app mounted on it, it is the same
 * family.
 *
 * Borrowed from the app. NULL, with the code in metric->error: SVC_EINVAL for a bad member,
 * SVC_ESTATE for a name that another metric has, SVC_ETOOBIG when there are 4096 families already,
 * SVC_ENOMEM, also for NULL as `app`. Before the start it is also kept as a set-up error, with the
 * place of the call. Any thread, while the app serves too, but for an app that is being mounted
 * meanwhile. Since: 0.1
 */
SVC_API svc_counter_family *svc_app_counter(svc_app *app, const svc_metric *metric);

/* The same for a gauge: a number that rises and falls, such as a size. Since: 0.1 */
SVC_API svc_gauge_family *svc_app_gauge(svc_app *app, const svc_metric *metric);

/* The same for a histogram: a distribution, such as of durations. Since: 0.1 */
SVC_API svc_histogram_family *svc_app_histogram(svc_app *app, const svc_metric *metric);

/*
 * The same for a gauge without labels whose value is asked for whenever metrics are read: `read`
 * returns it (NaN: there is none at the moment), in a thread for this that is no event loop's and
 * may wait. When it has not returned within a second, the page is without the metric; so are later
 * pages until it does. `arg` is borrowed as long as the app, whose end waits for a call that runs.
 * 0 or the code. Since: 0.1
 */
SVC_API int svc_app_gauge_fn(svc_app *app, const svc_metric *metric, double (*read)(void *arg),
                             void *arg);

/* The calls above with the place where they stand, which their names are macros for. Since: 0.1 */
SVC_API svc_counter_family *svc_app_counter_at(svc_app *app, const svc_metric *metric,
                                               const char *file, int line);

/* As svc_app_counter_at. Since: 0.1 */
SVC_API svc_gauge_family *svc_app_gauge_at(svc_app *app, const svc_metric *metric, const char *file,
                                           int line);

/* As svc_app_counter_at. Since: 0.1 */
SVC_API svc_histogram_family *svc_app_histogram_at(svc_app *app, const svc_metric *metric,
                                                   const char *file, int line);

/* As svc_app_counter_at. Since: 0.1 */
SVC_API int svc_app_gauge_fn_at(svc_app *app, const svc_metric *metric, double (*read)(void *arg),
                                void *arg, const char *file, int line);

#define svc_app_counter(app, metric) svc_app_counter_at((app), (metric), __FILE__, __LINE__)
#define svc_app_gauge(app, metric) svc_app_gauge_at((app), (metric), __FILE__, __LINE__)
#define svc_app_histogram(app, metric) svc_app_histogram_at((app), (metric), __FILE__, __LINE__)
#define svc_app_gauge_fn(app, metric, read, arg)                                                   \
    svc_app_gauge_fn_at((app), (metric), (read), (arg), __FILE__, __LINE__)

/*
 * The series of a family with these `n` label values, in the order of the labels; it is made if
 * there is none. Values may come from anywhere: bytes that are not UTF-8 become U+FFFD, and NULL is
 * the value "". Over max_series, with a value longer than SVC_METRIC_VALUE_BYTES, and out of
 * memory, it is the series of
 * "_OTHER". NULL for NULL, or when the family has not `n` labels. Finds a series without a lock.
 * Any thread. Since: 0.1
 */
SVC_API svc_counter *svc_counter_of(svc_counter_family *family, size_t n,
                                    const char *const values[]);

/* The same for a gauge. Since: 0.1 */
SVC_API svc_gauge *svc_gauge_of(svc_gauge_family *family, size_t n, const char *const values[]);

/* The same for a histogram. Since: 0.1 */
SVC_API svc_histogram *svc_histogram_of(svc_histogram_family *family, size_t n,
                                        const char *const values[]);

/* Adds to a counter. Any thread. Since: 0.1 */
SVC_API void svc_counter_add(svc_counter *counter, uint64_t n);

/* The same, in the course of a request: where its trace is recorded, the amount may stand beside the
 * counter as an example (exemplar) with the ids of the trace, on pages in the format OpenMetrics.
 * `req` may be NULL. The request's thread. Since: 0.1 */
SVC_API void svc_counter_add_in(svc_counter *counter, uint64_t n, const svc_request *req);

/* Adds to a gauge; an amount below 0 takes away. An amount that is no finite number is ignored. Any
 * thread. Since: 0.1 */
SVC_API void svc_gauge_add(svc_gauge *gauge, double amount);

/* Sets a gauge. It costs more than adding: the copies of all threads are looked at. Any thread.
 * Since: 0.1 */
SVC_API void svc_gauge_set(svc_gauge *gauge, double value);

/* Counts a value in a histogram, in the first bucket whose bound is not less. A value that is no
 * number is ignored. Any thread. Since: 0.1 */
SVC_API void svc_histogram_observe(svc_histogram *histogram, double value);

/* The same, in the course of a request: where its trace is recorded, the value may stand beside the
 * bucket as an example (exemplar) with the ids of the trace, on pages in the format OpenMetrics. `req` may be NULL. The request's
 * thread. Since: 0.1 */
SVC_API void svc_histogram_observe_in(svc_histogram *histogram, double value,
                                      const svc_request *req);

SVC_END_DECLS

#endif
