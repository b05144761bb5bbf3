/* The apps, store, loaders and callers that the tests of memos share. */
#include "tests/api/memo_stage.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/quiet_app.h"

/* ---- A store that several apps share, and that a test can take down */

static svc_app *keeper; /* whose memory has the values */
svc_store *backing;
_Atomic int down; /* the error of each operation; 0: it is up */
_Atomic int down_for_add;
void (*before_operation)(const svc_sys_store_op *op);
_Atomic unsigned store_calls;

static int open_shared(svc_app *app, const svc_sys_store_place *place, void *arg, void **state,
                       const char **why)
{
    (void)app, (void)place, (void)why;
    *state = arg;
    return 0;
}

static void close_shared(void *state)
{
    (void)state;
}

/* The value that stands for a lease. */
static const char lease_mark[] = "a lease";

static void take_lease(svc_sys_store_op *op, const char *key)
{
    svc_store_value mark = {lease_mark, sizeof lease_mark, 0, NULL};
    op->error = svc_store_add(backing, NULL, key, &mark, op->ttl_ms);
    if (op->error)
        return;
    op->error = SVC_ENOTFOUND;
    op->version = mark.version;
}

static void give_value(svc_sys_store_op *op, const svc_store_value *value)
{
    char *bytes = svc_sys_store_alloc(op, value->len);
    if (bytes)
        memcpy(bytes, value->data, value->len);
    op->version = value->version;
}

static void get_shared(svc_sys_store_op *op, const char *key)
{
    svc_store_value value;
    bool leases = op->kind == SVC_SYS_STORE_LEASE;
    op->error = svc_store_get(backing, NULL, key, &value);
    if (op->error == SVC_ENOTFOUND && leases)
        take_lease(op, key);
    if (op->error)
        return;
    if (value.len == sizeof lease_mark && memcmp(value.data, lease_mark, value.len) == 0)
        op->error = leases ? SVC_ECONFLICT : SVC_ENOTFOUND;
    else
        give_value(op, &value);
    svc_store_value_free(&value);
}

static void run_one(svc_sys_store_op *op)
{
    char key[256];
    svc_store_value value = {op->data, op->len, op->version, NULL};
    memcpy(key, op->key, op->key_len);
    key[op->key_len] = '\0';
    bool adds = op->kind == SVC_SYS_STORE_ADD || op->kind == SVC_SYS_STORE_LEASE;
    store_calls++;
    if (before_operation)
        before_operation(op);
    op->error = down ? down : adds ? down_for_add : 0;
    if (op->error)
        return;
    switch (op->kind) {
    case SVC_SYS_STORE_GET:
    case SVC_SYS_STORE_LEASE:
        get_shared(op, key);
        return;
    case SVC_SYS_STORE_SET:
        op->error = svc_store_set(backing, NULL, key, &value, op->ttl_ms);
        return;
    case SVC_SYS_STORE_ADD:
        op->error = svc_store_add(backing, NULL, key, &value, op->ttl_ms);
        break;
    case SVC_SYS_STORE_REPLACE:
        op->error = svc_store_compare_and_set(backing, NULL, key, &value, op->ttl_ms);
        break;
    default:
        op->error = op->compares ? svc_store_compare_and_delete(backing, NULL, key, op->version)
                                 : svc_store_delete(backing, NULL, key);
    }
    op->version = value.version;
}

static void run_shared(void *state, svc_sys_store_op *first, uint64_t wait_ms)
{
    (void)state, (void)wait_ms;
    for (svc_sys_store_op *op = first; op; op = op->next)
        run_one(op);
}

/* ---- Apps */

svc_app *apps[APPS];
svc_memo *memos[APPS];
const char *store_url = "shared:";
svc_memo_options options;
_Atomic unsigned loads;

static svc_app *new_app(const char *name)
{
    svc_config config = quiet_app_config();
    config.request_timeout_ms = PROCESS_WAIT_MS;
    svc_app *app = svc_app_new(name);
    svc_app_configure(app, &config);
    return app;
}

void open_apps(void)
{
    svc_sys_store backend = SVC_SYS_STORE_INIT;
    backend.open = open_shared;
    backend.close = close_shared;
    backend.run = run_shared;
    keeper = new_app("keeper");
    svc_store_open(keeper, "memory:?max_value=2000000");
    backing = svc_test_store(keeper);
    for (int i = 0; i < APPS; i++) {
        apps[i] = new_app("shop");
        backend.scheme = "shared";
        backend.waits = 1;
        cr_assert_eq(svc_sys_app_add_store(apps[i], &backend), 0);
        backend.scheme = "leasing";
        backend.leases = 1;
        cr_assert_eq(svc_sys_app_add_store(apps[i], &backend), 0);
        backend.leases = 0;
        backend.scheme = "quick"; /* the same for event loops */
        backend.waits = 0;
        cr_assert_eq(svc_sys_app_add_store(apps[i], &backend), 0);
    }
    options = (svc_memo_options)SVC_MEMO_OPTIONS_INIT;
    options.name = "prices";
    options.jitter_percent = 0;
    options.early = 0;
    options.wait_ms = PROCESS_WAIT_MS;
}

void close_apps(void)
{
    for (int i = 0; i < APPS; i++)
        svc_app_free(apps[i]);
    svc_app_free(keeper);
}

void make_memos(int count)
{
    for (int i = 0; i < count; i++) {
        memos[i] = svc_memo_new(apps[i], svc_store_open(apps[i], store_url), &options);
        cr_assert_not_null(memos[i], "%s", svc_app_errors(apps[i]));
        cr_assert_not_null(svc_test_store(apps[i]), "%s", svc_app_errors(apps[i]));
    }
}

void pass_time(uint64_t ms)
{
    for (int i = 0; i < APPS; i++)
        if (memos[i])
            svc_test_memo_age(memos[i], ms);
    svc_test_store_age(backing, ms);
}

double sum_metric(const char *series)
{
    double sum = 0;
    for (int i = 0; i < APPS; i++)
        if (memos[i])
            sum += svc_test_metric(apps[i], series);
    return sum;
}

/* ---- Loaders */

int load_numbered(svc_memo_load *load, const char *key, void *arg)
{
    char text[220];
    (void)arg;
    int len = snprintf(text, sizeof text, "%s %u", key, ++loads);
    return svc_memo_load_value(load, text, (size_t)len);
}

_Atomic bool gate_open;
_Atomic int loading;
_Atomic int gate_error;

int load_at_gate(svc_memo_load *load, const char *key, void *arg)
{
    loading++;
    for (int left_ms = PROCESS_WAIT_MS; !gate_open && left_ms > 0; left_ms--)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    loading--;
    if (!gate_error)
        return load_numbered(load, key, arg);
    loads++;
    return gate_error;
}

int load_error(svc_memo_load *load, const char *key, void *arg)
{
    (void)load, (void)key;
    loads++;
    return *(const int *)arg;
}

/* ---- Calls */

static char got_text[300];

const char *get_by(svc_memo *memo, const char *key, svc_memo_loader *load, void *arg)
{
    svc_store_value value;
    int error = svc_memo_get(memo, NULL, key, load, arg, &value);
    if (error)
        return svc_error_name(error) ? svc_error_name(error) : "another error";
    cr_assert_eq(((const char *)value.data)[value.len], '\0');
    cr_assert_lt(value.len, sizeof got_text);
    memcpy(got_text, value.data, value.len + 1);
    svc_store_value_free(&value);
    return got_text;
}

const char *get_text(svc_memo *memo, const char *key)
{
    return get_by(memo, key, load_numbered, NULL);
}

static void *call_at_gate(void *arg)
{
    struct caller *caller = arg;
    svc_store_value value;
    caller->error = svc_memo_get(caller->memo, NULL, "a", load_at_gate, NULL, &value);
    if (!caller->error) {
        snprintf(caller->text, sizeof caller->text, "%s", (const char *)value.data);
        svc_store_value_free(&value);
    }
    return NULL;
}

struct caller callers[REQUESTS];

void begin_callers(int first, int count, svc_memo *memo)
{
    for (int i = first; i < first + count; i++) {
        callers[i].memo = memo;
        cr_assert_eq(pthread_create(&callers[i].thread, NULL, call_at_gate, &callers[i]), 0);
    }
}

void end_callers(int first, int count)
{
    for (int i = first; i < first + count; i++)
        pthread_join(callers[i].thread, NULL);
}

void expect_all(int first, int count, int error, const char *text)
{
    for (int i = first; i < first + count; i++) {
        cr_expect_eq(callers[i].error, error, "%s", svc_error_text(callers[i].error));
        if (!error)
            cr_expect_str_eq(callers[i].text, text);
    }
}

/* ---- Routes */

svc_memo *asked_memo;
_Atomic int handler_error;

static int get_value(svc_request *req, svc_response *res)
{
    svc_store_value value;
    handler_error = svc_memo_get(asked_memo, req, "a", load_numbered, NULL, &value);
    if (handler_error)
        return svc_response_problem(res, 503, NULL);
    cr_expect_null(value.own, "it belongs to the request");
    return svc_response_copy(res, 200, "text/plain", value.data, value.len);
}

void add_memo_route(svc_app *app, const char *pattern, unsigned flags, unsigned timeout_ms)
{
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = pattern;
    route.handler = get_value;
    route.flags = flags;
    route.timeout_ms = timeout_ms;
    svc_app_route(app, &route);
}

int ask_route(svc_app *app, const char *target, const char *body)
{
    svc_reply *reply = svc_app_test_get(app, target);
    int status = svc_reply_status(reply);
    if (body)
        cr_expect_str_eq(svc_reply_body(reply, NULL), body);
    svc_reply_free(reply);
    return status;
}
