/* Reading from and writing to a socket. */
#include "libsvc/fronts/http1/http1_io.h"

#include <errno.h>
#include <sys/socket.h>

#include "libsvc/server/conn.h"

static ssize_t read_socket(struct conn *conn, void *data, size_t len)
{
    ssize_t n;
    do
        n = recv(conn->fd, data, len, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n;
}

static ssize_t write_socket(struct conn *conn, const struct iovec *parts, int count, bool more)
{
    const struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)parts,
                                   .msg_iovlen = (size_t)count};
    ssize_t n;
    do
        n = sendmsg(conn->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0));
    while (n < 0 && errno == EINTR);
    return n;
}

const struct http1_io svc__http1_io_socket = {read_socket, write_socket, true};
