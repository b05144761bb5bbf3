/*
 * Calls of stores on event loops. A call is one block of memory, which waits in its loop's part of
 * the store until a posted function submits all of a turn: so those of many requests are one write.
 * All of it is the loop's thread's, and needs no lock.
 */
#include "libsvc/storage/store_then.h"

#include <stdlib.h>
#include <string.h>

#include "libsvc/base/list.h"
#include "libsvc/run/reactor.h"
#include "libsvc/storage/store_call.h"

/* A store on one loop. */
struct store_loop {
    struct own_watch watch; /* first; of no descriptor: it learns of the loop's end by it */
    svc_store *store;
    struct svc_loop *loop;
    void *state;                    /* of the backend */
    svc_sys_store_op *first, *last; /* of this turn, to be submitted by a function that is posted */
    struct then_call *calls;        /* that are not answered */
    bool ended;                     /* the loop has ended */
};

/* The arguments and the result of LIMIT, which a call refers to. */
struct limit_parts {
    svc_store_charge charge;
    svc_rate_window windows[SVC_STORE_WINDOWS];
    svc_store_verdict verdict;
};

struct then_call {
    struct store_call call; /* first */
    struct store_loop *at;
    struct then_call *next, **place; /* in the list of the loop's calls, and the pointer to it */
    svc_store_then *then;
    void *arg;
    uint64_t begun_ns, due_ns; /* of a backend that waits */
    struct deadline deadline;  /* set once it is submitted */
    bool submitted;            /* the backend has it */
    struct limit_parts
        limit[]; /* of LIMIT, one; behind it, the key and the value that is written */
};

static bool can_wait(const struct store_loop *at)
{
    return at->store->backend->submit;
}

/* ---- The end of a call */

static void report_answer(struct then_call *call)
{
    const svc_sys_store_op *op = &call->call.op;
    svc_store_answer answer = {.error = op->error};
    if (op->kind == SVC_SYS_STORE_GET || op->kind == SVC_SYS_STORE_LEASE)
        answer.value = svc__store_call_value(&call->call);
    else if (!op->error && (op->kind == SVC_SYS_STORE_ADD || op->kind == SVC_SYS_STORE_REPLACE))
        answer.value.version = op->version;
    else if (!op->error &&
             (op->kind == SVC_SYS_STORE_INCREMENT || op->kind == SVC_SYS_STORE_PUBLISH))
        answer.number = op->number;
    else if (!op->error && op->kind == SVC_SYS_STORE_LIMIT)
        answer.verdict = op->verdict;
    void *own = answer.value.own; /* the callback only borrows it */
    answer.value.own = NULL;
    call->then(&answer, call->arg);
    free(own);
}

void svc_sys_store_done(svc_sys_store_op *op)
{
    if (!op)
        return;
    struct then_call *call = (struct then_call *)(void *)op;
    struct store_loop *at = call->at;
    struct store_meter *meter = &at->store->meter;
    if (svc__wheel_armed(&call->deadline.timer))
        svc__wheel_cancel(&at->loop->timers, &call->deadline.timer);
    *call->place = call->next;
    if (call->next)
        call->next->place = call->place;
    svc__store_metrics_count(meter, op);
    if (can_wait(at))
        svc__store_metrics_time(meter, op->kind, call->begun_ns);
    report_answer(call);
    free(call);
}

static void fail_call(struct then_call *call, int error)
{
    if (call->submitted)
        call->at->store->backend->forget(call->at->state, &call->call.op);
    call->call.op.error = error;
    svc_sys_store_done(&call->call.op);
}

static void expire_call(struct svc_loop *loop, struct deadline *deadline)
{
    char *end = (char *)deadline - offsetof(struct then_call, deadline);
    (void)loop;
    fail_call((struct then_call *)(void *)end, SVC_ETIMEDOUT);
}

/* ---- The calls of a turn */

/* The operations are answered when this returns. */
static void run_batch(struct store_loop *at, svc_sys_store_op *first)
{
    at->store->backend->run(at->store->state, first, 0);
    for (svc_sys_store_op *next; first; first = next) {
        next = first->next;
        svc_sys_store_done(first);
    }
}

/* The backend may answer within this, and callers may make calls of the next turn. */
static void submit_batch(struct store_loop *at, svc_sys_store_op *first)
{
    svc_sys_store_op *due = NULL, *last_due = NULL, *late = NULL, *last_late = NULL;
    uint64_t now_ns = svc__clock_ns();
    for (svc_sys_store_op *next; first; first = next) {
        struct then_call *call = (struct then_call *)(void *)first;
        next = first->next;
        first->next = NULL;
        if (call->due_ns <= now_ns) {
            LIST_APPEND(late, last_late, first, first);
        } else {
            LIST_APPEND(due, last_due, first, first);
            call->submitted = true;
            svc__wheel_set(&at->loop->timers, &call->deadline.timer, call->due_ns);
        }
    }
    if (due)
        at->store->backend->submit(at->state, due);
    for (svc_sys_store_op *next; late; late = next) {
        next = late->next;
        fail_call((struct then_call *)(void *)late, SVC_ETIMEDOUT);
    }
}

/* Does nothing if the loop's end has come first. */
static void take_batch(void *arg)
{
    struct store_loop *at = arg;
    svc_sys_store_op *first = at->first;
    at->first = at->last = NULL;
    if (first && can_wait(at))
        submit_batch(at, first);
    else if (first)
        run_batch(at, first);
}

/* ---- A loop's part of a store */

/* All callers hear of it while the states of the program on this loop are still there. */
static void end_calls(struct store_loop *at)
{
    if (!can_wait(at))
        take_batch(at);
    at->first = at->last = NULL;
    while (at->calls)
        fail_call(at->calls, SVC_ECANCELLED);
}

static void notice_end(struct own_watch *watch)
{
    struct store_loop *at = (struct store_loop *)(void *)watch;
    at->ended = true;
    end_calls(at);
}

static int begin_on_loop(svc_app *app, svc_loop *loop, void *arg, void **state)
{
    svc_store *store = arg;
    const svc_sys_store *backend = store->backend;
    struct store_loop *at = calloc(1, sizeof *at);
    (void)app;
    if (!at)
        return SVC_ENOMEM;
    int error = backend->begin_loop ? backend->begin_loop(store->state, loop, &at->state) : 0;
    if (error) {
        free(at);
        return error;
    }
    at->watch.forget = notice_end;
    at->store = store;
    at->loop = loop;
    svc__reactor_own(loop, &at->watch);
    *state = at;
    return 0;
}

/* Before the loop's end it comes only when a later state of the loop could not be made: a function
 * may be posted still, so that the memory is left to the loop. */
static void end_on_loop(void *state, void *arg)
{
    struct store_loop *at = state;
    const svc_store *store = arg;
    end_calls(at);
    if (store->backend->end_loop)
        store->backend->end_loop(at->state);
    if (at->ended)
        free(at);
    else
        svc__reactor_bury(at->loop, &at->watch);
}

int svc__store_then_register(svc_store *store)
{
    return svc_app_each_loop(store->app, &store->key, begin_on_loop, end_on_loop, store);
}

/* ---- The calls */

static size_t size_of(const svc_store *store, const svc_sys_store_op *op)
{
    size_t limit = op->kind == SVC_SYS_STORE_LIMIT ? sizeof(struct limit_parts) : 0;
    return sizeof(struct then_call) + limit + store->prefix_len + op->key_len + op->len;
}

/* Copies the arguments, which the program may change from now on, behind the call. */
static void copy_arguments(struct then_call *call, svc_store *store, svc_request *req)
{
    svc_sys_store_op *op = &call->call.op;
    char *memory = (char *)call->limit;
    if (op->kind == SVC_SYS_STORE_LIMIT) {
        struct limit_parts *parts = call->limit;
        parts->charge = *op->charge;
        for (size_t i = 0; i < op->charge->window_count; i++) {
            parts->windows[i] = op->charge->windows[i];
            parts->windows[i].name = NULL;
        }
        parts->charge.windows = parts->windows;
        op->charge = &parts->charge;
        op->verdict = &parts->verdict;
        memory += sizeof *parts;
    }
    svc__store_call_begin(&call->call, store, req, memory);
    if (op->len > 0)
        op->data = memcpy(memory + op->key_len, op->data, op->len);
}

/* The store on this thread's loop; NULL for none. */
static struct store_loop *find_here(const svc_store *store)
{
    struct svc_loop *loop = svc__reactor_here();
    return loop && svc__reactor_is_open(loop) ? svc_loop_get(loop, &store->key) : NULL;
}

static void set_time_limit(struct then_call *call)
{
    const struct store_call *own = &call->call;
    call->begun_ns = svc__clock_ns();
    call->due_ns = call->begun_ns + svc__store_call_wait_ms(own->store, own->req) * 1000000;
    call->deadline.expired = expire_call;
}

static void add_call(struct store_loop *at, struct then_call *call)
{
    svc_sys_store_op *op = &call->call.op;
    LIST_APPEND(at->first, at->last, op, op);
    call->at = at;
    call->next = at->calls;
    call->place = &at->calls;
    if (call->next)
        call->next->place = &call->next;
    at->calls = call;
}

int svc__store_then_make(svc_store *store, svc_request *req, const char *key, svc_sys_store_op *op,
                         svc_store_then *then, void *arg)
{
    int error = svc__store_call_check(store, key, op);
    if (error || !then)
        return error ? error : SVC_EINVAL;
    struct store_loop *at = find_here(store);
    if (!at || (store->backend->waits && !can_wait(at)))
        return SVC_ESTATE;
    struct then_call *call = malloc(size_of(store, op));
    if (!call)
        return SVC_ENOMEM;
    *call = (struct then_call){.call.op = *op, .then = then, .arg = arg};
    copy_arguments(call, store, req);
    if (can_wait(at))
        set_time_limit(call);
    error = at->first ? 0 : svc_loop_post(at->loop, take_batch, at);
    if (error)
        free(call);
    else
        add_call(at, call);
    return error;
}

int svc_store_get_then(svc_store *store, svc_request *req, const char *key, svc_store_then *then,
                       void *arg)
{
    svc_sys_store_op op = {.kind = SVC_SYS_STORE_GET};
    return svc__store_then_make(store, req, key, &op, then, arg);
}

int svc_store_lease_then(svc_store *store, svc_request *req, const char *key, uint64_t lease_ms,
                         svc_store_then *then, void *arg)
{
    svc_sys_store_op op = {.kind = SVC_SYS_STORE_LEASE, .ttl_ms = lease_ms};
    return svc__store_then_make(store, req, key, &op, then, arg);
}

int svc_store_set_then(svc_store *store, svc_request *req, const char *key,
                       const svc_store_value *value, uint64_t ttl_ms, svc_store_then *then,
                       void *arg)
{
    svc_sys_store_op op = svc__store_call_write(SVC_SYS_STORE_SET, value, ttl_ms);
    return svc__store_then_make(store, req, key, &op, then, arg);
}

int svc_store_add_then(svc_store *store, svc_request *req, const char *key,
                       const svc_store_value *value, uint64_t ttl_ms, svc_store_then *then,
                       void *arg)
{
    svc_sys_store_op op = svc__store_call_write(SVC_SYS_STORE_ADD, value, ttl_ms);
    return svc__store_then_make(store, req, key, &op, then, arg);
}

int svc_store_compare_and_set_then(svc_store *store, svc_request *req, const char *key,
                                   const svc_store_value *value, uint64_t ttl_ms,
                                   svc_store_then *then, void *arg)
{
    svc_sys_store_op op = svc__store_call_write(SVC_SYS_STORE_REPLACE, value, ttl_ms);
    return svc__store_then_make(store, req, key, &op, then, arg);
}

int svc_store_delete_then(svc_store *store, svc_request *req, const char *key, svc_store_then *then,
                          void *arg)
{
    svc_sys_store_op op = {.kind = SVC_SYS_STORE_DELETE};
    return svc__store_then_make(store, req, key, &op, then, arg);
}

int svc_store_compare_and_delete_then(svc_store *store, svc_request *req, const char *key,
                                      uint64_t version, svc_store_then *then, void *arg)
{
    svc_sys_store_op op = {.kind = SVC_SYS_STORE_DELETE, .compares = true, .version = version};
    return svc__store_then_make(store, req, key, &op, then, arg);
}

int svc_store_increment_then(svc_store *store, svc_request *req, const char *key, uint64_t by,
                             uint64_t ttl_ms, svc_store_then *then, void *arg)
{
    svc_sys_store_op op = {.kind = SVC_SYS_STORE_INCREMENT, .number = by, .ttl_ms = ttl_ms};
    return svc__store_then_make(store, req, key, &op, then, arg);
}

int svc_store_limit_then(svc_store *store, svc_request *req, const char *key,
                         const svc_store_charge *charge, svc_store_then *then, void *arg)
{
    svc_sys_store_op op = {.kind = SVC_SYS_STORE_LIMIT, .charge = charge};
    return svc__store_then_make(store, req, key, &op, then, arg);
}
