/* Messages between two instances, which are two apps, over one server. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <svc.h>
#include <svc/redis.h>

#include "tests/redis/redis_process.h"
#include "tests/support/quiet_app.h"

enum { MESSAGES = 200 };

/* What an instance has received. */
struct instance {
    svc_app *app;
    svc_channel *channel;
    pthread_mutex_t lock;
    int messages, gaps;
    size_t longest;
    char last[64];
};

static struct redis_process redis;
static struct instance a = {.lock = PTHREAD_MUTEX_INITIALIZER},
                       b = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void keep_message(const void *data, size_t len, void *arg)
{
    struct instance *instance = arg;
    pthread_mutex_lock(&instance->lock);
    instance->messages++;
    if (len > instance->longest)
        instance->longest = len;
    snprintf(instance->last, sizeof instance->last, "%.*s", len < 60 ? (int)len : 60,
             len > 0 ? (const char *)data : "");
    pthread_mutex_unlock(&instance->lock);
}

static void count_gap(void *arg)
{
    struct instance *instance = arg;
    pthread_mutex_lock(&instance->lock);
    instance->gaps++;
    pthread_mutex_unlock(&instance->lock);
}

static void start_instance(struct instance *instance)
{
    char url[256];
    svc_config config = quiet_app_config();
    config.log_level = SVC_LEVEL_ERROR;
    snprintf(url, sizeof url, "%s&look_ms=50", redis.url);
    instance->app = svc_app_new("shared");
    svc_app_configure(instance->app, &config);
    svc_redis_use(instance->app);
    svc_store *store = svc_store_open(instance->app, url);
    instance->channel =
        svc_channel_open(instance->app, store, "tags", keep_message, count_gap, instance);
    cr_assert_not_null(instance->channel);
    cr_assert_not_null(svc_test_store(instance->app), "%s", svc_app_errors(instance->app));
}

static void prepare(void)
{
    if (!redis_process_is_there())
        cr_skip_test("redis-server is not installed");
    redis_process_prepare(&redis, false);
    redis_process_start(&redis, NULL);
    start_instance(&a);
    start_instance(&b);
}

static void finish(void)
{
    svc_app_free(a.app);
    svc_app_free(b.app);
    redis_process_remove(&redis);
}

TestSuite(redis_channel, .init = prepare, .fini = finish);

/* Waits until a count has at least that value. */
static bool reaches(struct instance *instance, const int *count, int wanted)
{
    unsigned long until = redis_process_ms() + REDIS_WAIT_MS;
    for (;;) {
        pthread_mutex_lock(&instance->lock);
        bool there = *count >= wanted;
        pthread_mutex_unlock(&instance->lock);
        if (there || redis_process_ms() > until)
            return there;
        redis_process_rest();
    }
}

Test(redis_channel, all_instances_receive_each_message_once)
{
    char text[16];
    static char longest[SVC_CHANNEL_BYTES];
    cr_assert(reaches(&a, &a.gaps, 1) && reaches(&b, &b.gaps, 1), "the first event is a gap");
    for (int i = 1; i < MESSAGES; i++) {
        snprintf(text, sizeof text, "%d", i);
        cr_assert_eq(svc_channel_publish(a.channel, NULL, text, strlen(text)), 0);
    }
    memset(longest, 'x', sizeof longest);
    cr_assert_eq(svc_channel_publish(b.channel, NULL, longest, sizeof longest), 0);
    cr_expect(reaches(&a, &a.messages, MESSAGES) && reaches(&b, &b.messages, MESSAGES));
    cr_assert_eq(svc_channel_publish(b.channel, NULL, "a\0b\r\n", 5), 0);
    cr_assert_eq(svc_channel_publish(b.channel, NULL, "", 0), 0);
    cr_expect(reaches(&a, &a.messages, MESSAGES + 2) && reaches(&b, &b.messages, MESSAGES + 2));
    cr_expect_eq(a.messages, MESSAGES + 2);
    cr_expect_eq(b.messages, MESSAGES + 2);
    cr_expect_eq(a.longest, SVC_CHANNEL_BYTES);
    cr_expect(redis_process_says(&redis, "GETRANGE shared:svc-channel/tags 0 2", "$3\r\n202"));
}

Test(redis_channel, a_lost_connection_is_a_gap)
{
    cr_assert(reaches(&a, &a.gaps, 1) && reaches(&b, &b.gaps, 1));
    cr_expect(redis_process_says(&redis, "CLIENT KILL TYPE pubsub", ":"));
    cr_expect(reaches(&a, &a.gaps, 2) && reaches(&b, &b.gaps, 2));
    redis_process_kill(&redis);
    redis_process_start(&redis, NULL);
    cr_expect(reaches(&a, &a.gaps, 3) && reaches(&b, &b.gaps, 3));
    int before_a = a.messages, before_b = b.messages, error;
    unsigned long until = redis_process_ms() + REDIS_WAIT_MS;
    while ((error = svc_channel_publish(a.channel, NULL, "again", 5)) && redis_process_ms() < until)
        redis_process_rest();
    cr_expect_eq(error, 0);
    cr_expect(reaches(&a, &a.messages, before_a + 1) && reaches(&b, &b.messages, before_b + 1));
}

/* A message that Redis was asked to send by something else, and one that is missing. */
Test(redis_channel, numbers_that_are_missing_are_a_gap)
{
    cr_assert(reaches(&a, &a.gaps, 1) && reaches(&b, &b.gaps, 1));
    cr_assert_eq(svc_channel_publish(a.channel, NULL, "one", 3), 0);
    cr_expect(reaches(&b, &b.messages, 1));
    cr_expect(redis_process_says(&redis, "SET shared:svc-channel/tags 7", "+OK"));
    cr_expect(reaches(&a, &a.gaps, 2) && reaches(&b, &b.gaps, 2), "by the look at the number");
    cr_expect(redis_process_says(&redis, "PUBLISH shared:svc-channel/tags@0 garbage", ":2"));
    cr_expect(reaches(&a, &a.gaps, 3) && reaches(&b, &b.gaps, 3), "by a message without a number");
}
