/*
 * A service that has all that the row "Stores and caches" of the dashboard shows: a memo, limits
 * and idempotency keys in the store that SVC_STORE names, values in memory, messages between
 * instances, and a response cache; and a handler on a worker.
 */
#include <string.h>

#include <svc.h>
#include <svc/redis.h>

static svc_memo *squares;
static svc_store *own; /* in memory */
static svc_channel *news;

static int load_square(svc_memo_load *load, const char *key, void *arg)
{
    (void)arg;
    return svc_memo_load_value(load, key, strlen(key));
}

static int get_square(svc_request *req, svc_response *res)
{
    svc_store_value value;
    const char *key = svc_request_param(req, "key");
    int error = svc_memo_get(squares, req, key, load_square, NULL, &value);
    if (!error)
        error = svc_store_set(own, req, key, &value, 1000);
    if (!error)
        error = svc_channel_publish(news, req, key, strlen(key));
    return error ? error : svc_response_copy(res, 200, "text/plain", value.data, value.len);
}

static int get_page(svc_request *req, svc_response *res)
{
    svc_cache_policy policy = SVC_CACHE_POLICY_INIT;
    (void)req;
    policy.max_age_s = 1;
    svc_response_set_cache_control(res, &policy);
    return svc_response_text(res, 200, "a page");
}

static int make_order(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_empty(res, 204);
}

static void take_news(const void *data, size_t len, void *arg)
{
    (void)data, (void)len, (void)arg;
}

static void take_gap(void *arg)
{
    (void)arg;
}

static void add_layers(svc_app *app, svc_store *shared)
{
    svc_rate_limit limit = SVC_RATE_LIMIT_INIT;
    limit.rate = 1000000;
    limit.store = shared;
    svc_app_use(app, svc_rate_limit_new(app, &limit));
    svc_idempotency keys = SVC_IDEMPOTENCY_INIT;
    keys.store = shared;
    keys.flags = SVC_IDEMPOTENCY_SHARED;
    svc_app_use(app, svc_idempotency_new(app, &keys));
    svc_app_use(app, svc_response_cache_layer(svc_response_cache_new(app, NULL)));
}

int main(int argc, char **argv)
{
    svc_app *app = svc_app_new("stores");
    svc_redis_use(app);
    svc_store *shared = svc_store_open(app, NULL);
    own = svc_store_open(app, "memory:");
    svc_memo_options options = SVC_MEMO_OPTIONS_INIT;
    options.name = "squares";
    options.ttl_ms = 1000;
    squares = svc_memo_new(app, shared, &options);
    news = svc_channel_open(app, shared, "news", take_news, take_gap, NULL);
    add_layers(app, shared);
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "GET /squares/{key}";
    route.handler = get_square;
    route.flags = SVC_BLOCKING;
    svc_app_route(app, &route);
    svc_app_get(app, "/page", get_page, NULL);
    svc_app_post(app, "/orders", make_order, NULL);
    return svc_app_main(app, argc, argv);
}
