/* The life of a connection of HTTP/1. */
#include "libsvc/fronts/mhd/mhd_conn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libsvc/dispatch/dispatch.h"
#include "libsvc/exchange/refusal.h"
#include "libsvc/fronts/mhd/early.h"
#include "libsvc/fronts/mhd/mhd_large.h"
#include "libsvc/fronts/mhd/mhd_link.h"
#include "libsvc/fronts/mhd/mhd_stream.h"
#include "libsvc/fronts/mhd/mhd_taken.h"
#include "libsvc/fronts/mhd/wire.h"
#include "libsvc/reply/response_file.h"
#include "libsvc/server/handover.h"
#include "libsvc/server/tcp_counts.h"

enum {
    SILENT_MS = 1000, /* without a byte, before an idle connection is closed or watched */
    AT_ONCE = 8192,   /* bytes that a socket with nothing else to send has room for */
    CLOSING_MS = 2000 /* for the peer to close, after an answer that was written directly */
};

/* ---- Phases */

void svc__mhd_conn_enter(struct mhd_conn *conn, enum mhd_phase phase)
{
    static const enum conn_state states[] = {
        [MHD_HEAD] = CONN_HEAD, [MHD_CLOSING] = CONN_CLOSING}; /* CONN_IDLE otherwise */
    struct loop *loop = conn->conn.loop;
    const svc_config *config = svc__mhd_config(conn);
    uint64_t since_ms = loop->now_ms, ms = config->header_timeout_ms;
    if (phase == MHD_IDLE) {
        ms = config->idle_timeout_ms / 2 < SILENT_MS ? config->idle_timeout_ms / 2 : SILENT_MS;
    } else if (phase == MHD_WATCHED) { /* idleness began with the phase before */
        since_ms = conn->conn.limit.since_ms;
        ms = config->idle_timeout_ms;
    } else if (phase == MHD_CLOSING) {
        ms = CLOSING_MS;
    }
    conn->phase = phase;
    svc__conn_enter(&conn->conn, states[phase]);
    svc__time_limit_begin(loop, &conn->conn.limit, since_ms, ms, phase == MHD_HEAD ? SILENT_MS : 0);
}

void svc__mhd_conn_fly(struct mhd_conn *conn, enum flight_phase phase)
{
    static const enum conn_state states[] = {[FLIGHT_NONE] = CONN_HEAD,
                                             [FLIGHT_BODY] = CONN_BODY,
                                             [FLIGHT_STALL] = CONN_BODY,
                                             [FLIGHT_HANDLE] = CONN_HANDLER,
                                             [FLIGHT_SEND] = CONN_WRITING};
    conn->phase = MHD_FLIGHT;
    svc__conn_enter(&conn->conn, states[phase]);
    svc__flight_enter(&conn->flight, phase);
}

/* ---- Answers without libmicrohttpd */

void svc__mhd_conn_log_headless(const struct mhd_conn *conn, int status, const char *end)
{
    svc__log(&conn->conn.loop->log, SVC_LEVEL_INFO, "request without a head",
             svc_kv_str("peer", conn->conn.peer.text), svc_kv_int("status", status),
             svc_kv_str("end", end));
}

/* After an answer outside of libmicrohttpd's calls: the connection closes when the peer closes it
 * or sends more, or when the time is over. */
static void close_after_answer(struct mhd_conn *conn)
{
    conn->raw = true;
    conn->lingers = true;
    shutdown(conn->conn.fd, SHUT_WR);
    svc__mhd_conn_enter(conn, MHD_CLOSING);
}

void svc__mhd_conn_refuse_bare(struct mhd_conn *conn, int status, const char *reason)
{
    conn->flight.cut = true;
    svc__wire_send_problem(conn->conn.fd, status, reason, svc__loop_date(conn->conn.loop));
    close_after_answer(conn);
}

void svc__mhd_conn_send_raw(struct mhd_conn *conn, int status)
{
    struct exchange *x = conn->flight.x;
    static const char reason[] = "a streamed answer where only one from memory can be sent";
    bool streams = x->response.body.kind >= REPLY_SOURCE && !svc__exchange_reply_bodiless(x);
    if (streams && status == 500)
        svc__dispatch_fail_reply(x, reason);
    else if (streams)
        svc__dispatch_excuse_reply(x, status, reason);
    if (svc__wire_send(conn->conn.fd, x, svc__loop_date(conn->conn.loop), &conn->unsent))
        conn->flight.cut = true;
    conn->raw = true;
    conn->lingers = true;
}

/* Refuses a request whose head libmicrohttpd does not have whole, and logs its end. */
static void refuse_headless(struct mhd_conn *conn, int status, const char *reason, const char *end)
{
    svc__wire_send_problem(conn->conn.fd, status, reason, svc__loop_date(conn->conn.loop));
    svc__mhd_conn_log_headless(conn, status, end);
    close_after_answer(conn);
    svc__mhd_link_resume(conn);
}

/* ---- Its flight */

static void resume_conn(struct flight *flight)
{
    struct mhd_conn *conn = svc__mhd_conn_of_flight(flight);
    if (conn->streams)
        svc__mhd_stream_go_on(conn);
    else
        svc__mhd_link_resume(conn);
}

/* The rest of the body is read for a while, then the answer follows. */
static void drop_body(struct flight *flight)
{
    struct mhd_conn *conn = svc__mhd_conn_of_flight(flight);
    conn->call = CALL_DROP;
    svc__time_limit_hurry(flight->loop, flight->limit, FLIGHT_DROP_MS);
}

/* Outside of its calls libmicrohttpd keeps the socket, so a reply can only be sent if the socket
 * takes it at once. A larger one becomes an error: 503 at the cut, else 408, since the client has
 * not ended its body. */
static void reply_unread(struct flight *flight)
{
    struct mhd_conn *conn = svc__mhd_conn_of_flight(flight);
    struct exchange *x = flight->x;
    bool cut = flight->cut;
    int status = cut ? 503 : 408;
    if (!svc__exchange_reply_bodiless(x) && x->response.body.len > AT_ONCE)
        svc__dispatch_excuse_reply(x, status,
                                   "a large answer to a request whose body does not end");
    svc__mhd_conn_send_raw(conn, status);
    flight->cut = flight->cut || conn->unsent.data;
    if (!flight->waits && !cut)
        close_after_answer(conn);
}

static void reply_bare(struct flight *flight)
{
    svc__mhd_conn_refuse_bare(svc__mhd_conn_of_flight(flight), REFUSAL_NO_MEMORY);
}

/* libmicrohttpd notices a socket that is shut and closes it. */
static void abort_conn(struct flight *flight)
{
    struct mhd_conn *conn = svc__mhd_conn_of_flight(flight);
    if (conn->streams)
        svc__mhd_stream_end(conn);
    else
        svc__conn_shut(&conn->conn);
}

/* libmicrohttpd looks at events only, and can miss a FIN that comes with the last bytes. And of a
 * file that has become shorter, sendfile sends nothing more and reports no error. */
static void look_at_conn(struct flight *flight)
{
    struct mhd_conn *conn = svc__mhd_conn_of_flight(flight);
    const struct svc_response *res = &flight->x->response;
    if (flight->phase != FLIGHT_SEND || res->body.kind != REPLY_FILE) {
        svc__conn_watch_departure(&conn->conn);
    } else if (!svc__response_file_whole(res)) {
        flight->cut = true;
        svc__conn_shut(&conn->conn);
    }
}

/* By the count of bytes that the peer has acknowledged, or, without such a count, by the length of
 * the socket's queue. A queue that was emptied and filled may be as long as before, so `drained`
 * says that it had room. */
static bool has_moved(struct flight *flight)
{
    struct mhd_conn *conn = svc__mhd_conn_of_flight(flight);
    uint64_t sent;
    bool counted = svc__tcp_counts_acknowledged(&conn->conn, &sent);
    if (!counted) {
        int queued = 0;
        ioctl(conn->conn.fd, SIOCOUTQ, &queued);
        sent = (uint64_t)queued;
    }
    bool moved = sent != conn->sent || conn->drained;
    conn->sent = sent;
    conn->drained = false;
    if (moved && !counted)
        svc__conn_watch_once(&conn->conn, EPOLLOUT);
    return moved;
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

/* ---- Its end */

void svc__mhd_conn_closed(struct mhd_conn *conn)
{
    if (conn->large.active && conn->connection) {
        svc__mhd_large_take(conn);
        return;
    }
    svc__early_forget(conn); /* so that its descriptor is its own socket */
    svc__conn_unwatch(&conn->conn);
    /* Unread bytes of the peer would turn the close into a reset, which destroys the part of the
     * reply that the peer has not read yet. */
    int unread = 0;
    bool lingers = conn->lingers || (!ioctl(conn->conn.fd, FIONREAD, &unread) && unread > 0);
    int fd = lingers ? fcntl(conn->conn.fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (fd >= 0)
        svc__linger_begin(conn->conn.loop, fd, conn->unsent);
    else
        free(conn->unsent.data);
    svc__conn_release(&conn->conn);
}

void svc__mhd_conn_close_own(struct mhd_conn *conn)
{
    int fd = conn->conn.fd;
    if (conn->large.active)
        svc__mhd_large_end(conn, false);
    svc__mhd_conn_closed(conn);
    close(fd);
}

/* ---- Its first head, and heads in pieces */

/* Whether the first head is looked at before libmicrohttpd gets it. */
static bool looks_early(const struct mhd_conn *conn)
{
    return conn->mhd->known_layout || conn->conn.loop->server->behind;
}

/* Passes a connection to libmicrohttpd. False: libmicrohttpd has refused and closed it, and it is
 * freed. */
static bool hand_conn_over(struct mhd_conn *conn)
{
    conn->taken += conn->skipped;
    conn->skipped = 0;
    int added = svc__mhd_link_add(conn);
    if (added < 0) {
        svc__loop_fault(conn->conn.loop, 1, "a connection was closed unserved", strerror(errno));
        svc__early_forget(conn);
        svc__conn_release(&conn->conn);
    }
    return added > 0;
}

/* Gives up a connection whose head is not complete: libmicrohttpd sees its end after a resume, and
 * one that it never got is closed here. */
static void give_head_up(struct mhd_conn *conn)
{
    if (conn->connection)
        svc__mhd_link_resume(conn);
    else
        svc__mhd_conn_close_own(conn);
}

static void refuse_early(struct mhd_conn *conn, int status, const char *reason)
{
    struct loop *loop = conn->conn.loop;
    bool own = !conn->connection;
    svc__counter_add(loop->server->metrics.refused_below, 1);
    svc__plan_counts_over(&loop->server->app->plan->counts, status);
    refuse_headless(conn, status, reason, "refused");
    if (own)
        svc__mhd_conn_close_own(conn);
}

/* Whether a new connection, whose first head is whole, stays with this server. */
static bool stays(struct mhd_conn *conn)
{
    switch (svc__handover_try(&conn->conn, svc__early_method(conn), svc__early_target(conn))) {
    case HANDOVER_KEEP:
        return true;
    case HANDOVER_REFUSED:
        refuse_early(conn, 503, "these pages take no more connections");
        break;
    case HANDOVER_GIVEN:
        break;
    }
    return false;
}

/* The time for a new connection's first head counts from the connection's begin. */
static void note_head_begun(struct mhd_conn *conn)
{
    if (conn->phase == MHD_NEW)
        svc__conn_enter(&conn->conn, CONN_HEAD);
    else if (conn->phase != MHD_HEAD)
        svc__mhd_conn_enter(conn, MHD_HEAD);
}

static void read_early(struct mhd_conn *conn)
{
    int status;
    const char *reason;
    switch (svc__early_read(conn, &status, &reason)) {
    case EARLY_PART:
        if (conn->early && conn->early->len)
            note_head_begun(conn);
        break;
    case EARLY_READY:
        if (conn->connection || stays(conn))
            svc__early_queue(conn);
        break;
    case EARLY_UNREAD:
        if (!stays(conn))
            break;
        svc__early_forget(conn);
        hand_conn_over(conn);
        break;
    case EARLY_REFUSED:
        refuse_early(conn, status, reason);
        break;
    case EARLY_NO_MEMORY:
        refuse_early(conn, REFUSAL_NO_MEMORY);
        break;
    case EARLY_END:
        give_head_up(conn);
        break;
    }
}

void svc__mhd_conn_feed(struct mhd_loop *mhd)
{
    struct mhd_conn *conn = svc__early_next(mhd);
    if (!conn)
        return;
    if (conn->raw || conn->flight.cut) {
        give_head_up(conn);
        return;
    }
    if (conn->connection) {
        svc__early_restore(conn);
        svc__mhd_link_resume(conn);
    } else if (!hand_conn_over(conn)) {
        return;
    }
    if (!svc__early_feed(conn))
        svc__conn_shut(&conn->conn);
}

/* ---- A large file */

/* Behind its reply the connection is like a new one, except that it has been served. */
static void begin_anew(struct mhd_conn *conn)
{
    svc__mhd_conn_enter(conn, MHD_IDLE);
    if (looks_early(conn))
        read_early(conn);
    else
        hand_conn_over(conn);
}

static void send_large(struct mhd_conn *conn)
{
    enum large_step step = svc__mhd_large_send(conn);
    bool goes_on = step == LARGE_WHOLE && !conn->large.closes;
    if (step == LARGE_WHOLE)
        svc__mhd_large_end(conn, true);
    if (step == LARGE_MORE)
        svc__conn_watch_room(&conn->conn);
    else if (goes_on)
        begin_anew(conn);
    else
        svc__mhd_conn_close_own(conn);
}

/* ---- Events */

static bool arrives(const struct mhd_conn *conn)
{
    return conn->phase == MHD_HEAD ||
           (conn->phase == MHD_FLIGHT && conn->flight.phase == FLIGHT_BODY);
}

/* Whether the bytes of the body that have come may be all of it, those in the socket included. */
static bool may_be_whole(const struct mhd_conn *conn, uint32_t events)
{
    const struct exchange *x = conn->flight.x;
    int unread = 0;
    if ((events & (EPOLLHUP | EPOLLERR)) || ioctl(conn->conn.fd, FIONREAD, &unread))
        return false;
    return x->framing.kind != BODY_LENGTH ||
           x->request.bytes_in + conn->held + (uint64_t)unread >= x->framing.length;
}

/* The peer has left in a head or a body. Unread bytes may complete it, so libmicrohttpd gets time
 * to read them. */
static void left_halfway(struct mhd_conn *conn)
{
    int unread = 0;
    if (ioctl(conn->conn.fd, FIONREAD, &unread) || !unread)
        svc__conn_shut(&conn->conn);
    else
        svc__time_limit_hurry(conn->conn.loop, &conn->conn.limit, SILENT_MS);
}

static void on_socket(struct svc_loop *reactor, struct watch *watch, uint32_t events)
{
    (void)reactor;
    struct mhd_conn *conn = svc__mhd_conn_of(svc__conn_of_watch(watch));
    bool left = svc__conn_note_events(&conn->conn, events), ended = events & (EPOLLHUP | EPOLLERR);
    conn->drained = conn->drained || (events & EPOLLOUT);
    if (conn->streams) {
        svc__mhd_stream_event(conn, events);
    } else if (conn->large.active) {
        send_large(conn);
    } else if (conn->early || (!conn->connection && looks_early(conn))) {
        if (conn->raw || ended)
            give_head_up(conn);
        else
            read_early(conn);
    } else if (left && !conn->flight.x && conn->phase <= MHD_WATCHED &&
               !svc__mhd_taken_has_unread(conn)) {
        /* A FIN that came with the last request's bytes gives libmicrohttpd no event of its own. */
        svc__conn_shut(&conn->conn);
    } else if (conn->phase == MHD_WATCHED) {
        svc__mhd_conn_enter(conn, MHD_HEAD);
    } else if (conn->flight.waits && left) {
        bool half_is_end = svc__mhd_config(conn)->cancel_half_closed;
        svc__flight_departed(&conn->flight, ended || (half_is_end && (events & EPOLLRDHUP)),
                             conn->flight.phase != FLIGHT_STALL || may_be_whole(conn, events));
    } else if (left && arrives(conn)) {
        left_halfway(conn);
    }
}

/* ---- Deadlines */

static void head_expired(struct mhd_conn *conn)
{
    if (!conn->flight.x && conn->phase != MHD_HEAD && !svc__mhd_taken_has_unread(conn)) {
        svc__conn_shut(&conn->conn);
        return;
    }
    svc__flight_time_out(&conn->flight);
    refuse_headless(conn, 408, "the request head took too long",
                    svc__exchange_outcome_text(SVC_TIMED_OUT));
}

/* Idle for a second: looks once whether a request has begun, then watches for its first byte. */
static void look_if_idle(struct mhd_conn *conn)
{
    if (svc__mhd_taken_has_unread(conn)) {
        svc__mhd_conn_enter(conn, MHD_HEAD);
        return;
    }
    svc__mhd_conn_enter(conn, MHD_WATCHED);
    svc__conn_watch_once(&conn->conn, EPOLLIN | EPOLLRDHUP);
    if (svc__mhd_taken_is_all(conn))
        svc__mhd_link_rest(conn);
}

static void on_deadline(struct svc_loop *reactor, struct deadline *deadline)
{
    (void)reactor;
    struct mhd_conn *conn = svc__mhd_conn_of(svc__conn_of_deadline(deadline));
    struct time_limit *limit = &conn->conn.limit;
    switch (conn->phase) {
    case MHD_HEAD:
        if (svc__time_limit_looks(conn->conn.loop, limit)) { /* see look_at_conn */
            svc__time_limit_await(conn->conn.loop, limit, UINT32_MAX);
            if (!conn->early) /* the watch for the rest of its head shows a departure too */
                svc__conn_watch_departure(&conn->conn);
            break;
        }
        head_expired(conn);
        break;
    case MHD_NEW:
    case MHD_WATCHED: /* its first byte may have been missed among other events */
        head_expired(conn);
        break;
    case MHD_IDLE:
        look_if_idle(conn);
        break;
    case MHD_FLIGHT:
        svc__flight_expired(&conn->flight);
        break;
    case MHD_CLOSING:
        conn->lingers = false; /* the peer has had its time */
        svc__conn_shut(&conn->conn);
        break;
    }
}

/* ---- Functions of struct front */

void svc__mhd_conn_open(struct front_part *part, struct conn *conn)
{
    struct mhd_conn *own = svc__mhd_conn_of(conn);
    own->mhd = (struct mhd_loop *)(void *)part;
    own->taken_known = true;
    conn->watch.ready = on_socket;
    conn->limit.deadline.expired = on_deadline;
    svc__flight_init(&own->flight, &flight_ops, conn->loop, &conn->limit, &conn->peer,
                     part->front->scheme);
    svc__mhd_conn_enter(own, MHD_NEW);
    if (own->early && own->early->len) /* it comes from another server, which has read its head */
        svc__early_queue(own);
    else if (looks_early(own))
        read_early(own);
    else
        hand_conn_over(own);
}

void svc__mhd_conn_close_silent(struct conn *conn, uint64_t stop_ms)
{
    struct mhd_conn *own = svc__mhd_conn_of(conn);
    bool has_line = own->flight.x || (own->early && own->target_at);
    if (has_line || own->phase > MHD_HEAD)
        return;
    uint64_t now_ms = conn->loop->now_ms, needed = SILENT_MS, silent;
    if (own->phase == MHD_HEAD || svc__mhd_taken_has_unread(own)) {
        /* The turn may have begun before the stop. */
        uint64_t stopping = now_ms > stop_ms ? now_ms - stop_ms : 0;
        needed = stopping > needed ? stopping : needed;
    }
    if (!svc__tcp_counts_silence(conn, &silent))
        silent = now_ms - conn->limit.since_ms;
    if (silent >= needed)
        svc__conn_shut(conn);
}

void svc__mhd_conn_cut(struct conn *conn)
{
    struct mhd_conn *own = svc__mhd_conn_of(conn);
    own->flight.cut = true;
    if (own->flight.x)
        svc__flight_cut(&own->flight);
    else
        svc__conn_shut(conn);
}
