/* A service as a process, while its Redis is absent, stopped and killed. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/redis/redis_process.h"
#include "tests/support/client.h"
#include "tests/support/process.h"

enum { CALLS = 4 };

static struct redis_process redis;
static struct process *server;

/* Starts the service; a call waits for a minute, so that none of these tests sees that limit. */
static void start_service(void)
{
    static char store[256];
    const char *settings[] = {store, "SVC_THREADS=1", "SVC_REQUEST_TIMEOUT_MS=120000", NULL};
    snprintf(store, sizeof store, "SVC_STORE=%s", redis.url);
    server = process_start(process_program("server"), settings, NULL);
    cr_assert(server);
}

static void prepare(void)
{
    if (!redis_process_is_there())
        cr_skip_test("redis-server is not installed");
    redis_process_prepare(&redis, false);
}

static void finish(void)
{
    if (server)
        cr_expect_eq(process_stop(server), 0, "the service ends badly");
    process_free(server);
    redis_process_remove(&redis);
}

TestSuite(redis_wire, .init = prepare, .fini = finish);

static struct client *send_get(const char *address, const char *path)
{
    struct client *client = client_connect(address);
    cr_assert(client);
    client_printf(client, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path);
    return client;
}

/* Reads an answer; whether it has the status, and the text in its body. */
static bool is_answered(struct client *client, int status, const char *text)
{
    struct client_reply reply = client_read(client, false);
    bool good = reply.status == status && strstr(reply.body, text);
    if (!good)
        fprintf(stderr, "%d %s\n", reply.status, reply.body);
    client_reply_free(&reply);
    client_close(client);
    return good;
}

static bool is_ready(int status, const char *text)
{
    return is_answered(send_get(process_admin(server), "/readyz"), status, text);
}

static bool becomes_ready(void)
{
    unsigned long until = redis_process_ms() + REDIS_WAIT_MS;
    while (!is_ready(200, "ok store"))
        if (redis_process_ms() > until)
            return false;
    return true;
}

static bool is_quick(void)
{
    return is_answered(send_get(process_address(server, 0), "/quick"), 200, "quick");
}

static void begin_calls(struct client **calls, const char *path)
{
    for (int i = 0; i < CALLS; i++)
        calls[i] = send_get(process_address(server, 0), path);
}

/* Starts the server, and the service, which is ready then. */
static void start_both(void)
{
    redis_process_start(&redis, NULL);
    start_service();
    cr_expect(becomes_ready());
}

static void ask_stopped_server(struct client **on_loop, struct client **on_workers)
{
    redis_process_stop(&redis);
    begin_calls(on_loop, "/loop");
    begin_calls(on_workers, "/worker");
}

static void expect_calls(struct client **calls, int status, const char *text)
{
    for (int i = 0; i < CALLS; i++)
        cr_expect(is_answered(calls[i], status, text));
}

Test(redis_wire, a_service_without_its_server_starts_and_is_not_ready)
{
    start_service();
    cr_expect(process_await_log(server, "redis cannot be asked", PROCESS_WAIT_MS));
    cr_expect(process_await_log(server, "No such file or directory", PROCESS_WAIT_MS));
    cr_expect(is_ready(503, "failed store"));
    cr_expect(is_answered(send_get(process_address(server, 0), "/worker"), 503, "not available"));
    cr_expect(is_answered(send_get(process_address(server, 0), "/loop"), 503, "not available"));
    redis_process_start(&redis, NULL);
    cr_expect(becomes_ready());
    cr_expect(is_answered(send_get(process_address(server, 0), "/worker"), 200, "none"));
    cr_expect(is_answered(send_get(process_address(server, 0), "/loop"), 200, "none"));
}

Test(redis_wire, a_stopped_server_holds_no_loop_and_goes_on_where_it_was)
{
    struct client *on_loop[CALLS], *on_workers[CALLS];
    start_both();
    ask_stopped_server(on_loop, on_workers);
    for (int i = 0; i < 20; i++)
        cr_expect(is_quick());
    kill(redis.pid, SIGCONT);
    expect_calls(on_loop, 200, "none");
    expect_calls(on_workers, 200, "none");
}

Test(redis_wire, a_killed_server_lets_go_of_all_that_wait_for_it)
{
    struct client *on_loop[CALLS], *on_workers[CALLS];
    start_both();
    ask_stopped_server(on_loop, on_workers);
    cr_expect(is_quick());
    redis_process_kill(&redis);
    expect_calls(on_loop, 503, "not available");
    expect_calls(on_workers, 503, "not available");
    redis_process_start(&redis, NULL);
    cr_expect(becomes_ready());
    cr_expect(is_quick());
}

Test(redis_wire, a_service_stops_while_its_server_does_not_answer)
{
    start_both();
    redis_process_stop(&redis);
    cr_expect(is_quick());
}
