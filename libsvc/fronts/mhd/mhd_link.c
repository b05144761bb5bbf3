/* The link of a connection to libmicrohttpd. */
#include "libsvc/fronts/mhd/mhd_link.h"

#include <microhttpd.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    OWN_TIMEOUT_S = 1000000 /* longer than any connection lasts: only having a timeout matters */
};

int svc__mhd_link_add(struct mhd_conn *conn)
{
    struct mhd_loop *mhd = conn->mhd;
    mhd->adding = conn;
    bool added =
        MHD_add_connection(mhd->daemon, conn->conn.fd, (const struct sockaddr *)&conn->conn.address,
                           conn->conn.address_len) == MHD_YES;
    int known = added ? 1 : mhd->adding ? -1 : 0;
    mhd->adding = NULL;
    mhd->part.again = true;
    return known;
}

void svc__mhd_link_suspend(struct mhd_conn *conn)
{
    conn->suspended = true;
    conn->conn.loop->suspended++;
    MHD_suspend_connection(conn->connection);
}

/* libmicrohttpd handles the connections that have their own timeout before it reads from any. */
static void be_first(struct mhd_conn *conn)
{
    conn->first = true;
    MHD_set_connection_option(conn->connection, MHD_CONNECTION_OPTION_TIMEOUT,
                              (unsigned)OWN_TIMEOUT_S);
}

void svc__mhd_link_called(struct mhd_conn *conn)
{
    if (!conn->first)
        return;
    conn->first_run = conn->mhd->runs;
    MHD_set_connection_option(conn->connection, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
    conn->first = false;
}

/*
 * Without be_first, libmicrohttpd would read from a resumed connection before it handles it, and
 * take a FIN for the peer's departure although the answer is ready. Mostly there is nothing to
 * read, so this saves a system call too.
 */
void svc__mhd_link_resume(struct mhd_conn *conn)
{
    if (!conn->suspended)
        return;
    if (conn->flight.phase != FLIGHT_SEND)
        be_first(conn);
    MHD_resume_connection(conn->connection);
    conn->suspended = false;
    conn->conn.loop->suspended--;
    conn->mhd->part.again = true;
}

/* If a connection's source fails, libmicrohttpd only marks the connection as closed, and closes it
 * when it handles it the next time. Without be_first it would have no reason to do so. */
void svc__mhd_link_close(struct mhd_conn *conn)
{
    be_first(conn);
    conn->mhd->closes = true;
}

/* libmicrohttpd reads each request to the beginning of the pool, which a reset has zeroed; pages
 * that come from the system anew are zeros too. Only pages that lie in the pool as a whole are
 * given back. */
void svc__mhd_link_rest(const struct mhd_conn *conn)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t begin = ((uintptr_t)conn->base + page - 1) & ~(page - 1);
    uintptr_t end = ((uintptr_t)conn->base + conn->mhd->pool) & ~(page - 1);
    if (begin < end)
        madvise((void *)begin, end - begin, MADV_DONTNEED); /* a failure only costs memory */
}
