/* A request's head. */
#include "libsvc/fronts/mhd/mhd_head.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/dispatch/dispatch.h"
#include "libsvc/exchange/refusal.h"
#include "libsvc/exchange/request_trailers.h"
#include "libsvc/fronts/mhd/early.h"
#include "libsvc/fronts/mhd/mhd_link.h"
#include "libsvc/fronts/mhd/mhd_taken.h"
#include "libsvc/proto/head_raw.h"

#if MHD_VERSION < 0x00097002
#define MHD_Result int
#endif

/* ---- As it was sent */

static void note_fault(struct mhd_conn *conn, int status, const char *fault)
{
    conn->fault_status = status;
    conn->fault = fault;
}

/* Whether a request line was well formed; libmicrohttpd has put NULs over its spaces and end. */
static bool is_line_clean(const char *target, size_t len, const char *limit)
{
    static const char version[] = "HTTP/1.";
    const char *behind = target + len + 1;
    return !target[-1] && behind + sizeof version + 2 < limit &&
           !memcmp(behind, version, sizeof version - 1) && !behind[sizeof version] &&
           !behind[sizeof version + 1];
}

/* Has libmicrohttpd see the end of the head where the fields begin, so that the library answers. */
static void refuse_fields(struct mhd_conn *conn, int status, const char *fault)
{
    note_fault(conn, status, fault);
    conn->fields[0] = '\n';
}

/* Has the loop read the rest of a head, of which `len` bytes of fields have come. */
static void hold_fields(struct mhd_conn *conn, size_t len)
{
    size_t target = conn->flight.x->request.target.raw.len;
    bool is_long = target > (size_t)svc__mhd_config(conn)->max_target_bytes;
    int error = svc__early_hold(conn, len);
    if (!error)
        svc__mhd_link_suspend(conn);
    else if (error == SVC_ETOOBIG)
        refuse_fields(conn, is_long ? 414 : 431, "the request's head is too large");
    else
        refuse_fields(conn, REFUSAL_NO_MEMORY);
}

/*
 * Behind the request line lie the fields as they were sent, as far as they have come, and behind
 * them NULs: a reset clears the memory, and a first head is there whole.
 */
static void look_at_fields(struct mhd_conn *conn, const char *limit)
{
    size_t space = (size_t)(limit - conn->fields), end = 0;
    const char *fault = NULL;
    int status =
        svc__head_raw_fields(conn->fields, space, svc__mhd_config(conn)->max_fields, &end, &fault);
    if (status > 0)
        refuse_fields(conn, status, fault);
    else if (status == 0)
        conn->head_end = conn->fields + end;
    else
        hold_fields(conn, strnlen(conn->fields, space));
}

static void look_at_lines(struct mhd_conn *conn, char *target, size_t len)
{
    if (!conn->base)
        conn->base = target - conn->target_at;
    const char *limit = conn->base + conn->mhd->pool;
    conn->fields = target + len + sizeof "HTTP/1.1\r\n";
    if (is_line_clean(target, len, limit))
        look_at_fields(conn, limit);
    else
        note_fault(conn, 400, "the request line holds a NUL or spare white space, or has no CRLF");
}

void svc__mhd_head_look(struct mhd_conn *conn, const char *text)
{
    char *target = (char *)(uintptr_t)text;
    size_t len = conn->flight.x->request.target.raw.len;
    conn->target = target;
    conn->head_bytes = 0;
    conn->head_end = conn->fault = NULL;
    if (conn->mhd->known_layout)
        look_at_lines(conn, target, len);
    /* 0.9.75 looks for the '?' after this call. 1.0 has found it already, and parses the text
     * behind it. */
    char *query = strchr(target, '?');
    if (query)
        memset(query, '\0', query[1] ? 2 : 1);
}

/* ---- As libmicrohttpd has parsed it */

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

static bool collect_fields(struct mhd_conn *conn, struct collector *out)
{
    int count = MHD_get_connection_values_n(conn->connection, MHD_HEADER_KIND, NULL, NULL);
    out->space = count > 0 ? (size_t)count : 0;
    out->fields = svc__arena_alloc(&conn->flight.x->arena, out->space * sizeof *out->fields);
    if (!out->fields)
        return false;
    MHD_get_connection_values_n(conn->connection, MHD_HEADER_KIND, collect, out);
    return true;
}

/* The bytes from the method to the end of the empty line; 0: not known. */
static size_t head_size(struct mhd_conn *conn)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(conn->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info ? info->header_size : 0;
}

/* Whether libmicrohttpd has skipped empty lines only. It skips lines before a request that are
 * empty or begin with a NUL, and leaves NULs in their place: two for an empty line. */
static bool is_empty_lines(const char *from, const char *to)
{
    bool empty = (to - from) % 2 == 0;
    for (; from < to; from++)
        empty &= !*from;
    return empty;
}

/* Whether the request line and the head's end are where they were seen before 0.9.75 parsed. */
static bool is_as_sent(const struct mhd_conn *conn, const char *method)
{
    return !conn->mhd->known_layout ||
           (is_empty_lines(conn->base, method) && conn->target == method + strlen(method) + 1 &&
            conn->head_end == method + conn->head_bytes);
}

void svc__mhd_head_take(struct mhd_conn *conn, const char *method, const char *version)
{
    struct exchange *x = conn->flight.x;
    struct collector collector = {0};
    bool whole = collect_fields(conn, &collector);
    svc__mhd_taken_head(conn, method, head_size(conn));
    struct head head = {svc__bytes_z(method), x->request.target.raw, (unsigned)(version[7] - '0'),
                        collector.fields,     collector.count,       conn->head_bytes};
    if (!whole)
        svc__dispatch_head_failed(x, &head, REFUSAL_NO_MEMORY);
    else if (conn->fault)
        svc__dispatch_head_failed(x, &head, conn->fault_status, conn->fault);
    else if (!is_as_sent(conn, method))
        svc__dispatch_head_failed(x, &head, 400, "the head holds a NUL or a line that is hidden");
    else
        svc__dispatch_head(x, &head);
}

/* The fields go into memory of their own, since the exchange may be away, and its arena with it. */
int svc__mhd_head_take_trailers(struct mhd_conn *conn, const char **reason)
{
    int found = MHD_get_connection_values_n(conn->connection, MHD_FOOTER_KIND, NULL, NULL);
    if (found <= 0)
        return 0;
    struct collector out = {.space = (size_t)found};
    out.fields = malloc(out.space * sizeof *out.fields);
    *reason = "out of memory";
    if (!out.fields)
        return 503;
    MHD_get_connection_values_n(conn->connection, MHD_FOOTER_KIND, collect, &out);
    int status = svc__request_trailers_take(conn->flight.x, out.fields, out.count, reason);
    free(out.fields);
    return status;
}
