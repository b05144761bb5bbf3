/* Calls of stores on event loops that end, and in layers that wait. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/api/store_then_stage.h"
#include "tests/support/quiet_app.h"

TestSuite(store_then_end, .init = open_late_app, .fini = close_late_app);

/* ---- The end of a loop */

static int kept_errors[MOST], kept_count;

static void keep_error(const svc_store_answer *given, void *arg)
{
    kept_errors[kept_count++] = given->error;
    cr_expect_eq(ended, 0, "the backend's part is there as long as callbacks come");
    if (arg) /* at the end nothing begins any more */
        cr_expect_eq(svc_store_get_then(arg, NULL, "key", keep_error, NULL),
                     given->error == SVC_ECANCELLED ? SVC_ESTATE : 0);
}

static int call_and_leave(svc_request *req, svc_response *res)
{
    (void)req;
    cr_expect_eq(svc_store_get_then(asked, NULL, "key", keep_error, asked), 0);
    return svc_response_text(res, 200, "ok");
}

Test(store_then_end, a_call_under_way_is_cancelled_at_the_end)
{
    open_late_store("late:?timeout_ms=86400000", NEVER);
    asked = late;
    svc_app_get(late_app, "/", call_and_leave, NULL);
    cr_expect_eq(get_status("/"), 200);
    cr_expect_eq(get_status("/"), 200);
    cr_assert_eq(waiting_count, 2);
    svc_app_free(late_app);
    cr_expect_eq(kept_count, 2);
    cr_expect_eq(kept_errors[0], SVC_ECANCELLED);
    cr_expect_eq(kept_errors[1], SVC_ECANCELLED);
    cr_expect_eq(forgotten, 2);
    cr_expect_eq(ended, 1);
    open_late_app();
}

/* The second call, of the callback of the first, waits for its turn when the loop ends. */
Test(store_then_end, a_call_that_was_not_submitted_is_cancelled_at_the_end)
{
    open_late_store("late:", AT_ONCE);
    asked = late;
    svc_app_get(late_app, "/", call_and_leave, NULL);
    cr_expect_eq(get_status("/"), 200);
    cr_expect_eq(kept_count, 1);
    svc_app_free(late_app);
    cr_expect_eq(kept_count, 2);
    cr_expect_eq(kept_errors[0], 0);
    cr_expect_eq(kept_errors[1], SVC_ECANCELLED);
    cr_expect_eq(forgotten, 0);
    cr_expect_eq(batches, 1);
    open_late_app();
}

static int count_and_leave(svc_request *req, svc_response *res)
{
    (void)req;
    cr_expect_eq(svc_store_get_then(asked, NULL, "key", keep_error, asked), 0);
    return svc_response_text(res, 200, "ok");
}

Test(store_then_end, memory_answers_all_calls_before_the_end)
{
    asked = svc_store_open(late_app, NULL);
    svc_app_get(late_app, "/", count_and_leave, NULL);
    cr_assert_eq(svc_test_store(late_app), asked);
    set_text(asked, "key", "text");
    cr_expect_eq(get_status("/"), 200);
    cr_expect_eq(kept_count, 1);
    close_late_app();
    cr_expect_eq(kept_count, 2);
    cr_expect_eq(kept_errors[1], 0);
    open_late_app();
}

Test(store_then_end, a_part_that_cannot_begin_fails_the_start)
{
    open_late_store("late:", NEVER);
    next_error = SVC_ENOMEM;
    cr_expect_null(svc_app_test_get(late_app, "/"));
    cr_expect_not_null(strstr(svc_app_errors(late_app), "could not be made: \"store\""), "%s",
                       svc_app_errors(late_app));
}

static int call_and_fail(svc_app *of, svc_loop *loop, void *arg, void **state)
{
    (void)of, (void)loop, (void)arg, (void)state;
    cr_expect_eq(svc_store_get_then(late, NULL, "key", keep_error, NULL), 0);
    return SVC_ESTART;
}

Test(store_then_end, a_start_that_fails_ends_the_calls_made_so_far)
{
    static const svc_key key = {"failing"};
    open_late_store("late:", NEVER);
    svc_app_each_loop(late_app, &key, call_and_fail, NULL, NULL);
    cr_expect_null(svc_app_test_get(late_app, "/"));
    cr_expect_eq(kept_count, 1);
    cr_expect_eq(kept_errors[0], SVC_ECANCELLED);
    cr_expect_eq(ended, 1);
    svc_app_free(late_app);
    cr_expect_eq(kept_count, 1);
    cr_expect_eq(batches, 0);
    open_late_app();
}

/* ---- A layer that waits */

struct permission {
    svc_request *req;
    bool came, given;
};

static void take_permission(const svc_store_answer *given, void *arg)
{
    struct permission *permission = arg;
    permission->came = true;
    permission->given = !given->error && strcmp(given->value.data, "yes") == 0;
    (void)svc_request_resume(permission->req);
}

static int ask_permission(svc_request *req, svc_response *res, const svc_layer *layer)
{
    struct permission *permission = layer->state;
    if (permission->came && permission->given)
        return SVC_PASS;
    if (permission->came) {
        svc_response_problem(res, 403, NULL);
        return SVC_ANSWERED;
    }
    permission->req = req;
    int error =
        svc_store_get_then(asked, req, svc_request_query(req, "who"), take_permission, permission);
    return error ? error : SVC_WAIT;
}

static int greet(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "hello");
}

static void use_permissions(void)
{
    svc_middleware middleware = SVC_MIDDLEWARE_INIT;
    middleware.name = "permission";
    middleware.state_size = sizeof(struct permission);
    middleware.on_request = ask_permission;
    svc_app_use(late_app, &middleware);
    svc_app_get(late_app, "/", greet, NULL);
}

Test(store_then_end, a_layer_waits_for_a_store)
{
    asked = svc_store_open(late_app, NULL);
    use_permissions();
    cr_assert_eq(svc_test_store(late_app), asked);
    set_text(asked, "ada", "yes");
    set_text(asked, "bob", "no");
    cr_expect_eq(get_status("/?who=ada"), 200);
    cr_expect_eq(get_status("/?who=bob"), 403);
    cr_expect_eq(get_status("/?who=eve"), 403);
}

Test(store_then_end, a_layer_waits_no_longer_than_the_request)
{
    svc_config config = quiet_app_config();
    config.request_timeout_ms = 500; /* for the layer to ask */
    svc_app_configure(late_app, &config);
    open_late_store("late:?timeout_ms=86400000", NEVER);
    asked = late;
    use_permissions();
    cr_expect_neq(get_status("/?who=ada"), 200);
    svc_app_free(late_app); /* which waits until the layer has resumed the request */
    cr_expect_eq(forgotten, 1);
    open_late_app();
}
