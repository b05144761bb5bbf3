/*
 * The server for the tests of overload. GET /release releases held requests; any letter on standard
 * input releases a handler that holds its loop.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <svc.h>

enum {
    LIMIT = 4,
    MAX_HELD = 64,
    QUEUE_MS = 100,
    NO_QUEUE_MS = 600000,
    SPIN_MS = 400,
    EXPIRES_MS = 200
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static svc_request *held[MAX_HELD];
static size_t held_count;
static pthread_cond_t released = PTHREAD_COND_INITIALIZER;
static unsigned releases;

/* The release that a request waits for. It is set before a limit counts the request, so that a
 * release reaches all requests that are counted as in flight. */
SVC_KEY_DECLARE(awaited, unsigned)
SVC_KEY_DEFINE(awaited)

static int mark(svc_request *req, svc_response *res, const svc_layer *layer)
{
    unsigned *next = svc_request_alloc(req, sizeof *next);
    (void)res, (void)layer;
    if (!next)
        return SVC_ENOMEM;
    pthread_mutex_lock(&lock);
    *next = releases + 1;
    pthread_mutex_unlock(&lock);
    return awaited_set(req, next);
}

static const svc_middleware marks = {.size = sizeof marks, .name = "marks", .on_request = mark};

static int hold(svc_request *req, svc_response *res, const svc_layer *layer)
{
    int *times = layer->state;
    (void)res;
    if ((*times)++)
        return SVC_PASS;
    pthread_mutex_lock(&lock);
    bool waits = releases < *awaited_get(req) && held_count < MAX_HELD;
    if (waits)
        held[held_count++] = req;
    pthread_mutex_unlock(&lock);
    return waits ? SVC_WAIT : SVC_PASS;
}

static const svc_middleware holds = {
    .size = sizeof holds, .name = "holds", .state_size = sizeof(int), .on_request = hold};

static int release(svc_request *req, svc_response *res)
{
    (void)req;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < held_count; i++)
        svc_request_resume(held[i]);
    held_count = 0;
    releases++;
    pthread_cond_broadcast(&released);
    pthread_mutex_unlock(&lock);
    return svc_response_empty(res, 204);
}

static int served(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "served");
}

/* On a worker, until the release. */
static int block(svc_request *req, svc_response *res)
{
    pthread_mutex_lock(&lock);
    while (releases < *awaited_get(req))
        pthread_cond_wait(&released, &lock);
    pthread_mutex_unlock(&lock);
    return served(req, res);
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static _Atomic unsigned letters;

static void *listen_to_test(void *arg)
{
    char letter;
    (void)arg;
    while (read(STDIN_FILENO, &letter, 1) == 1)
        letters++;
    return NULL;
}

static int start(svc_app *app, void *arg)
{
    pthread_t thread;
    (void)app, (void)arg;
    return pthread_create(&thread, NULL, listen_to_test, NULL) || pthread_detach(thread);
}

/* Holds its loop until a letter comes, and for longer than the queue's limit. */
static int spin(svc_request *req, svc_response *res)
{
    static _Atomic unsigned spins;
    unsigned wanted = ++spins;
    uint64_t until_ms = now_ms() + SPIN_MS;
    svc_log_info(req, "spinning");
    while (letters < wanted || now_ms() < until_ms)
        continue;
    return served(req, res);
}

static int by_class(svc_request *req, void *arg)
{
    const char *class = svc_request_header(req, "Class");
    (void)arg;
    return class && !strcmp(class, "critical") ? SVC_PRIORITY_CRITICAL : SVC_PRIORITY_NORMAL;
}

static void add_held(svc_group *group, const char *pattern, unsigned timeout_ms)
{
    static const svc_middleware *const layers[] = {&holds, NULL};
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = pattern;
    route.handler = served;
    route.middleware = layers;
    route.timeout_ms = timeout_ms;
    svc_group_route(group, &route);
}

static void add_blocking(svc_group *group, const char *pattern, unsigned timeout_ms)
{
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = pattern;
    route.handler = block;
    route.flags = SVC_BLOCKING;
    route.timeout_ms = timeout_ms;
    svc_group_route(group, &route);
}

static void add_limited(svc_app *app)
{
    svc_concurrency options = SVC_CONCURRENCY_INIT;
    svc_group *group = svc_app_group(app, "/limited");
    svc_group_use(group, &marks);
    options.limit = LIMIT;
    options.priority = by_class;
    svc_group_use(group, svc_concurrency_new(app, &options));
    add_held(group, "/hold", 0);
    add_held(group, "/expire", EXPIRES_MS);
    add_blocking(group, "/work", 0);
    add_blocking(group, "/work-expire", EXPIRES_MS);
    svc_group_get(group, "/pass", served, NULL);
}

static int pass(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)res, (void)layer;
    return SVC_PASS;
}

/* A limit that runs on a worker, since a layer further out may block. */
static void add_behind(svc_app *app)
{
    static const svc_middleware blocks = {
        .size = sizeof blocks, .name = "blocks", .flags = SVC_BLOCKING, .on_request = pass};
    svc_concurrency options = SVC_CONCURRENCY_INIT;
    svc_group *group = svc_app_group(app, "/behind");
    options.limit = LIMIT;
    options.max_queue_ms = NO_QUEUE_MS;
    svc_group_use(group, &marks);
    svc_group_use(group, &blocks);
    svc_group_use(group, svc_concurrency_new(app, &options));
    add_held(group, "/hold", 0);
    svc_group_get(group, "/pass", served, NULL);
}

static void add_queue(svc_app *app)
{
    svc_concurrency options = SVC_CONCURRENCY_INIT;
    svc_group *group = svc_app_group(app, "/queue");
    options.max_queue_ms = QUEUE_MS;
    options.retry_after_s = 3;
    svc_group_use(group, svc_concurrency_new(app, &options));
    svc_group_get(group, "/spin", spin, NULL);
    svc_group_get(group, "/pass", served, NULL);
}

int main(void)
{
    svc_app *app = svc_app_new("overload");
    svc_app_get(app, "/release", release, NULL);
    svc_app_get(app, "/free", served, NULL);
    add_limited(app);
    add_behind(app);
    add_queue(app);
    svc_app_add_hook(app, start, NULL, NULL);
    return svc_app_run(app);
}
