/* Starting and ending instances, and the server of their store. */
#include "tests/shared/instances.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/memcached_servers.h"
#ifdef WITH_REDIS
#include "tests/redis/redis_process.h"
#endif

struct process *instances[INSTANCES];

#ifdef WITH_REDIS
static struct redis_process redis;

static const char *start_redis(void)
{
    if (!redis_process_is_there())
        cr_skip_test("redis-server is not installed");
    redis_process_prepare(&redis, false);
    redis_process_start(&redis, NULL);
    return redis.url;
}

static void end_redis(void)
{
    if (redis.folder[0])
        redis_process_remove(&redis);
}

void instances_kill_redis(void)
{
    redis_process_kill(&redis);
}

long instances_ask_redis(const char *line)
{
    char reply[64];
    bool asked = redis_process_ask(&redis, line, reply, sizeof reply);
    return asked && reply[0] == ':' ? strtol(reply + 1, NULL, 10) : -1;
}
#else
static const char *start_redis(void)
{
    cr_skip_test("libsvc-redis was not built");
    return NULL;
}

static void end_redis(void)
{
}

void instances_kill_redis(void)
{
}

long instances_ask_redis(const char *line)
{
    (void)line;
    return -1;
}
#endif

static const char *start_memcached(void)
{
    if (!memcached_servers_exist())
        cr_skip_test("memcached is not installed");
    cr_assert(memcached_servers_begin());
    cr_assert(memcached_servers_start(0, NULL, NULL));
    return memcached_servers_url(1, "?timeout_ms=60000&connect_ms=60000&answer_ms=60000");
}

void instances_start(enum instances_store store, const char *program, const char *setting)
{
    char url[512] = "SVC_STORE=memory:";
    if (store == ON_REDIS)
        snprintf(url, sizeof url, "SVC_STORE=%s", start_redis());
    else if (store == ON_MEMCACHED)
        snprintf(url, sizeof url, "SVC_STORE=%s", start_memcached());
    const char *const settings[] = {url, setting, NULL};
    for (size_t i = 0; i < (store == ON_MEMORY ? 1 : INSTANCES); i++) {
        instances[i] = process_start(process_program(program), settings, NULL);
        cr_assert(instances[i]);
    }
}

void instances_kill(size_t index)
{
    cr_assert(process_signal(instances[index], SIGKILL));
    cr_assert_eq(process_await_exit(instances[index], PROCESS_WAIT_MS), 128 + SIGKILL);
    process_free(instances[index]);
    instances[index] = NULL;
}

void instances_end(void)
{
    for (size_t i = 0; i < INSTANCES; i++) {
        if (instances[i])
            cr_expect_eq(process_stop(instances[i]), 0, "instance %zu", i);
        process_free(instances[i]);
        instances[i] = NULL;
    }
    end_redis();
    memcached_servers_end();
}
