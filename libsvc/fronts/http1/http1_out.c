/* The bytes that a connection still has to write. */
#include "libsvc/fronts/http1/http1_out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libsvc/base/least.h"

enum { OUT_KEPT = 262144 /* memory that the loop's buffer keeps */ };

/* What the connection keeps goes first; nothing is rendered while there is some. */
static struct bytes find_pending(const struct http1_conn *conn)
{
    const struct unsent *unsent = &conn->unsent;
    return unsent->data ? svc__bytes(unsent->data + conn->unsent_at, unsent->len - conn->unsent_at)
                        : svc__buf_view(&svc__http1_loop_of(conn)->out);
}

static void drop_unsent(struct http1_conn *conn)
{
    free(conn->unsent.data);
    conn->unsent = (struct unsent){NULL, 0};
    conn->unsent_at = 0;
}

/* Drops bytes that were written, and keeps the others of the loop's buffer. */
static int drop_written(struct http1_conn *conn, struct bytes pending, size_t n)
{
    struct buf *out = &svc__http1_loop_of(conn)->out;
    struct bytes rest = {pending.data + n, pending.len - n};
    if (conn->unsent.data) {
        conn->unsent_at += n;
        if (!rest.len)
            drop_unsent(conn);
        return 0;
    }
    if (rest.len) {
        conn->unsent.data = malloc(rest.len);
        if (!conn->unsent.data)
            return SVC_ENOMEM;
        memcpy(conn->unsent.data, rest.data, rest.len);
        conn->unsent.len = rest.len;
    }
    svc__buf_clear(out);
    if (out->cap > OUT_KEPT)
        svc__buf_free(out);
    return 0;
}

int svc__http1_out_write(struct http1_conn *conn, struct bytes body, size_t *taken, bool more)
{
    struct bytes pending = find_pending(conn);
    struct iovec parts[] = {{(void *)(uintptr_t)pending.data, pending.len},
                            {(void *)(uintptr_t)body.data, body.len}};
    *taken = 0;
    if (pending.len + body.len == 0)
        return 0;
    int first = !pending.len, count = 1 + (pending.len && body.len);
    ssize_t n = conn->io->write(&conn->conn, parts + first, count, more);
    if (n < 0 && errno != EAGAIN)
        return SVC_ESYSTEM;
    size_t written = n > 0 ? (size_t)n : 0, of_pending = svc__least(written, pending.len);
    conn->written += written;
    *taken = written - of_pending;
    if (pending.len && drop_written(conn, pending, of_pending))
        return SVC_ENOMEM;
    if (written == pending.len + body.len)
        return 0;
    svc__conn_watch_edges(&conn->conn, true);
    return SVC_EAGAIN;
}

int svc__http1_out_flush(struct http1_conn *conn)
{
    size_t none;
    return svc__http1_out_write(conn, svc__bytes(NULL, 0), &none, false);
}

struct unsent svc__http1_out_take(struct http1_conn *conn)
{
    struct unsent rest = {conn->unsent.data, conn->unsent.len - conn->unsent_at};
    if (conn->unsent_at)
        memmove(rest.data, rest.data + conn->unsent_at, rest.len);
    conn->unsent = (struct unsent){NULL, 0};
    conn->unsent_at = 0;
    return rest;
}
