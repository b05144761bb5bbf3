/* The calls of svc/store.h that return the answer: each checks its arguments, becomes an operation,
 * runs on the calling thread, and is counted. */
#include "libsvc/storage/store_wait.h"

#include <stdlib.h>

#include "libsvc/base/clock.h"
#include "libsvc/run/reactor.h"
#include "libsvc/storage/store.h"
#include "libsvc/storage/store_call.h"

enum { FEW_CALLS = 4 /* that stand on the stack */ };

/* A call that waits. */
struct waiting {
    struct store_call call; /* first */
    char key[STORE_CALL_KEY];
};

/* Prepares the call of an operation that has its arguments. */
static int prepare_call(struct waiting *waiting, svc_store *store, svc_request *req,
                        const char *key)
{
    int error = svc__store_call_check(store, key, &waiting->call.op);
    if (!error)
        svc__store_call_begin(&waiting->call, store, req, waiting->key);
    return error;
}

static void fail_all(svc_sys_store_op *first, int error)
{
    for (svc_sys_store_op *op = first; op; op = op->next)
        op->error = error;
}

/* Runs operations on a backend that may wait. */
static int run_slowly(struct store_call *first)
{
    svc_store *store = first->store;
    if (svc__reactor_on_loop())
        return SVC_ESTATE;
    uint64_t begun_ns = svc__clock_ns();
    uint64_t wait_ms = svc__store_call_wait_ms(store, first->req);
    if (wait_ms > 0)
        store->backend->run(store->state, &first->op, wait_ms);
    else
        fail_all(&first->op, SVC_ETIMEDOUT);
    svc__store_metrics_time(&store->meter, first->op.kind, begun_ns);
    return 0;
}

/* Runs a call and those that follow it. 0, with an error in each, or SVC_ESTATE. */
static int run_calls(struct store_call *first)
{
    svc_store *store = first->store;
    int error = 0;
    if (store->backend->waits)
        error = run_slowly(first);
    else
        store->backend->run(store->state, &first->op, 0);
    if (error)
        return error;
    for (const svc_sys_store_op *op = &first->op; op; op = op->next)
        svc__store_metrics_count(&store->meter, op);
    return 0;
}

/* Prepares and runs the call of an operation that has its arguments. */
static int run_call(struct waiting *waiting, svc_store *store, svc_request *req, const char *key)
{
    int error = prepare_call(waiting, store, req, key);
    if (!error)
        error = run_calls(&waiting->call);
    return error ? error : waiting->call.op.error;
}

int svc__store_wait_run(svc_store *store, svc_request *req, const char *key, svc_sys_store_op *op)
{
    struct waiting waiting;
    waiting.call.op = *op;
    int error = run_call(&waiting, store, req, key);
    if (!error)
        *op = waiting.call.op;
    return error;
}

/* ---- Reading */

static int read_value(int kind, svc_store *store, svc_request *req, const char *key,
                      uint64_t ttl_ms, svc_store_value *value)
{
    struct waiting get;
    get.call.op = (svc_sys_store_op){.kind = kind, .ttl_ms = ttl_ms};
    int error = value ? prepare_call(&get, store, req, key) : store ? SVC_EINVAL : SVC_ENOMEM;
    if (!error)
        error = run_calls(&get.call);
    if (error)
        return error;
    svc_store_value read = svc__store_call_value(&get.call);
    if (!get.call.op.error || svc__store_call_is_leased(&get.call.op))
        *value = read;
    return get.call.op.error;
}

int svc_store_get(svc_store *store, svc_request *req, const char *key, svc_store_value *value)
{
    return read_value(SVC_SYS_STORE_GET, store, req, key, 0, value);
}

int svc_store_lease(svc_store *store, svc_request *req, const char *key, uint64_t lease_ms,
                    svc_store_value *value)
{
    return read_value(SVC_SYS_STORE_LEASE, store, req, key, lease_ms, value);
}

void svc_store_value_free(svc_store_value *value)
{
    if (!value)
        return;
    free(value->own);
    *value = (svc_store_value){0};
}

static int prepare_many(struct waiting *gets, svc_store *store, svc_request *req,
                        const svc_store_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        gets[i].call.op = (svc_sys_store_op){.kind = SVC_SYS_STORE_GET};
        int error = prepare_call(&gets[i], store, req, items[i].key);
        if (error)
            return error;
        if (i > 0)
            gets[i - 1].call.op.next = &gets[i].call.op;
    }
    return run_calls(&gets->call);
}

static int get_many(struct waiting *gets, svc_store *store, svc_request *req, svc_store_item *items,
                    size_t count)
{
    int first = 0, error = prepare_many(gets, store, req, items, count);
    if (error)
        return error;
    for (size_t i = 0; i < count; i++) {
        items[i].error = gets[i].call.op.error;
        items[i].value = svc__store_call_value(&gets[i].call);
        if (!first && items[i].error != SVC_ENOTFOUND)
            first = items[i].error;
    }
    return first;
}

int svc_store_get_many(svc_store *store, svc_request *req, svc_store_item *items, size_t count)
{
    struct waiting few[FEW_CALLS];
    if (!store)
        return SVC_ENOMEM;
    if (count > SVC_STORE_MANY || (count > 0 && !items))
        return SVC_EINVAL;
    if (count == 0)
        return store->backend ? 0 : SVC_ESTATE;
    if (count <= FEW_CALLS)
        return get_many(few, store, req, items, count);
    struct waiting *gets = malloc(count * sizeof *gets);
    if (!gets)
        return SVC_ENOMEM;
    int error = get_many(gets, store, req, items, count);
    free(gets);
    return error;
}

/* ---- Writing */

static int write_value(int kind, svc_store *store, svc_request *req, const char *key,
                       const svc_store_value *value, uint64_t ttl_ms, uint64_t *version)
{
    struct waiting write;
    write.call.op = svc__store_call_write(kind, value, ttl_ms);
    int error = run_call(&write, store, req, key);
    if (!error && version)
        *version = write.call.op.version;
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

int svc_store_delete(svc_store *store, svc_request *req, const char *key)
{
    struct waiting delete;
    delete.call.op = (svc_sys_store_op){.kind = SVC_SYS_STORE_DELETE};
    return run_call(&delete, store, req, key);
}

int svc_store_compare_and_delete(svc_store *store, svc_request *req, const char *key,
                                 uint64_t version)
{
    struct waiting delete;
    delete.call.op =
        (svc_sys_store_op){.kind = SVC_SYS_STORE_DELETE, .compares = true, .version = version};
    return run_call(&delete, store, req, key);
}

/* ---- Numbers and limits */

int svc_store_increment(svc_store *store, svc_request *req, const char *key, uint64_t by,
                        uint64_t ttl_ms, uint64_t *number)
{
    struct waiting increment;
    increment.call.op =
        (svc_sys_store_op){.kind = SVC_SYS_STORE_INCREMENT, .number = by, .ttl_ms = ttl_ms};
    int error = run_call(&increment, store, req, key);
    if (!error && number)
        *number = increment.call.op.number;
    return error;
}

int svc_store_limit(svc_store *store, svc_request *req, const char *key,
                    const svc_store_charge *charge, svc_store_verdict *verdict)
{
    struct waiting limit;
    svc_store_verdict own;
    limit.call.op = (svc_sys_store_op){
        .kind = SVC_SYS_STORE_LIMIT, .charge = verdict ? charge : NULL, .verdict = &own};
    int error = run_call(&limit, store, req, key);
    if (!error)
        *verdict = own;
    return error;
}
