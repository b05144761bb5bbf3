/*
 * The server for the tests of a service's life. Letters on its standard input control it, since
 * connections may be blocked.
 */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <svc.h>

#include "tests/support/life.h"

/* ---- Requests of GET /hold wait, as SVC_WAIT, until they are released */

enum { MAX_HELD = 64 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static svc_request *held[MAX_HELD];
static size_t held_count;

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
    if (room) {
        held[held_count++] = req;
        svc_log_info(req, "held");
    }
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
    for (size_t i = 0; i < held_count; i++) {
        svc_log_info(held[i], "released");
        svc_request_resume(held[i]);
    }
    held_count = 0;
    pthread_mutex_unlock(&lock);
}

/* ---- Handlers that do not return */

static sem_t unblocked, let_check_answer;
static _Atomic int blocked;

/* Blocks its loop until the letter comes. */
static int block(svc_request *req, svc_response *res)
{
    (void)req;
    printf("loops blocked: %d\n", atomic_fetch_add(&blocked, 1) + 1);
    fflush(stdout);
    while (sem_wait(&unblocked))
        continue;
    atomic_fetch_sub(&blocked, 1);
    return svc_response_text(res, 200, "unblocked");
}

/* A handler that never returns. */
static int stuck(svc_request *req, svc_response *res)
{
    (void)req, (void)res;
    while (pause() < 0)
        continue;
    return 0;
}

/* ---- Descriptors */

enum { MAX_HOARDED = 1024 };
static int hoarded[MAX_HOARDED];
static size_t hoarded_count;

static void hoard(void)
{
    int fd;
    while (hoarded_count < MAX_HOARDED && (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        hoarded[hoarded_count++] = fd;
    puts("descriptors hoarded");
    fflush(stdout);
}

static void share(void)
{
    while (hoarded_count)
        close(hoarded[--hoarded_count]);
}

/* ---- The letters on its standard input: see tests/support/life.h */

static void obey(char letter)
{
    if (letter == LIFE_RELEASE)
        release_all();
    else if (letter == LIFE_UNBLOCK)
        sem_post(&unblocked);
    else if (letter == LIFE_HOARD)
        hoard();
    else if (letter == LIFE_SHARE)
        share();
    else if (letter == LIFE_ANSWER)
        sem_post(&let_check_answer);
}

static void *listen_to_test(void *arg)
{
    char letter;
    (void)arg;
    while (read(STDIN_FILENO, &letter, 1) == 1)
        obey(letter);
    return NULL;
}

static int start_listening(svc_app *app, void *arg)
{
    pthread_t thread;
    (void)arg;
    svc_app_log_info(app, "hook begins");
    sem_init(&unblocked, 0, 0);
    sem_init(&let_check_answer, 0, 0);
    return pthread_create(&thread, NULL, listen_to_test, NULL) || pthread_detach(thread);
}

/* ---- Plain answers */

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

static int file(svc_request *req, svc_response *res)
{
    return svc_response_file(res, 200, NULL, getenv("LIFE_FILES"), svc_request_param(req, "path"));
}

/* ---- Lines of the service's own */

static int note(svc_request *req, svc_response *res)
{
    unsigned long count = strtoul(svc_request_param(req, "count"), NULL, 10);
    for (unsigned long i = 0; i < count; i++)
        svc_log_info(req, "it is noted", svc_kv_str("text", svc_request_query(req, "text")),
                     svc_kv_bool("sure", true));
    svc_log_access(req, svc_kv_uint("notes", count),
                   svc_kv_str("noted", svc_request_query(req, "text")));
    return svc_response_text(res, 200, "noted");
}

/* ---- Readiness */

/* The result of the check "switch". Above 1, the check also takes that many milliseconds; below 0,
 * it hangs until the letter comes. */
static _Atomic int failing;

static int fail(svc_request *req, svc_response *res)
{
    failing = atoi(svc_request_param(req, "value"));
    return svc_response_text(res, 200, "set");
}

static int check(void *arg)
{
    int value = failing;
    if (value > 1)
        usleep((useconds_t)value * 1000);
    if (value < 0)
        svc_app_log_info(arg, "check hangs");
    while (value < 0 && sem_wait(&let_check_answer))
        continue;
    return value;
}

static void stop_hook(svc_app *app, void *arg)
{
    release_all();
    svc_app_log_info(app, "hook ended", svc_kv_str("hook", arg));
}

/* ---- A stream that ends only with the service */

static int write_events(svc_pipe *pipe, void *arg)
{
    const struct timespec pause = {0, 1000000};
    int64_t taken = 0;
    while (taken >= 0 && !svc_app_draining(arg)) {
        taken = svc_pipe_write(pipe, "data: tick\n\n", 12);
        nanosleep(&pause, NULL);
    }
    return taken < 0 ? (int)taken : (int)(svc_pipe_write(pipe, "data: bye\n\n", 11) < 0);
}

static int events(svc_request *req, svc_response *res)
{
    return svc_response_writer(res, 200, "text/event-stream", write_events, svc_request_app(req));
}

static void drain_hook(svc_app *app, void *arg)
{
    svc_app_log_info(app, "drain hook", svc_kv_str("hook", arg),
                     svc_kv_bool("draining", svc_app_draining(app)));
}

int main(void)
{
    static const svc_middleware *const layers[] = {&hold_layer, NULL};
    static char one[] = "first told", two[] = "second told";
    static char first[] = "first hook stopped", second[] = "second hook stopped";
    svc_app *app = svc_app_new("life");
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "/hold";
    route.handler = hello;
    route.middleware = layers;
    svc_app_route(app, &route);
    svc_app_get(app, "/hello/{name...}", hello, NULL);
    svc_app_post(app, "/echo", echo, NULL);
    svc_app_get(app, "/large/{bytes}", large, NULL);
    svc_app_get(app, "/files/{path...}", file, NULL);
    svc_app_get(app, "/stuck", stuck, NULL);
    svc_app_get(app, "/block", block, NULL);
    svc_app_get(app, "/note/{count}", note, NULL);
    svc_app_get(app, "/fail/{value}", fail, NULL);
    svc_app_get(app, "/events", events, NULL);
    svc_app_add_drain_hook(app, drain_hook, one);
    svc_app_add_drain_hook(app, drain_hook, two);
    svc_app_add_check(app, "switch", check, app);
    svc_app_add_hook(app, start_listening, NULL, NULL);
    svc_app_add_hook(app, NULL, stop_hook, first);
    svc_app_add_hook(app, NULL, stop_hook, second);
    return svc_app_run(app);
}
