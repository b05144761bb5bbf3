/* Sends decided replies, of each kind. */
#include "libsvc/fronts/http1/http1_reply.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libsvc/base/least.h"
#include "libsvc/dispatch/dispatch.h"
#include "libsvc/exchange/response_trailers.h"
#include "libsvc/fronts/http1/http1_input.h"
#include "libsvc/fronts/http1/http1_life.h"
#include "libsvc/fronts/http1/http1_out.h"
#include "libsvc/reply/response_frames.h"
#include "libsvc/reply/response_head.h"

enum {
    SMALL_BODY = 4096,    /* a body that is copied behind its head, for one write of many replies */
    SOURCE_BLOCK = 8192,  /* bytes that a source is asked for, */
    SOURCE_WRITE = 32768, /* that are collected for one write, */
    SOURCE_TURN = 32,     /* and such blocks in one turn */
    FRAMES_A_TURN = 64,
    FILE_TURN = 1 << 20, /* bytes of a file in one turn */
    FILE_COPIED = 16384, /* the same, where the kernel cannot send the file */
    CHUNK_DIGITS = 4,    /* of the size of a chunk with a block */
    CHUNK_FRAMING = CHUNK_DIGITS + 4
};

/* ---- The head */

/* Whether the body ends where the connection does. */
static bool ends_by_close(const struct exchange *x)
{
    return !x->framing.chunks && !svc__exchange_reply_bodiless(x) &&
           svc__exchange_reply_length(x) == SVC_LENGTH_UNKNOWN;
}

/* Whether bytes of a next request are there. Old clients send an empty line behind a body, which is
 * no request (RFC 9112 2.2). */
static bool has_next(const struct http1_conn *conn)
{
    size_t read = svc__http1_input_view(conn).len;
    size_t none = conn->flight.x->framing.kind == BODY_NONE ? 0 : sizeof "\r\n" - 1;
    int unread = 0;
    ioctl(conn->conn.fd, FIONREAD, &unread);
    return conn->step == STEP_WHOLE && read + (size_t)unread > none;
}

/* While the server drains, a reply closes its connection, unless the next request is there already:
 * that was accepted and must be answered, until the cut. */
static bool closes_for_drain(const struct http1_conn *conn)
{
    int draining = atomic_load(conn->flight.x->request.plan->draining);
    return draining == DRAIN_BEGUN ? !has_next(conn) : draining;
}

static bool is_closing(const struct http1_conn *conn)
{
    const struct exchange *x = conn->flight.x;
    return x->close || conn->lingers || conn->ended || conn->flight.cut ||
           conn->conn.loop->server->one_request || ends_by_close(x) || closes_for_drain(conn);
}

static bool is_chunked(const struct exchange *x)
{
    return x->framing.chunks && svc__exchange_reply_length(x) == SVC_LENGTH_UNKNOWN;
}

/* The frames that can be sent from where they lie. */
static bool has_frames(const struct exchange *x)
{
    return svc__response_frames(&x->response) && !svc__exchange_reply_trails(x);
}

/* A peer that has gone without a word is noticed by the frames that it does not acknowledge. */
static void limit_silence(const struct http1_conn *conn)
{
    unsigned ms = (unsigned)svc__http1_config(conn)->send_timeout_ms;
    if (conn->conn.address.ss_family != AF_UNIX)
        setsockopt(conn->conn.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
}

/* The kind of the body that goes out. */
static enum reply_kind sent_kind(const struct exchange *x)
{
    const struct response_body *body = &x->response.body;
    if (svc__exchange_reply_bodiless(x) || (body->kind != REPLY_SOURCE && !body->len))
        return REPLY_EMPTY;
    return body->kind;
}

bool svc__http1_reply_is_small(const struct http1_conn *conn)
{
    const struct exchange *x = conn->flight.x;
    enum reply_kind kind = sent_kind(x);
    return kind == REPLY_EMPTY || (kind == REPLY_MEMORY && x->response.body.len <= SMALL_BODY);
}

bool svc__http1_reply_render(struct http1_conn *conn)
{
    struct http1_loop *http1 = svc__http1_loop_of(conn);
    const struct exchange *x = conn->flight.x;
    struct buf *out = &http1->out;
    conn->closes = is_closing(conn);
    const char *connection = conn->closes ? "close" : x->framing.chunks ? NULL : "keep-alive";
    svc__response_head_append(out, x, svc__loop_date(conn->conn.loop), connection);
    conn->rendered = true;
    conn->body_ended = false;
    conn->sent = conn->given = 0;
    conn->copies = !conn->io->plain || !http1->pipe_harmless;
    enum reply_kind kind = sent_kind(x);
    if (kind == REPLY_MEMORY && x->response.body.len <= SMALL_BODY)
        svc__buf_append(out, x->response.body.data, conn->sent = x->response.body.len);
    if (kind == REPLY_SOURCE && has_frames(x))
        limit_silence(conn);
    return !svc__buf_error(out);
}

/* ---- Memory */

static enum http1_sent sent_by(int error)
{
    return !error ? SENT_WHOLE : error == SVC_EAGAIN ? SENT_PART : SENT_BROKEN;
}

static enum http1_sent send_memory(struct http1_conn *conn)
{
    const struct response_body *body = &conn->flight.x->response.body;
    size_t taken;
    int error = svc__http1_out_write(
        conn, svc__bytes(body->data + conn->sent, body->len - (size_t)conn->sent), &taken, false);
    conn->sent += taken;
    return sent_by(error);
}

/* ---- Files */

/* A corked socket sends full segments only. Without it each call of sendfile ends with a small
 * segment. */
static void cork(struct http1_conn *conn, bool corked)
{
    int on = corked;
    if (conn->corked != corked)
        setsockopt(conn->conn.fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
    conn->corked = corked;
}

static ssize_t copy_file_part(struct http1_conn *conn, int from, size_t len, off_t at)
{
    char block[FILE_COPIED];
    ssize_t n = pread(from, block, svc__least(len, sizeof block), at);
    struct iovec part = {block, n > 0 ? (size_t)n : 0};
    return n > 0 ? conn->io->write(&conn->conn, &part, 1, false) : n;
}

/* If SIGPIPE ends the program, sendfile must not raise it; and not every file system knows
 * sendfile. */
static ssize_t send_part(struct http1_conn *conn, size_t len)
{
    const struct response_body *body = &conn->flight.x->response.body;
    off_t at = (off_t)(body->offset + conn->sent);
    ssize_t n = -1;
    if (!conn->copies)
        n = sendfile(conn->conn.fd, body->fd, &(off_t){at}, len);
    if (n < 0 && !conn->copies)
        conn->copies = errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP;
    return conn->copies ? copy_file_part(conn, body->fd, len, at) : n;
}

/* The rest is sent when the socket has room, also where the limit of a turn is reached. */
static enum http1_sent send_file(struct http1_conn *conn)
{
    uint64_t len = conn->flight.x->response.body.len;
    size_t none;
    if (len > FILE_TURN)
        cork(conn, true);
    int error = svc__http1_out_write(conn, svc__bytes(NULL, 0), &none, true);
    if (error)
        return sent_by(error);
    ssize_t n = send_part(conn, (size_t)svc__least_u64(len - conn->sent, FILE_TURN));
    if (n < 0 && errno == EINTR)
        n = 0;
    if (n <= 0 && !(n < 0 && errno == EAGAIN)) {
        bool of_file = n == 0 || errno == EIO || errno == ESTALE; /* it has become shorter */
        conn->flight.cut = conn->flight.cut || of_file;
        return SENT_BROKEN;
    }
    conn->sent += n > 0 ? (uint64_t)n : 0;
    conn->written += n > 0 ? (uint64_t)n : 0;
    if (conn->sent < len) {
        svc__conn_watch_room(&conn->conn);
        return SENT_PART;
    }
    cork(conn, false);
    svc__conn_watch_edges(&conn->conn, false);
    return SENT_WHOLE;
}

/* ---- Sources */

/* The source has nothing to send now. The time limit counts from the last byte that it gave; for
 * frames it need not be exact, since to begin it anew for each would cost some memory that is in no
 * cache. */
static void pause_reply(struct http1_conn *conn, bool exact)
{
    uint64_t given = conn->flight.x->response.body.len;
    uint64_t passed_ms = conn->conn.loop->now_ms - conn->conn.limit.since_ms;
    bool old = exact || passed_ms > svc__http1_config(conn)->send_timeout_ms / 8;
    if (conn->flight.phase != FLIGHT_SEND || (given != conn->given && old))
        svc__http1_life_fly(conn, FLIGHT_SEND);
    conn->given = given;
    svc__flight_wait(&conn->flight);
}

/* Writes the framing of a chunk around `n` bytes, before which there is room for its size. Returns
 * the length of all. */
static size_t frame_chunk(char *at, size_t n)
{
    char size[CHUNK_DIGITS + 3];
    size_t digits = (size_t)snprintf(size, sizeof size, "%zx\r\n", n);
    if (digits < CHUNK_DIGITS + 2)
        memmove(at + digits, at + CHUNK_DIGITS + 2, n);
    memcpy(at, size, digits);
    memcpy(at + digits + n, "\r\n", 2);
    return digits + n + 2;
}

/* Reads a block from the source, behind what is to be written. As svc_source.read. */
static int64_t read_block(struct http1_conn *conn)
{
    struct exchange *x = conn->flight.x;
    struct buf *out = &svc__http1_loop_of(conn)->out;
    bool chunked = is_chunked(x);
    char *at = svc__buf_reserve(out, SOURCE_BLOCK + CHUNK_FRAMING);
    if (!at)
        return SVC_ENOMEM;
    int64_t n = svc__dispatch_reply_read(x, at + (chunked ? CHUNK_DIGITS + 2 : 0), SOURCE_BLOCK);
    if (n > 0)
        out->len += chunked ? frame_chunk(at, (size_t)n) : (size_t)n;
    return n;
}

/* Renders the last chunk with its trailers. False: these cannot be had. */
static bool render_end(struct http1_conn *conn)
{
    struct exchange *x = conn->flight.x;
    struct buf *out = &svc__http1_loop_of(conn)->out;
    conn->body_ended = true;
    if (!is_chunked(x))
        return true;
    svc__buf_append(out, "0\r\n", 3);
    if (!svc__exchange_reply_trails(x)) {
        svc__buf_append(out, "\r\n", 2);
        return !svc__buf_error(out);
    }
    const svc_response *trailers = svc__response_trailers_ask(x);
    if (trailers)
        svc__response_head_fields(out, trailers);
    return trailers && !svc__buf_error(out);
}

/* A source has failed. What it gave before is sent. */
static enum http1_sent break_off(struct http1_conn *conn)
{
    svc__http1_out_flush(conn);
    conn->flight.cut = conn->flight.cut || !conn->flight.gone;
    return SENT_BROKEN;
}

static enum http1_sent end_source(struct http1_conn *conn)
{
    return render_end(conn) ? sent_by(svc__http1_out_flush(conn)) : break_off(conn);
}

static enum http1_sent send_source(struct http1_conn *conn)
{
    const struct buf *out = &svc__http1_loop_of(conn)->out;
    int error = conn->unsent.data ? svc__http1_out_flush(conn) : 0;
    for (int i = 0; i < SOURCE_TURN && !error; i++) {
        int64_t n = read_block(conn);
        if (n == 0)
            return end_source(conn);
        if (n < 0 && n != SVC_EAGAIN)
            return break_off(conn);
        if (n == SVC_EAGAIN || out->len >= SOURCE_WRITE)
            error = svc__http1_out_flush(conn);
        if (n == SVC_EAGAIN && !error) {
            pause_reply(conn, true);
            return SENT_PART;
        }
    }
    if (!error)
        error = svc__http1_out_flush(conn);
    if (!error)
        svc__http1_life_again(conn);
    return error ? sent_by(error) : SENT_PART;
}

/* ---- Frames */

/* Sends the rest of a frame, which stays the same until it has passed, from where it lies. */
static int send_frame(struct http1_conn *conn, const struct frame *frame)
{
    struct exchange *x = conn->flight.x;
    struct bytes data = x->framing.chunks ? svc__frame_chunk(frame) : svc__frame_body(frame);
    size_t sent = (size_t)conn->sent, taken;
    int error =
        svc__http1_out_write(conn, svc__bytes(data.data + sent, data.len - sent), &taken, false);
    conn->sent += taken;
    if (error)
        return error;
    conn->sent = 0;
    svc__dispatch_reply_passed(x, frame);
    return 0;
}

static enum http1_sent send_frames(struct http1_conn *conn)
{
    int error = 0;
    for (int i = 0; i < FRAMES_A_TURN && !error; i++) {
        const struct frame *frame;
        int n = svc__dispatch_reply_frame(conn->flight.x, &frame);
        if (n == 0)
            return end_source(conn);
        if (n < 0 && n != SVC_EAGAIN)
            return break_off(conn);
        error = n > 0 ? send_frame(conn, frame) : svc__http1_out_flush(conn);
        if (n == SVC_EAGAIN && !error) {
            pause_reply(conn, false);
            return SENT_PART;
        }
    }
    if (!error)
        svc__http1_life_again(conn);
    return error ? sent_by(error) : SENT_PART;
}

/* ---- All kinds */

static enum http1_sent send_stream(struct http1_conn *conn)
{
    if (conn->body_ended)
        return sent_by(svc__http1_out_flush(conn));
    if (conn->flight.gone || conn->flight.cut)
        return break_off(conn);
    return has_frames(conn->flight.x) ? send_frames(conn) : send_source(conn);
}

enum http1_sent svc__http1_reply_send(struct http1_conn *conn)
{
    switch (sent_kind(conn->flight.x)) {
    case REPLY_EMPTY:
        return sent_by(svc__http1_out_flush(conn));
    case REPLY_MEMORY:
        return send_memory(conn);
    case REPLY_FILE:
        return send_file(conn);
    case REPLY_SOURCE:
        break;
    }
    return send_stream(conn);
}

void svc__http1_reply_end(struct http1_conn *conn, enum svc_outcome outcome)
{
    const struct exchange *x = conn->flight.x;
    const struct response_body *body = &x->response.body;
    bool counts = body->kind == REPLY_SOURCE || outcome == SVC_COMPLETE;
    svc__flight_end(&conn->flight, outcome,
                    counts && !svc__exchange_reply_bodiless(x) ? body->len : 0);
    conn->replying = conn->rendered = false;
}
