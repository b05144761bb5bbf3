/*
 * The loads of memos over a backend that has leases: where nothing is stored, the key of the value
 * is leased in the step that finds this; where there is an old value, the lease stands beside it.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/api/memo_stage.h"
#include "tests/support/test_clock.h"

static void open_leasing_apps(void)
{
    open_apps();
    store_url = "leasing:";
}

TestSuite(memo_lease, .init = open_leasing_apps, .fini = close_apps);

static const char value_key[] = "shop:prices:a", lease_key[] = "shop:prices~a";

static bool has_entry(const char *key)
{
    svc_store_value value;
    if (svc_store_get(backing, NULL, key, &value))
        return false;
    svc_store_value_free(&value);
    return true;
}

Test(memo_lease, a_miss_is_four_operations)
{
    make_memos(1);
    cr_expect_str_eq(get_text(memos[0], "a"), "a 1");
    cr_expect_eq(store_calls, 4, "get; lease; the look beside; and the value by the lease");
    cr_expect_not(has_entry(lease_key));
    cr_expect_str_eq(get_text(memos[0], "a"), "a 1");
    cr_expect_eq(store_calls, 5);
}

Test(memo_lease, the_calls_of_three_instances_are_one_load)
{
    make_memos(APPS);
    for (int i = 0; i < APPS; i++)
        begin_callers(i * THREADS, THREADS, memos[i]);
    AWAIT(WAITS("call") == APPS * (THREADS - 1) && WAITS("instance") == APPS - 1);
    cr_expect(has_entry(value_key), "the lease");
    cr_expect_not(has_entry(lease_key));
    gate_open = true;
    end_callers(0, APPS * THREADS);
    expect_all(0, APPS * THREADS, 0, "a 1");
    cr_expect_eq(loads, 1);
    cr_expect_eq(LOOKUPS("malformed"), 0, "no lease was taken for a value");
}

/* The store has the old value still, as one does that rounds times up. */
Test(memo_lease, the_calls_at_expiry_are_one_load)
{
    make_memos(APPS);
    get_text(memos[0], "a");
    for (int i = 0; i < APPS; i++)
        svc_test_memo_age(memos[i], 60000);
    for (int i = 0; i < APPS; i++)
        begin_callers(i * THREADS, THREADS, memos[i]);
    AWAIT(WAITS("call") == APPS * (THREADS - 1) && WAITS("instance") == APPS - 1);
    cr_expect(has_entry(lease_key));
    gate_open = true;
    end_callers(0, APPS * THREADS);
    expect_all(0, APPS * THREADS, 0, "a 2");
    cr_expect_not(has_entry(lease_key));
}

Test(memo_lease, all_who_wait_share_the_error_of_a_load)
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
    cr_expect_not(has_entry(value_key), "the lease of the key was given up");
}

Test(memo_lease, a_failed_load_is_repeated_after_a_while)
{
    int error = SVC_ESYSTEM;
    options.retry_ms = 600000; /* real time passes too, a second or a minute */
    make_memos(2);
    cr_expect_str_eq(get_by(memos[0], "a", load_error, &error), "SVC_ESYSTEM");
    cr_expect_str_eq(get_text(memos[0], "a"), "SVC_ESYSTEM");
    cr_expect_str_eq(get_text(memos[1], "a"), "SVC_ESYSTEM");
    cr_expect_not(has_entry(value_key));
    pass_time(600010);
    cr_expect_str_eq(get_text(memos[1], "a"), "a 2");
}

Test(memo_lease, a_load_that_keeps_nothing_leaves_no_lease)
{
    int not_found = SVC_ENOTFOUND, error = SVC_ESYSTEM;
    options.retry_ms = options.negative_ms = 0;
    make_memos(1);
    cr_expect_str_eq(get_by(memos[0], "a", load_error, &error), "SVC_ESYSTEM");
    cr_expect_not(has_entry(value_key));
    cr_expect_str_eq(get_by(memos[0], "a", load_error, &not_found), "SVC_ENOTFOUND");
    cr_expect_not(has_entry(value_key));
    cr_expect_not(has_entry(lease_key));
    cr_expect_str_eq(get_text(memos[0], "a"), "a 3");
}

Test(memo_lease, that_there_is_no_value_is_kept)
{
    int not_found = SVC_ENOTFOUND;
    make_memos(2);
    cr_expect_str_eq(get_by(memos[0], "a", load_error, &not_found), "SVC_ENOTFOUND");
    cr_expect_str_eq(get_text(memos[1], "a"), "SVC_ENOTFOUND");
    cr_expect_eq(LOOKUPS("negative"), 1);
}

/* To the others an instance that hangs and one that has died are the same: its lease is not given
 * up. */
Test(memo_lease, the_lease_of_an_instance_that_has_died_ends)
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
}

/* ---- Loads that are forgotten, or too slow */

Test(memo_lease, a_load_that_is_forgotten_meanwhile_keeps_nothing)
{
    make_memos(2);
    begin_callers(0, 1, memos[0]);
    AWAIT(loading == 1);
    cr_expect_eq(svc_memo_forget(memos[1], NULL, "a"), 0);
    gate_open = true;
    end_callers(0, 1);
    expect_all(0, 1, 0, "a 1");
    cr_expect_not(has_entry(value_key));
    cr_expect_str_eq(get_text(memos[0], "a"), "a 2");
}

/* A load that takes 100 seconds, of the clock of this test, and so outlives its lease. */
static int load_slowly(svc_memo_load *load, const char *key, void *arg)
{
    test_clock_ns += UINT64_C(100000000000);
    svc_store_delete(backing, NULL, value_key);
    return load_numbered(load, key, arg);
}

Test(memo_lease, a_load_that_outlives_its_lease_is_kept)
{
    make_memos(2);
    test_clock_stop();
    cr_expect_str_eq(get_by(memos[0], "a", load_slowly, NULL), "a 1");
    cr_expect_str_eq(get_text(memos[1], "a"), "a 1");
    cr_expect_eq(loads, 1);
}

/* ---- Both leases */

Test(memo_lease, a_value_that_ends_while_it_is_loaded_anew_is_not_loaded_twice)
{
    options.stale_ms = 30000;
    make_memos(2);
    cr_expect_str_eq(get_text(memos[0], "a"), "a 1");
    pass_time(60000);
    cr_expect_str_eq(get_by(memos[0], "a", load_at_gate, NULL), "a 1", "stale");
    AWAIT(loading == 1);
    cr_assert_eq(svc_store_delete(backing, NULL, value_key), 0);
    begin_callers(0, 1, memos[1]);
    AWAIT(WAITS("instance") == 1);
    cr_expect_eq(loading, 1);
    gate_open = true;
    end_callers(0, 1);
    expect_all(0, 1, 0, "a 2");
    cr_expect_eq(loads, 2);
}

/* Just before the first instance takes the lease beside the value, the value ends, and the second
 * one leases its key and loads. */
static void lease_by_another(const svc_sys_store_op *op)
{
    if (op->kind != SVC_SYS_STORE_ADD)
        return;
    before_operation = NULL;
    cr_assert_eq(svc_store_delete(backing, NULL, value_key), 0);
    begin_callers(1, 1, memos[1]);
    AWAIT(loading == 1);
}

Test(memo_lease, an_instance_that_finds_the_key_leased_waits)
{
    make_memos(2);
    get_text(memos[0], "a");
    for (int i = 0; i < 2; i++)
        svc_test_memo_age(memos[i], 60000);
    before_operation = lease_by_another;
    begin_callers(0, 1, memos[0]);
    AWAIT(WAITS("instance") == 1);
    cr_expect_eq(loading, 1);
    cr_expect_not(has_entry(lease_key));
    gate_open = true;
    end_callers(0, 2);
    expect_all(0, 2, 0, "a 2");
}

/* Just before the value is asked for again, under either lease, it ends: so both leases are had. */
static void end_value(const svc_sys_store_op *op)
{
    if (op->kind != SVC_SYS_STORE_LEASE)
        return;
    before_operation = NULL;
    cr_assert_eq(svc_store_delete(backing, NULL, value_key), 0);
}

Test(memo_lease, both_leases_end_with_the_load)
{
    int error = SVC_ESYSTEM;
    options.retry_ms = 0;
    make_memos(1);
    get_text(memos[0], "a");
    svc_test_memo_age(memos[0], 60000);
    before_operation = end_value;
    cr_expect_str_eq(get_text(memos[0], "a"), "a 2");
    cr_expect_not(has_entry(lease_key));
    svc_test_memo_age(memos[0], 60000);
    before_operation = end_value;
    cr_expect_str_eq(get_by(memos[0], "a", load_error, &error), "SVC_ESYSTEM");
    cr_expect_not(has_entry(lease_key));
    cr_expect_not(has_entry(value_key));
}

/* Just before the key is leased, another program stores something under it. */
static void store_garbage(const svc_sys_store_op *op)
{
    const svc_store_value garbage = {"garbage", 7, 0, NULL};
    if (op->kind != SVC_SYS_STORE_LEASE)
        return;
    before_operation = NULL;
    cr_assert_eq(svc_store_set(backing, NULL, value_key, &garbage, 0), 0);
}

Test(memo_lease, what_is_no_entry_is_replaced)
{
    make_memos(1);
    before_operation = store_garbage;
    cr_expect_str_eq(get_text(memos[0], "a"), "a 1");
    cr_expect_null(before_operation);
    cr_expect_str_eq(get_text(memos[0], "a"), "a 1", "it was kept");
    cr_expect_not(has_entry(lease_key));
}

/* Just before the key is leased, another instance stores the value. */
static void load_by_another(const svc_sys_store_op *op)
{
    if (op->kind != SVC_SYS_STORE_LEASE)
        return;
    before_operation = NULL;
    cr_assert_str_eq(get_text(memos[1], "a"), "a 1");
}

Test(memo_lease, a_value_that_has_come_meanwhile_is_given)
{
    make_memos(2);
    before_operation = load_by_another;
    cr_expect_str_eq(get_text(memos[0], "a"), "a 1");
    cr_expect_eq(loads, 1);
}

Test(memo_lease, without_an_answer_a_call_loads_by_itself)
{
    down_for_add = SVC_ETIMEDOUT;
    make_memos(1);
    cr_expect_str_eq(get_text(memos[0], "a"), "a 1");
    cr_expect_eq(store_calls, 2, "the store is not asked again");
}

Test(memo_lease, without_an_answer_a_call_may_fail)
{
    down_for_add = SVC_ETIMEDOUT;
    options.when_down = SVC_MEMO_DOWN_FAIL;
    make_memos(1);
    cr_expect_str_eq(get_text(memos[0], "a"), "SVC_ETIMEDOUT");
    cr_expect_eq(loads, 0);
}
