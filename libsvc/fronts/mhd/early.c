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

#include "libsvc/proto/head_raw.h"

int svc__early_start(struct mhd_loop *mhd)
{
    struct early_feed *feed = &mhd->feed;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, feed->ends))
        return SVC_ESYSTEM;
    feed->last = &feed->first;
    feed->parked = fcntl(feed->ends[1], F_DUPFD_CLOEXEC, 0);
    return feed->parked < 0 ? SVC_ESYSTEM : 0;
}

void svc__early_stop(struct mhd_loop *mhd)
{
    struct early_feed *feed = &mhd->feed;
    if (!feed->last)
        return;
    close(feed->ends[0]);
    close(feed->ends[1]);
    if (feed->parked >= 0)
        close(feed->parked);
}

/* Whether libmicrohttpd has a part of the head already. */
static bool is_held(const struct mhd_conn *conn)
{
    return conn->connection;
}

/* ---- Reading a head */

/* Makes room for as much of a head as libmicrohttpd can take. It reads into the first half of a
 * connection's memory, of which `used` bytes lie before the head's part. */
static bool make_early(struct mhd_conn *conn, size_t used)
{
    size_t space = conn->mhd->pool / 2 - used;
    if (conn->early)
        return true;
    conn->early = malloc(sizeof *conn->early + space);
    if (conn->early)
        *conn->early = (struct early){.space = space};
    return conn->early;
}

static bool watch_head(struct mhd_conn *conn)
{
    svc__conn_watch_once(&conn->conn, EPOLLIN | EPOLLRDHUP);
    return conn->conn.watched;
}

/* The length of the empty lines at the beginning. */
static size_t count_empty(const char *data, size_t len)
{
    size_t n = 0;
    while (len - n >= 2 && data[n] == '\r' && data[n + 1] == '\n')
        n += 2;
    return n;
}

/* Checks the first `len` bytes of a head. The results are those of head_raw.h. */
static int scan_head(struct mhd_conn *conn, size_t len, size_t *end, const char **reason)
{
    char *data = conn->early->data;
    size_t max_fields = svc__mhd_config(conn)->max_fields;
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
    /* A fault behind the line is found again when libmicrohttpd reports the target, and is then
     * answered as a request. */
    *end = len;
    return 0;
}

enum taken { TAKEN_PART, TAKEN_WHOLE, TAKEN_NOTHING, TAKEN_END };

/* Takes the bytes that have come of the head off the socket, but none behind the head. */
static enum taken take_head_bytes(struct mhd_conn *conn, int *status, const char **reason)
{
    struct early *early = conn->early;
    char *to = early->data + early->len;
    ssize_t n = recv(conn->conn.fd, to, early->space - early->len, MSG_PEEK | MSG_DONTWAIT);
    if (n <= 0)
        return n < 0 && (errno == EAGAIN || errno == EINTR) ? TAKEN_NOTHING : TAKEN_END;
    size_t empty = is_held(conn) ? 0 : count_empty(early->data, early->len + (size_t)n), end = 0;
    if (empty) {
        recv(conn->conn.fd, to, empty - early->len, MSG_DONTWAIT);
        conn->skipped += empty;
        early->len = 0;
        return TAKEN_PART;
    }
    *status = scan_head(conn, early->len + (size_t)n, &end, reason);
    if (*status > 0)
        return TAKEN_PART;
    if (*status == 0 && !early->len && !is_held(conn))
        return TAKEN_WHOLE; /* and still in the socket */
    size_t taken = *status ? (size_t)n : end - early->len;
    recv(conn->conn.fd, to, taken, MSG_DONTWAIT);
    early->len += taken;
    return *status ? TAKEN_PART : TAKEN_WHOLE;
}

enum early_head svc__early_read(struct mhd_conn *conn, int *status, const char **reason)
{
    if (!make_early(conn, 0))
        return EARLY_NO_MEMORY;
    *status = HEAD_RAW_PART;
    *reason = "the request's head is too large";
    enum taken taken = TAKEN_PART;
    while (taken == TAKEN_PART && *status <= 0) {
        struct early *early = conn->early;
        if (early->len < early->space)
            taken = take_head_bytes(conn, status, reason);
        else
            *status = is_held(conn) || memchr(early->data, '\n', early->len) ? 431 : 414;
    }
    if (*status > 0)
        return EARLY_REFUSED;
    if (taken == TAKEN_WHOLE && !conn->early->len)
        return EARLY_UNREAD;
    if (taken == TAKEN_WHOLE)
        return EARLY_READY;
    if (taken == TAKEN_END)
        return EARLY_END;
    if (!is_held(conn) && !conn->early->len) /* a silent connection keeps no memory for a head */
        svc__early_forget(conn);
    return watch_head(conn) ? EARLY_PART : EARLY_END;
}

int svc__early_hold(struct mhd_conn *conn, size_t len)
{
    size_t used = (size_t)(conn->fields - conn->base);
    if (used + len >= conn->mhd->pool / 2)
        return SVC_ETOOBIG;
    if (!make_early(conn, used))
        return SVC_ENOMEM;
    memcpy(conn->early->data, conn->fields, len);
    conn->early->held = conn->early->len = len;
    if (watch_head(conn))
        return 0;
    svc__early_forget(conn);
    return SVC_ESYSTEM;
}

/* ---- Handing it over */

struct bytes svc__early_method(const struct mhd_conn *conn)
{
    return svc__bytes_trim(svc__bytes(conn->early->data, conn->target_at));
}

/* The request line was checked: a version and an end follow its target. */
struct bytes svc__early_target(const struct mhd_conn *conn)
{
    const char *target = conn->early->data + conn->target_at;
    return svc__bytes(target, strcspn(target, " \t\r\n"));
}

void svc__early_queue(struct mhd_conn *conn)
{
    struct early_feed *feed = &conn->mhd->feed;
    conn->early->next = NULL;
    *feed->last = conn;
    feed->last = &conn->early->next;
    conn->mhd->part.again = true;
}

struct mhd_conn *svc__early_next(struct mhd_loop *mhd)
{
    struct early_feed *feed = &mhd->feed;
    struct mhd_conn *conn = feed->first;
    if (conn)
        feed->first = conn->early->next;
    if (!feed->first)
        feed->last = &feed->first;
    return conn;
}

/* The check may have moved white space in the last line that libmicrohttpd has. */
void svc__early_restore(struct mhd_conn *conn)
{
    memcpy(conn->fields, conn->early->data, conn->early->held);
    conn->head_end = conn->fields + conn->early->len;
}

bool svc__early_feed(struct mhd_conn *conn)
{
    struct early_feed *feed = &conn->mhd->feed;
    const struct early *early = conn->early;
    size_t len = early->len - early->held;
    if (send(feed->ends[1], early->data + early->held, len, MSG_NOSIGNAL) != (ssize_t)len)
        return false;
    feed->conn = conn;
    return dup3(conn->conn.fd, feed->parked, O_CLOEXEC) >= 0 &&
           dup3(feed->ends[0], conn->conn.fd, O_CLOEXEC) >= 0;
}

void svc__early_unfeed(struct mhd_loop *mhd)
{
    struct early_feed *feed = &mhd->feed;
    struct mhd_conn *conn = feed->conn;
    char left[256];
    if (!conn)
        return;
    feed->conn = NULL;
    dup3(feed->parked, conn->conn.fd, O_CLOEXEC);
    dup3(feed->ends[1], feed->parked, O_CLOEXEC);
    /* The next connection would read the bytes that are left, and this one lacks them. */
    while (recv(feed->ends[0], left, sizeof left, MSG_DONTWAIT) > 0)
        shutdown(conn->conn.fd, SHUT_RDWR);
    svc__early_forget(conn);
}

/* If the feed was read from, the connection that libmicrohttpd handles is the one that is fed. */
void svc__early_refused(struct mhd_loop *mhd)
{
    int unread = 0;
    if (mhd->feed.conn && !ioctl(mhd->feed.ends[0], FIONREAD, &unread) && !unread)
        svc__early_unfeed(mhd);
}

void svc__early_forget(struct mhd_conn *conn)
{
    struct early_feed *feed = &conn->mhd->feed;
    if (feed->conn == conn) {
        svc__early_unfeed(conn->mhd);
        return;
    }
    for (struct mhd_conn **at = &feed->first; *at; at = &(*at)->early->next) {
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
