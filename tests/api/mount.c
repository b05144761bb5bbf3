/* Apps under a prefix of other apps: composed, and apart again, without a change to them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

/* Where a request arrived: the app, the mount, the route, the wildcard. */
static int show(svc_request *req, svc_response *res)
{
    const char *id = svc_request_param(req, "id");
    char text[256];
    snprintf(text, sizeof text, "%s %s %s %s", svc_app_name(svc_request_app(req)),
             svc_request_mount(req), svc_request_route(req), id ? id : "-");
    return svc_response_text(res, 200, text);
}

static int missing(svc_request *req, svc_response *res)
{
    size_t len;
    const char *body = svc_request_body(req, &len);
    char text[128];
    snprintf(text, sizeof text, "no such %s: %.*s", (const char *)svc_request_arg(req), (int)len,
             body);
    return svc_response_text(res, 404, text);
}

/* Marks each reply that it saw, so that the order of layers shows. */
static int mark(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req;
    return svc_response_add_header(res, "Mark", layer->arg);
}

static svc_middleware outer_mark = {
    .size = sizeof outer_mark, .name = "outer", .arg = "outer", .on_response = mark};
static svc_middleware group_mark = {
    .size = sizeof group_mark, .name = "group", .arg = "group", .on_response = mark};
static svc_middleware inner_mark = {
    .size = sizeof inner_mark, .name = "inner", .arg = "inner", .on_response = mark};

/* A service as somebody would write it who knows nothing of mounting. */
static svc_app *make_orders(void)
{
    svc_app *app = svc_app_new("orders");
    svc_app_use(app, &inner_mark);
    svc_app_get(app, "/{$}", show, NULL);
    svc_app_get(app, "/{id}", show, NULL);
    svc_app_post(app, "/{id}", show, NULL);
    svc_app_get(app, "/{id}/lines/", show, NULL);
    svc_app_set_fallback(app, missing, "order");
    return app;
}

static void expect_reply(svc_app *app, const char *method, const char *target, int status,
                         const char *body, const char *first_mark)
{
    svc_test test = SVC_TEST_INIT;
    test.method = method;
    test.target = target;
    svc_reply *reply = svc_app_test(app, &test);
    cr_assert(reply, "%s", svc_app_errors(app));
    cr_expect_eq(svc_reply_status(reply), status, "%s: %d", target, svc_reply_status(reply));
    if (body)
        cr_expect_str_eq(svc_reply_body(reply, NULL), body, "%s: %s", target,
                         svc_reply_body(reply, NULL));
    const char *found = svc_reply_header(reply, "Mark");
    cr_expect_str_eq(found ? found : "none", first_mark, "%s: %s", target, found ? found : "none");
    svc_reply_free(reply);
}

Test(mount, an_app_serves_by_itself_and_under_a_prefix)
{
    svc_app *alone = make_orders();
    expect_reply(alone, "GET", "/7", 200, "orders  GET /{id} 7", "inner");
    expect_reply(alone, "GET", "/", 200, "orders  GET /{$} -", "inner");
    svc_app_free(alone);

    svc_app *shop = svc_app_new("shop");
    svc_app_use(shop, &outer_mark);
    svc_app_get(shop, "/health", show, NULL);
    cr_expect_eq(svc_app_mount(shop, "/orders", make_orders()), 0);
    expect_reply(shop, "GET", "/orders/7", 200, "orders /orders GET /orders/{id} 7", "inner");
    expect_reply(shop, "GET", "/orders/", 200, "orders /orders GET /orders/{$} -", "inner");
    expect_reply(shop, "GET", "/orders/7/lines/1", 200, "orders /orders GET /orders/{id}/lines/ 7",
                 "inner");
    expect_reply(shop, "GET", "/health", 200, "shop  GET /health -", "outer");
    expect_reply(shop, "GET", "/7", 404, NULL, "outer");
    svc_app_free(shop);
}

Test(mount, what_no_route_matches_is_the_mounted_apps)
{
    svc_app *shop = svc_app_new("shop");
    svc_app_use(shop, &outer_mark);
    svc_app_mount(shop, "/orders", make_orders());
    expect_reply(shop, "GET", "/orders/7/no/such", 404, "no such order: ", "inner");
    expect_reply(shop, "GET", "/ord%65rs/7/x", 404, "no such order: ", "inner");
    expect_reply(shop, "POST", "/orders/7/lines/1", 405, NULL, "inner");
    expect_reply(shop, "GET", "/orders/7/lines", 308, NULL, "inner");
    expect_reply(shop, "GET", "/ordersX/7/x", 404, NULL, "outer");
    expect_reply(shop, "GET", "/other", 404, NULL, "outer");
    svc_app_free(shop);
}

Test(mount, a_fallback_sees_the_body_of_its_request)
{
    svc_app *app = make_orders();
    svc_reply *reply = svc_app_test_json(app, "POST", "/a/b/c", "[1]");
    cr_expect_str_eq(svc_reply_body(reply, NULL), "no such order: [1]");
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(mount, layers_run_from_the_outer_app_over_the_group_to_the_inner_app)
{
    svc_app *shop = svc_app_new("shop");
    svc_app_use(shop, &outer_mark);
    svc_group *api = svc_app_group(shop, "/api");
    svc_group_use(api, &group_mark);
    svc_group_mount(api, "/orders", make_orders());
    svc_reply *reply = svc_app_test_get(shop, "/api/orders/1");
    char order[64] = "";
    const char *name, *value;
    for (size_t i = 0; svc_reply_header_at(reply, i, &name, &value) == 0; i++)
        if (!strcmp(name, "Mark"))
            strcat(strcat(order, value), " ");
    cr_expect_str_eq(order, "inner group outer ");
    cr_expect_str_eq(svc_reply_body(reply, NULL), "orders /api/orders GET /api/orders/{id} 1");
    svc_reply_free(reply);
    svc_app_free(shop);
}

Test(mount, mounts_nest_and_the_deepest_answers)
{
    svc_app *whole = svc_app_new("whole"), *shop = svc_app_new("shop");
    svc_app_use(shop, &group_mark);
    svc_app_use(whole, &outer_mark);
    svc_app_set_fallback(shop, missing, "shop");
    svc_app_mount(whole, "/shops/{shop}", shop);
    svc_app_mount(shop, "/orders", make_orders());
    expect_reply(whole, "GET", "/shops/a%20b/orders/7", 200,
                 "orders /shops/a%20b/orders GET /shops/{shop}/orders/{id} 7", "inner");
    expect_reply(whole, "GET", "/shops/x/orders/7/8", 404, "no such order: ", "inner");
    expect_reply(whole, "GET", "/shops/x/y", 404, "no such shop: ", "group");
    expect_reply(whole, "GET", "/shops/x", 404, "no such shop: ", "group");
    expect_reply(whole, "GET", "/shops", 404, NULL, "outer");
    svc_app_free(whole);
}

/* ---- Life */

static char life[256];

static int start(svc_app *app, void *arg)
{
    strcat(strcat(strcat(life, "+"), svc_app_name(app)), arg);
    return 0;
}

static void stop(svc_app *app, void *arg)
{
    strcat(strcat(strcat(life, "-"), svc_app_name(app)), arg);
}

Test(mount, hooks_and_layers_start_and_stop_with_their_own_app)
{
    static const svc_middleware layer = {
        .size = sizeof layer, .name = "layer", .arg = "/layer", .start = start, .stop = stop};
    life[0] = '\0';
    svc_app *outer = svc_app_new("outer"), *inner = svc_app_new("inner");
    svc_app_add_hook(inner, start, stop, "/hook");
    svc_app_use(inner, &layer);
    svc_app_mount(outer, "/in", inner);
    svc_app_add_hook(outer, start, stop, "/hook");
    svc_reply_free(svc_app_test_get(outer, "/"));
    cr_expect_str_eq(life, "+inner/layer+outer/hook+inner/hook", "%s", life);
    svc_app_free(outer);
    cr_expect_str_eq(life, "+inner/layer+outer/hook+inner/hook-inner/hook-outer/hook-inner/layer",
                     "%s", life);
}

static int take(svc_request *req, svc_response *res)
{
    return svc_request_json(req, res) ? svc_response_empty(res, 204) : 0;
}

Test(mount, a_mounted_apps_own_limits_hold_for_its_routes)
{
    svc_app *outer = svc_app_new("outer"), *inner = svc_app_new("inner");
    svc_config config = SVC_CONFIG_INIT;
    config.max_body_bytes = 8;
    config.max_json_depth = 1;
    svc_app_configure(inner, &config);
    svc_app_post(inner, "/", take, NULL);
    svc_app_post(outer, "/", take, NULL);
    svc_app_mount(outer, "/in", inner);
    static const struct {
        const char *target, *json;
        int status;
    } rows[] = {{"/in/", "[1]", 204},
                {"/in/", "[[1]]", 400},
                {"/in/", "[1,2,3,4]", 413},
                {"/", "[[1,2,3,4]]", 204}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        svc_reply *reply = svc_app_test_json(outer, "POST", rows[i].target, rows[i].json);
        cr_expect_eq(svc_reply_status(reply), rows[i].status, "%s %s: %d", rows[i].target,
                     rows[i].json, svc_reply_status(reply));
        svc_reply_free(reply);
    }
    svc_app_free(outer);
}

Test(mount, a_mounted_apps_rate_limit_refuses)
{
    static const svc_rate_window window = {"one", 1, 3600, 1};
    svc_app *outer = svc_app_new("outer"), *inner = svc_app_new("inner");
    svc_rate_limit limit = SVC_RATE_LIMIT_INIT;
    limit.windows = &window;
    limit.window_count = 1;
    svc_app_use(inner, svc_rate_limit_new(inner, &limit));
    svc_app_get(inner, "/", show, NULL);
    svc_app_get(outer, "/", show, NULL);
    svc_app_mount(outer, "/in", inner);
    expect_reply(outer, "GET", "/in/", 200, NULL, "none");
    expect_reply(outer, "GET", "/in/", 429, NULL, "none");
    expect_reply(outer, "GET", "/", 200, NULL, "none");
    svc_app_free(outer);
}

struct settings {
    uint64_t pages;
};

static const svc_setting settings_table[] = {
    SVC_SETTING_NUMBER(struct settings, pages, 10, 1, 100, "", "Pages of an order"),
    SVC_SETTING_END};

Test(mount, a_mounted_apps_settings_are_read_with_the_outer_apps_prefix)
{
    struct settings settings;
    svc_app *outer = svc_app_new("outer"), *inner = svc_app_new("inner");
    setenv("SHOP_PAGES", "33", 1);
    svc_app_add_settings(inner, settings_table, &settings);
    cr_expect_eq(svc_app_mount(outer, "/in", inner), 0);
    cr_expect_eq(settings.pages, 10);
    cr_expect_eq(svc_app_read_environment(outer, "SHOP"), 0);
    cr_expect_eq(settings.pages, 33);
    svc_app_free(outer);
}

Test(mount, a_mounted_apps_bad_settings_refuse_the_start)
{
    svc_app *outer = svc_app_new("outer"), *inner = svc_app_new("inner");
    svc_config config = SVC_CONFIG_INIT;
    config.max_json_depth = 0;
    svc_app_configure(inner, &config);
    svc_app_mount(outer, "/in", inner);
    cr_expect_null(svc_app_test_get(outer, "/"));
    cr_expect(strstr(svc_app_errors(outer), "max_json_depth"));
    svc_app_free(outer);
}

/* ---- Mistakes */

static void expect_told(svc_app *app, const char *text)
{
    cr_expect(strstr(svc_app_errors(app), text), "\"%s\" is not in:\n%s", text,
              svc_app_errors(app));
}

Test(mount, mistakes_of_both_apps_are_told_by_the_outer_one)
{
    svc_app *outer = svc_app_new("outer"), *inner = svc_app_new("inner");
    svc_app_get(inner, "no slash", show, NULL);
    svc_app_get(inner, "/same", show, NULL);
    svc_app_get(outer, "/in/same", show, NULL);
    svc_app_mount(outer, "/in", inner);
    svc_app_get(inner, "/late/{", show, NULL);
    cr_expect_null(svc_app_test_get(outer, "/"));
    expect_told(outer, "app \"inner\":");
    expect_told(outer, "no slash");
    expect_told(outer, "/late/{");
    svc_app_free(outer);

    outer = svc_app_new("outer");
    inner = svc_app_new("inner");
    svc_app_get(inner, "/same", show, NULL);
    svc_app_get(outer, "/in/same", show, NULL);
    svc_app_mount(outer, "/in", inner);
    cr_expect_null(svc_app_test_get(outer, "/"));
    expect_told(outer, "GET /in/same");
    svc_app_free(outer);
}

Test(mount, what_cannot_be_mounted_is_refused_and_not_taken)
{
    svc_app *outer = svc_app_new("outer"), *inner = svc_app_new("inner");
    cr_expect_eq(svc_app_mount(outer, "bad", inner), SVC_EINVAL);
    cr_expect_eq(svc_app_mount(outer, "/outer", outer), SVC_EINVAL);
    cr_expect_eq(svc_app_mount(outer, "/none", NULL), SVC_ENOMEM);
    cr_expect_eq(svc_group_mount(NULL, "/none", inner), SVC_ENOMEM);
    cr_expect_eq(svc_app_mount(outer, "/in", inner), 0);
    cr_expect_eq(svc_app_mount(outer, "/again", inner), SVC_ESTATE);
    cr_expect_eq(svc_app_mount(inner, "/circle", outer), SVC_EINVAL);
    cr_expect_eq(svc_app_start(inner), SVC_ESTATE);
    cr_expect_null(svc_app_test_get(inner, "/"));
    svc_app_free(inner); /* left to the outer one */
    expect_told(outer, "an app cannot be mounted on itself");
    expect_told(outer, "the app is mounted already");
    svc_app_free(outer);
}

Test(mount, nothing_is_registered_on_a_mounted_app_after_the_start)
{
    svc_app *outer = svc_app_new("outer"), *inner = svc_app_new("inner");
    svc_app_mount(outer, "/in", inner);
    svc_reply_free(svc_app_test_get(outer, "/"));
    cr_expect_eq(svc_app_get(inner, "/late", show, NULL), SVC_ESTATE);
    svc_app *late = svc_app_new("late");
    cr_expect_eq(svc_app_mount(outer, "/late", late), SVC_ESTATE);
    svc_app_free(late);
    svc_app_free(outer);
}
