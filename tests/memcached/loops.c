/* Stores on memcached as event loops call them: svc_app_test is the loop. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <svc.h>
#include <svc/memcached.h>

#include "libsvc/memcached/memcached_clock.h"
#include "tests/memcached/stage.h"
#include "tests/support/memcached_servers.h"

enum { WAIT_MS = 60000, KEYS_MOST = 64 };

static svc_app *app;
static svc_store *store;

/* The answers to the gets of a request, by the order of their keys. */
struct gathered {
    svc_pending *pending;
    int wanted, count;
    struct one {
        struct gathered *all;
        char text[40];
    } ones[KEYS_MOST];
};

static void finish_request(struct gathered *all)
{
    char text[KEYS_MOST * 40] = "";
    for (int i = 0; i < all->wanted; i++) {
        strcat(text, all->ones[i].text);
        strcat(text, " ");
    }
    svc_response *res = svc_response_new();
    svc_response_copy(res, 200, "text/plain", text, strlen(text));
    (void)svc_pending_complete(all->pending, res);
    svc_pending_unref(all->pending);
}

static void take_answer(const svc_store_answer *answer, void *arg)
{
    struct one *one = arg;
    snprintf(one->text, sizeof one->text, "%.30s",
             answer->error ? svc_error_name(answer->error) : (const char *)answer->value.data);
    if (++one->all->count == one->all->wanted)
        finish_request(one->all);
}

/* GET /keys/{count}: asks for key/0, key/1, … */
static int get_keys(svc_request *req, svc_response *res)
{
    struct gathered *all = svc_request_alloc(req, sizeof *all);
    (void)res;
    memset(all, 0, sizeof *all);
    all->wanted = atoi(svc_request_param(req, "count"));
    all->pending = svc_request_defer(req, NULL, NULL);
    for (int i = 0; i < all->wanted; i++) {
        char key[32];
        sprintf(key, "key/%d", i);
        all->ones[i].all = all;
        cr_assert_eq(svc_store_get_then(store, req, key, take_answer, &all->ones[i]), 0);
    }
    return 0;
}

static int limits_passed, limits_failed;

static void count_verdict(const svc_store_answer *answer, void *arg)
{
    struct gathered *all = arg;
    limits_passed += !answer->error && answer->verdict->pass;
    limits_failed += answer->error != 0;
    if (++all->count == all->wanted) {
        all->wanted = 0;
        finish_request(all);
    }
}

/* GET /limits: charges one key, many times at once. */
static int charge_often(svc_request *req, svc_response *res)
{
    enum { TIMES = 500 };
    static const svc_rate_window window = {NULL, 1, 86400, 100};
    static const svc_store_charge charge = {&window, 1, 1};
    struct gathered *all = svc_request_alloc(req, sizeof *all);
    (void)res;
    memset(all, 0, sizeof *all);
    all->wanted = TIMES;
    all->pending = svc_request_defer(req, NULL, NULL);
    for (int i = 0; i < TIMES; i++)
        cr_assert_eq(svc_store_limit_then(store, req, "limit", &charge, count_verdict, all), 0);
    return 0;
}

static void open_store(const char *url)
{
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = 0;
    app = svc_app_new("test");
    svc_app_configure(app, &config);
    cr_assert_eq(svc_memcached_use(app), 0);
    store = svc_store_open(app, url);
    svc_app_get(app, "/keys/{count}", get_keys, NULL);
    svc_app_get(app, "/limits", charge_often, NULL);
    cr_assert_not_null(svc_test_store(app), "%s", svc_app_errors(app));
}

static void close_app(void)
{
    svc_app_free(app);
    app = NULL;
}

/* The answers, in memory of which there is one. */
static const char *ask(int count)
{
    static char text[KEYS_MOST * 40];
    char target[32];
    snprintf(target, sizeof target, "/keys/%d", count);
    svc_reply *reply = svc_app_test_get(app, target);
    snprintf(text, sizeof text, "%s", svc_reply_body(reply, NULL));
    svc_reply_free(reply);
    return text;
}

static bool await_answer(int count, const char *wanted)
{
    const struct timespec step = {0, 2000000};
    uint64_t until = svc__memcached_clock_ms() + WAIT_MS;
    while (strcmp(ask(count), wanted) != 0)
        if (svc__memcached_clock_ms() >= until)
            return false;
        else
            nanosleep(&step, NULL);
    return true;
}

static void begin_servers(void)
{
    if (!memcached_servers_exist())
        cr_skip_test("memcached is not installed");
    cr_assert(memcached_servers_begin());
}

static void end_servers(void)
{
    close_app();
    memcached_servers_end();
}

static const char patient[] = "?timeout_ms=60000&connect_ms=60000&answer_ms=60000&retry_ms=50";

/* ---- On a server of the test's own */

TestSuite(memcached_loop_stage, .fini = close_app);

static void open_stage(const struct stage *stage)
{
    char url[256];
    snprintf(url, sizeof url, "memcached://127.0.0.1:%d%s", stage->port, patient);
    open_store(url);
}

Test(memcached_loop_stage, the_gets_of_a_handler_are_one_write)
{
    static struct stage stage;
    const struct act acts[] = {
        {stage_greeting, "VA 3 c1 f0 O1\r\none\r\nEN O2\r\nVA 5 c2 f0 O3\r\nthree\r\n", false}};
    stage_begin(&stage, acts, 1);
    open_stage(&stage);
    cr_expect_str_eq(ask(3), "one SVC_ENOTFOUND three ");
    cr_expect_str_eq(stage.seen, "mg test:key/0 v c f O1\r\nmg test:key/1 v c f O2\r\n"
                                 "mg test:key/2 v c f O3\r\n");
    close_app();
    stage_end(&stage);
}

/* All of what was sent with it ends too, and the next call has a connection of its own. */
Test(memcached_loop_stage, garbage_ends_the_connection)
{
    static const char *const replies[] = {"HELLO\r\n", "VA 2 c1 f0 O2\r\nab\r\n", "ERROR\r\n",
                                          "VA 2 c1 f0 O1\r\nabcd"};
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        static struct stage stage;
        const struct act acts[] = {{stage_greeting, replies[i], false},
                                   {stage_greeting, "VA 2 c1 f0 O1\r\nok\r\n", false}};
        stage_begin(&stage, acts, 2);
        open_stage(&stage);
        cr_expect_str_eq(ask(3), "SVC_ESYNTAX SVC_ESYNTAX SVC_ESYNTAX ");
        cr_expect_str_eq(ask(1), "ok ");
        close_app();
        stage_end(&stage);
    }
}

Test(memcached_loop_stage, half_a_reply_is_an_error)
{
    static struct stage stage;
    const struct act acts[] = {
        {stage_greeting, "VA 3 c1 f0 O1\r\none\r\nVA 9 c1 f0 O2\r\nhal", true},
        {stage_greeting, "EN O1\r\n", false}};
    stage_begin(&stage, acts, 2);
    open_stage(&stage);
    cr_expect_str_eq(ask(2), "one SVC_ESYNTAX ");
    cr_expect_str_eq(ask(1), "SVC_ENOTFOUND ");
    close_app();
    stage_end(&stage);
}

/* ---- On memcached */

TestSuite(memcached_loop, .init = begin_servers, .fini = end_servers);

static void set_texts(int count)
{
    for (int i = 0; i < count; i++) {
        char key[32], text[8];
        sprintf(key, "key/%d", i);
        svc_store_value value = {text, (size_t)sprintf(text, "%d", i), 0, NULL};
        cr_assert_eq(svc_store_set(store, NULL, key, &value, 0), 0);
    }
}

static const char texts_of_20[] = "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 ";

Test(memcached_loop, a_server_is_absent_killed_and_started_again)
{
    open_store(memcached_servers_url(1, patient));
    cr_expect_str_eq(ask(2), "SVC_EUNAVAILABLE SVC_EUNAVAILABLE ");
    cr_assert(memcached_servers_start(0, NULL, NULL));
    cr_assert(await_answer(2, "SVC_ENOTFOUND SVC_ENOTFOUND "));
    set_texts(20);
    cr_expect_str_eq(ask(20), texts_of_20);
    memcached_servers_signal(0, SIGKILL);
    cr_expect(await_answer(1, "SVC_EUNAVAILABLE "));
    cr_assert(memcached_servers_start(0, NULL, NULL));
    cr_expect(await_answer(1, "SVC_ENOTFOUND "));
}

Test(memcached_loop, the_keys_of_a_killed_server_go_to_the_others)
{
    for (size_t i = 0; i < 3; i++)
        cr_assert(memcached_servers_start(i, NULL, NULL));
    open_store(memcached_servers_url(3, patient));
    set_texts(20);
    cr_expect_str_eq(ask(20), texts_of_20);
    memcached_servers_signal(1, SIGKILL);
    (void)ask(20); /* notices it */
    const char *text = ask(20);
    cr_expect_null(strstr(text, "SVC_EUNAVAILABLE"), "%s", text);
    cr_expect_not_null(strstr(text, "SVC_ENOTFOUND"), "%s", text);
    set_texts(20);
    cr_expect_str_eq(ask(20), texts_of_20);
}

/* More at once than an operation has tries: on a loop they go one by one. */
Test(memcached_loop, limits_of_one_key_do_not_undo_one_another)
{
    cr_assert(memcached_servers_start(0, NULL, NULL));
    open_store(memcached_servers_url(1, patient));
    svc_reply_free(svc_app_test_get(app, "/limits"));
    cr_expect_eq(limits_passed, 100);
    cr_expect_eq(limits_failed, 0);
    memcached_servers_signal(0, SIGKILL);
    svc_reply_free(svc_app_test_get(app, "/limits"));
    cr_expect_eq(limits_passed, 100);
    cr_expect_eq(limits_failed, 500);
}

/* The library ends the calls at their deadline; the replies that come later are thrown away. */
Test(memcached_loop, a_paused_server_holds_no_call_beyond_its_time)
{
    cr_assert(memcached_servers_start(0, NULL, NULL));
    open_store(memcached_servers_url(1, "?timeout_ms=50&connect_ms=60000&answer_ms=60000"));
    cr_assert(await_answer(2, "SVC_ENOTFOUND SVC_ENOTFOUND "));
    memcached_servers_signal(0, SIGSTOP);
    for (int i = 0; i < 5; i++)
        cr_expect_str_eq(ask(2), "SVC_ETIMEDOUT SVC_ETIMEDOUT ");
    memcached_servers_signal(0, SIGCONT);
    cr_expect(await_answer(2, "SVC_ENOTFOUND SVC_ENOTFOUND "));
}

/* After `answer_ms` the server is slow, three times, and then left out; also here no call waits for
 * it. */
Test(memcached_loop, a_paused_server_is_left_out)
{
    cr_assert(memcached_servers_start(0, NULL, NULL));
    open_store(
        memcached_servers_url(1, "?timeout_ms=60000&connect_ms=60&answer_ms=60&retry_ms=300"));
    cr_assert(await_answer(1, "SVC_ENOTFOUND "));
    memcached_servers_signal(0, SIGSTOP);
    cr_expect(await_answer(1, "SVC_EUNAVAILABLE "));
    memcached_servers_signal(0, SIGCONT);
    cr_expect(await_answer(1, "SVC_ENOTFOUND "));
}
