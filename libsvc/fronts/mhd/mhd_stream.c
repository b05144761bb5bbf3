/* The frames of a reply, and events of its socket. */
#include "libsvc/fronts/mhd/mhd_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "libsvc/dispatch/dispatch.h"
#include "libsvc/dispatch/stand_in.h"
#include "libsvc/reply/response_frames.h"

/* Frames that are sent before other connections have their turn. */
enum { FRAMES_AT_ONCE = 64 };

/* ---- Sending */

/* Sends the bytes from `*sent` on. 0 when all are sent; SVC_EAGAIN, SVC_ESYSTEM. */
static int send_rest(struct mhd_conn *conn, struct bytes data, size_t *sent)
{
    while (*sent < data.len) {
        ssize_t n =
            send(conn->conn.fd, data.data + *sent, data.len - *sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? SVC_EAGAIN : SVC_ESYSTEM;
        *sent += (size_t)n;
        conn->progress = true;
    }
    *sent = 0;
    return 0;
}

/* Bytes of the head, or of the last chunk. */
static int send_unsent(struct mhd_conn *conn)
{
    struct unsent *unsent = &conn->unsent;
    if (!unsent->data)
        return 0;
    int error = send_rest(conn, svc__bytes(unsent->data, unsent->len), &conn->piece_sent);
    if (error)
        return error;
    free(unsent->data);
    *unsent = (struct unsent){NULL, 0};
    return 0;
}

static int send_frame(struct mhd_conn *conn, const struct frame *frame)
{
    struct exchange *x = conn->flight.x;
    bool chunked = x->framing.chunks;
    int error = send_rest(conn, chunked ? svc__frame_chunk(frame) : svc__frame_body(frame),
                          &conn->piece_sent);
    if (!error)
        svc__dispatch_reply_passed(x, frame);
    return error;
}

/* The last chunk. The socket is shut behind it, once it lingers. */
static int send_end(struct mhd_conn *conn)
{
    static const char last[] = "0\r\n\r\n";
    if (!conn->flight.x->framing.chunks)
        return 0;
    return send_rest(conn, svc__bytes_z(last), &conn->piece_sent);
}

/* Sends until there is nothing more: SVC_EAGAIN. 1: the socket has no room, or others have their
 * turn; 0: the reply has ended; other errors cut the connection. */
static int send_frames(struct mhd_conn *conn)
{
    const struct frame *frame;
    int error = send_unsent(conn);
    for (int i = 0; i < FRAMES_AT_ONCE && !error; i++) {
        int n = svc__dispatch_reply_frame(conn->flight.x, &frame);
        if (n < 0)
            return n;
        error = n > 0 ? send_frame(conn, frame) : send_end(conn);
        if (!n && !error)
            return 0;
    }
    return error == SVC_EAGAIN || !error ? 1 : error;
}

/* The time limit need not be exact, and to begin it anew for each frame would cost some memory that
 * is in no cache. */
static bool is_limit_old(const struct mhd_conn *conn)
{
    uint64_t passed_ms = conn->conn.loop->now_ms - conn->conn.limit.since_ms;
    return passed_ms > svc__mhd_config(conn)->send_timeout_ms / 8;
}

void svc__mhd_stream_go_on(struct mhd_conn *conn)
{
    struct flight *flight = &conn->flight;
    if (conn->stream_over)
        return;
    conn->progress = false;
    int state = flight->gone || flight->cut ? SVC_ECANCELLED : send_frames(conn);
    if (conn->progress && is_limit_old(conn))
        svc__flight_enter(flight, FLIGHT_SEND);
    if (state == SVC_EAGAIN) {
        svc__flight_wait(flight);
    } else if (state > 0) {
        svc__conn_watch_once(&conn->conn, EPOLLOUT | (conn->conn.left ? 0 : EPOLLRDHUP));
    } else {
        flight->gone = flight->gone || state == SVC_ESYSTEM;
        flight->cut = flight->cut || (state < 0 && !flight->gone);
        conn->lingers = state == 0;
        svc__mhd_stream_end(conn);
    }
}

void svc__mhd_stream_event(struct mhd_conn *conn, uint32_t events)
{
    bool ended = events & (EPOLLHUP | EPOLLERR), half = events & EPOLLRDHUP;
    if (ended || (half && svc__mhd_config(conn)->cancel_half_closed)) {
        conn->flight.gone = true;
        svc__stand_in_cancel(conn->flight.x);
        svc__mhd_stream_end(conn);
    } else if (!conn->flight.waits) {
        svc__mhd_stream_go_on(conn);
    }
}

void svc__mhd_stream_end(struct mhd_conn *conn)
{
    struct mhd_loop *mhd = conn->mhd;
    if (conn->stream_over)
        return;
    conn->stream_over = true;
    conn->next_over = mhd->streams_over;
    mhd->streams_over = conn;
    mhd->part.again = true;
}
