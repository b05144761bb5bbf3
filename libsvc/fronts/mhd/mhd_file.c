/* Response objects of libmicrohttpd that send files, one for all equal replies of a loop. */
#include "libsvc/fronts/mhd/mhd_file.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <unistd.h>

#include "libsvc/server/server.h"

enum { SLOTS = 64, FIELD_BYTES = 65536 };

struct file_reply {
    struct MHD_Response *response; /* it owns the duplicate */
    const struct shared_fd *shared;
    uint64_t offset;
    size_t len;
    size_t users;      /* replies that it is queued for */
    struct buf fields; /* names and values that it has, each with its NUL */
    struct file_reply **slot, *next;
};

struct file_replies {
    struct file_reply *slots[SLOTS];
};

struct file_replies *svc__mhd_file_new(void)
{
    return calloc(1, sizeof(struct file_replies));
}

void svc__mhd_file_free(struct file_replies *files)
{
    free(files);
}

/* ---- Descriptors for duplicates */

static bool take_descriptor(struct server *server)
{
    if (atomic_fetch_sub(&server->file_descriptors, 1) > 0)
        return true;
    atomic_fetch_add(&server->file_descriptors, 1);
    return false;
}

static struct MHD_Response *make_response(struct server *server, const struct response_body *body)
{
    if (!take_descriptor(server))
        return NULL;
    int fd = fcntl(body->fd, F_DUPFD_CLOEXEC, 0);
    struct MHD_Response *response =
        fd < 0 ? NULL : MHD_create_response_from_fd_at_offset64(body->len, fd, body->offset);
    if (!response && fd >= 0)
        close(fd);
    if (!response)
        atomic_fetch_add(&server->file_descriptors, 1);
    return response;
}

/* ---- One object for equal replies */

static struct file_reply **file_reply_slot(struct mhd_conn *conn, const struct response_body *body)
{
    uintptr_t hash = ((uintptr_t)body->shared >> 4) + body->offset + body->len;
    return &conn->mhd->files->slots[hash % SLOTS];
}

/* A part of a file that is not shared is no other reply's. */
static struct file_reply *find_reply(struct file_reply *reply, const struct response_body *body)
{
    while (reply && (!body->shared || reply->shared != body->shared ||
                     reply->offset != body->offset || reply->len != body->len))
        reply = reply->next;
    return reply;
}

static struct file_reply *make_reply(struct mhd_conn *conn, struct file_reply **slot,
                                     const struct response_body *body)
{
    struct file_reply *reply = calloc(1, sizeof *reply);
    if (!reply)
        return NULL;
    reply->response = make_response(conn->conn.loop->server, body);
    if (!reply->response) {
        free(reply);
        return NULL;
    }
    reply->shared = body->shared;
    reply->offset = body->offset;
    reply->len = body->len;
    svc__buf_init(&reply->fields, FIELD_BYTES);
    reply->slot = slot;
    reply->next = *slot;
    *slot = reply;
    return reply;
}

static void remove_fields(struct file_reply *reply)
{
    for (size_t at = 0; at < reply->fields.len;) {
        const char *name = reply->fields.data + at, *value = name + strlen(name) + 1;
        MHD_del_response_header(reply->response, name, value);
        at = (size_t)(value - reply->fields.data) + strlen(value) + 1;
    }
    svc__buf_clear(&reply->fields);
}

struct MHD_Response *svc__mhd_file_response(struct mhd_conn *conn)
{
    const struct response_body *body = &conn->flight.x->response.body;
    struct file_reply **slot = file_reply_slot(conn, body), *reply = find_reply(*slot, body);
    reply = reply ? reply : make_reply(conn, slot, body);
    if (!reply)
        return NULL;
    remove_fields(reply);
    reply->users++;
    conn->file = reply;
    return reply->response;
}

bool svc__mhd_file_note(struct mhd_conn *conn, struct bytes name, struct bytes value)
{
    struct buf *fields = &conn->file->fields;
    svc__buf_append(fields, name.data, name.len);
    svc__buf_putc(fields, '\0');
    svc__buf_append(fields, value.data, value.len);
    svc__buf_putc(fields, '\0');
    return !svc__buf_error(fields);
}

void svc__mhd_file_done(struct mhd_conn *conn)
{
    struct file_reply *reply = conn->file, **at;
    conn->file = NULL;
    if (!reply || --reply->users > 0)
        return;
    for (at = reply->slot; *at != reply;)
        at = &(*at)->next;
    *at = reply->next;
    MHD_destroy_response(reply->response);
    atomic_fetch_add(&conn->conn.loop->server->file_descriptors, 1);
    svc__buf_free(&reply->fields);
    free(reply);
}
