/* What each event loop has of its own: made when it begins, ended on its thread. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

enum { LOOPS = 3 };

/* What a client library would have for each loop. */
struct client {
    svc_loop *loop;
    pthread_t thread;
    svc_timer *timer;
    const char *name;
};

static const svc_key first_key = {"first"}, second_key = {"second"}, third_key = {"third"};
static atomic_int begun, ended, failing = -1;
static char order[256];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void note(const char *what, const char *name)
{
    pthread_mutex_lock(&lock);
    size_t len = strlen(order);
    snprintf(order + len, sizeof order - len, "%s %s,", what, name);
    pthread_mutex_unlock(&lock);
}

static void do_nothing(void *arg)
{
    (void)arg;
}

static int begin(svc_app *app, svc_loop *loop, void *arg, void **state)
{
    struct client *client = calloc(1, sizeof *client);
    cr_assert(app && client);
    if (atomic_fetch_add(&begun, 1) == atomic_load(&failing)) {
        free(client);
        return -1;
    }
    client->loop = loop;
    client->thread = pthread_self();
    client->timer = svc_timer_new(loop, do_nothing, NULL);
    client->name = arg;
    cr_expect(client->timer && !svc_timer_set(client->timer, 60000));
    note("begin", arg);
    *state = client;
    return 0;
}

static void end(void *state, void *arg)
{
    struct client *client = state;
    cr_expect_str_eq(client->name, arg);
    cr_expect(pthread_equal(client->thread, pthread_self()), "on the loop's thread");
    svc_timer_free(client->timer);
    atomic_fetch_add(&ended, 1);
    note("end", arg);
    free(client);
}

static int show(svc_request *req, svc_response *res)
{
    const struct client *first = svc_loop_get(svc_request_loop(req), &first_key);
    const struct client *second = svc_loop_get(svc_request_loop(req), &second_key);
    const struct client *third = svc_loop_get(svc_request_loop(req), &third_key);
    cr_expect(first && first->loop == svc_request_loop(req));
    cr_expect_null(svc_loop_get(NULL, &first_key));
    return svc_response_json(res, 200, "[s, s?, s?]", first->name, second ? second->name : NULL,
                             third ? third->name : NULL);
}

static char one[] = "one", two[] = "two", three[] = "three";

static svc_app *make_app(void)
{
    svc_app *app = svc_app_new("states");
    svc_config config = SVC_CONFIG_INIT;
    config.listen = "127.0.0.1:0";
    config.admin_listen = "";
    config.threads = LOOPS;
    config.log_output = "/dev/null";
    config.drain_delay_ms = 0;
    svc_app_configure(app, &config);
    svc_app_get(app, "/{$}", show, NULL);
    cr_expect_eq(svc_app_each_loop(app, &first_key, begin, end, one), 0);
    cr_expect_eq(svc_app_each_loop(app, &second_key, begin, end, two), 0);
    return app;
}

/* With a state of its own beside the outer app's. */
static svc_app *make_outer(void)
{
    svc_app *inner = make_app(), *outer = svc_app_new("outer");
    svc_config config = SVC_CONFIG_INIT;
    config.listen = "127.0.0.1:0";
    config.admin_listen = "";
    config.threads = LOOPS;
    config.log_output = "/dev/null";
    config.drain_delay_ms = 0;
    svc_app_configure(outer, &config);
    svc_app_mount(outer, "/inner", inner);
    cr_expect_eq(svc_app_each_loop(outer, &third_key, begin, end, three), 0);
    return outer;
}

static void expect_reply(svc_app *app, const char *target, const char *body)
{
    svc_reply *reply = svc_app_test_get(app, target);
    cr_expect_eq(svc_reply_status(reply), 200, "%s", svc_app_errors(app));
    cr_expect_str_eq(svc_reply_body(reply, NULL), body);
    svc_reply_free(reply);
}

Test(loop_state, a_test_has_one_loop_with_its_states)
{
    svc_app *app = make_app();
    expect_reply(app, "/", "[\"one\",\"two\",null]");
    expect_reply(app, "/", "[\"one\",\"two\",null]");
    cr_expect_eq(atomic_load(&begun), 2);
    svc_app_free(app);
    cr_expect_str_eq(order, "begin one,begin two,end two,end one,");
}

static int begin_inner(svc_app *app, svc_loop *loop, void *arg, void **state)
{
    cr_expect_str_eq(svc_app_name(app), "states");
    return begin(app, loop, arg, state);
}

Test(loop_state, an_outer_apps_come_before_a_mounted_ones)
{
    static const svc_key fourth_key = {"fourth"};
    static char four[] = "four";
    svc_app *inner = svc_app_new("states"), *app = svc_app_new("outer");
    svc_app_each_loop(inner, &fourth_key, begin_inner, end, four);
    svc_app_mount(app, "/inner", inner);
    svc_app_each_loop(app, &first_key, begin, end, one);
    svc_app_get(app, "/", show, NULL);
    expect_reply(app, "/", "[\"one\",null,null]");
    svc_app_free(app);
    cr_expect_str_eq(order, "begin one,begin four,end four,end one,");
}

Test(loop_state, each_loop_of_a_service_has_its_own)
{
    svc_app *app = make_app();
    cr_assert_eq(svc_app_start(app), 0, "%s", svc_app_errors(app));
    cr_expect_eq(atomic_load(&begun), 2 * LOOPS, "before the start is done");
    for (size_t i = 0; i < LOOPS; i++) {
        const struct client *client = svc_loop_get(svc_app_loop(app, i), &first_key);
        cr_expect(client && client->loop == svc_app_loop(app, i));
    }
    svc_app_stop(app);
    cr_expect_eq(svc_app_wait(app), 0);
    cr_expect_eq(atomic_load(&ended), 2 * LOOPS);
    svc_app_free(app);
}

Test(loop_state, a_begin_that_fails_refuses_the_start_and_ends_the_others)
{
    for (int i = 0; i < 3 * LOOPS; i++) {
        svc_app *app = make_outer();
        atomic_store(&begun, 0);
        atomic_store(&ended, 0);
        atomic_store(&failing, i);
        cr_expect_eq(svc_app_start(app), SVC_ESTART);
        cr_expect(strstr(svc_app_errors(app), "a state of svc_app_each_loop could not be made"),
                  "%s", svc_app_errors(app));
        cr_expect_eq(atomic_load(&ended), atomic_load(&begun) - 1, "those that were begun");
        svc_app_free(app);
    }
}

Test(loop_state, a_begin_that_fails_in_a_test_is_a_set_up_error)
{
    svc_app *app = make_app();
    atomic_store(&failing, 1);
    cr_expect_null(svc_app_test_get(app, "/"));
    cr_expect(strstr(svc_app_errors(app), "\"second\""), "%s", svc_app_errors(app));
    cr_expect_str_eq(order, "begin one,end one,");
    cr_expect_null(svc_app_test_get(app, "/"));
    svc_app_free(app);
}

Test(loop_state, a_key_is_somebodys_own)
{
    svc_app *app = make_app();
    cr_expect_eq(svc_app_each_loop(app, &first_key, begin, end, one), SVC_EINVAL);
    cr_expect_eq(svc_app_each_loop(app, NULL, begin, end, one), SVC_EINVAL);
    cr_expect_eq(svc_app_each_loop(app, &third_key, NULL, end, one), SVC_EINVAL);
    cr_expect_eq(svc_app_each_loop(NULL, &third_key, begin, end, one), SVC_ENOMEM);
    svc_app_free(app);
    svc_app *outer = make_outer(); /* whose inner app has the first key too */
    svc_app_each_loop(outer, &first_key, begin, end, three);
    cr_expect_null(svc_app_test_get(outer, "/inner/"));
    cr_expect(strstr(svc_app_errors(outer), "svc_app_each_loop"), "%s", svc_app_errors(outer));
    svc_app_free(outer);
    cr_expect_eq(atomic_load(&begun), 0);
}
