/* Both ways of calling have the same checks, and read values into the same memory. */
#include "libsvc/storage/store_call.h"

#include <stdlib.h>
#include <string.h>

#include "libsvc/base/least.h"
#include "libsvc/storage/store.h"
#include "libsvc/store/gcra.h"

enum { FEW_BYTES = 1024 /* of a value that stands in the request's own memory */ };

/* A NULL value becomes one that the check refuses. */
svc_sys_store_op svc__store_call_write(int kind, const svc_store_value *value, uint64_t ttl_ms)
{
    static const svc_store_value none = {.len = 1};
    value = value ? value : &none;
    return (svc_sys_store_op){.kind = kind,
                              .data = value->data,
                              .len = value->len,
                              .ttl_ms = ttl_ms,
                              .compares = kind == SVC_SYS_STORE_REPLACE,
                              .version = value->version};
}

static bool is_charge(const svc_store_charge *charge)
{
    if (!charge || !charge->windows || charge->window_count < 1 ||
        charge->window_count > SVC_STORE_WINDOWS)
        return false;
    size_t good = 0;
    struct limiter_window window;
    while (good < charge->window_count && !svc__gcra_window(&window, &charge->windows[good]))
        good++;
    return good == charge->window_count;
}

static bool has_good_arguments(const svc_sys_store_op *op)
{
    switch (op->kind) {
    case SVC_SYS_STORE_SET:
    case SVC_SYS_STORE_ADD:
    case SVC_SYS_STORE_REPLACE:
        return (op->data || op->len == 0) && op->ttl_ms <= SVC_STORE_TTL_MS;
    case SVC_SYS_STORE_PUBLISH:
        return op->data || op->len == 0;
    case SVC_SYS_STORE_INCREMENT:
        return op->number <= INT64_MAX && op->ttl_ms <= SVC_STORE_TTL_MS;
    case SVC_SYS_STORE_LEASE:
        return op->ttl_ms >= 1 && op->ttl_ms <= SVC_STORE_TTL_MS;
    case SVC_SYS_STORE_LIMIT:
        return is_charge(op->charge);
    default:
        return true;
    }
}

int svc__store_call_check(svc_store *store, const char *key, svc_sys_store_op *op)
{
    if (!store)
        return SVC_ENOMEM;
    op->key = key;
    op->key_len = key ? strnlen(key, SVC_STORE_KEY_BYTES + 1) : 0;
    if (!svc__store_place_is_key(key, op->key_len, SVC_STORE_KEY_BYTES))
        return SVC_EINVAL;
    if (!store->backend || (op->kind == SVC_SYS_STORE_LEASE && !store->backend->leases))
        return SVC_ESTATE;
    if (!has_good_arguments(op))
        return SVC_EINVAL;
    if (op->len > store->place.own.max_value) {
        op->error = SVC_ETOOBIG;
        svc__store_metrics_count(&store->meter, op);
    }
    return op->error;
}

void svc__store_call_begin(struct store_call *call, svc_store *store, svc_request *req, char *key)
{
    svc_sys_store_op *op = &call->op;
    memcpy(key, store->prefix, store->prefix_len);
    memcpy(key + store->prefix_len, op->key, op->key_len);
    op->size = sizeof *op;
    op->key = key;
    op->key_len += store->prefix_len;
    op->space_len = store->prefix_len;
    call->store = store;
    call->req = req;
    call->own = NULL;
}

uint64_t svc__store_call_wait_ms(const svc_store *store, const svc_request *req)
{
    uint64_t wait_ms = store->place.timeout_ms;
    return req ? svc__least_u64(wait_ms, svc_request_remaining_ms(req)) : wait_ms;
}

/* Memory that ends with the request. */
static void *alloc_in_request(svc_request *req, size_t size)
{
    if (size <= FEW_BYTES)
        return svc_request_alloc(req, size);
    void *memory = malloc(size);
    if (memory && svc_request_add_cleanup(req, free, memory)) {
        free(memory);
        return NULL;
    }
    return memory;
}

void *svc_sys_store_alloc(svc_sys_store_op *op, size_t len)
{
    struct store_call *call = (struct store_call *)(void *)op;
    if (!op)
        return NULL;
    if (len > call->store->place.own.max_value) {
        op->error = SVC_ETOOBIG;
        return NULL;
    }
    char *memory = call->req ? alloc_in_request(call->req, len + 1) : malloc(len + 1);
    if (!memory) {
        op->error = SVC_ENOMEM;
        return NULL;
    }
    memory[len] = '\0';
    call->own = call->req ? NULL : memory;
    op->data = memory;
    op->len = len;
    return memory;
}

bool svc__store_call_is_leased(const svc_sys_store_op *op)
{
    return op->kind == SVC_SYS_STORE_LEASE && op->error == SVC_ENOTFOUND;
}

svc_store_value svc__store_call_value(struct store_call *call)
{
    if (!call->op.error)
        return (svc_store_value){call->op.data, call->op.len, call->op.version, call->own};
    free(call->own);
    return (svc_store_value){.version =
                                 svc__store_call_is_leased(&call->op) ? call->op.version : 0};
}
