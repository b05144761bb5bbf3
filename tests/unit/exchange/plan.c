/* Plans that are made by hand: requests are served without any app. */
#include "libsvc/exchange/plan.h"

#include <criterion/criterion.h>
#include <string.h>

#include "libsvc/dispatch/dispatch.h"
#include "tests/support/hand.h"

/* Addresses that stand for apps: nobody looks into one. */
static char outer, shop;
#define APP(name) ((svc_app *)(void *)&(name))

static unsigned layer_runs;

static int answer_arg(svc_request *req, svc_response *res)
{
    return svc_response_text(res, 200, svc_request_arg(req));
}

static int answer_not_found(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 404, "nothing");
}

static int count_run(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)res, (void)layer;
    layer_runs++;
    return SVC_PASS;
}

static const svc_middleware counter = {
    .size = sizeof counter, .name = "counter", .on_request = count_run};

/* Serves GET /a, and the app `shop` below /shop with GET /shop/b, which a layer sees. */
static void fill_plan(struct plan *plan, char *text)
{
    plan->apps->app = APP(outer);
    const struct plan_app *mounted = hand_mount(plan, "/shop", APP(shop));
    hand_route(plan, plan->apps, "GET /a", answer_arg)->arg = text;
    struct route *route = hand_route(plan, mounted, "GET /shop/b", answer_arg);
    route->arg = text;
    hand_layer(plan, &route->chain, &counter);
    hand_plant(plan);
}

static char first_text[] = "first", second_text[] = "second";
static struct plan *plan;

static void open_plan(void)
{
    hand_open();
    plan = hand.plan;
    fill_plan(plan, first_text);
}

TestSuite(exchange_plan, .init = open_plan, .fini = hand_close);

static struct exchange *begin(const struct plan *serving, const char *target)
{
    return hand_begin(serving, "GET", target, NULL);
}

static void expect_reply(struct exchange *x, int status, const char *text)
{
    size_t len;
    cr_assert_eq(svc__dispatch_run(x), EXCHANGE_REPLY);
    const char *data = svc_response_body(&x->response, &len);
    cr_expect_eq(x->response.status, status, "%d", x->response.status);
    cr_expect(!text || svc__bytes_eq_z(svc__bytes(data, len), text), "%.*s", (int)len, data);
    svc__dispatch_done(x, SVC_COMPLETE, len);
    svc__exchange_unref(x);
}

Test(exchange_plan, serves_the_routes_of_each_app_through_their_chains)
{
    struct exchange *x = begin(plan, "/a");
    cr_expect_eq(svc_request_app(&x->request), APP(outer));
    cr_expect_str_eq(svc_request_mount(&x->request), "");
    expect_reply(x, 200, "first");
    cr_expect_eq(layer_runs, 0);
    x = begin(plan, "/shop/b");
    cr_expect_eq(svc_request_app(&x->request), APP(shop));
    cr_expect_str_eq(svc_request_mount(&x->request), "/shop");
    expect_reply(x, 200, "first");
    cr_expect_eq(layer_runs, 1);
}

Test(exchange_plan, a_path_without_a_route_is_its_app_s_to_answer)
{
    expect_reply(begin(plan, "/none"), 404, NULL);
    struct route *fallback = &plan->apps[1].fallback;
    *fallback = (struct route){.pattern.text = "",
                               .owner = &plan->apps[1],
                               .handler = answer_arg,
                               .arg = second_text,
                               .timeout_ms = 60000};
    expect_reply(begin(plan, "/shop/none"), 200, "second");
    plan->not_found = answer_not_found;
    expect_reply(begin(plan, "/none"), 404, "nothing");
    expect_reply(begin(plan, "/shop/none"), 200, "second");
    cr_expect_eq(svc__plan_owner(plan, svc__bytes_z("/shop/x/y")), &plan->apps[1]);
    cr_expect_eq(svc__plan_owner(plan, svc__bytes_z("/shopping")), &plan->apps[0]);
}

Test(exchange_plan, a_request_keeps_the_one_that_it_began_with)
{
    struct plan *later = hand_plan();
    fill_plan(later, second_text);
    struct exchange *x = begin(plan, "/a");
    expect_reply(begin(later, "/a"), 200, "second");
    svc__plan_free(later);
    expect_reply(x, 200, "first");
}

Test(exchange_plan, a_cut_leaves_no_time)
{
    struct exchange *x = begin(plan, "/a");
    cr_expect_gt(svc_request_remaining_ms(&x->request), 0);
    hand.draining = DRAIN_CUT;
    cr_expect_eq(svc_request_remaining_ms(&x->request), 0);
    hand.draining = DRAIN_NONE;
    expect_reply(x, 200, "first");
}
