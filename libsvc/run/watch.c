/*
 * Descriptors that the application watches. An event that epoll has given out already points at its
 * watch whatever happens to that in the same turn: one that is freed waits for nothing, and its
 * memory stays until the turn's events are over.
 */
#include "libsvc/run/reactor.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

struct svc_watch {
    struct own_watch own; /* first */
    svc_loop *loop;       /* NULL when it has ended */
    int fd;
    unsigned events; /* that it waits for */
    void (*fn)(unsigned events, void *arg);
    void *arg;
};

static bool are_known(unsigned events)
{
    return !(events & ~(unsigned)(SVC_READABLE | SVC_WRITABLE));
}

/* A watch that waits for nothing is not registered at all: epoll would report its hang-up all the
 * same, again and again. */
static int apply(svc_watch *watch, unsigned events)
{
    struct epoll_event event = {.data.ptr = &watch->own.watch};
    int call = !events ? EPOLL_CTL_DEL : watch->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (events == watch->events)
        return 0;
    event.events = (events & SVC_READABLE ? (uint32_t)EPOLLIN : 0) |
                   (events & SVC_WRITABLE ? (uint32_t)EPOLLOUT : 0);
    if (epoll_ctl(watch->loop->epoll_fd, call, watch->fd, &event))
        return errno == ENOMEM ? SVC_ENOMEM : SVC_ESYSTEM;
    watch->events = events;
    return 0;
}

/* Reports epoll's events to the application, if it still waits for one of them. */
static void report_ready(struct svc_loop *loop, struct watch *of, uint32_t events)
{
    svc_watch *watch = (svc_watch *)(void *)of;
    unsigned ready = events & (EPOLLERR | EPOLLHUP) ? SVC_READABLE | SVC_WRITABLE : 0;
    ready |= events & EPOLLIN ? SVC_READABLE : 0;
    ready |= events & EPOLLOUT ? SVC_WRITABLE : 0;
    ready &= watch->events;
    if (ready)
        watch->fn(ready, watch->arg);
    svc__watchdog_look(&loop->watchdog, WATCHED_WATCH, NULL);
}

/* Leaves it to the application, which may free it whenever it wants. */
static void leave_loop(struct own_watch *own)
{
    svc_watch *watch = (svc_watch *)(void *)own;
    (void)apply(watch, 0);
    watch->events = 0;
    watch->loop = NULL;
}

svc_watch *svc_watch_new(svc_loop *loop, int fd, unsigned events,
                         void (*fn)(unsigned events, void *arg), void *arg)
{
    bool valid = loop && are_known(events) && svc__reactor_is_open(loop);
    svc_watch *watch = valid ? calloc(1, sizeof *watch) : NULL;
    if (!watch)
        return NULL;
    watch->own.watch.ready = report_ready;
    watch->own.forget = leave_loop;
    watch->loop = loop;
    watch->fd = fd;
    watch->fn = fn;
    watch->arg = arg;
    if (apply(watch, events)) {
        free(watch);
        return NULL;
    }
    svc__reactor_own(loop, &watch->own);
    return watch;
}

int svc_watch_set(svc_watch *watch, unsigned events)
{
    if (!watch || !are_known(events))
        return watch ? SVC_EINVAL : SVC_ENOMEM;
    return watch->loop && svc__reactor_is_open(watch->loop) ? apply(watch, events) : SVC_ESTATE;
}

void svc_watch_free(svc_watch *watch)
{
    if (!watch)
        return;
    if (!watch->loop) {
        free(watch);
        return;
    }
    (void)apply(watch, 0); /* which fails when the descriptor was closed too early */
    watch->events = 0;
    svc__reactor_bury(watch->loop, &watch->own);
}
