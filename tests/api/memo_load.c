/* The loads of memos: who loads and who waits, for how long, and what stands in for a load that
 * fails. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/api/memo_stage.h"
#include "tests/support/test_clock.h"

TestSuite(memo_load, .init = open_apps, .fini = close_apps);

static int not_found = SVC_ENOTFOUND;

/* ---- One load */

Test(memo_load, two_hundred_calls_at_expiry_are_one_load)
{
    make_memos(1);
    cr_expect_str_eq(get_text(memos[0], "a"), "a 1");
    pass_time(60000);
    begin_callers(0, REQUESTS, memos[0]);
    AWAIT(WAITS("call") == REQUESTS - 1);
    gate_open = true;
    end_callers(0, REQUESTS);
    expect_all(0, REQUESTS, 0, "a 2");
    cr_expect_eq(LOADS("ok"), 2);
    cr_expect_eq(WAITS("instance"), 0);
}

Test(memo_load, the_calls_of_three_instances_are_one_load)
{
    make_memos(APPS);
    for (int i = 0; i < APPS; i++)
        begin_callers(i * THREADS, THREADS, memos[i]);
    AWAIT(WAITS("call") == APPS * (THREADS - 1) && WAITS("instance") == APPS - 1);
    gate_open = true;
    end_callers(0, APPS * THREADS);
    expect_all(0, APPS * THREADS, 0, "a 1");
    cr_expect_eq(loads, 1);
    cr_expect_eq(LOADS("ok"), 1);
}

Test(memo_load, without_leases_instances_do_not_wait)
{
    options.lease_ms = 0;
    make_memos(2);
    begin_callers(0, 1, memos[0]);
    AWAIT(loading == 1);
    cr_expect_str_eq(get_text(memos[1], "a"), "a 1");
    gate_open = true;
    end_callers(0, 1);
    expect_all(0, 1, 0, "a 2");
}

Test(memo_load, all_who_wait_share_the_error_of_a_load)
{
    make_memos(APPS);
    gate_error = SVC_ESYSTEM;
    for (int i = 0; i < APPS; i++)
        begin_callers(i * THREADS, THREADS, memos[i]);
    AWAIT(WAITS("call") == APPS * (THREADS - 1) && WAITS("instance") == APPS - 1);
    gate_open = true;
    end_callers(0, APPS * THREADS);
    expect_all(0, APPS * THREADS, SVC_ESYSTEM, NULL);
    cr_expect_eq(loads, 1, "in all instances");
    cr_expect_eq(LOADS("failed"), 1);
}

Test(memo_load, a_failed_load_is_repeated_after_a_while)
{
    int own = 7;
    options.retry_ms = 600000; /* real time passes too, a second or a minute */
    make_memos(2);
    cr_expect_str_eq(get_by(memos[0], "a", load_error, &own), "another error");
    cr_expect_str_eq(get_text(memos[0], "a"), "SVC_EUNAVAILABLE", "which all instances know");
    cr_expect_str_eq(get_text(memos[1], "a"), "SVC_EUNAVAILABLE");
    pass_time(300000);
    cr_expect_str_eq(get_text(memos[1], "a"), "SVC_EUNAVAILABLE");
    pass_time(300010);
    cr_expect_str_eq(get_text(memos[1], "a"), "a 2");
}

Test(memo_load, a_failed_load_may_be_repeated_at_once)
{
    int error = SVC_ESYSTEM;
    options.retry_ms = 0;
    make_memos(2);
    cr_expect_str_eq(get_by(memos[0], "a", load_error, &error), "SVC_ESYSTEM");
    cr_expect_str_eq(get_text(memos[1], "a"), "a 2");
}

/* To the others an instance that hangs and one that has died are the same: its lease is not
 * removed. */
Test(memo_load, the_lease_of_an_instance_that_has_died_ends)
{
    make_memos(2);
    begin_callers(0, 1, memos[0]);
    AWAIT(loading == 1);
    begin_callers(1, 1, memos[1]);
    AWAIT(WAITS("instance") == 1);
    cr_expect_eq(loading, 1);
    pass_time(10000);
    AWAIT(loading == 2);
    gate_open = true;
    end_callers(0, 2);
    cr_expect_eq(loads, 2);
    for (int i = 0; i < 2; i++)
        cr_expect_eq(callers[i].error, 0);
}

/* The store of an app that has no lease, to look into it. */
static bool has_lease(const char *key)
{
    char name[100];
    svc_store_value value;
    snprintf(name, sizeof name, "shop:prices~%s", key);
    if (svc_store_get(backing, NULL, name, &value))
        return false;
    svc_store_value_free(&value);
    return true;
}

Test(memo_load, a_load_that_has_ended_leaves_no_lease)
{
    make_memos(1);
    get_text(memos[0], "a");
    get_by(memos[0], "b", load_error, &not_found);
    cr_expect_not(has_lease("a"));
    cr_expect_not(has_lease("b"));
    begin_callers(0, 1, memos[0]);
    pass_time(60000);
    begin_callers(1, 1, memos[0]);
    AWAIT(loading == 1);
    cr_expect(has_lease("a"));
    gate_open = true;
    end_callers(0, 2);
    cr_expect_not(has_lease("a"));
}

/* ---- Time limits */

Test(memo_load, a_call_waits_no_longer_than_the_options_say)
{
    options.wait_ms = 1;
    make_memos(2);
    begin_callers(0, 1, memos[0]);
    AWAIT(loading == 1);
    cr_expect_str_eq(get_text(memos[0], "a"), "SVC_ETIMEDOUT", "for a call of this instance");
    cr_expect_str_eq(get_text(memos[1], "a"), "SVC_ETIMEDOUT", "or of another");
    gate_open = true;
    end_callers(0, 1);
    expect_all(0, 1, 0, "a 1");
    cr_expect_str_eq(get_text(memos[1], "a"), "a 1");
}

Test(memo_load, a_request_gets_a_value_that_ends_with_it)
{
    add_memo_route(apps[0], "GET /", SVC_BLOCKING, 0);
    make_memos(1);
    asked_memo = memos[0];
    cr_expect_eq(ask_route(apps[0], "/", "a 1"), 200, "it was loaded");
    cr_expect_eq(ask_route(apps[0], "/", "a 1"), 200, "it was stored");
}

Test(memo_load, a_request_waits_no_longer_than_it_may)
{
    add_memo_route(apps[0], "GET /", SVC_BLOCKING, 1000); /* for the worker to begin */
    make_memos(1);
    asked_memo = memos[0];
    begin_callers(0, 1, memos[0]);
    AWAIT(loading == 1);
    int status = ask_route(apps[0], "/", NULL);
    svc_app *app = apps[0];
    cr_expect(status == 503 || status == 504, "%d", status);
    AWAIT(handler_error == SVC_ETIMEDOUT);
    gate_open = true;
    end_callers(0, 1);
    svc_app_free(app); /* which waits for the worker */
    apps[0] = NULL;
    cr_expect_eq(loads, 1);
}

Test(memo_load, a_loop_is_never_held)
{
    add_memo_route(apps[0], "GET /", 0, 0);
    make_memos(1);
    asked_memo = memos[0];
    get_text(memos[0], "a");
    cr_expect_eq(ask_route(apps[0], "/", NULL), 503);
    cr_expect_eq(handler_error, SVC_ESTATE);
}

/* The state of a worker, and the request, are the loader's. */
static char worker_state;
static svc_request *loader_request;
static void *loader_state;
static _Atomic unsigned looked;

static int begin_state(svc_app *app, void *arg, void **state)
{
    (void)app, (void)arg;
    *state = &worker_state;
    return 0;
}

static int load_and_look(svc_memo_load *load, const char *key, void *arg)
{
    (void)key, (void)arg;
    loader_request = svc_memo_load_request(load);
    loader_state = svc_memo_load_worker(load);
    int error = svc_memo_load_value(load, "v", 1);
    looked++;
    return error;
}

static int get_with_state(svc_request *req, svc_response *res)
{
    svc_store_value value;
    bool is_first = !looked;
    int error = svc_memo_get(asked_memo, req, "a", load_and_look, NULL, &value);
    cr_expect(!is_first || loader_request == req);
    return error ? error : svc_response_text(res, 200, "ok");
}

Test(memo_load, a_loader_has_the_state_of_its_worker)
{
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "GET /";
    route.handler = get_with_state;
    route.flags = SVC_BLOCKING;
    svc_app_route(apps[0], &route);
    svc_app_each_worker(apps[0], begin_state, NULL, NULL);
    options.stale_ms = 60000;
    make_memos(1);
    asked_memo = memos[0];
    cr_expect_eq(ask_route(apps[0], "/", "ok"), 200);
    cr_expect_eq(loader_state, &worker_state);
    pass_time(60000);
    cr_expect_eq(ask_route(apps[0], "/", "ok"), 200, "stale, and loaded by a worker alone");
    AWAIT(LOADS("ok") == 2);
    cr_expect_null(loader_request);
    cr_expect_eq(loader_state, &worker_state);
    pass_time(120000);
    cr_expect_str_eq(get_by(memos[0], "a", load_and_look, NULL), "v");
    cr_expect_null(loader_state, "a thread that is no worker");
    cr_expect_null(svc_memo_load_request(NULL));
    cr_expect_null(svc_memo_load_worker(NULL));
    cr_expect_eq(svc_memo_load_value(NULL, "v", 1), SVC_ENOMEM);
}

/* ---- Stale values */

Test(memo_load, a_stale_value_is_given_while_a_slow_load_runs)
{
    options.stale_ms = 30000;
    make_memos(APPS);
    cr_expect_str_eq(get_text(memos[0], "a"), "a 1");
    pass_time(60000);
    for (int i = 0; i < APPS; i++)
        for (int n = 0; n < 20; n++)
            cr_expect_str_eq(get_by(memos[i], "a", load_at_gate, NULL), "a 1");
    AWAIT(loading == 1);
    cr_expect_eq(LOOKUPS("stale"), APPS * 20);
    gate_open = true;
    AWAIT(LOADS("ok") == 2);
    AWAIT(strcmp(get_text(memos[1], "a"), "a 2") == 0);
    cr_expect_eq(loads, 2, "one in all instances");
}

Test(memo_load, a_value_that_is_too_old_is_not_given)
{
    options.stale_ms = 30000;
    make_memos(1);
    get_text(memos[0], "a");
    svc_test_memo_age(memos[0], 90000); /* the store has it still */
    cr_expect_str_eq(get_text(memos[0], "a"), "a 2");
    pass_time(90000);
    cr_expect_str_eq(get_text(memos[0], "a"), "a 3");
    cr_expect_eq(LOOKUPS("stale"), 0);
}

Test(memo_load, a_stale_value_stands_in_for_a_load_that_fails)
{
    int error = SVC_ESYSTEM;
    options.stale_error_ms = 300000;
    make_memos(2);
    get_text(memos[0], "a");
    pass_time(60000);
    cr_expect_str_eq(get_by(memos[0], "a", load_error, &error), "a 1");
    cr_expect_str_eq(get_by(memos[1], "a", load_error, &error), "a 1", "without another load");
    cr_expect_eq(loads, 2);
    cr_expect_eq(LOOKUPS("stale_on_error"), 2);
    pass_time(1010);
    cr_expect_str_eq(get_text(memos[1], "a"), "a 3");
    pass_time(60000 + 300000);
    cr_expect_str_eq(get_by(memos[0], "a", load_error, &error), "SVC_ESYSTEM");
}

Test(memo_load, a_stale_value_stands_in_for_a_wait_that_is_too_long)
{
    options.stale_error_ms = 300000;
    options.wait_ms = 1;
    make_memos(2);
    get_text(memos[0], "a");
    pass_time(60000);
    begin_callers(0, 1, memos[0]);
    AWAIT(loading == 1);
    cr_expect_str_eq(get_text(memos[0], "a"), "a 1");
    cr_expect_str_eq(get_text(memos[1], "a"), "a 1");
    gate_open = true;
    end_callers(0, 1);
    expect_all(0, 1, 0, "a 2");
}

/* A load off the requests that fails is not tried again by each call. */
Test(memo_load, a_failing_source_is_left_alone_for_a_while)
{
    int error = SVC_ESYSTEM;
    options.stale_ms = 600000;
    make_memos(1);
    get_text(memos[0], "a");
    pass_time(60000);
    for (int i = 0; i < 50; i++)
        cr_expect_str_eq(get_by(memos[0], "a", load_error, &error), "a 1");
    AWAIT(LOADS("failed") == 1);
    for (int i = 0; i < 50; i++)
        cr_expect_str_eq(get_by(memos[0], "a", load_error, &error), "a 1");
    cr_expect_eq(loads, 2);
}

/* A load that takes 100 seconds, of the clock of this test. */
static int load_slowly(svc_memo_load *load, const char *key, void *arg)
{
    test_clock_ns += UINT64_C(100000000000);
    return load_numbered(load, key, arg);
}

/* Of the calls within the minute behind such a load, more than half are early. */
Test(memo_load, a_value_is_loaded_anew_before_it_expires)
{
    options.early = 1;
    options.lease_ms = 1000000;
    make_memos(1);
    test_clock_stop();
    cr_expect_str_eq(get_by(memos[0], "a", load_slowly, NULL), "a 1");
    for (int i = 0; i < 200; i++)
        get_text(memos[0], "a");
    AWAIT(LOADS("ok") >= 2);
    cr_expect_eq(LOOKUPS("miss"), 1, "nobody has waited");
    cr_expect_eq(LOOKUPS("stale"), 0);
}

Test(memo_load, times_are_shorter_at_random)
{
    options.jitter_percent = 50;
    make_memos(1);
    char key[16];
    for (int i = 0; i < 200; i++) {
        snprintf(key, sizeof key, "k%d", i);
        get_text(memos[0], key);
    }
    pass_time(20000);
    for (int i = 0; i < 200; i++) {
        snprintf(key, sizeof key, "k%d", i);
        get_text(memos[0], key);
    }
    cr_expect_eq(loads, 200, "none is shorter than half");
    pass_time(25000);
    for (int i = 0; i < 200; i++) {
        snprintf(key, sizeof key, "k%d", i);
        get_text(memos[0], key);
    }
    cr_expect(loads > 250 && loads < 350, "about half of them: %u", loads);
}

/* ---- A store that is down */

Test(memo_load, while_the_store_is_down_each_instance_loads)
{
    down = SVC_EUNAVAILABLE;
    make_memos(2);
    cr_expect_str_eq(get_text(memos[0], "a"), "a 1");
    cr_expect_str_eq(get_text(memos[0], "a"), "a 2");
    down = SVC_ETIMEDOUT;
    cr_expect_str_eq(get_text(memos[1], "a"), "a 3");
    unsigned before = store_calls;
    cr_expect_str_eq(get_text(memos[1], "a"), "a 4");
    cr_expect_eq(store_calls, before + 1, "it is asked once for each call");
    cr_expect_eq(LOOKUPS("down"), 4);
    down = 0;
    cr_expect_str_eq(get_text(memos[0], "a"), "a 5");
    cr_expect_str_eq(get_text(memos[1], "a"), "a 5");
}

Test(memo_load, while_the_store_is_down_calls_share_loads)
{
    down = SVC_EUNAVAILABLE;
    make_memos(1);
    begin_callers(0, REQUESTS, memos[0]);
    AWAIT(WAITS("call") == REQUESTS - 1);
    gate_open = true;
    end_callers(0, REQUESTS);
    expect_all(0, REQUESTS, 0, "a 1");
}

Test(memo_load, while_the_store_is_down_loads_have_a_limit)
{
    down = SVC_EUNAVAILABLE;
    options.max_direct_loads = 1;
    make_memos(1);
    begin_callers(0, 1, memos[0]);
    AWAIT(loading == 1);
    cr_expect_str_eq(get_text(memos[0], "b"), "SVC_EUNAVAILABLE");
    gate_open = true;
    end_callers(0, 1);
    expect_all(0, 1, 0, "a 1");
    cr_expect_str_eq(get_text(memos[0], "b"), "b 2");
}

Test(memo_load, while_the_store_is_down_calls_may_fail)
{
    down = SVC_EUNAVAILABLE;
    options.when_down = SVC_MEMO_DOWN_FAIL;
    make_memos(1);
    cr_expect_str_eq(get_text(memos[0], "a"), "SVC_EUNAVAILABLE");
    down = 0;
    down_for_add = SVC_ETIMEDOUT;
    cr_expect_str_eq(get_text(memos[0], "a"), "SVC_ETIMEDOUT");
    cr_expect_eq(loads, 0);
}

Test(memo_load, a_store_that_fails_under_a_load_is_no_error)
{
    down_for_add = SVC_EUNAVAILABLE;
    make_memos(1);
    cr_expect_str_eq(get_text(memos[0], "a"), "a 1", "it takes no lease");
    down_for_add = 0;
    begin_callers(0, 1, memos[0]);
    AWAIT(loading == 1);
    down = SVC_EUNAVAILABLE;
    gate_open = true;
    end_callers(0, 1);
    expect_all(0, 1, 0, "a 2");
}
