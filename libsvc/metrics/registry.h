/* What the files of this room share: the registry, and how series come and go. */
#ifndef SVC_METRICS_REGISTRY_H
#define SVC_METRICS_REGISTRY_H

#include <pthread.h>

#include "libsvc/metrics/metric.h"

struct metrics {
    pthread_mutex_t lock; /* of whatever adds to it */
    _Atomic(struct family *) first, *last;
    size_t count;
    _Atomic bool fns_end;          /* the structs that the library's own functions read are gone */
    svc_counter_family *overflows; /* svc_metric_overflows_total, by metric */
};

/* Makes the series of a family that has just been registered: the plain one, or that of "_OTHER".
 * 0, SVC_ENOMEM or SVC_ETOOBIG. */
int svc__series_begin(struct family *family);

/* Adds a series with the values, which the family does not have. NULL when out of memory. Under the
 * lock. */
struct series *svc__series_add(struct family *family, const char *const values[]);

/* Lets `other` count in the cells of `series` from now on, with all that it has counted. */
void svc__series_join(struct series *series, struct series *other);

/* The number of cells that a series of the family has. */
uint32_t svc__series_cells(const struct family *family);

/* Frees all series of a family and their cells. */
void svc__series_free_all(struct family *family);

#endif
