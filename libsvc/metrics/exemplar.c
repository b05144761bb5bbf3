/* One example for each bucket, under a flag that nobody waits for. */
#include "libsvc/metrics/exemplar.h"

#include <stdlib.h>

#include "libsvc/base/clock.h"
#include "libsvc/base/hex.h"

enum { REPLACED_AFTER_MS = 1000 };

struct exemplar {
    _Atomic uint64_t kept_ms; /* of svc__clock_coarse_ns; 0: never */
    _Atomic bool busy;        /* somebody reads or writes all that follows */
    double value;
    uint64_t unix_ms;
    unsigned char trace_id[EXEMPLAR_TRACE_BYTES], span_id[EXEMPLAR_SPAN_BYTES];
};

struct exemplars {
    struct exemplar of[1]; /* as many as there are buckets; of a counter, one */
};

static bool begin_use(struct exemplar *exemplar)
{
    return !atomic_exchange_explicit(&exemplar->busy, true, memory_order_acquire);
}

static void end_use(struct exemplar *exemplar)
{
    atomic_store_explicit(&exemplar->busy, false, memory_order_release);
}

/* Those of a series, made when there are none; NULL when out of memory. */
static struct exemplars *take_exemplars(struct series *series)
{
    struct exemplars *known = atomic_load_explicit(&series->exemplars, memory_order_acquire);
    if (known != NULL)
        return known;
    struct exemplars *made = calloc(series->bound_count + 1, sizeof made->of[0]);
    if (made == NULL || atomic_compare_exchange_strong(&series->exemplars, &known, made))
        return made;
    free(made);
    return known;
}

static void keep_example(struct series *series, uint32_t bucket, double value,
                         const unsigned char *trace_id, const unsigned char *span_id)
{
    struct exemplars *all = take_exemplars(series->same != NULL ? series->same : series);
    if (all == NULL)
        return;
    struct exemplar *exemplar = &all->of[bucket];
    uint64_t now_ms = svc__clock_coarse_ns() / 1000000;
    uint64_t kept_ms = atomic_load_explicit(&exemplar->kept_ms, memory_order_relaxed);
    if ((kept_ms != 0 && now_ms - kept_ms < REPLACED_AFTER_MS) || !begin_use(exemplar))
        return;
    exemplar->value = value;
    exemplar->unix_ms = svc__clock_wall_us() / 1000;
    memcpy(exemplar->trace_id, trace_id, EXEMPLAR_TRACE_BYTES);
    memcpy(exemplar->span_id, span_id, EXEMPLAR_SPAN_BYTES);
    atomic_store_explicit(&exemplar->kept_ms, now_ms, memory_order_relaxed);
    end_use(exemplar);
}

void svc__exemplar_keep(svc_histogram *histogram, double value,
                        const unsigned char trace_id[static EXEMPLAR_TRACE_BYTES],
                        const unsigned char span_id[static EXEMPLAR_SPAN_BYTES])
{
    if (histogram == NULL)
        return;
    struct series *series = &histogram->series;
    keep_example(series, svc__series_bucket(series, value), value, trace_id, span_id);
}

void svc__exemplar_keep_added(svc_counter *counter, uint64_t amount,
                              const unsigned char trace_id[static EXEMPLAR_TRACE_BYTES],
                              const unsigned char span_id[static EXEMPLAR_SPAN_BYTES])
{
    if (counter != NULL)
        keep_example(&counter->series, 0, (double)amount, trace_id, span_id);
}

const struct metric_exemplar *svc__exemplar_show(const struct series *series, uint32_t bucket,
                                                 struct shown_exemplar *to)
{
    struct exemplars *all = atomic_load_explicit(&series->exemplars, memory_order_acquire);
    if (all == NULL || !begin_use(&all->of[bucket]))
        return NULL;
    struct exemplar *exemplar = &all->of[bucket];
    bool kept = atomic_load_explicit(&exemplar->kept_ms, memory_order_relaxed) != 0;
    to->own =
        (struct metric_exemplar){exemplar->value, exemplar->unix_ms, to->trace_id, to->span_id};
    svc__hex_write(to->trace_id, exemplar->trace_id, EXEMPLAR_TRACE_BYTES);
    svc__hex_write(to->span_id, exemplar->span_id, EXEMPLAR_SPAN_BYTES);
    to->trace_id[2 * EXEMPLAR_TRACE_BYTES] = to->span_id[2 * EXEMPLAR_SPAN_BYTES] = '\0';
    end_use(exemplar);
    return kept ? &to->own : NULL;
}
