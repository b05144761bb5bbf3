/*
 * A service with routes of its own on the admin listener, some of which hang until they are told to
 * go on: by letters on standard input, since no connection may get through.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <svc.h>

#include "tests/support/life.h"

static sem_t unblocked;
static _Atomic int blocked;

static void *listen_to_test(void *arg)
{
    char letter;
    (void)arg;
    while (read(STDIN_FILENO, &letter, 1) == 1)
        if (letter == LIFE_UNBLOCK)
            sem_post(&unblocked);
    return NULL;
}

static int start_listening(svc_app *app, void *arg)
{
    pthread_t thread;
    (void)app, (void)arg;
    sem_init(&unblocked, 0, 0);
    return pthread_create(&thread, NULL, listen_to_test, NULL) || pthread_detach(thread);
}

/* Blocks whatever it runs on until told otherwise. */
static int block(svc_request *req, svc_response *res)
{
    svc_app_log_info(svc_request_app(req), "blocked",
                     svc_kv_int("number", atomic_fetch_add(&blocked, 1) + 1));
    while (sem_wait(&unblocked))
        continue;
    atomic_fetch_sub(&blocked, 1);
    return svc_response_text(res, 200, "unblocked");
}

/* Computes until told otherwise. */
static int compute(svc_request *req, svc_response *res)
{
    svc_app_log_info(svc_request_app(req), "computing");
    while (sem_trywait(&unblocked))
        continue;
    return svc_response_text(res, 200, "unblocked");
}

static int hello(svc_request *req, svc_response *res)
{
    char thread[32];
    snprintf(thread, sizeof thread, "%ld", (long)syscall(SYS_gettid));
    svc_response_set_header(res, "X-Thread", thread);
    (void)req;
    return svc_response_text(res, 200, "hello");
}

static int echo(svc_request *req, svc_response *res)
{
    size_t len;
    const char *body = svc_request_body(req, &len);
    return svc_response_copy(res, 200, "application/octet-stream", body, len);
}

static int cached(svc_request *req, svc_response *res)
{
    (void)req;
    svc_response_set_header(res, "Cache-Control", "max-age=5");
    return svc_response_text(res, 200, "cached");
}

/* A stream without an end, but for that of the service. */
static int write_events(svc_pipe *pipe, void *arg)
{
    const struct timespec pause = {0, 1000000};
    int64_t taken = 0;
    while (taken >= 0 && !svc_app_draining(arg)) {
        taken = svc_pipe_write(pipe, "data: tick\n\n", 12);
        nanosleep(&pause, NULL);
    }
    return taken < 0 ? (int)taken : 0;
}

static int events(svc_request *req, svc_response *res)
{
    return svc_response_writer(res, 200, "text/event-stream", write_events, svc_request_app(req));
}

/* An app that is mounted brings admin routes of its own. */
static svc_app *make_inner(void)
{
    svc_app *inner = svc_app_new("inner");
    svc_app_get(inner, "/hello/{name}", hello, NULL);
    svc_app_get(svc_app_admin(inner), "/hello/{name}", hello, NULL);
    return inner;
}

int main(void)
{
    svc_app *app = svc_app_new("admin"), *admin = svc_app_admin(app);
    svc_group *workers = svc_app_group(admin, "/worker");
    svc_app_get(app, "/hello/{name}", hello, NULL);
    svc_app_get(app, "/block", block, NULL);
    svc_app_mount(app, "/inner", make_inner());
    svc_app_get(admin, "/hello/{name}", hello, NULL);
    svc_app_get(admin, "/block", block, NULL);
    svc_app_get(admin, "/compute", compute, NULL);
    svc_app_get(admin, "/cached", cached, NULL);
    svc_app_get(admin, "/events", events, NULL);
    svc_app_post(admin, "/echo", echo, NULL);
    svc_group_set_flags(workers, SVC_BLOCKING);
    svc_group_get(workers, "/block", block, NULL);
    svc_group_get(workers, "/hello/{name}", hello, NULL);
    svc_app_add_hook(app, start_listening, NULL, NULL);
    return svc_app_run(app);
}
