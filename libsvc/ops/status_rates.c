/* Two readings of the requests' metrics, and the difference between them. */
#include "libsvc/ops/status_rates.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/base/arena.h"
#include "libsvc/base/clock.h"
#include "libsvc/metrics/walk.h"

enum { WINDOW_MS = 10000, MEMORY = 16 << 20, METHOD_LABEL = 0, ROUTE_LABEL = 1, ERROR_LABEL = 3 };

/* What one reading has of a route and method: all statuses together. */
struct entry {
    char *method, *route;
    uint64_t requests, errors;
    size_t bucket_count;
    struct metric_bucket *buckets;
};

struct reading {
    struct arena memory;
    uint64_t at_ms;
    size_t count, left_out;
    bool inside;                         /* the walk is within the family of durations */
    struct entry *entries[RATES_ROUTES]; /* sorted */
};

struct rates {
    pthread_mutex_t lock;
    uint64_t start_ms;
    struct reading *older, *newer; /* NULL: not read yet */
};

struct rates *svc__rates_new(struct arena *memory)
{
    struct rates *rates = svc__arena_zalloc(memory, sizeof *rates);
    if (!rates)
        return NULL;
    rates->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    rates->start_ms = svc__clock_ms();
    return rates;
}

static void free_reading(struct reading *reading)
{
    if (!reading)
        return;
    svc__arena_reset(&reading->memory);
    free(reading);
}

void svc__rates_end(struct rates *rates)
{
    free_reading(rates->older);
    free_reading(rates->newer);
    pthread_mutex_destroy(&rates->lock);
}

/* ---- A reading */

/* The place of a route and method: where it is, or where it belongs. */
static size_t place_of(const struct reading *reading, const char *method, const char *route,
                       bool *found)
{
    size_t low = 0, high = reading->count;
    *found = false;
    while (low < high && !*found) {
        size_t middle = low + (high - low) / 2;
        const struct entry *entry = reading->entries[middle];
        int order = strcmp(route, entry->route);
        order = order ? order : strcmp(method, entry->method);
        *found = order == 0;
        low = order > 0 ? middle + 1 : *found ? middle : low;
        high = order < 0 ? middle : high;
    }
    return low;
}

static struct entry *make_entry(struct reading *reading, const char *const *labels,
                                const struct metric_series *series)
{
    struct arena *memory = &reading->memory;
    struct entry *entry = svc__arena_zalloc(memory, sizeof *entry);
    if (!entry)
        return NULL;
    entry->method = svc__arena_strndup(memory, labels[METHOD_LABEL], strlen(labels[METHOD_LABEL]));
    entry->route = svc__arena_strndup(memory, labels[ROUTE_LABEL], strlen(labels[ROUTE_LABEL]));
    entry->bucket_count = series->bucket_count;
    entry->buckets = svc__arena_zalloc(memory, series->bucket_count * sizeof *entry->buckets);
    if (!entry->method || !entry->route || !entry->buckets)
        return NULL;
    for (size_t i = 0; i < entry->bucket_count; i++)
        entry->buckets[i].bound = series->buckets[i].bound;
    return entry;
}

/* NULL: there is no room, or no memory. */
static struct entry *find_entry(struct reading *reading, const struct metric_series *series)
{
    bool found;
    const char *const *labels = series->label_values;
    size_t at = place_of(reading, labels[METHOD_LABEL], labels[ROUTE_LABEL], &found);
    if (found)
        return reading->entries[at];
    if (reading->count == RATES_ROUTES)
        return NULL;
    struct entry *entry = make_entry(reading, labels, series);
    if (!entry)
        return NULL;
    memmove(&reading->entries[at + 1], &reading->entries[at],
            (reading->count - at) * sizeof(struct entry *));
    reading->entries[at] = entry;
    reading->count++;
    return entry;
}

static void enter_family(void *arg, const struct metric_family *family)
{
    struct reading *reading = arg;
    reading->inside = family->type == METRIC_HISTOGRAM && family->label_count > ERROR_LABEL &&
                      !strcmp(family->name, "http_server_request_duration_seconds");
}

static void add_series(void *arg, const struct metric_family *family,
                       const struct metric_series *series)
{
    struct reading *reading = arg;
    (void)family;
    if (!reading->inside)
        return;
    struct entry *entry = find_entry(reading, series);
    if (!entry) {
        reading->left_out++;
        return;
    }
    entry->requests += series->count;
    if (*series->label_values[ERROR_LABEL])
        entry->errors += series->count;
    for (size_t i = 0; i < entry->bucket_count && i < series->bucket_count; i++)
        entry->buckets[i].count += series->buckets[i].count;
}

static struct reading *read_metrics(struct metrics *metrics)
{
    struct reading *reading = calloc(1, sizeof *reading);
    if (!reading)
        return NULL;
    svc__arena_init(&reading->memory, NULL, MEMORY);
    reading->at_ms = svc__clock_ms();
    svc__metrics_walk(metrics, &(struct metric_visitor){enter_family, add_series, reading});
    return reading;
}

/* ---- What has come between two */

double svc__rates_quantile(const struct metric_bucket *buckets, size_t count, double q)
{
    uint64_t total = 0, below = 0;
    for (size_t i = 0; i < count; i++)
        total += buckets[i].count;
    double rank = q * (double)total, lower = 0;
    for (size_t i = 0; i < count && total > 0; i++) {
        double here = (double)buckets[i].count;
        if (here > 0 && (double)below + here >= rank)
            return isinf(buckets[i].bound)
                       ? lower
                       : lower + (buckets[i].bound - lower) * (rank - (double)below) / here;
        below += buckets[i].count;
        lower = buckets[i].bound;
    }
    return (double)NAN;
}

static const struct entry *find_in(const struct reading *base, const struct entry *entry)
{
    bool found = false;
    size_t at = base ? place_of(base, entry->method, entry->route, &found) : 0;
    return found ? base->entries[at] : NULL;
}

/* `room` is for the buckets of the window. */
static struct route_rate compare_entries(const struct entry *before, const struct entry *now,
                                         double seconds, struct metric_bucket *room)
{
    static const struct entry none;
    before = before ? before : &none;
    uint64_t requests = now->requests - before->requests, errors = now->errors - before->errors;
    for (size_t i = 0; i < now->bucket_count; i++) {
        room[i] = now->buckets[i];
        if (i < before->bucket_count)
            room[i].count -= before->buckets[i].count;
    }
    return (struct route_rate){
        .method = now->method,
        .route = now->route,
        .requests = now->requests,
        .errors = now->errors,
        .window_s = seconds,
        .per_s = (double)requests / seconds,
        .error_share = requests ? (double)errors / (double)requests : (double)NAN,
        .p50 = svc__rates_quantile(room, now->bucket_count, 0.5),
        .p95 = svc__rates_quantile(room, now->bucket_count, 0.95),
        .p99 = svc__rates_quantile(room, now->bucket_count, 0.99),
    };
}

static void compare_readings(const struct rates *rates, struct reading *now,
                             void (*visit)(void *arg, const struct route_rate *rate), void *arg)
{
    const struct reading *newer = rates->newer;
    bool is_old = newer && now->at_ms - newer->at_ms >= WINDOW_MS;
    const struct reading *base = is_old ? newer : rates->older;
    uint64_t since_ms = base ? base->at_ms : rates->start_ms;
    double seconds = (double)(now->at_ms > since_ms ? now->at_ms - since_ms : 1) / 1000;
    for (size_t i = 0; i < now->count; i++) {
        const struct entry *entry = now->entries[i];
        struct metric_bucket *room =
            svc__arena_alloc(&now->memory, entry->bucket_count * sizeof *room);
        if (!room)
            break;
        struct route_rate rate = compare_entries(find_in(base, entry), entry, seconds, room);
        visit(arg, &rate);
    }
}

/* Keeps a reading, and gives up the one that is not needed any more. */
static void keep_reading(struct rates *rates, struct reading *now)
{
    if (!rates->newer || now->at_ms - rates->newer->at_ms >= WINDOW_MS) {
        free_reading(rates->older);
        rates->older = rates->newer;
        rates->newer = now;
    } else {
        free_reading(now);
    }
}

size_t svc__rates_read(struct rates *rates, struct metrics *metrics,
                       void (*visit)(void *arg, const struct route_rate *rate), void *arg)
{
    size_t left_out = 0;
    if (!rates)
        return 0;
    pthread_mutex_lock(&rates->lock);
    struct reading *now = read_metrics(metrics);
    if (now) {
        compare_readings(rates, now, visit, arg);
        left_out = now->left_out;
        keep_reading(rates, now);
    }
    pthread_mutex_unlock(&rates->lock);
    return left_out;
}
