/* The count of bytes that a connection has taken off its socket. */
#include "libsvc/fronts/mhd/mhd_taken.h"

#include <sys/ioctl.h>

#include "libsvc/server/tcp_counts.h"

/* libmicrohttpd skips empty lines before a request and does not count them. But it reads every
 * request of a connection to the same place, so the method's place shows their length. */
void svc__mhd_taken_head(struct mhd_conn *conn, const char *method, size_t bytes)
{
    uint64_t skipped = conn->base ? (uint64_t)(method - conn->base) : 0;
    conn->head_bytes = bytes;
    conn->taken_known = conn->taken_known && bytes;
    conn->taken += bytes + skipped;
    conn->had_body = false;
}

void svc__mhd_taken_body(struct mhd_conn *conn, size_t bytes)
{
    if (conn->flight.x->framing.kind == BODY_CHUNKED)
        conn->taken_known = false;
    conn->taken += bytes;
    conn->had_body = true;
}

/* Without the kernel's count, only bytes that are unread in the socket can be more than ours. */
static uint64_t count_received(const struct mhd_conn *conn)
{
    uint64_t received;
    if (svc__tcp_counts_received(&conn->conn, &received))
        return received;
    int unread = 0;
    ioctl(conn->conn.fd, FIONREAD, &unread);
    return conn->taken + (uint64_t)unread;
}

bool svc__mhd_taken_has_unread(struct mhd_conn *conn)
{
    uint64_t received = count_received(conn);
    if (!conn->taken_known) {
        /* The framing of a chunked body is not counted: begin again from here. */
        conn->taken = received;
        conn->taken_known = conn->recounted = true;
    }
    /* Old clients send an empty line behind a body, which is no request (RFC 9112 2.2). */
    bool empty_line = conn->had_body && received == conn->taken + 2;
    return received > conn->taken && !empty_line;
}

bool svc__mhd_taken_is_all(const struct mhd_conn *conn)
{
    uint64_t received;
    return conn->base && !conn->recounted && svc__tcp_counts_received(&conn->conn, &received) &&
           received == conn->taken;
}

/* The socket is asked first: bytes that come between the two questions are then a difference, and
 * never hide one. */
bool svc__mhd_taken_leaves_rest(const struct mhd_conn *conn)
{
    uint64_t received;
    int unread = 0;
    return conn->taken_known && !conn->recounted && !ioctl(conn->conn.fd, FIONREAD, &unread) &&
           svc__tcp_counts_received(&conn->conn, &received) &&
           received == conn->taken + (uint64_t)unread;
}
