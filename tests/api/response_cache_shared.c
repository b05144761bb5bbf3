/* Replies that instances of a service share by a store. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/api/origin.h"
#include "tests/support/client.h"

static svc_store *store;
static svc_channel *other; /* an instance of another release */
static svc_response_cache
    *caches[2]; /* of two instances of a service, each with a memory of its own */

/* The instance that a request has come to. */
static const svc_middleware *layer_for(const svc_request *req)
{
    const char *name = svc_request_header(req, "X-Instance");
    return svc_response_cache_layer(caches[name && !strcmp(name, "two")]);
}

static int start_both(svc_app *at, void *arg)
{
    (void)arg;
    for (size_t i = 0; i < 2; i++) {
        const svc_middleware *layer = svc_response_cache_layer(caches[i]);
        int error = layer->start(at, layer->arg);
        if (error)
            return error;
    }
    return 0;
}

static int in_both(svc_request *req, svc_response *res, const svc_layer *given)
{
    const svc_middleware *layer = layer_for(req);
    return layer->on_request(req, res, &(svc_layer){layer->arg, given->state});
}

static int out_both(svc_request *req, svc_response *res, const svc_layer *given)
{
    const svc_middleware *layer = layer_for(req);
    return layer->on_response(req, res, &(svc_layer){layer->arg, given->state});
}

static void end_both(svc_request *req, const svc_response *res, const svc_layer *given,
                     const svc_done *done)
{
    const svc_middleware *layer = layer_for(req);
    layer->on_done(req, res, &(svc_layer){layer->arg, given->state}, done);
}

static void ignore_message(const void *data, size_t len, void *arg)
{
    (void)data, (void)len, (void)arg;
}

static void ignore_gap(void *arg)
{
    (void)arg;
}

static void make_shared(uint64_t local_ms)
{
    static svc_middleware both = SVC_MIDDLEWARE_INIT;
    svc_response_cache_options options = SVC_RESPONSE_CACHE_OPTIONS_INIT;
    origin_app = svc_app_new("shared");
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = 0;
    config.log_output = "/dev/null";
    svc_app_configure(origin_app, &config);
    options.store = store = svc_store_open(origin_app, "memory:?look_ms=10");
    options.local_ms = local_ms;
    for (size_t i = 0; i < 2; i++) {
        options.name = i ? "two" : "one";
        caches[i] = svc_response_cache_new(origin_app, &options);
    }
    origin_cache = caches[0];
    other = svc_channel_open(origin_app, store, "response-cache", ignore_message, ignore_gap, NULL);
    both.name = "both";
    both.state_size = svc_response_cache_layer(origin_cache)->state_size;
    both.start = start_both;
    both.on_request = in_both;
    both.on_response = out_both;
    both.on_done = end_both;
    svc_app_use(origin_app, &both);
    svc_app_get(origin_app, "/thing", origin_answer, NULL);
    svc_app_post(origin_app, "/thing", origin_answer, NULL);
    memset(&origin, 0, sizeof origin);
    origin.body = "the body";
    cr_assert_eq(svc_test_store(origin_app), store); /* it is ready, and has metrics */
}

/* Waits until a metric has that value or more. A request turns the loop, on which a purge by a
 * request goes on. */
static void await_metric(const char *name, double least)
{
    for (int i = 0; i < CLIENT_WAIT_MS && !(svc_test_metric(origin_app, name) >= least); i++) {
        svc_reply_free(origin_ask_as("GET", "/nothing", NULL));
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    cr_assert_geq(svc_test_metric(origin_app, name), least, "%s", name);
}

#define PURGED "svc_response_cache_purged_total"
#define GAPS "svc_channel_gaps_total{channel=\"response-cache\"}"
#define MESSAGES "svc_channel_messages_total{channel=\"response-cache\"}"

enum { CHANNELS = 3 /* of both instances and the other release */ };

/* Sends a message that concerns no reply, and waits until all channels have it: then what they have
 * reported before has been dealt with. */
static void settle_channels(void)
{
    double messages = svc_test_metric(origin_app, MESSAGES);
    cr_assert_eq(svc_response_cache_purge_tag(caches[0], NULL, "nothing"), 0);
    await_metric(MESSAGES, messages + CHANNELS);
}

/* Makes the instances, and waits until all channels have had the gap with which they begin. */
static void begin_shared_for(uint64_t local_ms)
{
    make_shared(local_ms);
    await_metric(GAPS, CHANNELS);
    settle_channels();
}

static void begin_shared(void)
{
    begin_shared_for(0);
}

/* Replies in memory need no question for an hour. */
static void begin_with_messages(void)
{
    begin_shared_for(3600000);
}

TestSuite(shared_replies, .init = begin_shared, .fini = origin_end);

static svc_reply *ask_instance(const char *name, const char *language)
{
    return origin_ask_as(
        "GET", "/thing",
        (const char *const[]){"X-Instance", name, "Accept-Language", language, NULL});
}

static void expect_instance(const char *name, const char *language, int runs)
{
    origin.runs = 0;
    ORIGIN_EXPECT(ask_instance(name, language), 200, "the body");
    cr_expect_eq(origin.runs, runs, "%s, %s: %d runs", name, language, origin.runs);
}

Test(shared_replies, are_used_by_another_instance)
{
    origin_reply_with(CC, "max-age=60", "X-Thing", "1", "ETag", "\"a\"", NULL);
    origin.age = 10;
    expect_instance("one", "de", 1);
    svc_reply *reply = ask_instance("two", "de");
    cr_expect_str_eq(origin_field(reply, "Cache-Status"), "two; hit; ttl=50");
    cr_expect_str_eq(origin_field(reply, "Age"), "10");
    cr_expect_str_eq(origin_field(reply, "X-Thing"), "1");
    cr_expect_str_eq(origin_field(reply, "Content-Type"), "text/plain");
    ORIGIN_EXPECT(reply, 200, "the body");
    cr_expect_eq(origin.runs, 1);
    ORIGIN_EXPECT(origin_ask_as("GET", "/thing",
                                (const char *const[]){"X-Instance", "two", "If-None-Match", "\"a\"",
                                                      CC, "only-if-cached", NULL}),
                  304, "");
}

Test(shared_replies, are_selected_by_vary)
{
    origin_reply_with(CC, "max-age=60", "Vary", "Accept-Language", NULL);
    expect_instance("one", "de", 1);
    expect_instance("one", "fr", 1);
    expect_instance("two", "de", 0);
    expect_instance("two", "FR", 0);
    expect_instance("two", "it", 1);
    expect_instance("one", "it", 0);
}

Test(shared_replies, are_purged_for_all)
{
    origin_reply_with(CC, "max-age=60", "Cache-Tag", "tag", NULL);
    for (int i = 0; i < 5; i++) {
        double purged = svc_test_metric(origin_app, PURGED);
        expect_instance("one", "de", 1);
        expect_instance("two", "de", 0);
        svc_response_cache *at = caches[i % 2];
        int error = i == 0   ? svc_response_cache_purge(at, NULL, "/thing")
                    : i == 1 ? svc_response_cache_purge_tag(at, NULL, "tag")
                    : i == 2 ? svc_response_cache_purge_all(at, NULL)
                             : 0;
        if (i > 2) /* by a write, on either */
            svc_reply_free(
                origin_ask_as("POST", "/thing",
                              (const char *const[]){"X-Instance", i == 3 ? "one" : "two", NULL}));
        cr_expect_eq(error, 0, "%d: %s", i, svc_error_name(error));
        await_metric(PURGED, purged + 2);
    }
    expect_instance("two", "de", 1);
    expect_instance("one", "de", 0);
}

Test(shared_replies, that_were_made_before_a_purge_are_not_used_after_it)
{
    origin_reply_with(CC, "max-age=60", NULL);
    origin.purges = true; /* by the instance "one", while "two" makes its reply */
    double messages = svc_test_metric(origin_app, MESSAGES);
    expect_instance("two", "de", 1);
    origin.purges = false;
    await_metric(MESSAGES, messages + CHANNELS);
    settle_channels();
    expect_instance("two", "de", 1);
    expect_instance("one", "de", 0);
}

Test(shared_replies, outlive_a_number_of_purges_that_is_none)
{
    origin_reply_with(CC, "max-age=60", NULL);
    const svc_store_value garbage = {.data = "\1garbage", .len = 8};
    expect_instance("one", "de", 1);
    cr_assert_eq(svc_store_set(store, NULL, "rc:purges", &garbage, 0), 0);
    expect_instance("two", "de", 0);
}

Test(shared_replies, are_made_anew_when_the_store_has_lost_them)
{
    origin_reply_with(CC, "max-age=60", NULL);
    expect_instance("one", "de", 1);
    svc_test_store_age(store, UINT64_C(86400000));
    expect_instance("two", "de", 1);
}

/* ---- Messages between the instances */

TestSuite(purge_messages, .init = begin_with_messages, .fini = origin_end);

/* The instance has the reply in its memory then, and does not ask the store. */
static void fill_both(void)
{
    expect_instance("one", "de", 1);
    expect_instance("two", "de", 0);
    expect_instance("two", "de", 0);
}

Test(purge_messages, empty_the_memory_of_the_other_instance)
{
    origin_reply_with(CC, "max-age=60", "Cache-Tag", "tag", NULL);
    for (int i = 0; i < 4; i++) {
        double purged = svc_test_metric(origin_app, PURGED);
        fill_both();
        int error = i == 0   ? svc_response_cache_purge_tag(caches[0], NULL, "tag")
                    : i == 1 ? svc_response_cache_purge(caches[1], NULL, "/thing")
                    : i == 2 ? svc_response_cache_purge_all(caches[0], NULL)
                             : 0;
        if (i == 3)
            svc_reply_free(
                origin_ask_as("POST", "/thing", (const char *const[]){"X-Instance", "two", NULL}));
        cr_expect_eq(error, 0);
        await_metric(PURGED, purged + 2);
    }
}

Test(purge_messages, leave_other_replies_where_they_are)
{
    origin_reply_with(CC, "max-age=60", "Cache-Tag", "tag", NULL);
    fill_both();
    settle_channels();
    expect_instance("one", "de", 0);
    expect_instance("two", "de", 0);
    cr_expect_eq(svc_test_metric(origin_app, PURGED), 0);
}

/* What a purge of all replies leaves in the store. */
static void purge_without_message(void)
{
    char digits[24];
    uint64_t number;
    cr_assert_eq(svc_store_increment(store, NULL, "rc:purges", 1, 0, &number), 0);
    snprintf(digits, sizeof digits, "%" PRIu64, number);
    const svc_store_value value = {.data = digits, .len = strlen(digits)};
    cr_assert_eq(svc_store_set(store, NULL, "rc:t:0000000000000000", &value, 0), 0);
}

static void lose_message(void)
{
    uint64_t number;
    double gaps = svc_test_metric(origin_app, GAPS);
    cr_assert_eq(svc_store_increment(store, NULL, "svc-channel/response-cache", 1, 0, &number), 0);
    await_metric(GAPS, gaps + CHANNELS);
    settle_channels();
}

Test(purge_messages, that_are_lost_have_the_store_asked_again)
{
    origin_reply_with(CC, "max-age=60", NULL);
    fill_both();
    purge_without_message();
    expect_instance("two", "de", 0); /* it cannot know of it yet */
    lose_message();
    expect_instance("two", "de", 1);
    expect_instance("one", "de", 0);
}

Test(purge_messages, that_are_lost_cost_a_question_where_nothing_was_purged)
{
    origin_reply_with(CC, "max-age=60", NULL);
    fill_both();
    lose_message();
    expect_instance("two", "de", 0);
    expect_instance("one", "de", 0);
}

Test(purge_messages, of_another_form_have_the_store_asked_again)
{
    origin_reply_with(CC, "max-age=60", NULL);
    fill_both();
    purge_without_message();
    cr_assert_eq(svc_channel_publish(other, NULL, "of another release", 18), 0);
    settle_channels();
    expect_instance("two", "de", 1);
}

Test(shared_replies, are_not_used_after_a_purge_without_message)
{
    origin_reply_with(CC, "max-age=60", NULL);
    fill_both();
    purge_without_message();
    expect_instance("two", "de", 1); /* `local_ms` is 0 */
}
