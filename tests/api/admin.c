/* Routes of a program's own for the admin listener, without one: what they share with the app that
 * serves, and what is their own. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <svc.h>

static pthread_t tester;

/* The app that answers, the route, and where the handler runs. */
static int show(svc_request *req, svc_response *res)
{
    char text[256];
    snprintf(text, sizeof text, "%s %s %s", svc_app_name(svc_request_app(req)),
             svc_request_route(req), pthread_equal(pthread_self(), tester) ? "loop" : "worker");
    return svc_response_text(res, 200, text);
}

static int say_arg(svc_request *req, svc_response *res)
{
    return svc_response_text(res, 200, svc_request_arg(req));
}

static svc_reply *ask(svc_app *app, const char *target)
{
    svc_reply *reply = svc_app_test_get(app, target);
    cr_expect(reply, "%s: %s", target, svc_app_errors(app));
    return reply;
}

static void expect(svc_app *app, const char *target, int status, const char *body)
{
    svc_reply *reply = ask(app, target);
    cr_expect_eq(svc_reply_status(reply), status, "%s: %d", target, svc_reply_status(reply));
    if (body)
        cr_expect_str_eq(svc_reply_body(reply, NULL), body, "%s: %s", target,
                         svc_reply_body(reply, NULL));
    svc_reply_free(reply);
}

static void expect_field(svc_app *app, const char *target, const char *name, const char *value)
{
    svc_reply *reply = ask(app, target);
    const char *found = svc_reply_header(reply, name);
    cr_expect_str_eq(found ? found : "none", value, "%s of %s", name, target);
    svc_reply_free(reply);
}

Test(admin, routes_of_either_are_not_the_other_s)
{
    svc_app *app = svc_app_new("shop"), *admin = svc_app_admin(app);
    tester = pthread_self();
    cr_assert(admin);
    cr_expect_neq(admin, app);
    cr_expect_eq(svc_app_admin(app), admin);
    cr_expect_eq(svc_app_admin(admin), admin);
    cr_expect_eq(svc_app_get(app, "/both", show, NULL), 0);
    cr_expect_eq(svc_app_get(admin, "/both", show, NULL), 0);
    cr_expect_eq(svc_app_get(app, "/orders/{id}", show, NULL), 0);
    cr_expect_eq(svc_app_get(admin, "/stock/{id}", show, NULL), 0);
    cr_expect_eq(svc_app_get(app, "/livez", say_arg, "the service's"), 0);
    expect(admin, "/both", 200, "shop GET /both loop");
    expect(app, "/both", 200, "shop GET /both loop");
    expect(admin, "/stock/7", 200, "shop GET /stock/{id} loop");
    expect(admin, "/orders/7", 404, NULL);
    expect(app, "/stock/7", 404, NULL);
    expect(app, "/livez", 200, "the service's");
    expect(admin, "/livez", 404, NULL); /* which the library answers on its listener */
    cr_expect_eq(svc_app_admin(app), admin);
    svc_app_free(app);
}

/* ---- All that an app can do */

static int mark(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req;
    return svc_response_set_header(res, "Mark", layer->arg);
}

static svc_middleware marked = {
    .size = sizeof marked, .name = "mark", .arg = "marked", .on_response = mark};

static int cache(svc_request *req, svc_response *res)
{
    (void)req;
    svc_response_set_header(res, "Cache-Control", "max-age=9");
    return svc_response_text(res, 200, "");
}

Test(admin, groups_flags_layers_mounts_and_a_fallback_work)
{
    svc_app *app = svc_app_new("shop"), *admin = svc_app_admin(app);
    svc_app *pages = svc_app_new("pages");
    svc_group *group = svc_app_group(admin, "/slow");
    tester = pthread_self();
    cr_expect_eq(svc_app_use(admin, &marked), 0);
    cr_expect_eq(svc_group_set_flags(group, SVC_BLOCKING), 0);
    cr_expect_eq(svc_group_get(group, "/page", show, NULL), 0);
    cr_expect_eq(svc_app_get(pages, "/{$}", show, NULL), 0);
    cr_expect_eq(svc_app_get(pages, "/vars", show, NULL), 0);
    cr_expect_eq(svc_app_mount(admin, "/debug", pages), 0);
    cr_expect_eq(svc_app_set_fallback(admin, say_arg, "no such page"), 0);
    cr_expect_eq(svc_app_get(admin, "/cached", cache, NULL), 0);
    cr_expect_eq(svc_app_get(app, "/", show, NULL), 0);
    expect(admin, "/slow/page", 200, "shop GET /slow/page worker");
    expect(admin, "/debug/", 200, "pages GET /debug/{$} loop");
    expect(admin, "/debug/vars", 200, "pages GET /debug/vars loop");
    expect(admin, "/debug/none", 404, NULL);
    expect(admin, "/none", 200, "no such page");
    expect_field(admin, "/debug/vars", "Mark", "marked");
    expect_field(app, "/", "Mark", "none");
    expect_field(admin, "/none", "Cache-Control", "no-store");
    expect_field(admin, "/debug/none", "Cache-Control", "no-store");
    expect_field(admin, "/cached", "Cache-Control", "max-age=9");
    expect_field(app, "/", "Cache-Control", "none");
    svc_app_free(app);
}

Test(admin, limits_are_its_own)
{
    svc_config config = SVC_CONFIG_INIT, limits = SVC_CONFIG_INIT;
    svc_app *app = svc_app_new("shop"), *admin = svc_app_admin(app);
    config.max_body_bytes = 1000000;
    limits.max_body_bytes = 4;
    config.request_id = limits.metrics = 0;
    cr_expect_eq(svc_app_configure(app, &config), 0);
    cr_expect_eq(svc_app_configure(admin, &limits), 0);
    cr_expect_eq(svc_app_post(app, "/", show, NULL), 0);
    cr_expect_eq(svc_app_post(admin, "/", show, NULL), 0);
    const struct {
        svc_app *app;
        int status;
    } rows[] = {{app, 200}, {admin, 413}};
    for (size_t i = 0; i < 2; i++) {
        svc_reply *reply = svc_app_test_json(rows[i].app, "POST", "/", "[1, 2]");
        cr_expect_eq(svc_reply_status(reply), rows[i].status, "%d", svc_reply_status(reply));
        cr_expect_not(svc_reply_header(reply, "X-Request-Id"), "a setting that is the service's");
        svc_reply_free(reply);
    }
    svc_app_free(app);
}

/* ---- A mounted app's */

static svc_app *make_service(const char *name)
{
    svc_app *app = svc_app_new(name);
    svc_app_get(app, "/state", say_arg, "the service");
    svc_app_get(svc_app_admin(app), "/state", say_arg, "its admin route");
    return app;
}

Test(admin, a_mounted_app_brings_its_own_under_its_prefix)
{
    svc_app *alone = make_service("alone");
    expect(alone, "/state", 200, "the service");
    expect(svc_app_admin(alone), "/state", 200, "its admin route");
    svc_app_free(alone);

    svc_app *app = svc_app_new("shop"), *middle = make_service("middle");
    svc_group_mount(svc_app_group(middle, "/deep"), "/er", make_service("inner"));
    svc_app_mount(app, "/orders", middle);
    svc_app_mount(app, "/users/{tenant}", make_service("users"));
    svc_app *admin = svc_app_admin(app);
    expect(app, "/orders/state", 200, "the service");
    expect(admin, "/orders/state", 200, "its admin route");
    expect(admin, "/orders/deep/er/state", 200, "its admin route");
    expect(admin, "/users/7/state", 200, "its admin route");
    expect(admin, "/state", 404, NULL);
    cr_expect_not(svc_app_test_get(svc_app_admin(middle), "/state"), "it is mounted");
    svc_app_free(app);
}

Test(admin, an_app_on_the_admin_listener_has_its_admin_routes_there_as_well)
{
    svc_app *app = svc_app_new("shop"), *pages = svc_app_new("pages");
    svc_app_get(pages, "/page", say_arg, "page");
    svc_app_get(svc_app_admin(pages), "/about", say_arg, "about");
    svc_app_mount(svc_app_admin(app), "/pages", pages);
    expect(svc_app_admin(app), "/pages/page", 200, "page");
    expect(svc_app_admin(app), "/pages/about", 200, "about");
    svc_app_free(app);
}

/* ---- What belongs to the service as a whole */

static char order[256];

static int start_hook(svc_app *app, void *arg)
{
    (void)app;
    strcat(strcat(order, arg), " starts,");
    return 0;
}

static void stop_hook(svc_app *app, void *arg)
{
    (void)app;
    strcat(strcat(order, arg), " stops,");
}

static int start_layer(svc_app *app, void *arg)
{
    return start_hook(app, arg);
}

static void stop_layer(svc_app *app, void *arg)
{
    stop_hook(app, arg);
}

static svc_middleware app_layer = {.size = sizeof app_layer,
                                   .name = "app",
                                   .arg = "layer",
                                   .start = start_layer,
                                   .stop = stop_layer},
                      admin_layer = {.size = sizeof admin_layer,
                                     .name = "admin",
                                     .arg = "admin layer",
                                     .start = start_layer,
                                     .stop = stop_layer};

Test(admin, hooks_run_with_those_of_the_app_and_layers_before_all)
{
    svc_app *app = svc_app_new("shop"), *admin = svc_app_admin(app);
    svc_app_add_hook(admin, start_hook, stop_hook, "admin hook");
    svc_app_add_hook(app, start_hook, stop_hook, "hook");
    svc_app_use(admin, &admin_layer);
    svc_app_use(app, &app_layer);
    svc_app_get(admin, "/", show, NULL);
    *order = '\0';
    expect(admin, "/", 200, NULL);
    svc_app_free(app);
    cr_expect_str_eq(order, "layer starts,admin layer starts,hook starts,admin hook starts,"
                            "admin hook stops,hook stops,admin layer stops,layer stops,");
}

static int fail_start(svc_app *app, void *arg)
{
    (void)app, (void)arg;
    return -1;
}

Test(admin, a_hook_that_fails_refuses_both)
{
    svc_app *app = svc_app_new("shop"), *admin = svc_app_admin(app);
    svc_app_add_hook(admin, fail_start, NULL, NULL);
    svc_app_get(admin, "/", show, NULL);
    cr_expect_not(svc_app_test_get(admin, "/"));
    cr_expect_not(svc_app_test_get(app, "/"));
    cr_expect(strstr(svc_app_errors(app), "a start hook failed"), "%s", svc_app_errors(app));
    svc_app_free(app);
}

/* ---- What its threads have of their own */

static const svc_key loop_key = {"loop"};

static int begin_loop(svc_app *app, svc_loop *loop, void *arg, void **state)
{
    (void)app, (void)loop;
    *state = arg;
    return 0;
}

static int begin_worker(svc_app *app, void *arg, void **state)
{
    (void)app;
    *state = arg;
    return 0;
}

static int show_states(svc_request *req, svc_response *res)
{
    const char *of_loop = svc_loop_get(svc_request_loop(req), &loop_key);
    const char *of_worker = svc_request_worker(req);
    char text[64];
    snprintf(text, sizeof text, "%s, %s", of_loop, of_worker);
    return svc_response_text(res, 200, text);
}

Test(admin, its_loop_and_its_workers_have_states_of_their_own)
{
    svc_app *app = svc_app_new("shop"), *admin = svc_app_admin(app);
    svc_app *const apps[] = {app, admin};
    static char *const loops[] = {"loop", "admin loop"}, *const workers[] = {"worker",
                                                                             "admin worker"};
    for (size_t i = 0; i < 2; i++) {
        svc_route route = SVC_ROUTE_INIT;
        route.pattern = "/";
        route.handler = show_states;
        route.flags = SVC_BLOCKING;
        cr_expect_eq(svc_app_route(apps[i], &route), 0);
        cr_expect_eq(svc_app_each_loop(apps[i], &loop_key, begin_loop, NULL, loops[i]), 0);
        cr_expect_eq(svc_app_each_worker(apps[i], begin_worker, NULL, workers[i]), 0);
    }
    expect(app, "/", 200, "loop, worker");
    expect(admin, "/", 200, "admin loop, admin worker");
    cr_expect_neq(svc_app_loop(app, 0), svc_app_loop(admin, 0));
    cr_expect_not(svc_app_loop(admin, 1));
    svc_app_free(app);
}

static bool take_line(const svc_log_record *record, void *arg)
{
    if (!strcmp(record->message, "begun"))
        strcat(order, arg);
    return true;
}

static int begin_and_log(svc_app *app, svc_loop *loop, void *arg, void **state)
{
    (void)loop, (void)arg, (void)state;
    svc_app_log_info(app, "begun");
    return 0;
}

Test(admin, the_app_s_own_log_sink_gets_what_is_logged_on_its_loop)
{
    svc_config config = SVC_CONFIG_INIT;
    svc_app *app = svc_app_new("shop"), *admin = svc_app_admin(app);
    config.listen = config.admin_listen = "127.0.0.1:0";
    config.drain_delay_ms = 0;
    *order = '\0';
    svc_app_configure(app, &config);
    svc_app_set_log_sink(app, take_line, "taken,");
    svc_app_each_loop(admin, &loop_key, begin_and_log, NULL, NULL);
    svc_app_get(admin, "/", show, NULL);
    cr_assert_eq(svc_app_start(app), 0, "%s", svc_app_errors(app));
    cr_expect_str_eq(order, "taken,");
    cr_expect(svc_app_loop(admin, 0));
    svc_app_stop(app);
    cr_expect_eq(svc_app_wait(app), 0);
    svc_app_free(app);
}

static int test_within(svc_request *req, svc_response *res)
{
    svc_reply *reply = svc_app_test_get(svc_request_arg(req), "/leaf");
    int error = svc_response_copy(res, svc_reply_status(reply), "text/plain",
                                  svc_reply_body(reply, NULL), strlen(svc_reply_body(reply, NULL)));
    svc_reply_free(reply);
    return error;
}

Test(admin, a_handler_of_either_may_test_the_other)
{
    svc_app *app = svc_app_new("shop"), *admin = svc_app_admin(app);
    svc_app_get(app, "/within", test_within, admin);
    svc_app_get(app, "/leaf", say_arg, "the service");
    svc_app_get(admin, "/within", test_within, app);
    svc_app_get(admin, "/leaf", say_arg, "the admin route");
    expect(app, "/within", 200, "the admin route");
    expect(admin, "/within", 200, "the service");
    svc_app_free(app);
}

/* ---- Mistakes, and calls that come too late or on nothing */

static void expect_refusal(const char *pattern, const char *page)
{
    char place[64], reason[128];
    svc_app *app = svc_app_new("shop");
    svc_config config = SVC_CONFIG_INIT;
    config.debug_pages = 1;
    cr_assert_eq(svc_app_configure(app, &config), 0);
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = pattern;
    route.handler = show;
    cr_expect_eq(svc_app_route_at(svc_app_admin(app), &route, "pages.c", 42), 0);
    cr_expect_eq(svc_app_start(app), SVC_EROUTES, "%s", pattern);
    snprintf(place, sizeof place, "pages.c:42: pattern \"%s\"", pattern);
    snprintf(reason, sizeof reason, "%s of the admin listener is the library's own page", page);
    const char *errors = svc_app_errors(app);
    cr_expect(strstr(errors, place) && strstr(errors, reason), "%s", errors);
    svc_app_free(app);
}

Test(admin, a_route_that_a_page_of_the_library_hides_is_an_error_with_its_place)
{
    expect_refusal("GET /livez", "/livez");
    expect_refusal("POST /readyz", "/readyz");
    expect_refusal("example.com/metrics", "/metrics");
    expect_refusal("/%6civez", "/livez");
    expect_refusal("GET /debug/{$}", "/debug/");
    expect_refusal("/debug/va%72s", "/debug/vars");
}

Test(admin, routes_beside_the_pages_are_none)
{
    svc_app *app = svc_app_new("shop"), *admin = svc_app_admin(app);
    static const char *const patterns[] = {"/{$}", "/{page}", "/livez/{x}", "/metrics/", "/livezz"};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        cr_expect_eq(svc_app_get(admin, patterns[i], show, NULL), 0);
    expect(admin, "/other", 200, NULL);
    expect(admin, "/livez/x", 200, NULL);
    svc_app_free(app);
}

Test(admin, conflicts_and_bad_patterns_are_errors_of_the_app)
{
    svc_app *app = svc_app_new("shop"), *admin = svc_app_admin(app);
    cr_expect_eq(svc_app_get(admin, "no slash", show, NULL), SVC_ESYNTAX);
    svc_app_get(admin, "/{a}/x", show, NULL);
    svc_app_get(admin, "/x/{b}", show, NULL);
    cr_expect_eq(svc_app_start(app), SVC_EROUTES);
    const char *errors = svc_app_errors(app);
    cr_expect(strstr(errors, "no slash") && strstr(errors, "/{a}/x"), "%s", errors);
    svc_app_free(app);
}

Test(admin, once_started_there_is_only_the_one_that_was_made_before)
{
    svc_app *app = svc_app_new("shop"), *bare = svc_app_new("bare");
    svc_app *admin = svc_app_admin(app);
    svc_app_get(app, "/", show, NULL);
    svc_app_get(bare, "/", show, NULL);
    expect(app, "/", 200, NULL);
    expect(bare, "/", 200, NULL);
    cr_expect_eq(svc_app_admin(app), admin);
    cr_expect_eq(svc_app_get(admin, "/late", show, NULL), SVC_ESTATE);
    cr_expect_not(svc_app_admin(bare));
    cr_expect_eq(svc_app_get(svc_app_admin(bare), "/late", show, NULL), SVC_ENOMEM);
    cr_expect(strstr(svc_app_errors(bare), "svc_app_admin"), "%s", svc_app_errors(bare));
    cr_expect_not(svc_app_admin(NULL));
    svc_app_free(app);
    svc_app_free(bare);
}

Test(admin, it_is_no_app_to_be_run_mounted_or_freed)
{
    svc_app *app = svc_app_new("shop"), *admin = svc_app_admin(app), *other = svc_app_new("other");
    svc_app_free(admin);
    cr_expect_eq(svc_app_start(admin), SVC_ESTATE);
    cr_expect_eq(svc_app_mount(other, "/admin", admin), SVC_ESTATE);
    cr_expect_eq(svc_app_mount(admin, "/app", app), SVC_EINVAL);
    svc_app_free(app);
    svc_app_free(other);
}
