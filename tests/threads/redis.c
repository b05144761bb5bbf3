/* Threads that ask Redis at once, and the thread that makes connections, as the thread sanitizer
 * sees them: the conformance suite, and calls while the server is killed and started again. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include <svc.h>
#include <svc/redis.h>

#include "tests/conformance/store.h"
#include "tests/redis/redis_process.h"

enum { THREADS = 4, ROUNDS = 3 };

static int wrong;
static svc_store *store;
static atomic_bool stop;

static void expect_that(bool holds, const char *what)
{
    if (holds)
        return;
    printf("this does not hold: %s\n", what);
    wrong = 1;
}

static void *count_often(void *arg)
{
    atomic_int *odd = arg;
    while (!stop) {
        svc_store_value value = {0};
        int error = svc_store_increment(store, NULL, "count", 1, 0, NULL);
        *odd += error && error != SVC_EUNAVAILABLE && error != SVC_ETIMEDOUT;
        error = svc_store_get(store, NULL, "count", &value);
        *odd +=
            error && error != SVC_EUNAVAILABLE && error != SVC_ETIMEDOUT && error != SVC_ENOTFOUND;
        svc_store_value_free(&value);
    }
    return NULL;
}

/* Waits until a call succeeds. */
static bool is_back(void)
{
    unsigned long until = redis_process_ms() + REDIS_WAIT_MS;
    while (svc_store_increment(store, NULL, "count", 1, 0, NULL)) {
        if (redis_process_ms() > until)
            return false;
        redis_process_rest();
    }
    return true;
}

static void ask_while_it_dies(struct redis_process *redis)
{
    pthread_t threads[THREADS];
    atomic_int odd = 0;
    for (int i = 0; i < THREADS; i++)
        expect_that(pthread_create(&threads[i], NULL, count_often, &odd) == 0, "a thread is made");
    for (int i = 0; i < ROUNDS; i++) {
        expect_that(is_back(), "the server can be asked");
        redis_process_kill(redis);
        redis_process_start(redis, NULL);
    }
    expect_that(is_back(), "the server can be asked again");
    stop = true;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    expect_that(odd == 0, "no call has ended in another way");
}

/* The suite on a store, and calls while its server dies. */
static void try_store(struct redis_process *redis, const char *url)
{
    svc_app *app = svc_app_new("threads");
    svc_redis_use(app);
    expect_that(svc_store_conformance_both(app, url, stdout) == 0, "its promises are kept");
    store = svc_test_store(app);
    stop = false;
    ask_while_it_dies(redis);
    svc_app_free(app);
}

int main(void)
{
    struct redis_process redis;
    char cached[sizeof redis.url + 16];
    if (!redis_process_is_there()) {
        puts("SKIP: redis-server is not installed");
        return 77;
    }
    redis_process_prepare(&redis, false);
    redis_process_start(&redis, NULL);
    snprintf(cached, sizeof cached, "%s&cache_mb=8", redis.url);
    try_store(&redis, redis.url);
    try_store(&redis, cached);
    redis_process_remove(&redis);
    return wrong;
}
