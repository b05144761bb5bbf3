/*
 * Stores on Redis, beside hiredis alone: CPU time of the threads that ask, since the server's is
 * the same. bench/redis starts a server for it.
 *
 *     bench/micro-redis SOCKET [ROUNDS [GETS]]
 *
 * - loop: a get on an event loop, 64 under way at once, each answer making the next call.
 * - hiredis: the same by redisAppendCommandArgv and redisGetReply, 64 at a time.
 * - worker: a get that waits, on a connection of the pool. CPU time and passed time.
 * - posted: the same by a function posted to the loop, whose callback wakes the thread: the other
 * way that workers could have.
 *
 * Each line has the name and nanoseconds; CPU times are of all threads of this process, by
 * getrusage.
 */
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <svc.h>
#include <svc/redis.h>

#include "bench/median.h"

enum { IN_FLIGHT = 64, KEYS = 1000, MAX_ROUNDS = 99, VALUE_BYTES = 64 };

static int rounds = 7, gets = 200000;
static svc_app *app;
static svc_store *store;
static char keys[KEYS][24];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static bool done;
static int begun, ended;

static double cpu_of_process(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e9 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e3;
}

static double passed_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void must_be(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "bench/micro-redis: %s\n", what);
    exit(1);
}

static void wake_thread(void)
{
    pthread_mutex_lock(&lock);
    done = true;
    pthread_cond_signal(&wake);
    pthread_mutex_unlock(&lock);
}

static void await_wake(void)
{
    pthread_mutex_lock(&lock);
    while (!done)
        pthread_cond_wait(&wake, &lock);
    done = false;
    pthread_mutex_unlock(&lock);
}

/* Posts a function to the loop, which wakes this thread in the end. */
static void run_on_loop(void (*fn)(void *arg))
{
    must_be(svc_loop_post(svc_app_loop(app, 0), fn, NULL) == 0, "cannot post");
    await_wake();
}

/* ---- On the loop, 64 at a time */

static void begin_get(void);

static void take_answer(const svc_store_answer *answer, void *arg)
{
    (void)arg;
    must_be(!answer->error && answer->value.len == VALUE_BYTES, "a get has failed");
    if (++ended == gets)
        wake_thread();
    else if (begun < gets)
        begin_get();
}

static void begin_get(void)
{
    must_be(svc_store_get_then(store, NULL, keys[begun++ % KEYS], take_answer, NULL) == 0,
            "no call");
}

static void begin_gets(void *arg)
{
    (void)arg;
    begun = ended = 0;
    for (int i = 0; i < IN_FLIGHT; i++)
        begin_get();
}

static double time_loop(void)
{
    double before = cpu_of_process();
    run_on_loop(begin_gets);
    return (cpu_of_process() - before) / gets;
}

/* ---- hiredis, 64 at a time */

static double time_hiredis(redisContext *redis)
{
    char full[KEYS][6 + sizeof keys[0]];
    for (int i = 0; i < KEYS; i++)
        snprintf(full[i], sizeof full[i], "bench:%.*s", (int)sizeof keys[i] - 1, keys[i]);
    double before = cpu_of_process();
    for (int i = 0; i < gets; i += IN_FLIGHT) {
        for (int j = 0; j < IN_FLIGHT; j++) {
            const char *arguments[] = {"GET", full[(i + j) % KEYS]};
            const size_t lens[] = {3, strlen(arguments[1])};
            must_be(redisAppendCommandArgv(redis, 2, arguments, lens) == REDIS_OK, "append");
        }
        for (int j = 0; j < IN_FLIGHT; j++) {
            redisReply *reply = NULL;
            must_be(redisGetReply(redis, (void **)&reply) == REDIS_OK && reply->len >= VALUE_BYTES,
                    "a reply is missing");
            freeReplyObject(reply);
        }
    }
    return (cpu_of_process() - before) / gets;
}

/* ---- One call of a worker at a time */

static void get_waiting(int i)
{
    svc_store_value value;
    must_be(svc_store_get(store, NULL, keys[i % KEYS], &value) == 0, "a get has failed");
    svc_store_value_free(&value);
}

static void end_posted(const svc_store_answer *answer, void *arg)
{
    (void)arg;
    must_be(!answer->error, "a get has failed");
    wake_thread();
}

static void begin_posted(void *arg)
{
    (void)arg;
    must_be(svc_store_get_then(store, NULL, keys[begun++ % KEYS], end_posted, NULL) == 0,
            "no call");
}

static void get_posted(int i)
{
    (void)i;
    run_on_loop(begin_posted);
}

static double time_calls(void (*get)(int i), double *passed)
{
    int count = gets / 20;
    double before = cpu_of_process(), began = passed_ns();
    for (int i = 0; i < count; i++)
        get(i);
    *passed = (passed_ns() - began) / count;
    return (cpu_of_process() - before) / count;
}

/* ---- All of it */

static void start(const char *path)
{
    static char url[256];
    svc_config config = SVC_CONFIG_INIT;
    svc_store_value value = {"0123456789012345678901234567890123456789012345678901234567890123",
                             VALUE_BYTES, 0, NULL};
    config.threads = 1;
    config.listen = "127.0.0.1:0";
    config.log_level = SVC_LEVEL_ERROR;
    snprintf(url, sizeof url, "redis+unix:%s", path);
    app = svc_app_new("bench");
    svc_app_configure(app, &config);
    svc_redis_use(app);
    store = svc_store_open(app, url);
    must_be(svc_app_start(app) == 0, "no start");
    for (int i = 0; i < KEYS; i++) {
        snprintf(keys[i], sizeof keys[i], "key-%012d", i);
        must_be(svc_store_set(store, NULL, keys[i], &value, 0) == 0, "no set");
    }
}

int main(int argc, char **argv)
{
    double values[6][MAX_ROUNDS], passed;
    static const char *const names[] = {"loop_get",   "hiredis_get",       "worker_get",
                                        "posted_get", "worker_get_passed", "posted_get_passed"};
    must_be(argc > 1, "the path of a socket is missing");
    rounds = argc > 2 ? atoi(argv[2]) : rounds;
    gets = argc > 3 ? atoi(argv[3]) : gets;
    must_be(rounds > 0 && rounds <= MAX_ROUNDS && gets >= IN_FLIGHT, "bad numbers");
    gets -= gets % IN_FLIGHT;
    start(argv[1]);
    redisContext *redis = redisConnectUnix(argv[1]);
    must_be(redis && !redis->err, "no connection");
    for (int i = -1; i < rounds; i++) { /* the first one warms up */
        int at = i < 0 ? 0 : i;
        values[0][at] = time_loop();
        values[1][at] = time_hiredis(redis);
        values[2][at] = time_calls(get_waiting, &passed);
        values[4][at] = passed;
        values[3][at] = time_calls(get_posted, &passed);
        values[5][at] = passed;
    }
    for (int i = 0; i < 6; i++)
        printf("%s %.0f\n", names[i], median(values[i], (size_t)rounds));
    redisFree(redis);
    svc_app_stop(app);
    return svc_app_wait(app) != 0;
}
