/*
 * Every constructor and every path of a request survives its n-th allocation failing, for n from
 * the first to the last: it fails with its code, or does without, and leaks nothing (the sanitizer
 * build sees leaks). The linker sends the library's allocations here, and jansson is told to come
 * here too.
 */
#include <arpa/inet.h>
#include <jansson.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <svc.h>

#include "libsvc/base/arena.h"
#include "libsvc/base/metric.h"
#include "libsvc/base/sink.h"
#include "libsvc/route/tree.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);

enum { NEVER = 1 << 30, MAX_ALLOCATIONS = 100000 };

static atomic_int left = NEVER; /* allocations until the one that fails */

static bool fails(void)
{
    return atomic_fetch_sub(&left, 1) == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

static bool try_arena(void)
{
    struct arena_cache cache;
    struct arena arena;
    svc__arena_cache_init(&cache, 4);
    svc__arena_init(&arena, &cache, SIZE_MAX);
    bool done = true;
    for (size_t size = 1; size < 20000; size *= 3)
        done = svc__arena_alloc(&arena, size) && done;
    done = svc__arena_strndup(&arena, "text", 4) && done;
    svc__arena_reset(&arena);
    svc__arena_cache_free(&cache);
    return done;
}

static bool try_buf(void)
{
    struct buf buf;
    svc__buf_init(&buf, 100000);
    for (int i = 0; i < 1000; i++)
        svc__buf_printf(&buf, "%d,", i);
    svc__buf_json_string(&buf, svc__bytes_z("a \"text\""));
    bool done = !svc__buf_error(&buf);
    svc__buf_free(&buf);
    return done;
}

static bool try_metrics(void)
{
    static const uint64_t bounds[] = {1, 2, 3};
    struct metrics *metrics = svc__metrics_new();
    if (!metrics)
        return false;
    bool done = svc__metric_counter(metrics, "a_total", "A.") >= 0;
    done = svc__metric_histogram(metrics, "b", "B.", bounds, 3, 1) >= 0 && done;
    struct metric_cells *cells = svc__metric_cells_new(metrics);
    done = cells && done;
    struct buf text;
    svc__buf_init(&text, 10000);
    svc__metrics_dump(metrics, &text);
    done = !svc__buf_error(&text) && done;
    svc__buf_free(&text);
    svc__metric_cells_release(metrics, cells);
    svc__metrics_free(metrics);
    return done;
}

static bool try_sink(void)
{
    struct sink *sink = svc__sink_open(STDERR_FILENO, 0, 2);
    bool done = sink && svc__sink_ring(sink);
    svc__sink_close(sink, 1000);
    return done;
}

static bool try_tree(void)
{
    static const char *const texts[] = {"GET /a/{b}", "/c/{d...}", "PUT host/{$}", "GET /e/f/g"};
    enum { COUNT = sizeof texts / sizeof *texts };
    struct arena arena;
    struct buf why;
    struct pattern patterns[COUNT];
    const struct pattern *list[COUNT];
    svc__arena_init(&arena, NULL, SIZE_MAX);
    svc__buf_init(&why, 1000);
    bool done = true;
    for (size_t i = 0; i < COUNT && done; i++) {
        list[i] = &patterns[i];
        done = !svc__pattern_parse(&arena, texts[i], "file", 1, &patterns[i], &why);
    }
    struct tree *tree = done ? svc__tree_build(list, COUNT) : NULL;
    done = tree != NULL;
    svc__tree_free(tree);
    svc__buf_free(&why);
    svc__arena_reset(&arena);
    return done;
}

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

static int pass(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)layer;
    svc_response_set_header(res, "X-Id", svc_request_id(req));
    return SVC_PASS;
}

static int fine(void *arg)
{
    (void)arg;
    return 0;
}

static svc_app *make_app(void)
{
    static const svc_middleware layer = {
        .size = sizeof layer, .name = "layer", .state_size = 40, .on_request = pass};
    svc_app *app = svc_app_new("alloc");
    if (!app)
        return NULL;
    svc_config config = SVC_CONFIG_INIT;
    config.listen = "127.0.0.1:0";
    config.admin_listen = "127.0.0.1:0";
    config.log_output = "/dev/null";
    config.threads = 2;
    config.drain_delay_ms = 0;
    svc_group *group = svc_app_group(app, "/v1");
    bool made = !svc_app_configure(app, &config) && group && !svc_app_use(app, &layer) &&
                !svc_group_use(group, &layer) && !svc_group_post(group, "/echo/{id}", echo, NULL) &&
                !svc_app_get(app, "/large", large, NULL) && !svc_app_hook(app, NULL, NULL, NULL) &&
                !svc_app_check(app, "fine", fine, NULL);
    if (made)
        return app;
    if (!*svc_app_errors(app))
        abort(); /* a failed registration must be told at start */
    svc_app_free(app);
    return NULL;
}

static bool ask(svc_app *app, const char *method, const char *target, const char *json, int wanted)
{
    svc_reply *reply = svc_app_test_json(app, method, target, json);
    bool done = svc_reply_status(reply) == wanted;
    svc_reply_free(reply);
    return done;
}

static bool try_app(void)
{
    svc_app *app = make_app();
    if (!app)
        return false;
    bool done = ask(app, "POST", "/v1/echo/7?q=1", "{\"a\":[1,2,{\"b\":null}]}", 200);
    done = ask(app, "POST", "/v1/echo/7", "{\"a\":", 400) && done;
    done = ask(app, "GET", "/large", "", 200) && done;
    done = ask(app, "GET", "/none", "", 404) && done;
    svc_app_free(app);
    return done;
}

/* One request over TCP; whatever comes back, something must. */
static bool ask_socket(const char *address)
{
    static const char request[] = "POST /v1/echo/7 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                  "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    to.sin_port = htons((uint16_t)atoi(strchr(address, ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) ||
        send(fd, request, sizeof request - 1, MSG_NOSIGNAL) < 0)
        abort();
    char reply[4096] = "";
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    if (poll(&wait, 1, 10000) != 1)
        abort(); /* neither an answer nor an end */
    ssize_t n = recv(fd, reply, sizeof reply - 1, 0);
    close(fd);
    return n > 0 && strstr(reply, " 200 ");
}

static bool try_service(void)
{
    svc_app *app = make_app();
    if (!app)
        return false;
    bool done = false;
    int error = svc_app_start(app);
    if (!error) {
        done = ask_socket(svc_app_address(app, 0));
        svc_app_stop(app);
        if (svc_app_wait(app))
            abort();
    }
    svc_app_free(app);
    return done;
}

static void *json_malloc(size_t size)
{
    return __wrap_malloc(size);
}

static bool survive(const char *name, bool (*attempt)(void))
{
    for (int n = 0; n < MAX_ALLOCATIONS; n++) {
        atomic_store(&left, n);
        bool done = attempt();
        bool reached = atomic_exchange(&left, NEVER) < 0;
        if (!reached) {
            printf("%s: %d allocations, %s\n", name, n, done ? "ok" : "FAILED without a failure");
            return done && n > 0;
        }
    }
    return false;
}

int main(void)
{
    json_set_alloc_funcs(json_malloc, free);
    bool done = survive("arena", try_arena) && survive("buf", try_buf) &&
                survive("metrics", try_metrics) && survive("sink", try_sink) &&
                survive("tree", try_tree) && survive("app", try_app) &&
                survive("service", try_service);
    return done ? 0 : 1;
}
