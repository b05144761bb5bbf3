/*
 * A server whose system calls fail on request. Its functions replace those of the C library, for
 * the library under test too. After a line "accept4 24 3" on the standard input, the next three
 * calls fail with errno 24; FAULTS in the environment is such a line for the start:
 *
 *     accept4     any
 *     epoll_add   epoll_ctl that adds or changes, except libmicrohttpd's for EPOLLPRI
 *     wake        writes to eventfds
 *     sendfile    any
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <svc.h>

struct fault {
    const char *call;
    _Atomic int error, left;
};

static struct fault faults[] = {
    {.call = "accept4"}, {.call = "epoll_add"}, {.call = "wake"}, {.call = "sendfile"}};
enum { ACCEPT4, EPOLL_ADD, WAKE, SENDFILE, CALLS };

/* Whether this call must fail; errno is set then. */
static bool fails(int call)
{
    struct fault *fault = &faults[call];
    int left = atomic_load(&fault->left);
    while (left > 0 && !atomic_compare_exchange_weak(&fault->left, &left, left - 1))
        continue;
    if (left > 0)
        errno = atomic_load(&fault->error);
    return left > 0;
}

static bool is_eventfd(int fd)
{
    char path[32], target[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(path, target, sizeof target - 1);
    target[len > 0 ? len : 0] = '\0';
    return strstr(target, "eventfd");
}

__attribute__((visibility("default"))) int accept4(int fd, struct sockaddr *address, socklen_t *len,
                                                   int flags)
{
    return fails(ACCEPT4) ? -1 : (int)syscall(SYS_accept4, fd, address, len, flags);
}

__attribute__((visibility("default"))) int epoll_ctl(int epoll_fd, int operation, int fd,
                                                     struct epoll_event *event)
{
    bool own = operation != EPOLL_CTL_DEL && !(event->events & EPOLLPRI);
    return own && fails(EPOLL_ADD) ? -1
                                   : (int)syscall(SYS_epoll_ctl, epoll_fd, operation, fd, event);
}

__attribute__((visibility("default"))) ssize_t write(int fd, const void *data, size_t len)
{
    if (atomic_load(&faults[WAKE].left) > 0 && len == sizeof(uint64_t) && is_eventfd(fd) &&
        fails(WAKE))
        return -1;
    return (ssize_t)syscall(SYS_write, fd, data, len);
}

/* libmicrohttpd calls sendfile64. */
__attribute__((visibility("default"))) ssize_t sendfile(int to, int from, off_t *at, size_t len)
{
    return fails(SENDFILE) ? -1 : (ssize_t)syscall(SYS_sendfile, to, from, at, len);
}

static void set_fault(const char *line)
{
    char call[32];
    int error, left;
    if (sscanf(line, "%31s %d %d", call, &error, &left) != 3)
        return;
    for (int i = 0; i < CALLS; i++)
        if (!strcmp(call, faults[i].call)) {
            atomic_store(&faults[i].error, error);
            atomic_store(&faults[i].left, left);
        }
}

static void *read_faults(void *arg)
{
    char line[128];
    (void)arg;
    while (fgets(line, sizeof line, stdin)) {
        set_fault(line);
        printf("fault set: %s", line);
        fflush(stdout);
    }
    return NULL;
}

static int start_reading(svc_app *app, void *arg)
{
    pthread_t thread;
    (void)app, (void)arg;
    return pthread_create(&thread, NULL, read_faults, NULL) || pthread_detach(thread);
}

/* ---- Answers from a loop, from a worker, and later */

static int hello(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "hello");
}

static int file(svc_request *req, svc_response *res)
{
    svc_file large = SVC_FILE_INIT;
    (void)req;
    large.fd = open(getenv("FAULTS_FILE"), O_RDONLY | O_CLOEXEC);
    return svc_response_fd(res, 200, "text/plain", &large);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the pointer, for other loops */
static svc_request *held;

static svc_request *get_held(void)
{
    pthread_mutex_lock(&lock);
    svc_request *req = held;
    pthread_mutex_unlock(&lock);
    return req;
}

/* Waits until it is released. */
static int hold(svc_request *req, svc_response *res, const svc_layer *layer)
{
    int *waited = layer->state;
    (void)res;
    if ((*waited)++)
        return SVC_PASS;
    pthread_mutex_lock(&lock);
    held = req;
    pthread_mutex_unlock(&lock);
    svc_log_info(req, "held");
    return SVC_WAIT;
}

/* Whether the server has noticed that the held client has left. */
static int left(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, svc_request_cancelled(get_held()) ? "left" : "there");
}

static int release(svc_request *req, svc_response *res)
{
    (void)req;
    svc_request_resume(get_held());
    return svc_response_text(res, 200, "released");
}

int main(void)
{
    static const svc_middleware layer = {
        .size = sizeof layer, .name = "hold", .state_size = sizeof(int), .on_request = hold};
    static const svc_middleware *const layers[] = {&layer, NULL};
    if (getenv("FAULTS"))
        set_fault(getenv("FAULTS"));
    svc_app *app = svc_app_new("faults");
    svc_app_get(app, "/hello", hello, NULL);
    svc_route worker = SVC_ROUTE_INIT, waits = SVC_ROUTE_INIT;
    worker.pattern = "GET /worker";
    worker.handler = hello;
    worker.flags = SVC_BLOCKING;
    svc_app_route(app, &worker);
    waits.pattern = "GET /hold";
    waits.handler = hello;
    waits.middleware = layers;
    svc_app_route(app, &waits);
    svc_app_get(app, "/file", file, NULL);
    svc_app_get(app, "/left", left, NULL);
    svc_app_get(app, "/release", release, NULL);
    svc_app_add_hook(app, start_reading, NULL, NULL);
    return svc_app_run(app);
}
