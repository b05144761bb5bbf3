/*
 * Gets that are answered by the cache, on a real server. The server counts the commands that it was
 * sent, so it says which gets were not. No test depends on the machine's speed: a get that begins
 * later than the bound after a change was confirmed must see it.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/redis/redis_cache.h"
#include "tests/redis/redis_app.h"
#include "tests/redis/redis_process.h"

enum { TICK_MS = 12, WRITES = 200 };

#define EACH_WAY (enum redis_way way = WAITING; way < WAYS; way++)

static struct redis_process redis;

static void prepare(void)
{
    static const char *const arguments[] = {"--tracking-table-max-keys", "1",
                                            "--enable-debug-command", "local", NULL};
    if (!redis_process_is_there())
        cr_skip_test("redis-server is not installed");
    redis_process_prepare(&redis, false);
    redis_process_start(&redis, arguments);
}

static void finish(void)
{
    redis_app_free();
    redis_process_remove(&redis);
}

TestSuite(redis_cached, .init = prepare, .fini = finish);

static void start_app(const char *params)
{
    char url[256];
    snprintf(url, sizeof url, "redis+unix:%s?cache_mb=1&max_value=100000%s", redis.socket, params);
    redis_app_make(url);
    cr_assert_not_null(redis_app_start());
}

static void tell_server(const char *line)
{
    cr_assert(redis_process_says(&redis, line, "+OK"), "%s", line);
}

/* How many gets the server was sent. */
static int count_sent(void)
{
    char info[65536];
    int count = 0;
    cr_assert(redis_process_ask(&redis, "INFO commandstats", info, sizeof info));
    const char *line = strstr(info, "cmdstat_getrange:calls=");
    if (line)
        sscanf(line, "cmdstat_getrange:calls=%d", &count);
    return count;
}

/* Whether the key is kept: its next get is not sent. */
static bool is_kept(enum redis_way way, const char *key)
{
    int sent = count_sent();
    (void)redis_app_get(way, key);
    return count_sent() == sent;
}

static bool becomes_kept(enum redis_way way, const char *key)
{
    unsigned long until = redis_process_ms() + REDIS_WAIT_MS;
    while (!is_kept(way, key)) {
        if (redis_process_ms() > until)
            return false;
        redis_process_rest();
    }
    return true;
}

/* Whether gets have the error, and the value unless that is NULL, at the latest if they begin
 * `bound_ms` from now. */
static bool is_seen_within(unsigned long bound_ms, enum redis_way way, int error, const char *text)
{
    unsigned long changed_ms = redis_process_ms();
    for (;;) {
        unsigned long begun_ms = redis_process_ms();
        int got = redis_app_get(way, "key");
        if (got == error && (!text || !strcmp(redis_app_value(), text)))
            return true;
        if (begun_ms > changed_ms + bound_ms)
            return false;
        redis_process_rest();
    }
}

static bool is_seen(enum redis_way way, int error, const char *text)
{
    return is_seen_within(REDIS_CACHE_BOUND_MS, way, error, text);
}

Test(redis_cached, gets_of_a_kept_key_are_not_sent)
{
    start_app("&" REDIS_PATIENCE);
    tell_server("SET test:key one");
    for
        EACH_WAY
        {
            cr_assert(becomes_kept(way, "key"));
            cr_expect_eq(redis_app_get(way, "key"), 0);
            cr_expect_str_eq(redis_app_value(), "one");
            cr_assert(becomes_kept(way, "absent"));
            cr_expect_eq(redis_app_get(way, "absent"), SVC_ENOTFOUND);
        }
}

/* What one way has kept, once the other finds it. On a busy machine the cache may lose its trust in
 * between, and with it what it has kept. */
Test(redis_cached, both_ways_share_what_is_kept)
{
    unsigned long until = redis_process_ms() + REDIS_WAIT_MS;
    char key[16];
    bool shared = false;
    start_app("&" REDIS_PATIENCE);
    for (int i = 0; !shared && redis_process_ms() < until; i++) {
        snprintf(key, sizeof key, "key/%d", i);
        cr_assert(becomes_kept(WAITING, key));
        shared = is_kept(ON_LOOP, key);
    }
    cr_expect(shared);
}

Test(redis_cached, without_the_parameter_each_get_is_sent)
{
    redis_app_make(redis.url);
    cr_assert_not_null(redis_app_start());
    for
        EACH_WAY
        {
            cr_expect_eq(redis_app_get(way, "key"), SVC_ENOTFOUND);
            cr_expect_not(is_kept(way, "key"));
        }
}

/* Both ways by turns. */
static enum redis_way way_of(int turn)
{
    return turn % 2 ? ON_LOOP : WAITING;
}

Test(redis_cached, what_another_client_changes_is_seen_within_the_bound)
{
    char line[64], text[16];
    start_app("&" REDIS_PATIENCE);
    for (int i = 0; i < 20; i++) {
        enum redis_way way = way_of(i);
        snprintf(line, sizeof line, "SET test:key v%d", i);
        snprintf(text, sizeof text, "v%d", i);
        tell_server(line);
        cr_assert(is_seen(way, 0, text), "%s", text);
        cr_assert(becomes_kept(way, "key"));
    }
    cr_expect(redis_process_says(&redis, "DEL test:key", ":1"));
    cr_expect(is_seen(WAITING, SVC_ENOTFOUND, NULL));
}

/* Its announcement names no key. */
Test(redis_cached, a_flush_is_seen_within_the_bound)
{
    start_app("&" REDIS_PATIENCE);
    for
        EACH_WAY
        {
            tell_server("SET test:key one");
            cr_assert(is_seen(way, 0, "one"));
            cr_assert(becomes_kept(way, "key"));
            tell_server("FLUSHALL");
            cr_expect(is_seen(way, SVC_ENOTFOUND, NULL));
        }
}

/* Many at once: they come as one announcement. */
Test(redis_cached, changes_of_a_transaction_are_seen_within_the_bound)
{
    start_app("&" REDIS_PATIENCE);
    tell_server("MSET test:key one test:a 1 test:b 2");
    cr_assert(is_seen(WAITING, 0, "one"));
    cr_assert(becomes_kept(WAITING, "key"));
    tell_server("MSET test:a 2 test:b 3 test:key two test:c 4 other:x 1");
    cr_expect(is_seen(WAITING, 0, "two"));
}

Test(redis_cached, own_writes_are_seen_at_once)
{
    char text[24];
    start_app("&" REDIS_PATIENCE);
    for (int i = 1; i <= WRITES; i++) {
        enum redis_way way = way_of(i), other = way_of(i / 2);
        cr_assert_eq(redis_app_increment(way, "key"), 0);
        cr_assert_eq(redis_app_get(other, "key"), 0);
        snprintf(text, sizeof text, "%d", i);
        cr_assert_str_eq(redis_app_value(), text);
    }
    cr_assert_eq(redis_app_set(ON_LOOP, "key"), 0);
    cr_assert_eq(redis_app_get(WAITING, "key"), 0);
    cr_expect_str_eq(redis_app_value(), "x");
}

Test(redis_cached, a_lost_connection_of_announcements_is_replaced)
{
    start_app("&" REDIS_PATIENCE);
    tell_server("SET test:key one");
    for
        EACH_WAY
        {
            cr_assert(becomes_kept(way, "key"));
            cr_expect(redis_process_says(&redis, "CLIENT KILL TYPE pubsub", ":1"));
            tell_server("SET test:key two");
            cr_expect(is_seen(way, 0, "two"));
            cr_assert(becomes_kept(way, "key"));
            cr_expect_str_eq(redis_app_value(), "two");
            tell_server("SET test:key one");
            cr_expect(is_seen(way, 0, "one"), "changes are announced again");
        }
}

Test(redis_cached, a_server_that_was_started_again_is_empty)
{
    start_app("&" REDIS_PATIENCE);
    tell_server("SET test:key one");
    cr_assert(is_seen(ON_LOOP, 0, "one"));
    cr_assert(becomes_kept(ON_LOOP, "key"));
    redis_process_kill(&redis);
    redis_process_start(&redis, NULL);
    for
        EACH_WAY
        {
            cr_expect(redis_app_becomes(way, SVC_ENOTFOUND));
            cr_expect(becomes_kept(way, "key"));
        }
}

/* While it stands still, nothing is announced, and another client may have changed the key before
 * it stood: the last answered PING bounds how long a value is used. */
Test(redis_cached, no_value_is_used_beyond_the_bound_when_the_server_stands_still)
{
    start_app("&timeout_ms=100&connect_timeout_ms=100");
    tell_server("SET test:key one");
    cr_assert(is_seen(WAITING, 0, "one"));
    cr_assert(becomes_kept(WAITING, "key"));
    redis_process_stop(&redis);
    unsigned long stopped_ms = redis_process_ms();
    for (;;) {
        unsigned long begun_ms = redis_process_ms();
        if (redis_app_get(WAITING, "key"))
            break;
        cr_assert_leq(begun_ms, stopped_ms + REDIS_CACHE_BOUND_MS);
        redis_process_rest();
    }
    kill(redis.pid, SIGCONT);
    cr_expect(redis_app_becomes(WAITING, 0));
}

/* Sets the key for a time until a get has seen it. */
static void set_for_a_time(enum redis_way way)
{
    unsigned long until = redis_process_ms() + REDIS_WAIT_MS;
    do {
        cr_assert_leq(redis_process_ms(), until);
        tell_server("SET test:key one PX 1000");
    } while (redis_app_get(way, "key") || strcmp(redis_app_value(), "one") != 0);
}

/* The server does not remove it, and announces nothing. */
Test(redis_cached, a_value_ends_with_its_time_to_live)
{
    start_app("&" REDIS_PATIENCE);
    tell_server("DEBUG SET-ACTIVE-EXPIRE 0");
    for
        EACH_WAY
        {
            cr_assert(becomes_kept(way, "absent"));
            set_for_a_time(way);
            cr_expect(is_seen_within(1000 + TICK_MS, way, SVC_ENOTFOUND, NULL));
        }
}

/* Of the announcements, that is; values are read all the same. */
Test(redis_cached, a_user_without_the_right_reads_without_a_cache)
{
    char url[256];
    tell_server("ACL SETUSER reader on >pw ~* +@all -client &none");
    snprintf(url, sizeof url, "redis+unix://reader:pw@%s?cache_mb=1&" REDIS_PATIENCE, redis.socket);
    redis_app_make(url);
    cr_assert_not_null(redis_app_start());
    cr_assert(redis_app_logs("redis has refused a command NOPERM"));
    for
        EACH_WAY
        {
            cr_expect_eq(redis_app_get(way, "key"), SVC_ENOTFOUND);
            cr_expect_not(is_kept(way, "key"));
        }
}
