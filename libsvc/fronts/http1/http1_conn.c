/* The life of a connection. */
#include "libsvc/fronts/http1/http1_conn.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libsvc/exchange/body_stream.h"
#include "libsvc/exchange/refusal.h"
#include "libsvc/fronts/http1/http1_input.h"
#include "libsvc/fronts/http1/http1_life.h"
#include "libsvc/fronts/http1/http1_out.h"
#include "libsvc/fronts/http1/http1_reply.h"
#include "libsvc/fronts/http1/http1_serve.h"
#include "libsvc/reply/response_file.h"
#include "libsvc/server/tcp_counts.h"

/* Without a byte, before a connection is closed while the server stops. */
enum { SILENT_MS = 1000 };

/* ---- Its flight */

static void resume_conn(struct flight *flight)
{
    svc__http1_life_again(svc__http1_conn_of_flight(flight));
}

/* The rest of the body is read for a while, then the answer follows; unless the handler reads on.
 */
static void drop_body(struct flight *flight)
{
    struct http1_conn *conn = svc__http1_conn_of_flight(flight);
    if (svc__body_stream_reads_on(flight->x)) {
        flight->unwanted = false;
        conn->replying = true;
        svc__http1_life_again(conn);
    } else {
        svc__time_limit_hurry(flight->loop, flight->limit, FLIGHT_DROP_MS);
    }
}

static void reply_unread(struct flight *flight)
{
    svc__http1_serve_unread(svc__http1_conn_of_flight(flight));
}

static void reply_bare(struct flight *flight)
{
    svc__http1_life_refuse(svc__http1_conn_of_flight(flight), REFUSAL_NO_MEMORY);
}

static void abort_conn(struct flight *flight)
{
    svc__http1_life_end(svc__http1_conn_of_flight(flight));
}

/* Of a peer that had left before the wait, the event comes once more. And a file may become shorter
 * while its reply waits for room. */
static void look_at_conn(struct flight *flight)
{
    struct http1_conn *conn = svc__http1_conn_of_flight(flight);
    const struct svc_response *res = &flight->x->response;
    if (flight->waits && conn->conn.left) {
        svc__conn_watch_edges(&conn->conn, false);
    } else if (flight->phase == FLIGHT_SEND && res->body.kind == REPLY_FILE &&
               !svc__response_file_whole(res)) {
        flight->cut = true;
        svc__http1_life_end(conn);
    }
}

/* By the bytes that went to the socket, and by the count of those that the peer has acknowledged,
 * or, without such a count, by the length of the socket's queue. */
static bool has_moved(struct flight *flight)
{
    struct http1_conn *conn = svc__http1_conn_of_flight(flight);
    uint64_t moved;
    if (!svc__tcp_counts_acknowledged(&conn->conn, &moved)) {
        int queued = 0;
        ioctl(conn->conn.fd, SIOCOUTQ, &queued);
        moved = conn->written - (uint64_t)queued;
    }
    bool has = moved != conn->moved;
    conn->moved = moved;
    return has;
}

static const struct flight_ops flight_ops = {
    .resume = resume_conn,
    .drop_body = drop_body,
    .reply_unread = reply_unread,
    .reply_bare = reply_bare,
    .abort = abort_conn,
    .look = look_at_conn,
    .has_moved = has_moved,
};

/* ---- Events */

/* Whether the bytes of the body that have come may be all of it, those in the socket included. */
static bool may_be_whole(const struct http1_conn *conn, bool ended)
{
    int unread = 0;
    if (ended || ioctl(conn->conn.fd, FIONREAD, &unread))
        return false;
    return conn->chunked || svc__http1_input_view(conn).len + (uint64_t)unread >= conn->body_left;
}

static void depart(struct http1_conn *conn, uint32_t events)
{
    struct flight *flight = &conn->flight;
    bool half_is_end = svc__http1_config(conn)->cancel_half_closed;
    bool ended = events & (EPOLLHUP | EPOLLERR);
    bool whole = flight->phase != FLIGHT_STALL || may_be_whole(conn, ended);
    svc__flight_departed(flight, ended || (half_is_end && (events & EPOLLRDHUP)), whole);
}

static void on_socket(struct svc_loop *reactor, struct watch *watch, uint32_t events)
{
    (void)reactor;
    struct http1_conn *conn = svc__http1_conn_of(svc__conn_of_watch(watch));
    bool left = svc__conn_note_events(&conn->conn, events);
    conn->readable = conn->readable || left || (events & EPOLLIN);
    if (conn->phase == HTTP1_OVER)
        return;
    if (left && conn->flight.x && conn->flight.waits)
        depart(conn, events);
    if (!svc__http1_serve_waits(conn))
        svc__http1_serve(conn);
}

/* ---- Deadlines */

static void head_expired(struct http1_conn *conn)
{
    svc__flight_time_out(&conn->flight);
    svc__http1_life_refuse_headless(conn, 408, "the request head took too long",
                                    svc__exchange_outcome_text(SVC_TIMED_OUT));
}

static void on_deadline(struct svc_loop *reactor, struct deadline *deadline)
{
    (void)reactor;
    struct http1_conn *conn = svc__http1_conn_of(svc__conn_of_deadline(deadline));
    switch (conn->phase) {
    case HTTP1_NEW:
    case HTTP1_IDLE:
        svc__http1_life_end(conn);
        break;
    case HTTP1_HEAD:
        head_expired(conn);
        break;
    case HTTP1_FLUSH:
        if (has_moved(&conn->flight))
            svc__http1_life_enter(conn, HTTP1_FLUSH);
        else
            svc__http1_life_end(conn);
        break;
    case HTTP1_FLIGHT:
        svc__flight_expired(&conn->flight);
        break;
    case HTTP1_OVER:
        break;
    }
}

/* ---- Its end */

static enum svc_outcome outcome_of(const struct flight *flight)
{
    return flight->timed_out ? SVC_TIMED_OUT : flight->cut ? SVC_CUT : SVC_CLIENT_GONE;
}

/* Unread bytes of the peer would turn the close into a reset, which destroys the part of the reply
 * that the peer has not read yet. */
void svc__http1_conn_close(struct http1_conn *conn)
{
    struct flight *flight = &conn->flight;
    struct loop *loop = conn->conn.loop;
    int fd = conn->conn.fd, unread = 0;
    enum svc_outcome outcome = outcome_of(flight);
    if (flight->x && svc__flight_reclaim(flight, outcome))
        svc__http1_reply_end(conn, outcome);
    svc__conn_unwatch(&conn->conn);
    bool lingers = conn->lingers || svc__http1_input_view(conn).len ||
                   (!ioctl(fd, FIONREAD, &unread) && unread > 0);
    svc__http1_input_drop(conn);
    struct unsent unsent = svc__http1_out_take(conn);
    if (lingers) {
        svc__linger_begin(loop, fd, unsent);
    } else {
        free(unsent.data);
        close(fd);
    }
    svc__conn_release(&conn->conn);
}

void svc__http1_conn_turn(struct http1_loop *http1)
{
    struct http1_conn *last = NULL, *conn;
    /* Those that are queued meanwhile have their turn after other events. */
    if (http1->again)
        last = (struct http1_conn *)(void *)((char *)http1->again_last -
                                             offsetof(struct http1_conn, next_again));
    do {
        conn = svc__http1_life_next(http1);
        if (conn && conn->phase == HTTP1_OVER)
            svc__http1_conn_close(conn);
        else if (conn)
            svc__http1_serve(conn);
    } while (conn && conn != last);
    http1->part.again = http1->again;
}

/* ---- Functions of struct front */

void svc__http1_conn_open(struct front_part *part, struct conn *conn)
{
    struct http1_conn *own = svc__http1_conn_of(conn);
    int on = 1;
    conn->watch.ready = on_socket;
    conn->limit.deadline.expired = on_deadline;
    own->io = &svc__http1_io_socket;
    svc__flight_init(&own->flight, &flight_ops, conn->loop, &conn->limit, &conn->peer,
                     part->front->scheme);
    if (conn->address.ss_family != AF_UNIX)
        setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    svc__http1_life_enter(own, HTTP1_NEW);
    svc__conn_watch_edges(conn, false);
    own->readable = true; /* mostly its first request has come with it */
    svc__http1_life_again(own);
}

void svc__http1_conn_close_silent(struct conn *conn, uint64_t stop_ms)
{
    struct http1_conn *own = svc__http1_conn_of(conn);
    struct bytes read = svc__http1_input_view(own);
    bool has_line = read.len && memchr(read.data, '\n', read.len);
    if (own->flight.x || own->phase > HTTP1_HEAD || (own->phase == HTTP1_HEAD && has_line))
        return;
    uint64_t now_ms = conn->loop->now_ms, needed = SILENT_MS, silent;
    int unread = 0;
    if (own->phase == HTTP1_HEAD || (!ioctl(conn->fd, FIONREAD, &unread) && unread)) {
        /* The turn may have begun before the stop. */
        uint64_t stopping = now_ms > stop_ms ? now_ms - stop_ms : 0;
        needed = stopping > needed ? stopping : needed;
    }
    if (!svc__tcp_counts_silence(conn, &silent))
        silent = now_ms - conn->limit.since_ms;
    if (silent >= needed)
        svc__http1_life_end(own);
}

void svc__http1_conn_cut(struct conn *conn)
{
    struct http1_conn *own = svc__http1_conn_of(conn);
    if (own->phase == HTTP1_OVER)
        return;
    own->flight.cut = true;
    if (own->flight.x)
        svc__flight_cut(&own->flight);
    else
        svc__http1_life_end(own);
}
