/*
 * A service in which requests wait for somebody, and are given up at their deadline or by a forced
 * stop, survives its n-th allocation failing meanwhile, for n from the first to the last: each
 * client gets an answer or the end of its connection, and those behind them are served as ever.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <svc.h>

#include "tests/support/starve.h"

enum {
    MAX_ALLOCATIONS = 10000,
    DEADLINE_MS = 30,
    STOP_MS = 100,     /* of a stop, before it cuts */
    ANSWER_MS = 20000, /* far more than any of them may take */
    LOOK_NS = 1000000
};

/* ---- Those that wait until nobody waits for them */

static void look_again(void)
{
    nanosleep(&(struct timespec){0, LOOK_NS}, NULL);
}

static int block(svc_request *req, svc_response *res)
{
    (void)res;
    while (!svc_request_cancelled(req))
        look_again();
    return SVC_ECANCELLED;
}

static void drop(svc_pending *pending, void *arg)
{
    (void)arg;
    svc_pending_unref(pending);
}

static int keep(svc_request *req, svc_response *res)
{
    (void)res;
    return svc_request_defer(req, drop, NULL) ? 0 : SVC_ENOMEM;
}

static void *resume_late(void *arg)
{
    svc_request *req = arg;
    while (!svc_request_cancelled(req))
        look_again();
    svc_log_info(req, "goes on in vain");
    svc_request_resume(req);
    return NULL;
}

static int hold(svc_request *req, svc_response *res, const svc_layer *layer)
{
    bool *waited = layer->state;
    pthread_t thread;
    (void)res;
    if (*waited)
        return SVC_PASS;
    *waited = true;
    if (pthread_create(&thread, NULL, resume_late, req))
        return SVC_ESYSTEM;
    pthread_detach(thread);
    return SVC_WAIT;
}

/* What the client has sent is there to the end, also when its connection is not. */
static void look_at_head(svc_request *req, const svc_response *res, const svc_layer *layer,
                         const svc_done *done)
{
    (void)res, (void)layer, (void)done;
    const char *tag = svc_request_header(req, "X-Tag");
    if (!tag || strcmp(tag, "its own") || strcmp(svc_request_method(req), "GET"))
        abort();
}

static const svc_middleware holds = {.size = sizeof holds,
                                     .name = "holds",
                                     .state_size = sizeof(bool),
                                     .on_request = hold,
                                     .on_done = look_at_head};

/* Passes, so that what ends before it is looked at as well. */
static const svc_middleware looks = {
    .size = sizeof looks, .name = "looks", .on_done = look_at_head};

static int64_t read_never(void *state, char *data, size_t len)
{
    (void)state, (void)data, (void)len;
    return SVC_EAGAIN;
}

static void close_source(void *state)
{
    svc_waker_unref(state);
}

static int wait_for_source(svc_request *req, svc_response *res)
{
    (void)req;
    svc_source source = SVC_SOURCE_INIT;
    source.read = read_never;
    source.close = close_source;
    source.state = svc_response_waker(res);
    return source.state ? svc_response_source(res, 200, NULL, &source) : SVC_ENOMEM;
}

static int write_never(svc_pipe *pipe, void *arg)
{
    (void)arg;
    while (svc_pipe_try_write(pipe, "", 0) == 0)
        look_again();
    return SVC_ECANCELLED;
}

static int wait_for_writer(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_writer(res, 200, NULL, write_never, NULL);
}

static int hello(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "hello");
}

/* ---- The service */

static const struct {
    const char *pattern;
    svc_handler *handler;
    unsigned flags;
    const svc_middleware *layer;
    const char *request;
} rows[] = {
    {"GET /hello", hello, 0, NULL, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"GET /block", block, SVC_BLOCKING, NULL, "GET /block HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"GET /keep", keep, 0, NULL, "GET /keep HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"GET /hold", hello, 0, &holds, "GET /hold HTTP/1.1\r\nHost: a\r\nX-Tag: its own\r\n\r\n"},
    {"GET /source", wait_for_source, 0, NULL,
     "GET /source HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"},
    {"GET /writer", wait_for_writer, 0, NULL,
     "GET /writer HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"},
    {"POST /half", hello, 0, NULL,
     "POST /half HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf"},
    {"POST /half-stream", block, SVC_BLOCKING | SVC_STREAM_BODY, NULL,
     "POST /half-stream HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf"},
    {"POST /stall", block, SVC_BLOCKING | SVC_STREAM_BODY, NULL,
     "POST /stall HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"},
    {"POST /keep-stall", keep, SVC_STREAM_BODY, NULL,
     "POST /keep-stall HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"},
};

enum { ROWS = sizeof rows / sizeof *rows, STALLED = 100000 };

static svc_app *make_app(uint64_t deadline_ms, uint64_t drain_ms)
{
    svc_app *app = svc_app_new("alloc");
    svc_config config = SVC_CONFIG_INIT;
    config.listen = "127.0.0.1:0";
    config.admin_listen = "";
    config.log_output = "/dev/null";
    config.threads = 1;
    config.drain_delay_ms = 0;
    config.drain_timeout_ms = drain_ms;
    config.request_timeout_ms = config.body_timeout_ms = config.send_timeout_ms = deadline_ms;
    svc_app_configure(app, &config);
    for (size_t i = 0; i < ROWS; i++) {
        const svc_middleware *const layers[] = {&looks, rows[i].layer, NULL};
        svc_route route = SVC_ROUTE_INIT;
        route.pattern = rows[i].pattern;
        route.handler = rows[i].handler;
        route.flags = rows[i].flags;
        route.middleware = rows[i].layer ? layers : NULL;
        svc_app_route(app, &route);
    }
    if (svc_app_start(app))
        abort();
    return app;
}

/* ---- Its clients, which allocate nothing */

static int connect_to(svc_app *app)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    to.sin_port = htons((uint16_t)atoi(strchr(svc_app_address(app, 0), ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to))
        abort();
    return fd;
}

/* What is refused at once may be closed before all of it has been sent. */
static void send_request(int fd, const char *request)
{
    static const char body[STALLED];
    (void)send(fd, request, strlen(request), MSG_NOSIGNAL);
    if (strstr(request, "Length: 1000000"))
        (void)send(fd, body, sizeof body, MSG_NOSIGNAL);
}

static bool is_stream(size_t row)
{
    return rows[row].handler == wait_for_source || rows[row].handler == wait_for_writer;
}

/* Whether an answer has come, or, for a stream, its end. It must within the time. */
static bool await_answer(int fd, size_t row)
{
    char data[4096];
    ssize_t n;
    do {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (poll(&wait, 1, ANSWER_MS) != 1) {
            printf("WRONG: the client of %s waits for ever\n", rows[row].pattern);
            return false;
        }
        n = recv(fd, data, sizeof data, 0);
    } while (n > 0 && is_stream(row));
    return true;
}

static bool expect_hello(svc_app *app)
{
    char data[4096] = "";
    int fd = connect_to(app);
    send_request(fd, rows[0].request);
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    bool answered = poll(&wait, 1, ANSWER_MS) == 1 && recv(fd, data, sizeof data - 1, 0) > 0 &&
                    strstr(data, "200 OK");
    close(fd);
    if (!answered)
        printf("WRONG: it does not serve any more: %s\n", data);
    return answered;
}

static bool await_all(const int *fds)
{
    bool answered = true;
    for (size_t i = 0; i < ROWS; i++) {
        answered = answered && await_answer(fds[i], i);
        close(fds[i]);
    }
    return answered;
}

/* ---- Again and again */

/* Their deadlines pass. What was given up has let go of all that it had by the stop, which is
 * clean. */
static bool expire(int n, bool *reached)
{
    int fds[ROWS];
    svc_app *app = make_app(DEADLINE_MS, ANSWER_MS);
    starve_after(n);
    for (size_t i = 0; i < ROWS; i++)
        send_request(fds[i] = connect_to(app), rows[i].request);
    bool done = await_all(fds);
    *reached = starve_end();
    done = done && expect_hello(app);
    svc_app_stop(app);
    int error = svc_app_wait(app);
    if (error)
        printf("WRONG: the stop is not clean: %s\n", svc_error_text(error));
    svc_app_free(app);
    return done && !error;
}

/* All that wait are cut by a stop, whose time passes soon. */
static bool cut(int n, bool *reached)
{
    int fds[ROWS];
    svc_app *app = make_app(ANSWER_MS, STOP_MS);
    for (size_t i = 0; i < ROWS; i++)
        send_request(fds[i] = connect_to(app), rows[i].request);
    bool done = await_answer(fds[0], 0) && expect_hello(app);
    starve_after(n);
    svc_app_stop(app);
    int error = svc_app_wait(app);
    *reached = starve_end();
    done = await_all(fds) && done;
    if (error != SVC_EFORCED)
        printf("WRONG: the stop is not forced: %s\n", svc_error_text(error));
    svc_app_free(app);
    return done && error == SVC_EFORCED;
}

static bool survive(const char *name, bool (*attempt)(int n, bool *reached))
{
    for (int n = 0; n < MAX_ALLOCATIONS; n++) {
        bool reached;
        if (!attempt(n, &reached)) {
            printf("%s: WRONG where allocation %d fails\n", name, n);
            return false;
        }
        if (!reached) {
            printf("%s: %d allocations, ok\n", name, n);
            return n > 0;
        }
    }
    return false;
}

int main(void)
{
    bool done = survive("deadlines", expire);
    return survive("cut", cut) && done ? 0 : 1;
}
