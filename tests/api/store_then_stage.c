/* The app, backend and handlers that the tests of calls on event loops share. */
#include "tests/api/store_then_stage.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/quiet_app.h"

svc_app *late_app;

void open_late_app(void)
{
    late_app = quiet_app_new("test");
}

void close_late_app(void)
{
    svc_app_free(late_app);
}

int get_status(const char *target)
{
    svc_reply *reply = svc_app_test_get(late_app, target);
    int status = svc_reply_status(reply);
    svc_reply_free(reply);
    return status;
}

void expect_text(const char *target, int status, const char *text)
{
    svc_reply *reply = svc_app_test_get(late_app, target);
    cr_expect_eq(svc_reply_status(reply), status, "%s: %d", target, svc_reply_status(reply));
    cr_expect_str_eq(svc_reply_body(reply, NULL), text);
    svc_reply_free(reply);
}

/* ---- A backend that answers when the test wants it */

enum pace pace;
static svc_loop *late_loop;
svc_sys_store_op *waiting[MOST]; /* submitted, and not answered */
int waiting_count, batches, batch_sizes[MOST], forgotten, begun, ended, next_error;
static bool in_submit;
char last_key[256];
svc_store *late;

static int open_late(svc_app *of, const svc_sys_store_place *place, void *arg, void **state,
                     const char **why)
{
    (void)of, (void)place, (void)why;
    *state = arg;
    return 0;
}

static void close_late(void *state)
{
    (void)state;
    cr_expect_eq(begun, ended, "no loop has a part of a store that closes");
}

static void run_late(void *state, svc_sys_store_op *first, uint64_t wait_ms)
{
    (void)state, (void)wait_ms;
    for (svc_sys_store_op *op = first; op; op = op->next)
        op->error = SVC_ENOTFOUND;
}

static int begin_late(void *state, svc_loop *loop, void **loop_state)
{
    (void)state;
    late_loop = loop;
    begun += !next_error;
    *loop_state = &late_loop;
    return next_error;
}

static void end_late(void *loop_state)
{
    cr_expect_eq(loop_state, &late_loop);
    cr_expect_eq(waiting_count, 0, "no operation is under way");
    ended++;
}

/* The value is the key. */
static void answer(svc_sys_store_op *op)
{
    op->error = next_error;
    op->version = 77;
    op->number = 42;
    if (op->kind == SVC_SYS_STORE_LIMIT)
        *op->verdict = (svc_store_verdict){.pass = true, .quotas = {{.remaining = 9}}};
    size_t len = op->key_len - op->space_len;
    char *data = op->kind == SVC_SYS_STORE_GET ? svc_sys_store_alloc(op, len) : NULL;
    if (data)
        memcpy(data, op->key + op->space_len, len);
    svc_sys_store_done(op);
}

void answer_all(void *arg)
{
    int count = waiting_count;
    (void)arg;
    waiting_count = 0;
    for (int i = 0; i < count; i++)
        answer(waiting[pace == REVERSED ? count - 1 - i : i]);
}

static void submit_late(void *loop_state, svc_sys_store_op *first)
{
    cr_expect_eq(loop_state, &late_loop);
    cr_assert_not(in_submit, "a callback's calls are submitted later");
    in_submit = true;
    for (svc_sys_store_op *op = first; op; op = op->next) {
        cr_expect_null(op->owned);
        op->owned = &waiting[waiting_count];
        waiting[waiting_count++] = op;
        batch_sizes[batches]++;
        memcpy(last_key, op->key, op->key_len);
        last_key[op->key_len] = '\0';
    }
    batches++;
    if (pace == AT_ONCE)
        answer_all(NULL);
    else if (pace != NEVER)
        cr_assert_eq(svc_loop_post(late_loop, answer_all, NULL), 0);
    in_submit = false;
}

static void forget_late(void *loop_state, svc_sys_store_op *op)
{
    cr_expect_eq(loop_state, &late_loop);
    svc_sys_store_op **place = op->owned;
    cr_assert_eq(*place, op, "it was submitted and not answered");
    *place = waiting[--waiting_count];
    (*place)->owned = place;
    forgotten++;
}

svc_sys_store late_backend(void)
{
    svc_sys_store backend = SVC_SYS_STORE_INIT;
    backend.scheme = "late";
    backend.waits = 1;
    backend.open = open_late;
    backend.close = close_late;
    backend.run = run_late;
    backend.begin_loop = begin_late;
    backend.end_loop = end_late;
    backend.submit = submit_late;
    backend.forget = forget_late;
    return backend;
}

void open_late_store(const char *url, enum pace how)
{
    const svc_sys_store backend = late_backend();
    cr_assert_eq(svc_sys_app_add_store(late_app, &backend), 0);
    late = svc_store_open(late_app, url);
    cr_assert_not_null(late);
    pace = how;
}

/* ---- Handlers that gather answers */

bool in_call;

void gather(const svc_store_answer *given, void *arg)
{
    struct gathered *all = arg;
    cr_expect_not(in_call, "a callback is never within the call");
    all->errors[all->count++] = given->error;
    size_t len = strlen(all->text);
    snprintf(all->text + len, sizeof all->text - len, "%s ",
             given->value.data ? (const char *)given->value.data : svc_error_name(given->error));
    cr_expect_null(given->value.own);
    cr_expect_null(given->verdict);
    if (all->count < all->wanted)
        return;
    svc_response *res = svc_response_new();
    svc_response_copy(res, 200, "text/plain", all->text, strlen(all->text));
    (void)svc_pending_complete(all->pending, res);
    svc_pending_unref(all->pending);
}

struct gathered *defer(svc_request *req, svc_store *store, int wanted)
{
    struct gathered *all = svc_request_alloc(req, sizeof *all);
    *all = (struct gathered){.store = store, .wanted = wanted};
    all->pending = svc_request_defer(req, NULL, NULL);
    cr_assert_not_null(all->pending);
    return all;
}

svc_store *asked;

int get_three(svc_request *req, svc_response *res)
{
    static const char *const keys[] = {"one", "two", "three"};
    struct gathered *all = defer(req, asked, 3);
    (void)res;
    in_call = true;
    for (int i = 0; i < 3; i++)
        cr_assert_eq(svc_store_get_then(asked, req, keys[i], gather, all), 0);
    in_call = false;
    return 0;
}

int set_text(svc_store *store, const char *key, const char *text)
{
    svc_store_value value = {text, strlen(text), 0, NULL};
    return svc_store_set(store, NULL, key, &value, 0);
}

void add_late_route(const char *pattern, svc_handler *handler, unsigned flags, unsigned timeout_ms)
{
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = pattern;
    route.handler = handler;
    route.flags = flags;
    route.timeout_ms = timeout_ms;
    svc_app_route(late_app, &route);
}
