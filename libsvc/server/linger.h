/*
 * Lingering close, for a socket whose peer still sends and may not have read the reply yet. To
 * close it at once would reset the connection and destroy the reply. So the socket is shut for
 * writing, and read until the peer has closed it, 2 s have passed without a byte, or 10 s in all;
 * at most 256 sockets linger. If the socket had no room for a part of the reply, that part is sent
 * first, as long as the peer takes bytes.
 *
 * For the loop's thread.
 */
#ifndef SVC_SERVER_LINGER_H
#define SVC_SERVER_LINGER_H

#include "libsvc/run/reactor.h"

enum { LINGER_IDLE_MS = 2000, LINGER_TOTAL_MS = 10000, LINGER_MAX = 256 };

struct loop;

/* Bytes for which a socket had no room. */
struct unsent {
    char *data; /* of malloc */
    size_t len;
};

struct lingering {
    struct watch watch; /* first */
    struct deadline deadline;
    struct lingering *next, *previous;
    int fd;
    bool unwatched;  /* epoll does not watch its socket now, so its timer tries it */
    uint64_t due_ms; /* the end, unless there is progress before */
    uint64_t end_ms; /* the end in spite of progress; 0 while bytes are left to send */
    struct unsent unsent;
    size_t sent; /* bytes of `unsent` */
};

/* Takes over the socket `fd` and the bytes that are still to be sent (data NULL: none). Without
 * room or memory to let it linger, closes it at once. */
void svc__linger_begin(struct loop *loop, int fd, struct unsent unsent);

/* Closes all lingering sockets, for a loop that ends. */
void svc__linger_close_all(struct loop *loop);

#endif
