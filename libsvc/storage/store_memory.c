/*
 * One store is one memory, so its namespace says nothing here and is left out of the keys. Messages
 * are for this process alone; their numbers are values as others, so that receivers can look at
 * them.
 */
#include "libsvc/storage/store_memory.h"

#include <stdlib.h>
#include <string.h>

#include "libsvc/base/num.h"
#include "libsvc/store/gcra.h"
#include "libsvc/store/listeners.h"
#include "libsvc/store/memory.h"

static const uint64_t bytes_least = 65536, bytes_most = UINT64_C(1) << 40, bytes_default = 64 << 20;

struct memory_store {
    struct memory *memory;
    struct listeners listeners;
};

/* Takes the parameters of the URL. */
static int read_options(const svc_sys_store_place *place, struct memory_options *options,
                        const char **why)
{
    if (*place->rest) {
        *why = "memory: has no address";
        return SVC_EINVAL;
    }
    for (size_t i = 0; i < place->param_count; i++)
        if (strcmp(place->params[i].name, "bytes") != 0 ||
            svc__num_u64(svc__bytes_z(place->params[i].value), bytes_most, &options->bytes) ||
            options->bytes < bytes_least) {
            *why = "memory: has, for itself, only bytes, a number from 65536 to 1099511627776";
            return SVC_EINVAL;
        }
    return 0;
}

static int open_memory(svc_app *app, const svc_sys_store_place *place, void *arg, void **state,
                       const char **why)
{
    struct memory_options options = {bytes_default, place->max_value, svc__siphash_key()};
    (void)app, (void)arg;
    int error = read_options(place, &options, why);
    if (error)
        return error;
    struct memory_store *store = malloc(sizeof *store);
    if (!store)
        return SVC_ENOMEM;
    error = svc__memory_new(&options, &store->memory);
    if (error) {
        if (error == SVC_ETOOBIG)
            *why = "bytes are too few for a value of max_value";
        free(store);
        return error;
    }
    svc__listeners_init(&store->listeners);
    *state = store;
    return 0;
}

static void close_memory(void *state)
{
    struct memory_store *store = state;
    svc__listeners_free(&store->listeners);
    svc__memory_free(store->memory);
    free(store);
}

static void *alloc_value(void *op, size_t len)
{
    return svc_sys_store_alloc(op, len);
}

static int run_get(struct memory *memory, svc_sys_store_op *op, struct bytes key)
{
    struct memory_reader reader = {.alloc = alloc_value, .arg = op};
    int error = svc__memory_get(memory, key, &reader);
    if (!error)
        op->version = reader.version;
    return error;
}

static uint64_t to_us(uint64_t ns)
{
    return ns == LIMITER_NEVER ? UINT64_MAX : ns / 1000 + (ns % 1000 > 0);
}

static int run_limit(struct memory *memory, svc_sys_store_op *op, struct bytes key)
{
    struct limiter_window windows[SVC_STORE_WINDOWS];
    struct limiter_decision decision;
    const svc_store_charge *charge = op->charge;
    int error = 0;
    for (size_t i = 0; i < charge->window_count && !error; i++)
        error = svc__gcra_window(&windows[i], &charge->windows[i]);
    if (!error)
        error =
            svc__memory_limit(memory, key, windows, charge->window_count, charge->cost, &decision);
    if (error)
        return error;
    *op->verdict = (svc_store_verdict){.pass = decision.pass, .refused = decision.refused};
    for (size_t i = 0; i < charge->window_count; i++) {
        const struct limiter_quota *from = &decision.quotas[i];
        op->verdict->quotas[i] = (svc_store_quota){from->remaining, to_us(from->next_ns),
                                                   to_us(from->reset_ns), to_us(from->retry_ns)};
    }
    return 0;
}

/* The lock around both orders messages by their numbers. */
static int run_publish(struct memory_store *store, svc_sys_store_op *op, struct bytes key)
{
    svc__listeners_begin(&store->listeners);
    int error = svc__memory_increment(store->memory, key, 1, 0, &op->number);
    if (!error)
        svc__listeners_send(&store->listeners, svc__bytes(op->key, op->key_len), op->number,
                            svc__bytes(op->data, op->len));
    svc__listeners_end(&store->listeners);
    return error;
}

static int run_one(struct memory_store *store, svc_sys_store_op *op)
{
    struct memory *memory = store->memory;
    const struct bytes key = {op->key + op->space_len, op->key_len - op->space_len};
    const struct bytes value = {op->data, op->len};
    switch (op->kind) {
    case SVC_SYS_STORE_GET:
        return run_get(memory, op, key);
    case SVC_SYS_STORE_SET:
        return svc__memory_set(memory, MEMORY_SET, key, value, op->ttl_ms, &op->version);
    case SVC_SYS_STORE_ADD:
        return svc__memory_set(memory, MEMORY_ADD, key, value, op->ttl_ms, &op->version);
    case SVC_SYS_STORE_REPLACE:
        return svc__memory_set(memory, MEMORY_REPLACE, key, value, op->ttl_ms, &op->version);
    case SVC_SYS_STORE_DELETE:
        return svc__memory_delete(memory, key, op->compares ? &op->version : NULL);
    case SVC_SYS_STORE_INCREMENT:
        return svc__memory_increment(memory, key, op->number, op->ttl_ms, &op->number);
    case SVC_SYS_STORE_LIMIT:
        return run_limit(memory, op, key);
    case SVC_SYS_STORE_PUBLISH:
        return run_publish(store, op, key);
    }
    return SVC_EINVAL;
}

static void run_memory(void *state, svc_sys_store_op *first, uint64_t wait_ms)
{
    (void)wait_ms;
    for (svc_sys_store_op *op = first; op; op = op->next)
        op->error = run_one(state, op);
}

static void read_memory_stats(void *state, svc_sys_store_stats *out)
{
    const struct memory_store *store = state;
    struct memory_stats stats;
    svc__memory_read_stats(store->memory, &stats);
    out->entries = stats.entries;
    out->bytes = stats.bytes;
    out->evicted = stats.evicted;
    out->expired = stats.expired;
}

static void age_memory(void *state, uint64_t ms)
{
    const struct memory_store *store = state;
    svc__memory_age(store->memory, ms);
}

static int subscribe_memory(void *state, const char *key, size_t key_len, uint64_t wait_ms,
                            void **subscription)
{
    struct memory_store *store = state;
    (void)wait_ms;
    return svc__listeners_add(&store->listeners, svc__bytes(key, key_len),
                              (struct listener **)subscription);
}

static int receive_memory(void *subscription, int wake_fd, uint64_t wait_ms,
                          svc_sys_store_message *message)
{
    const struct heard *heard;
    int error = svc__listeners_hear(subscription, wake_fd, wait_ms, &heard);
    if (error)
        return error;
    message->number = heard->number;
    message->data = heard->data;
    message->len = heard->len;
    return 0;
}

static void unsubscribe_memory(void *subscription)
{
    svc__listeners_remove(subscription);
}

const svc_sys_store svc__store_memory = {.size = sizeof(svc_sys_store),
                                         .scheme = "memory",
                                         .open = open_memory,
                                         .close = close_memory,
                                         .run = run_memory,
                                         .read_stats = read_memory_stats,
                                         .age = age_memory,
                                         .evicts = 1,
                                         .subscribe = subscribe_memory,
                                         .receive = receive_memory,
                                         .unsubscribe = unsubscribe_memory};
