/* One store is one memory, so its namespace says nothing here and is left out of the keys. */
#include "libsvc/storage/store_memory.h"

#include <string.h>

#include "libsvc/base/num.h"
#include "libsvc/store/gcra.h"
#include "libsvc/store/memory.h"

static const uint64_t bytes_least = 65536, bytes_most = UINT64_C(1) << 40, bytes_default = 64 << 20;

static int open_memory(svc_app *app, const svc_sys_store_place *place, void *arg, void **state,
                       const char **why)
{
    struct memory_options options = {bytes_default, place->max_value, svc__siphash_key()};
    (void)app, (void)arg;
    if (*place->rest) {
        *why = "memory: has no address";
        return SVC_EINVAL;
    }
    for (size_t i = 0; i < place->param_count; i++)
        if (strcmp(place->params[i].name, "bytes") != 0 ||
            svc__num_u64(svc__bytes_z(place->params[i].value), bytes_most, &options.bytes) ||
            options.bytes < bytes_least) {
            *why = "memory: has, for itself, only bytes, a number from 65536 to 1099511627776";
            return SVC_EINVAL;
        }
    int error = svc__memory_new(&options, (struct memory **)state);
    if (error == SVC_ETOOBIG)
        *why = "bytes are too few for a value of max_value";
    return error;
}

static void close_memory(void *state)
{
    svc__memory_free(state);
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

static int run_one(struct memory *memory, svc_sys_store_op *op)
{
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
    struct memory_stats stats;
    svc__memory_read_stats(state, &stats);
    out->entries = stats.entries;
    out->bytes = stats.bytes;
    out->evicted = stats.evicted;
    out->expired = stats.expired;
}

static void age_memory(void *state, uint64_t ms)
{
    svc__memory_age(state, ms);
}

const svc_sys_store svc__store_memory = {.size = sizeof(svc_sys_store),
                                         .scheme = "memory",
                                         .open = open_memory,
                                         .close = close_memory,
                                         .run = run_memory,
                                         .read_stats = read_memory_stats,
                                         .age = age_memory};
