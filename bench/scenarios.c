/*
 * Fixed requests through dispatch, without a socket, in the order of an event loop's calls.
 * bench/instructions counts them under callgrind.
 *
 *     scenarios NAME COUNT
 */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <svc.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/app/stalls.h"
#include "libsvc/dispatch/dispatch.h"
#include "libsvc/exchange/exchange.h"
#include "libsvc/metrics/metric.h"
#include "libsvc/run/reactor.h"

#define FIELD(name, value)                                                                         \
    {                                                                                              \
        {(name), sizeof(name) - 1},                                                                \
        {                                                                                          \
            (value), sizeof(value) - 1                                                             \
        }                                                                                          \
    }

/* The fields of a browser. */
static const struct field browser[] = {
    FIELD("Host", "localhost:8080"),
    FIELD("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    FIELD("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    FIELD("Accept-Language", "en-US,en;q=0.5"),
    FIELD("Accept-Encoding", "gzip, deflate, br, zstd"),
    FIELD("Connection", "keep-alive"),
    FIELD("Cookie", "session=0123456789abcdef0123456789abcdef; theme=dark"),
    FIELD("Cache-Control", "max-age=0"),
};

/* The same, of a visit that is no reload. */
static const struct field browser_now[] = {
    FIELD("Host", "localhost:8080"),
    FIELD("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    FIELD("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    FIELD("Accept-Language", "en-US,en;q=0.5"),
    FIELD("Accept-Encoding", "gzip, deflate, br, zstd"),
    FIELD("Connection", "keep-alive"),
    FIELD("Cookie", "session=0123456789abcdef0123456789abcdef; theme=dark"),
};

static const struct field plain[] = {FIELD("Host", "localhost:8080")};

static const char document[] = "{\"title\":\"a title\",\"text\":\"a text of some length\"}";
static const struct field json[] = {FIELD("Host", "localhost:8080"),
                                    FIELD("Content-Type", "application/json"),
                                    FIELD("Content-Length", "48")};

enum {
    BARE = 1,    /* without the default stack */
    LIMITED = 2, /* with a concurrency limit */
    LATE = 4,    /* after the longest wait for the loop, so that it is refused */
    CACHED = 8   /* from a response cache, but for the first */
};

struct scenario {
    const char *name, *method, *target;
    const struct field *fields;
    size_t count;
    const char *body;
    int status;
    unsigned how;
};

#define FIELDS(list) (list), sizeof(list) / sizeof *(list)

static const struct scenario scenarios[] = {
    {"fixed", "GET", "/", FIELDS(plain), NULL, 200, BARE},
    {"fixed_browser", "GET", "/", FIELDS(browser), NULL, 200, BARE},
    {"default_stack", "GET", "/", FIELDS(plain), NULL, 200, 0},
    {"default_stack_browser", "GET", "/", FIELDS(browser), NULL, 200, 0},
    {"hello", "GET", "/hello/world", FIELDS(browser), NULL, 200, 0},
    {"query", "GET", "/query?a=1&b=two+words&c=%C3%BC&page=7", FIELDS(plain), NULL, 200, BARE},
    {"post_json", "POST", "/json", FIELDS(json), document, 200, 0},
    {"not_found", "GET", "/nothing/here", FIELDS(plain), NULL, 404, 0},
    {"wrong_method", "DELETE", "/", FIELDS(plain), NULL, 405, 0},
    {"redirect", "GET", "//a/../", FIELDS(plain), NULL, 308, BARE},
    {"limited", "GET", "/", FIELDS(plain), NULL, 200, BARE | LIMITED},
    {"fixed_there", "GET", "/static", FIELDS(plain), NULL, 200, BARE},
    {"cached", "GET", "/cached", FIELDS(plain), NULL, 200, BARE | CACHED},
    {"uncached", "GET", "/cached", FIELDS(plain), NULL, 200, BARE},
    {"cached_browser", "GET", "/cached", FIELDS(browser_now), NULL, 200, BARE | CACHED},
    {"shed", "GET", "/", FIELDS(plain), NULL, 503, BARE | LIMITED | LATE},
};

static int fixed(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_static(res, 200, "text/plain", "Hello, World!", 13);
}

static int cacheable(svc_request *req, svc_response *res)
{
    int error = svc_response_set_header(res, "Cache-Control", "max-age=3600");
    return error ? error : fixed(req, res);
}

static int hello(svc_request *req, svc_response *res)
{
    return svc_response_json(res, 200, "{s:s}", "hello", svc_request_param(req, "name"));
}

static int query(svc_request *req, svc_response *res)
{
    return svc_response_text(res, 200, svc_request_query(req, "page"));
}

static int post(svc_request *req, svc_response *res)
{
    json_t *body = svc_request_json(req, res);
    return body ? svc_response_text(res, 200, json_string_value(json_object_get(body, "title")))
                : 0;
}

static const struct scenario *find(const char *name)
{
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
        if (!strcmp(scenarios[i].name, name))
            return &scenarios[i];
    return NULL;
}

static void add_limit(svc_app *app)
{
    svc_concurrency limit = SVC_CONCURRENCY_INIT;
    limit.limit = 20;
    limit.adaptive = true;
    limit.max_queue_ms = 100;
    svc_app_use(app, svc_concurrency_new(app, &limit));
}

static void add_cache(svc_app *app)
{
    svc_response_cache_options options = SVC_RESPONSE_CACHE_OPTIONS_INIT;
    options.max_waiting = 0; /* the loop does not turn */
    svc_app_use(app, svc_response_cache_layer(svc_response_cache_new(app, &options)));
}

static svc_app *make_app(const struct scenario *scenario)
{
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = config.request_id = config.trace_context = config.metrics =
        !(scenario->how & BARE);
    svc_app *app = svc_app_new("scenarios");
    svc_app_configure(app, &config);
    if (scenario->how & LIMITED)
        add_limit(app);
    if (scenario->how & CACHED)
        add_cache(app);
    svc_app_get(app, "/{$}", fixed, NULL);
    svc_app_get(app, "/cached", cacheable, NULL);
    svc_app_get(app, "/static", fixed, NULL); /* a path as long as that */
    svc_app_delete(app, "/item", fixed, NULL);
    svc_app_get(app, "/hello/{name}", hello, NULL);
    svc_app_get(app, "/query", query, NULL);
    svc_app_post(app, "/json", post, NULL);
    return svc__app_ready(app) ? NULL : app;
}

static struct peer client = {.text = "192.0.2.1"};
static struct transport transport = {.scheme = "http", .peer = &client};

/* The function that callgrind counts: one request, from its target to the end of its arena. */
int scenario_serve(const struct scenario *scenario, svc_app *app, struct exchange_host *host);
__attribute__((noinline)) int scenario_serve(const struct scenario *scenario, svc_app *app,
                                             struct exchange_host *host)
{
    struct exchange *x =
        svc__dispatch_new(app->plan, host, &transport, svc__bytes_z(scenario->target));
    struct head head = {svc__bytes_z(scenario->method),
                        svc__bytes_z(scenario->target),
                        1,
                        scenario->fields,
                        scenario->count,
                        512};
    svc__dispatch_head(x, &head);
    if (svc__dispatch_run(x) == EXCHANGE_BODY) {
        svc__dispatch_body(x, scenario->body, strlen(scenario->body));
        svc__dispatch_body_end(x);
    }
    int status = x->response.status;
    svc__dispatch_done(x, SVC_COMPLETE, svc__exchange_reply_length(x));
    svc__exchange_unref(x);
    return status;
}

static int run(const struct scenario *scenario, svc_app *app, unsigned long count)
{
    int nowhere = open("/dev/null", O_WRONLY);
    svc__logger_open(&app->logger, &app->config, nowhere, 1);
    struct arena_cache arenas;
    svc__arena_cache_init(&arenas, 16);
    static struct svc_loop loop; /* it never turns, but its watchdog works */
    svc__stalls_watch(app, &loop.watchdog);
    struct log log;
    svc__log_init(&log, &app->logger);
    struct exchange_host host = {.arenas = &arenas, .log = &log, .loop = &loop};
    svc__buf_init(&host.scratch, 1 << 20);
    host.turn_ns = scenario->how & LATE ? 1 : 0;
    host.turn_first_ns = 1;
    int wrong = 0;
    for (unsigned long i = 0; i < count; i++)
        wrong += scenario_serve(scenario, app, &host) != scenario->status;
    svc__buf_free(&host.scratch);
    svc__arena_cache_free(&arenas);
    svc__log_free(&log);
    svc__logger_close(&app->logger, 1000);
    close(nowhere);
    return wrong;
}

int main(int argc, char **argv)
{
    if (argc == 1)
        for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
            puts(scenarios[i].name);
    if (argc != 3)
        return argc != 1;
    const struct scenario *scenario = find(argv[1]);
    svc_app *app = scenario ? make_app(scenario) : NULL;
    if (!app)
        return 2;
    int wrong = run(scenario, app, strtoul(argv[2], NULL, 10));
    if (wrong)
        fprintf(stderr, "%s: %d answers have another status\n", scenario->name, wrong);
    svc_app_free(app);
    return wrong > 0;
}
