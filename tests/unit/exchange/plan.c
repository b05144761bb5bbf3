/* Plans that are made by hand: requests are served without any app. */
#include "libsvc/exchange/plan.h"

#include <criterion/criterion.h>
#include <string.h>

#include <svc/app.h>
#include <svc/middleware.h>

#include "libsvc/dispatch/dispatch.h"
#include "libsvc/exchange/exchange.h"
#include "libsvc/route/plant.h"
#include "libsvc/run/reactor.h"

/* Addresses that stand for apps: nobody looks into one. */
static char outer, shop;
#define APP(name) ((svc_app *)(void *)&(name))

static struct exchange_host host;
static struct svc_loop loop;
static struct peer peer;
static unsigned layer_runs;

static void take_news(struct transport *transport)
{
    (void)transport;
}

static struct transport transport = {take_news, "http", &peer};

static void wake(struct exchange_host *from, struct exchange *x)
{
    (void)from, (void)x;
}

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

static void parse(struct plan *plan, const char *text, struct pattern *out)
{
    struct buf why;
    svc__buf_init(&why, 4096);
    cr_assert_eq(svc__pattern_parse(&plan->memory, text, "plan.c", 1, out, &why), 0);
    svc__buf_free(&why);
}

/* What serves GET /a, and the app `shop` below /shop with GET /shop/b, which a layer sees. */
static struct plan *make_plan(const svc_config *config, const _Atomic int *draining, char *text)
{
    struct plan *plan = calloc(1, sizeof *plan);
    cr_assert(plan);
    svc__arena_init(&plan->memory, NULL, SIZE_MAX);
    plan->config = config;
    plan->draining = draining;
    plan->app_count = plan->route_count = 2;
    plan->apps = svc__arena_zalloc(&plan->memory, 2 * sizeof *plan->apps);
    plan->routes = svc__arena_zalloc(&plan->memory, 2 * sizeof *plan->routes);
    plan->apps[0] = (struct plan_app){.app = APP(outer), .config = config};
    plan->apps[1] =
        (struct plan_app){.app = APP(shop), .config = config, .mounted_at = svc__bytes_z("/shop")};
    parse(plan, "/shop/", &plan->apps[1].prefix);
    parse(plan, "GET /a", &plan->routes[0].pattern);
    parse(plan, "GET /shop/b", &plan->routes[1].pattern);
    const struct pattern *patterns[2];
    for (size_t i = 0; i < 2; i++) {
        struct route *route = &plan->routes[i];
        struct chain_layer *layer = svc__arena_zalloc(&plan->memory, sizeof *layer);
        patterns[i] = &route->pattern;
        route->owner = &plan->apps[i];
        route->handler = answer_arg;
        route->arg = text;
        route->timeout_ms = 60000;
        route->chain.layers = layer;
        if (i == 1)
            svc__chain_append(&route->chain, &counter, APP(shop));
    }
    plan->tree = svc__plant_tree(patterns, 2);
    cr_assert(plan->tree);
    return plan;
}

static svc_config config = SVC_CONFIG_INIT;
static _Atomic int draining;
static char first_text[] = "first", second_text[] = "second";
static struct plan *plan;

static void open_plan(void)
{
    plan = make_plan(&config, &draining, first_text);
    host = (struct exchange_host){.wake = wake, .loop = &loop};
    svc__buf_init(&host.scratch, 65536);
}

static void close_plan(void)
{
    svc__buf_free(&host.scratch);
    svc__plan_free(plan);
}

TestSuite(exchange_plan, .init = open_plan, .fini = close_plan);

static struct exchange *begin(const struct plan *serving, const char *target)
{
    static struct field host_field;
    host_field = (struct field){svc__bytes_z("Host"), svc__bytes_z("a")};
    struct head head = {svc__bytes_z("GET"), svc__bytes_z(target), 1, &host_field, 1, 0};
    head.bytes = svc__head_size(&head);
    struct exchange *x = svc__dispatch_new(serving, &host, &transport, head.target_raw);
    cr_assert(x);
    svc__dispatch_head(x, &head);
    return x;
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
    struct plan *later = make_plan(&config, &draining, second_text);
    struct exchange *x = begin(plan, "/a");
    expect_reply(begin(later, "/a"), 200, "second");
    svc__plan_free(later);
    expect_reply(x, 200, "first");
}

Test(exchange_plan, a_cut_leaves_no_time)
{
    struct exchange *x = begin(plan, "/a");
    cr_expect_gt(svc_request_remaining_ms(&x->request), 0);
    draining = DRAIN_CUT;
    cr_expect_eq(svc_request_remaining_ms(&x->request), 0);
    draining = DRAIN_NONE;
    expect_reply(x, 200, "first");
}
