/* The application's log, as the app's own sink sees it in tests. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SVC_LOG_MODULE "store"
#include <svc.h>

/* What has been logged, a line each: level, module, message, items. */
enum { MAX_LOG = 1 << 16 };
static char logged[MAX_LOG];
static svc_log_record last; /* its texts are not kept, save these */
static char last_id[64], last_route[64];

static void append(const char *format, ...)
{
    va_list arguments;
    size_t len = strlen(logged);
    va_start(arguments, format);
    vsnprintf(logged + len, sizeof logged - len, format, arguments);
    va_end(arguments);
}

static void append_item(const svc_kv *item)
{
    switch (item->kind) {
    case SVC_KV_STR:
        append(" %s=%.*s", item->key, (int)item->len, item->value.text ? item->value.text : "");
        break;
    case SVC_KV_INT:
        append(" %s=%lld", item->key, (long long)item->value.number);
        break;
    case SVC_KV_UINT:
        append(" %s=%llu", item->key, (unsigned long long)item->value.count);
        break;
    case SVC_KV_DOUBLE:
        append(" %s=%g", item->key, item->value.real);
        break;
    default:
        append(" %s=%s", item->key, item->value.truth ? "true" : "false");
        break;
    }
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool keep(const svc_log_record *record, void *arg)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    last = *record;
    strcpy(last_id, record->request_id);
    strcpy(last_route, record->route);
    append("%d %s %s", record->level, record->module, record->message);
    for (const svc_kv *item = record->items; item && item->key; item++)
        append_item(item);
    append("\n");
    pthread_mutex_unlock(&lock);
    return true;
}

static int evaluated;

static const char *evaluate(const char *text)
{
    evaluated++;
    return text;
}

static int handler(svc_request *req, svc_response *res)
{
    svc_log_info(req, "plain");
    svc_log_error(req, "typed", svc_kv_str("s", "a b"), svc_kv_int("i", -1), svc_kv_uint("u", 2),
                  svc_kv_double("d", 1.5), svc_kv_bool("b", true), svc_kv_bytes("y", "xyz", 2),
                  svc_kv_err("error", SVC_ELATE));
    svc_log_warn(req, "warned");
    svc_log_debug(req, "detail", svc_kv_str("text", evaluate("seen")));
    return svc_response_empty(res, 204);
}

/* An app whose own lines alone are looked at. */
static svc_app *make_app(const svc_config *config)
{
    svc_app *app = svc_app_new("logging");
    svc_app_configure(app, config);
    svc_app_set_log_sink(app, keep, NULL);
    svc_app_get(app, "/{$}", handler, NULL);
    return app;
}

static svc_config quiet(void)
{
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = 0;
    config.stall_ms =
        0; /* on a busy machine a handler may seem to hold its loop, which is logged */
    return config;
}

#define TYPED                                                                                      \
    "0 store typed s=a b i=-1 u=2 d=1.5 b=true y=xy error=too late: the request has been "         \
    "answered\n"

Test(log, lines_of_a_handler_reach_the_apps_own_sink)
{
    svc_config config = quiet();
    svc_app *app = make_app(&config);
    svc_reply_free(svc_app_test_get(app, "/"));
    cr_expect_str_eq(logged, "2 store plain\n" TYPED "1 store warned\n");
    cr_expect_eq(evaluated, 0, "what is off is not evaluated");
    svc_app_free(app);
}

Test(log, a_record_says_when_where_and_of_which_request)
{
    static const char *const headers[] = {"X-Request-Id", "id-1", NULL};
    svc_config config = quiet();
    svc_app *app = make_app(&config);
    svc_test test = SVC_TEST_INIT;
    test.headers = headers;
    svc_reply_free(svc_app_test(app, &test));
    cr_expect_eq(last.size, sizeof last);
    cr_expect_str_eq(last.app, "logging");
    cr_expect(strstr(last.file, "log.c"));
    cr_expect_gt(last.line, 0);
    cr_expect_gt(last.time_us, UINT64_C(1700000000000000));
    cr_expect_str_eq(last_id, "id-1");
    cr_expect_str_eq(last_route, "GET /{$}");
    svc_app_free(app);
}

Test(log, modules_have_levels_of_their_own)
{
    static const struct {
        int level;
        const char *levels, *expected;
    } rows[] = {
        {SVC_LEVEL_INFO, "store=debug",
         "2 store plain\n" TYPED "1 store warned\n3 store detail text=seen\n"},
        {SVC_LEVEL_DEBUG, "store=error", TYPED},
        {SVC_LEVEL_ERROR, "other=debug, access=info", TYPED},
        {SVC_LEVEL_WARN, "", TYPED "1 store warned\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        svc_config config = quiet();
        config.log_level = rows[i].level;
        config.log_levels = rows[i].levels;
        svc_app *app = make_app(&config);
        *logged = '\0';
        svc_reply_free(svc_app_test_get(app, "/"));
        cr_expect_str_eq(logged, rows[i].expected, "row %zu: %s", i, logged);
        svc_app_free(app);
    }
    cr_expect_eq(evaluated, 4, "by all apps, once one of them has it on");
}

Test(log, bad_settings_are_told)
{
    svc_config config = quiet();
    config.log_levels = "store=debug,http=loud";
    config.log_format = 9;
    svc_app *app = make_app(&config);
    cr_expect_null(svc_app_test_get(app, "/"));
    const char *errors = svc_app_errors(app);
    cr_expect(strstr(errors, "setting log_levels: \"http=loud\" has a level"), "%s", errors);
    cr_expect(strstr(errors, "setting log_format: \"9\" is not auto"), "%s", errors);
    svc_app_free(app);
}

static int failing(svc_request *req, svc_response *res)
{
    (void)req, (void)res;
    return SVC_ENOTFOUND;
}

Test(log, the_library_logs_the_same_way)
{
    svc_config config = SVC_CONFIG_INIT;
    svc_app *app = make_app(&config);
    svc_app_get(app, "/failing", failing, NULL);
    svc_reply_free(svc_app_test_get(app, "/failing?q=1"));
    static const char failed[] =
        "0 svc request failed method=GET where=handler error=no such thing\n";
    static const char access[] = "2 access request method=GET path=/failing peer=test status=500 "
                                 "bytes_out=";
    cr_expect_eq(strncmp(logged, failed, sizeof failed - 1), 0, "%s", logged);
    cr_expect_eq(strncmp(logged + sizeof failed - 1, access, sizeof access - 1), 0, "%s", logged);
    cr_expect_null(strstr(logged, " end="), "%s", logged);
    cr_expect_str_eq(last_route, "GET /failing");
    cr_expect_eq(strlen(last_id), 32);
    svc_app_free(app);
}

Test(log, the_access_log_can_be_quieter_than_the_rest)
{
    svc_config config = SVC_CONFIG_INIT;
    config.log_levels = "access=warn";
    svc_app *app = make_app(&config);
    svc_reply_free(svc_app_test_get(app, "/"));
    cr_expect_null(strstr(logged, "access"), "%s", logged);
    cr_expect(strstr(logged, "plain"));
    svc_app_free(app);
}

static int start(svc_app *app, void *arg)
{
    (void)arg;
    svc_app_log_info(app, "started", svc_kv_str("app", svc_app_name(app)));
    return 0;
}

static void stop(svc_app *app, void *arg)
{
    (void)arg;
    svc_app_log_warn(app, "ended");
}

Test(log, hooks_log_without_a_request)
{
    svc_config config = quiet();
    svc_app *app = make_app(&config);
    svc_app_add_hook(app, start, stop, NULL);
    svc_app_log_info(app, "before anything");
    svc_reply_free(svc_app_test_get(app, "/nowhere"));
    cr_expect_str_eq(last_route, "");
    svc_app_free(app);
    cr_expect_str_eq(logged, "2 store started app=logging\n1 store ended\n");
}

/* ---- Repeats */

enum { REPEATS = 1000 };

static int repeating(svc_request *req, svc_response *res)
{
    for (int i = 0; i < REPEATS; i++)
        svc_log_info(req, "again");
    svc_log_info(req, "another");
    return svc_response_empty(res, 204);
}

/* How often a text stands in the log, and what its "suppressed=" add up to. */
static unsigned long count(const char *text, unsigned long *suppressed)
{
    static const char word[] = "suppressed=";
    unsigned long n = 0;
    *suppressed = 0;
    for (const char *at = logged; (at = strstr(at, text)); at += strlen(text))
        n++;
    for (const char *at = logged; (at = strstr(at, word)); at += sizeof word - 1)
        *suppressed += strtoul(at + sizeof word - 1, NULL, 10);
    return n;
}

static void expect_repeats(uint64_t limit, bool held_back)
{
    svc_config config = quiet();
    config.log_repeat_per_s = limit;
    svc_app *app = make_app(&config);
    svc_app_get(app, "/again", repeating, NULL);
    *logged = '\0';
    svc_reply_free(svc_app_test_get(app, "/again"));
    unsigned long suppressed, lines = count("store again\n", &suppressed);
    cr_expect_eq(lines + suppressed, REPEATS, "%lu and %lu", lines, suppressed);
    cr_expect_eq(suppressed > 0, held_back);
    cr_expect(strstr(logged, "store another\n"));
    if (held_back)
        cr_expect(strstr(logged, "2 store log lines suppressed line=again site=log.c:"), "%s",
                  logged);
    svc_app_free(app);
}

Test(log, lines_that_repeat_are_held_back_and_counted)
{
    expect_repeats(10, true);
    expect_repeats(0, false);
    expect_repeats(REPEATS, false);
}

Test(log, the_access_log_is_never_held_back)
{
    svc_config config = SVC_CONFIG_INIT;
    config.log_repeat_per_s = 1;
    config.log_levels = "store=error";
    svc_app *app = make_app(&config);
    for (int i = 0; i < 20; i++)
        svc_reply_free(svc_app_test_get(app, "/"));
    unsigned long suppressed, lines = count("2 access request", &suppressed);
    cr_expect_eq(lines, 20);
    svc_app_free(app);
}

/* ---- Threads */

struct worker {
    svc_request *req;
    pthread_t thread;
    int waited;
};

/* What a thread logs for the request that it works on. */
static void *work(void *arg)
{
    struct worker *worker = arg;
    svc_log_info(worker->req, "worked");
    svc_app_log_info(svc_request_app(worker->req), "of the app");
    svc_request_resume(worker->req);
    return NULL;
}

static struct worker worker;

static int wait_for_worker(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)res, (void)layer;
    if (worker.waited++)
        return SVC_PASS;
    worker.req = req;
    cr_assert_eq(pthread_create(&worker.thread, NULL, work, &worker), 0);
    return SVC_WAIT;
}

Test(log, a_thread_that_holds_a_waiting_request_logs_with_its_ids)
{
    static const char *const headers[] = {"X-Request-Id", "id-2", NULL};
    static const svc_middleware layer = {
        .size = sizeof layer, .name = "worker", .on_request = wait_for_worker};
    svc_config config = quiet();
    config.log_levels = "store=info";
    svc_app *app = make_app(&config);
    svc_app_use(app, &layer);
    svc_test test = SVC_TEST_INIT;
    test.headers = headers;
    test.target = "/nowhere";
    svc_reply_free(svc_app_test(app, &test));
    pthread_join(worker.thread, NULL);
    cr_expect_str_eq(logged, "2 store worked\n2 store of the app\n");
    svc_app_free(app);
}

/* ---- The sink itself */

static bool log_more(const svc_log_record *record, void *arg)
{
    for (int i = 0; i < 3; i++)
        svc_app_log_info(arg, "from the sink");
    return keep(record, NULL);
}

/* Nor is it called without end when what it logs would be held back. */
Test(log, a_sink_that_logs_is_not_given_its_own_lines)
{
    svc_config config = quiet();
    config.log_repeat_per_s = 1;
    svc_app *app = make_app(&config);
    svc_app_set_log_sink(app, log_more, app);
    svc_reply_free(svc_app_test_get(app, "/"));
    cr_expect_str_eq(logged, "2 store plain\n" TYPED "1 store warned\n");
    svc_app_free(app);
}

Test(log, a_sink_is_set_before_the_start_and_is_a_function)
{
    svc_config config = quiet();
    svc_app *app = make_app(&config);
    cr_expect_eq(svc_app_set_log_sink(app, NULL, NULL), SVC_EINVAL);
    svc_app_free(app);
    app = make_app(&config);
    svc_reply_free(svc_app_test_get(app, "/"));
    cr_expect_eq(svc_app_set_log_sink(app, keep, NULL), SVC_ESTATE);
    svc_app_free(app);
}

Test(log, an_app_without_a_sink_logs_nothing_in_tests)
{
    svc_app *app = svc_app_new("silent");
    svc_app_get(app, "/", handler, NULL);
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_eq(svc_reply_status(reply), 204);
    svc_reply_free(reply);
    svc_app_free(app);
    cr_expect_str_eq(logged, "");
}
