/*
 * Every constructor and every path of a request survives its n-th allocation failing, for n from
 * the first to the last: it fails with SVC_ENOMEM, NULL, 500 or 503 and nothing else, or, where
 * that may be, does without; and it leaks nothing (the sanitizer build sees leaks). Matching a
 * route has no allocation that could fail. The linker sends the library's allocations here, and
 * jansson is told to come here too.
 */
#include <arpa/inet.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <svc.h>
#include <svc/sys/app.h>
#include <svc/sys/span.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/base/arena.h"
#include "libsvc/log/sink.h"
#include "libsvc/metrics/metric.h"
#include "libsvc/ops/metrics_text.h"
#include "libsvc/ops/shared_body.h"
#include "libsvc/route/plant.h"
#include "libsvc/run/pipe.h"
#include "libsvc/settings/settings_source.h"
#include "libsvc/settings/settings_text.h"
#include "tests/support/starve.h"

enum { MAX_ALLOCATIONS = 100000 };

/* The store of an app takes memory in proportion to its size at each start, which the address
 * sanitizer marks byte by byte. */
#define SMALL_STORE "memory:?bytes=1000000&max_value=1000"

/* How a run went in which an allocation may have failed. */
enum outcome {
    WHOLE,  /* as if none had */
    FAILED, /* it failed as its contract says */
    WRONG   /* it failed otherwise, or gave something wrong */
};

static enum outcome worse(enum outcome a, enum outcome b)
{
    return a > b ? a : b;
}

static enum outcome wrong(const char *what, int number)
{
    printf("  %s: %d\n", what, number);
    return WRONG;
}

/* What a call says that returns a code. */
static enum outcome by_code(const char *what, int error)
{
    if (!error)
        return WHOLE;
    return error == SVC_ENOMEM ? FAILED : wrong(what, error);
}

/* What a call says that returns something or NULL. */
static enum outcome by_pointer(const void *pointer)
{
    return pointer ? WHOLE : FAILED;
}

/* What must be so whatever has failed. */
static enum outcome expect_that(bool is_so, const char *what)
{
    return is_so ? WHOLE : wrong(what, 0);
}

/* ---- The ground floor */

static enum outcome try_arena(void)
{
    struct arena_cache cache;
    struct arena arena;
    svc__arena_cache_init(&cache, 4);
    svc__arena_init(&arena, &cache, SIZE_MAX);
    enum outcome outcome = WHOLE;
    for (size_t size = 1; size < 20000; size *= 3)
        outcome = worse(outcome, by_pointer(svc__arena_alloc(&arena, size)));
    outcome = worse(outcome, by_pointer(svc__arena_strndup(&arena, "text", 4)));
    svc__arena_reset(&arena);
    svc__arena_cache_free(&cache);
    return outcome;
}

/* What was appended before the failure is there, and nothing after it. */
static enum outcome try_buf(void)
{
    struct buf buf;
    svc__buf_init(&buf, 100000);
    int i = 0;
    for (; i < 1000 && !svc__buf_error(&buf); i++)
        svc__buf_printf(&buf, "%04d,", i);
    svc__buf_json_string(&buf, svc__bytes_z("a \"text\""));
    enum outcome outcome = by_code("buf", svc__buf_error(&buf));
    size_t whole = outcome == WHOLE ? 5000 + strlen("\"a \\\"text\\\"\"") : buf.len / 5 * 5;
    outcome = worse(outcome, expect_that(buf.len == whole, "the length of a buffer"));
    svc__buf_free(&buf);
    return outcome;
}

static enum outcome try_metrics(void)
{
    static _Atomic size_t held;
    static const char *const values[] = {"a", "b\xff"};
    struct metrics *metrics = svc__metrics_new();
    if (!metrics)
        return FAILED;
    svc_counter *counter = svc__metric_counter(metrics, "a_total", "A.");
    svc_histogram_family *family =
        svc__metric_histograms(metrics, "b", "B.", "one,two", (const double[]){1, 2, 3}, 3);
    enum outcome outcome = worse(by_pointer(counter), by_pointer(family));
    svc_counter_add(counter, 1);
    svc_histogram_observe(svc_histogram_of(family, 2, values), 2);
    outcome =
        worse(outcome, expect_that(svc__counter_read(counter) == (counter != NULL), "a count"));
    struct buf text;
    svc__buf_init(&text, 10000);
    svc__metrics_text_write(metrics, NULL, METRICS_PROMETHEUS, &text, NULL);
    outcome = worse(outcome, by_code("dump", svc__buf_error(&text)));
    svc__buf_free(&text);
    svc__shared_body_begin(&text, 10000);
    svc__metrics_text_write(metrics, NULL, METRICS_OPENMETRICS, &text, NULL);
    struct shared_body *body = svc__shared_body_make(&text, &held);
    outcome = worse(outcome, by_pointer(body));
    svc__shared_body_unref(body);
    outcome = worse(outcome, expect_that(held == 0, "what is held of a body"));
    svc__metrics_free(metrics);
    return outcome;
}

static enum outcome try_sink(void)
{
    static const struct sink_report report = {"", "", ""};
    struct sink *sink = svc__sink_open(STDERR_FILENO, 0, 2, &report);
    enum outcome outcome = sink ? by_pointer(svc__sink_ring(sink)) : FAILED;
    return worse(outcome, expect_that(svc__sink_close(sink, 1000) == 0, "the close of a sink"));
}

/* What a write says that may find no memory at all, or less than it would like. */
static enum outcome by_taken(int64_t n, int64_t len)
{
    return n < 0 ? by_code("pipe", (int)n) : expect_that(n > 0 && n <= len, "bytes taken");
}

/* What was taken comes out, whatever failed behind it. */
static enum outcome try_pipe(void)
{
    static char data[100000];
    svc_pipe *pipe = svc_pipe_new(40000);
    if (!pipe)
        return FAILED;
    enum outcome outcome = by_code("push", svc__pipe_push(pipe, data, 100));
    size_t held = outcome == WHOLE ? 100 : 0;
    for (size_t len = 1000; len < 30000; len *= 3) {
        int64_t n = svc_pipe_try_write(pipe, data, len);
        outcome = n == SVC_EAGAIN ? outcome : worse(outcome, by_taken(n, (int64_t)len));
        held += n > 0 ? (size_t)n : 0;
    }
    int error = svc__pipe_push(pipe, data, 50000);
    outcome = worse(outcome, by_code("push", error));
    held += error ? 0 : 50000;
    int64_t n = held ? svc_pipe_try_read(pipe, data, sizeof data) : 0;
    outcome = worse(outcome, expect_that(n == (int64_t)held, "what a pipe held"));
    svc_pipe_unref(pipe);
    return outcome;
}

static enum outcome try_queue(void)
{
    svc_queue *queue = svc_queue_new(3, NULL);
    svc_queue_free(queue);
    return by_pointer(queue);
}

/* ---- Routes */

enum { ROUTES = 6 };

struct routes {
    struct arena arena;
    struct pattern patterns[ROUTES];
    struct tree *tree;
};

static enum outcome make_routes(struct routes *routes)
{
    static const char *const texts[ROUTES] = {"GET /a/{b}", "/c/{d...}", "PUT host/{$}",
                                              "GET /e/f/g", "/x/{y}/z/", "/x/{y}/{z}/w"};
    const struct pattern *list[ROUTES];
    struct buf why;
    svc__arena_init(&routes->arena, NULL, SIZE_MAX);
    svc__buf_init(&why, 1000);
    routes->tree = NULL;
    enum outcome outcome = WHOLE;
    for (size_t i = 0; i < ROUTES && outcome == WHOLE; i++) {
        list[i] = &routes->patterns[i];
        outcome = by_code("pattern", svc__pattern_parse(&routes->arena, texts[i], "file", 1,
                                                        &routes->patterns[i], &why));
    }
    if (outcome == WHOLE) {
        routes->tree = svc__plant_tree(list, ROUTES);
        outcome = by_pointer(routes->tree);
    }
    svc__buf_free(&why);
    return outcome;
}

static void free_routes(struct routes *routes)
{
    svc__tree_free(routes->tree);
    svc__arena_reset(&routes->arena);
}

static enum outcome try_tree(void)
{
    struct routes routes;
    enum outcome outcome = make_routes(&routes);
    free_routes(&routes);
    return outcome;
}

/* Every kind of match: found and not, with a host, decoded, on the second try, with a redirect. */
static bool match_all(const struct tree *tree)
{
    static const struct {
        const char *method, *host, *path;
        enum match_verdict verdict;
    } rows[] = {
        {"GET", "h", "/a/b", MATCH_FOUND},        {"HEAD", "h", "/a/%41%2f", MATCH_FOUND},
        {"PUT", "host", "/", MATCH_FOUND},        {"PUT", "other", "/", MATCH_NONE},
        {"GET", "h", "/c/d/e/%66/", MATCH_FOUND}, {"GET", "h", "/c", MATCH_REDIRECT_SLASH},
        {"GET", "h", "/x/1/z/w", MATCH_FOUND},    {"GET", "h", "/x/1/z/v/", MATCH_FOUND},
        {"GET", "h", "/x/1/y/v", MATCH_NONE},     {"POST", "h", "/e/f/g", MATCH_NONE},
        {"BREW", "", "/none", MATCH_NONE},
    };
    bool all = true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct match match;
        struct bytes method = svc__bytes_z(rows[i].method);
        all = svc__tree_match(tree, method, svc__bytes_z(rows[i].host), svc__bytes_z(rows[i].path),
                              &match) == rows[i].verdict &&
              all;
        svc__tree_knows_method(tree, method);
    }
    return all;
}

static bool matching_allocates_nothing(void)
{
    struct routes routes;
    bool done = make_routes(&routes) == WHOLE;
    starve_count();
    done = done && match_all(routes.tree);
    int count = starve_count();
    printf("match: %d allocations, %s\n", count, done ? "ok" : "WRONG");
    free_routes(&routes);
    return done && count == 0;
}

/* ---- Settings of a program's own */

struct own {
    const char *text;
    uint64_t number;
};

static char env_path[] = "/tmp/svc-alloc-XXXXXX";

static const svc_setting own_settings[] = {
    SVC_SETTING_STRING(struct own, text, NULL, "A text", .required = true),
    SVC_SETTING_NUMBER(struct own, number, 1, 0, 9, "", "A number"), SVC_SETTING_END};

static enum outcome print_settings(const svc_app *app)
{
    struct buf out;
    svc__buf_init(&out, 1 << 20);
    svc__settings_text_help(&app->settings, &out);
    svc__settings_text_values(&app->settings, &out);
    enum outcome outcome = by_code("print", svc__buf_error(&out));
    svc__buf_free(&out);
    return outcome;
}

/* The environment gives the text, and the file the number. */
static enum outcome try_settings(void)
{
    struct own own;
    svc_app *app = svc_app_new("settings");
    if (!app)
        return FAILED;
    enum outcome outcome = by_code("describe", svc_app_describe(app, "Fails."));
    outcome = worse(outcome, by_code("settings", svc_app_add_settings(app, own_settings, &own)));
    outcome = worse(outcome, by_code("environment", svc_app_read_environment(app, "ALLOC")));
    outcome = worse(outcome, by_code("file", svc__settings_source_file(&app->settings, env_path)));
    bool read = outcome == FAILED || (!strcmp(own.text, "text") && own.number == 7);
    outcome = worse(outcome, expect_that(read, "what has been read"));
    outcome = worse(outcome, print_settings(app));
    svc_app_free(app);
    return outcome;
}

static void prepare_settings(void)
{
    static const char text[] = "ALLOC_NUMBER=7\nALLOC_TEXT=not this one\n";
    int fd = mkstemp(env_path);
    if (fd < 0 || write(fd, text, sizeof text - 1) < 0 || close(fd))
        abort();
    setenv("ALLOC_TEXT", "text", 1);
}

/* ---- An app, and requests to it */

static int echo(svc_request *req, svc_response *res)
{
    json_t *body = svc_request_json(req, res);
    if (!body)
        return 0;
    svc_response_set_header(res, "X-Query", svc_request_query(req, "q") ? "yes" : "no");
    return svc_response_json_take(res, 200, json_incref(body));
}

static int large(svc_request *req, svc_response *res)
{
    static const char text[100000];
    (void)req;
    return svc_response_copy(res, 200, "application/octet-stream", text, sizeof text);
}

/* More than the thread keeps for its next answer. */
static int written(svc_request *req, svc_response *res)
{
    (void)req;
    svc_json_writer *w = svc_response_json_begin(res, 200);
    svc_json_open_array(w, NULL);
    for (int i = 0; i < 10000; i++)
        svc_json_put_text(w, NULL, "seven!!");
    svc_json_close(w);
    return svc_response_json_end(w);
}

static int64_t read_seven(void *state, char *data, size_t len)
{
    size_t *left = state, n = *left < len ? *left : len;
    memset(data, '7', n);
    *left -= n;
    return (int64_t)n;
}

static int add_end(svc_trailers *out, void *sum)
{
    return svc_trailers_add(out, "X-End", sum);
}

/* Trailers both ways, and a head that waits. Without the request's trailer it must not have been
 * called. */
static int trailed(svc_request *req, svc_response *res)
{
    const char *sum = svc_request_trailer(req, "X-Sum");
    if (!sum)
        return svc_response_text(res, 410, "a trailer is lost");
    size_t *left = svc_request_alloc(req, sizeof *left);
    if (!left)
        return SVC_ENOMEM;
    *left = 7;
    svc_source source = SVC_SOURCE_INIT;
    source.read = read_seven;
    source.state = left;
    svc_response_hold_head(res);
    int error = svc_response_on_trailers(res, add_end, (void *)(uintptr_t)sum);
    return error ? error : svc_response_source(res, 200, "text/plain", &source);
}

static void nothing(void *arg)
{
    (void)arg;
}

static void not_ready(unsigned events, void *arg)
{
    (void)events, (void)arg;
}

/* Makes one of everything that a loop has for it. */
static int on_loop(svc_request *req, svc_response *res)
{
    int fd = eventfd(0, EFD_CLOEXEC);
    svc_loop *loop = svc_request_loop(req);
    svc_timer *timer = svc_timer_new(loop, nothing, NULL);
    svc_watch *watch = svc_watch_new(loop, fd, SVC_READABLE, not_ready, NULL);
    int error = timer && watch ? svc_loop_post(loop, nothing, NULL) : SVC_ENOMEM;
    svc_watch_free(watch);
    svc_timer_free(timer);
    close(fd);
    return error ? error : svc_response_text(res, 200, "");
}

static int pass(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)layer;
    svc_response_set_header(res, "X-Id", svc_request_id(req));
    return SVC_PASS;
}

static const svc_middleware passes = {
    .size = sizeof passes, .name = "passes", .state_size = 40, .on_request = pass};

/* Waits once. It may go on before it has said that it waits. */
static int wait_once(svc_request *req, svc_response *res, const svc_layer *layer)
{
    int *times = layer->state;
    (void)res;
    if ((*times)++)
        return SVC_PASS;
    svc_request_resume(req);
    return SVC_WAIT;
}

static const svc_middleware waits = {
    .size = sizeof waits, .name = "waits", .state_size = sizeof(int), .on_request = wait_once};

/* Sends the body by another source that has taken it over. */
static int wrap(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)layer;
    svc_source source = SVC_SOURCE_INIT;
    int error = svc_response_take_source(res, &source);
    return error ? error : svc_response_source(res, svc_response_status(res), NULL, &source);
}

static const svc_middleware wraps = {.size = sizeof wraps, .name = "wraps", .on_response = wrap};

/* Everything that a reply can say to caches, before and after the question. */
static int cached(svc_request *req, svc_response *res)
{
    svc_validators validators = SVC_VALIDATORS_INIT;
    svc_cache_policy policy = SVC_CACHE_POLICY_INIT;
    policy.directives = SVC_CACHE_PUBLIC;
    policy.max_age_s = 60;
    policy.expires = true;
    policy.vary = "Accept, Origin";
    validators.etag = "v1";
    validators.modified_s = 1;
    int error = svc_response_set_cache_control(res, &policy);
    if (!error)
        error = svc_response_set_age(res, 1);
    if (error || !svc_request_check_conditions(req, res, &validators))
        return error;
    return svc_response_text(res, 200, "cached");
}

static int tagged(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "tagged");
}

struct place {
    double x;
};

struct bound {
    const char *name;
    struct place point;
    int64_t *numbers;
    size_t number_count;
};

static const svc_field point_fields[] = {SVC_FIELD_DOUBLE(struct place, x, .max_double = 9),
                                         SVC_FIELD_END};

static const svc_field bound_fields[] = {
    SVC_FIELD_TEXT(struct bound, name, .required = true, .max_length = 9, .pattern = "^[a-z]*$"),
    SVC_FIELD_OBJECT(struct bound, point, point_fields),
    SVC_FIELD_INT64S(struct bound, numbers, number_count, .max_count = 3), SVC_FIELD_END};

static const svc_field named_fields[] = {
    SVC_FIELD_TEXT(struct bound, name),
    SVC_FIELD_INT64S(struct bound, numbers, number_count, .max_count = 3), SVC_FIELD_END};

static const svc_schema *document, *parameters;

static int set_cookie(svc_request *req, svc_response *res)
{
    svc_cookie cookie = SVC_COOKIE_INIT;
    cookie.name = "next";
    cookie.value = svc_request_cookie(req, "last");
    if (!cookie.value)
        return svc_response_problem(res, 503, "out of memory");
    int error = svc_response_set_cookie(res, &cookie);
    return error ? error : svc_response_text(res, 200, cookie.value);
}

static int fill_by_form(svc_request *req, svc_response *res)
{
    struct bound bound;
    const svc_form *form = svc_request_form(req, res, NULL);
    if (!form || !svc_form_bind(form, res, parameters, &bound))
        return 0;
    return svc_response_text(res, 200, bound.name);
}

static int fill(svc_request *req, svc_response *res)
{
    struct bound bound;
    if (!svc_request_bind_query(req, res, parameters, &bound) ||
        !svc_request_bind(req, res, document, &bound))
        return 0;
    return svc_response_bind(res, 200, document, &bound);
}

static enum outcome add_binding(svc_app *app)
{
    document = svc_schema_new(app, bound_fields, sizeof(struct bound), 0);
    parameters = svc_schema_new(app, named_fields, sizeof(struct bound), SVC_SCHEMA_FORM);
    enum outcome outcome = worse(by_pointer(document), by_pointer(parameters));
    outcome = worse(outcome, by_code("get", svc_app_get(app, "/cookie", set_cookie, NULL)));
    outcome = worse(outcome, by_code("post", svc_app_post(app, "/form", fill_by_form, NULL)));
    return worse(outcome, by_code("post", svc_app_post(app, "/bound", fill, NULL)));
}

/* What a call says that was given a layer just made. */
static enum outcome by_use(const svc_middleware *layer, int error)
{
    return layer ? by_code("use", error) : FAILED;
}

static enum outcome use(svc_group *group, const svc_middleware *layer)
{
    return by_use(layer, svc_group_use(group, layer));
}

static enum outcome add_caching(svc_app *app)
{
    svc_cache_policy policy = SVC_CACHE_POLICY_INIT;
    policy.max_age_s = 60;
    policy.expires = true;
    policy.vary = "Accept-Encoding";
    svc_compress compress = SVC_COMPRESS_INIT;
    compress.types = "application/x-ours";
    svc_group *group = svc_app_group(app, "/cached");
    if (!group)
        return FAILED;
    enum outcome outcome = use(group, svc_conditional_new(app, NULL));
    outcome = worse(outcome, use(group, svc_cache_control_new(app, &policy)));
    outcome = worse(outcome, use(group, svc_compress_new(app, &compress)));
    outcome = worse(outcome, by_code("get", svc_group_get(group, "/asked", cached, NULL)));
    outcome = worse(outcome, by_code("put", svc_group_put(group, "/asked", cached, NULL)));
    return worse(outcome, by_code("get", svc_group_get(group, "/tagged", tagged, NULL)));
}

static int rest(svc_task_context *context, void *arg)
{
    (void)arg;
    while (!svc_task_sleep(context, 60000))
        continue;
    return SVC_ECANCELLED;
}

static enum outcome add_task(svc_app *app)
{
    svc_task task = SVC_TASK_INIT;
    task.name = "rest";
    task.run = rest;
    return by_code("task", svc_app_add_task(app, &task));
}

static enum outcome add_limiter(svc_app *app)
{
    static const char *const exempt[] = {"192.0.2.0/24", NULL};
    svc_rate_limit limit = SVC_RATE_LIMIT_INIT;
    limit.rate = 1000;
    limit.header = "Content-Type";
    limit.exempt = exempt;
    limit.flags = SVC_RATE_FIELDS_ALWAYS | SVC_RATE_X_FIELDS;
    limit.store = svc_store_open(app, "memory:");
    if (!limit.store)
        return FAILED;
    limit.on_store_failure = SVC_RATE_DECIDE;
    const svc_middleware *layer = svc_rate_limit_new(app, &limit);
    return by_use(layer, svc_app_use(app, layer));
}

static enum outcome add_idempotency(svc_app *app)
{
    svc_idempotency keys = SVC_IDEMPOTENCY_INIT;
    keys.flags = SVC_IDEMPOTENCY_SHARED;
    const svc_middleware *layer = svc_idempotency_new(app, &keys);
    return by_use(layer, svc_app_use(app, layer));
}

static enum outcome add_concurrency(svc_app *app)
{
    svc_concurrency limit = SVC_CONCURRENCY_INIT;
    limit.limit = 100;
    limit.adaptive = true;
    limit.max_queue_ms = 60000;
    const svc_middleware *layer = svc_concurrency_new(app, &limit);
    return by_use(layer, svc_app_use(app, layer));
}

static int fine(void *arg)
{
    (void)arg;
    return 0;
}

static enum outcome configure(svc_app *app)
{
    svc_config config = SVC_CONFIG_INIT;
    config.listen = "127.0.0.1:0";
    config.admin_listen = "127.0.0.1:0";
    config.threads = 2;
    config.drain_delay_ms = 0;
    config.store = SMALL_STORE;
    enum outcome outcome = by_code("configure", svc_app_configure(app, &config));
    /* The log output; see main. */
    return worse(outcome, by_code("environment", svc_app_read_environment(app, "ALLOC")));
}

static enum outcome add_routes(svc_app *app)
{
    static const svc_middleware *const layers[] = {&waits, &wraps, NULL};
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "POST /wait";
    route.handler = echo;
    route.middleware = layers;
    enum outcome outcome = by_code("route", svc_app_route(app, &route));
    outcome = worse(outcome, by_code("get", svc_app_get(app, "/large", large, NULL)));
    outcome = worse(outcome, by_code("get", svc_app_get(app, "/written", written, NULL)));
    outcome = worse(outcome, by_code("get", svc_app_get(app, "/loop", on_loop, NULL)));
    outcome = worse(outcome, by_code("post", svc_app_post(app, "/trailed", trailed, NULL)));
    svc_files files = SVC_FILES_AT("/");
    files.listing = files.precompressed = files.content_tags = true;
    files.downloads = "*";
    outcome = worse(outcome, by_code("files", svc_app_files(app, "/files/", &files)));
    svc_group *group = svc_app_group(app, "/v1");
    svc_group *inner = group ? svc_group_group(group, "/inner") : NULL;
    if (!inner)
        return worse(outcome, FAILED);
    outcome = worse(outcome, by_code("use", svc_group_use(group, &passes)));
    outcome = worse(outcome, by_code("use", svc_group_use(inner, &passes)));
    return worse(outcome, by_code("post", svc_group_post(inner, "/echo/{id}", echo, NULL)));
}

/* One app of two has no other routes there than those of the app mounted on it. */
static enum outcome add_admin(svc_app *app)
{
    svc_app *admin = svc_app_admin(app);
    enum outcome outcome = by_code("get", svc_app_get(admin, "/page", large, NULL));
    outcome = worse(outcome, by_code("use", svc_app_use(admin, &passes)));
    return worse(outcome, by_code("hook", svc_app_add_hook(admin, NULL, NULL, NULL)));
}

static enum outcome mount(svc_app *app)
{
    svc_app *inner = svc_app_new("inner");
    enum outcome outcome = inner ? WHOLE : FAILED;
    if (inner) {
        outcome = by_code("get", svc_app_get(inner, "/large", large, NULL));
        outcome = worse(outcome, by_code("hook", svc_app_add_hook(inner, NULL, NULL, NULL)));
        outcome = worse(outcome, by_code("check", svc_app_add_check(inner, "fine", fine, NULL)));
        outcome = worse(outcome, worse(add_task(inner), add_admin(inner)));
    }
    int error = svc_app_mount(app, "/mounted", inner);
    if (error)
        svc_app_free(inner);
    return worse(outcome, by_code("mount", error));
}

/* A registration that failed must be told at start, also to a program that ignores its code. */
static enum outcome expect_refusal(svc_app *app)
{
    int error = svc_app_start(app);
    if (!error)
        abort();
    return expect_that(*svc_app_errors(app), "the errors of an app");
}

static enum outcome make_app(svc_app **out)
{
    svc_app *app = svc_app_new("alloc");
    *out = app;
    if (!app)
        return FAILED;
    enum outcome outcome = worse(configure(app), add_routes(app));
    outcome = worse(outcome, by_code("use", svc_app_use(app, &passes)));
    outcome = worse(outcome, worse(add_limiter(app), add_caching(app)));
    outcome = worse(outcome, worse(add_concurrency(app), add_binding(app)));
    outcome = worse(outcome, add_idempotency(app));
    outcome = worse(outcome, add_task(app));
    outcome = worse(outcome, by_code("hook", svc_app_add_hook(app, NULL, NULL, NULL)));
    outcome = worse(outcome, by_code("check", svc_app_add_check(app, "fine", fine, NULL)));
    outcome = worse(outcome, mount(app));
    return outcome == WHOLE ? outcome : worse(outcome, expect_refusal(app));
}

/* A request, as far as it matters here, and the status that it has when nothing fails. */
static const struct ask {
    const char *method, *target, *body;
    int status;
    const char *condition, *tag; /* a header field of the request, or NULL */
    bool trails;                 /* it has a trailer, and so does its reply */
} asks[] = {
    {"POST", "/v1/inner/echo/7?q=1", "{\"a\":[1,2,{\"b\":null}]}", 200, NULL, NULL, false},
    {"POST", "/v1/inner/echo/7", "{\"a\":", 400, NULL, NULL, false},
    {"POST", "/v1/inner/echo/7", NULL, 200, NULL, NULL, false}, /* with a long body */
    {"POST", "/wait", "[1]", 200, NULL, NULL, false},
    {"POST", "/wait", NULL, 200, NULL, NULL, false},
    {"POST", "/bound?numbers=1", "{\"name\":\"a\",\"point\":{\"x\":1},\"numbers\":[1,2]}", 200,
     NULL, NULL, false},
    {"POST", "/bound?numbers=x&y=1", "", 422, NULL, NULL, false},
    {"POST", "/bound", "{\"name\":\"A\",\"point\":{\"x\":10},\"numbers\":[1,2,3,4]}", 422, NULL,
     NULL, false},
    {"GET", "/cookie", "", 200, "Cookie", "first=a; last=b", false},
    {"POST", "/form", "name=a&numbers=1&numbers[]=2", 200, NULL, NULL, false},
    {"POST", "/form", "name=a&name=b&other=2", 422, NULL, NULL, false},
    {"GET", "/large", "", 200, NULL, NULL, false},
    {"GET", "/mounted/large", "", 200, NULL, NULL, false},
    {"GET", "/written", "", 200, NULL, NULL, false},
    {"GET", "/loop", "", 200, NULL, NULL, false},
    {"GET", "/files/etc/passwd", "", 200, NULL, NULL, false},
    {"GET", "/files/etc/passwd", "", 304, "If-None-Match", "*", false},
    {"GET", "/files/", "", 200, NULL, NULL, false},
    {"GET", "/none", "", 404, NULL, NULL, false},
    {"GET", "/large/", "", 404, NULL, NULL, false},
    {"OPTIONS", "/large", "", 204, NULL, NULL, false},
    {"GET", "//large", "", 308, NULL, NULL, false},
    {"GET", "/cached/asked", "", 304, "If-None-Match", "\"v1\"", false},
    {"GET", "/cached/asked", "", 200, "If-None-Match", "\"v2\"", false},
    {"PUT", "/cached/asked", "", 412, "If-Match", "\"v2\"", false},
    {"GET", "/cached/tagged", "", 304, "If-None-Match", "*", false},
    {"GET", "/cached/tagged", "", 412, "If-Match", "\"v1\"", false},
    {"POST", "/trailed", "[1]", 200, NULL, NULL, true},
    {"POST", "/v1/inner/echo/7", "[1]", 200, "Idempotency-Key", "\"k\"", false},
    {"POST", "/v1/inner/echo/7", "[1]", 200, "Idempotency-Key", "\"k\"", false},
};
enum { ASKS = sizeof asks / sizeof *asks };

/* The body of an ask: longer than an exchange's memory has room for at first, where it has none. */
static const char *body_of(const struct ask *ask)
{
    static char text[20000];
    if (ask->body)
        return ask->body;
    memset(text, ' ', sizeof text - 1);
    memcpy(text, "[\"long\"]", 8);
    return text;
}

/* A body that begins with a letter is a form. */
static const char *type_of(const struct ask *ask)
{
    return *body_of(ask) >= 'a' && *body_of(ask) <= 'z' ? "application/x-www-form-urlencoded"
                                                        : "application/json";
}

/* jansson takes a string whose memory it did not get for one with bad syntax. An answer that could
 * not be kept leaves its key taken. */
static bool is_failure(const struct ask *ask, int status)
{
    bool keyed = ask->condition && !strcmp(ask->condition, "Idempotency-Key");
    bool json = (ask->status == 200 || ask->status == 422) && *body_of(ask);
    return status == 500 || status == 503 || (json && status == 400) || (keyed && status == 409);
}

static enum outcome by_status(const struct ask *ask, int status)
{
    if (status == ask->status)
        return WHOLE;
    return is_failure(ask, status) ? FAILED : wrong(ask->target, status);
}

/* A reply that has begun is whole, with its trailer, or cut. */
static enum outcome by_trailer(const struct ask *ask, const char *sum, bool is_cut)
{
    if (sum && !is_cut)
        return strcmp(sum, "7") ? wrong(ask->target, atoi(sum)) : WHOLE;
    return is_cut ? FAILED : wrong(ask->target, 0);
}

static enum outcome ask_app(svc_app *app, const struct ask *ask)
{
    const char *body = body_of(ask);
    const char *const headers[] = {"Content-Type", type_of(ask), ask->condition, ask->tag, NULL};
    static const char *const trailers[] = {"X-Sum", "7", NULL};
    svc_test test = SVC_TEST_INIT;
    test.method = ask->method;
    test.target = ask->target;
    test.headers = headers;
    test.body = body;
    test.body_len = strlen(body);
    test.trailers = ask->trails ? trailers : NULL;
    svc_reply *reply = svc_app_test(app, &test);
    enum outcome outcome = reply ? by_status(ask, svc_reply_status(reply)) : FAILED;
    if (ask->trails && outcome == WHOLE)
        outcome = by_trailer(ask, svc_reply_trailer(reply, "X-End"),
                             svc_reply_outcome(reply) != SVC_COMPLETE);
    svc_reply_free(reply);
    return outcome;
}

static enum outcome try_app(void)
{
    svc_app *app;
    enum outcome outcome = make_app(&app);
    for (size_t i = 0; i < ASKS && app; i++)
        outcome = worse(outcome, ask_app(app, &asks[i]));
    svc_app_free(app);
    return outcome;
}

/* ---- The same over TCP */

static int connect_to(const char *address)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    to.sin_port = htons((uint16_t)atoi(strchr(address, ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to))
        abort();
    return fd;
}

static void send_ask(int fd, const struct ask *ask)
{
    static char request[32768];
    const char *body = body_of(ask);
    int len = 0;
    if (ask->trails)
        len = snprintf(request, sizeof request,
                       "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n%zx\r\n%s\r\n0\r\nX-Sum: 7\r\n\r\n",
                       ask->method, ask->target, strlen(body), body);
    else
        len = snprintf(request, sizeof request,
                       "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                       "Content-Type: %s\r\nContent-Length: %zu\r\n%s: %s\r\n\r\n%s",
                       ask->method, ask->target, type_of(ask), strlen(body),
                       ask->condition ? ask->condition : "X", ask->condition ? ask->tag : "", body);
    /* A connection that could not be served is closed before it has read all of this. */
    (void)send(fd, request, (size_t)len, MSG_NOSIGNAL);
}

/* Reads until the end of what comes, or the buffer's. */
static size_t receive_all(int fd, char *reply, size_t size)
{
    size_t len = 0;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    for (ssize_t n = 1; n > 0 && len + 1 < size; len += n > 0 ? (size_t)n : 0) {
        if (poll(&wait, 1, 60000) != 1)
            abort();
        n = recv(fd, reply + len, size - 1 - len, 0);
    }
    reply[len] = '\0';
    return len;
}

/* Whatever comes back, an answer or the end, something must. */
static enum outcome ask_socket(const char *address, const struct ask *ask)
{
    int fd = connect_to(address);
    send_ask(fd, ask);
    char reply[4096] = "";
    size_t len = receive_all(fd, reply, sizeof reply);
    close(fd);
    enum outcome outcome = len ? by_status(ask, atoi(reply + strcspn(reply, " "))) : FAILED;
    if (!ask->trails || outcome != WHOLE)
        return outcome;
    const char *end = strstr(reply, "\r\n0\r\n"), *sum = end ? strstr(end, "X-End: ") : NULL;
    return by_trailer(ask, sum ? "7" : NULL, !end);
}

static enum outcome serve(svc_app *app)
{
    enum outcome outcome = WHOLE;
    for (size_t i = 0; i < ASKS; i++)
        outcome = worse(outcome, ask_socket(svc_app_address(app, 0), &asks[i]));
    svc_app_stop(app);
    if (svc_app_wait(app))
        abort();
    return outcome;
}

/* The start may meet the failure where it cannot tell it from another: of the system, or of a hook.
 */
static enum outcome try_service(void)
{
    svc_app *app;
    enum outcome outcome = make_app(&app);
    if (outcome == WHOLE) {
        int error = svc_app_start(app);
        bool hidden = error == SVC_ESYSTEM || error == SVC_ESTART;
        outcome = hidden ? FAILED : by_code("start", error);
        outcome = error ? outcome : worse(outcome, serve(app));
    }
    svc_app_free(app);
    return outcome;
}

/* ---- Spans: a request is answered without those for which there is no memory */

static unsigned spans_taken, spans_lost;

static void take_span(void *arg, svc_sys_span *span)
{
    (void)arg;
    spans_taken++;
    svc_sys_span_free(span);
}

static void lose_span(void *arg)
{
    (void)arg;
    spans_lost++;
}

static int make_spans(svc_request *req, svc_response *res)
{
    static char text[5000];
    memset(text, 'x', sizeof text - 1);
    svc_span_set(svc_request_span(req), svc_kv_str("large", text));
    svc_span *span = svc_span_begin(req, NULL, SVC_SPAN_CLIENT, "call");
    svc_span_set(span, svc_kv_str("large", text), svc_kv_str("larger", text));
    svc_span_link(span, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    (void)svc_span_traceparent(req, span);
    svc_span_end(span);
    return svc_response_empty(res, 204);
}

static enum outcome try_spans(void)
{
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = 0;
    svc_sys_exporter exporter = SVC_SYS_EXPORTER_INIT;
    exporter.take = take_span;
    exporter.lose = lose_span;
    spans_taken = spans_lost = 0;
    svc_app *app = svc_app_new("spans");
    svc_app_configure(app, &config);
    void *memory = svc_sys_app_alloc(app, 100000);
    svc_sys_app_set_exporter(app, &exporter);
    svc_app_get(app, "/", make_spans, NULL);
    svc_test test = SVC_TEST_INIT;
    test.target = "/";
    svc_reply *reply = svc_app_test(app, &test);
    int status = svc_reply_status(reply);
    enum outcome outcome = reply && memory && spans_taken == 2 ? WHOLE : FAILED;
    if (status == 204 && spans_taken < 2 && !spans_lost)
        outcome = wrong("spans neither taken nor lost", (int)spans_taken);
    svc_reply_free(reply);
    svc_app_free(app);
    return outcome;
}

/* ---- Events: a stream is whole, or its request or its events have failed */

static svc_topic *starved_topic;
static int events_error;

static int stream_events(svc_request *req, svc_response *res)
{
    svc_events *events = svc_response_events(res, NULL);
    events_error = svc_topic_listen(starved_topic, events, svc_request_last_event_id(req));
    if (!events_error)
        events_error = svc_events_send(events, "own", NULL, "a");
    svc_events_end(events);
    svc_events_unref(events);
    return events_error;
}

static enum outcome try_events(void)
{
    static const char whole[] = "retry: 3000\n\nevent: own\ndata: a\n\nid: 2\ndata: c\n\n";
    static const char *const headers[] = {"Last-Event-ID", "1", NULL};
    svc_app *app = svc_app_new("events");
    starved_topic = svc_topic_new(app, "starved", NULL);
    svc_app_get(app, "/", stream_events, NULL);
    events_error = 0;
    bool published = !svc_topic_publish(starved_topic, NULL, "1", "b") &&
                     !svc_topic_publish(starved_topic, NULL, "2", "c");
    svc_test test = SVC_TEST_INIT;
    test.headers = headers;
    svc_reply *reply = published ? svc_app_test(app, &test) : NULL;
    const char *body = svc_reply_body(reply, NULL);
    bool is_whole = svc_reply_outcome(reply) == SVC_COMPLETE && svc_reply_status(reply) == 200;
    enum outcome outcome = is_whole ? WHOLE : FAILED;
    if (is_whole && (events_error || strcmp(body, whole) != 0))
        outcome = wrong("a stream lacks events", events_error);
    if (svc_topic_listeners(starved_topic) != 0)
        outcome = wrong("listeners are left", (int)svc_topic_listeners(starved_topic));
    svc_reply_free(reply);
    svc_app_free(app);
    return outcome;
}

/* ---- The README's first program, which looks at no code */

int hello_main(void);

static char hello_path[64];
static atomic_bool hello_ended;

/* 0 when the program has ended before anybody could connect. */
static int connect_to_hello(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    strcpy(to.sun_path, hello_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    while (connect(fd, (struct sockaddr *)&to, sizeof to)) {
        if (atomic_load(&hello_ended)) {
            close(fd);
            return 0;
        }
        usleep(500);
    }
    return fd;
}

/* Asks once, then stops the program as an operator would. Its reply's status; 0: none came. */
static void *use_hello(void *status)
{
    static const char request[] = "GET /hello/ada HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    char reply[4096] = "";
    int fd = connect_to_hello();
    if (!fd)
        return NULL;
    (void)send(fd, request, sizeof request - 1, MSG_NOSIGNAL);
    if (recv(fd, reply, sizeof reply - 1, 0) > 0)
        *(int *)status = atoi(reply + strcspn(reply, " "));
    close(fd);
    kill(getpid(), SIGTERM);
    return NULL;
}

static enum outcome by_exit(int exit_status, int reply_status)
{
    if (exit_status != 0 && exit_status != 1)
        return wrong("the README's program ends", exit_status);
    if (exit_status == 0 && reply_status == 200)
        return WHOLE;
    bool failed = exit_status == 1 || !reply_status || reply_status == 500 || reply_status == 503;
    return failed ? FAILED : wrong("the README's program answers", reply_status);
}

/* ---- Stores */

/* By a code of a store, in which nothing was stored if an allocation has failed before. */
static enum outcome by_store(const char *what, int error)
{
    return error == SVC_ENOTFOUND ? FAILED : by_code(what, error);
}

static enum outcome use_store(svc_store *store)
{
    static const svc_rate_window window = {NULL, 10, 1, 10};
    static const svc_store_charge charge = {&window, 1, 1};
    svc_store_item items[20] = {{"a", 0, {0}}};
    svc_store_value value = {"text", 4, 0, NULL}, read = {0};
    svc_store_verdict verdict;
    for (size_t i = 0; i < 20; i++)
        items[i].key = "a";
    enum outcome outcome = by_store("set", svc_store_set(store, NULL, "a", &value, 0));
    outcome = worse(outcome, by_store("get", svc_store_get(store, NULL, "a", &read)));
    outcome = worse(outcome, by_store("many", svc_store_get_many(store, NULL, items, 20)));
    outcome = worse(outcome, by_store("add", svc_store_add(store, NULL, "b", &value, 0)));
    outcome =
        worse(outcome, by_store("limit", svc_store_limit(store, NULL, "c", &charge, &verdict)));
    for (size_t i = 0; i < 20; i++)
        svc_store_value_free(&items[i].value);
    svc_store_value_free(&read);
    return outcome;
}

static svc_store *asked;

static void answer_later(const svc_store_answer *answer, void *arg)
{
    svc_pending *pending = arg;
    svc_response *res = svc_response_new();
    bool good = answer->error == 0 || answer->error == SVC_ENOTFOUND;
    if (res && svc_response_text(res, good ? 200 : 503, "answered") == 0)
        (void)svc_pending_complete(pending, res);
    else
        svc_response_free(res);
    svc_pending_unref(pending);
}

static int ask_on_loop(svc_request *req, svc_response *res)
{
    svc_pending *pending = svc_request_defer(req, NULL, NULL);
    (void)res;
    int error = pending ? svc_store_get_then(asked, req, "a", answer_later, pending) : SVC_ENOMEM;
    if (error)
        svc_pending_unref(pending);
    return error;
}

/* A call whose memory fails has no answer, and each other one has. */
static enum outcome use_loop(svc_app *app)
{
    svc_reply *reply = svc_app_test_get(app, "/");
    int status = svc_reply_status(reply);
    svc_reply_free(reply);
    if (!reply || status == 500 || status == 503)
        return FAILED;
    return status == 200 ? WHOLE : wrong("a call on a loop gives", status);
}

static enum outcome try_store(void)
{
    svc_app *app = svc_app_new("store");
    svc_store *store = asked = svc_store_open(app, "memory:?bytes=1000000&max_value=1000");
    int error = svc_app_get(app, "/", ask_on_loop, NULL);
    enum outcome outcome = store && !error && svc_test_store(app) ? use_store(store) : FAILED;
    if (store && !error)
        outcome = worse(outcome, use_loop(app));
    svc_app_free(app);
    return outcome;
}

/* ---- Memos: a value that cannot be kept is given all the same */

static svc_memo *tried_memo;

static int load_text(svc_memo_load *load, const char *key, void *arg)
{
    (void)arg;
    if (*key == 'n')
        return SVC_ENOTFOUND;
    svc_memo_load_value(load, "first", 5);
    return svc_memo_load_value(load, key, strlen(key));
}

static void answer_value(const svc_store_answer *answer, void *pending)
{
    svc_response *res = svc_response_new();
    if (answer->error)
        svc_response_problem(res, answer->error == SVC_ENOMEM ? 500 : 502, NULL);
    else
        svc_response_copy(res, 200, NULL, answer->value.data, answer->value.len);
    svc_pending_complete(pending, res);
    svc_pending_unref(pending);
}

static int get_then(svc_request *req, svc_response *res)
{
    svc_pending *pending = svc_request_defer(req, NULL, NULL);
    int error = svc_memo_get_then(tried_memo, req, "b", load_text, NULL, answer_value, pending);
    (void)res;
    if (error)
        svc_pending_unref(pending);
    return error;
}

static int get_and_wait(svc_request *req, svc_response *res)
{
    svc_store_value value;
    int error = svc_memo_get(tried_memo, req, "c", load_text, NULL, &value);
    return error ? error : svc_response_copy(res, 200, NULL, value.data, value.len);
}

static enum outcome get_key(const char *key, int wanted)
{
    svc_store_value value = {0};
    int error = svc_memo_get(tried_memo, NULL, key, load_text, NULL, &value);
    svc_store_value_free(&value);
    return error == wanted ? WHOLE : by_code("memo", error ? error : 1);
}

static enum outcome ask_memo(svc_app *app, const char *target)
{
    svc_reply *reply = svc_app_test_get(app, target);
    int status = svc_reply_status(reply);
    svc_reply_free(reply);
    if (status == 200)
        return WHOLE;
    /* A call for which no function can be posted ends at its deadline. */
    bool failed = !reply || status == 500 || status == 502 || status == 503;
    return failed ? FAILED : wrong(target, status);
}

static enum outcome use_memo(svc_app *app)
{
    enum outcome outcome = get_key("a", 0);
    outcome = worse(outcome, get_key("a", 0));
    outcome = worse(outcome, get_key("none", SVC_ENOTFOUND));
    outcome = worse(outcome, by_code("forget", svc_memo_forget(tried_memo, NULL, "a")));
    for (int i = 0; i < 2; i++) {
        outcome = worse(outcome, ask_memo(app, "/then"));
        outcome = worse(outcome, ask_memo(app, "/wait"));
    }
    return outcome;
}

static enum outcome try_memo(void)
{
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = 0;
    svc_memo_options options = SVC_MEMO_OPTIONS_INIT;
    options.name = "memo";
    options.wait_ms = 5000;
    svc_app *app = svc_app_new("memo");
    svc_app_configure(app, &config);
    svc_store *store = svc_store_open(app, "memory:?bytes=1000000&max_value=1000");
    tried_memo = svc_memo_new(app, store, &options);
    svc_app_get(app, "/then", get_then, NULL);
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "GET /wait";
    route.handler = get_and_wait;
    route.flags = SVC_BLOCKING;
    svc_app_route(app, &route);
    enum outcome outcome = store && svc_test_store(app) && tried_memo ? use_memo(app) : FAILED;
    svc_app_free(app);
    return outcome;
}

/* ---- Forms with files */

static int take_form(svc_request *req, svc_response *res)
{
    svc_multipart_options options = SVC_MULTIPART_OPTIONS_INIT;
    options.folder = "/tmp";
    svc_multipart *form = svc_request_multipart(req, &options);
    int error = svc_multipart_collect(form);
    if (error)
        return error;
    bool whole = svc_form_value(svc_multipart_form(form), "a") &&
                 svc_upload_size(svc_multipart_upload(form, "f", 0)) == 1;
    return svc_response_text(res, whole ? 200 : 400, "taken");
}

static enum outcome send_form(svc_app *app, const char *target)
{
    static const char *const headers[] = {"Content-Type", "multipart/form-data; boundary=x", NULL};
    static const char body[] = "--x\r\nContent-Disposition: form-data; name=a\r\n\r\nA\r\n"
                               "--x\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\nF"
                               "\r\n--x--";
    svc_test test = SVC_TEST_INIT;
    test.method = "POST";
    test.target = target;
    test.headers = headers;
    test.body = body;
    test.body_len = sizeof body - 1;
    svc_reply *reply = svc_app_test(app, &test);
    int status = svc_reply_status(reply);
    svc_reply_free(reply);
    if (status == 200)
        return WHOLE;
    return !reply || status == 500 || status == 503 ? FAILED : wrong(target, status);
}

static enum outcome try_form(void)
{
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = 0;
    svc_app *app = svc_app_new("form");
    svc_app_configure(app, &config);
    svc_route route = SVC_ROUTE_INIT;
    route.handler = take_form;
    route.pattern = "POST /whole";
    route.flags = SVC_BLOCKING;
    svc_app_route(app, &route);
    route.pattern = "POST /stream";
    route.flags = SVC_BLOCKING | SVC_STREAM_BODY;
    svc_app_route(app, &route);
    enum outcome outcome = send_form(app, "/whole");
    outcome = worse(outcome, send_form(app, "/stream"));
    svc_app_free(app);
    return outcome;
}

static enum outcome try_hello(void)
{
    pthread_t user;
    int reply_status = 0;
    atomic_store(&hello_ended, false);
    if (pthread_create(&user, NULL, use_hello, &reply_status))
        abort();
    int exit_status = hello_main();
    atomic_store(&hello_ended, true);
    pthread_join(user, NULL);
    return by_exit(exit_status, reply_status);
}

static void prepare_hello(void)
{
    char listen[80];
    snprintf(hello_path, sizeof hello_path, "/tmp/svc-alloc-%ld", (long)getpid());
    snprintf(listen, sizeof listen, "unix:%s", hello_path);
    setenv("SVC_LISTEN", listen, 1);
    setenv("SVC_ADMIN_LISTEN", "127.0.0.1:0", 1);
    setenv("SVC_THREADS", "1", 1);
    setenv("SVC_LOG_OUTPUT", "/dev/null", 1);
    setenv("SVC_DRAIN_DELAY_MS", "0", 1);
    signal(SIGTERM, SIG_IGN); /* what comes when it has ended already */
}

/* ---- Each of them, again and again */

struct attempt {
    const char *name;
    enum outcome (*run)(void);
    bool does_without; /* some failures may be got over */
};

static bool survive(const struct attempt *attempt)
{
    int without = 0;
    for (int n = 0; n < MAX_ALLOCATIONS; n++) {
        starve_after(n);
        enum outcome outcome = attempt->run();
        bool reached = starve_end();
        if (!reached) {
            printf("%s: %d allocations, %d done without, %s\n", attempt->name, n, without,
                   outcome == WHOLE ? "ok" : "FAILED without a failure");
            return outcome == WHOLE && n > 0;
        }
        without += outcome == WHOLE;
        if (outcome == WRONG || (outcome == WHOLE && !attempt->does_without)) {
            printf("%s: WRONG where allocation %d fails\n", attempt->name, n);
            return false;
        }
    }
    return false;
}

int main(void)
{
    static const struct attempt attempts[] = {
        {"arena", try_arena, false},    {"buf", try_buf, false},
        {"metrics", try_metrics, true}, {"sink", try_sink, false},
        {"pipe", try_pipe, true},       {"queue", try_queue, false},
        {"tree", try_tree, false},      {"settings", try_settings, false},
        {"app", try_app, true},         {"service", try_service, true},
        {"spans", try_spans, true},     {"store", try_store, true},
        {"memo", try_memo, true},       {"form", try_form, true},
        {"events", try_events, true},   {"hello", try_hello, true},
    };
    setvbuf(stdout, NULL, _IOLBF, 0); /* who has written nothing for long is taken to hang */
    json_set_alloc_funcs(starve_malloc, free);
    setenv("ALLOC_LOG_OUTPUT", "/dev/null", 1);
    prepare_settings();
    prepare_hello();
    bool done = matching_allocates_nothing();
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
        done = survive(&attempts[i]) && done;
    unlink(env_path);
    unlink(hello_path);
    return done ? 0 : 1;
}
