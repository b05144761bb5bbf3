/* Response caches as programs make and purge them. */
#include <string.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/base/sized.h"
#include "libsvc/metrics/metric.h"
#include "libsvc/proto/token.h"
#include "libsvc/shared_cache/cache_purge.h"
#include "libsvc/shared_cache/response_cache.h"

enum { MAX_TAG = 128, MAX_WAIT_MS = 3600000, MAX_HEURISTIC_S = 31622400, BODY_SHARE = 32 };

static const uint64_t bytes_least = UINT64_C(1) << 20, bytes_most = UINT64_C(1) << 36;

#define WRONG(app, ...)                                                                            \
    (svc__faults_add(&(app)->faults, NULL, 0, "svc_response_cache_new: " __VA_ARGS__), SVC_EINVAL)

/* ---- Metrics */

/* Metrics are the serving app's, which is known at the start only. */
static int start_cache(svc_app *app, void *arg)
{
    svc_response_cache *cache = arg;
    struct metrics *in = svc__app_root(app)->metrics;
    static const char *const labels[] = {
#define LABEL(name, label) label,
        CACHE_RESULT_LIST(LABEL)
#undef LABEL
    };
    svc_counter_family *results =
        svc__metric_counters(in, "svc_response_cache_requests_total",
                             "Requests of response caches by their result.", "result");
    for (size_t i = 0; i < CACHE_RESULTS; i++)
        cache->results[i] = svc_counter_of(results, 1, &labels[i]);
    cache->stored = svc__metric_counter(in, "svc_response_cache_stored_total",
                                        "Replies that response caches have stored.");
    cache->purged = svc__metric_counter(in, "svc_response_cache_purged_total",
                                        "Stored replies that were purged or invalidated.");
    cache->lost_purges =
        svc__metric_counter(in, "svc_response_cache_purges_lost_total",
                            "Purges that the store of a response cache did not take.");
    const struct reply_memory_meter meter = {
        svc__metric_gauge(in, "svc_response_cache_replies",
                          "Replies that response caches have in memory."),
        svc__metric_gauge(in, "svc_response_cache_bytes", "Bytes that these replies take."),
        svc__metric_counter(in, "svc_response_cache_evicted_total",
                            "Stored replies that have left for lack of room.")};
    svc__reply_memory_measure(cache->memory, &meter);
    return cache->stored && cache->purged && results ? 0 : SVC_ENOMEM;
}

/* ---- Making */

static int check_choices(svc_app *app, const svc_response_cache_options *options)
{
    if (!svc__token_valid(svc__bytes_z(options->name)) || strlen(options->name) > MAX_TAG)
        return WRONG(app, "the name must be a token of at most %d characters", MAX_TAG);
    if (options->bytes < bytes_least || options->bytes > bytes_most)
        return WRONG(app, "bytes are 1 MiB to 64 GiB");
    if (options->max_body_bytes < 1 || options->max_body_bytes > options->bytes / BODY_SHARE)
        return WRONG(app, "max_body_bytes are 1 to a %dnd of bytes", BODY_SHARE);
    if (options->max_wait_ms < 1 || options->max_wait_ms > MAX_WAIT_MS)
        return WRONG(app, "max_wait_ms is 1 to %d", MAX_WAIT_MS);
    if (options->local_ms > MAX_WAIT_MS)
        return WRONG(app, "local_ms is at most %d", MAX_WAIT_MS);
    if (options->heuristic_s > MAX_HEURISTIC_S)
        return WRONG(app, "heuristic_s is at most %d", MAX_HEURISTIC_S);
    return 0;
}

static void free_parts(void *arg)
{
    svc_response_cache *cache = arg;
    svc__reply_memory_free(cache->memory);
    svc__collapse_free(cache->collapse);
}

static int copy_texts(svc_response_cache *cache, struct arena *memory, const char *name)
{
    static const char hit[] = "; hit; ttl=";
    size_t len = strlen(name);
    char *text = svc__arena_alloc(memory, len + sizeof hit);
    cache->name = svc__arena_copy(memory, svc__bytes(name, len));
    if (!text || !cache->name.data)
        return SVC_ENOMEM;
    memcpy(text, name, len);
    memcpy(text + len, hit, sizeof hit);
    cache->hit = svc__bytes(text, len + sizeof hit - 1);
    return 0;
}

/* NULL when out of memory. */
static svc_response_cache *make_cache(svc_app *app, const svc_response_cache_options *options)
{
    svc_response_cache *cache = svc__arena_zalloc(&app->memory, sizeof *cache);
    if (!cache || copy_texts(cache, &app->memory, options->name))
        return NULL;
    cache->app = app;
    cache->policy.heuristic_most = (int64_t)options->heuristic_s;
    cache->max_body = options->max_body_bytes;
    cache->store = options->store;
    cache->local_ms = options->local_ms;
    cache->max_waiting = options->max_waiting;
    cache->max_wait_ms = options->max_wait_ms;
    cache->memory = svc__reply_memory_new(options->bytes);
    cache->collapse = svc__collapse_new();
    if (!cache->memory || !cache->collapse || svc__arena_defer(&app->memory, free_parts, cache)) {
        free_parts(cache);
        return NULL;
    }
    svc__response_cache_prepare(cache);
    cache->middleware.start = start_cache;
    return cache->store && svc__cache_purge_open(cache, app) ? NULL : cache;
}

svc_response_cache *svc_response_cache_new(svc_app *app, const svc_response_cache_options *options)
{
    svc_response_cache_options own = SVC_RESPONSE_CACHE_OPTIONS_INIT;
    if (svc__app_open(app, "svc_response_cache_new"))
        return NULL;
    if (options && SIZED_READ(&own, options, name)) {
        (void)WRONG(app, "options need SVC_RESPONSE_CACHE_OPTIONS_INIT");
        return NULL;
    }
    if (check_choices(app, &own))
        return NULL;
    svc_response_cache *cache = make_cache(app, &own);
    if (!cache)
        svc__faults_add(&app->faults, NULL, 0, "svc_response_cache_new: %s",
                        svc_error_text(SVC_ENOMEM));
    return cache;
}

const svc_middleware *svc_response_cache_layer(svc_response_cache *cache)
{
    return cache ? &cache->middleware : NULL;
}

/* ---- Tags and purges */

static bool is_tag(const char *tag)
{
    size_t len = tag ? strlen(tag) : 0;
    for (size_t i = 0; i < len; i++)
        if (tag[i] <= ' ' || tag[i] > '~' || tag[i] == ',')
            return false;
    return len >= 1 && len <= MAX_TAG;
}

int svc_response_cache_tag(svc_response *res, const char *tag)
{
    if (res && !is_tag(tag))
        return SVC_EINVAL;
    return svc_response_add_header(res, "Cache-Tag", tag);
}

int svc_response_cache_purge(svc_response_cache *cache, svc_request *req, const char *target)
{
    if (!cache)
        return SVC_ENOMEM;
    if (!target || target[0] != '/')
        return SVC_EINVAL;
    return svc__cache_purge(cache, req, svc__cache_purge_hash('u', svc__bytes_z(target)));
}

int svc_response_cache_purge_tag(svc_response_cache *cache, svc_request *req, const char *tag)
{
    if (!cache)
        return SVC_ENOMEM;
    return is_tag(tag) ? svc__cache_purge(cache, req, svc__cache_purge_hash('t', svc__bytes_z(tag)))
                       : SVC_EINVAL;
}

int svc_response_cache_purge_all(svc_response_cache *cache, svc_request *req)
{
    return cache ? svc__cache_purge(cache, req, REPLY_MEMORY_ALL) : SVC_ENOMEM;
}
