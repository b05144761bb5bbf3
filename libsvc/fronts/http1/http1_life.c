/* The phases of a connection of HTTP/1. */
#include "libsvc/fronts/http1/http1_life.h"

#include "libsvc/fronts/http1/http1_out.h"
#include "libsvc/reply/response_head.h"

void svc__http1_life_enter(struct http1_conn *conn, enum http1_phase phase)
{
    static const enum conn_state states[] = {[HTTP1_HEAD] = CONN_HEAD,
                                             [HTTP1_FLUSH] = CONN_WRITING,
                                             [HTTP1_OVER] = CONN_CLOSING}; /* else
                                                                              CONN_IDLE
                                                                            */
    struct loop *loop = conn->conn.loop;
    const svc_config *config = svc__http1_config(conn);
    /* The time for a new connection's first head counts from the connection's begin. */
    bool first = conn->phase == HTTP1_NEW && phase == HTTP1_HEAD;
    uint64_t since_ms = first ? conn->conn.limit.since_ms : loop->now_ms;
    uint64_t ms = phase == HTTP1_IDLE    ? config->idle_timeout_ms
                  : phase == HTTP1_FLUSH ? config->send_timeout_ms
                                         : config->header_timeout_ms;
    conn->phase = phase;
    svc__conn_enter(&conn->conn, states[phase]);
    if (phase == HTTP1_OVER)
        svc__time_limit_cancel(loop, &conn->conn.limit);
    else
        svc__time_limit_begin(loop, &conn->conn.limit, since_ms, ms, 0);
}

void svc__http1_life_fly(struct http1_conn *conn, enum flight_phase phase)
{
    static const enum conn_state states[] = {[FLIGHT_NONE] = CONN_HEAD,
                                             [FLIGHT_BODY] = CONN_BODY,
                                             [FLIGHT_STALL] = CONN_BODY,
                                             [FLIGHT_HANDLE] = CONN_HANDLER,
                                             [FLIGHT_SEND] = CONN_WRITING};
    svc__conn_enter(&conn->conn, states[phase]);
    svc__flight_enter(&conn->flight, phase);
}

void svc__http1_life_again(struct http1_conn *conn)
{
    struct http1_loop *http1 = svc__http1_loop_of(conn);
    if (conn->queued)
        return;
    conn->queued = true;
    conn->next_again = NULL;
    *http1->again_last = conn;
    http1->again_last = &conn->next_again;
    http1->part.again = true;
}

void svc__http1_life_end(struct http1_conn *conn)
{
    if (conn->phase != HTTP1_OVER)
        svc__http1_life_enter(conn, HTTP1_OVER);
    svc__http1_life_again(conn);
}

struct http1_conn *svc__http1_life_next(struct http1_loop *http1)
{
    struct http1_conn *conn = http1->again;
    if (!conn)
        return NULL;
    http1->again = conn->next_again;
    if (!http1->again)
        http1->again_last = &http1->again;
    conn->queued = false;
    return conn;
}

void svc__http1_life_refuse(struct http1_conn *conn, int status, const char *detail)
{
    struct http1_loop *http1 = svc__http1_loop_of(conn);
    svc__response_head_problem(&http1->out, status, detail, svc__loop_date(http1->part.loop));
    svc__http1_out_flush(conn);
    svc__buf_clear(&http1->out); /* of a peer that has gone */
    conn->lingers = true;
    svc__http1_life_end(conn);
}

void svc__http1_life_refuse_headless(struct http1_conn *conn, int status, const char *detail,
                                     const char *end)
{
    svc__log(&conn->conn.loop->log, SVC_LEVEL_INFO, "request without a head",
             svc_kv_str("peer", conn->conn.peer.text), svc_kv_int("status", status),
             svc_kv_str("end", end));
    svc__http1_life_refuse(conn, status, detail);
}
