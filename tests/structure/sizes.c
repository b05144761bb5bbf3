/*
 * A program of another release: tests/structure/sizes.sh makes three programs of it, in which each
 * struct that begins with its size has its last member no more, or one behind it, which is zero or
 * is not (ASKS_MORE), and a fourth as it stands. Each struct must be taken, with the defaults for
 * what it does not say, and be refused where it asks for what this release does not know.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <svc.h>

#ifdef ASKS_MORE
#define ASK(object) ((object).one_more = 1)
#else
#define ASK(object) ((void)(object).size)
#endif

#ifdef ASKS_MORE
static const bool refused = true;
#else
static const bool refused = false;
#endif

static int failures;
static svc_app *app;
static char last[16];

/* What is so for every struct that is taken, and for none that is refused. */
static void expect(const char *name, bool taken)
{
    if (taken != refused)
        return;
    printf("%s is %s\n", name, taken ? "taken" : "refused");
    failures++;
}

static void expect_that(const char *name, bool is_so)
{
    if (is_so)
        return;
    printf("%s\n", name);
    failures++;
}

static int handle(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "ok");
}

static int status_of(const char *target)
{
    svc_reply *reply = svc_app_test_get(app, target);
    int status = svc_reply_status(reply);
    svc_reply_free(reply);
    return status;
}

static void begin_app(const char *name)
{
    app = svc_app_new(name);
    svc_app_get(app, "/", handle, NULL);
}

/* An app that has refused something does not serve. */
static void end_app(const char *name, bool taken)
{
    expect(name, taken);
    expect(name, status_of("/") == 200);
    svc_app_free(app);
}

/* ---- What is registered */

static int note_layer(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)res;
    snprintf(last, sizeof last, "%s", (const char *)layer->arg);
    return SVC_PASS;
}

static void try_route(void)
{
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "GET /route";
    route.handler = handle;
    ASK(route);
    begin_app("route");
    bool taken = !svc_app_route(app, &route);
    expect("what a route says", status_of("/route") == 200);
    end_app("svc_route", taken);
}

static void try_middleware(void)
{
    svc_middleware layer = SVC_MIDDLEWARE_INIT;
    layer.name = "layer";
    layer.arg = (void *)"noted";
    layer.on_request = note_layer;
    ASK(layer);
    begin_app("middleware");
    bool taken = !svc_app_use(app, &layer);
    expect("svc_app_use", taken);
    memset(&layer, 0xff, sizeof layer); /* it was copied */
    expect("what a middleware says", status_of("/") == 200 && !strcmp(last, "noted"));
    end_app("svc_middleware", taken);
}

static void try_config(void)
{
    svc_config config = SVC_CONFIG_INIT;
    config.max_json_depth = 2;
    ASK(config);
    begin_app("config");
    end_app("svc_config", !svc_app_configure(app, &config));
}

static int run_task(svc_task_context *context, void *arg)
{
    (void)context, (void)arg;
    return 0;
}

static void try_metric(void)
{
    svc_metric metric = SVC_METRIC_INIT;
    metric.name = "a_total";
    metric.help = "A.";
    ASK(metric);
    begin_app("metric");
    end_app("svc_metric", svc_app_counter(app, &metric));
}

static void try_task(void)
{
    svc_task task = SVC_TASK_INIT;
    task.name = "task";
    task.run = run_task;
    ASK(task);
    begin_app("task");
    end_app("svc_task", !svc_app_add_task(app, &task));
}

struct settings {
    uint64_t first;
    int second;
};

static void try_settings(void)
{
    struct settings settings = {0, 0};
    svc_setting table[] = {SVC_SETTING_NUMBER(struct settings, first, 5, 1, 9, "", "The first"),
                           SVC_SETTING_FLAG(struct settings, second, 1, "The second"),
                           SVC_SETTING_END};
    ASK(table[1]);
    begin_app("settings");
    bool taken = !svc_app_add_settings(app, table, &settings);
    expect("the settings' defaults", settings.first == 5 && settings.second == 1);
    end_app("svc_setting", taken);
}

struct bound {
    int64_t first;
    const char *second;
};

static void try_schema(void)
{
    svc_field table[] = {SVC_FIELD_INT64(struct bound, first, .min = 1, .max = 9),
                         SVC_FIELD_TEXT(struct bound, second, .max_length = 3), SVC_FIELD_END};
    ASK(table[1]);
    begin_app("schema");
    end_app("svc_field", svc_schema_new(app, table, sizeof(struct bound), 0) != NULL);
}

static void try_layers(void)
{
    svc_rate_limit rate = SVC_RATE_LIMIT_INIT;
    rate.rate = 100;
    ASK(rate);
    begin_app("rate");
    end_app("svc_rate_limit", !svc_app_use(app, svc_rate_limit_new(app, &rate)));
    svc_concurrency concurrency = SVC_CONCURRENCY_INIT;
    concurrency.limit = 1;
    ASK(concurrency);
    begin_app("concurrency");
    end_app("svc_concurrency", !svc_app_use(app, svc_concurrency_new(app, &concurrency)));
    svc_idempotency keys = SVC_IDEMPOTENCY_INIT;
    keys.header = "Authorization";
    ASK(keys);
    begin_app("idempotency");
    end_app("svc_idempotency", !svc_app_use(app, svc_idempotency_new(app, &keys)));
    svc_memo_options memo = SVC_MEMO_OPTIONS_INIT;
    memo.name = "memo";
    ASK(memo);
    begin_app("memo");
    end_app("svc_memo_options", svc_memo_new(app, svc_store_open(app, NULL), &memo) != NULL);
    svc_conditional conditional = SVC_CONDITIONAL_INIT;
    ASK(conditional);
    begin_app("conditional");
    end_app("svc_conditional", !svc_app_use(app, svc_conditional_new(app, &conditional)));
    svc_compress compress = SVC_COMPRESS_INIT;
    compress.types = "application/x-ours";
    ASK(compress);
    begin_app("compress");
    end_app("svc_compress", !svc_app_use(app, svc_compress_new(app, &compress)));
    svc_cache_policy policy = SVC_CACHE_POLICY_INIT;
    policy.max_age_s = 5;
    ASK(policy);
    begin_app("policy");
    end_app("svc_cache_policy", !svc_app_use(app, svc_cache_control_new(app, &policy)));
}

/* ---- What a handler gives and is given */

static int64_t read_nothing(void *state, char *data, size_t len)
{
    (void)state, (void)data, (void)len;
    return 0;
}

static void give_source(svc_response *res)
{
    svc_source source = SVC_SOURCE_INIT;
    source.length = 0;
    source.read = read_nothing;
    ASK(source);
    expect("svc_source", !svc_response_source(res, 200, NULL, &source));
}

/* Whoever wraps a source needs all of the first release's. */
static void take_source(svc_response *res)
{
    struct {
        svc_source source;
        char behind[64];
    } own = {SVC_SOURCE_INIT, "untouched"};
    bool whole = own.source.size >= sizeof(size_t) + sizeof(uint64_t) + 3 * sizeof(void *);
    svc_response_text(res, 200, "four");
    expect_that("svc_response_take_source", whole == !svc_response_take_source(res, &own.source));
    expect_that("what was taken", !whole || (own.source.read && own.source.length == 4));
    expect_that("the memory behind a source", !strcmp(own.behind, "untouched"));
}

static void give_file(svc_response *res)
{
    svc_file file = SVC_FILE_INIT;
    file.fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    ASK(file);
    expect("svc_file", !svc_response_fd(res, 200, NULL, &file));
}

static void ask_wish(const svc_request *req)
{
    struct {
        svc_cache_wish wish;
        char behind[64];
    } own = {SVC_CACHE_WISH_INIT, "untouched"};
    expect_that("svc_cache_wish", !svc_request_cache_control(req, &own.wish));
    expect_that("what was wished", own.wish.max_age_s == -1);
    expect_that("the memory behind a wish", !strcmp(own.behind, "untouched"));
}

static int use_all(svc_request *req, svc_response *res)
{
    svc_cache_policy policy = SVC_CACHE_POLICY_INIT;
    policy.directives = SVC_CACHE_NO_STORE;
    ASK(policy);
    expect("svc_response_set_cache_control", !svc_response_set_cache_control(res, &policy));
    give_file(res);
    give_source(res);
    take_source(res);
    ask_wish(req);
    svc_cookie cookie = SVC_COOKIE_INIT;
    cookie.name = "name";
    cookie.value = "value";
    ASK(cookie);
    expect("svc_response_set_cookie", !svc_response_set_cookie(res, &cookie));
    svc_form_options form = SVC_FORM_OPTIONS_INIT;
    ASK(form);
    expect_that("svc_form_options", !svc_request_form(req, res, &form));
    expect("svc_request_form", svc_response_status(res) == 415);
    svc_multipart_options multipart = SVC_MULTIPART_OPTIONS_INIT;
    svc_part *part;
    ASK(multipart);
    expect("svc_request_multipart",
           svc_multipart_next(svc_request_multipart(req, &multipart), &part) != SVC_EINVAL);
    svc_validators validators = SVC_VALIDATORS_INIT;
    validators.etag = "tag";
    ASK(validators);
    expect_that("svc_validators", svc_request_check_conditions(req, res, &validators) != refused);
    return svc_response_text(res, 200, "ok");
}

static void try_in_handler(void)
{
    app = svc_app_new("handler");
    svc_app_get(app, "/", use_all, NULL);
    svc_test test = SVC_TEST_INIT;
    svc_reply *reply = svc_app_test(app, &test);
    expect_that("a handler's answer", svc_reply_status(reply) == 200);
    svc_reply_free(reply);
    ASK(test);
    reply = svc_app_test(app, &test);
    expect("svc_test", reply != NULL);
    svc_reply_free(reply);
    svc_app_free(app);
}

int main(void)
{
    try_route();
    try_middleware();
    try_config();
    try_metric();
    try_task();
    try_settings();
    try_schema();
    try_layers();
    try_in_handler();
    return failures > 0;
}
