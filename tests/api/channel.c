/* Channels: on memory, on a backend of the test that loses what it is told to, and on one that has
 * no messages. */
#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <svc.h>
#include <svc/sys/store.h>

#include "tests/support/client.h"
#include "tests/support/quiet_app.h"

enum { HEARD_MOST = 5000 };

static svc_app *app;
static svc_store *store;
static svc_channel *channel;

/* What the channel has reported: each message's text and a space, and "! " for a gap. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static char heard[HEARD_MOST];
static int gaps, arg_of_channel;

static void note(const char *text, size_t len, int new_gaps, void *arg)
{
    cr_expect_eq(arg, &arg_of_channel);
    pthread_mutex_lock(&lock);
    size_t had = strlen(heard);
    snprintf(heard + had, sizeof heard - had, "%.*s ", (int)len, text);
    gaps += new_gaps;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void on_message(const void *data, size_t len, void *arg)
{
    note(data, len, 0, arg);
}

static void on_gap(void *arg)
{
    note("!", 1, 1, arg);
}

static bool wait_once(const struct timespec *end)
{
    return pthread_cond_timedwait(&changed, &lock, end) == 0;
}

static struct timespec deadline(void)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += CLIENT_WAIT_MS / 1000;
    return end;
}

static void expect_heard(const char *text)
{
    const struct timespec end = deadline();
    pthread_mutex_lock(&lock);
    while (strcmp(heard, text) != 0 && wait_once(&end))
        continue;
    cr_expect_str_eq(heard, text);
    pthread_mutex_unlock(&lock);
}

static void await_gaps(int count)
{
    const struct timespec end = deadline();
    pthread_mutex_lock(&lock);
    while (gaps < count && wait_once(&end))
        continue;
    cr_expect_geq(gaps, count);
    pthread_mutex_unlock(&lock);
}

static void open_app(void)
{
    app = quiet_app_new("test");
}

static void close_app(void)
{
    svc_app_free(app);
}

TestSuite(channel, .init = open_app, .fini = close_app);

static void open_channel(const char *url)
{
    store = svc_store_open(app, url);
    channel = svc_channel_open(app, store, "tags", on_message, on_gap, &arg_of_channel);
    cr_assert_not_null(channel);
    cr_assert_eq(svc_test_store(app), store);
}

static int publish(const char *text)
{
    return svc_channel_publish(channel, NULL, text, strlen(text));
}

/* ---- Memory */

Test(channel, a_message_reaches_this_process)
{
    open_channel(NULL);
    expect_heard("! ");
    cr_expect_eq(publish("one"), 0);
    cr_expect_eq(publish("two"), 0);
    cr_expect_eq(svc_channel_publish(channel, NULL, NULL, 0), 0);
    expect_heard("! one two  ");
    cr_expect_eq(svc_test_metric(app, "svc_channel_messages_total{channel=\"tags\"}"), 3);
    cr_expect_eq(svc_test_metric(app, "svc_channel_gaps_total{channel=\"tags\"}"), 1);
    cr_expect_eq(svc_test_metric(app, "svc_store_operations_total{backend=\"memory\","
                                      "operation=\"publish\",outcome=\"ok\"}"),
                 3);
    svc_store_value value;
    cr_assert_eq(svc_store_get(store, NULL, "svc-channel/tags", &value), 0);
    cr_expect_str_eq(value.data, "3");
    svc_store_value_free(&value);
}

Test(channel, a_channel_begins_with_a_gap_and_ends_with_the_app)
{
    svc_channel *closed;
    store = svc_store_open(app, NULL);
    closed = svc_channel_open(app, store, "tags", on_message, on_gap, &arg_of_channel);
    cr_assert_not_null(closed);
    cr_expect_eq(svc_channel_publish(closed, NULL, "early", 5), SVC_ESTATE);
    cr_assert_eq(svc_test_store(app), store);
    svc_app_free(app); /* perhaps before its thread has come to anything */
    open_app();
}

Test(channel, arguments_are_checked)
{
    static char long_message[SVC_CHANNEL_BYTES + 1], name[SVC_CHANNEL_NAME_BYTES + 2];
    memset(name, 'n', sizeof name - 1);
    open_channel(NULL);
    cr_expect_eq(svc_channel_publish(channel, NULL, NULL, 1), SVC_EINVAL);
    cr_expect_eq(svc_channel_publish(channel, NULL, long_message, sizeof long_message),
                 SVC_ETOOBIG);
    cr_expect_eq(svc_channel_publish(channel, NULL, long_message, SVC_CHANNEL_BYTES), 0);
    cr_expect_null(svc_channel_open(app, store, "late", on_message, on_gap, NULL));
    static void (*const hears)(const void *, size_t, void *) = on_message;
    for (int i = 0; i < 6; i++) {
        svc_app *wrong = svc_app_new("wrong");
        svc_store *good = svc_store_open(wrong, NULL);
        svc_channel *made = i == 0   ? svc_channel_open(wrong, NULL, "a", hears, on_gap, NULL)
                            : i == 1 ? svc_channel_open(wrong, good, "a b", hears, on_gap, NULL)
                            : i == 2 ? svc_channel_open(wrong, good, NULL, hears, on_gap, NULL)
                            : i == 3 ? svc_channel_open(wrong, good, "a", NULL, on_gap, NULL)
                            : i == 4 ? svc_channel_open(wrong, good, "a", hears, NULL, NULL)
                                     : svc_channel_open(wrong, good, name, hears, on_gap, NULL);
        cr_expect_null(made);
        cr_expect_not_null(strstr(svc_app_errors(wrong), "svc_channel_open"));
        svc_app_free(wrong);
    }
}

Test(channel, a_store_that_is_opened_later_fails_the_start)
{
    svc_app *inner = svc_app_new("inner");
    svc_store *later = svc_store_open(inner, NULL);
    channel = svc_channel_open(app, later, "tags", on_message, on_gap, NULL);
    cr_assert_not_null(channel);
    svc_app_mount(app, "/inner", inner);
    cr_expect_null(svc_app_test_get(app, "/"));
    cr_expect_not_null(strstr(svc_app_errors(app), "is not open before it"));
}

static uint64_t published;

static void on_published(const svc_store_answer *answer, void *arg)
{
    published = answer->error ? 0 : answer->number;
    (void)arg;
}

static int publish_on_loop(svc_request *req, svc_response *res)
{
    char text[] = "loop";
    int error = svc_channel_publish_then(channel, req, text, 4, on_published, NULL);
    memset(text, '#', 4);
    return error ? error : svc_response_text(res, 200, "ok");
}

Test(channel, a_handler_publishes_on_its_loop)
{
    svc_app_get(app, "/", publish_on_loop, NULL);
    open_channel(NULL);
    expect_heard("! ");
    svc_reply_free(svc_app_test_get(app, "/"));
    cr_expect_eq(published, 1);
    expect_heard("! loop ");
}

static void publish_again(const void *data, size_t len, void *arg)
{
    note(data, len, 0, arg);
    if (len < 3)
        cr_expect_eq(publish("xyz"), 0);
}

Test(channel, a_callback_may_publish)
{
    store = svc_store_open(app, NULL);
    channel = svc_channel_open(app, store, "tags", publish_again, on_gap, &arg_of_channel);
    cr_assert_eq(svc_test_store(app), store);
    expect_heard("! ");
    cr_expect_eq(publish("a"), 0);
    expect_heard("! a xyz ");
}

/* ---- A backend of the test */

static pthread_mutex_t server_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t number;          /* of the channel */
static int subscribed, attempts; /* subscriptions that are open, and all that were wanted */
static int refuses, breaks;      /* subscribe fails so often; so often receive does */
static char queue[8][16];
static uint64_t queued_numbers[8];
static int queued;
static bool drops; /* what is published is counted, and not sent */

static int open_fake(svc_app *of, const svc_sys_store_place *place, void *arg, void **state,
                     const char **why)
{
    (void)of, (void)place, (void)why;
    *state = arg;
    return 0;
}

static void close_fake(void *state)
{
    (void)state;
    cr_expect_eq(subscribed, 0);
}

static void run_one(svc_sys_store_op *op)
{
    char text[24];
    op->error = 0;
    if (op->kind == SVC_SYS_STORE_GET) {
        int len = snprintf(text, sizeof text, "%llu", (unsigned long long)number);
        void *data = svc_sys_store_alloc(op, (size_t)len);
        if (data)
            memcpy(data, text, (size_t)len);
        return;
    }
    op->number = ++number;
    if (op->kind == SVC_SYS_STORE_PUBLISH && !drops && queued < 8) {
        snprintf(queue[queued], sizeof queue[0], "%.*s", (int)op->len, (const char *)op->data);
        queued_numbers[queued++] = number;
    }
}

static void run_fake(void *state, svc_sys_store_op *first, uint64_t wait_ms)
{
    (void)state, (void)wait_ms;
    pthread_mutex_lock(&server_lock);
    for (svc_sys_store_op *op = first; op; op = op->next)
        run_one(op);
    pthread_mutex_unlock(&server_lock);
}

static int subscribe_fake(void *state, const char *key, size_t key_len, uint64_t wait_ms,
                          void **subscription)
{
    (void)state, (void)wait_ms;
    cr_expect_eq(key_len, strlen("test:svc-channel/tags"));
    cr_expect_eq(memcmp(key, "test:svc-channel/tags", key_len), 0);
    pthread_mutex_lock(&server_lock);
    attempts++;
    bool refused = refuses > 0 && refuses--;
    subscribed += !refused;
    *subscription = &server_lock;
    pthread_mutex_unlock(&server_lock);
    return refused ? SVC_EUNAVAILABLE : 0;
}

/* Takes a message, or waits for a moment. */
static int receive_fake(void *subscription, int wake_fd, uint64_t wait_ms,
                        svc_sys_store_message *message)
{
    static char text[16];
    struct pollfd wake = {.fd = wake_fd, .events = POLLIN};
    cr_expect_eq(subscription, &server_lock);
    cr_expect_eq(message->size, sizeof *message);
    pthread_mutex_lock(&server_lock);
    bool broken = breaks > 0 && breaks--, any = queued > 0;
    if (any && !broken) {
        memcpy(text, queue[0], sizeof text);
        *message = (svc_sys_store_message){message->size, queued_numbers[0], text, strlen(text)};
        memmove(queue, queue + 1, sizeof queue - sizeof queue[0]);
        memmove(queued_numbers, queued_numbers + 1, sizeof queued_numbers - sizeof *queued_numbers);
        queued--;
    }
    pthread_mutex_unlock(&server_lock);
    if (!any && !broken)
        poll(&wake, 1, wait_ms < 1 ? (int)wait_ms : 1);
    return broken ? SVC_EUNAVAILABLE : any ? 0 : SVC_ETIMEDOUT;
}

static void unsubscribe_fake(void *subscription)
{
    cr_expect_eq(subscription, &server_lock);
    pthread_mutex_lock(&server_lock);
    subscribed--;
    pthread_mutex_unlock(&server_lock);
}

static svc_sys_store fake_backend(void)
{
    svc_sys_store backend = SVC_SYS_STORE_INIT;
    backend.scheme = "fake";
    backend.open = open_fake;
    backend.close = close_fake;
    backend.run = run_fake;
    backend.subscribe = subscribe_fake;
    backend.receive = receive_fake;
    backend.unsubscribe = unsubscribe_fake;
    return backend;
}

static void open_fake_channel(const svc_sys_store *backend)
{
    cr_assert_eq(svc_sys_app_add_store(app, backend), 0);
    open_channel("fake:?look_ms=10");
    expect_heard("! ");
}

static void set_number(uint64_t wanted)
{
    pthread_mutex_lock(&server_lock);
    number = wanted;
    pthread_mutex_unlock(&server_lock);
}

Test(channel, a_number_that_is_skipped_is_a_gap)
{
    const svc_sys_store backend = fake_backend();
    cr_assert_eq(svc_sys_app_add_store(app, &backend), 0);
    open_channel("fake:?look_ms=3600000");
    expect_heard("! ");
    cr_expect_eq(publish("one"), 0);
    expect_heard("! one ");
    drops = true;
    cr_expect_eq(publish("two"), 0);
    drops = false;
    cr_expect_eq(publish("three"), 0);
    expect_heard("! one ! three ");
}

Test(channel, a_last_message_that_is_lost_is_found_by_a_look)
{
    const svc_sys_store backend = fake_backend();
    open_fake_channel(&backend);
    drops = true;
    cr_expect_eq(publish("one"), 0);
    expect_heard("! ! ");
    drops = false;
    cr_expect_eq(publish("two"), 0);
    expect_heard("! ! two ");
}

Test(channel, a_number_that_goes_back_is_a_gap)
{
    const svc_sys_store backend = fake_backend();
    number = 50;
    open_fake_channel(&backend);
    set_number(0);
    expect_heard("! ! ");
    cr_expect_eq(publish("one"), 0);
    expect_heard("! ! one ");
}

Test(channel, a_connection_that_was_lost_is_made_anew_and_a_gap)
{
    const svc_sys_store backend = fake_backend();
    refuses = 1;
    open_fake_channel(&backend);
    cr_expect_eq(attempts, 2, "the first was refused");
    pthread_mutex_lock(&server_lock);
    breaks = 2;
    pthread_mutex_unlock(&server_lock);
    await_gaps(3);
    cr_expect_geq(attempts, 4);
    cr_expect_eq(publish("one"), 0);
    expect_heard("! ! ! one ");
}

Test(channel, without_messages_each_change_is_a_gap)
{
    svc_sys_store backend = fake_backend();
    backend.subscribe = NULL;
    backend.receive = NULL;
    backend.unsubscribe = NULL;
    open_fake_channel(&backend);
    cr_expect_eq(publish("one"), 0);
    expect_heard("! ! ");
    cr_expect_eq(publish("two"), 0);
    expect_heard("! ! ! ");
    cr_expect_eq(attempts, 0);
    cr_expect_eq(svc_test_metric(app, "svc_channel_gaps_total{channel=\"tags\"}"), 3);
}

Test(channel, a_backend_has_all_functions_for_messages_or_none)
{
    svc_sys_store backend = fake_backend();
    backend.receive = NULL;
    cr_expect_eq(svc_sys_app_add_store(app, &backend), SVC_EINVAL);
    backend = fake_backend();
    backend.subscribe = NULL;
    cr_expect_eq(svc_sys_app_add_store(app, &backend), SVC_EINVAL);
    backend = fake_backend();
    backend.unsubscribe = NULL;
    cr_expect_eq(svc_sys_app_add_store(app, &backend), SVC_EINVAL);
    svc_app_free(app);
    open_app();
}

/* ---- Eviction */

Test(channel, a_store_says_whether_it_evicts)
{
    const svc_sys_store backend = fake_backend();
    cr_assert_eq(svc_sys_app_add_store(app, &backend), 0);
    svc_store *memory = svc_store_open(app, "memory:"), *fake = svc_store_open(app, "fake:");
    cr_expect_not(svc_store_evicts(memory), "it is not open");
    cr_assert_not_null(svc_test_store(app));
    cr_expect(svc_store_evicts(memory));
    cr_expect_not(svc_store_evicts(fake));
}
