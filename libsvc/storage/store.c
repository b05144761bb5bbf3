/* The calls of svc/store.h: each checks its arguments, becomes an operation, and is counted. */
#include "libsvc/storage/store.h"

#include <stdlib.h>
#include <string.h>

#include "libsvc/base/least.h"
#include "libsvc/run/reactor.h"
#include "libsvc/store/gcra.h"

enum {
    FEW_BYTES = 1024, /* of a value that stands in the request's own memory */
    FEW_CALLS = 4     /* that stand on the stack */
};

/* An operation under way. */
struct call {
    svc_sys_store_op op; /* first */
    svc_store *store;
    svc_request *req;
    void *own; /* the memory of the value that was read, unless it is the request's */
    char key[STORE_SPACE_MAX + 1 + SVC_STORE_KEY_BYTES];
};

/* Prepares a call. SVC_ENOMEM, SVC_ESTATE or SVC_EINVAL for a bad key. */
static int prepare_call(struct call *call, int kind, svc_store *store, svc_request *req,
                        const char *key)
{
    if (!store)
        return SVC_ENOMEM;
    size_t len = key ? strnlen(key, SVC_STORE_KEY_BYTES + 1) : 0;
    if (!svc__store_place_is_key(key, len, SVC_STORE_KEY_BYTES))
        return SVC_EINVAL;
    if (!store->backend)
        return SVC_ESTATE;
    call->op = (svc_sys_store_op){.size = sizeof call->op,
                                  .kind = kind,
                                  .key = call->key,
                                  .key_len = store->prefix_len + len,
                                  .space_len = store->prefix_len};
    call->store = store;
    call->req = req;
    call->own = NULL;
    memcpy(call->key, store->prefix, store->prefix_len);
    memcpy(call->key + store->prefix_len, key, len);
    return 0;
}

static void fail_all(svc_sys_store_op *first, int error)
{
    for (svc_sys_store_op *op = first; op; op = op->next)
        op->error = error;
}

/* Runs operations on a backend that may wait. */
static int run_waiting(const struct call *first, svc_sys_store_op *ops)
{
    const svc_store *store = first->store;
    uint64_t wait_ms = store->place.timeout_ms;
    if (svc__reactor_on_loop())
        return SVC_ESTATE;
    if (first->req)
        wait_ms = svc__least_u64(wait_ms, svc_request_remaining_ms(first->req));
    if (wait_ms > 0)
        store->backend->run(store->state, ops, wait_ms);
    else
        fail_all(ops, SVC_ETIMEDOUT);
    return 0;
}

/* Runs a call and those that follow it. 0, with an error in each, or SVC_ESTATE. */
static int run_calls(struct call *first)
{
    svc_store *store = first->store;
    if (store->backend->waits) {
        int error = run_waiting(first, &first->op);
        if (error)
            return error;
    } else {
        store->backend->run(store->state, &first->op, 0);
    }
    for (const svc_sys_store_op *op = &first->op; op; op = op->next)
        svc__store_metrics_count(&store->meter, op);
    return 0;
}

static int run_call(struct call *call)
{
    int error = run_calls(call);
    return error ? error : call->op.error;
}

/* ---- Reading */

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
    struct call *call = (struct call *)(void *)op;
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

/* The value that was read, or, after an error, nothing. */
static svc_store_value hand_value(struct call *call)
{
    if (call->op.error) {
        free(call->own);
        return (svc_store_value){0};
    }
    return (svc_store_value){call->op.data, call->op.len, call->op.version, call->own};
}

int svc_store_get(svc_store *store, svc_request *req, const char *key, svc_store_value *value)
{
    struct call call;
    int error = value   ? prepare_call(&call, SVC_SYS_STORE_GET, store, req, key)
                : store ? SVC_EINVAL
                        : SVC_ENOMEM;
    if (!error)
        error = run_calls(&call);
    if (error)
        return error;
    svc_store_value read = hand_value(&call);
    if (!call.op.error)
        *value = read;
    return call.op.error;
}

void svc_store_value_free(svc_store_value *value)
{
    if (!value)
        return;
    free(value->own);
    *value = (svc_store_value){0};
}

static int prepare_many(struct call *calls, svc_store *store, svc_request *req,
                        const svc_store_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int error = prepare_call(&calls[i], SVC_SYS_STORE_GET, store, req, items[i].key);
        if (error)
            return error;
        if (i > 0)
            calls[i - 1].op.next = &calls[i].op;
    }
    return run_calls(calls);
}

static int get_many(struct call *calls, svc_store *store, svc_request *req, svc_store_item *items,
                    size_t count)
{
    int first = 0, error = prepare_many(calls, store, req, items, count);
    if (error)
        return error;
    for (size_t i = 0; i < count; i++) {
        items[i].error = calls[i].op.error;
        items[i].value = hand_value(&calls[i]);
        if (!first && items[i].error != SVC_ENOTFOUND)
            first = items[i].error;
    }
    return first;
}

int svc_store_get_many(svc_store *store, svc_request *req, svc_store_item *items, size_t count)
{
    struct call few[FEW_CALLS];
    if (!store)
        return SVC_ENOMEM;
    if (count > SVC_STORE_MANY || (count > 0 && !items))
        return SVC_EINVAL;
    if (count == 0)
        return store->backend ? 0 : SVC_ESTATE;
    if (count <= FEW_CALLS)
        return get_many(few, store, req, items, count);
    struct call *calls = malloc(count * sizeof *calls);
    if (!calls)
        return SVC_ENOMEM;
    int error = get_many(calls, store, req, items, count);
    free(calls);
    return error;
}

/* ---- Writing */

static int write_value(int kind, svc_store *store, svc_request *req, const char *key,
                       const svc_store_value *value, uint64_t ttl_ms, uint64_t *version)
{
    struct call call;
    bool good = value && (value->data || value->len == 0) && ttl_ms <= SVC_STORE_TTL_MS;
    int error = prepare_call(&call, kind, store, req, key);
    if (error || !good)
        return error ? error : SVC_EINVAL;
    call.op.data = value->data;
    call.op.len = value->len;
    call.op.ttl_ms = ttl_ms;
    call.op.compares = kind == SVC_SYS_STORE_REPLACE;
    call.op.version = value->version;
    if (value->len > store->place.own.max_value) {
        call.op.error = SVC_ETOOBIG;
        svc__store_metrics_count(&store->meter, &call.op);
        return SVC_ETOOBIG;
    }
    error = run_call(&call);
    if (!error && version)
        *version = call.op.version;
    return error;
}

int svc_store_set(svc_store *store, svc_request *req, const char *key, const svc_store_value *value,
                  uint64_t ttl_ms)
{
    return write_value(SVC_SYS_STORE_SET, store, req, key, value, ttl_ms, NULL);
}

int svc_store_add(svc_store *store, svc_request *req, const char *key, svc_store_value *value,
                  uint64_t ttl_ms)
{
    return write_value(SVC_SYS_STORE_ADD, store, req, key, value, ttl_ms,
                       value ? &value->version : NULL);
}

int svc_store_compare_and_set(svc_store *store, svc_request *req, const char *key,
                              svc_store_value *value, uint64_t ttl_ms)
{
    return write_value(SVC_SYS_STORE_REPLACE, store, req, key, value, ttl_ms,
                       value ? &value->version : NULL);
}

static int delete_value(svc_store *store, svc_request *req, const char *key, bool compares,
                        uint64_t version)
{
    struct call call;
    int error = prepare_call(&call, SVC_SYS_STORE_DELETE, store, req, key);
    if (error)
        return error;
    call.op.compares = compares;
    call.op.version = version;
    return run_call(&call);
}

int svc_store_delete(svc_store *store, svc_request *req, const char *key)
{
    return delete_value(store, req, key, false, 0);
}

int svc_store_compare_and_delete(svc_store *store, svc_request *req, const char *key,
                                 uint64_t version)
{
    return delete_value(store, req, key, true, version);
}

/* ---- Numbers and limits */

int svc_store_increment(svc_store *store, svc_request *req, const char *key, uint64_t by,
                        uint64_t ttl_ms, uint64_t *number)
{
    struct call call;
    int error = prepare_call(&call, SVC_SYS_STORE_INCREMENT, store, req, key);
    if (error)
        return error;
    if (by > INT64_MAX || ttl_ms > SVC_STORE_TTL_MS)
        return SVC_EINVAL;
    call.op.number = by;
    call.op.ttl_ms = ttl_ms;
    error = run_call(&call);
    if (!error && number)
        *number = call.op.number;
    return error;
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

int svc_store_limit(svc_store *store, svc_request *req, const char *key,
                    const svc_store_charge *charge, svc_store_verdict *verdict)
{
    struct call call;
    svc_store_verdict own;
    int error = prepare_call(&call, SVC_SYS_STORE_LIMIT, store, req, key);
    if (error)
        return error;
    if (!is_charge(charge) || !verdict)
        return SVC_EINVAL;
    call.op.charge = charge;
    call.op.verdict = &own;
    error = run_call(&call);
    if (!error)
        *verdict = own;
    return error;
}
