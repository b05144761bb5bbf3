/* Memos on event loops, which no call holds. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/api/memo_stage.h"

TestSuite(memo_then, .init = open_apps, .fini = close_apps);

/* ---- On event loops */

enum { CALLS = 50 };

static svc_memo_loader *loop_loader = load_numbered;
static svc_store_then *loop_then;
static int loop_calls = 1; /* that the handler makes */
static bool with_request;
static int loop_error;             /* of the call itself */
static int answers, answer_errors; /* that have come */
static int last_error;
static char last_text[64];
static svc_pending *loop_pending;
static bool in_call;

static void take_answer(const svc_store_answer *answer, void *arg)
{
    cr_expect_eq(arg, &loop_pending);
    cr_expect_not(in_call, "never within the call");
    answers++;
    answer_errors += answer->error != 0;
    last_error = answer->error;
    last_text[0] = '\0';
    if (!answer->error)
        snprintf(last_text, sizeof last_text, "%s", (const char *)answer->value.data);
    if (answers < loop_calls)
        return;
    svc_response *res = svc_response_new();
    svc_response_text(res, 200, last_error ? svc_error_name(last_error) : last_text);
    svc_pending_complete(loop_pending, res);
    svc_pending_unref(loop_pending);
}

static int get_on_loop(svc_request *req, svc_response *res)
{
    (void)res;
    loop_pending = svc_request_defer(req, NULL, NULL);
    answers = answer_errors = 0;
    in_call = true;
    for (int i = 0; i < loop_calls && !loop_error; i++)
        loop_error = svc_memo_get_then(asked_memo, with_request ? req : NULL, "a", loop_loader,
                                       NULL, loop_then, &loop_pending);
    in_call = false;
    if (loop_error)
        svc_pending_unref(loop_pending); /* unanswered: 500 */
    return 0;
}

static void make_loop_memo(void)
{
    store_url = "quick:";
    loop_then = take_answer;
    svc_app_get(apps[0], "/", get_on_loop, NULL);
    make_memos(1);
    asked_memo = memos[0];
}

Test(memo_then, a_loop_gets_what_is_loaded_or_stored)
{
    make_loop_memo();
    for (int i = 0; i < 4; i++) {
        with_request = i % 2;
        cr_expect_eq(ask_route(apps[0], "/", "a 1"), 200);
    }
    cr_expect_eq(loads, 1);
    cr_expect_eq(LOOKUPS("miss"), 1);
    cr_expect_eq(LOOKUPS("hit"), 3);
    svc_memo_forget(memos[0], NULL, "a");
    cr_expect_eq(ask_route(apps[0], "/", "a 2"), 200, "loaded for a request");
}

static int load_nothing(svc_memo_load *load, const char *key, void *arg)
{
    (void)load, (void)key, (void)arg;
    loads++;
    return SVC_ENOTFOUND;
}

static int fail_load(svc_memo_load *load, const char *key, void *arg)
{
    (void)load, (void)key, (void)arg;
    loads++;
    return SVC_ESYSTEM;
}

Test(memo_then, a_loop_gets_the_errors_of_loads)
{
    options.stale_error_ms = 60000;
    make_loop_memo();
    loop_loader = load_nothing;
    cr_expect_eq(ask_route(apps[0], "/", "SVC_ENOTFOUND"), 200);
    cr_expect_eq(ask_route(apps[0], "/", "SVC_ENOTFOUND"), 200);
    cr_expect_eq(loads, 1);
    pass_time(10000);
    loop_loader = fail_load;
    cr_expect_eq(ask_route(apps[0], "/", "SVC_ESYSTEM"), 200);
    pass_time(1010);
    loop_loader = load_numbered;
    cr_expect_eq(ask_route(apps[0], "/", "a 3"), 200);
    pass_time(60000);
    loop_loader = fail_load;
    cr_expect_eq(ask_route(apps[0], "/", "a 3"), 200, "a spare value");
    with_request = true;
    cr_expect_eq(ask_route(apps[0], "/", "a 3"), 200);
    cr_expect_eq(LOOKUPS("stale_on_error"), 2);
}

static void *open_gate(void *arg)
{
    const double *waits = arg;
    int left_ms = PROCESS_WAIT_MS;
    while (WAITS("call") < *waits && left_ms-- > 0)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    gate_open = true;
    return NULL;
}

Test(memo_then, the_calls_of_a_loop_share_a_load)
{
    pthread_t opener;
    double waits = CALLS - 1;
    make_loop_memo();
    loop_loader = load_at_gate;
    loop_calls = CALLS;
    cr_assert_eq(pthread_create(&opener, NULL, open_gate, &waits), 0);
    cr_expect_eq(ask_route(apps[0], "/", "a 1"), 200);
    pthread_join(opener, NULL);
    cr_expect_eq(answers, CALLS);
    cr_expect_eq(answer_errors, 0);
    cr_expect_eq(loads, 1);
}

Test(memo_then, a_loop_listens_to_the_load_of_a_thread)
{
    pthread_t opener;
    double waits = 1;
    make_loop_memo();
    begin_callers(0, 1, memos[0]);
    AWAIT(loading == 1);
    cr_assert_eq(pthread_create(&opener, NULL, open_gate, &waits), 0);
    cr_expect_eq(ask_route(apps[0], "/", "a 1"), 200);
    pthread_join(opener, NULL);
    end_callers(0, 1);
    expect_all(0, 1, 0, "a 1");
}

/* The worker waits for the lease of the other instance, since a call listens. */
Test(memo_then, a_loop_waits_for_the_load_of_another_instance)
{
    pthread_t opener;
    double waits = 0;
    options.stale_ms = 30000;
    store_url = "quick:";
    loop_then = take_answer;
    svc_app_get(apps[0], "/", get_on_loop, NULL);
    make_memos(2);
    asked_memo = memos[0];
    begin_callers(0, 1, memos[1]);
    AWAIT(loading == 1);
    cr_assert_eq(pthread_create(&opener, NULL, open_gate, &waits), 0);
    cr_expect_eq(ask_route(apps[0], "/", "a 1"), 200);
    pthread_join(opener, NULL);
    end_callers(0, 1);
    expect_all(0, 1, 0, "a 1");
    cr_expect_eq(loads, 1);
    pass_time(60000);
    gate_open = false;
    loop_loader = load_at_gate;
    cr_expect_eq(ask_route(apps[0], "/", "a 1"), 200, "stale");
    AWAIT(loading == 1);
    gate_open = true;
    AWAIT(LOADS("ok") == 2);
}

Test(memo_then, a_loop_waits_no_longer_than_the_options_say)
{
    options.wait_ms = 1;
    options.stale_error_ms = 60000;
    make_loop_memo();
    begin_callers(0, 1, memos[0]);
    AWAIT(loading == 1);
    cr_expect_eq(ask_route(apps[0], "/", "SVC_ETIMEDOUT"), 200);
    gate_open = true;
    end_callers(0, 1);
    expect_all(0, 1, 0, "a 1");
    pass_time(60000);
    gate_open = false;
    begin_callers(0, 1, memos[0]);
    AWAIT(loading == 1);
    cr_expect_eq(ask_route(apps[0], "/", "a 1"), 200, "a spare value");
    gate_open = true;
    end_callers(0, 1);
}

Test(memo_then, while_the_store_is_down_a_loop_gets_what_is_loaded)
{
    down = SVC_EUNAVAILABLE;
    make_loop_memo();
    cr_expect_eq(ask_route(apps[0], "/", "a 1"), 200);
    cr_expect_eq(ask_route(apps[0], "/", "a 2"), 200);
    cr_expect_eq(LOOKUPS("down"), 2);
}

Test(memo_then, while_the_store_is_down_a_loop_may_get_the_error)
{
    down = SVC_ETIMEDOUT;
    options.when_down = SVC_MEMO_DOWN_FAIL;
    make_loop_memo();
    cr_expect_eq(ask_route(apps[0], "/", "SVC_ETIMEDOUT"), 200);
    cr_expect_eq(loads, 0);
}

Test(memo_then, calls_of_loops_have_arguments_too)
{
    make_loop_memo();
    cr_expect_eq(svc_memo_get_then(memos[0], NULL, "a", load_numbered, NULL, take_answer, NULL),
                 SVC_ESTATE, "no loop");
    cr_expect_eq(svc_memo_get_then(memos[0], NULL, "", load_numbered, NULL, take_answer, NULL),
                 SVC_EINVAL);
    cr_expect_eq(svc_memo_get_then(memos[0], NULL, "a", NULL, NULL, take_answer, NULL), SVC_EINVAL);
    cr_expect_eq(svc_memo_get_then(NULL, NULL, "a", load_numbered, NULL, take_answer, NULL),
                 SVC_ENOMEM);
    cr_expect_eq(svc_memo_forget_then(memos[0], NULL, "", take_answer, NULL), SVC_EINVAL);
    cr_expect_eq(svc_memo_forget_then(memos[0], NULL, "a", NULL, NULL), SVC_EINVAL);
    cr_expect_eq(svc_memo_forget_then(memos[0], NULL, "a", take_answer, NULL), SVC_ESTATE);
    loop_then = NULL;
    cr_expect_eq(ask_route(apps[0], "/", NULL), 500);
    cr_expect_eq(loop_error, SVC_EINVAL);
}

static void take_forgotten(const svc_store_answer *answer, void *arg)
{
    svc_response *res = svc_response_new();
    (void)arg;
    svc_response_text(res, 200, answer->error ? svc_error_name(answer->error) : "done");
    svc_pending_complete(loop_pending, res);
    svc_pending_unref(loop_pending);
}

static int forget_on_loop(svc_request *req, svc_response *res)
{
    (void)res;
    loop_pending = svc_request_defer(req, NULL, NULL);
    answers = 0;
    loop_error = svc_memo_forget_then(asked_memo, req, "a", take_forgotten, NULL);
    return loop_error;
}

Test(memo_then, a_loop_forgets)
{
    svc_app_get(apps[0], "/forget", forget_on_loop, NULL);
    make_loop_memo();
    cr_expect_eq(ask_route(apps[0], "/forget", "done"), 200, "there is nothing");
    cr_expect_eq(ask_route(apps[0], "/", "a 1"), 200);
    cr_expect_eq(ask_route(apps[0], "/forget", "done"), 200);
    cr_expect_eq(ask_route(apps[0], "/", "a 2"), 200);
    down = SVC_EUNAVAILABLE;
    cr_expect_eq(ask_route(apps[0], "/forget", "SVC_EUNAVAILABLE"), 200);
}

/* A call without a request that the loop's end finds unanswered. */
static void take_end(const svc_store_answer *answer, void *arg)
{
    (void)arg;
    answers++;
    last_error = answer->error;
    gate_open = true;
}

static int call_and_answer(svc_request *req, svc_response *res)
{
    (void)req;
    loop_error = svc_memo_get_then(asked_memo, NULL, "a", load_at_gate, NULL, take_end, NULL);
    return svc_response_text(res, 200, "ok");
}

Test(memo_then, the_end_of_a_loop_ends_its_calls)
{
    svc_app_get(apps[0], "/end", call_and_answer, NULL);
    make_loop_memo();
    cr_expect_eq(ask_route(apps[0], "/end", "ok"), 200);
    AWAIT(loading == 1);
    cr_expect_eq(answers, 0);
    svc_app_free(apps[0]);
    apps[0] = NULL;
    cr_expect_eq(answers, 1);
    cr_expect_eq(last_error, SVC_ECANCELLED);
}
