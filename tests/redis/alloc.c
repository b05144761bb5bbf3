/*
 * A store on Redis survives its n-th allocation failing, for n from the first to the last: the
 * start fails, or calls give an error or their answer, and what a call has stored is not another
 * value.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>
#include <svc/redis.h>

#include "tests/redis/redis_process.h"
#include "tests/support/starve.h"

enum { MAX_ALLOCATIONS = 10000 };

static svc_store *store;
static int answered;
static svc_pending *pending;

static void take_answer(const svc_store_answer *answer, void *arg)
{
    (void)arg;
    answered = answer->error;
    svc_response *res = svc_response_new();
    svc_response_text(res, 200, "answered");
    svc_pending_complete(pending, res);
    svc_pending_unref(pending);
}

static int increment_on_loop(svc_request *req, svc_response *res)
{
    (void)res;
    pending = svc_request_defer(req, NULL, NULL);
    if (!pending)
        return SVC_ENOMEM;
    int error = svc_store_increment_then(store, NULL, "count", 1, 0, take_answer, NULL);
    if (error)
        svc_pending_unref(pending);
    return error;
}

/* The error of a get; `*same`: it has read no other value. */
static int read_value(bool *same)
{
    svc_store_value read = {0};
    int error = svc_store_get(store, NULL, "key", &read);
    *same = error || (read.len == 5 && !memcmp(read.data, "value", 5));
    svc_store_value_free(&read);
    return error;
}

/* Whether the calls went as they may. `*whole`: as if nothing had failed. */
static bool make_calls(svc_app *app, bool *whole)
{
    svc_store_value value = {"value", 5, 0, NULL};
    bool same, same_again;
    answered = SVC_ENOMEM;
    int set = svc_store_set(store, NULL, "key", &value, 0);
    int got = read_value(&same), got_again = read_value(&same_again);
    svc_reply *reply = svc_app_test_get(app, "/count");
    bool on_loop = svc_reply_status(reply) == 200 && !answered;
    svc_reply_free(reply);
    *whole = !set && !got && !got_again && on_loop;
    return same && same_again;
}

static bool serve(const char *url, bool *whole)
{
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = 0;
    config.log_level = SVC_LEVEL_ERROR;
    svc_app *app = svc_app_new("starved");
    svc_app_configure(app, &config);
    svc_redis_use(app);
    store = svc_store_open(app, url);
    svc_app_get(app, "/count", increment_on_loop, NULL);
    bool good = true;
    *whole = false;
    if (svc_test_store(app))
        good = make_calls(app, whole);
    svc_app_free(app);
    return good;
}

/* Whether all goes well with each allocation failing in its turn. */
static bool serve_starved(const char *url)
{
    bool failed = true, good = true, whole = false;
    int n = 0;
    for (; failed && good && n < MAX_ALLOCATIONS; n++) {
        starve_after(n);
        good = serve(url, &whole);
        failed = starve_end();
        if (!good)
            printf("allocation %d: a call has another answer\n", n);
    }
    printf("%d allocations\n", n);
    return good && !failed && whole;
}

int main(void)
{
    struct redis_process redis;
    char url[128], cached[192];
    if (!redis_process_is_there()) {
        puts("SKIP: redis-server is not installed");
        return 77;
    }
    redis_process_prepare(&redis, false);
    redis_process_start(&redis, NULL);
    snprintf(url, sizeof url, "redis+unix:%s", redis.socket);
    snprintf(cached, sizeof cached, "%s?cache_mb=1", url);
    bool good = serve_starved(url) && serve_starved(cached);
    redis_process_remove(&redis);
    return !good;
}
