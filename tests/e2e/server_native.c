/* The server for the tests of libsvc's own front of HTTP/1. It counts the system calls that write.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <svc.h>

/* ---- Counting */

static _Atomic unsigned writes, file_writes;

#define REPLACES_LIBC __attribute__((visibility("default")))

REPLACES_LIBC ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    atomic_fetch_add(&writes, 1);
    return syscall(SYS_sendmsg, fd, message, flags);
}

REPLACES_LIBC ssize_t sendfile(int to, int from, off_t *at, size_t len)
{
    atomic_fetch_add(&file_writes, 1);
    return syscall(SYS_sendfile, to, from, at, len);
}

/* The calls before this one. */
static int count_writes(svc_request *req, svc_response *res)
{
    (void)req;
    char text[64];
    snprintf(text, sizeof text, "%u %u", atomic_load(&writes), atomic_load(&file_writes));
    return svc_response_text(res, 200, text);
}

/* ---- Replies */

static int hello(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "hello\n");
}

/* What the request says, so that a test sees what was kept of it. */
static int echo(svc_request *req, svc_response *res)
{
    size_t len;
    const char *body = svc_request_body(req, &len), *mark = svc_request_header(req, "X-Mark");
    if (mark)
        svc_response_set_header(res, "X-Mark", mark);
    return svc_response_copy(res, 200, "application/octet-stream", body, len);
}

static size_t number(svc_request *req, const char *name)
{
    const char *text = svc_request_query(req, name);
    return text ? (size_t)strtoull(text, NULL, 10) : 0;
}

static int large(svc_request *req, svc_response *res)
{
    size_t len = number(req, "bytes");
    char *data = malloc(len + 1);
    if (!data)
        return SVC_ENOMEM;
    memset(data, 'x', len);
    return svc_response_take(res, 200, "text/plain", data, len, free);
}

static int64_t read_letters(void *state, char *data, size_t len)
{
    size_t *left = state;
    size_t n = len < *left ? len : *left;
    memset(data, 's', n);
    *left -= n;
    return (int64_t)n;
}

static int stream(svc_request *req, svc_response *res)
{
    size_t *left = svc_request_alloc(req, sizeof *left);
    if (!left)
        return SVC_ENOMEM;
    *left = number(req, "bytes");
    svc_source source = SVC_SOURCE_INIT;
    source.read = read_letters;
    source.state = left;
    return svc_response_source(res, 200, "text/plain", &source);
}

static int send_file(svc_request *req, svc_response *res)
{
    char name[] = "/tmp/svc-native-XXXXXX";
    svc_file file = SVC_FILE_INIT;
    file.fd = mkstemp(name);
    unlink(name);
    if (file.fd < 0 || ftruncate(file.fd, (off_t)number(req, "bytes")))
        return SVC_ESYSTEM;
    return svc_response_fd(res, 200, "text/plain", &file);
}

/* ---- Both ways at a time */

struct talk {
    svc_request *req;
};

static int write_back(svc_pipe *pipe, void *arg)
{
    const struct talk *talk = arg;
    char data[1000];
    int64_t n, error = 0;
    while (error >= 0 && (n = svc_request_read(talk->req, data, sizeof data)) > 0)
        error = svc_pipe_write(pipe, data, (size_t)n);
    return error < 0 ? (int)error : (int)n;
}

static int talk(svc_request *req, svc_response *res)
{
    struct talk *talk = svc_request_alloc(req, sizeof *talk);
    if (!talk)
        return SVC_ENOMEM;
    talk->req = req;
    return svc_response_writer(res, 200, "text/plain", write_back, talk);
}

/* ---- Requests that wait */

/* Refuses before the body, as the request asks. */
static int refuse_first(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)layer;
    if (!svc_request_header(req, "X-Refuse"))
        return SVC_PASS;
    int error = svc_response_problem(res, 403, NULL);
    return error ? error : SVC_ANSWERED;
}

static const svc_middleware refuses = {
    .size = sizeof refuses, .name = "refuses", .on_request = refuse_first};

struct delay {
    svc_pending *pending;
    svc_timer *timer;
};

static void answer_late(void *arg)
{
    struct delay *delay = arg;
    svc_response *res = svc_response_new();
    const char *mark = svc_request_header(svc_pending_request(delay->pending), "X-Mark");
    svc_response_text(res, 200, mark ? mark : "none");
    svc_pending_complete(delay->pending, res);
    svc_timer_free(delay->timer);
    svc_pending_unref(delay->pending);
    free(delay);
}

static int answer_soon(svc_request *req, svc_response *res)
{
    struct delay *delay = calloc(1, sizeof *delay);
    (void)res;
    if (!delay)
        return SVC_ENOMEM;
    delay->pending = svc_request_defer(req, NULL, NULL);
    delay->timer = svc_timer_new(svc_request_loop(req), answer_late, delay);
    svc_timer_set(delay->timer, number(req, "ms"));
    return 0;
}

static _Atomic unsigned cancelled;

static void give_up(svc_pending *pending, void *arg)
{
    (void)arg;
    atomic_fetch_add(&cancelled, 1);
    svc_pending_unref(pending);
}

/* Until its client leaves. */
static int never(svc_request *req, svc_response *res)
{
    (void)res;
    return svc_request_defer(req, give_up, NULL) ? 0 : SVC_ENOMEM;
}

static int count_cancelled(svc_request *req, svc_response *res)
{
    (void)req;
    char text[16];
    snprintf(text, sizeof text, "%u", atomic_load(&cancelled));
    return svc_response_text(res, 200, text);
}

int main(void)
{
    svc_app *app = svc_app_new("native");
    const svc_middleware *layers[] = {&refuses, NULL};
    svc_route both = SVC_ROUTE_INIT, guarded = SVC_ROUTE_INIT;
    both.pattern = "POST /talk";
    both.handler = talk;
    both.flags = SVC_DUPLEX;
    both.max_body = (size_t)1 << 30;
    guarded.pattern = "POST /echo";
    guarded.handler = echo;
    guarded.max_body = 100000;
    guarded.middleware = layers;
    svc_app_route(app, &both);
    svc_app_route(app, &guarded);
    svc_app_get(app, "/hello", hello, NULL);
    svc_app_get(app, "/large", large, NULL);
    svc_app_get(app, "/stream", stream, NULL);
    svc_app_get(app, "/file", send_file, NULL);
    svc_app_get(app, "/soon", answer_soon, NULL);
    svc_app_get(app, "/never", never, NULL);
    svc_app_get(app, "/cancelled", count_cancelled, NULL);
    svc_app_get(app, "/writes", count_writes, NULL);
    return svc_app_run(app);
}
