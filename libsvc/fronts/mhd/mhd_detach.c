/* Replies in frames: how they begin and end. */
#include "libsvc/fronts/mhd/mhd_detach.h"

#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libsvc/exchange/away.h"
#include "libsvc/fronts/mhd/mhd_conn.h"
#include "libsvc/fronts/mhd/mhd_stream.h"
#include "libsvc/fronts/mhd/wire.h"
#include "libsvc/reply/response_frames.h"

/* ---- Its beginning */

/* Small frames are sent at once. A peer that has gone without a word is noticed by the frames that
 * it does not acknowledge. */
static void tune_socket(const struct mhd_conn *conn)
{
    int on = 1;
    unsigned ms = (unsigned)svc__mhd_config(conn)->send_timeout_ms;
    if (conn->conn.address.ss_family == AF_UNIX)
        return;
    setsockopt(conn->conn.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(conn->conn.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
}

bool svc__mhd_detach_begin(struct mhd_conn *conn)
{
    struct exchange *x = conn->flight.x;
    if (!svc__response_frames(&x->response) || svc__exchange_reply_bodiless(x) ||
        svc__exchange_reply_trails(x) || conn->flight.cut || svc__away_keep_head(x))
        return false;
    int fd = fcntl(conn->conn.fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return false;
    if (svc__wire_send(fd, x, svc__loop_date(conn->conn.loop), &conn->unsent)) {
        close(fd);
        return false;
    }
    svc__conn_unwatch(&conn->conn);
    conn->conn.fd = fd;
    conn->connection = NULL;
    conn->streams = true;
    conn->piece_sent = 0;
    tune_socket(conn);
    svc__mhd_conn_fly(conn, FLIGHT_SEND);
    svc__mhd_stream_go_on(conn);
    return true;
}

/* ---- Its end */

static enum svc_outcome outcome_of_stream(const struct mhd_conn *conn)
{
    if (conn->flight.timed_out)
        return SVC_TIMED_OUT;
    if (conn->flight.gone)
        return SVC_CLIENT_GONE;
    return conn->flight.cut || !conn->lingers ? SVC_CUT : SVC_COMPLETE;
}

static void finish_stream(struct mhd_conn *conn)
{
    enum svc_outcome outcome = outcome_of_stream(conn);
    uint64_t bytes = conn->flight.x->response.body.len;
    if (svc__flight_reclaim(&conn->flight, outcome))
        svc__flight_end(&conn->flight, outcome, bytes);
    svc__mhd_conn_close_own(conn);
}

/* One that libmicrohttpd has not left yet waits for that. */
void svc__mhd_detach_finish(struct mhd_loop *mhd)
{
    struct mhd_conn *over = mhd->streams_over, *next;
    mhd->streams_over = NULL;
    for (struct mhd_conn *conn = over; conn; conn = next) {
        next = conn->next_over;
        if (conn->left_alone) {
            finish_stream(conn);
        } else {
            conn->stream_over = false;
            svc__mhd_stream_end(conn);
        }
    }
}
