/* Lingering close. */
#include "libsvc/server/linger.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libsvc/server/loop.h"

enum { LOOK_AGAIN_MS = 50 };

/* By edges: once the peer has shut its sending side, that would be an event without end. */
#define SENDING (EPOLLIN | EPOLLOUT | EPOLLET)

static void set_timer(struct loop *loop, struct lingering *linger)
{
    uint64_t look_ms = loop->now_ms + LOOK_AGAIN_MS;
    bool looks = linger->unwatched && look_ms < linger->due_ms;
    svc__wheel_set(&loop->wheel, &linger->deadline.timer, looks ? look_ms : linger->due_ms);
}

/* Sets the deadline anew, since there is progress. */
static void set_deadline(struct loop *loop, struct lingering *linger)
{
    uint64_t due = loop->now_ms + LINGER_IDLE_MS;
    if (!linger->end_ms)
        due = loop->now_ms + loop->server->app->config.send_timeout_ms;
    else if (due > linger->end_ms)
        due = linger->end_ms;
    linger->due_ms = due;
    set_timer(loop, linger);
}

/* Watches for the events of the present phase. Also called for the same events: bytes that are left
 * in the socket cause no new edge, but a new registration reports them. */
static void watch_linger(struct loop *loop, struct lingering *linger)
{
    uint32_t events = linger->end_ms ? EPOLLIN : SENDING;
    linger->unwatched = svc__loop_watch(loop, linger->fd, events, &linger->watch);
}

static void end_linger(struct loop *loop, struct lingering *linger)
{
    if (linger->next)
        linger->next->previous = linger->previous;
    if (linger->previous)
        linger->previous->next = linger->next;
    else
        loop->lingers = linger->next;
    svc__wheel_cancel(&loop->wheel, &linger->deadline.timer);
    svc__loop_unwatch(loop, linger->fd);
    close(linger->fd);
    free(linger->unsent.data);
    free(linger);
    svc__server_socket_closed(loop->server, &loop->server->lingers);
}

/* The system has the whole reply. */
static void finish_sending(struct loop *loop, struct lingering *linger)
{
    shutdown(linger->fd, SHUT_WR);
    linger->end_ms = loop->now_ms + LINGER_TOTAL_MS;
    watch_linger(loop, linger);
    set_deadline(loop, linger);
}

/* Reads and drops a few buffers a turn, so that a fast sender cannot hold the loop. False: the peer
 * has closed the socket. */
static bool drop_input(struct loop *loop, struct lingering *linger)
{
    char dropped[16384];
    for (int i = 0; i < 8; i++) {
        ssize_t n = recv(linger->fd, dropped, sizeof dropped, MSG_DONTWAIT);
        if (n <= 0)
            return n < 0 && (errno == EAGAIN || errno == EINTR);
        if (linger->end_ms)
            set_deadline(loop, linger);
    }
    watch_linger(loop, linger);
    return true;
}

/* Sends more of the reply. False: the peer has gone. */
static bool send_rest(struct loop *loop, struct lingering *linger)
{
    const struct unsent *unsent = &linger->unsent;
    ssize_t n = send(linger->fd, unsent->data + linger->sent, unsent->len - linger->sent,
                     MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    linger->sent += (size_t)n;
    if (linger->sent < unsent->len)
        set_deadline(loop, linger);
    else
        finish_sending(loop, linger);
    return true;
}

/* The socket has bytes to read, their end, or room. */
static void serve_linger(struct loop *loop, struct lingering *linger, uint32_t events)
{
    bool sending = !linger->end_ms, open = !(events & (EPOLLERR | EPOLLHUP));
    if (open) {
        bool input = drop_input(loop, linger);
        /* A peer that has shut its side for writing may still read. */
        open = sending ? send_rest(loop, linger) : input;
    }
    if (!open)
        end_linger(loop, linger);
}

static void socket_ready(struct svc_loop *reactor, struct watch *watch, uint32_t events)
{
    serve_linger(svc__loop_of(reactor), (struct lingering *)(void *)watch, events);
}

/* The end of its time, or the next try of a socket that epoll does not watch. */
static void time_over(struct svc_loop *reactor, struct deadline *deadline)
{
    struct loop *loop = svc__loop_of(reactor);
    struct lingering *linger =
        (struct lingering *)(void *)((char *)deadline - offsetof(struct lingering, deadline));
    if (loop->now_ms >= linger->due_ms) {
        end_linger(loop, linger);
        return;
    }
    watch_linger(loop, linger);
    set_timer(loop, linger);
    serve_linger(loop, linger, EPOLLIN | EPOLLOUT);
}

void svc__linger_begin(struct loop *loop, int fd, struct unsent unsent)
{
    struct server *server = loop->server;
    bool room = svc__server_socket_opened(server, &server->lingers, LINGER_MAX);
    struct lingering *linger = room ? calloc(1, sizeof *linger) : NULL;
    if (!linger) {
        if (room)
            svc__server_socket_closed(server, &server->lingers);
        svc__counter_add(server->metrics.lingering_full, 1);
        shutdown(fd, SHUT_WR);
        free(unsent.data);
        close(fd);
        return;
    }
    linger->watch.ready = socket_ready;
    linger->deadline.expired = time_over;
    linger->fd = fd;
    linger->unsent = unsent;
    linger->next = loop->lingers;
    if (loop->lingers)
        loop->lingers->previous = linger;
    loop->lingers = linger;
    if (!unsent.data) {
        finish_sending(loop, linger);
        return;
    }
    watch_linger(loop, linger);
    set_deadline(loop, linger);
}

void svc__linger_close_all(struct loop *loop)
{
    while (loop->lingers)
        end_linger(loop, loop->lingers);
}
