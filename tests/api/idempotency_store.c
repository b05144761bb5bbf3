/* Idempotency keys on stores that fail, and on one that is asked by event loops without a wait. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <svc/sys/store.h>

#include "tests/api/idempotency_stage.h"
#include "tests/support/shared_store.h"

TestSuite(idempotency_store, .init = open_payments, .fini = close_payments);

/* ---- A store that fails */

/* The kind of the calls that fail; -1: all. -2: a key is taken at each attempt, and gone at each
 * look. */
static int store_error, store_kind = -1;

static int error_of(int kind)
{
    if (store_kind == -2)
        return kind == SVC_SYS_STORE_ADD ? SVC_ECONFLICT : SVC_ENOTFOUND;
    return store_kind < 0 || kind == store_kind ? store_error : 0;
}

static int open_failing(svc_app *of, const svc_sys_store_place *place, void *arg, void **state,
                        const char **why)
{
    (void)of, (void)place, (void)why;
    *state = arg;
    return 0;
}

static void close_failing(void *state)
{
    (void)state;
}

static void run_failing(void *state, svc_sys_store_op *first, uint64_t wait_ms)
{
    (void)state, (void)wait_ms;
    for (svc_sys_store_op *op = first; op; op = op->next) {
        op->error = error_of(op->kind);
        if (op->kind == SVC_SYS_STORE_GET && !op->error) {
            char *data = svc_sys_store_alloc(op, 5);
            if (data)
                memcpy(data, "wrong", 5);
        }
    }
}

static void open_failing_store(unsigned flags, int waits)
{
    svc_sys_store backend = SVC_SYS_STORE_INIT;
    backend.scheme = "fails";
    backend.waits = waits;
    backend.open = open_failing;
    backend.close = close_failing;
    backend.run = run_failing;
    cr_assert_eq(svc_sys_app_add_store(payments_app, &backend), 0);
    svc_idempotency keys = by_authorization();
    keys.store = svc_store_open(payments_app, "fails:");
    keys.flags = flags;
    add_payments(&keys);
}

Test(idempotency_store, a_store_that_is_down_stops_what_has_a_key)
{
    open_failing_store(0, 0);
    store_error = SVC_EUNAVAILABLE;
    svc_reply *reply = post("ada", "\"k\"", "body");
    cr_expect_str_eq(svc_reply_header(reply, "Retry-After"), "1");
    expect_reply(reply, 503, "store");
    expect_reply(post("ada", NULL, "body"), 201, "payment 1");
    cr_expect_eq(svc_test_metric(payments_app, "svc_idempotency_store_failures_total"), 1);
}

Test(idempotency_store, or_lets_it_pass_where_the_options_say_so)
{
    open_failing_store(SVC_IDEMPOTENCY_FAIL_OPEN, 0);
    store_error = SVC_ETIMEDOUT;
    expect_reply(post("ada", "\"k\"", "body"), 201, "payment 1");
    expect_reply(post("ada", "\"k\"", "body"), 201, "payment 2");
    cr_expect_eq(svc_test_metric(payments_app, "svc_idempotency_store_failures_total"), 2);
}

Test(idempotency_store, an_answer_goes_out_though_the_store_fails_to_keep_it)
{
    open_failing_store(0, 0);
    store_kind = SVC_SYS_STORE_REPLACE;
    store_error = SVC_EUNAVAILABLE;
    expect_reply(post("ada", "\"k\"", "body"), 201, "payment 1");
    store_kind = SVC_SYS_STORE_DELETE;
    next_status = 500;
    expect_reply(post("ada", "\"k\"", "body"), 500, "payment 2");
    cr_expect_eq(svc_test_metric(payments_app, "svc_idempotency_store_failures_total"), 2);
}

Test(idempotency_store, a_value_that_is_no_record_is_a_failure)
{
    open_failing_store(0, 0);
    store_kind = SVC_SYS_STORE_ADD;
    store_error = SVC_ECONFLICT;
    expect_reply(post("ada", "\"k\"", "body"), 503, "store");
    cr_expect_eq(handled, 0);
}

Test(idempotency_store, a_store_that_waits_is_asked_on_workers)
{
    open_failing_store(SVC_IDEMPOTENCY_BLOCKING, 1);
    expect_reply(post("ada", "\"k\"", "body"), 201, "payment 1");
    cr_expect_eq(svc_test_metric(payments_app, "svc_idempotency_store_failures_total"), 0);
}

Test(idempotency_store, a_key_that_comes_and_goes_is_a_conflict)
{
    open_failing_store(0, 0);
    store_kind = -2;
    expect_reply(post("ada", "\"k\"", "body"), 409, "under way");
    cr_expect_eq(handled, 0);
}

/* ---- A store that waits, asked on a loop */

static char shared_path[64], shared_url[128];

static void open_shared_store(void)
{
    snprintf(shared_path, sizeof shared_path, "/tmp/svc-idempotency-XXXXXX");
    int fd = mkstemp(shared_path);
    cr_assert_geq(fd, 0);
    close(fd);
    snprintf(shared_url, sizeof shared_url, "shared:%s?max_value=5000", shared_path);
    cr_assert_eq(shared_store_use(payments_app), 0);
    svc_idempotency keys = by_authorization();
    keys.store = svc_store_open(payments_app, shared_url);
    keys.grace_ms = 1000;
    add_payments(&keys);
}

static int pay_silently(svc_request *req, svc_response *res)
{
    (void)req;
    handled++;
    return svc_response_empty(res, 204);
}

static int pay_later(svc_request *req, svc_response *res)
{
    svc_pending *pending = svc_request_defer(req, NULL, NULL);
    svc_response *answer = svc_response_new();
    (void)res;
    svc_response_text(answer, 201, ++handled == 2 ? "the second" : "another");
    svc_pending_complete(pending, answer);
    svc_pending_unref(pending);
    return 0;
}

Test(idempotency_store, an_answer_is_kept_before_its_client_has_it)
{
    open_shared_store();
    svc_group_post(payments_group, "/silent", pay_silently, NULL);
    svc_group_post(payments_group, "/later", pay_later, NULL);
    expect_reply(post("ada", "\"1\"", "body"), 201, "payment 1");
    expect_reply(post("ada", "\"1\"", "body"), 201, "payment 1");
    expect_reply(send_to("POST", "/later", "ada", "\"2\"", "body"), 201, "the second");
    expect_reply(send_to("POST", "/later", "ada", "\"2\"", "body"), 201, "the second");
    expect_reply(send_to("POST", "/silent", "ada", "\"3\"", "body"), 204, "");
    svc_reply *again = send_to("POST", "/silent", "ada", "\"3\"", "body");
    cr_expect_str_eq(svc_reply_header(again, "Idempotent-Replayed"), "true");
    expect_reply(again, 204, "");
    expect_reply(post("ada", "\"1\"", "Body"), 422, "another request");
    cr_expect_eq(handled, 3);
    cr_expect_eq(svc_test_metric(payments_app, "svc_idempotency_store_failures_total"), 0);
    unlink(shared_path);
}

Test(idempotency_store, a_key_is_free_before_its_client_has_the_error)
{
    open_shared_store();
    next_status = 500;
    expect_reply(post("ada", "\"1\"", "body"), 500, "payment 1");
    next_status = 201;
    expect_reply(post("ada", "\"1\"", "body"), 201, "payment 2");
    unlink(shared_path);
}

static int pay_at_length(svc_request *req, svc_response *res)
{
    static char text[6001];
    (void)req;
    handled++;
    memset(text, 'a', sizeof text - 1);
    return svc_response_text(res, 201, text);
}

Test(idempotency_store, an_answer_too_large_for_a_store_that_waits_is_not_kept)
{
    open_shared_store();
    svc_group_post(payments_group, "/long", pay_at_length, NULL);
    svc_reply_free(send_to("POST", "/long", "ada", "\"1\"", "body"));
    svc_reply *reply = send_to("POST", "/long", "ada", "\"1\"", "body");
    while (strstr(svc_reply_body(reply, NULL), "under way")) { /* the mark is written later */
        svc_reply_free(reply);
        reply = send_to("POST", "/long", "ada", "\"1\"", "body");
    }
    expect_reply(reply, 409, "could not be kept");
    cr_expect_eq(svc_test_metric(payments_app, "svc_idempotency_too_large_total"), 1);
    cr_expect_eq(handled, 1);
    unlink(shared_path);
}

Test(idempotency_store, a_store_that_is_gone_stops_what_has_a_key_on_a_loop)
{
    open_shared_store();
    expect_reply(post("ada", "\"k\"", "body"), 201, "payment 1");
    unlink(shared_path);
    expect_reply(post("ada", "\"l\"", "body"), 503, "store");
    cr_expect_eq(handled, 1);
}

/* ---- A store that gives keys, and does not answer when a record is to be kept */

static svc_sys_store_op *unanswered;
static int times_forgotten;

static int begin_silent(void *state, svc_loop *loop, void **loop_state)
{
    (void)loop;
    *loop_state = state;
    return 0;
}

static void end_silent(void *loop_state)
{
    (void)loop_state;
}

static void submit_silent(void *loop_state, svc_sys_store_op *first)
{
    (void)loop_state;
    svc_sys_store_op *next;
    for (svc_sys_store_op *op = first; op; op = next) {
        next = op->next;
        if (op->kind == SVC_SYS_STORE_ADD)
            svc_sys_store_done(op);
        else
            unanswered = op;
    }
}

static void forget_silent(void *loop_state, svc_sys_store_op *op)
{
    (void)loop_state;
    cr_expect_eq(op, unanswered);
    times_forgotten++;
}

static void open_silent_store(const char *url)
{
    svc_sys_store backend = SVC_SYS_STORE_INIT;
    backend.scheme = "silent";
    backend.waits = 1;
    backend.open = open_failing;
    backend.close = close_failing;
    backend.run = run_failing;
    backend.begin_loop = begin_silent;
    backend.end_loop = end_silent;
    backend.submit = submit_silent;
    backend.forget = forget_silent;
    cr_assert_eq(svc_sys_app_add_store(payments_app, &backend), 0);
    svc_idempotency keys = by_authorization();
    keys.store = svc_store_open(payments_app, url);
    add_payments(&keys);
}

Test(idempotency_store, an_answer_waits_for_a_silent_store_for_the_stores_time_limit)
{
    open_silent_store("silent:?timeout_ms=200");
    expect_reply(post("ada", "\"k\"", "body"), 201, "payment 1");
    cr_expect_eq(times_forgotten, 1);
    cr_expect_eq(svc_test_metric(payments_app, "svc_idempotency_store_failures_total"), 1);
    next_status = 500;
    expect_reply(post("ada", "\"k\"", "body"), 500, "payment 2");
    cr_expect_eq(times_forgotten, 2, "the key is freed under the same limit");
}

static void add_short(svc_handler *handler)
{
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "POST /short";
    route.handler = handler;
    route.timeout_ms = 500; /* for the handler to begin */
    svc_group_route(payments_group, &route);
}

static void expect_given_up(void)
{
    expect_reply(send_to("POST", "/short", "ada", "\"k\"", "body"), 504, "");
    cr_expect_eq(handled, 1);
    cr_expect_not_null(unanswered);
    cr_expect_eq(times_forgotten, 0);
    close_payments(); /* which waits until the layer has resumed the request */
    cr_expect_eq(times_forgotten, 1);
    open_payments();
}

Test(idempotency_store, and_no_longer_than_the_request_has)
{
    open_silent_store("silent:?timeout_ms=2000");
    add_short(pay);
    expect_given_up();
}

Test(idempotency_store, nor_does_an_answer_that_was_deferred)
{
    open_silent_store("silent:?timeout_ms=2000");
    add_short(pay_later);
    expect_given_up();
}

Test(idempotency_store, a_client_that_leaves_meanwhile_leaves_the_key_to_its_record)
{
    static const char *const headers[] = {"Authorization", "ada", "Idempotency-Key", "\"1\"", NULL};
    open_silent_store("silent:?timeout_ms=2000");
    svc_test test = SVC_TEST_INIT;
    test.method = "POST";
    test.target = "/payments";
    test.headers = headers;
    test.timeout_ms = 500; /* for the handler to begin */
    svc_reply *reply = svc_app_test(payments_app, &test);
    cr_expect_eq(svc_reply_outcome(reply), SVC_CLIENT_GONE);
    svc_reply_free(reply);
    cr_assert_not_null(unanswered);
    cr_expect_eq(unanswered->kind, SVC_SYS_STORE_REPLACE, "its record is on its way");
}
