/* Response objects of libmicrohttpd, made and kept. */
#include "libsvc/fronts/mhd/mhd_reply.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libsvc/dispatch/dispatch.h"
#include "libsvc/exchange/response_trailers.h"
#include "libsvc/fronts/mhd/mhd_file.h"
#include "libsvc/fronts/mhd/mhd_link.h"
#include "libsvc/fronts/mhd/mhd_taken.h"

enum {
    KEPT = 16,               /* a power of two */
    KEPT_FIELD_BYTES = 1024, /* replies with more are not kept */
    SOURCE_BLOCK = 16384,
    FILE_BLOCK = 65536
};

/*
 * A response object for more than one reply: the body lies at the same place, and the fields are
 * equal except for the value of the last, which can be replaced. libmicrohttpd copies the fields
 * when a response is queued, but reads the body when it is sent: the bytes that lie there then, as
 * for a new response.
 */
struct kept_reply {
    struct MHD_Response *response; /* NULL: none */
    const char *data;
    size_t len;
    int64_t date_second;
    bool closes;
    size_t count;     /* of the exchange's own fields */
    struct buf texts; /* their names and values, each with its NUL */
    size_t last;      /* where the value of the last field begins in them */
};

struct kept_replies {
    struct kept_reply all[KEPT];
};

struct kept_replies *svc__mhd_reply_new(void)
{
    struct kept_replies *kept = calloc(1, sizeof *kept);
    for (size_t i = 0; kept && i < KEPT; i++)
        svc__buf_init(&kept->all[i].texts, 2 * KEPT_FIELD_BYTES);
    return kept;
}

static void drop_reply(struct kept_reply *kept)
{
    if (kept->response)
        MHD_destroy_response(kept->response);
    kept->response = NULL;
}

void svc__mhd_reply_free(struct kept_replies *kept)
{
    for (size_t i = 0; kept && i < KEPT; i++) {
        drop_reply(&kept->all[i]);
        svc__buf_free(&kept->all[i].texts);
    }
    free(kept);
}

/* ---- Room for it */

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

/*
 * A reply's head must fit into the memory that the request has left of the connection's pool:
 * libmicrohttpd would close the connection without an answer. Its read buffer takes half of the
 * pool, or the size of the head if that is larger; 0.9.75 gives back the part of it that is empty.
 */
bool svc__mhd_reply_fits(struct mhd_conn *conn, size_t bytes)
{
    const svc_request *req = &conn->flight.x->request;
    const struct mhd_loop *mhd = conn->mhd;
    size_t cookie_bytes = 0;
    size_t nodes = req->fields.count + count_cookies(req, &cookie_bytes);
    size_t needed = nodes * MHD_NODE_BYTES + cookie_bytes + MHD_REPLY_HEAD_BYTES + bytes;
    size_t half = mhd->pool / 2;
    if (needed + (conn->head_bytes > half ? conn->head_bytes : half) <= mhd->pool)
        return true;
    bool gives_back = mhd->known_layout && conn->taken_known && !svc__mhd_taken_has_unread(conn);
    return gives_back && needed + conn->head_bytes <= mhd->pool;
}

/* ---- Making a response */

/* The source has nothing to send now. The time limit counts from the last byte that it gave. */
static void pause_reply(struct mhd_conn *conn)
{
    uint64_t given = conn->flight.x->response.body.len;
    if (given != conn->given)
        svc__flight_enter(&conn->flight, FLIGHT_SEND);
    conn->given = given;
    svc__flight_wait(&conn->flight);
    svc__mhd_link_suspend(conn);
}

/* Adds the fields behind the body, if libmicrohttpd's memory has room for all of them. */
static bool add_trailers(struct mhd_conn *conn)
{
    struct exchange *x = conn->flight.x;
    const svc_response *trailers = svc__response_trailers_ask(x);
    if (!trailers)
        return false;
    bool added = svc__mhd_reply_fits(conn, trailers->field_bytes);
    for (size_t i = 0; i < trailers->field_count && added; i++)
        added = MHD_add_response_footer(conn->trailing, trailers->fields[i].name.data,
                                        trailers->fields[i].value.data) == MHD_YES;
    if (!added)
        svc_log_error(&x->request, "response cannot be ended",
                      svc_kv_str("error", "no room for its trailers"));
    return added;
}

static ssize_t read_source(void *cls, uint64_t at, char *data, size_t len)
{
    (void)at;
    struct mhd_conn *conn = cls;
    bool ends = conn->flight.gone || conn->flight.cut;
    int64_t n = ends ? SVC_ECANCELLED : svc__dispatch_reply_read(conn->flight.x, data, len);
    if (n == SVC_EAGAIN) {
        pause_reply(conn);
        return 0;
    }
    if (n == 0 && conn->trailing && !add_trailers(conn))
        n = SVC_ESYSTEM;
    if (n < 0)
        svc__mhd_link_close(conn);
    conn->flight.cut = conn->flight.cut || (n < 0 && !conn->flight.gone);
    return n > 0    ? (ssize_t)n
           : n == 0 ? MHD_CONTENT_READER_END_OF_STREAM
                    : MHD_CONTENT_READER_END_WITH_ERROR;
}

/* Reads a file that cannot be sent by sendfile. One that has become shorter is an error. */
static ssize_t read_reply_file(void *cls, uint64_t at, char *data, size_t len)
{
    struct mhd_conn *conn = cls;
    const struct response_body *body = &conn->flight.x->response.body;
    ssize_t n = pread(body->fd, data, len, (off_t)(body->offset + at));
    if (n > 0)
        return n;
    conn->flight.cut = true;
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

static struct MHD_Response *from_file(struct mhd_conn *conn)
{
    struct MHD_Response *response = svc__mhd_file_response(conn);
    return response ? response
                    : MHD_create_response_from_callback(conn->flight.x->response.body.len,
                                                        FILE_BLOCK, read_reply_file, conn, NULL);
}

/* A reply without a body needs its length only: libmicrohttpd reads no byte of it. */
static ssize_t read_nothing(void *cls, uint64_t at, char *data, size_t len)
{
    (void)cls, (void)at, (void)data, (void)len;
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

static bool from_memory(const struct exchange *x)
{
    return x->response.body.kind == REPLY_MEMORY || !svc__exchange_reply_length(x);
}

static struct MHD_Response *make_response(struct mhd_conn *conn)
{
    const struct exchange *x = conn->flight.x;
    const struct response_body *body = &x->response.body;
    uint64_t length = svc__exchange_reply_length(x);
    conn->trailing = NULL;
    if (body->kind == REPLY_SOURCE && !svc__exchange_reply_bodiless(x)) {
        struct MHD_Response *response = MHD_create_response_from_callback(
            length == SVC_LENGTH_UNKNOWN ? MHD_SIZE_UNKNOWN : length, SOURCE_BLOCK, read_source,
            conn, NULL);
        if (svc__exchange_reply_trails(x))
            conn->trailing = response;
        return response;
    }
    if (body->kind == REPLY_FILE && length && !svc__exchange_reply_bodiless(x))
        return from_file(conn);
    if (!from_memory(x))
        return MHD_create_response_from_callback(length, 1, read_nothing, NULL, NULL);
    return MHD_create_response_from_buffer(body->len, (void *)(uintptr_t)body->data,
                                           MHD_RESPMEM_PERSISTENT);
}

static bool add_field(struct MHD_Response *response, struct mhd_conn *conn, const char *name,
                      const char *value)
{
    if (MHD_add_response_header(response, name, value) != MHD_YES)
        return false;
    return !conn->file || svc__mhd_file_note(conn, svc__bytes_z(name), svc__bytes_z(value));
}

/* Connection goes first: if it is added behind Date, libmicrohttpd forgets that Date is there. */
static bool add_fields(struct MHD_Response *response, struct mhd_conn *conn, bool closes)
{
    const svc_response *res = &conn->flight.x->response;
    if (closes && !add_field(response, conn, "Connection", "close"))
        return false;
    if (!res->dated && !add_field(response, conn, "Date", svc__loop_date(conn->conn.loop)))
        return false;
    for (size_t i = 0; i < res->field_count; i++)
        if (!add_field(response, conn, res->fields[i].name.data, res->fields[i].value.data))
            return false;
    return true;
}

/* A file's response object is given back at the end of the reply. */
static void destroy_response(struct mhd_conn *conn, struct MHD_Response *response)
{
    if (response && !conn->file)
        MHD_destroy_response(response);
}

/* NULL when libmicrohttpd refuses a field, or memory runs out. */
static struct MHD_Response *make_whole_response(struct mhd_conn *conn, bool closes)
{
    struct MHD_Response *response = make_response(conn);
    if (response && !add_fields(response, conn, closes)) {
        destroy_response(conn, response);
        svc__mhd_file_done(conn);
        return NULL;
    }
    return response;
}

/* ---- Keeping it */

static struct kept_reply *place_of(struct mhd_conn *conn)
{
    const struct response_body *body = &conn->flight.x->response.body;
    uintptr_t hash = ((uintptr_t)body->data >> 4) + body->len;
    return &conn->mhd->replies->all[hash % KEPT];
}

/* Whether `text` is at `*at`, which is then moved behind it. */
static bool passes_text(const struct buf *texts, size_t *at, struct bytes text)
{
    if (texts->len - *at <= text.len || memcmp(texts->data + *at, text.data, text.len + 1) != 0)
        return false;
    *at += text.len + 1;
    return true;
}

/* Whether the fields are equal, but perhaps for the value of the last; `*at` is then its place. */
static bool same_but_last(const struct kept_reply *kept, const svc_response *res, size_t *at)
{
    for (size_t i = 0; i < res->field_count; i++) {
        bool last = i + 1 == res->field_count;
        if (!passes_text(&kept->texts, at, res->fields[i].name))
            return false;
        if (!last && !passes_text(&kept->texts, at, res->fields[i].value))
            return false;
    }
    return !res->field_count || *at == kept->last;
}

/* Replaces the value of the last field, such as an id that each reply has of its own. */
static bool exchange_last(struct kept_reply *kept, const struct field *field)
{
    const char *old = kept->texts.data + kept->last;
    if (strcmp(old, field->value.data) == 0)
        return true;
    if (MHD_del_response_header(kept->response, field->name.data, old) != MHD_YES ||
        MHD_add_response_header(kept->response, field->name.data, field->value.data) != MHD_YES)
        return false;
    kept->texts.len = kept->last;
    svc__buf_append(&kept->texts, field->value.data, field->value.len + 1);
    return !svc__buf_error(&kept->texts);
}

static bool usable(struct kept_reply *kept, struct mhd_conn *conn, bool closes)
{
    const svc_response *res = &conn->flight.x->response;
    size_t at = 0;
    svc__loop_date(conn->conn.loop); /* brings date_second up to date */
    if (!kept->response || kept->data != res->body.data || kept->len != res->body.len ||
        kept->count != res->field_count || kept->closes != closes ||
        kept->date_second != conn->conn.loop->date_second || !same_but_last(kept, res, &at))
        return false;
    return !res->field_count || exchange_last(kept, &res->fields[res->field_count - 1]);
}

static void note_kept(struct kept_reply *kept, struct mhd_conn *conn, bool closes)
{
    const svc_response *res = &conn->flight.x->response;
    kept->data = res->body.data;
    kept->len = res->body.len;
    kept->date_second = conn->conn.loop->date_second;
    kept->closes = closes;
    kept->count = res->field_count;
    svc__buf_clear(&kept->texts);
    for (size_t i = 0; i < res->field_count; i++) {
        svc__buf_append(&kept->texts, res->fields[i].name.data, res->fields[i].name.len + 1);
        kept->last = kept->texts.len;
        svc__buf_append(&kept->texts, res->fields[i].value.data, res->fields[i].value.len + 1);
    }
    if (svc__buf_error(&kept->texts))
        drop_reply(kept);
}

static bool queue_response(struct mhd_conn *conn, struct MHD_Response *response)
{
    return MHD_queue_response(conn->connection, (unsigned)conn->flight.x->response.status,
                              response) == MHD_YES;
}

static bool queue_kept(struct mhd_conn *conn, struct kept_reply *kept, bool closes)
{
    if (!usable(kept, conn, closes)) {
        drop_reply(kept);
        kept->response = make_whole_response(conn, closes);
        if (kept->response)
            note_kept(kept, conn, closes);
    }
    return kept->response && queue_response(conn, kept->response);
}

bool svc__mhd_reply_queue(struct mhd_conn *conn, bool closes)
{
    if (from_memory(conn->flight.x) && conn->flight.x->response.field_bytes <= KEPT_FIELD_BYTES)
        return queue_kept(conn, place_of(conn), closes);
    struct MHD_Response *response = make_whole_response(conn, closes);
    bool queued = response && queue_response(conn, response);
    destroy_response(conn, response);
    return queued;
}
