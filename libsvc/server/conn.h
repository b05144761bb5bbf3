/*
 * The part that connections of all protocols have in common: a socket that the loop's epoll may
 * watch, a time limit, a place in the loop's list. A front's connection begins with a struct conn.
 *
 * All calls are for the thread of the connection's loop, unless their comment names another.
 */
#ifndef SVC_SERVER_CONN_H
#define SVC_SERVER_CONN_H

#include <sys/socket.h>

#include "libsvc/base/mailbox.h"
#include "libsvc/proto/peer.h"
#include "libsvc/run/reactor.h"
#include "libsvc/server/front.h"
#include "libsvc/server/time_limit.h"

struct conn {
    struct watch watch; /* first; the front sets its function */
    bool watched;       /* the loop's epoll has the socket */
    bool left;          /* the peer has shut its sending side, or has gone */
    uint32_t watching;  /* the events that epoll is to report */
    uint32_t unwatched; /* events that epoll has refused to watch: a timer tries again */
    int fd;
    struct time_limit limit; /* the front sets the function of its deadline */
    struct loop *loop;
    struct conn *next, *previous; /* in the loop's list */
    const struct front *front;
    struct front_part *part; /* the front's part of its loop */
    enum conn_state state;   /* as the part counts it: svc__conn_enter */
    struct mail mail;        /* the link in a loop's mailbox, while the connection is handed over */
    struct peer peer;
    socklen_t address_len;
    struct sockaddr_storage address;
};

/* Makes a connection of the given front for an accepted socket, which the connection owns on
 * success. NULL when out of memory. Any thread. */
struct conn *svc__conn_new(const struct front *front, int fd,
                           const struct sockaddr_storage *address, socklen_t len);

/* Adds a connection to a loop, and passes it to its front, which may close and free it. */
void svc__conn_open(struct loop *loop, struct conn *conn);

/* Counts the connection in another state. */
static inline void svc__conn_enter(struct conn *conn, enum conn_state state)
{
    _Atomic unsigned *from = &conn->part->conns[conn->state], *to = &conn->part->conns[state];
    conn->state = state;
    atomic_store_explicit(from, atomic_load_explicit(from, memory_order_relaxed) - 1,
                          memory_order_relaxed);
    atomic_store_explicit(to, atomic_load_explicit(to, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

/* Removes a connection from its loop: it is then in no loop, and belongs to the caller alone. */
void svc__conn_leave(struct conn *conn);

/* Removes a connection from its loop and frees it. The socket is the caller's to close, if nothing
 * else owns it. */
void svc__conn_release(struct conn *conn);

/* Records the events that the watched socket has reported. Whether they show that the peer has
 * left. */
bool svc__conn_note_events(struct conn *conn, uint32_t events);

/* Watches the socket until the first of the events comes. */
void svc__conn_watch_once(struct conn *conn, uint32_t events);

/* Watches for room in the socket: the event comes in each turn in which there is some. */
void svc__conn_watch_room(struct conn *conn);

/* Watches for bytes, for the peer's departure, and for `room` in the socket: each is reported once,
 * when it begins, or if it has begun before this call. One registration serves many requests. */
void svc__conn_watch_edges(struct conn *conn, bool room);

/* Watches for the peer's departure. The event also comes if the peer has left before. */
void svc__conn_watch_departure(struct conn *conn);

/* Tries again to watch for the events that epoll has refused to watch. */
void svc__conn_watch_again(struct conn *conn);

/* Removes the socket from the loop's epoll. */
void svc__conn_unwatch(struct conn *conn);

/* Shuts the socket in both directions: a reader sees its end. */
void svc__conn_shut(struct conn *conn);

static inline struct conn *svc__conn_of_watch(struct watch *watch)
{
    return (struct conn *)(void *)watch;
}

static inline struct conn *svc__conn_of_deadline(struct deadline *deadline)
{
    return (struct conn *)(void *)((char *)deadline - offsetof(struct conn, limit.deadline));
}

static inline struct conn *svc__conn_of_mail(struct mail *mail)
{
    return (struct conn *)(void *)((char *)mail - offsetof(struct conn, mail));
}

#endif
