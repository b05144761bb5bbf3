/* A connection's phases and deadlines. */
#include "libsvc/server/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libsvc/exchange/away.h"
#include "libsvc/exchange/dispatch.h"
#include "libsvc/exchange/response_file.h"
#include "libsvc/exchange/stand_in.h"
#include "libsvc/fronts/mhd/loop_mhd.h"
#include "libsvc/fronts/mhd/wire.h"
#include "libsvc/server/address_limit.h"
#include "libsvc/server/loop.h"

enum {
    SILENT_MS = 1000,        /* without a byte before an idle connection is closed or watched */
    AT_ONCE = 8192,          /* bytes that a socket with nothing else to send has room for */
    CLOSING_MS = 2000,       /* for the peer to close after an answer past libmicrohttpd */
    TCP_STATE_CLOSE_WAIT = 8 /* TCP_CLOSE_WAIT of <netinet/tcp.h>, which lacks the byte counts */
};

struct conn *svc__conn_new(int fd, const struct sockaddr_storage *address, socklen_t len)
{
    struct conn *conn = calloc(1, sizeof *conn);
    if (!conn)
        return NULL;
    conn->watch.ready = svc__conn_ready;
    conn->deadline.expired = svc__conn_expired;
    conn->fd = fd;
    conn->address = *address;
    conn->address_len = len;
    conn->peer = svc__peer_of(address);
    conn->taken_known = true;
    return conn;
}

static void release(struct conn *conn)
{
    struct loop *loop = conn->loop;
    svc__wheel_cancel(&loop->wheel, &conn->deadline.timer);
    if (conn->next)
        conn->next->previous = conn->previous;
    if (conn->previous)
        conn->previous->next = conn->next;
    else
        loop->conns = conn->next;
    svc__address_limit_leave(loop->server->per_address, &conn->peer);
    svc__early_forget(conn);
    free(conn->unsent.data);
    free(conn);
    atomic_fetch_sub(&loop->count, 1);
    svc__server_socket_closed(loop->server, &loop->server->connections);
}

void svc__conn_open(struct loop *loop, struct conn *conn)
{
    conn->loop = loop;
    conn->next = loop->conns;
    if (loop->conns)
        loop->conns->previous = conn;
    loop->conns = conn;
    svc__conn_enter(conn, CONN_NEW);
    if (loop->known_layout)
        svc__early_open(conn);
    else
        svc__conn_hand_over(conn);
}

bool svc__conn_hand_over(struct conn *conn)
{
    conn->taken = conn->skipped;
    int added = svc__loop_mhd_add(conn->loop, conn);
    if (added < 0) {
        svc__loop_fault(conn->loop, 1, "a connection was closed unserved", strerror(errno));
        release(conn);
    }
    return added > 0;
}

static void unwatch(struct conn *conn)
{
    if (conn->watched)
        svc__loop_unwatch(conn->loop, conn->fd);
    conn->watched = false;
}

/* Bytes that the peer has sent and nobody has read would turn the close into a reset, which
 * destroys what the peer has not read yet. */
static bool must_linger(const struct conn *conn)
{
    int unread = 0;
    return conn->linger || (!ioctl(conn->fd, FIONREAD, &unread) && unread > 0);
}

void svc__conn_closed(struct conn *conn)
{
    svc__early_forget(conn); /* so that `fd` is the connection's own socket */
    unwatch(conn);
    if (must_linger(conn)) {
        int fd = fcntl(conn->fd, F_DUPFD_CLOEXEC, 0);
        if (fd >= 0) {
            svc__linger_begin(conn->loop, fd, conn->unsent);
            conn->unsent.data = NULL;
        }
    }
    release(conn);
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Until the first millisecond of the turn's clock that is not before the request's deadline. All
 * deadlines here are by that clock: by a later one, a loop that was held up would be early. */
static uint64_t left_ms(const struct conn *conn)
{
    return svc__exchange_remaining_ms(conn->x, conn->loop->now_ms * 1000000);
}

/* The request's own deadline holds until it is answered; a body that nobody wants has its own. */
static uint64_t body_ms(const struct conn *conn, const svc_config *config)
{
    uint64_t ms = config->body_timeout_ms;
    return svc__exchange_has_reply(conn->x) ? ms : smaller(ms, left_ms(conn));
}

/* Until it is looked at whether a worker has it. */
static uint64_t queue_ms(const struct conn *conn, const svc_config *config, uint64_t ms)
{
    return conn->x->out ? smaller(ms, config->worker_queue_ms) : ms;
}

static uint64_t phase_ms(const struct conn *conn, const svc_config *config)
{
    switch (conn->phase) {
    case CONN_NEW:
    case CONN_HEAD:
        return config->header_timeout_ms;
    case CONN_IDLE:
        return smaller(config->idle_timeout_ms / 2, SILENT_MS);
    case CONN_WATCHED:
        return config->idle_timeout_ms;
    case CONN_BODY:
        return queue_ms(conn, config, body_ms(conn, config));
    case CONN_STALL:
    case CONN_HANDLE:
        return queue_ms(conn, config, left_ms(conn));
    case CONN_SEND:
        return config->send_timeout_ms;
    case CONN_CLOSING:
        break;
    }
    return CLOSING_MS;
}

static bool sends_file(const struct conn *conn)
{
    return conn->phase == CONN_SEND && conn->x->response.body.kind == REPLY_FILE;
}

void svc__conn_enter(struct conn *conn, enum conn_phase phase)
{
    struct loop *loop = conn->loop;
    conn->phase = phase;
    if (phase != CONN_WATCHED) /* idleness began with the phase before */
        conn->since_ms = loop->now_ms;
    conn->due_ms = conn->since_ms + phase_ms(conn, &loop->server->app->config);
    uint64_t first = conn->since_ms + SILENT_MS;
    bool looks =
        (phase == CONN_HEAD || phase == CONN_BODY || sends_file(conn)) && first < conn->due_ms;
    svc__wheel_set(&loop->wheel, &conn->deadline.timer, looks ? first : conn->due_ms);
}

void svc__conn_hurry(struct conn *conn, uint64_t ms)
{
    conn->due_ms = smaller(conn->due_ms, conn->loop->now_ms + ms);
    if (conn->deadline.timer.due > conn->due_ms)
        svc__wheel_set(&conn->loop->wheel, &conn->deadline.timer, conn->due_ms);
}

/*
 * What the kernel has counted of a connection. False: it counts nothing, as of unix sockets, and
 * where TCP_INFO is shorter than the bytes' counts, as in older kernels and in sandboxes. Whoever
 * asks must do without then.
 */
static bool read_counts(const struct conn *conn, struct tcp_info *info)
{
    enum { NEEDED = offsetof(struct tcp_info, tcpi_bytes_received) + sizeof(uint64_t) };
    socklen_t len = sizeof *info;
    return conn->address.ss_family != AF_UNIX &&
           !getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, info, &len) && len >= NEEDED;
}

/* Bytes that have arrived, whoever has read them, and whether that is the kernel's count: where it
 * has none, what nobody has read yet stands for all that could be more than `taken`. */
static bool count_received(const struct conn *conn, uint64_t *bytes)
{
    struct tcp_info info;
    if (read_counts(conn, &info)) { /* the kernel counts the peer's FIN as a byte */
        *bytes = info.tcpi_bytes_received - (info.tcpi_state == TCP_STATE_CLOSE_WAIT);
        return true;
    }
    int unread = 0;
    ioctl(conn->fd, FIONREAD, &unread);
    *bytes = conn->taken + (uint64_t)unread;
    return false;
}

/* libmicrohttpd skips empty lines before a request and counts them nowhere. But it reads every
 * request of a connection to the same place, so they show in where the method begins. */
static uint64_t skipped(const struct conn *conn, const char *method)
{
    return conn->base ? (uint64_t)(method - conn->base) : 0;
}

void svc__conn_take_head(struct conn *conn, const char *method, size_t bytes)
{
    conn->head_bytes = bytes;
    conn->taken_known = conn->taken_known && bytes;
    conn->taken += bytes + skipped(conn, method);
    conn->had_body = false;
}

bool svc__conn_has_unread(struct conn *conn)
{
    uint64_t received;
    count_received(conn, &received);
    if (!conn->taken_known) {
        /* After a chunked body, whose framing nobody counted: count on from here. */
        conn->taken = received;
        conn->taken_known = conn->recounted = true;
    }
    /* Old clients send an empty line behind a body, which is no request (RFC 9112 2.2). */
    bool empty_line = conn->had_body && received == conn->taken + 2;
    return received > conn->taken && !empty_line;
}

/* What changes as the reply goes: what the peer has acknowledged, or, where that is not counted
 * (false), what the socket's queue holds. */
static bool count_sent(const struct conn *conn, uint64_t *bytes)
{
    struct tcp_info info;
    if (read_counts(conn, &info)) {
        *bytes = info.tcpi_bytes_acked;
        return true;
    }
    int queued = 0;
    ioctl(conn->fd, SIOCOUTQ, &queued);
    *bytes = (uint64_t)queued;
    return false;
}

/* libmicrohttpd notices a socket that is shut and closes it. */
static void shut(struct conn *conn)
{
    shutdown(conn->fd, SHUT_RDWR);
}

static void time_out(struct conn *conn)
{
    conn->timed_out = true;
    svc__metric_add(conn->loop->host.cells, conn->loop->server->metrics.timed_out, 1);
}

/* After an answer past libmicrohttpd, outside its calls: it closes when the peer does, sends more,
 * or when the time is over. */
static void close_after_answer(struct conn *conn)
{
    conn->raw = true;
    conn->linger = true;
    shutdown(conn->fd, SHUT_WR);
    svc__conn_enter(conn, CONN_CLOSING);
}

void svc__conn_send_raw(struct conn *conn, int status)
{
    struct exchange *x = conn->x;
    static const char reason[] = "a streamed answer where only one from memory can be sent";
    bool streams = x->response.body.kind >= REPLY_SOURCE && !svc__exchange_reply_bodiless(x);
    if (streams && status == 500)
        svc__dispatch_fail_reply(x, reason);
    else if (streams)
        svc__dispatch_excuse_reply(x, status, reason);
    if (svc__wire_send(conn->fd, x, svc__loop_date(conn->loop), &conn->unsent))
        conn->cut = true;
    conn->raw = true;
    conn->linger = true;
}

/* The same outside of libmicrohttpd's calls, where it goes on holding the socket: only a reply that
 * the socket takes at once can be sent. It is the client that has not ended its body, or the stop.
 */
static void send_raw_at_once(struct conn *conn)
{
    struct exchange *x = conn->x;
    int status = conn->cut ? 503 : 408;
    if (!svc__exchange_reply_bodiless(x) && x->response.body.len > AT_ONCE)
        svc__dispatch_excuse_reply(x, status,
                                   "a large answer to a request whose body does not end");
    svc__conn_send_raw(conn, status);
    conn->cut = conn->cut || conn->unsent.data;
}

void svc__conn_log_headless(const struct conn *conn, int status, const char *end)
{
    svc__log(&conn->loop->log, SVC_LEVEL_INFO, "request without a head",
             svc_kv_str("peer", conn->peer.text), svc_kv_int("status", status),
             svc_kv_str("end", end));
}

void svc__conn_refuse_head(struct conn *conn, int status, const char *reason, const char *end)
{
    svc__wire_send_problem(conn->fd, status, reason, svc__loop_date(conn->loop));
    svc__conn_log_headless(conn, status, end);
    close_after_answer(conn);
    if (conn->suspended)
        svc__loop_mhd_resume(conn);
}

static void head_expired(struct conn *conn)
{
    bool begun = conn->x || conn->phase == CONN_HEAD || svc__conn_has_unread(conn);
    if (!begun) {
        shut(conn);
        return;
    }
    time_out(conn);
    svc__conn_refuse_head(conn, 408, "the request head took too long",
                          svc__exchange_outcome_text(SVC_TIMED_OUT));
}

static void watch(struct conn *conn, uint32_t events)
{
    if (conn->watched && conn->watching == events)
        return;
    int error = conn->watched ? svc__loop_rewatch(conn->loop, conn->fd, events, &conn->watch)
                              : svc__loop_watch(conn->loop, conn->fd, events, &conn->watch);
    conn->watched = conn->watched || !error;
    conn->watching = error ? 0 : events; /* so that the next look tries again */
    conn->unwatched = error ? events : 0;
    if (error)
        svc__loop_watch_later(conn->loop);
}

void svc__conn_watch_again(struct conn *conn)
{
    if (conn->unwatched)
        watch(conn, conn->unwatched);
}

/* What comes after that event is libmicrohttpd's to notice. */
static void watch_once(struct conn *conn, uint32_t events)
{
    watch(conn, events | EPOLLET | EPOLLONESHOT);
}

void svc__conn_watch_head(struct conn *conn)
{
    watch_once(conn, EPOLLIN | EPOLLRDHUP);
}

/* Once for many requests, unless the connection is idle between them: it costs a system call. */
void svc__conn_watch_departure(struct conn *conn)
{
    if (conn->early) /* it is watched for the rest of its head too */
        return;
    if (conn->left) /* during an earlier request: it is told of this one too */
        conn->watching = 0;
    watch(conn, EPOLLRDHUP | EPOLLET);
}

/* Only where the kernel has counted as many bytes as are accounted for. */
static bool holds_nothing(const struct conn *conn)
{
    uint64_t received;
    return conn->base && !conn->recounted && count_received(conn, &received) &&
           received == conn->taken;
}

/* Idle for a moment: whether a request has begun is looked up once, then its first byte is awaited.
 */
static void look_if_idle(struct conn *conn)
{
    if (svc__conn_has_unread(conn)) {
        svc__conn_enter(conn, CONN_HEAD);
        return;
    }
    svc__conn_enter(conn, CONN_WATCHED);
    watch_once(conn, EPOLLIN | EPOLLRDHUP);
    if (holds_nothing(conn))
        svc__loop_mhd_rest(conn->loop, conn->base);
}

/* Has libmicrohttpd call its handler again. */
static void resume(struct conn *conn)
{
    if (!conn->suspended)
        return;
    if (conn->phase == CONN_STALL)
        svc__conn_enter(conn, CONN_BODY);
    svc__loop_mhd_resume(conn);
}

void svc__conn_refuse_bare(struct conn *conn, const char *reason)
{
    conn->cut = true;
    svc__wire_send_problem(conn->fd, 503, reason, svc__loop_date(conn->loop));
    close_after_answer(conn);
}

bool svc__conn_refuse(struct conn *conn, int status, const char *reason)
{
    enum svc_outcome outcome = conn->timed_out ? SVC_TIMED_OUT : SVC_CUT;
    conn->x = svc__dispatch_refuse(conn->x, status, reason, outcome);
    if (!conn->x)
        svc__conn_refuse_bare(conn, "out of memory");
    return conn->x;
}

/* Of a body that is streamed, only silence is counted, as long as somebody wants it. */
static bool streams_on(struct conn *conn)
{
    bool came = conn->x->stream && conn->call == CALL_BODY && conn->taken != conn->progress;
    conn->progress = conn->taken;
    return came && left_ms(conn);
}

/* Of a body that somebody wants: what is left of its own time and of the request's. */
static uint64_t silence_left_ms(const struct conn *conn)
{
    uint64_t passed = conn->loop->now_ms - conn->since_ms;
    uint64_t ms = conn->loop->server->app->config.body_timeout_ms;
    return smaller(ms > passed ? ms - passed : 0, left_ms(conn));
}

/* Whether the phase has `ms` left, and what was due is only that it is looked at whether a worker
 * has the exchange. */
static bool lasts(struct conn *conn, uint64_t ms)
{
    conn->due_ms = conn->loop->now_ms + ms;
    if (ms)
        svc__wheel_set(&conn->loop->wheel, &conn->deadline.timer, conn->due_ms);
    return ms;
}

/* It is no use to wait for a worker any longer. */
static bool leaves_queue(struct conn *conn)
{
    if (!svc__dispatch_unqueue(conn->x))
        return false;
    if (conn->phase == CONN_BODY) {
        svc__conn_enter(conn, CONN_BODY);
        svc__loop_mhd_answer_early(conn);
    }
    resume(conn);
    return true;
}

static void body_expired(struct conn *conn)
{
    if (leaves_queue(conn))
        return;
    if (conn->call == CALL_BODY && lasts(conn, silence_left_ms(conn))) {
        svc__conn_watch_departure(conn); /* as at the look that this was in place of */
        return;
    }
    if (streams_on(conn)) {
        svc__conn_enter(conn, CONN_BODY);
        return;
    }
    time_out(conn);
    if (svc__exchange_has_reply(conn->x) ||
        svc__conn_refuse(conn, 408, "the request body took too long"))
        send_raw_at_once(conn);
    close_after_answer(conn);
}

/* Whether the request's deadline was not what was due, or an answer has come before it. */
static bool waits_on(struct conn *conn)
{
    return leaves_queue(conn) || lasts(conn, left_ms(conn)) || !svc__dispatch_expire(conn->x);
}

static void handling_expired(struct conn *conn)
{
    if (waits_on(conn))
        return;
    time_out(conn);
    svc__conn_refuse(conn, 504, "the request took too long");
    resume(conn);
}

/* Who reads the body has not come on, and the request's deadline has passed. */
static void stall_expired(struct conn *conn)
{
    if (waits_on(conn))
        return;
    time_out(conn);
    if (svc__conn_refuse(conn, 504, "the request took too long"))
        send_raw_at_once(conn);
    resume(conn);
}

/* libmicrohttpd closes a suspended connection once it asks what to do next. */
static void end_suspended(struct conn *conn)
{
    conn->abandoned = true;
    svc__stand_in_cancel(conn->x);
    resume(conn);
}

static void sending_expired(struct conn *conn)
{
    uint64_t sent;
    bool counted = count_sent(conn, &sent);
    if (conn->suspended) { /* it is the service that has had nothing to send all the time */
        time_out(conn);
        end_suspended(conn);
        return;
    }
    if (sent != conn->progress || conn->drained) {
        conn->progress = sent;
        conn->drained = false;
        svc__conn_enter(conn, CONN_SEND);
        if (!counted) /* its queue may be as full as before when it was emptied and filled */
            watch_once(conn, EPOLLOUT);
        return;
    }
    time_out(conn);
    shut(conn);
}

/* What is half there after a second may never be whole: libmicrohttpd, which looks at events only,
 * can miss a FIN that comes with the last bytes. */
static bool looks_first(struct conn *conn)
{
    if ((conn->phase != CONN_HEAD && conn->phase != CONN_BODY) ||
        conn->loop->now_ms >= conn->due_ms)
        return false;
    svc__wheel_set(&conn->loop->wheel, &conn->deadline.timer, conn->due_ms);
    svc__conn_watch_departure(conn);
    return true;
}

/* Once a second: of a file that has become shorter, sendfile sends nothing more and says nothing.
 */
static bool looks_at_file(struct conn *conn)
{
    uint64_t now = conn->loop->now_ms, next = smaller(now + SILENT_MS, conn->due_ms);
    if (!sends_file(conn) || now >= conn->due_ms)
        return false;
    svc__wheel_set(&conn->loop->wheel, &conn->deadline.timer, next);
    if (svc__response_file_whole(&conn->x->response))
        return true;
    conn->cut = true;
    shut(conn);
    return true;
}

void svc__conn_expired(struct svc_loop *reactor, struct deadline *deadline)
{
    (void)reactor;
    struct conn *conn = (struct conn *)(void *)((char *)deadline - offsetof(struct conn, deadline));
    if (looks_first(conn) || looks_at_file(conn))
        return;
    switch (conn->phase) {
    case CONN_NEW:
    case CONN_HEAD:
    case CONN_WATCHED: /* its first byte may have been missed among other events */
        head_expired(conn);
        break;
    case CONN_IDLE:
        look_if_idle(conn);
        break;
    case CONN_BODY:
        body_expired(conn);
        break;
    case CONN_STALL:
        stall_expired(conn);
        break;
    case CONN_HANDLE:
        handling_expired(conn);
        break;
    case CONN_SEND:
        sending_expired(conn);
        break;
    case CONN_CLOSING:
        conn->linger = false; /* it has had its time */
        shut(conn);
        break;
    }
}

/* A FIN that came with the last request's bytes gives libmicrohttpd no event of its own. */
static bool left_idle(struct conn *conn, uint32_t events)
{
    return (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) && !conn->x &&
           conn->phase <= CONN_WATCHED && !svc__conn_has_unread(conn);
}

/* The peer sends nothing more. What it has sent may still be whole, once libmicrohttpd reads it. */
static void left_halfway(struct conn *conn)
{
    int unread = 0;
    if (ioctl(conn->fd, FIONREAD, &unread) || !unread)
        shut(conn);
    else
        svc__conn_hurry(conn, SILENT_MS);
}

/* Whether there is nobody to work for any more: the connection has ended, or the peer has shut its
 * sending side, which by the setting is the same. */
static bool has_left(const struct conn *conn, uint32_t events)
{
    return (events & (EPOLLHUP | EPOLLERR)) ||
           ((events & EPOLLRDHUP) && conn->loop->server->app->config.cancel_half_closed);
}

/* Whether what has come of the body may be all of it, with what nobody has read from the socket. */
static bool may_be_whole(const struct conn *conn, uint32_t events)
{
    const struct exchange *x = conn->x;
    int unread = 0;
    if ((events & (EPOLLHUP | EPOLLERR)) || ioctl(conn->fd, FIONREAD, &unread))
        return false;
    return x->framing.kind != BODY_LENGTH ||
           x->request.bytes_in + conn->held + (uint64_t)unread >= x->framing.length;
}

/* What is there is sent or read all the same: an answer, the next piece of a reply, the rest of a
 * body. But nobody is waited for, and what can have no end is ended. */
static void follow_departure(struct conn *conn, uint32_t events)
{
    bool stalls = conn->phase == CONN_STALL;
    if (stalls && !may_be_whole(conn, events)) {
        end_suspended(conn);
        return;
    }
    if (!has_left(conn, events))
        return;
    if (conn->phase == CONN_SEND)
        end_suspended(conn);
    else if (svc__dispatch_leave(conn->x))
        resume(conn);
}

void svc__conn_ready(struct svc_loop *reactor, struct watch *watch, uint32_t events)
{
    (void)reactor;
    struct conn *conn = (struct conn *)(void *)watch;
    bool left = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
    conn->left = conn->left || left;
    conn->drained = conn->drained || (events & EPOLLOUT);
    if (conn->watching & EPOLLONESHOT)
        conn->watching = 0;
    if (conn->early || (!conn->connection && conn->loop->known_layout)) {
        svc__early_event(conn, events);
        return;
    }
    if (left_idle(conn, events))
        shut(conn);
    else if (conn->phase == CONN_WATCHED)
        svc__conn_enter(conn, CONN_HEAD);
    else if (conn->suspended && left)
        follow_departure(conn, events);
    else if ((conn->phase == CONN_HEAD || conn->phase == CONN_BODY) && left)
        left_halfway(conn);
}

void svc__conn_news(struct conn *conn)
{
    if (conn->suspended)
        resume(conn);
    else if (conn->phase == CONN_BODY)
        svc__loop_mhd_answer_early(conn);
}

/* Milliseconds since the peer was last heard of. */
static uint64_t silent_ms(const struct conn *conn)
{
    struct tcp_info info;
    if (read_counts(conn, &info))
        return info.tcpi_last_data_recv;
    return conn->loop->now_ms - conn->since_ms;
}

void svc__conn_close_if_silent(struct conn *conn, uint64_t stop_ms)
{
    bool has_line = conn->x || (conn->early && conn->target_at);
    if (has_line || conn->phase > CONN_HEAD)
        return;
    uint64_t needed = SILENT_MS;
    if (conn->phase == CONN_HEAD || svc__conn_has_unread(conn)) {
        uint64_t stopping = conn->loop->now_ms - stop_ms;
        needed = stopping > needed ? stopping : needed;
    }
    if (silent_ms(conn) >= needed)
        shut(conn);
}

void svc__conn_cut(struct conn *conn)
{
    struct exchange *x = conn->x;
    conn->cut = true;
    if (!x) {
        shut(conn);
        return;
    }
    atomic_fetch_add(&conn->loop->server->cut_requests, 1);
    svc__stand_in_cancel(x);
    if (!svc__away_replaceable(x))
        return;
    if (!svc__exchange_has_reply(x) && conn->phase >= CONN_BODY)
        svc__conn_refuse(conn, 503, "the service is stopping");
    bool answers = conn->phase == CONN_HANDLE; /* also when it has been resumed in this turn */
    resume(conn);
    if (answers)
        return;
    if (conn->phase == CONN_BODY)
        send_raw_at_once(conn);
    shut(conn);
}
