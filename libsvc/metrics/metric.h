/*
 * Counters, gauges and histograms that cost a load and a store: each thread counts in a block of
 * its own, and who reads adds the blocks up.
 *
 * Metrics are registered by one thread before others count or read. Reading is possible at any
 * time; a count that another thread is just adding may or may not be in it.
 */
#ifndef SVC_METRICS_METRIC_H
#define SVC_METRICS_METRIC_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum {
    METRIC_MAX = 128,        /* metrics in one registry */
    METRIC_CELLS_MAX = 1024, /* cells in one block; a histogram takes one per bucket and two more */
    METRIC_BOUNDS_MAX = 64,  /* bounds of one histogram */
    METRIC_BLOCKS_MAX = 4096 /* blocks in use at a time */
};

/* Where a metric's cells lie, for the inline functions. */
struct metric_shape {
    const uint64_t *bounds; /* a histogram's, ascending */
    uint32_t bounds_len;
    uint32_t first; /* the cell of a counter or gauge; the first bucket of a histogram, behind whose
                       bounds_len + 1 buckets lies its sum */
};

/* The cells of one thread. */
struct metric_cells {
    _Alignas(64) const struct metric_shape *shapes;
    struct metric_cells *next; /* in the registry's list of all blocks */
    struct metric_cells *next_free;
    _Alignas(64) _Atomic uint64_t cell[METRIC_CELLS_MAX];
};

struct metrics;
struct metric_walk;

/* Makes an empty registry; NULL when out of memory. The caller's. */
struct metrics *svc__metrics_new(void);

/* Names that begin with "svc_" begin with `prefix` in its place from here on, whoever registers or
 * looks for them: for one of two registries whose metrics stand on one page. `prefix` is static. */
void svc__metrics_rename(struct metrics *m, const char *prefix);

/* Frees the registry and all its blocks, which nobody may use any more. Accepts NULL. */
void svc__metrics_free(struct metrics *m);

/*
 * Registers a metric and returns its id, which is 0 or more. `name` ([a-zA-Z_:][a-zA-Z0-9_:]*) and
 * `help` are copied. SVC_EINVAL for a bad name, SVC_ESTATE for a name that is taken (also by one of
 * a histogram's lines), SVC_ETOOBIG when the registry is full, SVC_ENOMEM. A negative id may be
 * given to the counting functions, which then do nothing.
 */
int svc__metric_counter(struct metrics *m, const char *name, const char *help);

/* The same for a value that goes up and down. */
int svc__metric_gauge(struct metrics *m, const char *name, const char *help);

/* The same for a value that is asked for: `fn(arg)` runs on the thread that reads. It must not call
 * functions of this registry. */
int svc__metric_gauge_fn(struct metrics *m, const char *name, const char *help,
                         int64_t (*fn)(void *arg), void *arg);

/*
 * The same for a family of counters that are kept elsewhere, with one label, whose name is
 * borrowed: `fn` gives each of them by svc__metric_give, on the thread that walks. svc__metric_read
 * knows nothing of them.
 */
int svc__metric_counters_fn(struct metrics *m, const char *name, const char *help,
                            const char *label, void (*fn)(struct metric_walk *walk, void *arg),
                            void *arg);

/* Gives the counter of one value of the label. In a function of svc__metric_counters_fn alone. */
void svc__metric_give(struct metric_walk *walk, const char *label_value, uint64_t value);

/*
 * The same for a distribution. A value counts in the first bucket whose bound is not less than it.
 * `bounds`, copied, are whole numbers in ascending order, 1 to METRIC_BOUNDS_MAX of them, else
 * SVC_EINVAL. `unit` is what one of them is worth in print: nanoseconds with 1e-9 read as seconds.
 */
int svc__metric_histogram(struct metrics *m, const char *name, const char *help,
                          const uint64_t *bounds, size_t n, double unit);

/* The id of the metric `name`; SVC_ENOTFOUND or SVC_ENOMEM. */
int svc__metric_find(const struct metrics *m, const char *name);

/* The id of a metric that parts of a program share: the first of them registers it, as by the calls
 * above. */
int svc__metric_counter_once(struct metrics *m, const char *name, const char *help);
int svc__metric_gauge_once(struct metrics *m, const char *name, const char *help);

/*
 * A block for the calling thread, owned by the registry. NULL when out of memory or when
 * METRIC_BLOCKS_MAX are in use. What was counted stays when the thread ends. Any thread.
 */
struct metric_cells *svc__metric_cells_new(struct metrics *m);

/* Gives a block back, so that the next thread goes on counting in it: threads that come and go do
 * not add blocks. Accepts NULL. Any thread. */
void svc__metric_cells_release(struct metrics *m, struct metric_cells *cells);

/* Adds to one cell of the caller's own block. A plain load and store: no other thread writes it. */
static inline void svc__metric_bump(_Atomic uint64_t *cell, uint64_t n)
{
    uint64_t now = atomic_load_explicit(cell, memory_order_relaxed);
    atomic_store_explicit(cell, now + n, memory_order_relaxed);
}

/* Adds to a counter. The block's thread only. */
static inline void svc__metric_add(struct metric_cells *cells, int id, uint64_t n)
{
    if (id >= 0)
        svc__metric_bump(&cells->cell[cells->shapes[id].first], n);
}

/* Adds to a gauge, which is the sum over all blocks: one thread may add what another takes away.
 * The block's thread only. */
static inline void svc__metric_gauge_add(struct metric_cells *cells, int id, int64_t n)
{
    svc__metric_add(cells, id, (uint64_t)n);
}

/* The index of the bucket that `value` counts in. */
static inline uint32_t svc__metric_bucket(const struct metric_shape *shape, uint64_t value)
{
    uint32_t i = 0;
    while (i < shape->bounds_len && value > shape->bounds[i])
        i++;
    return i;
}

/* Counts a value in a histogram. The block's thread only. */
static inline void svc__metric_observe(struct metric_cells *cells, int id, uint64_t value)
{
    if (id < 0)
        return;
    const struct metric_shape *shape = &cells->shapes[id];
    _Atomic uint64_t *buckets = &cells->cell[shape->first];
    svc__metric_bump(&buckets[svc__metric_bucket(shape, value)], 1);
    svc__metric_bump(&buckets[shape->bounds_len + 1], value);
}

/* The three above for a thread that has no block, with locked additions to one that all share.
 * Any thread. */
void svc__metric_add_shared(struct metrics *m, int id, uint64_t n);
void svc__metric_gauge_add_shared(struct metrics *m, int id, int64_t n);
void svc__metric_observe_shared(struct metrics *m, int id, uint64_t value);

/* A counter's value; a gauge's, to be cast to int64_t; how many values a histogram has counted. 0
 * for an id that is none. Any thread. */
uint64_t svc__metric_read(struct metrics *m, int id);

#endif
