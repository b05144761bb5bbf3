/*
 * The numbers of backends are asked for when metrics are read. A page may be read while the store
 * closes, so a lock, which nothing else takes, keeps the list of those that are open.
 */
#include "libsvc/storage/store_metrics.h"

#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "libsvc/base/clock.h"
#include "libsvc/metrics/walk.h"

enum outcome { OK, MISS, CONFLICT, REFUSED, UNAVAILABLE, TIMED_OUT, TOO_BIG, MALFORMED, FAILED };

static const char *const outcome_names[STORE_OUTCOMES] = {[OK] = "ok",
                                                          [MISS] = "miss",
                                                          [CONFLICT] = "conflict",
                                                          [REFUSED] = "refused",
                                                          [UNAVAILABLE] = "unavailable",
                                                          [TIMED_OUT] = "timed_out",
                                                          [TOO_BIG] = "too_big",
                                                          [MALFORMED] = "malformed",
                                                          [FAILED] = "failed"};

static const char *const kind_names[STORE_KINDS] = {
    [SVC_SYS_STORE_GET] = "get",       [SVC_SYS_STORE_SET] = "set",
    [SVC_SYS_STORE_ADD] = "add",       [SVC_SYS_STORE_REPLACE] = "compare_and_set",
    [SVC_SYS_STORE_DELETE] = "delete", [SVC_SYS_STORE_INCREMENT] = "increment",
    [SVC_SYS_STORE_LIMIT] = "limit",   [SVC_SYS_STORE_PUBLISH] = "publish",
    [SVC_SYS_STORE_LEASE] = "lease"};

static pthread_mutex_t open_lock = PTHREAD_MUTEX_INITIALIZER;
static struct store_meter *open_meters; /* of all apps */

static enum outcome outcome_of(const svc_sys_store_op *op)
{
    switch (op->error) {
    case SVC_OK:
        return op->kind == SVC_SYS_STORE_LIMIT && !op->verdict->pass ? REFUSED : OK;
    case SVC_ENOTFOUND:
        return MISS;
    case SVC_ECONFLICT:
        return CONFLICT;
    case SVC_EUNAVAILABLE:
        return UNAVAILABLE;
    case SVC_ETIMEDOUT:
        return TIMED_OUT;
    case SVC_ETOOBIG:
        return TOO_BIG;
    case SVC_ESYNTAX:
        return MALFORMED;
    default:
        return FAILED;
    }
}

void svc__store_metrics_count(struct store_meter *meter, const svc_sys_store_op *op)
{
    enum outcome outcome = outcome_of(op);
    _Atomic(svc_counter *) *place = &meter->counters[op->kind][outcome];
    svc_counter *counter = atomic_load_explicit(place, memory_order_acquire);
    if (!counter) { /* another thread that looks it up finds the same */
        const char *const labels[] = {meter->backend->scheme, kind_names[op->kind],
                                      outcome_names[outcome]};
        counter = svc_counter_of(meter->family, 3, labels);
        atomic_store_explicit(place, counter, memory_order_release);
    }
    svc__counter_add(counter, 1);
}

void svc__store_metrics_time(struct store_meter *meter, int kind, uint64_t begun_ns)
{
    double seconds = (double)(svc__clock_ns() - begun_ns) * 1e-9;
    _Atomic(svc_histogram *) *place = &meter->times[kind];
    svc_histogram *histogram = atomic_load_explicit(place, memory_order_acquire);
    if (!histogram) {
        const char *const labels[] = {meter->backend->scheme, kind_names[kind]};
        histogram = svc_histogram_of(meter->durations, 2, labels);
        atomic_store_explicit(place, histogram, memory_order_release);
    }
    svc__histogram_observe(histogram, seconds);
}

/* ---- Numbers of backends */

struct number {
    enum metric_type type;
    const char *name, *help;
    size_t at; /* in svc_sys_store_stats */
};

enum { ENTRIES, BYTES, EVICTED, EXPIRED, SERVERS, SERVERS_OUT, NUMBERS };

#define AT(member) offsetof(svc_sys_store_stats, member)

static const struct number numbers[NUMBERS] = {
    {METRIC_GAUGE, "svc_store_entries", "Entries that stores have in this process.", AT(entries)},
    {METRIC_GAUGE, "svc_store_bytes", "Bytes that these entries take, with their index.",
     AT(bytes)},
    {METRIC_COUNTER, "svc_store_evicted_total", "Entries that have left for lack of room.",
     AT(evicted)},
    {METRIC_COUNTER, "svc_store_expired_total",
     "Entries that were removed since their time was over.", AT(expired)},
    {METRIC_GAUGE, "svc_store_servers", "Servers of stores.", AT(servers)},
    {METRIC_GAUGE, "svc_store_servers_out",
     "Servers of stores that are not asked, since they have failed.", AT(servers_out)},
};

#undef AT

static bool is_same(const struct store_meter *a, const struct store_meter *b)
{
    return a->metrics == b->metrics && a->backend == b->backend;
}

/* One number of a store; UINT64_MAX if its backend does not know it. */
static uint64_t ask_number(const struct store_meter *meter, const struct number *number)
{
    svc_sys_store_stats stats;
    uint64_t value;
    memset(&stats, 0xff, sizeof stats);
    stats.size = sizeof stats;
    meter->backend->read_stats(meter->state, &stats);
    memcpy(&value, (const char *)&stats + number->at, sizeof value);
    return value;
}

/* The sum over the stores of the same app and backend from this one on; -1: it is not known. */
static double add_up(const struct store_meter *first, const struct number *number)
{
    double sum = -1;
    for (const struct store_meter *meter = first; meter; meter = meter->next) {
        uint64_t value = is_same(first, meter) ? ask_number(meter, number) : UINT64_MAX;
        if (value != UINT64_MAX)
            sum = (sum < 0 ? 0 : sum) + (double)value;
    }
    return sum;
}

static bool is_first(const struct store_meter *wanted)
{
    const struct store_meter *meter = open_meters;
    while (!is_same(meter, wanted))
        meter = meter->next;
    return meter == wanted;
}

static void give_number(struct metric_walk *walk, const struct metrics *metrics,
                        const struct number *number)
{
    pthread_mutex_lock(&open_lock);
    for (const struct store_meter *meter = open_meters; meter; meter = meter->next) {
        if (meter->metrics != metrics || !meter->backend->read_stats || !is_first(meter))
            continue;
        double sum = add_up(meter, number);
        if (sum >= 0)
            svc__metric_give(walk, &meter->backend->scheme, sum);
    }
    pthread_mutex_unlock(&open_lock);
}

static void give_entries(struct metric_walk *walk, void *metrics)
{
    give_number(walk, metrics, &numbers[ENTRIES]);
}

static void give_bytes(struct metric_walk *walk, void *metrics)
{
    give_number(walk, metrics, &numbers[BYTES]);
}

static void give_evicted(struct metric_walk *walk, void *metrics)
{
    give_number(walk, metrics, &numbers[EVICTED]);
}

static void give_expired(struct metric_walk *walk, void *metrics)
{
    give_number(walk, metrics, &numbers[EXPIRED]);
}

static void give_servers(struct metric_walk *walk, void *metrics)
{
    give_number(walk, metrics, &numbers[SERVERS]);
}

static void give_servers_out(struct metric_walk *walk, void *metrics)
{
    give_number(walk, metrics, &numbers[SERVERS_OUT]);
}

void svc__store_metrics_begin(struct store_meter *meter, struct metrics *metrics,
                              const svc_sys_store *backend, void *state)
{
    static void (*const givers[NUMBERS])(struct metric_walk * walk, void *metrics) = {
        give_entries, give_bytes, give_evicted, give_expired, give_servers, give_servers_out};
    static const double bounds[] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                    0.05,   0.1,     0.25,   0.5,   1,      2.5,   5};
    meter->metrics = metrics;
    meter->backend = backend;
    meter->state = state;
    meter->family = svc__metric_counters(metrics, "svc_store_operations_total",
                                         "Operations of stores, by their kind and their outcome.",
                                         "backend,operation,outcome");
    meter->durations = svc__metric_histograms(
        metrics, "svc_store_call_duration_seconds",
        "How long calls of stores that wait for a server take, by the kind of operation.",
        "backend,operation", bounds, sizeof bounds / sizeof *bounds);
    for (size_t i = 0; i < NUMBERS; i++)
        svc__metric_giver(metrics, numbers[i].type, numbers[i].name, numbers[i].help, "backend",
                          givers[i], metrics);
    pthread_mutex_lock(&open_lock);
    meter->next = open_meters;
    open_meters = meter;
    pthread_mutex_unlock(&open_lock);
}

void svc__store_metrics_end(struct store_meter *meter)
{
    pthread_mutex_lock(&open_lock);
    struct store_meter **at = &open_meters;
    while (*at != meter)
        at = &(*at)->next;
    *at = meter->next;
    pthread_mutex_unlock(&open_lock);
}
