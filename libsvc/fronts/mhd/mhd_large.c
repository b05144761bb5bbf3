/* Large files, which are sent without libmicrohttpd. */
#include "libsvc/fronts/mhd/mhd_large.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libsvc/base/least.h"
#include "libsvc/exchange/away.h"
#include "libsvc/fronts/mhd/mhd_taken.h"
#include "libsvc/fronts/mhd/wire.h"

enum {
    LARGE_BYTES = 4 << 20, /* a smaller file is not worth the duplicate and the new start */
    TURN_BYTES = 1 << 20,  /* the most that one connection sends in a turn */
    COPIED_BYTES = 16384   /* the same, where the kernel cannot send the file */
};

/* Whether the reply is one of a large file to a client that knows HTTP/1.1, and the request is over
 * for libmicrohttpd too. */
static bool is_large(const struct mhd_conn *conn)
{
    const struct exchange *x = conn->flight.x;
    const struct response_body *body = &x->response.body;
    return body->kind == REPLY_FILE && body->len >= LARGE_BYTES && conn->call == CALL_FINAL &&
           x->framing.chunks && !svc__exchange_reply_bodiless(x);
}

bool svc__mhd_large_begin(struct mhd_conn *conn, bool closes)
{
    struct exchange *x = conn->flight.x;
    if (!is_large(conn) || !svc__mhd_taken_leaves_rest(conn))
        return false;
    int fd = fcntl(conn->conn.fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return false;
    if (svc__away_keep_head(x) ||
        svc__wire_head(x, svc__loop_date(conn->conn.loop), closes, &conn->unsent)) {
        close(fd);
        return false;
    }
    conn->large = (struct large_reply){
        .active = true, .closes = closes, .copies = !conn->mhd->pipe_harmless, .fd = fd};
    return true;
}

/* A corked socket sends full segments only. Without it each call of sendfile ends with a small
 * segment, which costs half as much CPU again. */
static void cork(const struct mhd_conn *conn, int on)
{
    setsockopt(conn->conn.fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

void svc__mhd_large_take(struct mhd_conn *conn)
{
    svc__conn_unwatch(&conn->conn); /* by the descriptor that is closed */
    conn->conn.fd = conn->large.fd;
    conn->connection = NULL;
    conn->base = conn->target = conn->head_end = NULL;
    conn->fields = NULL;
    conn->target_at = 0;
    cork(conn, 1);
    svc__conn_watch_room(&conn->conn);
}

/* Sends what is left of the head. False: the peer has gone. */
static bool send_head(struct mhd_conn *conn)
{
    struct unsent *head = &conn->unsent;
    ssize_t n = send(conn->conn.fd, head->data, head->len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    head->len -= (size_t)n;
    memmove(head->data, head->data + n, head->len);
    if (head->len)
        return true;
    free(head->data);
    head->data = NULL;
    return true;
}

static ssize_t copy_part(int to, int from, size_t len, off_t at)
{
    char block[COPIED_BYTES];
    ssize_t n = pread(from, block, svc__least(len, sizeof block), at);
    return n > 0 ? send(to, block, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) : n;
}

/* If SIGPIPE ends the program, sendfile must not raise it; and not every file system knows
 * sendfile. */
static ssize_t send_part(struct mhd_conn *conn, size_t len)
{
    const struct response_body *body = &conn->flight.x->response.body;
    off_t at = (off_t)(body->offset + conn->large.sent);
    ssize_t n = -1;
    if (!conn->large.copies)
        n = sendfile(conn->conn.fd, body->fd, &(off_t){at}, len);
    if (n < 0 && !conn->large.copies)
        conn->large.copies = errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP;
    return conn->large.copies ? copy_part(conn->conn.fd, body->fd, len, at) : n;
}

/* One call, also if it sends less than it might: the room that is left, or the end of a file that
 * has become shorter, is found in the next turn. */
enum large_step svc__mhd_large_send(struct mhd_conn *conn)
{
    struct large_reply *large = &conn->large;
    uint64_t len = conn->flight.x->response.body.len;
    if (conn->unsent.data && !send_head(conn))
        return LARGE_BROKEN;
    if (conn->unsent.data)
        return LARGE_MORE;
    ssize_t n = send_part(conn, (size_t)svc__least_u64(len - large->sent, TURN_BYTES));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return LARGE_MORE;
    if (n <= 0) {
        bool of_file = n == 0 || errno == EIO || errno == ESTALE;
        conn->flight.cut = conn->flight.cut || of_file;
        return LARGE_BROKEN;
    }
    large->sent += (uint64_t)n;
    if (large->sent < len)
        return LARGE_MORE;
    cork(conn, 0);
    return LARGE_WHOLE;
}

void svc__mhd_large_end(struct mhd_conn *conn, bool whole)
{
    struct flight *flight = &conn->flight;
    enum svc_outcome outcome = whole               ? SVC_COMPLETE
                               : flight->timed_out ? SVC_TIMED_OUT
                               : flight->cut       ? SVC_CUT
                                                   : SVC_CLIENT_GONE;
    conn->large.active = false;
    svc__flight_end(flight, outcome, whole ? flight->x->response.body.len : 0);
}
