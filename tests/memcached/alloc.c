/*
 * A store on memcached survives its n-th allocation failing, for n from the first to the last: its
 * set-up fails, or each of its calls gives its result or an error, from a thread that waits and
 * from an event loop.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>
#include <svc/memcached.h>

#include "tests/support/memcached_servers.h"
#include "tests/support/starve.h"

enum { MAX_ALLOCATIONS = 10000, MANY = 20, SKIPPED = 77 };

static svc_store *store;
static svc_memo *memo;
static int good_answers;

static bool may_fail(int error)
{
    good_answers += error == 0 || error == SVC_ENOTFOUND;
    return error == 0 || error == SVC_ENOTFOUND || error == SVC_ENOMEM || error == SVC_ECONFLICT ||
           error == SVC_EUNAVAILABLE || error == SVC_ETIMEDOUT || error == SVC_ESTATE;
}

static void take_answer(const svc_store_answer *answer, void *arg)
{
    svc_response *res = svc_response_new();
    svc_response_empty(res, may_fail(answer->error) ? 204 : 500);
    (void)svc_pending_complete(arg, res);
    svc_pending_unref(arg);
}

static int get_key(svc_request *req, svc_response *res)
{
    svc_pending *pending = svc_request_defer(req, NULL, NULL);
    (void)res;
    int error = svc_store_get_then(store, req, "key", take_answer, pending);
    if (error)
        svc_pending_unref(pending);
    return error;
}

static int load_value(svc_memo_load *load, const char *key, void *arg)
{
    (void)arg;
    return svc_memo_load_value(load, key, 3);
}

static bool lease_both(void)
{
    svc_store_value lease = {0}, loaded = {0};
    bool good = may_fail(svc_store_lease(store, NULL, "leased", 60000, &lease));
    good &= may_fail(svc_store_delete(store, NULL, "leased"));
    good &= may_fail(svc_memo_forget(memo, NULL, "key"));
    good &= may_fail(svc_memo_get(memo, NULL, "key", load_value, NULL, &loaded));
    svc_store_value_free(&lease);
    svc_store_value_free(&loaded);
    return good;
}

static bool call_all(void)
{
    static const svc_rate_window window = {NULL, 1000, 1, 1000};
    static const svc_store_charge charge = {&window, 1, 1};
    static svc_store_item items[MANY];
    svc_store_value value = {"value", 5, 0, NULL};
    svc_store_verdict verdict;
    bool good = may_fail(svc_store_set(store, NULL, "key", &value, 0));
    good &= may_fail(svc_store_get(store, NULL, "key", &value));
    svc_store_value_free(&value);
    good &= may_fail(svc_store_increment(store, NULL, "number", UINT64_C(1) << 33, 0, NULL));
    good &= may_fail(svc_store_delete(store, NULL, "number"));
    good &= may_fail(svc_store_limit(store, NULL, "limit", &charge, &verdict));
    for (int i = 0; i < MANY; i++)
        items[i].key = "key";
    good &= may_fail(svc_store_get_many(store, NULL, items, MANY));
    for (int i = 0; i < MANY; i++)
        svc_store_value_free(&items[i].value);
    return lease_both() && good;
}

/* Whether all went as it may. `*whole`: as if nothing had failed. */
static bool serve(bool *whole)
{
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = 0;
    good_answers = 0;
    svc_app *app = svc_app_new("starved");
    svc_app_configure(app, &config);
    (void)svc_memcached_use(app);
    store = svc_store_open(app, memcached_servers_url(2, "?timeout_ms=60000&connect_ms=60000"
                                                         "&answer_ms=60000&retry_ms=1"));
    svc_memo_options options = SVC_MEMO_OPTIONS_INIT;
    options.name = "memo";
    memo = svc_memo_new(app, store, &options);
    svc_app_get(app, "/", get_key, NULL);
    bool good = call_all();
    svc_reply *reply = svc_app_test_get(app, "/");
    good &= call_all();
    *whole = svc_reply_status(reply) == 204 && good_answers == 11;
    svc_reply_free(reply);
    svc_app_free(app);
    return good;
}

int main(void)
{
    bool whole = false, good;
    int n = 0;
    if (!memcached_servers_exist()) {
        puts("SKIP: memcached is not installed");
        return SKIPPED;
    }
    good = memcached_servers_begin() && memcached_servers_start(0, NULL, NULL) &&
           memcached_servers_start(1, NULL, NULL);
    for (; good && n < MAX_ALLOCATIONS; n++) {
        starve_after(n);
        good = serve(&whole);
        if (!starve_end())
            break;
        if (!good)
            printf("WRONG where allocation %d fails\n", n);
    }
    memcached_servers_end();
    printf("%d allocations, %d good answers at the end\n", n, good_answers);
    return good && whole && n > 50 ? 0 : 1;
}
