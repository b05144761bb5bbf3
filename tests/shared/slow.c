/*
 * A service with one event loop, whose store's server is well but slow. That neither the loop nor a
 * thread is held is seen by order, not by time: the proxy before the server knows how many of its
 * replies have been passed on when an answer comes.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/shared/instances.h"
#include "tests/support/client.h"
#include "tests/support/memcached_servers.h"
#include "tests/support/slow_proxy.h"
#ifdef WITH_REDIS
#include "tests/redis/redis_process.h"
#endif

enum { CALLS = 8, NEVER_MS = 3600000, SLOW_MS = 50, TRIES = 10000 };

static struct slow_proxy *proxy;
static struct process *service;

#ifdef WITH_REDIS
static struct redis_process redis;
#endif

static void finish(void)
{
    if (service)
        cr_expect_eq(process_stop(service), 0, "the service ends badly");
    process_free(service);
    slow_proxy_end(proxy);
#ifdef WITH_REDIS
    if (redis.folder[0])
        redis_process_remove(&redis);
#endif
    memcached_servers_end();
}

TestSuite(shared_slow, .fini = finish);

/* ---- The server, the proxy before it, and the service */

static const char *start_redis(void)
{
#ifdef WITH_REDIS
    if (!redis_process_is_there())
        cr_skip_test("redis-server is not installed");
    redis_process_prepare(&redis, false);
    redis_process_start(&redis, NULL);
    return redis.socket;
#else
    cr_skip_test("libsvc-redis was not built");
    return "";
#endif
}

static const char *start_memcached(void)
{
    if (!memcached_servers_exist())
        cr_skip_test("memcached is not installed");
    cr_assert(memcached_servers_begin());
    cr_assert(memcached_servers_start(0, NULL, NULL));
    return memcached_servers_path(0);
}

/* A call waits for `timeout_ms`, and nothing else has a limit that the tests see. */
static void start_service(enum instances_store on, const char *timeout_ms)
{
    static char url[512], path[128];
    const char *const settings[] = {url, "SVC_THREADS=1", "SVC_REQUEST_TIMEOUT_MS=120000", NULL};
    const char *server = on == ON_REDIS ? start_redis() : start_memcached();
    snprintf(path, sizeof path, "%s.slow", server);
    proxy = slow_proxy_start(path, server, 0);
    if (on == ON_REDIS)
        snprintf(url, sizeof url, "SVC_STORE=redis+unix:%s?timeout_ms=%s&connect_timeout_ms=60000",
                 path, timeout_ms);
    else
        snprintf(url, sizeof url,
                 "SVC_STORE=memcached://%s?timeout_ms=%s&connect_ms=60000&answer_ms=60000", path,
                 timeout_ms);
    service = process_start(process_program("server_store"), settings, NULL);
    cr_assert(service);
}

/* ---- Requests */

static struct client *send_request(const char *method, const char *path)
{
    struct client *client = client_connect(process_address(service, 0));
    cr_assert(client);
    client_printf(client, "%s %s HTTP/1.1\r\nHost: h\r\n\r\n", method, path);
    return client;
}

/* Reads an answer; its status, or 0 for a 200 whose body is another one than `text`. */
static int take_answer(struct client *client, const char *text)
{
    struct client_reply reply = client_read(client, false);
    int status = reply.status == 200 && strcmp(reply.body, text) != 0 ? 0 : reply.status;
    client_reply_free(&reply);
    client_close(client);
    return status;
}

static void store_keys(void)
{
    char path[32];
    for (int i = 0; i < CALLS; i++) {
        int status = 503, tries = 0;
        snprintf(path, sizeof path, "/worker/%d", i);
        while (status == 503 && tries++ < TRIES)
            status = take_answer(send_request("PUT", path), "");
        cr_assert_eq(status, 204);
    }
}

struct calls {
    struct client *clients[2 * CALLS]; /* on the loop and on workers by turns */
};

static struct calls begin_calls(void)
{
    struct calls calls;
    char path[32];
    for (int i = 0; i < 2 * CALLS; i++) {
        snprintf(path, sizeof path, "/%s/%d", i % 2 ? "worker" : "loop", i / 2);
        calls.clients[i] = send_request("GET", path);
    }
    return calls;
}

/* How many of the calls have ended with a status; a value of another key is none. */
static int end_calls(const struct calls *calls, int status)
{
    char text[16];
    int count = 0;
    for (int i = 0; i < 2 * CALLS; i++) {
        snprintf(text, sizeof text, "%d", i / 2);
        count += take_answer(calls->clients[i], text) == status;
    }
    return count;
}

static void expect_quick(void)
{
    for (int i = 0; i < 20; i++)
        cr_expect_eq(take_answer(send_request("GET", "/quick"), "quick"), 200);
}

/* ---- Tests */

/* Beside calls that wait, other requests are answered; and calls are answered when the server's
 * replies come, whether all at once or each after 50 ms. */
static void expect_waits_hold_nothing(enum instances_store on)
{
    start_service(on, "60000");
    store_keys();
    struct calls warm = begin_calls(); /* so that connections are there */
    cr_expect_eq(end_calls(&warm, 200), 2 * CALLS);
    slow_proxy_set_delay(proxy, NEVER_MS);
    unsigned replied = slow_proxy_replied(proxy);
    struct calls calls = begin_calls();
    expect_quick();
    cr_expect_eq(slow_proxy_replied(proxy), replied, "the calls wait still");
    slow_proxy_set_delay(proxy, SLOW_MS);
    cr_expect_eq(end_calls(&calls, 200), 2 * CALLS);
    for (int i = 0; i < 3; i++) {
        calls = begin_calls();
        expect_quick();
        cr_expect_eq(end_calls(&calls, 200), 2 * CALLS);
    }
}

/* Calls end at their deadline and not with the server's reply, which later comes to nobody. */
static void expect_deadlines_hold(enum instances_store on)
{
    start_service(on, "200");
    store_keys();
    slow_proxy_set_delay(proxy, NEVER_MS);
    unsigned replied = slow_proxy_replied(proxy);
    for (int i = 0; i < 3; i++) {
        struct calls calls = begin_calls();
        expect_quick();
        cr_expect_eq(end_calls(&calls, 503), 2 * CALLS);
    }
    cr_expect_eq(slow_proxy_replied(proxy), replied, "no reply has ended a call");
    slow_proxy_set_delay(proxy, 0);
    store_keys();
    int answered = 0;
    for (int i = 0; i < TRIES && answered < 2 * CALLS; i++) {
        struct calls calls = begin_calls();
        answered = end_calls(&calls, 200);
    }
    cr_expect_eq(answered, 2 * CALLS);
    struct calls wrong = begin_calls();
    cr_expect_eq(end_calls(&wrong, 0), 0, "no call has the value of another");
}

Test(shared_slow, calls_that_wait_for_redis_hold_no_loop)
{
    expect_waits_hold_nothing(ON_REDIS);
}

Test(shared_slow, calls_that_wait_for_memcached_hold_no_loop)
{
    expect_waits_hold_nothing(ON_MEMCACHED);
}

Test(shared_slow, a_slow_redis_holds_no_call_beyond_its_deadline)
{
    expect_deadlines_hold(ON_REDIS);
}

Test(shared_slow, a_slow_memcached_holds_no_call_beyond_its_deadline)
{
    expect_deadlines_hold(ON_MEMCACHED);
}
