/* The calls of an event loop for all code that runs on it. */
#include "libsvc/server/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "libsvc/base/wait.h"
#include "libsvc/server/front.h"

enum {
    REPORT_MS = 1000, /* until the number of suppressed lines is logged */
    LOG_EVERY_MS = 1000,
    WATCH_AGAIN_MS = 50
};

void svc__loop_log_fault(struct loop *loop, _Atomic uint64_t *logged_ms, const char *message,
                         const char *reason)
{
    uint64_t last = atomic_load(logged_ms);
    if (last && loop->now_ms < last + LOG_EVERY_MS)
        return;
    if (atomic_compare_exchange_strong(logged_ms, &last, loop->now_ms))
        svc__log(&loop->log, SVC_LEVEL_ERROR, message, svc_kv_str("reason", reason),
                 svc_kv_uint("connections", atomic_load(&loop->server->connections)));
}

void svc__loop_fault(struct loop *loop, unsigned count, const char *message, const char *reason)
{
    svc__counter_add(loop->server->metrics.faults, count);
    svc__loop_log_fault(loop, &loop->server->fault_logged_ms, message, reason);
}

static int control_epoll(struct loop *loop, int operation, int fd, uint32_t events,
                         struct watch *watch)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (!epoll_ctl(loop->reactor.epoll_fd, operation, fd, &event))
        return 0;
    int error = errno;
    if (error != EEXIST)
        svc__loop_fault(loop, 1, "a socket cannot be watched", strerror(error));
    errno = error;
    return SVC_ESYSTEM;
}

int svc__loop_watch(struct loop *loop, int fd, uint32_t events, struct watch *watch)
{
    int error = control_epoll(loop, EPOLL_CTL_ADD, fd, events, watch);
    return error && errno == EEXIST ? svc__loop_rewatch(loop, fd, events, watch) : error;
}

int svc__loop_rewatch(struct loop *loop, int fd, uint32_t events, struct watch *watch)
{
    return control_epoll(loop, EPOLL_CTL_MOD, fd, events, watch);
}

void svc__loop_watch_later(struct loop *loop)
{
    svc__wheel_set(&loop->wheel, &loop->watch_again.timer, loop->now_ms + WATCH_AGAIN_MS);
}

void svc__loop_unwatch(struct loop *loop, int fd)
{
    epoll_ctl(loop->reactor.epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

void svc__loop_wake(struct loop *loop)
{
    svc__reactor_wake(&loop->reactor);
}

const char *svc__loop_date(struct loop *loop)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec != loop->date_second) {
        loop->date_second = now.tv_sec;
        svc__clock_imf(loop->date, now.tv_sec);
    }
    return loop->date;
}

struct front_part *svc__loop_part(const struct loop *loop, const struct front *front)
{
    size_t i = 0;
    while (loop->parts[i]->front != front)
        i++;
    return loop->parts[i];
}

bool svc__loop_has_work(const struct loop *loop)
{
    bool again = false;
    for (size_t i = 0; i < loop->part_count; i++)
        again |= loop->parts[i]->again;
    return again;
}

/* The shorter of two times to wait; -1 is without limit. */
static int shorter_wait(int a_ms, int b_ms)
{
    return a_ms < 0 || (b_ms >= 0 && a_ms > b_ms) ? b_ms : a_ms;
}

int svc__loop_wait_ms(const struct loop *loop, uint64_t now_ns)
{
    uint64_t now_ms = now_ns / 1000000;
    if (svc__loop_has_work(loop))
        return 0;
    int wait = shorter_wait(svc__reactor_wait_ms(&loop->reactor, now_ns),
                            svc__wait_epoll_ms(svc__wheel_wait(&loop->wheel, now_ms)));
    if (loop->news)
        wait = shorter_wait(wait, loop->news_ms > now_ms ? (int)(loop->news_ms - now_ms) : 0);
    if (svc__log_suppresses(&loop->log))
        wait = shorter_wait(wait, REPORT_MS);
    bool sweeping = atomic_load(&loop->stage) >= STAGE_CLOSE_IDLE;
    return sweeping ? shorter_wait(wait, LOOP_SWEEP_MS) : wait;
}
