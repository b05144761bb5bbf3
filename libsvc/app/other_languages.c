/* Symbols for calls that are macros and inline functions in C and C++. */
#include <string.h>

#include <svc.h>

/* ---- Routes without the place where they are registered */

int(svc_app_route)(svc_app *app, const svc_route *route)
{
    return svc_app_route_at(app, route, NULL, 0);
}

int(svc_group_route)(svc_group *group, const svc_route *route)
{
    return svc_group_route_at(group, route, NULL, 0);
}

#define METHODS(X)                                                                                 \
    X(get, "GET")                                                                                  \
    X(post, "POST")                                                                                \
    X(put, "PUT")                                                                                  \
    X(patch, "PATCH")                                                                              \
    X(delete, "DELETE")

#define REGISTER(name, method)                                                                     \
    int(svc_app_##name)(svc_app * app, const char *pattern, svc_handler *handler, void *arg)       \
    {                                                                                              \
        return svc_app_method_at(app, method, pattern, handler, arg, NULL, 0);                     \
    }                                                                                              \
    int(svc_group_##name)(svc_group * group, const char *pattern, svc_handler *handler, void *arg) \
    {                                                                                              \
        return svc_group_method_at(group, method, pattern, handler, arg, NULL, 0);                 \
    }
METHODS(REGISTER)

/* ---- Metrics without the place where they are registered */

svc_counter_family *(svc_app_counter)(svc_app *app, const svc_metric *metric)
{
    return svc_app_counter_at(app, metric, NULL, 0);
}

svc_gauge_family *(svc_app_gauge)(svc_app *app, const svc_metric *metric)
{
    return svc_app_gauge_at(app, metric, NULL, 0);
}

svc_histogram_family *(svc_app_histogram)(svc_app *app, const svc_metric *metric)
{
    return svc_app_histogram_at(app, metric, NULL, 0);
}

int(svc_app_gauge_fn)(svc_app *app, const svc_metric *metric, double (*read)(void *arg), void *arg)
{
    return svc_app_gauge_fn_at(app, metric, read, arg, NULL, 0);
}

/* ---- Items and places of log lines */

extern inline svc_kv svc_kv_str(const char *key, const char *text);
extern inline svc_kv svc_kv_bytes(const char *key, const void *data, size_t len);
extern inline svc_kv svc_kv_int(const char *key, int64_t number);
extern inline svc_kv svc_kv_uint(const char *key, uint64_t count);
extern inline svc_kv svc_kv_double(const char *key, double real);
extern inline svc_kv svc_kv_bool(const char *key, bool truth);
extern inline svc_kv svc_kv_err(const char *key, int error);
extern inline bool svc_log_wanted(svc_log_site *site);

/* ---- Defaults */

static const svc_cache_policy cache_policy = SVC_CACHE_POLICY_INIT;
static const svc_cache_wish cache_wish = SVC_CACHE_WISH_INIT;
static const svc_compress compress = SVC_COMPRESS_INIT;
static const svc_concurrency concurrency = SVC_CONCURRENCY_INIT;
static const svc_conditional conditional = SVC_CONDITIONAL_INIT;
static const svc_config config = SVC_CONFIG_INIT;
static const svc_cookie cookie = SVC_COOKIE_INIT;
static const svc_decompress decompress = SVC_DECOMPRESS_INIT;
static const svc_events_options events_options = SVC_EVENTS_OPTIONS_INIT;
static const svc_field field = SVC_FIELD_END;
static const svc_file file = SVC_FILE_INIT;
static const svc_files files = SVC_FILES_INIT;
static const svc_form_options form_options = SVC_FORM_OPTIONS_INIT;
static const svc_idempotency idempotency = SVC_IDEMPOTENCY_INIT;
static const svc_memo_options memo_options = SVC_MEMO_OPTIONS_INIT;
static const svc_metric metric = SVC_METRIC_INIT;
static const svc_middleware middleware = SVC_MIDDLEWARE_INIT;
static const svc_multipart_options multipart_options = SVC_MULTIPART_OPTIONS_INIT;
static const svc_offers offers = SVC_OFFERS_INIT;
static const svc_rate_limit rate_limit = SVC_RATE_LIMIT_INIT;
static const svc_response_cache_options response_cache_options = SVC_RESPONSE_CACHE_OPTIONS_INIT;
static const svc_route route = SVC_ROUTE_INIT;
static const svc_setting setting = SVC_SETTING_END;
static const svc_source source = SVC_SOURCE_INIT;
static const svc_task task = SVC_TASK_INIT;
static const svc_test test = SVC_TEST_INIT;
static const svc_topic_options topic_options = SVC_TOPIC_OPTIONS_INIT;
static const svc_validators validators = SVC_VALIDATORS_INIT;

#define DEFAULTS(name)                                                                             \
    {                                                                                              \
        "svc_" #name, &name, sizeof name                                                           \
    }
static const struct {
    const char *name;
    const void *value;
    size_t size;
} all_defaults[] = {DEFAULTS(cache_policy), DEFAULTS(cache_wish),  DEFAULTS(compress),
                    DEFAULTS(concurrency),  DEFAULTS(conditional), DEFAULTS(config),
                    DEFAULTS(cookie),       DEFAULTS(decompress),  DEFAULTS(events_options),
                    DEFAULTS(field),        DEFAULTS(file),        DEFAULTS(files),
                    DEFAULTS(form_options), DEFAULTS(idempotency), DEFAULTS(memo_options),
                    DEFAULTS(metric),       DEFAULTS(middleware),  DEFAULTS(multipart_options),
                    DEFAULTS(offers),       DEFAULTS(rate_limit),  DEFAULTS(response_cache_options),
                    DEFAULTS(route),        DEFAULTS(setting),     DEFAULTS(source),
                    DEFAULTS(task),         DEFAULTS(test),        DEFAULTS(topic_options),
                    DEFAULTS(validators)};

const void *svc_struct_defaults(const char *name, size_t *size)
{
    for (size_t i = 0; i < sizeof all_defaults / sizeof *all_defaults; i++) {
        if (strcmp(name, all_defaults[i].name) != 0)
            continue;
        *size = all_defaults[i].size;
        return all_defaults[i].value;
    }
    return NULL;
}
