/* Lingering close. */
#include "libsvc/server/linger.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libsvc/server/loop.h"

static void set_deadline(struct loop *loop, struct lingering *linger)
{
    uint64_t due = loop->now_ms + LINGER_IDLE_MS;
    svc__wheel_set(&loop->wheel, &linger->deadline.timer,
                   due < linger->end_ms ? due : linger->end_ms);
}

static void link_in(struct loop *loop, struct lingering *linger)
{
    linger->next = loop->lingers;
    if (loop->lingers)
        loop->lingers->previous = linger;
    loop->lingers = linger;
}

static void end(struct loop *loop, struct lingering *linger)
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
    free(linger);
    svc__server_socket_closed(loop->server, &loop->server->lingers);
}

static void refuse(struct loop *loop, int fd)
{
    svc__metric_add(loop->host.cells, loop->server->metrics.lingering_full, 1);
    close(fd);
}

void svc__linger_begin(struct loop *loop, int fd)
{
    shutdown(fd, SHUT_WR);
    struct server *server = loop->server;
    struct lingering *linger = NULL;
    if (svc__server_socket_opened(server, &server->lingers, LINGER_MAX)) {
        linger = calloc(1, sizeof *linger);
        if (!linger)
            svc__server_socket_closed(server, &server->lingers);
    }
    if (!linger) {
        refuse(loop, fd);
        return;
    }
    *linger = (struct lingering){
        .watch = {WATCH_LINGER}, .deadline = {.kind = DEADLINE_LINGER}, .fd = fd};
    linger->end_ms = loop->now_ms + LINGER_TOTAL_MS;
    link_in(loop, linger);
    if (svc__loop_watch(loop, fd, EPOLLIN, &linger->watch))
        end(loop, linger);
    else
        set_deadline(loop, linger);
}

/* What arrives is dropped, a few buffers a turn, so that a fast sender cannot hold the loop. */
void svc__linger_event(struct loop *loop, struct lingering *linger)
{
    char dropped[16384];
    for (int i = 0; i < 8; i++) {
        ssize_t n = recv(linger->fd, dropped, sizeof dropped, MSG_DONTWAIT);
        if (n <= 0) {
            if (n == 0 || (errno != EAGAIN && errno != EINTR))
                end(loop, linger);
            else
                set_deadline(loop, linger);
            return;
        }
    }
    set_deadline(loop, linger);
}

void svc__linger_expired(struct loop *loop, struct lingering *linger)
{
    end(loop, linger);
}

void svc__linger_close_all(struct loop *loop)
{
    while (loop->lingers)
        end(loop, loop->lingers);
}
