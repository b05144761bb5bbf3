/* Flags of a whole group. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include <svc.h>

static pthread_t tester;

/* Where it runs, and whether it was given bytes that are no text. */
static int tell(svc_request *req, svc_response *res)
{
    const char *where = pthread_equal(pthread_self(), tester) ? "loop" : "worker";
    (void)req;
    return svc_response_text(res, 200, where);
}

static void expect(svc_app *app, const char *target, int status, const char *body)
{
    svc_reply *reply = svc_app_test_get(app, target);
    cr_expect_eq(svc_reply_status(reply), status, "%s: %s", target, svc_app_errors(app));
    if (body)
        cr_expect_str_eq(svc_reply_body(reply, NULL), body, "%s", target);
    svc_reply_free(reply);
}

Test(group_flags, routes_before_and_after_and_groups_within_have_them)
{
    svc_app *app = svc_app_new("flags"), *inner = svc_app_new("inner");
    svc_group *group = svc_app_group(app, "/group"), *within = svc_group_group(group, "/within");
    tester = pthread_self();
    svc_app_get(app, "/outside", tell, NULL);
    svc_group_get(group, "/before", tell, NULL);
    cr_expect_eq(svc_group_set_flags(group, SVC_BLOCKING), 0);
    cr_expect_eq(svc_group_set_flags(within, SVC_ANY_BYTES), 0);
    svc_group_get(group, "/after", tell, NULL);
    svc_group_get(group, "/text/{name}", tell, NULL);
    svc_group_get(within, "/any/{name}", tell, NULL);
    svc_group_get(svc_group_group(within, "/deep"), "/any/{name}", tell, NULL);
    svc_app_get(inner, "/", tell, NULL);
    svc_group_mount(group, "/inner", inner);
    expect(app, "/outside", 200, "loop");
    expect(app, "/group/before", 200, "worker");
    expect(app, "/group/after", 200, "worker");
    expect(app, "/group/text/%ff", 400, NULL);
    expect(app, "/group/within/any/%ff", 200, "worker");
    expect(app, "/group/within/deep/any/%ff", 200, "worker");
    expect(app, "/group/inner/", 200, "loop");
    svc_app_free(app);
}

Test(group_flags, the_last_call_counts_and_unknown_flags_are_refused)
{
    svc_app *app = svc_app_new("flags");
    svc_group *group = svc_app_group(app, "/group");
    tester = pthread_self();
    cr_expect_eq(svc_group_set_flags(group, SVC_BLOCKING), 0);
    cr_expect_eq(svc_group_set_flags(group, 0), 0);
    svc_group_get(group, "/", tell, NULL);
    expect(app, "/group/", 200, "loop");
    cr_expect_eq(svc_group_set_flags(group, SVC_BLOCKING), SVC_ESTATE);
    svc_app_free(app);
    app = svc_app_new("flags");
    group = svc_app_group(app, "/group");
    cr_expect_eq(svc_group_set_flags(group, SVC_BODY_PIECES), SVC_EINVAL);
    cr_expect_eq(svc_group_set_flags(group, 1), SVC_EINVAL);
    cr_expect_eq(svc_group_set_flags(NULL, 0), SVC_ENOMEM);
    cr_expect(strstr(svc_app_errors(app), "svc_group_set_flags"));
    svc_app_free(app);
}
