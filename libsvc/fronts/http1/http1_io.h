/* How the bytes of a connection pass its socket: plainly, or by whatever takes the place of this
 * table. */
#ifndef SVC_HTTP1_HTTP1_IO_H
#define SVC_HTTP1_HTTP1_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

struct conn;

struct http1_io {
    /* Neither waits. They return as read and writev do; `more` says that more bytes follow at once,
     * for which a small segment may wait. */
    ssize_t (*read)(struct conn *conn, void *data, size_t len);
    ssize_t (*write)(struct conn *conn, const struct iovec *parts, int count, bool more);
    bool plain; /* the bytes on the socket are those of HTTP, so that the kernel can send files */
};

extern const struct http1_io svc__http1_io_socket;

#endif
