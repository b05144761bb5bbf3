/* The server that the tests of a service's life talk to: its handlers wait until they are told. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <svc.h>

/* Requests of GET /hold wait here, as SVC_WAIT, until GET /release. */
enum { MAX_HELD = 64 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static svc_request *held[MAX_HELD];
static size_t held_count;
static int
    failing; /* what the readiness check "switch" returns; above 1 also how many ms it takes */

struct hold {
    int waited;
};

static int hold(svc_request *req, svc_response *res, const svc_layer *layer)
{
    struct hold *state = layer->state;
    (void)res;
    if (state->waited++)
        return SVC_PASS;
    pthread_mutex_lock(&lock);
    bool room = held_count < MAX_HELD;
    if (room)
        held[held_count++] = req;
    pthread_mutex_unlock(&lock);
    return room ? SVC_WAIT : SVC_PASS;
}

static const svc_middleware hold_layer = {.size = sizeof hold_layer,
                                          .name = "hold",
                                          .state_size = sizeof(struct hold),
                                          .on_request = hold};

static void release_all(void)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < held_count; i++)
        svc_request_resume(held[i]);
    held_count = 0;
    pthread_mutex_unlock(&lock);
}

static int release(svc_request *req, svc_response *res)
{
    (void)req;
    release_all();
    return svc_response_text(res, 200, "released");
}

static int hello(svc_request *req, svc_response *res)
{
    char thread[32];
    (void)req;
    snprintf(thread, sizeof thread, "%ld", (long)syscall(SYS_gettid));
    svc_response_set_header(res, "X-Loop", thread);
    return svc_response_text(res, 200, "hello");
}

static int echo(svc_request *req, svc_response *res)
{
    size_t len;
    const char *body = svc_request_body(req, &len);
    return svc_response_copy(res, 200, "application/octet-stream", body, len);
}

static int large(svc_request *req, svc_response *res)
{
    size_t len = strtoul(svc_request_param(req, "bytes"), NULL, 10);
    char *data = malloc(len ? len : 1);
    if (!data)
        return SVC_ENOMEM;
    memset(data, 'x', len);
    return svc_response_take(res, 200, "text/plain", data, len, free);
}

/* A handler that never returns. */
static int stuck(svc_request *req, svc_response *res)
{
    (void)req, (void)res;
    while (pause() < 0)
        continue;
    return 0;
}

/* Blocks its loop until the process's standard input ends or has a byte. */
static int block(svc_request *req, svc_response *res)
{
    char byte;
    (void)req;
    ssize_t n = read(STDIN_FILENO, &byte, 1);
    return svc_response_text(res, 200, n < 0 ? "failed" : "unblocked");
}

static int fail(svc_request *req, svc_response *res)
{
    failing = atoi(svc_request_param(req, "value"));
    return svc_response_text(res, 200, "set");
}

static int check(void *arg)
{
    (void)arg;
    if (failing > 1)
        usleep((useconds_t)failing * 1000);
    return failing;
}

static void stop_hook(svc_app *app, void *arg)
{
    (void)app;
    release_all();
    puts(arg);
    fflush(stdout);
}

int main(void)
{
    static const svc_middleware *const layers[] = {&hold_layer, NULL};
    static char first[] = "first hook stopped", second[] = "second hook stopped";
    svc_app *app = svc_app_new("life");
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "/hold";
    route.handler = hello;
    route.middleware = layers;
    svc_app_route(app, &route);
    svc_app_get(app, "/release", release, NULL);
    svc_app_get(app, "/hello/{name...}", hello, NULL);
    svc_app_post(app, "/echo", echo, NULL);
    svc_app_get(app, "/large/{bytes}", large, NULL);
    svc_app_get(app, "/stuck", stuck, NULL);
    svc_app_get(app, "/block", block, NULL);
    svc_app_get(app, "/fail/{value}", fail, NULL);
    svc_app_check(app, "switch", check, NULL);
    svc_app_hook(app, NULL, stop_hook, first);
    svc_app_hook(app, NULL, stop_hook, second);
    return svc_app_run(app);
}
