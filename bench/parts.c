/*
 * Single parts of a request, in nanoseconds: the router, the head, the query, a log line, a metric,
 * a binding. All parts run in turns; the result is the median of a part's turns.
 *
 *     parts ROUTES-FILE [PART]
 */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/part.h"
#include "libsvc/app/app_internal.h"
#include "libsvc/bind/bind_json.h"
#include "libsvc/dispatch/dispatch.h"
#include "libsvc/exchange/exchange.h"
#include "libsvc/metrics/metric.h"
#include "libsvc/mw/stack.h"
#include "libsvc/proto/head.h"
#include "libsvc/proto/query.h"
#include "libsvc/route/pattern.h"
#include "libsvc/route/plant.h"
#include "libsvc/run/reactor.h"

enum { SEQUENCE = 1 << 16, MAX_TEXT = 256 };

static uint64_t next_number(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

/* ---- Routers */

struct request {
    struct bytes method, path;
};

struct router {
    struct arena arena;
    const struct pattern **patterns;
    struct request *requests;
    size_t count;
    struct tree *tree;
    uint32_t *sequence; /* SEQUENCE indices of requests; NULL: all in turn */
    size_t hot;         /* the number of requests that are used; 0: all */
};

/* Makes the request "/users/user/repos" from "/users/{user}/repos". */
static struct bytes fill_in(struct arena *arena, const char *path)
{
    char text[MAX_TEXT];
    size_t len = 0;
    for (; *path; path++)
        if (!strchr("{}", *path))
            text[len++] = *path;
    return svc__arena_copy(arena, svc__bytes(text, len));
}

static void add_route(struct router *router, const char *text)
{
    struct pattern *pattern = svc__arena_alloc(&router->arena, sizeof *pattern);
    struct buf why;
    svc__buf_init(&why, 1024);
    if (svc__pattern_parse(&router->arena, text, "bench", 1, pattern, &why))
        exit(1);
    const char *path = strchr(text, '/');
    router->patterns[router->count] = pattern;
    router->requests[router->count].method = pattern->method;
    router->requests[router->count++].path = fill_in(&router->arena, path);
}

static void open_router(struct router *router, size_t space)
{
    svc__arena_init(&router->arena, NULL, (size_t)1 << 30);
    router->patterns = calloc(space, sizeof *router->patterns);
    router->requests = calloc(space, sizeof *router->requests);
}

static void read_routes(struct router *router, const char *file)
{
    char line[MAX_TEXT];
    FILE *in = fopen(file, "r");
    open_router(router, 1000);
    while (in && fgets(line, sizeof line, in)) {
        line[strcspn(line, "\n")] = '\0';
        if (*line)
            add_route(router, line);
    }
    if (in)
        fclose(in);
}

static void make_routes(struct router *router, size_t count)
{
    open_router(router, count);
    for (size_t i = 0; i < count; i++) {
        char text[MAX_TEXT];
        snprintf(text, sizeof text, "GET /group%zu/resource%zu/{id}/part", i / 100, i % 100);
        add_route(router, text);
    }
}

/* The hot requests are spread over all. */
static void make_sequence(struct router *router, size_t hot)
{
    uint64_t state = 42;
    router->sequence = calloc(SEQUENCE, sizeof *router->sequence);
    for (size_t i = 0; i < SEQUENCE; i++)
        router->sequence[i] = (uint32_t)(next_number(&state) % hot * (router->count / hot));
}

static size_t route_all(void *arg, size_t times)
{
    const struct router *router = arg;
    struct match match; /* here, since some builds clear automatic memory at each use */
    size_t found = 0;
    for (size_t i = 0; i < times; i++) {
        size_t index = router->sequence ? router->sequence[i % SEQUENCE] : i % router->count;
        const struct request *request = &router->requests[index];
        found += svc__tree_match(router->tree, request->method, svc__bytes_z("example.org"),
                                 request->path, &match) == MATCH_FOUND;
    }
    return found == times ? found : 0;
}

/* ---- Other parts */

#define FIELD(name, value)                                                                         \
    {                                                                                              \
        {(name), sizeof(name) - 1},                                                                \
        {                                                                                          \
            (value), sizeof(value) - 1                                                             \
        }                                                                                          \
    }

static const struct field fields[] = {
    FIELD("Host", "localhost:8080"),
    FIELD("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    FIELD("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    FIELD("Accept-Language", "en-US,en;q=0.5"),
    FIELD("Accept-Encoding", "gzip, deflate, br, zstd"),
    FIELD("Connection", "keep-alive"),
    FIELD("Cookie", "session=0123456789abcdef0123456789abcdef; theme=dark"),
};

static size_t check_heads(void *arg, size_t times)
{
    (void)arg;
    const struct head head = {svc__bytes_z("GET"),
                              svc__bytes_z("/hello"),
                              1,
                              fields,
                              sizeof fields / sizeof *fields,
                              400};
    const struct head_limits limits = {8000, 8192, 100};
    size_t good = 0;
    for (size_t i = 0; i < times; i++) {
        struct framing framing;
        const char *reason;
        struct fields read;
        svc__fields_read(&read, head.fields, head.count);
        good += svc__head_check(&head, &read, &limits, &framing, &reason) == 0;
    }
    return good;
}

static size_t parse_queries(void *arg, size_t times)
{
    struct bytes query =
        svc__bytes_z("name=ada+lovelace&city=M%C3%BCnchen&page=7&size=50&sort=-date");
    size_t params = 0;
    for (size_t i = 0; i < times; i++) {
        struct param *list;
        size_t count = 0;
        svc__arena_reset(arg);
        svc__query_parse(arg, query, query.len, &list, &count);
        params += count;
    }
    return params;
}

static size_t write_strings(void *arg, size_t times)
{
    struct bytes text = svc__bytes_z("/hello/a/path/of/ordinary/length?with=nothing%20special");
    for (size_t i = 0; i < times; i++) {
        svc__buf_clear(arg);
        svc__buf_json_string(arg, text);
    }
    return ((struct buf *)arg)->len;
}

/* Several in turn, as a request counts in several: else each addition waits for the one before. */
enum { COUNTED = 8 };

struct counting {
    uint64_t *numbers[COUNTED];
    svc_counter *counters[COUNTED];
    svc_histogram *histograms[COUNTED];
};

static void open_counting(struct counting *counting)
{
    static uint64_t numbers[COUNTED];
    struct metrics *metrics = svc__metrics_new();
    svc_counter_family *counters = svc__metric_counters(metrics, "a_total", "Help.", "number");
    svc_histogram_family *histograms =
        svc__metric_histograms(metrics, "b_seconds", "Help.", "number", NULL, 0);
    for (size_t i = 0; i < COUNTED; i++) {
        const char *number = (const char[]){(char)('0' + i), '\0'};
        counting->numbers[i] = &numbers[i];
        counting->counters[i] = svc_counter_of(counters, 1, &number);
        counting->histograms[i] = svc_histogram_of(histograms, 1, &number);
    }
}

static size_t add_to_memory(void *arg, size_t times)
{
    const struct counting *counting = arg;
    for (size_t i = 0; i < times; i++) {
        volatile uint64_t *number = counting->numbers[i % COUNTED];
        *number = *number + 1;
    }
    return times;
}

static size_t add_to_counter(void *arg, size_t times)
{
    const struct counting *counting = arg;
    for (size_t i = 0; i < times; i++)
        svc__counter_add(counting->counters[i % COUNTED], 1);
    return times;
}

/* Those of similar requests one after the other, from no time to 17 ms. */
static size_t observe_similar(void *arg, size_t times)
{
    const struct counting *counting = arg;
    for (size_t i = 0; i < times; i++)
        svc__histogram_observe(counting->histograms[i % COUNTED], (double)(i & 0xffffff) * 1e-9);
    return times;
}

/* The same in an order that no processor can predict well. */
static size_t observe_mixed(void *arg, size_t times)
{
    const struct counting *counting = arg;
    for (size_t i = 0; i < times; i++)
        svc__histogram_observe(counting->histograms[i % COUNTED],
                               (double)(i * 8191 & 0xffffff) * 1e-9);
    return times;
}

/* A request that has ended except for its log line. */
struct logging {
    struct exchange_host host;
    struct log log;
    struct svc_loop loop;
    struct exchange *x;
    const svc_middleware *access_log;
};

static int hello(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_static(res, 200, "text/plain", "hello", 5);
}

static void open_log(struct logging *logging)
{
    static struct peer client = {.text = "192.0.2.1"};
    static struct transport transport = {.scheme = "http", .peer = &client};
    svc_app *app = svc_app_new("bench");
    svc_config config = SVC_CONFIG_INIT;
    config.access_log = config.metrics = config.request_id = 0;
    svc_app_configure(app, &config);
    svc_app_get(app, "/hello/{name}", hello, NULL);
    if (svc__app_ready(app) ||
        svc__logger_open(&app->logger, &app->config, open("/dev/null", O_WRONLY), 1))
        exit(1);
    logging->access_log = svc__access_log_make(app);
    logging->host.loop = &logging->loop;
    svc__log_init(&logging->log, &app->logger);
    logging->host.log = &logging->log;
    svc__buf_init(&logging->host.scratch, 65536);
    struct head head = {svc__bytes_z("GET"),
                        svc__bytes_z("/hello/world"),
                        1,
                        fields,
                        sizeof fields / sizeof *fields,
                        400};
    logging->x = svc__dispatch_new(app->plan, &logging->host, &transport, head.target_raw);
    svc__dispatch_head(logging->x, &head);
    svc__dispatch_run(logging->x);
    logging->x->request.id = "0123456789abcdef0123456789abcdef";
}

static size_t log_lines(void *arg, size_t times)
{
    const struct logging *logging = arg;
    const svc_layer layer = {.arg = logging->access_log->arg};
    const svc_done done = {.duration_ns = 123456, .outcome = SVC_COMPLETE, .bytes_out = 5};
    struct exchange *x = logging->x;
    for (size_t i = 0; i < times; i++)
        logging->access_log->on_done(&x->request, &x->response, &layer, &done);
    return times;
}

/* The same document as in bench/micro.go. */
struct note {
    const char *title, *text;
    int64_t priority;
    bool done;
    const char **tags;
    size_t tag_count;
};

static const svc_field note_fields[] = {
    SVC_FIELD_TEXT(struct note, title, .required = true, .min_length = 1, .max_length = 200),
    SVC_FIELD_TEXT(struct note, text, .required = true, .max_length = 10000),
    SVC_FIELD_INT64(struct note, priority, .min = 1, .max = 5, .fallback = 3),
    SVC_FIELD_BOOL(struct note, done),
    SVC_FIELD_TEXTS(struct note, tags, tag_count, .max_count = 10, .max_length = 40),
    SVC_FIELD_END,
};

static const char note_text[] =
    "{\"title\":\"Shopping for the weekend\",\"text\":\"Milk, bread, two apples and a newspaper; "
    "ask about the bicycle\",\"priority\":4,\"done\":false,\"tags\":[\"home\",\"errands\"]}";

struct binder {
    const svc_schema *schema;
    struct arena arena;
    json_t *parsed;
};

static void open_binder(struct binder *binder, struct arena_cache *chunks)
{
    svc_app *app = svc_app_new("bench");
    binder->schema = svc_schema_new(app, note_fields, sizeof(struct note), 0);
    binder->parsed = json_loads(note_text, JSON_REJECT_DUPLICATES, NULL);
    svc__arena_init(&binder->arena, chunks, 1 << 20);
    if (!binder->schema || !binder->parsed)
        exit(1);
}

static bool bind_note(struct binder *binder, json_t *json)
{
    struct binding b;
    struct note note;
    svc__arena_reset(&binder->arena);
    if (svc__binding_begin(&b, binder->schema, &binder->arena))
        return false;
    svc__bind_json(&b, json);
    return svc__binding_end(&b, &note) && note.tag_count == 2;
}

static size_t bind_parsed(void *arg, size_t times)
{
    struct binder *binder = arg;
    size_t good = 0;
    for (size_t i = 0; i < times; i++)
        good += bind_note(binder, binder->parsed);
    return good == times ? good : 0;
}

static size_t bind_texts(void *arg, size_t times)
{
    size_t good = 0;
    for (size_t i = 0; i < times; i++) {
        size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
        json_t *json = json_loadb(note_text, sizeof note_text - 1, flags, NULL);
        good += bind_note(arg, json);
        json_decref(json);
    }
    return good == times ? good : 0;
}

/* ---- The run */

int main(int argc, char **argv)
{
    static struct router github, ten, thousand, thousands, hot;
    if (argc < 2)
        return 2;
    read_routes(&github, argv[1]);
    make_routes(&ten, 10);
    make_routes(&thousand, 1000);
    make_routes(&thousands, 10000);
    make_routes(&hot, 10000);
    struct router *routers[] = {&github, &ten, &thousand, &thousands, &hot};
    for (size_t i = 0; i < sizeof routers / sizeof *routers; i++)
        routers[i]->tree = svc__plant_tree(routers[i]->patterns, routers[i]->count);
    make_sequence(&ten, 10);
    make_sequence(&thousand, 1000);
    make_sequence(&thousands, 10000);
    make_sequence(&hot, 100);
    static struct logging logging;
    static struct arena_cache chunks;
    static struct arena arena;
    static struct buf buf;
    static struct binder binder;
    svc__arena_cache_init(&chunks, 4);
    svc__arena_init(&arena, &chunks, 1 << 20);
    svc__buf_init(&buf, 1 << 16);
    static struct counting counting;
    static struct part parts[] = {
        {"route_github", route_all, &github, {0}},
        {"route_10", route_all, &ten, {0}},
        {"route_1000_random", route_all, &thousand, {0}},
        {"route_10000_hot", route_all, &hot, {0}},
        {"route_10000_random", route_all, &thousands, {0}},
        {"head_7_fields", check_heads, NULL, {0}},
        {"query_5", parse_queries, &arena, {0}},
        {"json_string_55", write_strings, &buf, {0}},
        {"log_line", log_lines, &logging, {0}},
        {"bind_note", bind_texts, &binder, {0}},
        {"bind_note_parsed", bind_parsed, &binder, {0}},
        {"memory_add", add_to_memory, &counting, {0}},
        {"counter_add_inline", add_to_counter, &counting, {0}},
        {"observe_inline", observe_similar, &counting, {0}},
        {"observe_mixed_inline", observe_mixed, &counting, {0}},
    };
    enum { PARTS = sizeof parts / sizeof *parts };
    open_counting(&counting);
    open_log(&logging);
    open_binder(&binder, &chunks);
    part_run_all(parts, PARTS, argv[2]);
    return 0;
}
