/* Calls on the loop are made by a route, whose request is answered by their answers. */
#include "tests/redis/redis_app.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc/test.h>

#include "tests/redis/redis_process.h"

enum kind { GET, SET, INCREMENT };

static svc_app *app;
static svc_store *store;
static char value_read[256];
static char lines[65536];
static size_t lines_len;
static pthread_mutex_t lines_lock = PTHREAD_MUTEX_INITIALIZER;

/* The call that the route makes. */
static struct {
    enum kind kind;
    const char *const *keys;
    int count, left, found, error;
    svc_pending *pending;
} wanted;

static void keep_text(const char *text, size_t len)
{
    if (lines_len + len + 2 > sizeof lines)
        return;
    memcpy(lines + lines_len, text, len);
    lines_len += len;
    lines[lines_len++] = ' ';
    lines[lines_len] = '\0';
}

static bool keep_line(const svc_log_record *record, void *arg)
{
    (void)arg;
    pthread_mutex_lock(&lines_lock);
    keep_text(record->message, strlen(record->message));
    for (const svc_kv *item = record->items; item && item->key; item++)
        if (item->kind == SVC_KV_STR && item->value.text)
            keep_text(item->value.text, item->len);
    pthread_mutex_unlock(&lines_lock);
    return true;
}

bool redis_app_has_logged(const char *text)
{
    pthread_mutex_lock(&lines_lock);
    bool has = strstr(lines, text);
    pthread_mutex_unlock(&lines_lock);
    return has;
}

bool redis_app_logs(const char *text)
{
    unsigned long until = redis_process_ms() + REDIS_WAIT_MS;
    while (!redis_app_has_logged(text)) {
        if (redis_process_ms() > until)
            return false;
        redis_process_rest();
    }
    return true;
}

/* ---- On the loop */

static void keep_value(const svc_store_value *value)
{
    snprintf(value_read, sizeof value_read, "%.*s", (int)value->len, (const char *)value->data);
}

static void take_answer(const svc_store_answer *answer, void *arg)
{
    (void)arg;
    wanted.error = answer->error;
    wanted.found += !answer->error;
    if (!answer->error && wanted.kind == GET)
        keep_value(&answer->value);
    if (--wanted.left > 0)
        return;
    svc_response *res = svc_response_new();
    svc_response_text(res, 200, "done");
    svc_pending_complete(wanted.pending, res);
    svc_pending_unref(wanted.pending);
}

static int begin_calls(svc_request *req, svc_response *res)
{
    const svc_store_value value = {"x", 1, 0, NULL};
    int error = 0;
    (void)res;
    wanted.left = wanted.count;
    wanted.pending = svc_request_defer(req, NULL, NULL);
    for (int i = 0; i < wanted.count && !error; i++)
        error =
            wanted.kind == GET ? svc_store_get_then(store, NULL, wanted.keys[i], take_answer, NULL)
            : wanted.kind == SET
                ? svc_store_set_then(store, NULL, wanted.keys[i], &value, 0, take_answer, NULL)
                : svc_store_increment_then(store, NULL, wanted.keys[i], 1, 0, take_answer, NULL);
    if (error)
        abort();
    return 0;
}

static int run_on_loop(enum kind kind, const char *const *keys, int count)
{
    wanted.kind = kind;
    wanted.keys = keys;
    wanted.count = count;
    wanted.found = 0;
    svc_reply *reply = svc_app_test_get(app, "/calls");
    if (svc_reply_status(reply) != 200)
        abort();
    svc_reply_free(reply);
    return wanted.error;
}

/* ---- Calls */

static int run_waiting(enum kind kind, const char *key)
{
    svc_store_value value = {"x", 1, 0, NULL};
    if (kind == SET)
        return svc_store_set(store, NULL, key, &value, 0);
    if (kind == INCREMENT)
        return svc_store_increment(store, NULL, key, 1, 0, NULL);
    int error = svc_store_get(store, NULL, key, &value);
    if (!error) {
        keep_value(&value);
        svc_store_value_free(&value);
    }
    return error;
}

static int run_either(enum redis_way way, enum kind kind, const char *key)
{
    return way == WAITING ? run_waiting(kind, key) : run_on_loop(kind, &key, 1);
}

int redis_app_get(enum redis_way way, const char *key)
{
    return run_either(way, GET, key);
}

int redis_app_set(enum redis_way way, const char *key)
{
    return run_either(way, SET, key);
}

int redis_app_increment(enum redis_way way, const char *key)
{
    return run_either(way, INCREMENT, key);
}

int redis_app_get_three(const char *const *keys)
{
    (void)run_on_loop(GET, keys, 3);
    return wanted.found;
}

const char *redis_app_value(void)
{
    return value_read;
}

bool redis_app_becomes(enum redis_way way, int error)
{
    unsigned long until = redis_process_ms() + REDIS_WAIT_MS;
    while (redis_app_get(way, "key") != error) {
        if (redis_process_ms() > until)
            return false;
        redis_process_rest();
    }
    return true;
}

/* ---- The app */

svc_app *redis_app_make(const char *url)
{
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = 0;
    config.log_repeat_per_s = 0;
    app = svc_app_new("test");
    svc_app_configure(app, &config);
    svc_app_set_log_sink(app, keep_line, NULL);
    svc_redis_use(app);
    store = svc_store_open(app, url);
    svc_app_get(app, "/calls", begin_calls, NULL);
    return app;
}

svc_store *redis_app_start(void)
{
    return svc_test_store(app);
}

void redis_app_free(void)
{
    svc_app_free(app);
    app = NULL;
}
