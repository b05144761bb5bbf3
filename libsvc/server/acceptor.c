/* Accepting: from the shared listeners to the loop with the fewest connections. */
#include "libsvc/server/acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libsvc/server/address_limit.h"
#include "libsvc/server/conn.h"
#include "libsvc/server/front.h"

/* The size of a batch limits the time for which a listener keeps the loop from its connections. */
enum { BATCH = 32, PAUSE_MS = 50 };

struct remote {
    struct sockaddr_storage address;
    socklen_t len;
};

static int accept_remote(const struct listener *listener, struct remote *remote)
{
    remote->len = sizeof remote->address;
    memset(&remote->address, 0, sizeof remote->address);
    return accept4(listener->fd, (struct sockaddr *)&remote->address, &remote->len,
                   SOCK_NONBLOCK | SOCK_CLOEXEC);
}

struct loop *svc__acceptor_emptiest(const struct server *server)
{
    struct loop *best = server->loops[0];
    unsigned least = atomic_load(&best->count);
    for (size_t i = 1; i < server->loop_count; i++) {
        unsigned count = atomic_load(&server->loops[i]->count);
        if (count < least) {
            least = count;
            best = server->loops[i];
        }
    }
    return best;
}

static void log_refusal(struct loop *loop, const char *message, const char *reason)
{
    svc__loop_log_fault(loop, &loop->server->accept_logged_ms, message, reason);
}

/* `self` is the calling loop, or NULL on another thread, which has no front to answer with: then
 * the socket is closed without an answer. */
static void refuse_socket(struct server *server, struct loop *self, const struct front *front,
                          int fd, bool over_address)
{
    const char *detail = over_address ? "the service takes no more connections from one address"
                                      : "the service has as many connections as it takes";
    const struct server_metrics *m = &server->metrics;
    svc__counter_add(over_address ? m->over_address : m->refused, 1);
    if (!self) {
        close(fd);
        return;
    }
    log_refusal(self, "connections refused", detail);
    front->refuse(svc__loop_part(self, front), fd, over_address ? 429 : 503, detail);
}

void svc__acceptor_place(struct loop *loop, struct loop *self, struct conn *conn)
{
    const struct server *server = loop->server;
    svc__counter_add(server->metrics.accepted, 1);
    atomic_fetch_add(&loop->count, 1);
    if (loop == self)
        svc__conn_open(loop, conn);
    else if (svc__mailbox_post(&loop->handed, &conn->mail))
        svc__loop_wake(loop);
}

/* Gives an accepted socket to the emptiest loop, as a connection of its listener's front. */
static void hand_out(struct server *server, struct loop *self, const struct front *front, int fd,
                     const struct remote *remote)
{
    if (!svc__server_socket_opened(server, &server->connections, server->max_connections)) {
        refuse_socket(server, self, front, fd, false);
        return;
    }
    struct conn *conn = svc__conn_new(front, fd, &remote->address, remote->len);
    if (!conn || !svc__address_limit_enter(server->per_address, &conn->peer)) {
        svc__server_socket_closed(server, &server->connections);
        refuse_socket(server, self, front, fd, conn);
        free(conn);
        return;
    }
    svc__acceptor_place(svc__acceptor_emptiest(server), self, conn);
}

static void unwatch_all(struct loop *loop)
{
    struct listeners *listeners = &loop->server->listeners;
    for (size_t i = 0; i < listeners->count; i++)
        svc__loop_unwatch(loop, listeners->all[i].fd);
}

/* Stops watching the listeners until the timer tries again: a listener that stays readable would
 * wake the loop without end. */
static void pause_accepting(struct loop *loop, int error)
{
    svc__counter_add(loop->server->metrics.accept_errors, 1);
    log_refusal(loop, "cannot accept connections", strerror(error));
    unwatch_all(loop);
    svc__wheel_set(&loop->wheel, &loop->accept_pause.timer, loop->now_ms + PAUSE_MS);
}

/* Without a free descriptor a connection can be neither served nor refused. So the spare one is
 * closed, to accept one connection and close it: its client learns at once that it is not served.
 */
static void turn_one_away(struct loop *loop, const struct listener *listener)
{
    if (loop->spare_fd >= 0) {
        struct remote remote;
        close(loop->spare_fd);
        int fd = accept_remote(listener, &remote);
        if (fd >= 0) {
            svc__counter_add(loop->server->metrics.refused, 1);
            close(fd);
        }
    }
    loop->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Accepts a batch. A single failure belongs to one connection, which has gone already
 * (ECONNABORTED) or has brought an error of its network, so the next one is tried. An error that
 * fails a whole batch will last, so accepting pauses. */
static void listener_ready(struct svc_loop *reactor, struct watch *watch, uint32_t events)
{
    (void)events;
    struct loop *loop = svc__loop_of(reactor);
    struct listener *listener = (struct listener *)(void *)watch;
    int failed = 0, error = 0;
    for (int i = 0; i < BATCH; i++) {
        struct remote remote;
        int fd = accept_remote(listener, &remote);
        error = errno;
        if (fd >= 0) {
            hand_out(loop->server, loop, listener->front, fd, &remote);
        } else if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) {
            turn_one_away(loop, listener);
            pause_accepting(loop, error);
            return;
        } else if (error == EAGAIN || atomic_load(&loop->server->stage) != STAGE_SERVE) {
            return; /* there are no more, or the listener may be closed */
        } else {
            failed++;
        }
    }
    if (failed == BATCH)
        pause_accepting(loop, error);
}

bool svc__acceptor_empty(struct server *server, struct listener *listener)
{
    struct remote remote;
    for (;;) {
        int fd = accept_remote(listener, &remote);
        if (fd >= 0)
            hand_out(server, NULL, listener->front, fd, &remote);
        else if (errno == EAGAIN || errno == EBADF || errno == EINVAL)
            return true;
        else if (errno != ECONNABORTED && errno != EINTR)
            return false;
    }
}

static void pause_over(struct svc_loop *reactor, struct deadline *deadline)
{
    (void)deadline;
    svc__acceptor_begin(svc__loop_of(reactor));
}

void svc__acceptor_init(struct loop *loop)
{
    struct listeners *listeners = &loop->server->listeners;
    for (size_t i = 0; i < listeners->count; i++)
        listeners->all[i].watch.ready = listener_ready;
    loop->accept_pause.expired = pause_over;
}

void svc__acceptor_begin(struct loop *loop)
{
    struct listeners *listeners = &loop->server->listeners;
    for (size_t i = 0; i < listeners->count; i++) {
        struct listener *listener = &listeners->all[i];
        if (svc__loop_watch(loop, listener->fd, EPOLLIN | EPOLLEXCLUSIVE, &listener->watch)) {
            pause_accepting(loop, errno);
            return;
        }
    }
}

void svc__acceptor_end(struct loop *loop)
{
    svc__wheel_cancel(&loop->wheel, &loop->accept_pause.timer);
    unwatch_all(loop);
}
