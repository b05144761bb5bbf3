/*
 * Every public call returns at every moment of an app's life, with a code or with its effect, and
 * the life goes on in order: before, during and after the start, from hooks, handlers, callbacks,
 * the service's own threads and another thread, in the drain and after it; and with NULL where a
 * constructor has failed. The calls are a table (calls_table.c) that has the symbols of
 * libsvc/libsvc.sym, no more and no less. Each moment is reached in a process of its own.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/structure/calls.h"

enum { LIMIT_S = 60 /* for a life, on a machine that is busy */ };

/* How a moment comes about. */
enum flow {
    NONE,    /* without an app */
    SERVICE, /* the app is started, and asked for its path if there is one */
    TEST     /* the app is tested by svc_app_test */
};

/* X(moment, flow, path, request): where `request` is set there is one to call with. */
#define MOMENTS(X)                                                                                 \
    X(NOTHING, NONE, NULL, false)                                                                  \
    X(BEFORE, SERVICE, NULL, false)                                                                \
    X(START_LAYER, SERVICE, NULL, false)                                                           \
    X(START_HOOK, SERVICE, NULL, false)                                                            \
    X(BESIDE_START, SERVICE, NULL, false) /* another thread, while a hook runs */                  \
    X(WORKER_BEGIN, SERVICE, "/worker", false)                                                     \
    X(TASK, SERVICE, NULL, false)                                                                  \
    X(STARTED, SERVICE, NULL, false)                                                               \
    X(HANDLER, SERVICE, "/handler", true)                                                          \
    X(WORKER, SERVICE, "/worker", true)                                                            \
    X(STREAM, SERVICE, "/stream", true)                                                            \
    X(POST, SERVICE, "/post", false)                                                               \
    X(TIMER, SERVICE, "/timer", false)                                                             \
    X(ON_REQUEST, SERVICE, "/phases", true)                                                        \
    X(ON_BODY, SERVICE, "/phases", true)                                                           \
    X(ON_RESPONSE, SERVICE, "/phases", true)                                                       \
    X(ON_DONE, SERVICE, "/phases", true)                                                           \
    X(CLEANUP, SERVICE, "/phases", false)                                                          \
    X(DRAIN, SERVICE, "/drain", true)                                                              \
    X(TASK_STOP, SERVICE, NULL, false)                                                             \
    X(TASK_END, SERVICE, NULL, false)                                                              \
    X(STOP_HOOK, SERVICE, NULL, false)                                                             \
    X(BESIDE_STOP, SERVICE, NULL, false)                                                           \
    X(STOP_LAYER, SERVICE, NULL, false)                                                            \
    X(STOPPED, SERVICE, NULL, false)                                                               \
    X(FAILED_STOP_HOOK, SERVICE, NULL, false) /* of a start that fails */                          \
    X(FAILED, SERVICE, NULL, false)                                                                \
    X(TEST_HOOK, TEST, "/handler", false)                                                          \
    X(TEST_TASK, TEST, "/handler", false)                                                          \
    X(TEST_HANDLER, TEST, "/handler", true)                                                        \
    X(TEST_WORKER, TEST, "/worker", true)                                                          \
    X(TEST_POST, TEST, "/post", false)                                                             \
    X(TEST_ON_REQUEST, TEST, "/phases", true)                                                      \
    X(TEST_ON_BODY, TEST, "/phases", true)                                                         \
    X(TEST_ON_RESPONSE, TEST, "/phases", true)                                                     \
    X(TEST_ON_DONE, TEST, "/phases", true)                                                         \
    X(TEST_CLEANUP, TEST, "/phases", false)                                                        \
    X(BESIDE_TEST, TEST, "/handler", false)                                                        \
    X(TESTED, TEST, "/handler", false)                                                             \
    X(TEST_STOP_HOOK, TEST, "/handler", false)

#define NAME_MOMENT(moment, flow, path, request) moment,
enum moment { MOMENTS(NAME_MOMENT) MOMENT_COUNT };

static const struct {
    const char *name;
    enum flow flow;
    const char *path;
    bool request;
} moments[] = {
#define DESCRIBE_MOMENT(moment, flow, path, request) {#moment, flow, path, request},
    MOMENTS(DESCRIBE_MOMENT)};

/* ---- What a process is to do, and what it tells its parent */

static enum moment wanted;
static const struct call *wanted_life; /* NULL: all calls but those of LIFE */
static atomic_bool reached;

static struct report {
    const char *call; /* that is being made; the same address in parent and child */
    bool reached;
    unsigned wrong;
} * report;

static svc_app *app;
static svc_group *group;
static const svc_schema *schema;
static bool freed;                                   /* a call of LIFE has taken the app */
static bool started;                                 /* or started it */
static _Thread_local svc_task_context *task_context; /* of the thread's task */

static bool is_test(enum moment moment)
{
    return moments[moment].flow == TEST;
}

static void find_wrong(const char *call, long result)
{
    printf("%s at %s: %ld\n", call, moments[wanted].name, result);
    fflush(stdout);
    report->wrong++;
}

/* ---- The steps of an app's life */

static bool is(const char *name)
{
    return wanted_life && !strcmp(wanted_life->name, name);
}

/* Where an app may be freed, and is not used by anybody else. */
static bool may_free(void)
{
    return wanted == BEFORE || wanted == STOPPED || wanted == FAILED || wanted == TESTED;
}

/* A blocked or a test's own thread waits for others' tests, and a task may come before them. */
static void expect_test(svc_reply *reply)
{
    bool may = wanted == BEFORE || wanted == TESTED || wanted == TEST_HANDLER ||
               wanted == TEST_POST || wanted == TEST_ON_REQUEST || wanted == TEST_ON_BODY ||
               wanted == TEST_ON_RESPONSE || wanted == TEST_ON_DONE || wanted == TEST_CLEANUP;
    if (wanted != TEST_TASK && (reply != NULL) != may)
        find_wrong(wanted_life->name, reply != NULL);
    svc_reply_free(reply);
}

static void expect_code(int found, int expected)
{
    if (found != expected)
        find_wrong(wanted_life->name, found);
}

static void expect_run(int status)
{
    expect_code(status, wanted == BEFORE ? 0 : 1);
    freed = may_free();
}

static void take_step(svc_app *of)
{
    char name[] = "calls";
    char *arguments[] = {name, NULL};
    if (is("svc_app_start")) {
        int expected = wanted == BEFORE ? 0 : SVC_ESTATE;
        expect_code(svc_app_start(of), of ? expected : SVC_ENOMEM);
        started = wanted == BEFORE;
    } else if (is("svc_app_wait")) {
        int expected = wanted == STARTED ? 0 : SVC_ESTATE;
        expect_code(svc_app_wait(of), of ? expected : SVC_ENOMEM);
    } else if (is("svc_app_test")) {
        const svc_test test = SVC_TEST_INIT;
        expect_test(svc_app_test(of, &test));
    } else if (is("svc_app_test_get")) {
        expect_test(svc_app_test_get(of, "/"));
    } else if (is("svc_app_test_json")) {
        expect_test(svc_app_test_json(of, "GET", "/", "{}"));
    } else if (is("svc_app_stop")) {
        svc_app_stop(of);
    } else if (is("svc_app_free")) {
        svc_app_free(of);
        freed = may_free();
    } else {
        if (wanted == BEFORE)
            svc_app_stop(of);
        expect_run(is("svc_app_run") ? svc_app_run(of) : svc_app_main(of, 1, arguments));
    }
}

/* ---- All other calls */

static void judge(const struct call *call, long result, const struct things *at)
{
    bool building = wanted == BEFORE;
    bool right = result == 0;
    if (call->kind == REGISTER)
        right = !at->app ? result == SVC_ENOMEM : result == (building ? 0 : SVC_ESTATE);
    else if (call->kind == MAKE)
        right = result == building;
    else if (call->kind == ANSWER)
        right = wanted == NOTHING ? result == SVC_ENOMEM : result == 0;
    if (!right)
        find_wrong(call->name, result);
}

static void make_calls(struct things *at)
{
    for (size_t i = 0; i < call_count; i++) {
        const struct call *call = &all_calls[i];
        if (!call->make)
            continue;
        report->call = call->name;
        judge(call, call->make(at), at);
    }
}

/* One object that there is not among others that there are: no call may use it. */
static void miss_each(const struct things *all)
{
    static const size_t objects[] = {
        offsetof(struct things, app),   offsetof(struct things, group),
        offsetof(struct things, req),   offsetof(struct things, res),
        offsetof(struct things, loop),  offsetof(struct things, pipe),
        offsetof(struct things, queue), offsetof(struct things, json),
        offsetof(struct things, task),  offsetof(struct things, schema)};
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        struct things at = *all;
        memset((char *)&at + objects[i], 0, sizeof(void *));
        for (size_t j = 0; j < call_count; j++) {
            report->call = all_calls[j].name;
            if (all_calls[j].make)
                all_calls[j].make(&at);
        }
    }
}

static void make_things(struct things *at)
{
    at->pipe = svc_pipe_new(0);
    at->queue = svc_queue_new(1, NULL);
    at->json = svc_json_writer_new(100000);
    if (!at->res)
        at->res = svc_response_new();
}

static void free_things(struct things *at, svc_response *res)
{
    svc_pipe_unref(at->pipe);
    svc_queue_free(at->queue);
    svc_json_writer_free(at->json);
    if (!res)
        svc_response_free(at->res);
}

static bool runs_on_loop(enum moment moment)
{
    static const enum moment own[] = {HANDLER,          POST,         TIMER,           ON_REQUEST,
                                      ON_BODY,          ON_RESPONSE,  ON_DONE,         CLEANUP,
                                      TEST_HANDLER,     TEST_POST,    TEST_ON_REQUEST, TEST_ON_BODY,
                                      TEST_ON_RESPONSE, TEST_ON_DONE, TEST_CLEANUP};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (own[i] == moment)
            return true;
    return false;
}

/* A moment of the life has come, once. Makes the calls if it is the one that is wanted. */
static bool reach(enum moment moment, svc_request *req, svc_response *res)
{
    if (moment != wanted || atomic_exchange(&reached, true))
        return false;
    struct things at = {.app = app, .group = group, .schema = schema, .req = req, .res = res};
    report->reached = true;
    if (wanted_life) {
        report->call = wanted_life->name;
        take_step(app);
        return true;
    }
    at.task = task_context;
    at.loop = req ? svc_request_loop(req) : svc_app_loop(app, 0);
    at.in_handler = moment == HANDLER || moment == WORKER || moment == STREAM || moment == DRAIN ||
                    moment == TEST_HANDLER || moment == TEST_WORKER;
    at.on_loop = runs_on_loop(moment);
    if (moment != NOTHING)
        make_things(&at);
    make_calls(&at);
    if (req)
        miss_each(&at);
    if (moment != NOTHING)
        free_things(&at, res);
    return true;
}

static void *reach_there(void *moment)
{
    reach(*(const enum moment *)moment, NULL, NULL);
    return NULL;
}

/* In another thread, which is awaited. */
static void reach_beside(enum moment moment)
{
    pthread_t thread;
    if (moment != wanted)
        return;
    if (pthread_create(&thread, NULL, reach_there, &moment))
        abort();
    pthread_join(thread, NULL);
}

/* ---- The app, and the moments of it */

/* What a handler does last; the service then stops. */
static int answer(svc_response *res)
{
    svc_app_stop(app);
    return svc_response_status(res) ? 0 : svc_response_text(res, 200, "ok");
}

static int handle(svc_request *req, svc_response *res)
{
    reach(is_test(wanted) ? TEST_HANDLER : HANDLER, req, res);
    reach_beside(BESIDE_TEST);
    return answer(res);
}

static int handle_blocking(svc_request *req, svc_response *res)
{
    reach(is_test(wanted) ? TEST_WORKER : WORKER, req, res);
    return answer(res);
}

static int handle_stream(svc_request *req, svc_response *res)
{
    reach(STREAM, req, res);
    return answer(res);
}

static bool is_refused(void)
{
    char text[64] = "";
    const char *address = svc_app_address(app, 0);
    if (!address)
        return true;
    snprintf(text, sizeof text, "%s", address);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    to.sin_port = htons((uint16_t)atoi(strchr(text, ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool refused = connect(fd, (struct sockaddr *)&to, sizeof to) != 0;
    close(fd);
    return refused;
}

/* On a worker, so that the drain can begin meanwhile. */
static int handle_drain(svc_request *req, svc_response *res)
{
    if (wanted != DRAIN)
        return answer(res);
    svc_app_stop(app);
    while (!svc_app_address(app, 0) || !is_refused())
        usleep(1000);
    reach(DRAIN, req, res);
    return svc_response_status(res) ? 0 : svc_response_text(res, 200, "ok");
}

static void on_post(void *pending)
{
    reach(is_test(wanted) ? TEST_POST : POST, NULL, NULL);
    svc_response *res = svc_response_new();
    answer(res);
    svc_pending_complete(pending, res);
    svc_pending_unref(pending);
}

static int handle_post(svc_request *req, svc_response *res)
{
    (void)res;
    svc_pending *pending = svc_request_defer(req, NULL, NULL);
    return pending ? svc_loop_post(svc_request_loop(req), on_post, pending) : SVC_ENOMEM;
}

static svc_timer *timer;

static void on_timer(void *pending)
{
    reach(TIMER, NULL, NULL);
    svc_response *res = svc_response_new();
    answer(res);
    svc_pending_complete(pending, res);
    svc_pending_unref(pending);
    svc_timer_free(timer);
}

static int handle_timer(svc_request *req, svc_response *res)
{
    (void)res;
    svc_pending *pending = svc_request_defer(req, NULL, NULL);
    timer = svc_timer_new(svc_request_loop(req), on_timer, pending);
    return svc_timer_set(timer, 1);
}

static void on_cleanup(void *arg)
{
    (void)arg;
    reach(is_test(wanted) ? TEST_CLEANUP : CLEANUP, NULL, NULL);
}

static int on_request(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)layer;
    (void)!svc_request_add_cleanup(req, on_cleanup, NULL);
    reach(is_test(wanted) ? TEST_ON_REQUEST : ON_REQUEST, req, res);
    return SVC_PASS;
}

static int on_body(svc_request *req, svc_response *res, const svc_layer *layer, svc_piece *piece)
{
    (void)layer, (void)piece;
    reach(is_test(wanted) ? TEST_ON_BODY : ON_BODY, req, res);
    return SVC_PASS;
}

static int on_response(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)layer;
    reach(is_test(wanted) ? TEST_ON_RESPONSE : ON_RESPONSE, req, res);
    return 0;
}

static void on_done(svc_request *req, const svc_response *res, const svc_layer *layer,
                    const svc_done *done)
{
    (void)res, (void)layer, (void)done;
    reach(is_test(wanted) ? TEST_ON_DONE : ON_DONE, req, NULL);
}

static int start_layer(svc_app *of, void *arg)
{
    (void)of, (void)arg;
    reach(START_LAYER, NULL, NULL);
    return 0;
}

static void stop_layer(svc_app *of, void *arg)
{
    (void)of, (void)arg;
    reach(STOP_LAYER, NULL, NULL);
}

static const svc_middleware life_layer = {
    .size = sizeof life_layer, .name = "life", .start = start_layer, .stop = stop_layer};

static const svc_middleware phases = {.size = sizeof phases,
                                      .name = "phases",
                                      .on_request = on_request,
                                      .on_body = on_body,
                                      .on_response = on_response,
                                      .on_done = on_done};

static int start_hook(svc_app *of, void *arg)
{
    (void)of, (void)arg;
    reach(is_test(wanted) ? TEST_HOOK : START_HOOK, NULL, NULL);
    reach_beside(BESIDE_START);
    return 0;
}

static void stop_hook(svc_app *of, void *arg)
{
    (void)of, (void)arg;
    bool fails = wanted == FAILED_STOP_HOOK;
    reach(is_test(wanted) ? TEST_STOP_HOOK : fails ? FAILED_STOP_HOOK : STOP_HOOK, NULL, NULL);
    reach_beside(BESIDE_STOP);
}

static int fail_hook(svc_app *of, void *arg)
{
    (void)of, (void)arg;
    return wanted == FAILED_STOP_HOOK || wanted == FAILED ? -1 : 0;
}

/* The service goes on when the task has got to its moment. */
static atomic_bool task_reached;

static int run_task(svc_task_context *context, void *arg)
{
    (void)arg;
    task_context = context;
    reach(is_test(wanted) ? TEST_TASK : TASK, NULL, NULL);
    atomic_store(&task_reached, true);
    while (!svc_task_sleep(context, 60000))
        continue;
    reach(TASK_END, NULL, NULL);
    return SVC_ECANCELLED;
}

static void stop_task(void *arg)
{
    (void)arg;
    reach(TASK_STOP, NULL, NULL);
}

static int begin_worker(svc_app *of, void *arg, void **state)
{
    (void)of, (void)arg, (void)state;
    reach(WORKER_BEGIN, NULL, NULL);
    return 0;
}

struct bound {
    const char *name;
};
static const svc_field bound_fields[] = {SVC_FIELD_TEXT(struct bound, name), SVC_FIELD_END};

static void add_route(const char *pattern, svc_handler *handler, unsigned flags)
{
    static const svc_middleware *const layers[] = {&phases, NULL};
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = pattern;
    route.handler = handler;
    route.flags = flags;
    route.middleware = strstr(pattern, "/phases") ? layers : NULL;
    svc_app_route(app, &route);
}

static void make_app(void)
{
    svc_config config = SVC_CONFIG_INIT;
    svc_task task = SVC_TASK_INIT;
    config.listen = "127.0.0.1:0";
    config.admin_listen = "127.0.0.1:0";
    config.log_output = "/dev/null";
    config.threads = 1;
    config.drain_delay_ms = 0;
    task.name = "task";
    task.run = run_task;
    task.stop = stop_task;
    app = svc_app_new("calls");
    svc_app_configure(app, &config);
    group = svc_app_group(app, "/group");
    schema = svc_schema_new(app, bound_fields, sizeof(struct bound), 0);
    svc_app_use(app, &life_layer);
    add_route("/", handle, 0);
    add_route("/handler", handle, 0);
    add_route("/worker", handle_blocking, SVC_BLOCKING);
    add_route("/stream", handle_stream, SVC_BLOCKING | SVC_STREAM_BODY);
    add_route("/drain", handle_drain, SVC_BLOCKING);
    add_route("/post", handle_post, 0);
    add_route("/timer", handle_timer, 0);
    add_route("/phases", handle, 0);
    svc_app_add_hook(app, start_hook, stop_hook, NULL);
    svc_app_add_hook(app, fail_hook, NULL, NULL);
    svc_app_add_task(app, &task);
    if (wanted == WORKER_BEGIN)
        svc_app_each_worker(app, begin_worker, NULL, NULL);
}

/* ---- The lives */

static const char body[] = "{\"name\":\"ada\"}";

/* Nobody waits for the answer: the service stops when the handler has had its moment. */
static int send_request(const char *path)
{
    char request[512];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    to.sin_port = htons((uint16_t)atoi(strchr(svc_app_address(app, 0), ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to))
        abort();
    int len = snprintf(request, sizeof request,
                       "POST %s?a=b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                       "Content-Type: application/json\r\n"
                       "Content-Length: %zu\r\n\r\n%s",
                       path, strlen(body), body);
    if (send(fd, request, (size_t)len, MSG_NOSIGNAL) != len)
        abort();
    return fd;
}

static void expect_start(int error)
{
    bool in_start = wanted == START_LAYER || wanted == START_HOOK || wanted == BESIDE_START;
    bool refused = !wanted_life || is("svc_app_run") || is("svc_app_main");
    int expected = 0;
    if (in_start && is("svc_app_stop"))
        expected = SVC_ECANCELLED;
    else if (in_start && refused)
        expected = SVC_ESTATE; /* something was registered, too late */
    else if (wanted == FAILED || wanted == FAILED_STOP_HOOK)
        expected = SVC_ESTART;
    if (error != expected)
        find_wrong("the start", error);
}

/* A stop is asked for by each handler, and a second one does not wait for the first's request. */
static void expect_wait(int error)
{
    int expected = wanted == STARTED && is("svc_app_wait") ? SVC_ESTATE : 0;
    bool forced = is("svc_app_stop") && error == SVC_EFORCED;
    if (error != expected && !forced)
        find_wrong(wanted_life ? wanted_life->name : "the wait", error);
}

static void serve(void)
{
    const char *path = moments[wanted].path;
    int fd = path ? send_request(path) : -1;
    while (wanted == TASK && !atomic_load(&task_reached))
        usleep(1000);
    if (!path)
        svc_app_stop(app);
    reach(STARTED, NULL, NULL);
    expect_wait(svc_app_wait(app));
    if (fd >= 0)
        close(fd);
    reach(STOPPED, NULL, NULL);
}

static void live_as_service(void)
{
    make_app();
    reach(BEFORE, NULL, NULL);
    if (freed)
        return;
    bool tested = wanted == BEFORE && wanted_life && strstr(wanted_life->name, "svc_app_test");
    int error = started ? 0 : svc_app_start(app);
    if (tested && error != SVC_ESTATE) /* its tasks run */
        find_wrong("the start of a tested app", error);
    if (!tested)
        expect_start(error);
    if (!error)
        serve();
    else
        reach(FAILED, NULL, NULL);
    if (!freed)
        svc_app_free(app);
}

static void live_as_test(void)
{
    make_app();
    const char *const headers[] = {"Content-Type", "application/json", NULL};
    svc_test test = SVC_TEST_INIT;
    test.method = "POST";
    test.target = moments[wanted].path;
    test.headers = headers;
    test.body = body;
    test.body_len = sizeof body - 1;
    svc_reply_free(svc_app_test(app, &test));
    while (wanted == TEST_TASK && !atomic_load(&task_reached))
        usleep(1000);
    reach(TESTED, NULL, NULL);
    if (!freed)
        svc_app_free(app);
}

static void live(void)
{
    alarm(LIMIT_S);
    switch (moments[wanted].flow) {
    case NONE:
        reach(NOTHING, NULL, NULL);
        break;
    case SERVICE:
        live_as_service();
        break;
    case TEST:
        live_as_test();
        break;
    }
}

/* ---- One process each */

static bool ends_well(int status)
{
    const char *what = wanted_life ? wanted_life->name : report->call ? report->call : "no call";
    const char *moment = moments[wanted].name;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        printf("%s at %s: never ends (in %s)\n", what, moment, report->call);
    else if (WIFSIGNALED(status))
        printf("%s at %s: signal %d\n", what, moment, WTERMSIG(status));
    else if (WEXITSTATUS(status))
        printf("%s at %s: exit status %d\n", what, moment, WEXITSTATUS(status));
    else if (!report->reached)
        printf("%s is not reached (for %s)\n", moment, wanted_life ? what : "all calls");
    else
        return !report->wrong;
    return false;
}

static bool try_life(enum moment moment, const struct call *life)
{
    int status;
    fflush(stdout);
    *report = (struct report){.call = NULL};
    wanted = moment;
    wanted_life = life;
    pid_t child = fork();
    if (child == 0) {
        live();
        exit(0);
    }
    return waitpid(child, &status, 0) == child && ends_well(status);
}

static bool try_moment(enum moment moment)
{
    bool good = try_life(moment, NULL);
    for (size_t i = 0; i < call_count; i++)
        if (all_calls[i].kind == LIFE)
            good = try_life(moment, &all_calls[i]) && good;
    return good;
}

/* ---- No symbol is forgotten */

static bool has_row(const char *name)
{
    for (size_t i = 0; i < call_count; i++)
        if (!strcmp(all_calls[i].name, name))
            return true;
    return false;
}

static bool has_all_symbols(void)
{
    char path[4096], line[256], name[256];
    const char *top = getenv("top_srcdir");
    snprintf(path, sizeof path, "%s/libsvc/libsvc.sym", top ? top : ".");
    FILE *file = fopen(path, "r");
    if (!file) {
        perror(path);
        return false;
    }
    size_t symbols = 0, missing = 0;
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, " svc_%200[a-z0-9_];", name + 4) != 1)
            continue;
        memcpy(name, "svc_", 4);
        symbols++;
        if (!has_row(name)) {
            printf("%s: not in tests/structure/calls_table.c\n", name);
            missing++;
        }
    }
    fclose(file);
    if (symbols != call_count)
        printf("%zu symbols, %zu calls\n", symbols, call_count);
    return !missing && symbols == call_count;
}

/* With a name of a moment, only that one. */
int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (report == MAP_FAILED)
        return 1;
    bool good = has_all_symbols();
    for (int moment = 0; moment < MOMENT_COUNT; moment++)
        if (argc < 2 || !strcmp(argv[1], moments[moment].name))
            good = try_moment((enum moment)moment) && good;
    return good ? 0 : 1;
}
