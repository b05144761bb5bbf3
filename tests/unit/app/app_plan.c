/* Plans that are compiled from what is registered. */
#include "libsvc/app/app_plan.h"

#include <criterion/criterion.h>

#include <svc/response.h>
#include <svc/test.h>

static int answer(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "answer");
}

static int ask(svc_app *app, const char *body, size_t len)
{
    svc_test test = SVC_TEST_INIT;
    test.method = "POST";
    test.target = "/inner/a";
    test.body = body;
    test.body_len = len;
    svc_reply *reply = svc_app_test(app, &test);
    cr_assert(reply);
    int status = svc_reply_status(reply);
    svc_reply_free(reply);
    return status;
}

/* What a reload needs: another plan of the same app, with other settings, while the first serves.
 */
Test(app_plan, another_is_compiled_from_the_same_registration)
{
    svc_app *app = svc_app_new("plan"), *inner = svc_app_new("inner");
    cr_assert_eq(svc_app_post(inner, "/a", answer, NULL), 0);
    cr_assert_eq(svc_app_mount(app, "/inner", inner), 0);
    cr_assert_eq(ask(app, "12345", 5), 200);
    struct plan *first = app->plan, *second;
    inner->config.max_body_bytes = 4;
    cr_assert_eq(svc__app_plan_compile(app, &second), 0);
    cr_expect_eq(second->app_count, 2);
    cr_expect_eq(second->route_count, first->route_count);
    cr_expect_eq(second->default_layers, first->default_layers);
    second->workers = first->workers;
    cr_expect_eq(ask(app, "12345", 5), 200);
    app->plan = second;
    cr_expect_eq(ask(app, "12345", 5), 413);
    cr_expect_eq(ask(app, "1234", 4), 200);
    svc__plan_free(first);
    svc_app_free(app);
}
