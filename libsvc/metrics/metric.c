/* The registry behind the cells: what is counted, in which cells, and the walk over it. */
#include "libsvc/metrics/metric.h"

#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc/errors.h>

#include "libsvc/base/buf.h"
#include "libsvc/metrics/walk.h"

enum { LABEL_VALUE_MAX = 1 << 16 };

enum kind { COUNTER, COUNTERS_FN, GAUGE, GAUGE_FN, HISTOGRAM };

/* The properties of a metric beside its shape. */
struct metric {
    enum kind kind;
    char *name;
    char *help;
    uint64_t *bounds; /* a histogram's */
    double unit;
    int64_t (*fn)(void *arg);
    const char *label; /* NULL: none */
    void (*each)(struct metric_walk *walk, void *arg);
    void *arg;
};

struct metrics {
    struct metric_cells shared; /* the first of the list of blocks */
    pthread_mutex_t lock;       /* orders the lists of blocks */
    struct metric_cells *free;
    size_t blocks;
    const char *prefix; /* in place of "svc_"; NULL: names stay */
    size_t len;
    uint32_t cells;
    struct metric_shape shapes[METRIC_MAX];
    struct metric metrics[METRIC_MAX];
};

/* A zeroed block of memory aligned as the cells are. */
static void *alloc_aligned(size_t size)
{
    void *p = aligned_alloc(_Alignof(struct metric_cells), size);
    if (p != NULL)
        memset(p, 0, size);
    return p;
}

struct metrics *svc__metrics_new(void)
{
    struct metrics *m = alloc_aligned(sizeof *m);
    if (m == NULL)
        return NULL;
    if (pthread_mutex_init(&m->lock, NULL) != 0) {
        free(m);
        return NULL;
    }
    m->shared.shapes = m->shapes;
    return m;
}

void svc__metrics_rename(struct metrics *m, const char *prefix)
{
    m->prefix = prefix;
}

/* A metric's name in print, for the caller to free; NULL when out of memory. */
static char *name_of(const struct metrics *m, const char *name)
{
    static const char usual[] = "svc_";
    const size_t len = sizeof usual - 1;
    if (m->prefix == NULL || strncmp(name, usual, len) != 0)
        return strdup(name);
    size_t size = strlen(m->prefix) + strlen(name + len) + 1;
    char *whole = malloc(size);
    if (whole != NULL)
        snprintf(whole, size, "%s%s", m->prefix, name + len);
    return whole;
}

static void drop_metric(struct metric *metric)
{
    free(metric->name);
    free(metric->help);
    free(metric->bounds);
}

void svc__metrics_free(struct metrics *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->len; i++)
        drop_metric(&m->metrics[i]);
    struct metric_cells *cells = m->shared.next;
    while (cells != NULL) {
        struct metric_cells *next = cells->next;
        free(cells);
        cells = next;
    }
    pthread_mutex_destroy(&m->lock);
    free(m);
}

static bool name_is_valid(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:";
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:0123456789");
    return name[0] != '\0' && strchr(letters, name[0]) != NULL && name[n] == '\0';
}

/* Whether `name` is that of a line which a metric of this kind and name `base` prints. */
static bool prints(enum kind kind, const char *base, const char *name)
{
    static const char *const suffixes[] = {"_bucket", "_sum", "_count"};
    size_t n = strlen(base);
    if (strncmp(name, base, n) != 0)
        return false;
    if (name[n] == '\0')
        return true;
    for (size_t i = 0; kind == HISTOGRAM && i < sizeof suffixes / sizeof *suffixes; i++) {
        if (strcmp(name + n, suffixes[i]) == 0)
            return true;
    }
    return false;
}

static bool name_is_taken(const struct metrics *m, enum kind kind, const char *name)
{
    for (size_t i = 0; i < m->len; i++) {
        const struct metric *other = &m->metrics[i];
        if (prints(other->kind, other->name, name) || prints(kind, name, other->name))
            return true;
    }
    return false;
}

/* Registers `metric`, whose name, help and bounds are taken over when it succeeds. */
static int keep(struct metrics *m, const struct metric *metric, size_t bounds_len)
{
    uint32_t cells = metric->kind == HISTOGRAM ? (uint32_t)bounds_len + 2 : 1;
    if (m->len == METRIC_MAX || cells > METRIC_CELLS_MAX - m->cells)
        return SVC_ETOOBIG;
    m->metrics[m->len] = *metric;
    m->shapes[m->len].bounds = metric->bounds;
    m->shapes[m->len].bounds_len = (uint32_t)bounds_len;
    m->shapes[m->len].first = m->cells;
    m->cells += cells;
    return (int)m->len++;
}

/* A copy that is UTF-8, whatever the text is; NULL when out of memory. */
static char *copy_text(const char *text)
{
    struct buf copy;
    svc__buf_init(&copy, SIZE_MAX);
    svc__buf_utf8(&copy, svc__bytes_z(text));
    svc__buf_terminate(&copy);
    if (svc__buf_error(&copy) != 0)
        svc__buf_free(&copy);
    return copy.data;
}

/* Registers a metric like `proto` with copies of `name`, `help` and the bounds. */
static int add_metric(struct metrics *m, struct metric proto, const char *name, const char *help,
                      const uint64_t *bounds, size_t bounds_len)
{
    if (!name_is_valid(name))
        return SVC_EINVAL;
    int id = SVC_ENOMEM;
    proto.name = name_of(m, name);
    proto.help = copy_text(help);
    proto.bounds = bounds_len == 0 ? NULL : malloc(bounds_len * sizeof *bounds);
    if (proto.name != NULL && name_is_taken(m, proto.kind, proto.name)) {
        id = SVC_ESTATE;
    } else if (proto.name != NULL && proto.help != NULL &&
               (bounds_len == 0 || proto.bounds != NULL)) {
        if (bounds_len > 0)
            memcpy(proto.bounds, bounds, bounds_len * sizeof *bounds);
        id = keep(m, &proto, bounds_len);
    }
    if (id < 0)
        drop_metric(&proto);
    return id;
}

int svc__metric_counter(struct metrics *m, const char *name, const char *help)
{
    return add_metric(m, (struct metric){.kind = COUNTER}, name, help, NULL, 0);
}

int svc__metric_gauge(struct metrics *m, const char *name, const char *help)
{
    return add_metric(m, (struct metric){.kind = GAUGE}, name, help, NULL, 0);
}

int svc__metric_gauge_fn(struct metrics *m, const char *name, const char *help,
                         int64_t (*fn)(void *arg), void *arg)
{
    return add_metric(m, (struct metric){.kind = GAUGE_FN, .fn = fn, .arg = arg}, name, help, NULL,
                      0);
}

int svc__metric_counters_fn(struct metrics *m, const char *name, const char *help,
                            const char *label, void (*fn)(struct metric_walk *walk, void *arg),
                            void *arg)
{
    return add_metric(m,
                      (struct metric){.kind = COUNTERS_FN, .label = label, .each = fn, .arg = arg},
                      name, help, NULL, 0);
}

int svc__metric_histogram(struct metrics *m, const char *name, const char *help,
                          const uint64_t *bounds, size_t n, double unit)
{
    if (n == 0 || n > METRIC_BOUNDS_MAX)
        return SVC_EINVAL;
    for (size_t i = 1; i < n; i++) {
        if (bounds[i] <= bounds[i - 1])
            return SVC_EINVAL;
    }
    return add_metric(m, (struct metric){.kind = HISTOGRAM, .unit = unit}, name, help, bounds, n);
}

int svc__metric_find(const struct metrics *m, const char *name)
{
    char *whole = name_of(m, name);
    int id = whole == NULL ? SVC_ENOMEM : SVC_ENOTFOUND;
    for (size_t i = 0; id == SVC_ENOTFOUND && i < m->len; i++)
        if (strcmp(m->metrics[i].name, whole) == 0)
            id = (int)i;
    free(whole);
    return id;
}

int svc__metric_counter_once(struct metrics *m, const char *name, const char *help)
{
    int found = svc__metric_find(m, name);
    return found >= 0 ? found : svc__metric_counter(m, name, help);
}

int svc__metric_gauge_once(struct metrics *m, const char *name, const char *help)
{
    int found = svc__metric_find(m, name);
    return found >= 0 ? found : svc__metric_gauge(m, name, help);
}

/* A block that a thread gave back, or a new one. Under the lock. */
static struct metric_cells *take_block(struct metrics *m)
{
    struct metric_cells *cells = m->free;
    if (cells != NULL) {
        m->free = cells->next_free;
        return cells;
    }
    if (m->blocks == METRIC_BLOCKS_MAX)
        return NULL;
    cells = alloc_aligned(sizeof *cells);
    if (cells == NULL)
        return NULL;
    cells->shapes = m->shapes;
    cells->next = m->shared.next;
    m->shared.next = cells;
    m->blocks++;
    return cells;
}

struct metric_cells *svc__metric_cells_new(struct metrics *m)
{
    pthread_mutex_lock(&m->lock);
    struct metric_cells *cells = take_block(m);
    pthread_mutex_unlock(&m->lock);
    return cells;
}

void svc__metric_cells_release(struct metrics *m, struct metric_cells *cells)
{
    if (cells == NULL)
        return;
    pthread_mutex_lock(&m->lock);
    cells->next_free = m->free;
    m->free = cells;
    pthread_mutex_unlock(&m->lock);
}

static void bump_shared(_Atomic uint64_t *cell, uint64_t n)
{
    atomic_fetch_add_explicit(cell, n, memory_order_relaxed);
}

void svc__metric_add_shared(struct metrics *m, int id, uint64_t n)
{
    if (id >= 0)
        bump_shared(&m->shared.cell[m->shapes[id].first], n);
}

void svc__metric_gauge_add_shared(struct metrics *m, int id, int64_t n)
{
    svc__metric_add_shared(m, id, (uint64_t)n);
}

void svc__metric_observe_shared(struct metrics *m, int id, uint64_t value)
{
    if (id < 0)
        return;
    const struct metric_shape *shape = &m->shapes[id];
    _Atomic uint64_t *buckets = &m->shared.cell[shape->first];
    bump_shared(&buckets[svc__metric_bucket(shape, value)], 1);
    bump_shared(&buckets[shape->bounds_len + 1], value);
}

/* The sum of one cell over all blocks. Under the lock. */
static uint64_t sum_cell(struct metrics *m, uint32_t cell)
{
    uint64_t sum = 0;
    for (struct metric_cells *cells = &m->shared; cells != NULL; cells = cells->next)
        sum += atomic_load_explicit(&cells->cell[cell], memory_order_relaxed);
    return sum;
}

/* The value of a metric that has one, or how many a histogram has counted. Under the lock. */
static uint64_t value_of(struct metrics *m, size_t i)
{
    const struct metric_shape *shape = &m->shapes[i];
    const struct metric *metric = &m->metrics[i];
    if (metric->kind == GAUGE_FN)
        return (uint64_t)metric->fn(metric->arg);
    uint64_t sum = sum_cell(m, shape->first);
    for (uint32_t bucket = 1; metric->kind == HISTOGRAM && bucket <= shape->bounds_len; bucket++)
        sum += sum_cell(m, shape->first + bucket);
    return sum;
}

uint64_t svc__metric_read(struct metrics *m, int id)
{
    if (id < 0 || (size_t)id >= m->len)
        return 0;
    pthread_mutex_lock(&m->lock);
    uint64_t value = value_of(m, (size_t)id);
    pthread_mutex_unlock(&m->lock);
    return value;
}

/* ---- The walk */

struct metric_walk {
    const struct metric_visitor *visitor;
    const struct metric_family *family;
    struct buf text; /* of a label's value, as UTF-8 */
};

static void give_series(struct metric_walk *walk, const struct metric_series *series)
{
    walk->visitor->series(walk->visitor->arg, walk->family, series);
}

void svc__metric_give(struct metric_walk *walk, const char *label_value, uint64_t value)
{
    svc__buf_clear(&walk->text);
    svc__buf_utf8(&walk->text, svc__bytes_z(label_value));
    svc__buf_terminate(&walk->text);
    if (svc__buf_error(&walk->text) == 0 && walk->text.data != NULL)
        give_series(walk,
                    &(struct metric_series){.label_values = (const char *const[]){walk->text.data},
                                            .value = (double)value});
}

/* So many units. Parts of one are divided by, since 1e-9 has no exact double and 1e9 has. */
static double scaled(uint64_t n, double unit)
{
    return unit < 1 ? (double)n / (double)(uint64_t)(1 / unit + 0.5) : (double)n * unit;
}

/* The count is that of the buckets given, so that it agrees with them while others go on counting.
 */
static void give_histogram(struct metrics *m, size_t i, struct metric_walk *walk)
{
    const struct metric *metric = &m->metrics[i];
    const struct metric_shape *shape = &m->shapes[i];
    struct metric_bucket buckets[METRIC_BOUNDS_MAX + 1];
    uint64_t count = 0;
    for (uint32_t at = 0; at <= shape->bounds_len; at++) {
        buckets[at] = (struct metric_bucket){
            .bound = at < shape->bounds_len ? scaled(shape->bounds[at], metric->unit) : INFINITY,
            .count = sum_cell(m, shape->first + at)};
        count += buckets[at].count;
    }
    give_series(walk,
                &(struct metric_series){
                    .count = count,
                    .sum = scaled(sum_cell(m, shape->first + shape->bounds_len + 1), metric->unit),
                    .bucket_count = shape->bounds_len + 1,
                    .buckets = buckets});
}

static void walk_metric(struct metrics *m, size_t i, struct metric_walk *walk)
{
    static const enum metric_type types[] = {
        [COUNTER] = METRIC_COUNTER, [COUNTERS_FN] = METRIC_COUNTER, [GAUGE] = METRIC_GAUGE,
        [GAUGE_FN] = METRIC_GAUGE,  [HISTOGRAM] = METRIC_HISTOGRAM,
    };
    const struct metric *metric = &m->metrics[i];
    struct metric_family family = {.type = types[metric->kind],
                                   .name = metric->name,
                                   .help = metric->help,
                                   .label_count = metric->label != NULL,
                                   .labels = &metric->label};
    walk->family = &family;
    walk->visitor->family(walk->visitor->arg, &family);
    if (metric->kind == HISTOGRAM)
        give_histogram(m, i, walk);
    else if (metric->kind == COUNTERS_FN)
        metric->each(walk, metric->arg);
    else if (metric->kind == COUNTER)
        give_series(walk, &(struct metric_series){.value = (double)value_of(m, i)});
    else
        give_series(walk, &(struct metric_series){.value = (double)(int64_t)value_of(m, i)});
}

void svc__metrics_walk(struct metrics *m, const struct metric_visitor *visitor)
{
    struct metric_walk walk = {.visitor = visitor};
    svc__buf_init(&walk.text, LABEL_VALUE_MAX);
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < m->len; i++)
        walk_metric(m, i, &walk);
    pthread_mutex_unlock(&m->lock);
    svc__buf_free(&walk.text);
}
