/* The part that connections of all protocols have in common. */
#include "libsvc/server/conn.h"

#include <stdlib.h>
#include <sys/epoll.h>

#include "libsvc/server/address_limit.h"
#include "libsvc/server/front.h"
#include "libsvc/server/loop.h"

struct conn *svc__conn_new(const struct front *front, int fd,
                           const struct sockaddr_storage *address, socklen_t len)
{
    struct conn *conn = calloc(1, front->conn_size);
    if (!conn)
        return NULL;
    conn->front = front;
    conn->fd = fd;
    conn->address = *address;
    conn->address_len = len;
    conn->peer = svc__peer_of(address);
    return conn;
}

static void add_to_state(const struct conn *conn, unsigned n)
{
    _Atomic unsigned *count = &conn->part->conns[conn->state];
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

void svc__conn_open(struct loop *loop, struct conn *conn)
{
    conn->loop = loop;
    conn->next = loop->conns;
    if (loop->conns)
        loop->conns->previous = conn;
    loop->conns = conn;
    conn->part = svc__loop_part(loop, conn->front);
    conn->state = CONN_IDLE;
    add_to_state(conn, 1);
    conn->front->open(conn->part, conn);
}

void svc__conn_leave(struct conn *conn)
{
    struct loop *loop = conn->loop;
    svc__time_limit_cancel(loop, &conn->limit);
    if (conn->next)
        conn->next->previous = conn->previous;
    if (conn->previous)
        conn->previous->next = conn->next;
    else
        loop->conns = conn->next;
    svc__address_limit_leave(loop->server->per_address, &conn->peer);
    add_to_state(conn, -1U);
    conn->part = NULL;
    conn->loop = NULL;
    conn->next = conn->previous = NULL;
    atomic_fetch_sub(&loop->count, 1);
    svc__server_socket_closed(loop->server, &loop->server->connections);
}

void svc__conn_release(struct conn *conn)
{
    svc__conn_leave(conn);
    free(conn);
}

bool svc__conn_note_events(struct conn *conn, uint32_t events)
{
    bool left = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
    conn->left = conn->left || left;
    if (conn->watching & EPOLLONESHOT)
        conn->watching = 0;
    return left;
}

static void watch_conn(struct conn *conn, uint32_t events)
{
    if (conn->watched && conn->watching == events)
        return;
    int error = conn->watched ? svc__loop_rewatch(conn->loop, conn->fd, events, &conn->watch)
                              : svc__loop_watch(conn->loop, conn->fd, events, &conn->watch);
    conn->watched = conn->watched || !error;
    conn->watching = error ? 0 : events; /* so that the next call tries again */
    conn->unwatched = error ? events : 0;
    if (error)
        svc__loop_watch_later(conn->loop);
}

void svc__conn_watch_again(struct conn *conn)
{
    if (conn->unwatched)
        watch_conn(conn, conn->unwatched);
}

void svc__conn_watch_once(struct conn *conn, uint32_t events)
{
    watch_conn(conn, events | EPOLLET | EPOLLONESHOT);
}

void svc__conn_watch_room(struct conn *conn)
{
    watch_conn(conn, EPOLLOUT);
}

void svc__conn_watch_edges(struct conn *conn, bool room)
{
    if (conn->left) /* an edge, reported once: a new registration reports it again */
        conn->watching = 0;
    watch_conn(conn, EPOLLIN | EPOLLRDHUP | EPOLLET | (room ? EPOLLOUT : 0));
}

/* One registration serves many requests, unless the connection is idle between them: each
 * registration costs a system call. */
void svc__conn_watch_departure(struct conn *conn)
{
    if (conn->left) /* an edge, reported once: a new registration reports it again */
        conn->watching = 0;
    watch_conn(conn, EPOLLRDHUP | EPOLLET);
}

void svc__conn_unwatch(struct conn *conn)
{
    if (conn->watched)
        svc__loop_unwatch(conn->loop, conn->fd);
    conn->watched = false;
}

void svc__conn_shut(struct conn *conn)
{
    shutdown(conn->fd, SHUT_RDWR);
}
