/* Calls of stores on event loops: on memory, and on a backend of the test. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/api/store_then_stage.h"

TestSuite(store_then, .init = open_late_app, .fini = close_late_app);

enum { LONG_BYTES = 5000 };

Test(store_then, memory_answers_in_the_next_turn)
{
    asked = svc_store_open(late_app, NULL);
    svc_app_get(late_app, "/", get_three, NULL);
    cr_assert_eq(svc_test_store(late_app), asked);
    set_text(asked, "one", "1");
    set_text(asked, "three", "3");
    expect_text("/", 200, "1 SVC_ENOTFOUND 3 ");
    cr_expect_eq(svc_test_metric(late_app, "svc_store_operations_total{backend=\"memory\","
                                           "operation=\"get\",outcome=\"ok\"}"),
                 2);
    cr_expect_eq(svc_test_metric(late_app, "svc_store_operations_total{backend=\"memory\","
                                           "operation=\"get\",outcome=\"miss\"}"),
                 1);
}

Test(store_then, the_calls_of_a_turn_are_submitted_together)
{
    open_late_store("late:", NEXT_TURN);
    asked = late;
    svc_app_get(late_app, "/", get_three, NULL);
    expect_text("/", 200, "one two three ");
    cr_expect_eq(batches, 1);
    cr_expect_eq(batch_sizes[0], 3);
    cr_expect_str_eq(last_key, "test:three");
    cr_expect_eq(forgotten, 0);
    cr_expect_eq(svc_test_metric(late_app, "svc_store_operations_total{backend=\"late\","
                                           "operation=\"get\",outcome=\"ok\"}"),
                 3);
    cr_expect_eq(svc_test_metric(late_app, "svc_store_call_duration_seconds_count{backend=\"late\","
                                           "operation=\"get\"}"),
                 3);
}

Test(store_then, a_backend_may_answer_within_submit_or_in_another_order)
{
    open_late_store("late:", AT_ONCE);
    asked = late;
    svc_app_get(late_app, "/", get_three, NULL);
    expect_text("/", 200, "one two three ");
    pace = REVERSED;
    expect_text("/", 200, "three two one ");
    cr_expect_eq(batches, 2);
}

Test(store_then, each_error_reaches_its_caller)
{
    static const int errors[] = {SVC_ENOTFOUND, SVC_ECONFLICT, SVC_EUNAVAILABLE, SVC_ETIMEDOUT,
                                 SVC_ETOOBIG,   SVC_ESYNTAX,   SVC_ENOMEM};
    open_late_store("late:", NEXT_TURN);
    asked = late;
    svc_app_get(late_app, "/", get_three, NULL);
    cr_assert_not_null(svc_test_store(late_app));
    cr_assert_eq(get_status("/"), 200);
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        char text[80];
        next_error = errors[i];
        const char *name = svc_error_name(next_error);
        snprintf(text, sizeof text, "%s %s %s ", name, name, name);
        expect_text("/", 200, text);
    }
    next_error = 0;
}

/* ---- Time */

Test(store_then, a_call_ends_at_the_time_limit_of_the_store)
{
    open_late_store("late:?timeout_ms=20", NEVER);
    asked = late;
    svc_app_get(late_app, "/", get_three, NULL);
    expect_text("/", 200, "SVC_ETIMEDOUT SVC_ETIMEDOUT SVC_ETIMEDOUT ");
    cr_expect_eq(forgotten, 3);
    cr_expect_eq(waiting_count, 0);
    cr_expect_eq(svc_test_metric(late_app, "svc_store_operations_total{backend=\"late\","
                                           "operation=\"get\",outcome=\"timed_out\"}"),
                 3);
}

static struct gathered left;

static int ask_until_deadline(svc_request *req, svc_response *res)
{
    (void)res;
    left = (struct gathered){.wanted = 1, .pending = svc_request_defer(req, NULL, NULL)};
    return svc_store_get_then(late, req, "key", gather, &left);
}

Test(store_then, a_call_ends_at_the_deadline_of_its_request)
{
    open_late_store("late:?timeout_ms=86400000", NEVER);
    add_late_route("GET /", ask_until_deadline, 0, 100);
    int status = get_status("/");
    cr_expect(status == 504 || status == 200, "by the call's end or the deadline, which are one");
    svc_app_free(late_app); /* which waits for the holder of the pending answer */
    cr_expect_eq(left.count, 1);
    cr_expect_eq(left.errors[0], SVC_ETIMEDOUT);
    cr_expect_eq(forgotten, 1);
    open_late_app();
}

/* ---- Arguments and states */

static int wrong_count;

static void never(const svc_store_answer *given, void *arg)
{
    (void)given, (void)arg;
    wrong_count++;
}

static int make_wrong_calls(svc_request *req, svc_response *res)
{
    static const char text[301];
    static const svc_rate_window bad_window = {NULL, 0, 1, 1};
    const svc_store_charge bad_charge = {&bad_window, 1, 1};
    svc_store_value value = {text, 256, 0, NULL}, bad = {NULL, 1, 0, NULL},
                    big = {text, 257, 0, NULL};
    cr_expect_eq(svc_store_get_then(asked, req, "key", NULL, NULL), SVC_EINVAL);
    cr_expect_eq(svc_store_get_then(asked, req, "a key", never, NULL), SVC_EINVAL);
    cr_expect_eq(svc_store_get_then(asked, req, NULL, never, NULL), SVC_EINVAL);
    cr_expect_eq(svc_store_get_then(NULL, req, "key", never, NULL), SVC_ENOMEM);
    cr_expect_eq(svc_store_set_then(asked, req, "key", NULL, 0, never, NULL), SVC_EINVAL);
    cr_expect_eq(svc_store_add_then(asked, req, "key", &bad, 0, never, NULL), SVC_EINVAL);
    cr_expect_eq(svc_store_set_then(asked, req, "key", &big, 0, never, NULL), SVC_ETOOBIG);
    cr_expect_eq(svc_store_set_then(asked, req, "key", &value, SVC_STORE_TTL_MS + 1, never, NULL),
                 SVC_EINVAL);
    cr_expect_eq(svc_store_compare_and_set_then(asked, req, "key", &value, UINT64_MAX, never, NULL),
                 SVC_EINVAL);
    cr_expect_eq(svc_store_increment_then(asked, req, "key", UINT64_MAX, 0, never, NULL),
                 SVC_EINVAL);
    cr_expect_eq(svc_store_limit_then(asked, req, "key", NULL, never, NULL), SVC_EINVAL);
    cr_expect_eq(svc_store_limit_then(asked, req, "key", &bad_charge, never, NULL), SVC_EINVAL);
    return svc_response_text(res, 200, "ok");
}

Test(store_then, a_call_that_is_refused_has_no_answer)
{
    asked = svc_store_open(late_app, "memory:?max_value=256&bytes=65536");
    svc_app_get(late_app, "/", make_wrong_calls, NULL);
    cr_expect_eq(svc_store_get_then(asked, NULL, "key", never, NULL), SVC_ESTATE);
    cr_expect_eq(get_status("/"), 200);
    cr_expect_eq(svc_store_get_then(asked, NULL, "key", never, NULL), SVC_ESTATE,
                 "no loop's thread");
    svc_app_free(late_app);
    cr_expect_eq(wrong_count, 0);
    open_late_app();
}

static int got;

static int call_then(svc_request *req, svc_response *res)
{
    got = svc_store_get_then(asked, req, "key", never, NULL);
    return svc_response_text(res, 200, "ok");
}

Test(store_then, a_worker_is_no_loop)
{
    asked = svc_store_open(late_app, NULL);
    add_late_route("GET /", call_then, SVC_BLOCKING, 0);
    cr_expect_eq(get_status("/"), 200);
    cr_expect_eq(got, SVC_ESTATE);
}

static size_t table_size;

static void open_blocking(int waits)
{
    svc_sys_store backend = late_backend();
    backend.waits = waits;
    if (table_size == 0) {
        backend.begin_loop = NULL;
        backend.end_loop = NULL;
        backend.submit = NULL;
        backend.forget = NULL;
    } else {
        backend.size = table_size;
    }
    cr_assert_eq(svc_sys_app_add_store(late_app, &backend), 0);
    asked = svc_store_open(late_app, "late:");
}

Test(store_then, a_backend_that_can_only_be_waited_for_is_refused)
{
    open_blocking(1);
    svc_app_get(late_app, "/", call_then, NULL);
    cr_expect_eq(get_status("/"), 200);
    cr_expect_eq(got, SVC_ESTATE);
    cr_expect_eq(begun, 0);
}

/* The rest of an older library's table is not looked at. */
Test(store_then, a_table_without_the_way_of_loops_is_shorter)
{
    table_size = offsetof(svc_sys_store, begin_loop);
    open_blocking(0);
    svc_app_get(late_app, "/", get_three, NULL);
    expect_text("/", 200, "SVC_ENOTFOUND SVC_ENOTFOUND SVC_ENOTFOUND ");
    cr_expect_eq(begun, 0);
}

Test(store_then, a_backend_has_all_functions_for_loops_or_none)
{
    svc_sys_store backend = late_backend();
    backend.forget = NULL;
    cr_expect_eq(svc_sys_app_add_store(late_app, &backend), SVC_EINVAL);
    backend = late_backend();
    backend.submit = NULL;
    cr_expect_eq(svc_sys_app_add_store(late_app, &backend), SVC_EINVAL);
    backend = late_backend();
    backend.begin_loop = NULL;
    cr_expect_eq(svc_sys_app_add_store(late_app, &backend), SVC_EINVAL);
    backend = late_backend();
    backend.end_loop = NULL;
    cr_expect_eq(svc_sys_app_add_store(late_app, &backend), SVC_EINVAL);
    backend = late_backend();
    cr_expect_eq(svc_sys_app_add_store(late_app, &backend), 0);
    svc_app_free(late_app);
    open_late_app();
}

/* It has loops of its own. */
Test(store_then, a_loop_of_the_admin_app_is_another_one)
{
    open_late_store("late:", NEVER);
    asked = late;
    svc_app *admin = svc_app_admin(late_app);
    svc_app_get(admin, "/ask", call_then, NULL);
    svc_reply *reply = svc_app_test_get(admin, "/ask");
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_eq(got, SVC_ESTATE);
    svc_reply_free(reply);
}

/* ---- What each call gives */

struct wanted {
    int error;
    uint64_t version, number;
};

static int checked;

static void check_answer(const svc_store_answer *given, void *arg)
{
    const struct wanted *wanted = arg;
    cr_expect_eq(given->error, wanted->error);
    cr_expect_eq(given->value.version, wanted->version);
    cr_expect_eq(given->number, wanted->number);
    cr_expect_null(given->value.data);
    cr_expect_null(given->verdict);
    checked++;
}

static void check_verdict(const svc_store_answer *given, void *arg)
{
    (void)arg;
    cr_assert_not_null(given->verdict);
    cr_expect(given->verdict->pass);
    cr_expect_eq(given->verdict->quotas[0].remaining, 9);
    checked++;
}

/* Arguments that end when the call has returned. */
static int make_each_call(svc_request *req, svc_response *res)
{
    static struct wanted plain, with_version = {.version = 77}, with_number = {.number = 42};
    char key[] = "key", text[] = "text";
    svc_rate_window window = {key, 10, 1, 10};
    svc_store_charge charge = {&window, 1, 1};
    svc_store_value value = {text, 4, 5, NULL};
    cr_expect_eq(svc_store_set_then(late, req, key, &value, 9, check_answer, &plain), 0);
    cr_expect_eq(svc_store_add_then(late, req, key, &value, 9, check_answer, &with_version), 0);
    cr_expect_eq(
        svc_store_compare_and_set_then(late, req, key, &value, 9, check_answer, &with_version), 0);
    cr_expect_eq(svc_store_delete_then(late, req, key, check_answer, &plain), 0);
    cr_expect_eq(svc_store_compare_and_delete_then(late, req, key, 6, check_answer, &plain), 0);
    cr_expect_eq(svc_store_increment_then(late, req, key, 7, 8, check_answer, &with_number), 0);
    cr_expect_eq(svc_store_limit_then(late, req, key, &charge, check_verdict, NULL), 0);
    memset(key, '#', 3);
    memset(text, '#', 4);
    window.rate = charge.cost = 0;
    return svc_response_text(res, 200, "ok");
}

Test(store_then, a_backend_gets_copies_of_the_arguments)
{
    static const int kinds[] = {SVC_SYS_STORE_SET,    SVC_SYS_STORE_ADD,    SVC_SYS_STORE_REPLACE,
                                SVC_SYS_STORE_DELETE, SVC_SYS_STORE_DELETE, SVC_SYS_STORE_INCREMENT,
                                SVC_SYS_STORE_LIMIT};
    open_late_store("late:?namespace=n", NEVER);
    svc_app_get(late_app, "/", make_each_call, NULL);
    cr_expect_eq(get_status("/"), 200);
    cr_assert_eq(waiting_count, 7);
    for (int i = 0; i < 7; i++) {
        const svc_sys_store_op *op = waiting[i];
        cr_expect_eq(op->kind, kinds[i]);
        cr_expect_eq(op->size, sizeof *op);
        cr_expect_eq(op->space_len, 2);
        cr_assert_eq(op->key_len, 5);
        cr_expect_eq(memcmp(op->key, "n:key", 5), 0);
    }
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(waiting[i]->len, 4);
        cr_expect_eq(memcmp(waiting[i]->data, "text", 4), 0);
        cr_expect_eq(waiting[i]->ttl_ms, 9);
    }
    cr_expect(waiting[2]->compares);
    cr_expect_eq(waiting[2]->version, 5);
    cr_expect_not(waiting[3]->compares);
    cr_expect(waiting[4]->compares);
    cr_expect_eq(waiting[4]->version, 6);
    cr_expect_eq(waiting[5]->number, 7);
    cr_expect_eq(waiting[5]->ttl_ms, 8);
    cr_expect_eq(waiting[6]->charge->cost, 1);
    cr_expect_eq(waiting[6]->charge->windows[0].rate, 10);
    cr_expect_null(waiting[6]->charge->windows[0].name);
    cr_expect_eq(checked, 0);
    answer_all(NULL);
    cr_expect_eq(checked, 7);
}

/* ---- Memory of values */

static char long_text[LONG_BYTES + 1];

static void answer_with_value(const svc_store_answer *given, void *arg)
{
    svc_pending *pending = arg;
    svc_response *res = svc_response_new();
    cr_expect_eq(given->error, 0);
    if (svc_pending_request(pending) == NULL || given->error)
        svc_response_problem(res, 500, NULL);
    else
        svc_response_copy(res, 200, "text/plain", given->value.data, given->value.len);
    (void)svc_pending_complete(pending, res);
    svc_pending_unref(pending);
}

static int get_note(svc_request *req, svc_response *res)
{
    svc_pending *pending = svc_request_defer(req, NULL, NULL);
    bool own = svc_request_query(req, "own");
    (void)res;
    return svc_store_get_then(asked, own ? NULL : req, svc_request_param(req, "id"),
                              answer_with_value, pending);
}

Test(store_then, a_value_is_read_with_and_without_a_request)
{
    asked = svc_store_open(late_app, NULL);
    svc_app_get(late_app, "/{id}", get_note, NULL);
    cr_assert_eq(svc_test_store(late_app), asked);
    memset(long_text, 'v', LONG_BYTES);
    set_text(asked, "short", "a text");
    set_text(asked, "long", long_text);
    expect_text("/short", 200, "a text");
    expect_text("/short?own=1", 200, "a text");
    expect_text("/long", 200, long_text);
    expect_text("/long?own=1", 200, long_text);
}

/* ---- Calls in callbacks */

static void ask_again(const svc_store_answer *given, void *arg)
{
    struct gathered *all = arg;
    char key[8];
    cr_expect_eq(given->error, 0);
    all->count++;
    if (all->count == all->wanted) {
        all->count--;
        gather(given, all);
        return;
    }
    snprintf(key, sizeof key, "k%d", all->count);
    cr_expect_eq(
        svc_store_get_then(all->store, svc_pending_request(all->pending), key, ask_again, all), 0);
}

static int get_chain(svc_request *req, svc_response *res)
{
    (void)res;
    return svc_store_get_then(asked, req, "k0", ask_again, defer(req, asked, 5));
}

Test(store_then, a_callback_may_make_calls)
{
    open_late_store("late:", AT_ONCE);
    asked = late;
    svc_app_get(late_app, "/", get_chain, NULL);
    expect_text("/", 200, "k4 ");
    cr_expect_eq(batches, 5);
    pace = NEXT_TURN;
    expect_text("/", 200, "k4 ");
    cr_expect_eq(batches, 10);
}

/* ---- Several stores, and mounted apps */

static svc_store *second;

static int ask_both(svc_request *req, svc_response *res)
{
    struct gathered *all = defer(req, NULL, 3);
    (void)res;
    int error = svc_store_get_then(late, req, "first", gather, all);
    error = error ? error : svc_store_get_then(second, req, "second", gather, all);
    return error ? error : svc_store_get_then(asked, req, "memory", gather, all);
}

Test(store_then, several_stores_are_asked_at_once)
{
    open_late_store("late:", NEXT_TURN);
    second = svc_store_open(late_app, "late:?namespace=second");
    asked = svc_store_open(late_app, "memory:");
    svc_app_get(late_app, "/", ask_both, NULL);
    expect_text("/", 200, "SVC_ENOTFOUND first second ");
    cr_expect_eq(begun, 2);
    svc_app_free(late_app);
    cr_expect_eq(ended, 2);
    open_late_app();
}

Test(store_then, a_mounted_app_calls_on_the_loops_of_the_outer_one)
{
    svc_app *inner = svc_app_new("inner");
    const svc_sys_store backend = late_backend();
    cr_assert_eq(svc_sys_app_add_store(late_app, &backend), 0);
    asked = late = svc_store_open(inner, "late:");
    svc_app_get(inner, "/", get_three, NULL);
    svc_app_mount(late_app, "/inner", inner);
    expect_text("/inner/", 200, "one two three ");
    cr_expect_str_eq(last_key, "inner:three");
}
