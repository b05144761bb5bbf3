/* Serves a connection, from its requests' heads to the ends of their replies. */
#include "libsvc/fronts/http1/http1_serve.h"

#include <string.h>

#include "libsvc/dispatch/dispatch.h"
#include "libsvc/dispatch/driver.h"
#include "libsvc/exchange/away.h"
#include "libsvc/exchange/body_stream.h"
#include "libsvc/exchange/refusal.h"
#include "libsvc/exchange/request_trailers.h"
#include "libsvc/fronts/http1/http1_body.h"
#include "libsvc/fronts/http1/http1_input.h"
#include "libsvc/fronts/http1/http1_life.h"
#include "libsvc/fronts/http1/http1_out.h"
#include "libsvc/fronts/http1/http1_reply.h"
#include "libsvc/proto/head_raw.h"
#include "libsvc/server/handover.h"

enum {
    PIPELINED = 32768, /* bytes of replies to pipelined requests that are written at once */
    BUDGET = 64        /* requests and reads of one connection before others have their turn */
};

/* ---- Waiting */

static bool wait_flight(struct http1_conn *conn, enum flight_phase phase)
{
    svc__http1_life_fly(conn, phase);
    svc__flight_wait(&conn->flight);
    return false;
}

/* Whether the connection may go on in this turn. If not, the front's turn goes on with it. */
static bool spend(struct http1_conn *conn)
{
    struct http1_loop *http1 = svc__http1_loop_of(conn);
    if (http1->budget-- > 0)
        return true;
    http1->budget = 0;
    svc__http1_life_again(conn);
    return false;
}

/* Waits for a head, of which the first `len` bytes have come. */
static bool await_head(struct http1_conn *conn, size_t len)
{
    if (len ? conn->phase != HTTP1_HEAD : conn->phase > HTTP1_IDLE)
        svc__http1_life_enter(conn, len ? HTTP1_HEAD : HTTP1_IDLE);
    return false;
}

static bool end_conn(struct http1_conn *conn)
{
    svc__http1_life_end(conn);
    return false;
}

/* ---- Replies */

/* The system has the reply, or its bytes stand before those of the next one. */
static bool end_reply(struct http1_conn *conn)
{
    bool closes = conn->closes;
    conn->lingers = conn->lingers || conn->step != STEP_WHOLE;
    svc__http1_reply_end(conn, SVC_COMPLETE);
    return !closes && !conn->lingers ? true : end_conn(conn);
}

/* Whether the reply can wait for that of the next request, of which bytes have come. */
static bool can_follow(const struct http1_conn *conn)
{
    return conn->step == STEP_WHOLE && !conn->closes && svc__http1_input_view(conn).len &&
           svc__http1_reply_is_small(conn) && svc__http1_loop_of(conn)->out.len < PIPELINED;
}

static bool send_reply(struct http1_conn *conn)
{
    struct flight *flight = &conn->flight;
    enum http1_sent sent = SENT_PART;
    if (!conn->rendered && !svc__http1_reply_render(conn))
        return end_conn(conn);
    if (flight->phase != FLIGHT_SEND && can_follow(conn))
        return end_reply(conn);
    if (!flight->waits)
        sent = svc__http1_reply_send(conn);
    if (sent == SENT_WHOLE)
        return end_reply(conn);
    if (sent == SENT_BROKEN)
        return end_conn(conn);
    if (flight->phase != FLIGHT_SEND)
        svc__http1_life_fly(conn, FLIGHT_SEND);
    return false;
}

static bool begin_reply(struct http1_conn *conn)
{
    conn->replying = true;
    return true;
}

/* The reply goes out although the end of the request is not known, or not read. */
static bool reply_and_close(struct http1_conn *conn)
{
    conn->lingers = true;
    return begin_reply(conn);
}

/* Refuses the request, unless its reply was decided before. */
static bool refuse_and_close(struct http1_conn *conn, int status, const char *reason)
{
    if (!svc__exchange_has_reply(conn->flight.x) &&
        !svc__flight_refuse(&conn->flight, status, reason))
        return false;
    return reply_and_close(conn);
}

/* The request has come whole. */
static bool run_to_end(struct http1_conn *conn)
{
    return svc__driver_go_on(conn->flight.x) == EXCHANGE_REPLY ? begin_reply(conn)
                                                               : wait_flight(conn, FLIGHT_HANDLE);
}

/* ---- Bodies */

static bool expect_body(struct http1_conn *conn, bool wanted)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const struct framing *framing = &conn->flight.x->framing;
    conn->step = STEP_BODY;
    conn->flight.unwanted = !wanted;
    svc__http1_body_begin(conn, framing);
    svc__http1_life_fly(conn, FLIGHT_BODY);
    if (wanted && framing->expect_continue && !svc__http1_input_view(conn).len)
        svc__buf_append(&svc__http1_loop_of(conn)->out, go_on, sizeof go_on - 1);
    return true;
}

/* Before a body, or for a malformed request whose end is not known. */
static bool run_before_body(struct http1_conn *conn)
{
    struct exchange *x = conn->flight.x;
    switch (svc__driver_go_on(x)) {
    case EXCHANGE_WAIT:
        return wait_flight(conn, FLIGHT_HANDLE);
    case EXCHANGE_BODY:
    case EXCHANGE_FULL:
    case EXCHANGE_OVER:
        return expect_body(conn, true);
    case EXCHANGE_REPLY:
        break;
    }
    if (svc__body_stream_reads_on(x))
        return expect_body(conn, true) && begin_reply(conn);
    return svc__flight_droppable(&conn->flight) ? expect_body(conn, false) : reply_and_close(conn);
}

/* While the reply goes out, the end of the body's time or of the connection ends the body alone. */
static bool stop_body(struct http1_conn *conn)
{
    svc__body_stream_stop(conn->flight.x, SVC_ECANCELLED);
    conn->lingers = true;
    return false;
}

static bool read_body(struct http1_conn *conn)
{
    switch (svc__http1_input_read(conn)) {
    case READ_BYTES:
        return spend(conn);
    case READ_NOTHING:
    case READ_FULL:
        return false;
    case READ_END:
        break;
    }
    return conn->replying ? stop_body(conn) : end_conn(conn);
}

static bool drop_piece(struct http1_conn *conn, size_t len)
{
    svc__dispatch_drop(conn->flight.x, len);
    conn->dropped += len;
    return conn->dropped <= FLIGHT_DROP_MOST || refuse_and_close(conn, REFUSAL_BODY_OVER);
}

/* Whether a piece is handed in. The reply may have been decided since the last one. */
static bool is_wanted(struct http1_conn *conn)
{
    if (!conn->replying)
        svc__flight_answer_early(&conn->flight);
    return conn->replying ? svc__body_stream_reads_on(conn->flight.x) : !conn->flight.unwanted;
}

static bool take_piece(struct http1_conn *conn)
{
    struct flight *flight = &conn->flight;
    struct bytes piece = {svc__http1_input_view(conn).data, conn->piece};
    enum exchange_step step =
        is_wanted(conn) ? svc__dispatch_body(flight->x, piece.data, piece.len) : EXCHANGE_REPLY;
    if (step == EXCHANGE_FULL)
        return conn->replying ? false : wait_flight(conn, FLIGHT_STALL);
    svc__http1_body_taken(conn);
    if (step == EXCHANGE_BODY)
        return true;
    if (conn->replying)
        return stop_body(conn);
    if (flight->unwanted)
        return drop_piece(conn, piece.len);
    if (step == EXCHANGE_OVER && !svc__flight_refuse(flight, REFUSAL_BODY_OVER))
        return false;
    svc__flight_drop_body(flight);
    return true;
}

static bool end_body(struct http1_conn *conn, size_t trailers)
{
    struct exchange *x = conn->flight.x;
    bool wanted = is_wanted(conn) && (conn->replying || !svc__exchange_has_reply(x));
    const struct field *fields = svc__http1_loop_of(conn)->room->fields;
    const char *reason;
    int status = wanted && trailers ? svc__request_trailers_take(x, fields, trailers, &reason) : 0;
    if (status && conn->replying)
        return stop_body(conn);
    if (status)
        return refuse_and_close(conn, status, reason);
    conn->step = STEP_WHOLE;
    if (wanted)
        svc__dispatch_body_end(x);
    return conn->replying || run_to_end(conn);
}

static bool take_body(struct http1_conn *conn)
{
    const char *reason;
    size_t trailers;
    int found = svc__http1_body_next(conn, &trailers, &reason);
    switch (found) {
    case BODY_PART:
        return read_body(conn);
    case BODY_PIECE:
        return take_piece(conn);
    case BODY_END:
        return end_body(conn, trailers);
    }
    return conn->replying ? stop_body(conn) : refuse_and_close(conn, found, reason);
}

/* Reads the body while the reply goes out. */
static bool read_on(struct http1_conn *conn)
{
    while (conn->phase != HTTP1_OVER && conn->step == STEP_BODY &&
           svc__body_stream_reads_on(conn->flight.x) && take_body(conn))
        continue;
    return false;
}

/* Reads and drops what comes while the last reply goes out, since its client may send all before it
 * reads. */
static bool drop_rest(struct http1_conn *conn)
{
    struct http1_input *input = &conn->input;
    do
        input->begin = input->end;
    while (conn->phase != HTTP1_OVER && svc__http1_input_read(conn) == READ_BYTES && spend(conn));
    return false;
}

/* ---- Heads */

static bool refuse_headless(struct http1_conn *conn, int status, const char *reason)
{
    struct server *server = conn->conn.loop->server;
    svc__counter_add(server->metrics.refused_below, 1);
    svc__plan_counts_over(&server->app->plan->counts, status);
    svc__http1_life_refuse_headless(conn, status, reason, "refused");
    return false;
}

static struct bytes moved(struct bytes text, const char *from, const char *to)
{
    return svc__bytes(to + (text.data - from), text.len);
}

/* Copies the head into the exchange's memory, where its strings stay until the request ends. */
static bool keep_head(struct exchange *x, struct head *head, size_t len)
{
    const char *from = head->method.data;
    struct field *fields = svc__arena_alloc(&x->arena, head->count * sizeof *fields);
    char *to = svc__arena_alloc(&x->arena, len);
    if (!fields || !to)
        return false;
    memcpy(to, from, len);
    head->method = moved(head->method, from, to);
    for (size_t i = 0; i < head->count; i++)
        fields[i] = (struct field){moved(head->fields[i].name, from, to),
                                   moved(head->fields[i].value, from, to)};
    head->fields = head->count ? fields : NULL;
    head->target_raw = x->request.target.raw;
    svc__away_own_head(x);
    return true;
}

/* Gives the connection an exchange for its head. */
static bool begin_flight(struct http1_conn *conn, struct head *head, size_t len)
{
    struct loop *loop = conn->conn.loop;
    bool cut = atomic_load_explicit(&loop->stage, memory_order_relaxed) >= STAGE_CUT;
    if (!cut && svc__flight_begin(&conn->flight, head->target_raw) &&
        keep_head(conn->flight.x, head, len))
        return true;
    conn->flight.cut = true;
    if (cut)
        svc__http1_life_refuse(conn, REFUSAL_STOPPING);
    else
        svc__http1_life_refuse(conn, REFUSAL_NO_MEMORY);
    return false;
}

/* Begins the request of a head that is whole, or, with a status, malformed behind its first line.
 */
static bool begin_request(struct http1_conn *conn, struct head *head, int status,
                          const char *reason)
{
    size_t len = status ? head->method.len + 1 : head->bytes;
    if (!begin_flight(conn, head, len))
        return false;
    struct exchange *x = conn->flight.x;
    conn->phase = HTTP1_FLIGHT;
    conn->served = true;
    conn->replying = conn->rendered = false;
    svc__conn_enter(&conn->conn, CONN_HANDLER);
    if (status)
        svc__dispatch_head_failed(x, head, status, reason);
    else
        svc__dispatch_head(x, head);
    conn->step = x->malformed || x->framing.kind != BODY_NONE ? STEP_HEAD : STEP_WHOLE;
    return true;
}

static bool take_request_head(struct http1_conn *conn)
{
    struct http1_input *input = &conn->input;
    const struct head_limits limits = svc__http1_limits(conn);
    struct head head;
    const char *reason;
    if (!spend(conn))
        return await_head(conn, svc__http1_input_view(conn).len);
    for (;;) {
        struct bytes data = svc__http1_input_view(conn);
        int status = !data.len ? HTTP1_PART
                               : svc__http1_head_read(
                                     &conn->reading, input->data + input->begin, data.len, &limits,
                                     svc__http1_loop_of(conn)->room->fields, &head, &reason);
        if (status != HTTP1_PART) {
            input->begin = status ? input->end : input->begin + conn->reading.line;
            conn->reading = (struct http1_reading){0};
            if (status && !head.method.len)
                return refuse_headless(conn, status, reason);
            return begin_request(conn, &head, status, reason);
        }
        enum http1_read read = svc__http1_input_read(conn);
        if (read == READ_END)
            return end_conn(conn);
        if (read != READ_BYTES)
            return await_head(conn, data.len - conn->reading.begin);
    }
}

/* ---- The first request of a connection, for another server */

/* Whether this server serves the request that begins with the line. */
static bool stays(struct http1_conn *conn, struct bytes method, struct bytes target)
{
    switch (svc__handover_try(&conn->conn, method, target)) {
    case HANDOVER_KEEP:
        conn->served = true;
        return true;
    case HANDOVER_REFUSED:
        return refuse_headless(conn, 503, "these pages take no more connections");
    case HANDOVER_GIVEN:
        break;
    }
    return false;
}

/* Reads the first line. False: the connection waits for more of it, is over, or is given away with
 * the bytes that it keeps. */
static bool is_own(struct http1_conn *conn)
{
    const char *reason;
    size_t target, end;
    svc__http1_input_begin(conn);
    bool over = svc__http1_input_read(conn) == READ_END;
    struct bytes data = svc__http1_input_view(conn);
    if (!svc__http1_input_settle(conn))
        return end_conn(conn);
    data = svc__http1_input_view(conn);
    while (data.len >= 2 && !memcmp(data.data, "\r\n", 2))
        data = svc__bytes(data.data + 2, data.len - 2);
    int status = svc__head_raw_line(data.data, data.len, &target, &end, &reason);
    if (status == HEAD_RAW_PART && !over)
        return await_head(conn, data.len);
    if (status) /* it is refused as a request of this server */
        return true;
    size_t len = target;
    while (!memchr(" \t\r\n", data.data[len], 4))
        len++;
    return stays(conn, svc__bytes_trim(svc__bytes(data.data, target)),
                 svc__bytes(data.data + target, len - target));
}

/* ---- All of it */

/* Replies of requests that are over go out before anything else happens. */
static bool flush_earlier(struct http1_conn *conn)
{
    int error = svc__http1_out_flush(conn);
    if (error && error != SVC_EAGAIN)
        return end_conn(conn);
    if (error && !conn->flight.x && conn->phase != HTTP1_FLUSH)
        svc__http1_life_enter(conn, HTTP1_FLUSH);
    return !error;
}

static bool go_on(struct http1_conn *conn)
{
    const struct flight *flight = &conn->flight;
    if (conn->phase == HTTP1_OVER)
        return false;
    if (conn->unsent.data && !conn->rendered && !flush_earlier(conn))
        return false;
    if (!flight->x)
        return take_request_head(conn);
    if (conn->replying)
        return send_reply(conn) || (conn->lingers ? drop_rest(conn) : read_on(conn));
    if (flight->gone)
        return end_conn(conn);
    if (flight->waits)
        return false;
    switch (conn->step) {
    case STEP_HEAD:
        return run_before_body(conn);
    case STEP_BODY:
        return take_body(conn);
    case STEP_WHOLE:
        break;
    }
    return run_to_end(conn);
}

void svc__http1_serve(struct http1_conn *conn)
{
    struct http1_loop *http1 = svc__http1_loop_of(conn);
    http1->budget = BUDGET;
    if (!conn->served && conn->conn.loop->server->behind && !is_own(conn))
        return;
    svc__http1_input_begin(conn);
    while (go_on(conn))
        continue;
    if (http1->out.len && conn->phase != HTTP1_OVER)
        flush_earlier(conn);
    svc__buf_clear(&http1->out); /* of a connection that is over */
    if (!svc__http1_input_settle(conn))
        svc__http1_life_end(conn);
}

void svc__http1_serve_unread(struct http1_conn *conn)
{
    reply_and_close(conn);
    if (!conn->unsent.data || conn->rendered || flush_earlier(conn))
        send_reply(conn);
    else
        svc__http1_life_fly(conn, FLIGHT_SEND);
    svc__http1_life_again(conn); /* the rest of the body is dropped then */
    svc__buf_clear(&svc__http1_loop_of(conn)->out);
}

bool svc__http1_serve_waits(const struct http1_conn *conn)
{
    const struct flight *flight = &conn->flight;
    return flight->x && flight->waits && !conn->unsent.data &&
           !(conn->replying && conn->step != STEP_WHOLE);
}
