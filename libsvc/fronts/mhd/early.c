/* Heads that the loop reads itself. */
#include "libsvc/fronts/mhd/early.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libsvc/fronts/mhd/loop_mhd.h"
#include "libsvc/proto/head_raw.h"
#include "libsvc/server/conn.h"
#include "libsvc/server/loop.h"

int svc__early_start(struct loop *loop)
{
    struct early_feed *feed = &loop->feed;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, feed->ends))
        return SVC_ESYSTEM;
    feed->last = &feed->first;
    feed->parked = fcntl(feed->ends[1], F_DUPFD_CLOEXEC, 0);
    return feed->parked < 0 ? SVC_ESYSTEM : 0;
}

void svc__early_stop(struct loop *loop)
{
    struct early_feed *feed = &loop->feed;
    if (!feed->last)
        return;
    close(feed->ends[0]);
    close(feed->ends[1]);
    if (feed->parked >= 0)
        close(feed->parked);
}

/* libmicrohttpd has part of the head already. */
static bool is_held(const struct conn *conn)
{
    return conn->connection;
}

static void resume(struct conn *conn)
{
    if (conn->suspended)
        svc__loop_mhd_resume(conn);
}

static void close_own(struct conn *conn)
{
    int fd = conn->fd;
    svc__conn_closed(conn);
    close(fd);
}

/* ---- Reading a head */

/* libmicrohttpd reads into the first half of a connection's memory, of which `used` bytes are
 * before what is to be read. */
static bool make_early(struct conn *conn, size_t used)
{
    size_t space = conn->loop->pool / 2 - used;
    if (conn->early)
        return true;
    conn->early = malloc(sizeof *conn->early + space);
    if (conn->early)
        *conn->early = (struct early){.space = space};
    return conn->early;
}

/* libmicrohttpd closes it, or sees its end itself. */
static void give_up(struct conn *conn)
{
    if (is_held(conn))
        resume(conn);
    else
        close_own(conn);
}

/* A silent connection holds nothing. */
static void await_more(struct conn *conn)
{
    if (!is_held(conn) && !conn->early->len)
        svc__early_forget(conn);
    svc__conn_watch_head(conn);
    if (!conn->watched)
        give_up(conn);
}

static void refuse_head(struct conn *conn, int status, const char *reason)
{
    bool own = !is_held(conn);
    svc__metric_add(conn->loop->host.cells, conn->loop->server->metrics.refused_below, 1);
    svc__conn_refuse_head(conn, status, reason, "refused");
    if (own)
        close_own(conn);
}

static void deliver(struct conn *conn)
{
    struct early_feed *feed = &conn->loop->feed;
    conn->early->next = NULL;
    *feed->last = conn;
    feed->last = &conn->early->next;
    conn->loop->run_again = true;
}

/* Bytes of the empty lines at the beginning. */
static size_t count_empty(const char *data, size_t len)
{
    size_t n = 0;
    while (len - n >= 2 && data[n] == '\r' && data[n + 1] == '\n')
        n += 2;
    return n;
}

/* Of `len` bytes of a head; as the functions of head_raw.h. */
static int scan(struct conn *conn, size_t len, size_t *end, const char **reason)
{
    char *data = conn->early->data;
    size_t max_fields = conn->loop->server->app->config.max_fields;
    if (is_held(conn))
        return svc__head_raw_fields(data, len, max_fields, end, reason);
    size_t line;
    int status = svc__head_raw_line(data, len, &conn->target_at, &line, reason);
    if (status)
        return status;
    status = svc__head_raw_fields(data + line, len - line, max_fields, end, reason);
    *end += line;
    if (status <= 0)
        return status;
    /* A fault behind the line is found again when the target is told, and answered as any request.
     */
    *end = len;
    return 0;
}

enum taken { TAKEN_PART, TAKEN_WHOLE, TAKEN_NOTHING, TAKEN_END };

/* Takes what has come of the head off the socket, but nothing behind it. */
static enum taken take_bytes(struct conn *conn, int *status, const char **reason)
{
    struct early *early = conn->early;
    char *to = early->data + early->len;
    ssize_t n = recv(conn->fd, to, early->space - early->len, MSG_PEEK | MSG_DONTWAIT);
    if (n <= 0)
        return n < 0 && (errno == EAGAIN || errno == EINTR) ? TAKEN_NOTHING : TAKEN_END;
    size_t empty = is_held(conn) ? 0 : count_empty(early->data, early->len + (size_t)n), end = 0;
    if (empty) {
        recv(conn->fd, to, empty - early->len, MSG_DONTWAIT);
        conn->skipped += empty;
        early->len = 0;
        return TAKEN_PART;
    }
    *status = scan(conn, early->len + (size_t)n, &end, reason);
    if (*status > 0)
        return TAKEN_PART;
    if (*status == 0 && !early->len && !is_held(conn))
        return TAKEN_WHOLE; /* and still in the socket */
    size_t taken = *status ? (size_t)n : end - early->len;
    recv(conn->fd, to, taken, MSG_DONTWAIT);
    early->len += taken;
    return *status ? TAKEN_PART : TAKEN_WHOLE;
}

/* The head is whole, and still in the socket. */
static void hand_over_unread(struct conn *conn)
{
    svc__early_forget(conn);
    svc__conn_hand_over(conn);
}

static void read_head(struct conn *conn)
{
    int status = HEAD_RAW_PART;
    const char *reason = "the request's head is too large";
    enum taken taken = TAKEN_PART;
    while (taken == TAKEN_PART && status <= 0) {
        struct early *early = conn->early;
        if (early->len < early->space)
            taken = take_bytes(conn, &status, &reason);
        else
            status = is_held(conn) || memchr(early->data, '\n', early->len) ? 431 : 414;
    }
    if (status > 0)
        refuse_head(conn, status, reason);
    else if (taken == TAKEN_NOTHING)
        await_more(conn);
    else if (taken == TAKEN_WHOLE && conn->early->len)
        deliver(conn);
    else if (taken == TAKEN_WHOLE)
        hand_over_unread(conn);
    else
        give_up(conn);
}

void svc__early_open(struct conn *conn)
{
    if (make_early(conn, 0))
        read_head(conn);
    else
        refuse_head(conn, 503, "out of memory");
}

int svc__early_hold(struct conn *conn, size_t len)
{
    size_t used = (size_t)(conn->fields - conn->base);
    if (used + len >= conn->loop->pool / 2)
        return SVC_ETOOBIG;
    if (!make_early(conn, used))
        return SVC_ENOMEM;
    memcpy(conn->early->data, conn->fields, len);
    conn->early->held = conn->early->len = len;
    svc__conn_watch_head(conn);
    if (conn->watched)
        return 0;
    svc__early_forget(conn);
    return SVC_ESYSTEM;
}

void svc__early_event(struct conn *conn, uint32_t events)
{
    if (conn->raw || (events & (EPOLLHUP | EPOLLERR)))
        give_up(conn);
    else
        svc__early_open(conn);
}

/* ---- Handing it over */

static struct conn *take_ready(struct early_feed *feed)
{
    struct conn *conn = feed->first;
    if (conn)
        feed->first = conn->early->next;
    if (!feed->first)
        feed->last = &feed->first;
    return conn;
}

/* libmicrohttpd's next read of the connection is from the feed. */
static bool swap_in(struct early_feed *feed, struct conn *conn)
{
    const struct early *early = conn->early;
    size_t len = early->len - early->held;
    if (send(feed->ends[1], early->data + early->held, len, MSG_NOSIGNAL) != (ssize_t)len)
        return false;
    feed->conn = conn;
    return dup3(conn->fd, feed->parked, O_CLOEXEC) >= 0 &&
           dup3(feed->ends[0], conn->fd, O_CLOEXEC) >= 0;
}

/* False: it has ended meanwhile. */
static bool make_ready(struct conn *conn)
{
    if (conn->raw || conn->cut) {
        give_up(conn);
        return false;
    }
    if (!is_held(conn))
        return svc__conn_hand_over(conn);
    /* White space may have been moved in what libmicrohttpd has of the last line. */
    memcpy(conn->fields, conn->early->data, conn->early->held);
    conn->head_end = conn->fields + conn->early->len;
    resume(conn);
    return true;
}

bool svc__early_feed(struct loop *loop)
{
    struct early_feed *feed = &loop->feed;
    struct conn *conn = take_ready(feed);
    if (conn && make_ready(conn) && !swap_in(feed, conn))
        shutdown(conn->fd, SHUT_RDWR);
    return feed->first;
}

/* Whether nothing was left in the feed, where the next connection would find it. */
static bool drain(struct early_feed *feed)
{
    char left[256];
    bool empty = true;
    while (recv(feed->ends[0], left, sizeof left, MSG_DONTWAIT) > 0)
        empty = false;
    return empty;
}

void svc__early_unfeed(struct loop *loop)
{
    struct early_feed *feed = &loop->feed;
    struct conn *conn = feed->conn;
    if (!conn)
        return;
    feed->conn = NULL;
    dup3(feed->parked, conn->fd, O_CLOEXEC);
    dup3(feed->ends[1], feed->parked, O_CLOEXEC);
    if (!drain(feed))
        shutdown(conn->fd, SHUT_RDWR);
    svc__early_forget(conn);
}

/* Once it has been read from, the connection is the one that is being handled. */
void svc__early_refused(struct loop *loop)
{
    int unread = 0;
    if (loop->feed.conn && !ioctl(loop->feed.ends[0], FIONREAD, &unread) && !unread)
        svc__early_unfeed(loop);
}

void svc__early_forget(struct conn *conn)
{
    struct early_feed *feed = &conn->loop->feed;
    if (feed->conn == conn) {
        svc__early_unfeed(conn->loop);
        return;
    }
    for (struct conn **at = &feed->first; *at; at = &(*at)->early->next) {
        if (*at != conn)
            continue;
        *at = conn->early->next;
        if (!*at)
            feed->last = at;
        break;
    }
    free(conn->early);
    conn->early = NULL;
}

void svc__early_close_all(struct loop *loop)
{
    struct conn *next;
    for (struct conn *conn = loop->conns; conn; conn = next) {
        next = conn->next;
        if (!conn->connection)
            close_own(conn);
    }
}
