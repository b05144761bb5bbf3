/* What libsvc and libmicrohttpd say to each other: one daemon a loop, and its access handler. */
#include "libsvc/fronts/mhd/loop_mhd.h"

#include <limits.h>
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libsvc/base/thread.h"
#include "libsvc/exchange/away.h"
#include "libsvc/exchange/dispatch.h"
#include "libsvc/exchange/stand_in.h"
#include "libsvc/fronts/mhd/chunks.h"
#include "libsvc/fronts/mhd/loop_mhd_reply.h"
#include "libsvc/fronts/mhd/wire.h"
#include "libsvc/proto/head_raw.h"

enum {
    /* A refused body of at most this is read, so that the connection can be kept. */
    DROP_ANNOUNCED = 65536,
    /* What is read of a body that turned out too large, before the connection is given up. */
    DROP_TOO_LARGE = 1 << 20,
    /* libmicrohttpd keeps a node of this size for each field and cookie. */
    NODE_BYTES = 64,
    /* Status line, Date, Connection, Content-Length and what libmicrohttpd rounds up. */
    REPLY_HEAD_BYTES = 256,
    DROP_MS = 5000,
    /* Of a connection that is to be handled first; longer than it can last. */
    OWN_TIMEOUT_S = 1000000
};

#if MHD_VERSION < 0x00097002
#define MHD_Result int
#endif

/* ---- Collecting the head */

struct collector {
    struct field *fields;
    size_t count, space;
};

static enum MHD_Result collect(void *cls, enum MHD_ValueKind kind, const char *name,
                               size_t name_len, const char *value, size_t value_len)
{
    (void)kind;
    struct collector *collector = cls;
    if (collector->count == collector->space)
        return MHD_NO;
    struct bytes normal = {value ? value : "", value_len};
    if (value_len && (value[value_len - 1] == ' ' || value[value_len - 1] == '\t'))
        normal = svc__fields_normal((char *)(uintptr_t)value, value_len); /* not on 0.9.75 */
    collector->fields[collector->count++] = (struct field){{name, name_len}, normal};
    return MHD_YES;
}

static bool collect_fields(struct conn *conn, struct collector *out)
{
    int count = MHD_get_connection_values_n(conn->connection, MHD_HEADER_KIND, NULL, NULL);
    out->space = count > 0 ? (size_t)count : 0;
    out->fields = svc__arena_alloc(&conn->x->arena, out->space * sizeof *out->fields);
    if (!out->fields)
        return false;
    MHD_get_connection_values_n(conn->connection, MHD_HEADER_KIND, collect, out);
    return true;
}

/* The bytes from the method to the end of the empty line; 0 when that is not known. */
static size_t head_size(struct conn *conn)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(conn->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info ? info->header_size : 0;
}

/* libmicrohttpd skips lines before a request that are empty, or begin with a NUL. What it has
 * skipped is NULs then, and an empty line two of them. */
static bool is_empty_lines(const char *from, const char *to)
{
    bool empty = (to - from) % 2 == 0;
    for (; from < to; from++)
        empty &= !*from;
    return empty;
}

/* Whether the request line and the head's end are where they were seen before 0.9.75 parsed. */
static bool is_as_sent(const struct conn *conn, const char *method)
{
    return !conn->loop->known_layout ||
           (is_empty_lines(conn->base, method) && conn->target == method + strlen(method) + 1 &&
            conn->head_end == method + conn->head_bytes);
}

static void take_head(struct conn *conn, const char *method, const char *version)
{
    struct exchange *x = conn->x;
    struct collector collector = {0};
    bool whole = collect_fields(conn, &collector);
    svc__conn_take_head(conn, method, head_size(conn));
    struct head head = {svc__bytes_z(method), x->request.target.raw, (unsigned)(version[7] - '0'),
                        collector.fields,     collector.count,       conn->head_bytes};
    if (!whole)
        svc__dispatch_head_failed(x, &head, 503, "out of memory");
    else if (conn->fault)
        svc__dispatch_head_failed(x, &head, conn->fault_status, conn->fault);
    else if (!is_as_sent(conn, method))
        svc__dispatch_head_failed(x, &head, 400, "the head holds a NUL or a line that is hidden");
    else
        svc__dispatch_head(x, &head);
}

/* ---- Replies */

static size_t count_cookies(const svc_request *req, size_t *bytes)
{
    size_t count = 0;
    const struct field *field = NULL;
    while ((field = svc__fields_each(&req->fields, field, FIELD_COOKIE))) {
        *bytes += field->value.len + 1;
        count++;
        for (size_t i = 0; i < field->value.len; i++)
            count += field->value.data[i] == ';';
    }
    return count;
}

/* Whether the reply's head would fit behind a small request's. */
static bool head_fits_alone(const struct conn *conn)
{
    size_t pool = conn->loop->pool;
    return REPLY_HEAD_BYTES + conn->x->response.field_bytes + pool / 2 <= pool;
}

/*
 * A reply's head must fit into what the request left of the connection's memory: libmicrohttpd
 * would close the connection without a word. Its read buffer takes half, or the head when that is
 * larger; 0.9.75 gives back what of it holds nothing.
 */
static bool head_fits(struct conn *conn)
{
    const svc_request *req = &conn->x->request;
    const struct loop *loop = conn->loop;
    size_t cookie_bytes = 0;
    size_t nodes = req->fields.count + count_cookies(req, &cookie_bytes);
    size_t needed =
        nodes * NODE_BYTES + cookie_bytes + REPLY_HEAD_BYTES + conn->x->response.field_bytes;
    size_t half = loop->pool / 2;
    if (needed + (conn->head_bytes > half ? conn->head_bytes : half) <= loop->pool)
        return true;
    bool gives_back = loop->known_layout && conn->taken_known && !svc__conn_has_unread(conn);
    return gives_back && needed + conn->head_bytes <= loop->pool;
}

static enum MHD_Result reply_raw(struct conn *conn, int status)
{
    svc__conn_send_raw(conn, status);
    return MHD_NO;
}

/* 0.9.75 sends a stray chunk behind the head of a reply that has neither body nor known length. */
static bool sendable(const struct exchange *x)
{
    return !svc__exchange_reply_bodiless(x) || x->response.status == 204 ||
           svc__exchange_reply_length(x) != SVC_LENGTH_UNKNOWN;
}

/* A reply closes its connection while the server drains, unless a next request is there already or,
 * behind a chunked body, may be: that is accepted and must be answered, until all is cut. One such
 * doubt a connection, or a client that sends nothing else would never be closed on. */
static bool closes_for_drain(struct conn *conn)
{
    int draining = atomic_load(&conn->x->request.app->draining);
    if (draining != DRAIN_BEGUN)
        return draining;
    if (conn->taken_known)
        return !svc__conn_has_unread(conn);
    bool spared = conn->spared;
    conn->spared = true;
    return spared;
}

static enum MHD_Result reply(struct conn *conn)
{
    struct exchange *x = conn->x;
    if (!head_fits(conn) || !sendable(x))
        return reply_raw(conn, head_fits_alone(conn) ? 431 : 500);
    bool closes = x->close || conn->cut || closes_for_drain(conn);
    svc__conn_enter(conn, CONN_SEND);
    return svc__loop_mhd_reply_queue(conn, closes) ? MHD_YES : reply_raw(conn, 500);
}

/* ---- The access handler */

static void suspend_connection(struct conn *conn)
{
    conn->suspended = true;
    conn->loop->suspended++;
    MHD_suspend_connection(conn->connection);
}

void svc__loop_mhd_pause(struct conn *conn)
{
    svc__conn_watch_departure(conn);
    suspend_connection(conn);
}

static enum MHD_Result suspend(struct conn *conn, enum conn_phase phase)
{
    svc__conn_enter(conn, phase);
    svc__loop_mhd_pause(conn);
    return MHD_YES;
}

static enum MHD_Result expect_body(struct conn *conn, enum conn_call call)
{
    conn->call = call;
    svc__conn_enter(conn, CONN_BODY);
    return MHD_YES;
}

/* A small body is read and dropped so that the connection can be kept: an answer to the first call
 * would close it. */
static bool droppable(const struct exchange *x)
{
    return x->framing.kind == BODY_LENGTH && x->framing.length <= DROP_ANNOUNCED &&
           !x->framing.expect_continue;
}

static enum exchange_step run(struct exchange *x)
{
    return x->replied ? EXCHANGE_REPLY : svc__dispatch_run(x);
}

/* In the first call, with a body to come or one whose end nobody knows. */
static enum MHD_Result run_before_body(struct conn *conn)
{
    struct exchange *x = conn->x;
    switch (run(x)) {
    case EXCHANGE_WAIT:
        conn->call = CALL_AGAIN;
        return suspend(conn, CONN_HANDLE);
    case EXCHANGE_BODY:
    case EXCHANGE_FULL:
    case EXCHANGE_OVER:
        return expect_body(conn, CALL_BODY);
    case EXCHANGE_REPLY:
        break;
    }
    if (droppable(x))
        return expect_body(conn, CALL_DROP);
    conn->linger = true;
    return reply(conn);
}

/* The request is in, whole. */
static enum MHD_Result run_to_end(struct conn *conn)
{
    return run(conn->x) == EXCHANGE_WAIT ? suspend(conn, CONN_HANDLE) : reply(conn);
}

static enum MHD_Result begin(struct conn *conn)
{
    const struct exchange *x = conn->x;
    if (x->malformed || x->framing.kind != BODY_NONE)
        return run_before_body(conn);
    conn->call = CALL_FINAL;
    return MHD_YES;
}

/* No more of the body is wanted: what is left is read for a while, and the answer follows. */
static void drop_rest(struct conn *conn)
{
    conn->call = CALL_DROP;
    svc__conn_hurry(conn, DROP_MS);
}

static void count_body(struct conn *conn, size_t len)
{
    if (conn->x->framing.kind == BODY_CHUNKED)
        conn->taken_known = false;
    conn->taken += len;
    conn->had_body = true;
}

static enum MHD_Result refuse_chunks(struct conn *conn)
{
    if (!svc__exchange_has_reply(conn->x) &&
        !svc__conn_refuse(conn, 400, "the body's chunked framing is malformed"))
        return MHD_NO;
    return reply_raw(conn, 400);
}

/* Where it has not been decided who drops the body, that is done now. */
static enum MHD_Result drop_piece(struct conn *conn, size_t len)
{
    struct exchange *x = conn->x;
    x->request.bytes_in += len;
    conn->dropped += len;
    if (conn->dropped <= DROP_TOO_LARGE)
        return MHD_YES;
    if (!svc__exchange_has_reply(x) &&
        !svc__conn_refuse(conn, 413, "the request body is over the limit"))
        return MHD_NO;
    return reply_raw(conn, 413);
}

void svc__loop_mhd_answer_early(struct conn *conn)
{
    struct exchange *x = conn->x;
    if (conn->call != CALL_BODY || svc__away_is(x))
        return;
    if (run(x) == EXCHANGE_REPLY)
        drop_rest(conn);
}

/* Takes a piece of the body, or leaves it: `*left` is what was not taken. */
static enum MHD_Result take_piece(struct conn *conn, const char *data, size_t len, size_t *left)
{
    if (!svc__chunks_lead(conn, data))
        return refuse_chunks(conn);
    svc__loop_mhd_answer_early(conn);
    enum exchange_step step =
        conn->call == CALL_BODY ? svc__dispatch_body(conn->x, data, len) : EXCHANGE_REPLY;
    svc__chunks_took(conn, step == EXCHANGE_FULL ? data : data + len);
    if (step == EXCHANGE_FULL) { /* suspended, with a byte left, so that it is handed in again */
        *left = len;
        conn->held = len;
        return suspend(conn, CONN_STALL);
    }
    count_body(conn, len);
    if (step == EXCHANGE_BODY)
        return MHD_YES;
    if (conn->call == CALL_DROP)
        return drop_piece(conn, len);
    if (step == EXCHANGE_OVER && !svc__conn_refuse(conn, 413, "the request body is over the limit"))
        return MHD_NO;
    drop_rest(conn);
    return MHD_YES;
}

static enum MHD_Result end_body(struct conn *conn)
{
    struct exchange *x = conn->x;
    if (!svc__chunks_end(conn))
        return refuse_chunks(conn);
    bool wanted = conn->call == CALL_BODY && !svc__exchange_has_reply(x);
    conn->call = CALL_FINAL;
    if (wanted && svc__dispatch_body_end(x) == EXCHANGE_WAIT)
        return suspend(conn, CONN_HANDLE);
    if (svc__away_is(x))
        return suspend(conn, CONN_HANDLE);
    return run_to_end(conn);
}

/* See svc__loop_mhd_resume. */
static void be_first_no_more(struct conn *conn)
{
    if (!conn->first)
        return;
    conn->first_run = conn->loop->runs;
    MHD_set_connection_option(conn->connection, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
    conn->first = false;
}

static enum MHD_Result on_access(void *cls, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *data,
                                 size_t *len, void **context)
{
    (void)cls, (void)connection, (void)url;
    struct conn *conn = *context;
    if (!conn || !conn->x || conn->raw || conn->abandoned)
        return MHD_NO;
    if (conn->loop->feed.conn == conn)
        svc__early_unfeed(conn->loop);
    be_first_no_more(conn);
    size_t taken = *len;
    switch (conn->call) {
    case CALL_FIRST:
        if (conn->cut)
            return MHD_NO;
        take_head(conn, method, version);
        svc__chunks_begin(conn);
        return begin(conn);
    case CALL_AGAIN:
        return run_before_body(conn);
    case CALL_FINAL:
        return run_to_end(conn);
    case CALL_BODY:
    case CALL_DROP:
        *len = 0;
        return taken ? take_piece(conn, data, taken, len) : end_body(conn);
    }
    return MHD_NO;
}

/* ---- The other callbacks */

static struct conn *conn_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/* 0.9.75 looks for the '?' after this call; 1.0 knows where it is, and parses what is behind it. */
static void hide_query(char *query)
{
    if (query)
        memset(query, '\0', query[1] ? 2 : 1);
}

static void note_fault(struct conn *conn, int status, const char *fault)
{
    conn->fault_status = status;
    conn->fault = fault;
}

/* Of a request line whose version and end libmicrohttpd has cut off already. */
static bool is_line_clean(const char *target, size_t len, const char *limit)
{
    static const char version[] = "HTTP/1.";
    const char *behind = target + len + 1;
    return !target[-1] && behind + sizeof version + 2 < limit &&
           !memcmp(behind, version, sizeof version - 1) && !behind[sizeof version] &&
           !behind[sizeof version + 1];
}

/* Ends the head for libmicrohttpd where its fields begin, so that it has nothing to answer itself.
 */
static void refuse_fields(struct conn *conn, int status, const char *fault)
{
    note_fault(conn, status, fault);
    conn->fields[0] = '\n';
}

/* The rest of a head, of which `len` bytes of fields have come, is read by the loop. */
static void hold_fields(struct conn *conn, size_t len)
{
    size_t target = conn->x->request.target.raw.len;
    bool is_long = target > (size_t)conn->loop->server->app->config.max_target_bytes;
    int error = svc__early_hold(conn, len);
    if (!error)
        suspend_connection(conn);
    else if (error == SVC_ETOOBIG)
        refuse_fields(conn, is_long ? 414 : 431, "the request's head is too large");
    else
        refuse_fields(conn, 503, "out of memory");
}

/*
 * The fields as they were sent, as far as they have come, still lie behind the request line, and
 * behind them NULs: a reset leaves nothing else, and a first head is there whole.
 */
static void look_at_fields(struct conn *conn, const char *limit)
{
    size_t space = (size_t)(limit - conn->fields), end = 0;
    const char *fault = NULL;
    int status = svc__head_raw_fields(conn->fields, space,
                                      conn->loop->server->app->config.max_fields, &end, &fault);
    if (status > 0)
        refuse_fields(conn, status, fault);
    else if (status == 0)
        conn->head_end = conn->fields + end;
    else
        hold_fields(conn, strnlen(conn->fields, space));
}

static void look_at_head(struct conn *conn, char *target, size_t len)
{
    if (!conn->base)
        conn->base = target - conn->target_at;
    const char *limit = conn->base + conn->loop->pool;
    conn->fields = target + len + sizeof "HTTP/1.1\r\n";
    if (is_line_clean(target, len, limit))
        look_at_fields(conn, limit);
    else
        note_fault(conn, 400, "the request line holds a NUL or spare white space, or has no CRLF");
}

/*
 * The request line is in. Its target is ours to parse: libmicrohttpd must find no query, of which
 * each argument would cost it memory that the head needs.
 */
static void *on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
    struct loop *loop = cls;
    struct conn *conn = conn_of(connection);
    if (!conn || conn->raw)
        return conn;
    if (atomic_load(&loop->stage) >= STAGE_CUT) {
        svc__conn_refuse_bare(conn, "the service is stopping");
        return conn;
    }
    conn->x = svc__dispatch_new(loop->server->app, &loop->host, svc__bytes_z(target));
    if (!conn->x) {
        svc__conn_refuse_bare(conn, "out of memory");
        return conn;
    }
    conn->x->transport = conn;
    conn->x->request.peer = conn->peer;
    conn->target = target;
    conn->call = CALL_FIRST;
    conn->head_bytes = 0;
    conn->head_end = conn->fault = NULL;
    conn->dropped = conn->given = 0;
    conn->timed_out = conn->cut = conn->linger = false;
    if (conn->phase != CONN_NEW && conn->phase != CONN_HEAD)
        svc__conn_enter(conn, CONN_HEAD);
    if (loop->known_layout)
        look_at_head(conn, (char *)(uintptr_t)target, conn->x->request.target.raw.len);
    hide_query(strchr(target, '?'));
    return conn;
}

static enum svc_outcome outcome_of(const struct conn *conn, enum MHD_RequestTerminationCode code)
{
    if (conn->timed_out)
        return SVC_TIMED_OUT;
    if (conn->cut || code == MHD_REQUEST_TERMINATED_DAEMON_SHUTDOWN)
        return SVC_CUT;
    return code == MHD_REQUEST_TERMINATED_COMPLETED_OK || conn->raw ? SVC_COMPLETE
                                                                    : SVC_CLIENT_GONE;
}

/* Whether libmicrohttpd has refused the request itself, with a status that only it knows. */
static bool note_refusal(struct exchange *x, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_HTTP_STATUS);
    bool refused = info && info->http_status >= 400 && !x->replied;
    if (refused)
        x->response.status = (int)info->http_status;
    return refused;
}

static uint64_t bytes_out(const struct exchange *x, bool sent)
{
    const struct response_body *body = &x->response.body;
    if (svc__exchange_reply_bodiless(x))
        return 0;
    return body->kind == REPLY_SOURCE || sent ? body->len : 0;
}

static void complete(struct conn *conn, struct MHD_Connection *connection, struct exchange *x,
                     enum MHD_RequestTerminationCode code)
{
    bool refused = note_refusal(x, connection);
    enum svc_outcome outcome = refused ? SVC_COMPLETE : outcome_of(conn, code);
    if (!x->request.method.data && !conn->raw)
        svc__conn_log_headless(conn, x->response.status,
                               refused ? "refused" : svc__exchange_outcome_text(outcome));
    bool sent = code == MHD_REQUEST_TERMINATED_COMPLETED_OK || (conn->raw && !conn->cut);
    x->transport = NULL;
    svc__dispatch_done(x, outcome, bytes_out(x, sent));
    svc__exchange_unref(x);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    (void)cls;
    struct conn *conn = *context;
    *context = NULL;
    if (!conn || !conn->x)
        return;
    struct exchange *x = svc__stand_in_reclaim(conn->x, SVC_CLIENT_GONE);
    conn->x = NULL;
    if (x)
        complete(conn, connection, x, code);
    if (!conn->raw)
        svc__conn_enter(conn, CONN_IDLE);
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct loop *loop = cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        loop->adding->connection = connection;
        *socket_context = loop->adding;
        return;
    }
    struct conn *conn = *socket_context;
    *socket_context = NULL;
    if (loop->adding == conn)
        loop->adding = NULL;
    if (conn)
        svc__conn_closed(conn);
}

/* Decoding is ours too. */
static size_t keep_escapes(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls, (void)connection;
    return strlen(text);
}

/* libmicrohttpd tells of the requests that it refuses itself by its log alone. */
SVC_PRINTF(2, 0) static void on_log(void *cls, const char *format, va_list arguments)
{
    static const char refused[] = "Error processing request";
    struct loop *loop = cls;
    char text[256];
    vsnprintf(text, sizeof text, format, arguments);
    text[strcspn(text, "\r\n")] = '\0';
    bool refusal = !strncmp(text, refused, sizeof refused - 1);
    if (!refusal) {
        svc__log(&loop->log, SVC_LEVEL_DEBUG, "libmicrohttpd", svc_kv_str("text", text));
        return;
    }
    svc__early_refused(loop);
    svc__metric_add(loop->host.cells, loop->server->metrics.refused_below, 1);
    svc__log(&loop->log, SVC_LEVEL_INFO, "libmicrohttpd", svc_kv_str("text", text));
}

/* ---- The daemon */

/* What depends on the libmicrohttpd that is found at run time. */
struct dialect {
    int strictness;    /* 0.9.77 gave the option another scale; before, our own checks see more */
    unsigned flags;    /* 1.0 takes connections later than it is asked to, unless told not to */
    bool known_layout; /* 0.9.75, see early.h and svc__loop_mhd_rest */
};

/* MHD_USE_NO_THREAD_SAFETY, which headers before 1.0 do not have. */
enum { NO_THREAD_SAFETY = 1 << 19 };

static struct dialect find_dialect(void)
{
    const char *version = MHD_get_version();
    unsigned major = 0, minor = 0, patch = 0;
    sscanf(version, "%u.%u.%u", &major, &minor, &patch);
    bool rewritten = major > 0;
    return (struct dialect){
        .strictness = rewritten || minor > 9 || patch >= 77,
        .flags = rewritten ? (unsigned)NO_THREAD_SAFETY : 0,
        .known_layout = !strcmp(version, "0.9.75"),
    };
}

static int find_epoll(struct loop *loop)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(loop->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (!info)
        return SVC_ESYSTEM;
    loop->mhd_fd = info->epoll_fd;
    return 0;
}

/* Room for a head of the full size, its nodes, and a reply's head: so our limits are met first. */
static size_t pool_size(const svc_config *config)
{
    size_t head = (size_t)config->max_head_bytes;
    size_t nodes = (size_t)config->max_fields * NODE_BYTES;
    return head + (nodes + REPLY_HEAD_BYTES > head ? nodes + REPLY_HEAD_BYTES : head);
}

int svc__loop_mhd_start(struct loop *loop)
{
    const struct dialect dialect = find_dialect();
    const unsigned flags = dialect.flags | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME |
                           MHD_USE_TURBO | MHD_USE_ERROR_LOG | MHD_USE_NO_LISTEN_SOCKET;
    loop->known_layout = dialect.known_layout;
    loop->pool = pool_size(&loop->server->app->config);
    loop->replies = svc__loop_mhd_reply_new();
    if (!loop->replies)
        return SVC_ENOMEM;
    /* Where SIGPIPE ends the program, libmicrohttpd sends files without sendfile, which raises it.
     */
    loop->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_access, loop, MHD_OPTION_EXTERNAL_LOGGER, on_log, loop,
        MHD_OPTION_STRICT_FOR_CLIENT, dialect.strictness, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        loop->pool, MHD_OPTION_CONNECTION_LIMIT, (unsigned)INT_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        0u, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, (int)svc__thread_pipe_harmless(),
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, loop, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, loop, MHD_OPTION_URI_LOG_CALLBACK, on_target, loop,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_END);
    return loop->daemon ? find_epoll(loop) : SVC_ESYSTEM;
}

void svc__loop_mhd_stop(struct loop *loop)
{
    if (loop->daemon)
        MHD_stop_daemon(loop->daemon);
    loop->daemon = NULL;
    svc__loop_mhd_reply_free(loop->replies);
    loop->replies = NULL;
}

void svc__loop_mhd_run(struct loop *loop)
{
    MHD_UNSIGNED_LONG_LONG wait;
    loop->closes = false;
    bool more = svc__early_feed(loop);
    loop->runs++;
    MHD_run(loop->daemon);
    svc__early_unfeed(loop);
    loop->run_again =
        more || loop->closes || (MHD_get_timeout(loop->daemon, &wait) == MHD_YES && wait == 0);
}

int svc__loop_mhd_add(struct loop *loop, struct conn *conn)
{
    loop->adding = conn;
    enum MHD_Result added = MHD_add_connection(
        loop->daemon, conn->fd, (const struct sockaddr *)&conn->address, conn->address_len);
    int known = added == MHD_YES ? 1 : loop->adding ? -1 : 0;
    loop->adding = NULL;
    loop->run_again = true;
    return known;
}

/* Requests are read to the beginning of a pool, and a reset zeroes it, as the system does for pages
 * that it is asked for anew. Only pages that lie in the pool whole are given back. */
void svc__loop_mhd_rest(const struct loop *loop, const char *pool)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t begin = ((uintptr_t)pool + page - 1) & ~(page - 1);
    uintptr_t end = ((uintptr_t)pool + loop->pool) & ~(page - 1);
    if (begin < end)
        madvise((void *)begin, end - begin, MADV_DONTNEED); /* what fails costs memory only */
}

/* Connections that have a timeout of their own are all handled before any is read from. */
static void be_first(struct conn *conn)
{
    conn->first = true;
    MHD_set_connection_option(conn->connection, MHD_CONNECTION_OPTION_TIMEOUT,
                              (unsigned)OWN_TIMEOUT_S);
}

/* One whose source fails is marked as closed, and closed when libmicrohttpd has it handled again,
 * for which it would have no reason. */
void svc__loop_mhd_close(struct conn *conn)
{
    be_first(conn);
    conn->loop->closes = true;
}

/*
 * What is resumed would be read from before it is handled: where the peer sends nothing more,
 * libmicrohttpd takes that for its departure then, with the answer at hand. The read mostly finds
 * nothing, so it also is one less.
 */
void svc__loop_mhd_resume(struct conn *conn)
{
    if (conn->phase != CONN_SEND)
        be_first(conn);
    MHD_resume_connection(conn->connection);
    conn->suspended = false;
    conn->loop->suspended--;
    conn->loop->run_again = true;
}
