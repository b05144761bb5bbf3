/*
 * A channel is a count in the store, and messages that the backend sends with each step of it. One
 * thread receives: it has a subscription where the backend has messages, and looks at the count now
 * and then in any case.
 */
#include <svc/channel.h>

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "libsvc/base/backoff.h"
#include "libsvc/base/clock.h"
#include "libsvc/base/least.h"
#include "libsvc/base/num.h"
#include "libsvc/base/rand.h"
#include "libsvc/base/thread.h"
#include "libsvc/base/wait.h"
#include "libsvc/storage/store.h"
#include "libsvc/storage/store_call.h"
#include "libsvc/storage/store_then.h"
#include "libsvc/storage/store_wait.h"

enum { AGAIN_LEAST_MS = 100, AGAIN_MOST_MS = 5000 }; /* between tries to subscribe */

static const char key_prefix[] = "svc-channel/";

struct svc_channel {
    svc_store *store;
    const char *key; /* the prefix and the name */
    void (*on_message)(const void *data, size_t len, void *arg);
    void (*on_gap)(void *arg);
    void *arg;
    char whole_key[STORE_CALL_KEY]; /* with the namespace */
    size_t whole_len;
    pthread_t thread;
    int stop_fd; /* an eventfd, readable once the thread shall end */
    void *subscription;
    uint64_t known; /* the number of the last message that was received, or is within a gap */
    uint64_t ahead; /* the store's number at the last look */
    svc_counter *messages, *gaps;
};

static const char *name_of(const svc_channel *channel)
{
    return channel->key + sizeof key_prefix - 1;
}

/* ---- Sending */

/* Without messages, the count alone is increased. */
static int check_message(const svc_channel *channel, const void *data, size_t len,
                         svc_sys_store_op *op)
{
    if (!channel)
        return SVC_ENOMEM;
    if (!data && len > 0)
        return SVC_EINVAL;
    if (len > SVC_CHANNEL_BYTES)
        return SVC_ETOOBIG;
    const svc_sys_store *backend = channel->store->backend;
    *op = (svc_sys_store_op){.kind = SVC_SYS_STORE_INCREMENT, .number = 1};
    if (backend && backend->subscribe)
        *op = (svc_sys_store_op){.kind = SVC_SYS_STORE_PUBLISH, .data = data, .len = len};
    return 0;
}

int svc_channel_publish(svc_channel *channel, svc_request *req, const void *data, size_t len)
{
    svc_sys_store_op op;
    int error = check_message(channel, data, len, &op);
    return error ? error : svc__store_wait_run(channel->store, req, channel->key, &op);
}

int svc_channel_publish_then(svc_channel *channel, svc_request *req, const void *data, size_t len,
                             svc_store_then *then, void *arg)
{
    svc_sys_store_op op;
    int error = check_message(channel, data, len, &op);
    return error ? error : svc__store_then_make(channel->store, req, channel->key, &op, then, arg);
}

/* ---- Receiving: the channel's thread */

static bool is_stopping(const svc_channel *channel)
{
    struct pollfd stop = {.fd = channel->stop_fd, .events = POLLIN};
    return poll(&stop, 1, 0) > 0;
}

static void sleep_ms(const svc_channel *channel, uint64_t ms)
{
    struct pollfd stop = {.fd = channel->stop_fd, .events = POLLIN};
    (void)poll(&stop, 1, (int)svc__least_u64(ms, INT_MAX));
}

static void report_gap(svc_channel *channel)
{
    svc__counter_add(channel->gaps, 1);
    channel->on_gap(channel->arg);
}

/* The store's number; 0 while nothing was published. */
static int read_number(const svc_channel *channel, uint64_t *number)
{
    svc_store_value value;
    int error = svc_store_get(channel->store, NULL, channel->key, &value);
    if (error == SVC_ENOTFOUND)
        *number = 0;
    if (error)
        return error == SVC_ENOTFOUND ? 0 : error;
    error = svc__num_u64(svc__bytes(value.data, value.len), INT64_MAX, number);
    svc_store_value_free(&value);
    return error;
}

static void take_message(svc_channel *channel, const svc_sys_store_message *message)
{
    if (message->number > channel->known + 1)
        report_gap(channel);
    if (message->number > channel->known)
        channel->known = message->number;
    svc__counter_add(channel->messages, 1);
    channel->on_message(message->data, message->len, channel->arg);
}

/*
 * Compares with the store. A message whose number is in the store may still be on its way: it is
 * missing if it has not come by the next look. A number that has gone back is of a server that has
 * lost its data.
 */
static void look_at_number(svc_channel *channel)
{
    uint64_t number;
    if (read_number(channel, &number))
        return; /* nobody can publish either; a lost connection is noticed in another way */
    bool listens = channel->subscription;
    bool missing = listens ? channel->ahead > channel->known || number < channel->known
                           : number != channel->known;
    channel->ahead = number;
    if (!missing)
        return;
    channel->known = number;
    report_gap(channel);
}

/* Begins to receive, and makes sure that the number is known: what was sent before is a gap. */
static int connect_channel(svc_channel *channel)
{
    svc_store *store = channel->store;
    const svc_sys_store *backend = store->backend;
    void *subscription = NULL;
    int error = backend->subscribe
                    ? backend->subscribe(store->state, channel->whole_key, channel->whole_len,
                                         store->place.timeout_ms, &subscription)
                    : 0;
    if (error)
        return error;
    channel->subscription = subscription;
    error = read_number(channel, &channel->known);
    channel->ahead = channel->known;
    if (!error)
        report_gap(channel);
    return error;
}

static void disconnect_channel(svc_channel *channel)
{
    if (channel->subscription)
        channel->store->backend->unsubscribe(channel->subscription);
    channel->subscription = NULL;
}

static int receive_one(svc_channel *channel, uint64_t wait_ms)
{
    svc_sys_store_message message = {.size = sizeof message};
    if (!channel->subscription) {
        sleep_ms(channel, wait_ms);
        return SVC_ETIMEDOUT;
    }
    int error = channel->store->backend->receive(channel->subscription, channel->stop_fd, wait_ms,
                                                 &message);
    if (!error)
        take_message(channel, &message);
    return error;
}

/* Receives until the stop, or until messages may have been lost. */
static void receive_all(svc_channel *channel, struct backoff *backoff)
{
    uint64_t every_ms = channel->store->place.look_ms, look_ms = svc__clock_ms() + every_ms;
    int error = 0;
    while (!is_stopping(channel) && (!error || error == SVC_ETIMEDOUT)) {
        uint64_t now_ms = svc__clock_ms();
        if (now_ms >= look_ms) {
            look_at_number(channel);
            now_ms = svc__clock_ms();
            look_ms = now_ms + every_ms;
            svc__backoff_reset(backoff); /* the subscription has lasted */
        }
        error = receive_one(channel, look_ms - now_ms);
    }
}

static void *run_channel(void *arg)
{
    svc_channel *channel = arg;
    struct backoff backoff;
    svc__backoff_init(&backoff, AGAIN_LEAST_MS, AGAIN_MOST_MS);
    while (!is_stopping(channel)) {
        if (!connect_channel(channel))
            receive_all(channel, &backoff);
        disconnect_channel(channel);
        uint64_t random;
        svc__rand_bytes(&random, sizeof random);
        sleep_ms(channel, svc__backoff_next(&backoff, random));
    }
    return NULL;
}

/* ---- Start and stop */

static void set_up_channel(svc_channel *channel, struct metrics *metrics)
{
    const char *const labels[] = {name_of(channel)};
    const svc_store *store = channel->store;
    size_t len = strlen(channel->key);
    memcpy(channel->whole_key, store->prefix, store->prefix_len);
    memcpy(channel->whole_key + store->prefix_len, channel->key, len);
    channel->whole_len = store->prefix_len + len;
    channel->messages =
        svc_counter_of(svc__metric_counters(metrics, "svc_channel_messages_total",
                                            "Messages that channels have received.", "channel"),
                       1, labels);
    channel->gaps = svc_counter_of(
        svc__metric_counters(metrics, "svc_channel_gaps_total",
                             "Times that a channel may have missed messages, the start included.",
                             "channel"),
        1, labels);
}

static int start_channel(svc_app *app, void *arg)
{
    svc_channel *channel = arg;
    if (!channel->store->backend) {
        svc__faults_add(&app->faults, NULL, 0,
                        "svc_channel_open: the store of channel \"%s\" is not open before it",
                        name_of(channel));
        return SVC_ESTATE;
    }
    set_up_channel(channel, svc__app_root(app)->metrics);
    channel->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (channel->stop_fd < 0)
        return SVC_ESYSTEM;
    if (svc__thread_start_program(&channel->thread, 0, run_channel, channel)) {
        close(channel->stop_fd);
        return SVC_ESYSTEM;
    }
    pthread_setname_np(channel->thread, "svc-channel");
    return 0;
}

static void stop_channel(svc_app *app, void *arg)
{
    svc_channel *channel = arg;
    const uint64_t one = 1;
    (void)app;
    if (write(channel->stop_fd, &one, sizeof one) == sizeof one) /* always, the first time */
        pthread_join(channel->thread, NULL);
    close(channel->stop_fd);
}

static svc_channel *make_channel(svc_app *app, svc_store *store, const char *name)
{
    size_t size = sizeof key_prefix + strlen(name);
    svc_channel *channel = svc__arena_zalloc(&app->memory, sizeof *channel);
    char *key = svc__arena_alloc(&app->memory, size);
    if (!channel || !key) {
        svc__faults_refuse(&app->faults, SVC_ENOMEM, "svc_channel_open");
        return NULL;
    }
    snprintf(key, size, "%s%s", key_prefix, name);
    channel->store = store;
    channel->key = key;
    return channel;
}

svc_channel *svc_channel_open(svc_app *app, svc_store *store, const char *name,
                              void (*on_message)(const void *data, size_t len, void *arg),
                              void (*on_gap)(void *arg), void *arg)
{
    if (svc__app_open(app, "svc_channel_open"))
        return NULL;
    if (!store || !on_message || !on_gap || !svc__app_name_valid(name) ||
        strlen(name) > SVC_CHANNEL_NAME_BYTES) {
        svc__faults_refuse(&app->faults, SVC_EINVAL, "svc_channel_open");
        return NULL;
    }
    svc_channel *channel = make_channel(app, store, name);
    if (!channel)
        return NULL;
    channel->on_message = on_message;
    channel->on_gap = on_gap;
    channel->arg = arg;
    return svc_app_add_hook(app, start_channel, stop_channel, channel) ? NULL : channel;
}
