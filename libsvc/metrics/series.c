/* The series of a family: how they are found by their label values, and made. */
#include <stdlib.h>
#include <string.h>

#include <svc/errors.h>

#include "libsvc/base/buf.h"
#include "libsvc/base/rand.h"
#include "libsvc/metrics/registry.h"

enum { FIRST_SLOTS = 8 };

static const char other_value[] = "_OTHER";

/* Open addressing, at most half full. A table that is full is replaced by one of twice the size,
 * and kept: others may be reading it. */
struct series_table {
    struct series_table *older;
    size_t mask;
    uint64_t seed;
    _Atomic(struct series *) slots[];
};

uint32_t svc__series_cells(const struct family *family)
{
    return family->shape.type == METRIC_HISTOGRAM ? HISTOGRAM_BUCKETS + family->bound_count + 1 : 1;
}

/* ---- Looking up */

static uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Up to seven bytes as one number. */
static uint64_t read_rest(const unsigned char *at, size_t len)
{
    if (len >= 4) {
        uint32_t low, high;
        memcpy(&low, at, sizeof low);
        memcpy(&high, at + len - sizeof high, sizeof high);
        return low | (uint64_t)high << 32;
    }
    return len == 0 ? 0 : at[0] | (uint64_t)at[len / 2] << 8 | (uint64_t)at[len - 1] << 16;
}

/* Seeded, because values may be a client's choice; the ceiling of a family bounds the cost of
 * collisions. */
static uint64_t hash_values(uint64_t seed, size_t n, const char *const values[])
{
    uint64_t hash = seed;
    for (size_t i = 0; i < n; i++) {
        const char *value = values[i] != NULL ? values[i] : "";
        size_t len = strlen(value);
        hash ^= len;
        for (; len >= sizeof(uint64_t); value += sizeof(uint64_t), len -= sizeof(uint64_t)) {
            uint64_t eight;
            memcpy(&eight, value, sizeof eight);
            hash = fold(hash ^ eight, UINT64_C(0x9e3779b97f4a7c15));
        }
        hash =
            fold(hash ^ read_rest((const unsigned char *)value, len), UINT64_C(0xd1b54a32d192ed03));
    }
    return hash;
}

static bool has_values(const struct series *series, size_t n, const char *const values[])
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(series->values[i], values[i] != NULL ? values[i] : "") != 0)
            return false;
    return true;
}

static struct series *find(const struct family *family, const char *const values[])
{
    size_t n = family->shape.label_count;
    struct series_table *table = atomic_load_explicit(&family->table, memory_order_acquire);
    uint64_t hash = hash_values(table->seed, n, values);
    for (size_t at = hash & table->mask;; at = (at + 1) & table->mask) {
        struct series *series = atomic_load_explicit(&table->slots[at], memory_order_acquire);
        if (series == NULL || (series->hash == hash && has_values(series, n, values)))
            return series;
    }
}

/* ---- Making */

static void put_into(struct series_table *table, struct series *series)
{
    size_t at = series->hash & table->mask;
    while (atomic_load_explicit(&table->slots[at], memory_order_relaxed) != NULL)
        at = (at + 1) & table->mask;
    atomic_store_explicit(&table->slots[at], series, memory_order_release);
}

static struct series_table *make_table(size_t slots, uint64_t seed)
{
    struct series_table *table = calloc(1, sizeof *table + slots * sizeof *table->slots);
    if (table != NULL) {
        table->mask = slots - 1;
        table->seed = seed;
    }
    return table;
}

/* Makes room for one series more. Under the lock. */
static int grow_table(struct family *family)
{
    struct series_table *old = family->table;
    size_t slots = old->mask + 1;
    if ((size_t)family->series_count + 1 <= slots / 2)
        return 0;
    struct series_table *table = make_table(2 * slots, old->seed);
    if (table == NULL)
        return SVC_ENOMEM;
    table->older = old;
    for (struct series *series = family->first; series != NULL; series = series->next)
        put_into(table, series);
    atomic_store_explicit(&family->table, table, memory_order_release);
    return 0;
}

/* A series with copies of the values in its own memory, and without cells. */
static struct series *make_series(struct family *family, const char *const values[])
{
    size_t n = family->shape.label_count, bytes = 0;
    for (size_t i = 0; i < n; i++)
        bytes += strlen(values[i]) + 1;
    struct series *series = calloc(1, sizeof *series + n * sizeof *series->values + bytes);
    if (series == NULL)
        return NULL;
    char *to = (char *)&series->values[n];
    for (size_t i = 0; i < n; i++) {
        size_t size = strlen(values[i]) + 1;
        memcpy(to, values[i], size);
        series->values[i] = to;
        to += size;
    }
    series->family = family;
    series->bounds = family->bounds;
    series->bound_count = family->bound_count;
    series->shown = true;
    return series;
}

struct series *svc__series_add(struct family *family, const char *const values[])
{
    if (family->table != NULL && grow_table(family) != 0)
        return NULL;
    struct series *series = make_series(family, values);
    if (series == NULL)
        return NULL;
    if (svc__cells_take(svc__series_cells(family), &series->cells) != 0) {
        free(series);
        return NULL;
    }
    if (family->table != NULL) {
        series->hash = hash_values(family->table->seed, family->shape.label_count, values);
        put_into(family->table, series);
    }
    atomic_store_explicit(family->last, series, memory_order_release);
    family->last = &series->next;
    atomic_fetch_add_explicit(&family->series_count, 1, memory_order_relaxed);
    return series;
}

int svc__series_begin(struct family *family)
{
    const char *others[SVC_METRIC_LABELS];
    for (size_t i = 0; i < SVC_METRIC_LABELS; i++)
        others[i] = other_value;
    if (family->shape.label_count == 0) {
        family->plain = svc__series_add(family, NULL);
        return family->plain != NULL ? 0 : SVC_ENOMEM;
    }
    uint64_t seed;
    svc__rand_bytes(&seed, sizeof seed);
    family->table = make_table(FIRST_SLOTS, seed);
    if (family->table != NULL)
        family->overflow = svc__series_add(family, others);
    if (family->overflow == NULL)
        return SVC_ENOMEM;
    family->overflow->shown = false;
    return 0;
}

/* The series of "_OTHER", in place of one that cannot be had. */
static struct series *overflow(struct family *family)
{
    svc_counter *count = family->overflowed;
    atomic_store_explicit(&family->overflow->shown, true, memory_order_relaxed);
    if (count != NULL) {
        atomic_store_explicit(&count->series.shown, true, memory_order_relaxed);
        svc__counter_add(count, 1);
    }
    return family->overflow;
}

static struct series *find_or_add(struct family *family, const char *const values[])
{
    struct series *series = find(family, values);
    if (series != NULL)
        return series;
    /* That of "_OTHER" is one more. */
    if (atomic_load_explicit(&family->series_count, memory_order_relaxed) > family->max_series)
        return overflow(family);
    pthread_mutex_lock(&family->metrics->lock);
    series = find(family, values);
    if (series == NULL && family->series_count <= family->max_series)
        series = svc__series_add(family, values);
    pthread_mutex_unlock(&family->metrics->lock);
    return series != NULL ? series : overflow(family);
}

/* With each bad sequence of each value replaced. */
static struct series *make_valid(struct family *family, const char *const values[])
{
    const char *valid[SVC_METRIC_LABELS];
    size_t starts[SVC_METRIC_LABELS], n = family->shape.label_count;
    struct buf text;
    svc__buf_init(&text, SVC_METRIC_LABELS * (SVC_METRIC_VALUE_BYTES + 1));
    bool fits = true;
    for (size_t i = 0; i < n; i++) {
        starts[i] = text.len;
        svc__buf_utf8(&text, svc__bytes_z(values[i] != NULL ? values[i] : ""));
        fits = fits && text.len - starts[i] <= SVC_METRIC_VALUE_BYTES;
        svc__buf_putc(&text, '\0');
    }
    fits = fits && svc__buf_error(&text) == 0;
    for (size_t i = 0; i < n && fits; i++)
        valid[i] = text.data + starts[i];
    struct series *series = fits ? find_or_add(family, valid) : overflow(family);
    svc__buf_free(&text);
    return series;
}

struct series *svc__series_of(struct family *family, size_t n, const char *const values[])
{
    if (family == NULL || family->shape.label_count != n)
        return NULL;
    if (family->same != NULL)
        family = family->same;
    if (n == 0)
        return family->plain;
    struct series *series = find(family, values);
    if (series == NULL)
        series = make_valid(family, values);
    else if (series == family->overflow)
        atomic_store_explicit(&series->shown, true, memory_order_relaxed);
    return series;
}

/* ---- Those of an app that is mounted, and the end */

void svc__series_join(struct series *series, struct series *other)
{
    uint32_t n = svc__series_cells(other->family);
    enum metric_type type = other->family->shape.type;
    for (uint32_t i = 0; i < n; i++) {
        if (type == METRIC_GAUGE || (type == METRIC_HISTOGRAM && i == HISTOGRAM_SUM))
            svc__cells_add_double(series->cells, i, svc__cells_sum_double(other->cells, i));
        else
            svc__cells_add(series->cells, i, svc__cells_sum(other->cells, i));
    }
    svc__cells_give(other->cells, n);
    other->cells = series->cells;
    other->same = series;
}

void svc__series_free_all(struct family *family)
{
    uint32_t n = svc__series_cells(family);
    for (struct series *series = family->first, *next; series != NULL; series = next) {
        next = series->next;
        struct exemplars *exemplars = series->exemplars;
        if (series->same == NULL)
            svc__cells_give(series->cells, n);
        free(exemplars);
        free(series);
    }
    for (struct series_table *table = family->table, *older; table != NULL; table = older) {
        older = table->older;
        free(table);
    }
}

void svc__series_observe_slowly(const struct series *series, uint32_t bucket, double value)
{
    svc__cells_add(series->cells, bucket, 1);
    svc__cells_add_double(series->cells, HISTOGRAM_SUM, value);
}
