/* The backend's promises, on a real server: the conformance suite, and its stored form. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>
#include <svc/redis.h>

#include "tests/conformance/store.h"
#include "tests/redis/redis_process.h"
#include "tests/support/quiet_app.h"

static struct redis_process redis;
static svc_app *app;

static void open_server(void)
{
    if (!redis_process_is_there())
        cr_skip_test("redis-server is not installed");
    redis_process_prepare(&redis, true);
    redis_process_start(&redis, NULL);
}

static void close_server(void)
{
    svc_app_free(app);
    app = NULL;
    redis_process_remove(&redis);
}

TestSuite(redis_store, .init = open_server, .fini = close_server);

static void make_app(void)
{
    svc_config config = quiet_app_config();
    config.log_level = SVC_LEVEL_ERROR;
    app = svc_app_new("test");
    svc_app_configure(app, &config);
    cr_assert_eq(svc_redis_use(app), 0);
}

static svc_store *open_store(const char *url)
{
    make_app();
    cr_assert_not_null(svc_store_open(app, url));
    svc_store *store = svc_test_store(app);
    cr_assert_not_null(store, "%s", svc_app_errors(app));
    return store;
}

static int set_text(svc_store *store, const char *key, const char *text)
{
    svc_store_value value = {text, strlen(text), 0, NULL};
    return svc_store_set(store, NULL, key, &value, 0);
}

static bool has_text(svc_store *store, const char *key, const char *text)
{
    svc_store_value value;
    int error = svc_store_get(store, NULL, key, &value);
    bool same = !error && strcmp(value.data, text) == 0;
    if (!error)
        svc_store_value_free(&value);
    return same;
}

Test(redis_store, a_unix_socket_keeps_the_promises_of_a_store)
{
    make_app();
    cr_expect_eq(svc_store_conformance_both(app, redis.url, stdout), 0);
}

Test(redis_store, a_store_with_a_cache_keeps_the_promises_of_a_store)
{
    char url[256];
    snprintf(url, sizeof url, "%s&cache_mb=8", redis.url);
    make_app();
    cr_expect_eq(svc_store_conformance_both(app, url, stdout), 0);
}

Test(redis_store, tcp_keeps_the_promises_of_a_store)
{
    char url[128];
    snprintf(url, sizeof url, "redis://127.0.0.1:%d/3?namespace=other&" REDIS_PATIENCE, redis.port);
    svc_store *store = open_store(url);
    cr_expect_eq(svc_store_conformance(store, stdout), 0);
}

Test(redis_store, other_readers_see_the_value_before_a_mark_and_a_version)
{
    svc_store *store = open_store(redis.url);
    cr_assert_eq(set_text(store, "greeting", "hello"), 0);
    cr_expect(redis_process_says(&redis, "GETRANGE test:greeting 0 8", "$9\r\nhello"));
    cr_expect(redis_process_says(&redis, "STRLEN test:greeting", ":17"));
    cr_expect(redis_process_says(&redis, "PTTL test:greeting", ":-1"));
}

Test(redis_store, values_that_something_else_has_written_are_read_compared_and_counted)
{
    svc_store *store = open_store(redis.url);
    svc_store_value value;
    cr_expect(redis_process_says(&redis, "SET test:flag on", "+OK"));
    cr_assert_eq(svc_store_get(store, NULL, "flag", &value), 0);
    cr_expect_str_eq(value.data, "on");
    uint64_t version = value.version;
    svc_store_value_free(&value);
    cr_expect(redis_process_says(&redis, "SET test:flag off", "+OK"));
    value = (svc_store_value){"new", 3, version, NULL};
    cr_expect_eq(svc_store_compare_and_set(store, NULL, "flag", &value, 0), SVC_ECONFLICT);
    cr_expect_eq(svc_store_compare_and_delete(store, NULL, "flag", version), SVC_ECONFLICT);
    cr_expect(redis_process_says(&redis, "SET test:flag on", "+OK"));
    cr_expect_eq(svc_store_compare_and_set(store, NULL, "flag", &value, 0), 0);
    cr_expect(has_text(store, "flag", "new"));
    cr_expect_eq(svc_store_compare_and_delete(store, NULL, "flag", value.version), 0);

    uint64_t number;
    cr_expect(redis_process_says(&redis, "SET test:count 0000000041", "+OK"));
    cr_expect_eq(svc_store_increment(store, NULL, "count", 1, 0, &number), 0);
    cr_expect_eq(number, 42);
    cr_expect(redis_process_says(&redis, "SET test:count 9223372036854775808", "+OK"));
    cr_expect_eq(svc_store_increment(store, NULL, "count", 1, 0, &number), SVC_ESYNTAX);
}

Test(redis_store, other_types_and_other_hashes_are_malformed)
{
    svc_store *store = open_store(redis.url);
    const svc_rate_window window = {NULL, 1, 1, 1};
    const svc_store_charge charge = {&window, 1, 1};
    svc_store_verdict verdict;
    svc_store_value value = {"new", 3, 1, NULL};
    cr_expect(redis_process_says(&redis, "HSET test:hash a 1", ":1"));
    cr_expect_eq(svc_store_get(store, NULL, "hash", &value), SVC_ESYNTAX);
    cr_expect_eq(svc_store_compare_and_set(store, NULL, "hash", &value, 0), SVC_ESYNTAX);
    cr_expect_eq(svc_store_increment(store, NULL, "hash", 1, 0, NULL), SVC_ESYNTAX);
    cr_expect_eq(svc_store_limit(store, NULL, "hash", &charge, &verdict), SVC_ESYNTAX);
    cr_expect_eq(svc_store_limit(store, NULL, "limit", &charge, &verdict), 0);
    cr_expect_eq(svc_store_get(store, NULL, "limit", &value), SVC_ESYNTAX);
    cr_expect_eq(set_text(store, "limit", "over it"), 0);
    cr_expect(has_text(store, "limit", "over it"));
}

/* 17 bytes of it are asked for, however long it is. */
Test(redis_store, a_value_over_the_maximum_is_too_big_and_harms_nothing_else)
{
    char url[256], line[32 + 5000];
    svc_store_item items[] = {
        {"short", 0, {0}}, {"long", 0, {0}}, {"absent", 0, {0}}, {"short", 0, {0}}};
    snprintf(url, sizeof url, "%s&max_value=256", redis.url);
    svc_store *store = open_store(url);
    snprintf(line, sizeof line, "SET test:long %05000d", 7);
    cr_expect(redis_process_says(&redis, line, "+OK"));
    cr_expect_eq(set_text(store, "short", "x"), 0);
    cr_expect_eq(svc_store_get_many(store, NULL, items, 4), SVC_ETOOBIG);
    cr_expect_eq(items[0].error, 0);
    cr_expect_eq(items[1].error, SVC_ETOOBIG);
    cr_expect_eq(items[2].error, SVC_ENOTFOUND);
    cr_expect_eq(items[3].error, 0);
    svc_store_value_free(&items[0].value);
    svc_store_value_free(&items[3].value);
}

Test(redis_store, a_script_that_was_flushed_is_sent_again)
{
    svc_store *store = open_store(redis.url);
    uint64_t number = 0;
    for (uint64_t i = 1; i <= 3; i++) {
        cr_expect_eq(svc_store_increment(store, NULL, "count", 1, 0, &number), 0);
        cr_expect_eq(number, i);
        cr_expect(redis_process_says(&redis, "SCRIPT FLUSH", "+OK"));
    }
}

Test(redis_store, a_limit_is_a_hash_that_ends_when_it_says_nothing_any_more)
{
    svc_store *store = open_store(redis.url);
    char reply[32];
    const svc_rate_window windows[] = {{NULL, 3, 60, 0}, {NULL, 1, 1, 5}};
    const svc_store_charge charge = {windows, 2, 1}, other = {windows, 1, 1};
    svc_store_verdict verdict;
    cr_assert_eq(svc_store_limit(store, NULL, "limit", &charge, &verdict), 0);
    cr_expect(redis_process_says(&redis, "HGET test:limit 3/60000000/3", "$1\r\n1"));
    cr_expect(redis_process_says(&redis, "HLEN test:limit", ":3"));
    cr_assert(redis_process_ask(&redis, "PTTL test:limit", reply, sizeof reply));
    cr_expect(atoi(reply + 1) > 0 && atoi(reply + 1) <= 20001, "%s", reply);
    cr_assert_eq(svc_store_limit(store, NULL, "limit", &other, &verdict), 0);
    cr_expect_eq(verdict.quotas[0].remaining, 1, "the window that is the same goes on");
    cr_expect(redis_process_says(&redis, "HLEN test:limit", ":2"));
}
