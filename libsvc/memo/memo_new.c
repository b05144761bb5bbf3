/* The constructor of memos: checks the program's options, and reports every mistake. */
#include <string.h>

#include "libsvc/base/rand.h"
#include "libsvc/base/sized.h"
#include "libsvc/memo/memo_internal.h"
#include "libsvc/storage/store.h"

enum { MOST_JITTER = 50, MOST_EARLY = 100, MOST_LOADS = 1000000 };

#define WRONG(app, ...)                                                                            \
    (svc__faults_add(&(app)->faults, NULL, 0, "svc_memo_new: " __VA_ARGS__), SVC_EINVAL)

static bool is_named(const svc_app *app, const char *name)
{
    const svc_memo *memo = app->memos;
    while (memo && strcmp(memo->options.name, name) != 0)
        memo = memo->next;
    return memo;
}

static int check_name(svc_app *app, const char *name)
{
    if (!svc__app_name_valid(name) || strlen(name) > SVC_MEMO_NAME_BYTES)
        return WRONG(app, "a name has 1 to %d letters, digits, '_', '-'", SVC_MEMO_NAME_BYTES);
    if (is_named(app, name))
        return WRONG(app, "\"%s\": there is a memo of that name", name);
    return 0;
}

static int check_times(svc_app *app, const svc_memo_options *options)
{
    const struct {
        const char *name;
        uint64_t ms;
    } times[] = {{"ttl_ms", options->ttl_ms},     {"negative_ms", options->negative_ms},
                 {"stale_ms", options->stale_ms}, {"stale_error_ms", options->stale_error_ms},
                 {"lease_ms", options->lease_ms}, {"retry_ms", options->retry_ms},
                 {"wait_ms", options->wait_ms}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (times[i].ms > SVC_STORE_TTL_MS)
            return WRONG(app, "\"%s\": %s is at most 366 days", options->name, times[i].name);
    return options->ttl_ms ? 0 : WRONG(app, "\"%s\": ttl_ms is at least 1", options->name);
}

static int check_options(svc_app *app, const svc_memo_options *options)
{
    int error = check_name(app, options->name);
    if (!error)
        error = check_times(app, options);
    if (error)
        return error;
    if (options->jitter_percent > MOST_JITTER)
        return WRONG(app, "\"%s\": jitter_percent is at most %d", options->name, MOST_JITTER);
    if (!(options->early >= 0 && options->early <= MOST_EARLY))
        return WRONG(app, "\"%s\": early is 0 to %d", options->name, MOST_EARLY);
    if (options->when_down != SVC_MEMO_DOWN_LOAD && options->when_down != SVC_MEMO_DOWN_FAIL)
        return WRONG(app, "\"%s\": when_down is no svc_memo_when_down", options->name);
    if (options->max_direct_loads < 1 || options->max_direct_loads > MOST_LOADS)
        return WRONG(app, "\"%s\": max_direct_loads is 1 to %d", options->name, MOST_LOADS);
    return 0;
}

/* ---- Start */

static void register_counts(svc_memo *memo, struct metrics *in)
{
    static const char *const lookups[] = {[MEMO_HIT] = "hit",
                                          [MEMO_NEGATIVE] = "negative",
                                          [MEMO_STALE] = "stale",
                                          [MEMO_MISS] = "miss",
                                          [MEMO_MALFORMED] = "malformed",
                                          [MEMO_DOWN] = "down",
                                          [MEMO_STALE_ON_ERROR] = "stale_on_error"};
    static const char *const ends[] = {
        [MEMO_LOADED] = "ok", [MEMO_LOADED_NOTHING] = "not_found", [MEMO_LOAD_FAILED] = "failed"};
    static const char *const waits[] = {
        [MEMO_WAIT_CALL] = "call", [MEMO_WAIT_INSTANCE] = "instance"};
    static const double bounds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                    0.25,  0.5,    1,     2.5,  5,     10};
    struct memo_counts *counts = &memo->counts;
    svc_counter_family *family = svc__metric_counters(
        in, "svc_memo_lookups_total", "Calls of memos, by how they were answered.", "memo,outcome");
    for (size_t i = 0; i < MEMO_LOOKUPS; i++)
        counts->lookups[i] =
            svc_counter_of(family, 2, (const char *[]){memo->options.name, lookups[i]});
    family = svc__metric_counters(in, "svc_memo_loads_total", "Loads of memos, by how they ended.",
                                  "memo,outcome");
    for (size_t i = 0; i < MEMO_LOAD_ENDS; i++)
        counts->loads[i] = svc_counter_of(family, 2, (const char *[]){memo->options.name, ends[i]});
    family = svc__metric_counters(in, "svc_memo_waits_total",
                                  "Waits for the load of another call, or of another instance.",
                                  "memo,for");
    for (size_t i = 0; i < MEMO_WAITS; i++)
        counts->waits[i] =
            svc_counter_of(family, 2, (const char *[]){memo->options.name, waits[i]});
    counts->seconds = svc_histogram_of(
        svc__metric_histograms(in, "svc_memo_load_seconds", "Durations of the loads of memos.",
                               "memo", bounds, sizeof bounds / sizeof *bounds),
        1, &memo->options.name);
}

static int start_memo(svc_app *app, void *arg)
{
    svc_memo *memo = arg;
    memo->max_value = memo->store->place.own.max_value - SVC_MEMO_OWN_BYTES;
    memo->leases = memo->options.lease_ms > 0 && svc_store_leases(memo->store);
    register_counts(memo, svc__app_root(app)->metrics);
    return 0;
}

/* ---- The constructor */

static uint64_t next_random(void *state)
{
    uint64_t bits;
    (void)state;
    svc__rand_bytes(&bits, sizeof bits);
    return bits;
}

static void destroy_lock(void *lock)
{
    pthread_mutex_destroy(lock);
}

static svc_memo *make_memo(svc_app *app, svc_store *store, const svc_memo_options *options)
{
    svc_memo *memo = svc__arena_zalloc(&app->memory, sizeof *memo);
    if (!memo || svc__arena_defer(&app->memory, destroy_lock, &memo->lock))
        return NULL;
    pthread_mutex_init(&memo->lock, NULL);
    memo->app = app;
    memo->store = store;
    memo->options = *options;
    memo->name_len = strlen(options->name);
    memo->options.name = svc__arena_strndup(&app->memory, options->name, memo->name_len);
    memo->limits = (struct memo_limits){options->stale_ms, options->stale_error_ms};
    memo->kept_ms =
        options->stale_ms > options->stale_error_ms ? options->stale_ms : options->stale_error_ms;
    memo->chance = (struct memo_chance){next_random, NULL};
    memo->seed = svc__siphash_key();
    return memo->options.name ? memo : NULL;
}

svc_memo *svc_memo_new(svc_app *app, svc_store *store, const svc_memo_options *options)
{
    svc_memo_options own = SVC_MEMO_OPTIONS_INIT;
    if (svc__app_open(app, "svc_memo_new"))
        return NULL;
    if (SIZED_READ(&own, options, name)) {
        (void)WRONG(app, "options need SVC_MEMO_OPTIONS_INIT");
        return NULL;
    }
    if (check_options(app, &own))
        return NULL;
    svc_memo *memo = store ? make_memo(app, store, &own) : NULL;
    if (!memo) {
        svc__faults_refuse(&app->faults, SVC_ENOMEM, "svc_memo_new");
        return NULL;
    }
    if (svc_app_add_hook(app, start_memo, NULL, memo))
        return NULL;
    memo->next = app->memos;
    app->memos = memo;
    return memo;
}
