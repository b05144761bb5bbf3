/* The kernel's counts, by TCP_INFO. */
#include "libsvc/server/tcp_counts.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

#include "libsvc/server/conn.h"

enum { TCP_STATE_CLOSE_WAIT = 8 /* TCP_CLOSE_WAIT of <netinet/tcp.h>, which lacks the counts */ };

static bool read_counts(const struct conn *conn, struct tcp_info *info)
{
    enum { NEEDED = offsetof(struct tcp_info, tcpi_bytes_received) + sizeof(uint64_t) };
    socklen_t len = sizeof *info;
    return conn->address.ss_family != AF_UNIX &&
           !getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, info, &len) && len >= NEEDED;
}

bool svc__tcp_counts_received(const struct conn *conn, uint64_t *bytes)
{
    struct tcp_info info;
    if (!read_counts(conn, &info))
        return false;
    /* The peer's FIN is counted as a byte. */
    *bytes = info.tcpi_bytes_received - (info.tcpi_state == TCP_STATE_CLOSE_WAIT);
    return true;
}

bool svc__tcp_counts_acknowledged(const struct conn *conn, uint64_t *bytes)
{
    struct tcp_info info;
    if (!read_counts(conn, &info))
        return false;
    *bytes = info.tcpi_bytes_acked;
    return true;
}

bool svc__tcp_counts_silence(const struct conn *conn, uint64_t *ms)
{
    struct tcp_info info;
    if (!read_counts(conn, &info))
        return false;
    *ms = info.tcpi_last_data_recv;
    return true;
}
