/*
 * Descriptors that the application watches. An event that epoll has given out already points at its
 * watch whatever happens to that in the same turn: one that is freed waits for nothing, and its
 * memory stays until the turn's events are over.
 */
#include "libsvc/run/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

struct svc_watch {
    struct watch watch;    /* first */
    svc_loop *loop;        /* NULL when it has ended */
    svc_watch *next, **at; /* in the loop's list, and what points to this one there */
    int fd;
    unsigned events; /* that it waits for */
    void (*fn)(unsigned events, void *arg);
    void *arg;
};

static bool are_known(unsigned events)
{
    return !(events & ~(unsigned)(SVC_READABLE | SVC_WRITABLE));
}

/* One that waits for nothing is not registered at all: epoll would tell its hang-up all the same,
 * again and again. */
static int apply(svc_watch *watch, unsigned events)
{
    struct epoll_event event = {.data.ptr = &watch->watch};
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

static void enlist(svc_watch **list, svc_watch *watch)
{
    watch->next = *list;
    watch->at = list;
    if (watch->next)
        watch->next->at = &watch->next;
    *list = watch;
}

static void unlist(svc_watch *watch)
{
    *watch->at = watch->next;
    if (watch->next)
        watch->next->at = watch->at;
}

svc_watch *svc_watch_new(svc_loop *loop, int fd, unsigned events,
                         void (*fn)(unsigned events, void *arg), void *arg)
{
    bool valid = loop && are_known(events) && svc__reactor_is_open(loop);
    svc_watch *watch = valid ? calloc(1, sizeof *watch) : NULL;
    if (!watch)
        return NULL;
    watch->watch.kind = WATCH_APP;
    watch->loop = loop;
    watch->fd = fd;
    watch->fn = fn;
    watch->arg = arg;
    if (apply(watch, events)) {
        free(watch);
        return NULL;
    }
    enlist(&loop->watches, watch);
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
    unlist(watch);
    enlist(&watch->loop->freed, watch);
}

void svc__watch_ready(svc_watch *watch, uint32_t events)
{
    unsigned told = events & (EPOLLERR | EPOLLHUP) ? SVC_READABLE | SVC_WRITABLE : 0;
    told |= events & EPOLLIN ? SVC_READABLE : 0;
    told |= events & EPOLLOUT ? SVC_WRITABLE : 0;
    told &= watch->events;
    if (told)
        watch->fn(told, watch->arg);
}

void svc__watch_bury(svc_loop *loop)
{
    while (loop->freed) {
        svc_watch *watch = loop->freed;
        unlist(watch);
        free(watch);
    }
}

void svc__watch_forget_all(svc_loop *loop)
{
    svc__watch_bury(loop);
    while (loop->watches) {
        svc_watch *watch = loop->watches;
        (void)apply(watch, 0);
        watch->events = 0;
        unlist(watch);
        watch->loop = NULL;
    }
}
