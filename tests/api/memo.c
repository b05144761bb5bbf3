/* Memos as programs use them: what a call gives, what is kept, and what set-up says. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/api/memo_stage.h"

#include "tests/support/large.h"

TestSuite(memo, .init = open_apps, .fini = close_apps);

/* ---- Values */

Test(memo, a_value_is_loaded_once_and_given_until_it_expires)
{
    make_memos(2);
    cr_expect_str_eq(get_text(memos[0], "a"), "a 1");
    cr_expect_str_eq(get_text(memos[0], "a"), "a 1");
    cr_expect_str_eq(get_text(memos[1], "a"), "a 1", "another instance");
    cr_expect_str_eq(get_text(memos[0], "b"), "b 2");
    pass_time(30000);
    cr_expect_str_eq(get_text(memos[0], "a"), "a 1");
    pass_time(30000);
    cr_expect_str_eq(get_text(memos[1], "a"), "a 3");
    cr_expect_eq(LOOKUPS("hit"), 3);
    cr_expect_eq(LOOKUPS("miss"), 3);
    cr_expect_eq(LOADS("ok"), 3);
    cr_expect_eq(sum_metric("svc_memo_load_seconds_count{memo=\"prices\"}"), 3);
}

Test(memo, memos_of_one_store_do_not_meet)
{
    options.name = "others";
    svc_memo *other = svc_memo_new(apps[0], svc_store_open(apps[0], "shared:"), &options);
    options.name = "prices";
    make_memos(1);
    cr_expect_str_eq(get_text(memos[0], "a"), "a 1");
    cr_expect_str_eq(get_text(other, "a"), "a 2");
    cr_expect_str_eq(get_text(memos[0], "a"), "a 1");
}

static int load_bytes(svc_memo_load *load, const char *key, void *arg)
{
    size_t len = strtoul(key, NULL, 10);
    char *bytes = malloc(len + 1);
    memset(bytes, *(const char *)arg, len);
    svc_memo_load_value(load, "what stands first is replaced", 29);
    int error = svc_memo_load_value(load, bytes, len);
    free(bytes);
    return error;
}

static void expect_bytes(const char *key, int error)
{
    svc_store_value value;
    int got = svc_memo_get(memos[0], NULL, key, load_bytes, (void *)"x", &value);
    cr_expect_eq(got, error, "%s: %s", key, svc_error_text(got));
    if (got)
        return;
    cr_expect_eq(value.len, strtoul(key, NULL, 10));
    cr_expect_eq(strspn(value.data, "x"), value.len);
    svc_store_value_free(&value);
}

/* The first call loads, the second reads. */
Test(memo, values_have_any_length_up_to_the_maximum)
{
    static const char *const good[] = {"0", "1", "1000", "999936"};
    static const char *const bad[] = {"999937", "5000000"};
    make_memos(1);
    for (size_t i = 0; i < 2 * sizeof good / sizeof *good; i++)
        expect_bytes(good[i / 2], 0);
    cr_expect_eq(LOADS("ok"), 4);
    options.retry_ms = 0;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_bytes(bad[i], SVC_ETOOBIG);
    cr_expect_eq(LOADS("failed"), 2);
}

static int load_badly(svc_memo_load *load, const char *key, void *arg)
{
    (void)arg;
    if (*key == 'n')
        return 0; /* without a value */
    cr_expect_eq(svc_memo_load_value(load, NULL, 5), SVC_EINVAL);
    return 0;
}

Test(memo, a_loader_without_a_value_has_failed)
{
    make_memos(1);
    cr_expect_str_eq(get_by(memos[0], "none", load_badly, NULL), "SVC_EINVAL");
    cr_expect_str_eq(get_by(memos[0], "bad", load_badly, NULL), "SVC_EINVAL");
}

Test(memo, bad_arguments_are_errors_and_load_nothing)
{
    char most[SVC_MEMO_KEY_BYTES + 2] = "";
    svc_store_value value;
    make_memos(1);
    cr_expect_str_eq(get_text(memos[0], ""), "SVC_EINVAL");
    cr_expect_str_eq(get_text(memos[0], NULL), "SVC_EINVAL");
    cr_expect_str_eq(get_text(memos[0], "two words"), "SVC_EINVAL");
    cr_expect_str_eq(get_text(memos[0], "line\r\nDEL x"), "SVC_EINVAL");
    memset(most, 'k', sizeof most - 1);
    cr_expect_str_eq(get_text(memos[0], most), "SVC_EINVAL");
    cr_expect_eq(svc_memo_get(memos[0], NULL, "a", NULL, NULL, &value), SVC_EINVAL);
    cr_expect_eq(svc_memo_get(memos[0], NULL, "a", load_numbered, NULL, NULL), SVC_EINVAL);
    cr_expect_eq(svc_memo_get(NULL, NULL, "a", load_numbered, NULL, &value), SVC_ENOMEM);
    cr_expect_eq(svc_memo_forget(memos[0], NULL, ""), SVC_EINVAL);
    cr_expect_eq(svc_memo_forget(memos[0], NULL, "two words"), SVC_EINVAL);
    cr_expect_eq(svc_memo_forget(NULL, NULL, "a"), SVC_ENOMEM);
    cr_expect_eq(svc_test_memo_age(NULL, 1), SVC_ENOMEM);
    cr_expect_eq(loads, 0);
    most[SVC_MEMO_KEY_BYTES] = '\0';
    cr_expect_eq(strncmp(get_text(memos[0], most), most, SVC_MEMO_KEY_BYTES), 0);
}

Test(memo, a_memo_works_between_start_and_stop)
{
    svc_memo *memo = svc_memo_new(apps[0], svc_store_open(apps[0], "shared:"), &options);
    cr_expect_str_eq(get_text(memo, "a"), "SVC_ESTATE");
    cr_expect_eq(svc_memo_forget(memo, NULL, "a"), SVC_ESTATE);
    cr_expect_eq(loads, 0);
}

/* ---- No value */

static int not_found = SVC_ENOTFOUND;

Test(memo, that_there_is_no_value_is_kept_for_its_own_time)
{
    make_memos(2);
    cr_expect_str_eq(get_by(memos[0], "a", load_error, &not_found), "SVC_ENOTFOUND");
    cr_expect_str_eq(get_text(memos[0], "a"), "SVC_ENOTFOUND");
    cr_expect_str_eq(get_text(memos[1], "a"), "SVC_ENOTFOUND");
    pass_time(5000);
    cr_expect_str_eq(get_text(memos[0], "a"), "SVC_ENOTFOUND");
    cr_expect_eq(loads, 1);
    pass_time(5000);
    cr_expect_str_eq(get_text(memos[0], "a"), "a 2");
    cr_expect_eq(LOOKUPS("negative"), 3);
    cr_expect_eq(LOADS("not_found"), 1);
}

Test(memo, that_there_is_no_value_need_not_be_kept)
{
    options.negative_ms = 0;
    options.stale_error_ms = 60000;
    make_memos(1);
    cr_expect_str_eq(get_by(memos[0], "a", load_error, &not_found), "SVC_ENOTFOUND");
    cr_expect_str_eq(get_text(memos[0], "a"), "a 2");
    pass_time(60000);
    cr_expect_str_eq(get_by(memos[0], "a", load_error, &not_found), "SVC_ENOTFOUND",
                     "the source no longer has it");
    cr_expect_str_eq(get_text(memos[0], "a"), "a 4", "and the old value is gone");
}

/* ---- Forgetting */

Test(memo, a_forgotten_value_is_loaded_anew)
{
    make_memos(2);
    cr_expect_eq(svc_memo_forget(memos[0], NULL, "a"), 0, "there is none");
    get_text(memos[0], "a");
    cr_expect_eq(svc_memo_forget(memos[1], NULL, "a"), 0);
    cr_expect_str_eq(get_text(memos[0], "a"), "a 2");
    int error = SVC_ESYSTEM;
    cr_expect_str_eq(get_by(memos[0], "b", load_error, &error), "SVC_ESYSTEM");
    cr_expect_eq(svc_memo_forget(memos[1], NULL, "b"), 0);
    cr_expect_str_eq(get_text(memos[0], "b"), "b 4", "an error is forgotten too");
}

static void forget_during_load(svc_memo *by)
{
    begin_callers(0, 1, memos[0]);
    AWAIT(loading == 1);
    cr_expect_eq(svc_memo_forget(by, NULL, "a"), 0);
    gate_open = true;
    end_callers(0, 1);
    expect_all(0, 1, 0, "a 1");
    cr_expect_str_eq(get_text(memos[0], "a"), "a 2", "the load had read the old source");
    cr_expect_str_eq(get_text(memos[1], "a"), "a 2");
}

Test(memo, a_load_that_was_forgotten_keeps_nothing)
{
    make_memos(2);
    forget_during_load(memos[0]);
}

Test(memo, a_load_that_another_instance_has_forgotten_keeps_nothing)
{
    make_memos(2);
    forget_during_load(memos[1]);
}

Test(memo, a_load_that_was_forgotten_keeps_nothing_without_leases)
{
    options.lease_ms = 0;
    make_memos(2);
    forget_during_load(memos[0]);
}

Test(memo, calls_after_a_forgotten_one_do_not_wait_for_its_load)
{
    make_memos(1);
    begin_callers(0, 1, memos[0]);
    AWAIT(loading == 1);
    svc_memo_forget(memos[0], NULL, "a");
    cr_expect_str_eq(get_text(memos[0], "a"), "a 1");
    gate_open = true;
    end_callers(0, 1);
    expect_all(0, 1, 0, "a 2");
}

/* ---- What others have written */

static void store_raw(const char *key, const void *data, size_t len)
{
    char name[100];
    svc_store_value value = {data, len, 0, NULL};
    snprintf(name, sizeof name, "shop:prices:%s", key);
    cr_assert_eq(svc_store_set(backing, NULL, name, &value, 0), 0);
}

Test(memo, what_is_no_entry_is_loaded_anew)
{
    enum { OVER_MAX = 1500000 };
    char *long_bytes = large(OVER_MAX);
    make_memos(1);
    store_raw("a", "", 0);
    store_raw("b", "a text of another program, which is longer than the head of an entry", 68);
    store_raw("c", long_bytes, OVER_MAX); /* over the memo's max_value */
    cr_expect_str_eq(get_text(memos[0], "a"), "a 1");
    cr_expect_str_eq(get_text(memos[0], "b"), "b 2");
    cr_expect_str_eq(get_text(memos[0], "c"), "c 3");
    cr_expect_str_eq(get_text(memos[0], "c"), "c 3");
    cr_expect_eq(LOOKUPS("malformed"), 3);
    down = SVC_ESYNTAX;
    cr_expect_str_eq(get_text(memos[0], "c"), "SVC_ESYNTAX", "a store that cannot even add");
}

Test(memo, the_entry_of_another_key_is_loaded_anew)
{
    svc_store_value value;
    make_memos(1);
    get_text(memos[0], "a");
    cr_assert_eq(svc_store_get(backing, NULL, "shop:prices:a", &value), 0);
    store_raw("b", value.data, value.len);
    svc_store_value_free(&value);
    cr_expect_str_eq(get_text(memos[0], "b"), "b 2");
}

/* ---- Options */

static void expect_refused(const char *report)
{
    cr_expect_null(svc_memo_new(apps[0], svc_store_open(apps[0], "shared:"), &options));
    cr_expect_not_null(strstr(svc_app_errors(apps[0]), report), "%s is not in %s", report,
                       svc_app_errors(apps[0]));
    options = (svc_memo_options)SVC_MEMO_OPTIONS_INIT;
    options.name = "prices";
}

Test(memo, bad_options_are_set_up_errors)
{
    options.name = NULL;
    expect_refused("a name has 1 to 32 letters");
    options.name = "with:colon";
    expect_refused("a name has");
    options.name = "a-name-that-is-longer-than-32-chars";
    expect_refused("a name has");
    options.ttl_ms = 0;
    expect_refused("ttl_ms is at least 1");
    options.stale_error_ms = SVC_STORE_TTL_MS + 1;
    expect_refused("stale_error_ms is at most 366 days");
    options.jitter_percent = 51;
    expect_refused("jitter_percent is at most 50");
    options.early = -1;
    expect_refused("early is 0 to 100");
    options.early = NAN;
    expect_refused("early is 0 to 100");
    options.when_down = 2;
    expect_refused("when_down is no");
    options.max_direct_loads = 0;
    expect_refused("max_direct_loads is 1 to");
    cr_expect_not_null(svc_memo_new(apps[0], svc_store_open(apps[0], "shared:"), &options));
    expect_refused("there is a memo of that name");
    cr_expect_null(svc_memo_new(apps[0], NULL, &options));
    cr_expect_null(svc_memo_new(apps[0], svc_store_open(apps[0], "shared:"), NULL));
    cr_expect_null(svc_memo_new(NULL, NULL, &options));
}

/* ---- Memory */

Test(memo, a_memo_works_over_memory_and_ends_with_its_app)
{
    options.stale_ms = 60000;
    memos[0] = svc_memo_new(apps[0], svc_store_open(apps[0], NULL), &options);
    svc_store *store = svc_test_store(apps[0]);
    cr_expect_str_eq(get_text(memos[0], "a"), "a 1");
    svc_test_memo_age(memos[0], 60000);
    svc_test_store_age(store, 60000);
    cr_expect_str_eq(get_by(memos[0], "a", load_at_gate, NULL), "a 1");
    AWAIT(loading == 1);
    gate_open = true;
    svc_app_free(apps[0]); /* which waits for the load */
    apps[0] = NULL;
    cr_expect_eq(loads, 2);
}
