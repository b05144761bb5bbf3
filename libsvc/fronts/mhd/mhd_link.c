/* A connection's tie with libmicrohttpd. */
#include "libsvc/fronts/mhd/mhd_link.h"

#include <microhttpd.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    OWN_TIMEOUT_S = 1000000 /* of a connection that is handled first; longer than it can last */
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

/* Connections that have a timeout of their own are all handled before any is read from. */
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
 * What is resumed would be read from before it is handled: where the peer sends nothing more,
 * libmicrohttpd takes that for its departure then, with the answer at hand. The read mostly finds
 * nothing, so it also is one less.
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

/* One whose source fails is marked as closed, and closed when libmicrohttpd has it handled again,
 * for which it would have no reason. */
void svc__mhd_link_close(struct mhd_conn *conn)
{
    be_first(conn);
    conn->mhd->closes = true;
}

/* Requests are read to the beginning of a pool, and a reset zeroes it, as the system does for pages
 * that it is asked for anew. Only pages that lie in the pool whole are given back. */
void svc__mhd_link_rest(const struct mhd_conn *conn)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t begin = ((uintptr_t)conn->base + page - 1) & ~(page - 1);
    uintptr_t end = ((uintptr_t)conn->base + conn->mhd->pool) & ~(page - 1);
    if (begin < end)
        madvise((void *)begin, end - begin, MADV_DONTNEED); /* what fails costs memory only */
}
