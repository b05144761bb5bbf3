/* The access log: one line for each request, at its end. A JSON line is written directly, without a
 * record. */
#include <string.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/base/clock.h"
#include "libsvc/base/hex.h"
#include "libsvc/exchange/access_items.h"
#include "libsvc/exchange/request_internal.h"
#include "libsvc/exchange/request_log.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/log/log_format.h"
#include "libsvc/mw/stack.h"

/* The path as sent. A target that could not be parsed is cut at its query, which may hold secrets.
 */
static struct bytes path_of(const svc_request *req)
{
    if (req->target.path.data)
        return req->target.path;
    struct bytes rest = req->target.raw;
    return svc__bytes_cut(&rest, '?');
}

static void member_text(struct buf *line, const char *key, struct bytes text)
{
    svc__buf_puts(line, key);
    svc__buf_json_string(line, text);
}

/* The same for text that needs no escape: an id, the name of a known method, a peer's address. */
static void member_plain(struct buf *line, const char *key, struct bytes text)
{
    svc__buf_puts(line, key);
    svc__buf_putc(line, '"');
    svc__buf_bytes(line, text);
    svc__buf_putc(line, '"');
}

static void member_number(struct buf *line, const char *key, uint64_t number)
{
    svc__buf_puts(line, key);
    svc__buf_u64(line, number);
}

/* Both ids have the same length in every line. The trace's id exists as text already where the
 * request's own id is equal. */
static void render_trace(struct buf *line, const struct request_trace *trace)
{
    static const char first[] = ",\"trace_id\":\"", second[] = "\",\"span_id\":\"";
    enum { FIRST = sizeof first - 1, SECOND = sizeof second - 1, ID = 2 * TRACE_ID_BYTES };
    enum { SPAN = 2 * TRACE_SPAN_BYTES, ALL = FIRST + ID + SECOND + SPAN + 1 };
    char *at = svc__buf_reserve(line, ALL);
    if (!at)
        return;
    memcpy(at, first, FIRST);
    if (trace->trace_id && *trace->trace_id)
        memcpy(at + FIRST, trace->trace_id, ID);
    else
        svc__hex_write(at + FIRST, trace->own.trace_id, TRACE_ID_BYTES);
    memcpy(at + FIRST + ID, second, SECOND);
    svc__hex_write(at + FIRST + ID + SECOND, trace->own.span_id, TRACE_SPAN_BYTES);
    at[ALL - 1] = '"';
    line->len += ALL;
}

static void render_request(struct buf *line, svc_request *req)
{
    if (*req->id)
        member_plain(line, ",\"id\":", svc__bytes_z(req->id));
    if (svc__request_trace_is_logged(req))
        render_trace(line, &req->trace);
    if (req->known_method != METHOD_OTHER)
        member_plain(line, ",\"method\":", req->method);
    else
        member_text(line, ",\"method\":", req->method);
    if (req->route)
        member_text(line, ",\"route\":", svc__bytes_z(svc_request_route(req)));
    member_text(line, ",\"path\":", path_of(req));
    if (req->plan->config->log_query && req->target.has_query)
        member_text(line, ",\"query\":", req->target.query);
    member_plain(line, ",\"peer\":", svc__bytes_z(svc_request_peer(req)));
}

/* Whether the line has a member although its value is the usual one. */
static bool is_full(const svc_request *req)
{
    return req->plan->config->log_full;
}

/* The items that the program adds. */
static void render_items(struct buf *line, const svc_request *req)
{
    svc_kv items[ACCESS_ITEMS];
    size_t count = svc__access_items_of(req, items);
    for (size_t i = 0; i < count; i++)
        svc__log_format_json_item(line, &items[i]);
}

/* The common properties of an app's lines. */
struct access_log {
    bool wanted;        /* by the level of the module */
    svc_log_site *site; /* static */
    const char *middle; /* of a JSON line, between the time and the request */
    struct bytes end;   /* of a JSON line; static */
};

static void render(struct buf *line, struct clock_text *now, const struct access_log *access,
                   svc_request *req, const svc_response *res, const svc_done *done)
{
    svc__buf_puts(line, "{\"time\":\"");
    svc__buf_append(line, svc__clock_text(now, svc__clock_wall_us()), CLOCK_RFC3339_SIZE - 1);
    svc__buf_puts(line, access->middle);
    render_request(line, req);
    member_number(line, ",\"status\":", (uint64_t)res->status);
    if (done->bytes_in || is_full(req))
        member_number(line, ",\"bytes_in\":", done->bytes_in);
    member_number(line, ",\"bytes_out\":", done->bytes_out);
    member_number(line, ",\"duration_us\":", done->duration_ns / 1000);
    if (done->outcome != SVC_COMPLETE || is_full(req)) {
        svc__buf_puts(line, ",\"end\":\"");
        svc__buf_puts(line, svc__exchange_outcome_text((enum svc_outcome)done->outcome));
        svc__buf_putc(line, '"');
    }
    render_items(line, req);
    svc__buf_bytes(line, access->end);
}

/* Logs a record: for forms other than JSON, and for the app's own sink. */
static void log_record(struct log *log, svc_log_site *site, svc_request *req,
                       const svc_response *res, const svc_done *done)
{
    struct bytes path = path_of(req), query = req->target.query;
    const char *end = svc__exchange_outcome_text((enum svc_outcome)done->outcome);
    enum { OWN = 9 };
    svc_kv items[OWN + ACCESS_ITEMS + 1];
    size_t count = 0;
    items[count++] = svc_kv_bytes("method", req->method.data, req->method.len);
    items[count++] = svc_kv_bytes("path", path.data, path.len);
    if (req->plan->config->log_query && req->target.has_query)
        items[count++] = svc_kv_bytes("query", query.data, query.len);
    items[count++] = svc_kv_str("peer", svc_request_peer(req));
    items[count++] = svc_kv_int("status", res->status);
    if (done->bytes_in || is_full(req))
        items[count++] = svc_kv_uint("bytes_in", done->bytes_in);
    items[count++] = svc_kv_uint("bytes_out", done->bytes_out);
    items[count++] = svc_kv_uint("duration_us", done->duration_ns / 1000);
    if (done->outcome != SVC_COMPLETE || is_full(req))
        items[count++] = svc_kv_str("end", end);
    count += svc__access_items_of(req, items + count);
    items[count] = (svc_kv)SVC_KV_END;
    svc__request_log_hand_over(log, req, svc__log_record_of(log->logger, site, "request", items));
}

static void on_done(svc_request *req, const svc_response *res, const svc_layer *layer,
                    const svc_done *done)
{
    struct exchange *x = svc__exchange_of(req);
    const struct access_log *access = layer->arg;
    struct log *log = x->host->log;
    if (!access->wanted || !svc__log_is_open(log))
        return;
    if (!svc__log_is_json(log)) {
        log_record(log, access->site, req, res, done);
        return;
    }
    struct buf *line = &x->host->scratch;
    svc__buf_clear(line);
    render(line, &log->now, access, req, res, done);
    svc__log_line(log, line);
}

static char *make_middle(svc_app *app)
{
    struct buf text;
    svc__buf_init(&text, SINK_LINE_MAX);
    svc__buf_puts(&text, "\",\"level\":\"info\",\"app\":");
    svc__buf_json_string(&text, svc__bytes_z(svc_app_name(app)));
    svc__buf_puts(&text, ",\"msg\":\"request\"");
    char *middle =
        svc__buf_error(&text) ? NULL : svc__arena_strndup(&app->memory, text.data, text.len);
    svc__buf_free(&text);
    return middle;
}

/* Those of the admin listener are a module of their own, whose level may be another. */
static struct access_log read_module(const svc_app *app)
{
    static svc_log_site own = {"access", NULL, 0, SVC_LEVEL_INFO, NULL},
                        admin = {"admin", NULL, 0, SVC_LEVEL_INFO, NULL};
    bool is_admin = svc__app_serving(app) != svc__app_root(app);
    struct access_log access = {.site = is_admin ? &admin : &own};
    const struct logger *logger = &svc__app_root(app)->logger;
    access.wanted = svc__log_level_of(&logger->levels, access.site->module) >= access.site->level;
    access.end = svc__bytes_z(is_admin ? ",\"module\":\"admin\"}" : ",\"module\":\"access\"}");
    return access;
}

const svc_middleware *svc__access_log_make(svc_app *app)
{
    svc_middleware *middleware = svc__arena_zalloc(&app->memory, sizeof *middleware);
    struct access_log *access = svc__arena_alloc(&app->memory, sizeof *access);
    char *middle = make_middle(app);
    if (!middleware || !access || !middle)
        return NULL;
    *access = read_module(app);
    access->middle = middle;
    *middleware = (svc_middleware){
        .size = sizeof *middleware,
        .name = "access_log",
        .arg = access,
        .on_done = on_done,
    };
    return middleware;
}
