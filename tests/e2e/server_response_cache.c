/*
 * A service behind a response cache. /stored and /passed count their runs; the first run of each
 * returns when so many requests have come as ?await= says, or when /open is asked for.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <svc.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned come, runs;
static bool opened;

/* Outside of the cache, so that each request is counted. */
static int count_request(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)res, (void)layer;
    if (!svc_request_query(req, "await"))
        return SVC_PASS;
    pthread_mutex_lock(&lock);
    come++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return SVC_PASS;
}

static int answer(svc_request *req, svc_response *res)
{
    char text[32];
    unsigned await = (unsigned)atoi(svc_request_query(req, "await"));
    pthread_mutex_lock(&lock);
    unsigned run = ++runs;
    pthread_cond_broadcast(&changed);
    while (run == 1 && come < await && !opened)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    snprintf(text, sizeof text, "run %u", run);
    if (svc_request_arg(req))
        svc_response_set_header(res, "Cache-Control", "max-age=60");
    return svc_response_text(res, 200, text);
}

/* Answers when the first run has begun. */
static int await_run(svc_request *req, svc_response *res)
{
    (void)req;
    pthread_mutex_lock(&lock);
    while (runs == 0)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return svc_response_text(res, 200, "running");
}

static int await_waiting(svc_request *req, svc_response *res)
{
    unsigned await = (unsigned)atoi(svc_request_param(req, "count"));
    pthread_mutex_lock(&lock);
    while (come < await)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return svc_response_text(res, 200, "come");
}

static int open_gate(svc_request *req, svc_response *res)
{
    (void)req;
    pthread_mutex_lock(&lock);
    opened = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return svc_response_text(res, 200, "open");
}

static void add_route(svc_app *app, const char *pattern, svc_handler *handler, void *arg)
{
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = pattern;
    route.handler = handler;
    route.arg = arg;
    route.flags = SVC_BLOCKING;
    svc_app_route(app, &route);
}

int main(int argc, char **argv)
{
    static const svc_middleware counter = {
        .size = sizeof counter, .name = "counter", .on_request = count_request};
    svc_app *app = svc_app_new("response_cache");
    svc_response_cache_options options = SVC_RESPONSE_CACHE_OPTIONS_INIT;
    options.max_wait_ms = 3600000; /* no test waits for its end */
    svc_app_use(app, &counter);
    svc_app_use(app, svc_response_cache_layer(svc_response_cache_new(app, &options)));
    add_route(app, "GET /stored", answer, &lock);
    add_route(app, "GET /passed", answer, NULL);
    add_route(app, "GET /run", await_run, NULL);
    add_route(app, "GET /come/{count}", await_waiting, NULL);
    add_route(app, "GET /open", open_gate, NULL);
    return svc_app_main(app, argc, argv);
}
