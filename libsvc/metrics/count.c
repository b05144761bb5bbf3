/* Counting by programs. */
#include <math.h>

#include "libsvc/metrics/metric.h"

svc_counter *svc_counter_of(svc_counter_family *family, size_t n, const char *const values[])
{
    return (svc_counter *)svc__series_of((struct family *)family, n, values);
}

svc_gauge *svc_gauge_of(svc_gauge_family *family, size_t n, const char *const values[])
{
    return (svc_gauge *)svc__series_of((struct family *)family, n, values);
}

svc_histogram *svc_histogram_of(svc_histogram_family *family, size_t n, const char *const values[])
{
    return (svc_histogram *)svc__series_of((struct family *)family, n, values);
}

void svc_counter_add(svc_counter *counter, uint64_t n)
{
    svc__counter_add(counter, n);
}

void svc_gauge_add(svc_gauge *gauge, double amount)
{
    if (isfinite(amount))
        svc__gauge_add(gauge, amount);
}

void svc_gauge_set(svc_gauge *gauge, double value)
{
    if (gauge != NULL)
        svc__cells_set_double(gauge->series.cells, 0, value);
}

void svc_histogram_observe(svc_histogram *histogram, double value)
{
    if (!isnan(value))
        svc__histogram_observe(histogram, value);
}
