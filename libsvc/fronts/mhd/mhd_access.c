/* The functions that libmicrohttpd calls for a request. */
#include "libsvc/fronts/mhd/mhd_access.h"

#include "libsvc/dispatch/dispatch.h"
#include "libsvc/dispatch/driver.h"
#include "libsvc/exchange/refusal.h"
#include "libsvc/fronts/mhd/chunks.h"
#include "libsvc/fronts/mhd/early.h"
#include "libsvc/fronts/mhd/mhd_conn.h"
#include "libsvc/fronts/mhd/mhd_detach.h"
#include "libsvc/fronts/mhd/mhd_file.h"
#include "libsvc/fronts/mhd/mhd_head.h"
#include "libsvc/fronts/mhd/mhd_large.h"
#include "libsvc/fronts/mhd/mhd_link.h"
#include "libsvc/fronts/mhd/mhd_reply.h"
#include "libsvc/fronts/mhd/mhd_taken.h"

/* ---- Replies */

/* Whether the reply's head would fit behind a small request's head. */
static bool head_fits_alone(const struct mhd_conn *conn)
{
    size_t pool = conn->mhd->pool;
    return MHD_REPLY_HEAD_BYTES + conn->flight.x->response.field_bytes + pool / 2 <= pool;
}

static enum MHD_Result reply_raw(struct mhd_conn *conn, int status)
{
    svc__mhd_conn_send_raw(conn, status);
    return MHD_NO;
}

/* Whether libmicrohttpd can send the reply: 0.9.75 sends a stray chunk behind a head without body
 * and known length. */
static bool sendable(const struct exchange *x)
{
    return !svc__exchange_reply_bodiless(x) || x->response.status == 204 ||
           svc__exchange_reply_length(x) != SVC_LENGTH_UNKNOWN;
}

/* While the server drains, a reply closes its connection, unless the next request is there already,
 * or may be there behind a chunked body: it was accepted and must be answered, until the cut. The
 * doubt counts once a connection, since otherwise a client that sends only such requests would
 * never be closed. */
static bool closes_for_drain(struct mhd_conn *conn)
{
    int draining = atomic_load(conn->flight.x->request.plan->draining);
    if (draining != DRAIN_BEGUN)
        return draining;
    if (conn->taken_known)
        return !svc__mhd_taken_has_unread(conn);
    bool spared = conn->spared;
    conn->spared = true;
    return spared;
}

static enum MHD_Result queue_reply(struct mhd_conn *conn)
{
    struct exchange *x = conn->flight.x;
    if (svc__mhd_detach_begin(conn))
        return MHD_NO;
    if (!svc__mhd_reply_fits(conn, x->response.field_bytes) || !sendable(x))
        return reply_raw(conn, head_fits_alone(conn) ? 431 : 500);
    bool closes = x->close || conn->flight.cut || conn->conn.loop->server->one_request ||
                  closes_for_drain(conn);
    svc__mhd_conn_fly(conn, FLIGHT_SEND);
    if (svc__mhd_large_begin(conn, closes))
        return MHD_NO;
    return svc__mhd_reply_queue(conn, closes) ? MHD_YES : reply_raw(conn, 500);
}

/* ---- The access handler */

static enum MHD_Result suspend_flight(struct mhd_conn *conn, enum flight_phase phase)
{
    svc__mhd_conn_fly(conn, phase);
    svc__flight_wait(&conn->flight);
    svc__mhd_link_suspend(conn);
    return MHD_YES;
}

static enum MHD_Result expect_body(struct mhd_conn *conn, enum mhd_call call)
{
    conn->call = call;
    conn->flight.unwanted = call == CALL_DROP;
    svc__mhd_conn_fly(conn, FLIGHT_BODY);
    return MHD_YES;
}

/* The first call, before a body, or for a malformed request whose end is not known. */
static enum MHD_Result run_before_body(struct mhd_conn *conn)
{
    struct exchange *x = conn->flight.x;
    switch (svc__driver_go_on(x)) {
    case EXCHANGE_WAIT:
        conn->call = CALL_AGAIN;
        return suspend_flight(conn, FLIGHT_HANDLE);
    case EXCHANGE_BODY:
    case EXCHANGE_FULL:
    case EXCHANGE_OVER:
        return expect_body(conn, CALL_BODY);
    case EXCHANGE_REPLY:
        break;
    }
    if (svc__flight_droppable(&conn->flight))
        return expect_body(conn, CALL_DROP);
    conn->lingers = true;
    return queue_reply(conn);
}

/* The request has come whole. */
static enum MHD_Result run_to_end(struct mhd_conn *conn)
{
    return svc__driver_go_on(conn->flight.x) == EXCHANGE_REPLY
               ? queue_reply(conn)
               : suspend_flight(conn, FLIGHT_HANDLE);
}

static enum MHD_Result refuse_chunks(struct mhd_conn *conn)
{
    if (!svc__exchange_has_reply(conn->flight.x) &&
        !svc__flight_refuse(&conn->flight, 400, "the body's chunked framing is malformed"))
        return MHD_NO;
    return reply_raw(conn, 400);
}

/* Drops a piece of the body. If the dropped bytes are too many, the reply is sent now, a 413 unless
 * it was decided before. */
static enum MHD_Result drop_piece(struct mhd_conn *conn, size_t len)
{
    struct exchange *x = conn->flight.x;
    svc__dispatch_drop(x, len);
    conn->dropped += len;
    if (conn->dropped <= FLIGHT_DROP_MOST)
        return MHD_YES;
    if (!svc__exchange_has_reply(x) && !svc__flight_refuse(&conn->flight, REFUSAL_BODY_OVER))
        return MHD_NO;
    return reply_raw(conn, 413);
}

/* Takes a piece of the body, or leaves all of it: `*left` is the length of the part left. */
static enum MHD_Result take_body_piece(struct mhd_conn *conn, const char *data, size_t len,
                                       size_t *left)
{
    if (!svc__chunks_lead(conn, data))
        return refuse_chunks(conn);
    svc__flight_answer_early(&conn->flight);
    enum exchange_step step =
        conn->call == CALL_BODY ? svc__dispatch_body(conn->flight.x, data, len) : EXCHANGE_REPLY;
    svc__chunks_took(conn, step == EXCHANGE_FULL ? data : data + len);
    if (step == EXCHANGE_FULL) { /* libmicrohttpd passes the bytes left again after the resume */
        *left = len;
        conn->held = len;
        return suspend_flight(conn, FLIGHT_STALL);
    }
    svc__mhd_taken_body(conn, len);
    if (step == EXCHANGE_BODY)
        return MHD_YES;
    if (conn->call == CALL_DROP)
        return drop_piece(conn, len);
    if (step == EXCHANGE_OVER && !svc__flight_refuse(&conn->flight, REFUSAL_BODY_OVER))
        return MHD_NO;
    svc__flight_drop_body(&conn->flight);
    return MHD_YES;
}

static enum MHD_Result take_body_end(struct mhd_conn *conn)
{
    struct exchange *x = conn->flight.x;
    if (!svc__chunks_end(conn))
        return refuse_chunks(conn);
    bool wanted = conn->call == CALL_BODY && !svc__exchange_has_reply(x);
    conn->call = CALL_FINAL;
    const char *reason;
    int status = wanted ? svc__mhd_head_take_trailers(conn, &reason) : 0;
    if (status)
        return svc__flight_refuse(&conn->flight, status, reason) ? queue_reply(conn) : MHD_NO;
    if (wanted)
        svc__dispatch_body_end(x);
    return run_to_end(conn);
}

static enum MHD_Result run_call(struct mhd_conn *conn, const char *method, const char *version,
                                const char *data, size_t *len)
{
    size_t taken = *len;
    switch (conn->call) {
    case CALL_FIRST:
        if (conn->flight.cut)
            return MHD_NO;
        svc__conn_enter(&conn->conn, CONN_HANDLER);
        svc__mhd_head_take(conn, method, version);
        svc__chunks_begin(conn);
        if (!conn->flight.x->malformed && conn->flight.x->framing.kind == BODY_NONE) {
            conn->call = CALL_FINAL;
            return MHD_YES;
        }
        return run_before_body(conn);
    case CALL_AGAIN:
        return run_before_body(conn);
    case CALL_FINAL:
        return run_to_end(conn);
    case CALL_BODY:
    case CALL_DROP:
        *len = 0;
        return taken ? take_body_piece(conn, data, taken, len) : take_body_end(conn);
    }
    return MHD_NO;
}

/* A reply that is sent without libmicrohttpd goes on when its connection is closed there. */
enum MHD_Result svc__mhd_access_run(void *cls, struct MHD_Connection *connection, const char *url,
                                    const char *method, const char *version, const char *data,
                                    size_t *len, void **context)
{
    (void)cls, (void)connection, (void)url;
    struct mhd_conn *conn = *context;
    if (!conn || !conn->flight.x || conn->raw || conn->flight.gone)
        return MHD_NO;
    if (conn->mhd->feed.conn == conn)
        svc__early_unfeed(conn->mhd);
    svc__mhd_link_called(conn);
    enum MHD_Result result = run_call(conn, method, version, data, len);
    if (conn->streams)
        *context = NULL;
    return result;
}

/* ---- Its beginning and its end */

void *svc__mhd_access_begin(void *cls, const char *target, struct MHD_Connection *connection)
{
    struct mhd_loop *mhd = cls;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct mhd_conn *conn = info ? info->socket_context : NULL;
    if (!conn || conn->raw)
        return conn;
    if (atomic_load(&mhd->part.loop->stage) >= STAGE_CUT) {
        svc__mhd_conn_refuse_bare(conn, REFUSAL_STOPPING);
        return conn;
    }
    if (!svc__flight_begin(&conn->flight, svc__bytes_z(target))) {
        svc__mhd_conn_refuse_bare(conn, REFUSAL_NO_MEMORY);
        return conn;
    }
    conn->call = CALL_FIRST;
    conn->dropped = conn->given = 0;
    conn->lingers = false;
    if (conn->phase != MHD_NEW && conn->phase != MHD_HEAD)
        svc__mhd_conn_enter(conn, MHD_HEAD);
    svc__mhd_head_look(conn, target);
    return conn;
}

static enum svc_outcome outcome_of(const struct mhd_conn *conn,
                                   enum MHD_RequestTerminationCode code)
{
    if (conn->flight.timed_out)
        return SVC_TIMED_OUT;
    if (conn->flight.cut || code == MHD_REQUEST_TERMINATED_DAEMON_SHUTDOWN)
        return SVC_CUT;
    return code == MHD_REQUEST_TERMINATED_COMPLETED_OK || conn->raw ? SVC_COMPLETE
                                                                    : SVC_CLIENT_GONE;
}

/* Whether libmicrohttpd has refused the request itself, with a status that only it knows. */
static bool note_refusal(struct exchange *x, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_HTTP_STATUS);
    return info && info->http_status >= 400 &&
           svc__dispatch_refused_below(x, (int)info->http_status);
}

static uint64_t bytes_out(const struct exchange *x, bool sent)
{
    const struct response_body *body = &x->response.body;
    if (svc__exchange_reply_bodiless(x))
        return 0;
    return body->kind == REPLY_SOURCE || sent ? body->len : 0;
}

void svc__mhd_access_end(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    (void)cls;
    struct mhd_conn *conn = *context;
    *context = NULL;
    if (!conn || !conn->flight.x || conn->large.active)
        return;
    svc__mhd_file_done(conn);
    if (svc__flight_reclaim(&conn->flight, SVC_CLIENT_GONE)) {
        struct exchange *x = conn->flight.x;
        bool refused = note_refusal(x, connection);
        enum svc_outcome outcome = refused ? SVC_COMPLETE : outcome_of(conn, code);
        if (!x->request.method.data && !conn->raw)
            svc__mhd_conn_log_headless(conn, x->response.status,
                                       refused ? "refused" : svc__exchange_outcome_text(outcome));
        bool sent = code == MHD_REQUEST_TERMINATED_COMPLETED_OK || (conn->raw && !conn->flight.cut);
        svc__flight_end(&conn->flight, outcome, bytes_out(x, sent));
    }
    if (!conn->raw)
        svc__mhd_conn_enter(conn, MHD_IDLE);
}
