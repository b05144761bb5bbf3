/* Layers whose on_response waits: the answer goes out behind them, and no thread waits. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include <svc.h>

#include "tests/support/quiet_app.h"

static svc_app *app;
static char trace[256];
static _Atomic int resumed_with;

static void open_app(void)
{
    app = quiet_app_new("waits");
}

static void close_app(void)
{
    svc_app_free(app);
}

TestSuite(answer_waits, .init = open_app, .fini = close_app);

static void note(const char *what)
{
    strcat(trace, what);
    strcat(trace, " ");
}

/* The state of a layer that waits. */
struct waiting {
    pthread_t thread;
    svc_request *req;
    int runs;
};

static void *resume_soon(void *arg)
{
    struct waiting *waiting = arg;
    resumed_with = svc_request_resume(waiting->req);
    return NULL;
}

/* Waits twice for another thread; `arg` is the layer's name. */
static int wait_twice(svc_request *req, svc_response *res, const svc_layer *layer)
{
    struct waiting *waiting = layer->state;
    note(layer->arg);
    if (waiting->runs > 0)
        pthread_join(waiting->thread, NULL);
    if (waiting->runs++ == 2)
        return svc_response_add_header(res, "X-Waited", layer->arg);
    waiting->req = req;
    cr_assert_eq(svc_request_allow_wait(req), 0);
    cr_assert_eq(pthread_create(&waiting->thread, NULL, resume_soon, waiting), 0);
    return SVC_WAIT;
}

static int note_response(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)res;
    note(layer->arg);
    return 0;
}

static int answer_ok(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "ok");
}

static svc_middleware make_layer(const char *name,
                                 int (*on_response)(svc_request *req, svc_response *res,
                                                    const svc_layer *layer))
{
    svc_middleware layer = SVC_MIDDLEWARE_INIT;
    layer.name = name;
    layer.arg = (void *)(uintptr_t)name;
    layer.state_size = sizeof(struct waiting);
    layer.on_response = on_response;
    return layer;
}

static int get_status(const char *target)
{
    svc_reply *reply = svc_app_test_get(app, target);
    int status = svc_reply_status(reply);
    svc_reply_free(reply);
    return status;
}

Test(answer_waits, each_layer_waits_as_often_as_it_likes)
{
    svc_middleware outer = make_layer("outer", note_response), first = make_layer("b", wait_twice),
                   second = make_layer("a", wait_twice);
    svc_app_use(app, &outer);
    svc_app_use(app, &first);
    svc_app_use(app, &second);
    svc_app_get(app, "/{$}", answer_ok, NULL);
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_str_eq(svc_reply_body(reply, NULL), "ok");
    cr_expect_str_eq(svc_reply_header(reply, "X-Waited"), "a");
    cr_expect_str_eq(trace, "a a a b b b outer ");
    cr_expect_eq(resumed_with, 0);
    svc_reply_free(reply);
    trace[0] = '\0';
    cr_expect_eq(get_status("/none"), 404);
    cr_expect_str_eq(trace, "a a a b b b outer ", "the library's answers wait too");
}

static int resume_at_once(svc_request *req, svc_response *res, const svc_layer *layer)
{
    struct waiting *waiting = layer->state;
    (void)res;
    note(layer->arg);
    if (waiting->runs++)
        return 0;
    cr_assert_eq(svc_request_allow_wait(req), 0);
    cr_expect_eq(svc_request_resume(req), 0);
    cr_expect_eq(svc_request_resume(req), SVC_ESTATE);
    return SVC_WAIT;
}

Test(answer_waits, a_layer_may_be_resumed_before_it_has_returned)
{
    svc_middleware outer = make_layer("outer", note_response),
                   layer = make_layer("layer", resume_at_once);
    svc_app_use(app, &outer);
    svc_app_use(app, &layer);
    svc_app_get(app, "/", answer_ok, NULL);
    cr_expect_eq(get_status("/"), 200);
    cr_expect_str_eq(trace, "layer layer outer ");
}

static int wait_unasked(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)res, (void)layer;
    return SVC_WAIT;
}

/* Does not wait, though it may, since what it would wait for has failed. */
static int allow_and_pass(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)res, (void)layer;
    cr_expect_eq(svc_request_allow_wait(req), 0);
    return 0;
}

static svc_request *seen;

static void keep_request(svc_request *req, const svc_response *res, const svc_layer *layer,
                         const svc_done *done)
{
    (void)res, (void)layer, (void)done;
    seen = req;
    cr_expect_eq(svc_request_allow_wait(req), SVC_ESTATE);
    cr_expect_eq(svc_request_resume(req), SVC_ESTATE, "nothing waits");
}

Test(answer_waits, who_was_not_allowed_or_does_not_want_to_holds_nothing)
{
    svc_middleware layer = make_layer("layer", wait_unasked),
                   allowed = make_layer("allowed", allow_and_pass);
    allowed.on_done = keep_request;
    svc_app_use(app, &layer);
    svc_app_get(app, "/", answer_ok, NULL);
    svc_group *group = svc_app_group(app, "/allowed");
    svc_group_use(group, &allowed);
    svc_group_get(group, "/", answer_ok, NULL);
    cr_expect_eq(get_status("/"), 200);
    cr_expect_eq(get_status("/allowed/"), 200);
    cr_expect_not_null(seen);
}

/* ---- Where it is not allowed */

static int allowed_in_handler, allowed_in_request, allowed_in_response;

static int ask_in_handler(svc_request *req, svc_response *res)
{
    allowed_in_handler = svc_request_allow_wait(req);
    return svc_response_text(res, 200, "ok");
}

static int ask_in_request(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)res, (void)layer;
    allowed_in_request = svc_request_allow_wait(req);
    return SVC_PASS;
}

static int ask_in_response(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)res, (void)layer;
    allowed_in_response = svc_request_allow_wait(req);
    return allowed_in_response == 0 ? SVC_EINVAL : 0;
}

Test(answer_waits, only_the_way_out_at_home_can_wait)
{
    svc_middleware layer = make_layer("layer", ask_in_response);
    layer.on_request = ask_in_request;
    layer.flags = SVC_BLOCKING; /* so it runs on a worker */
    svc_app_use(app, &layer);
    svc_app_get(app, "/", ask_in_handler, NULL);
    cr_expect_eq(get_status("/"), 200);
    cr_expect_eq(allowed_in_request, SVC_ESTATE);
    cr_expect_eq(allowed_in_handler, SVC_ESTATE);
    cr_expect_eq(allowed_in_response, SVC_ESTATE);
    cr_expect_eq(svc_request_allow_wait(NULL), SVC_ENOMEM);
}

static svc_pending *never;

static int defer_for_ever(svc_request *req, svc_response *res)
{
    (void)res;
    never = svc_request_defer(req, NULL, NULL);
    return never ? 0 : SVC_ENOMEM;
}

static void open_within(unsigned ms)
{
    svc_config config = quiet_app_config();
    config.request_timeout_ms = ms;
    svc_app_configure(app, &config);
}

/* The answer at a deadline is given in a hurry. */
Test(answer_waits, the_answer_at_a_deadline_does_not)
{
    svc_middleware layer = make_layer("layer", ask_in_response);
    open_within(50);
    svc_app_use(app, &layer);
    svc_app_get(app, "/", defer_for_ever, NULL);
    cr_expect_eq(get_status("/"), 504);
    cr_expect_eq(allowed_in_response, SVC_ESTATE);
    svc_pending_unref(never);
}

static void *resume_late(void *arg)
{
    svc_request *req = arg;
    while (!svc_request_cancelled(req))
        continue;
    resumed_with = svc_request_resume(req);
    return NULL;
}

static pthread_t late_thread;

static int wait_long(svc_request *req, svc_response *res, const svc_layer *layer)
{
    struct waiting *waiting = layer->state;
    (void)res;
    if (waiting->runs++)
        return 0;
    cr_assert_eq(svc_request_allow_wait(req), 0);
    cr_assert_eq(pthread_create(&late_thread, NULL, resume_late, req), 0);
    return SVC_WAIT;
}

Test(answer_waits, for_no_longer_than_the_deadline)
{
    svc_middleware layer = make_layer("layer", wait_long);
    open_within(200);
    svc_app_use(app, &layer);
    svc_app_get(app, "/", answer_ok, NULL);
    int status = get_status("/");
    pthread_join(late_thread, NULL);
    /* A resume in time is no promise: the deadline may pass before the layer's turn comes. */
    cr_expect(status == 504 || (status == 200 && resumed_with == 0), "%d with %d", status,
              resumed_with);
}
