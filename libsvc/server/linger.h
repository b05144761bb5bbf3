/*
 * Lingering close: a socket with a reply that the peer may not have read yet, while it still sends.
 * Closing at once would reset the connection and destroy the reply, so the socket is shut for
 * writing and read until the peer is done, for 2 s without a byte or 10 s in all, 256 at most. A
 * part of the reply that the socket had no room for is sent first, as long as that makes progress.
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
    bool unwatched;  /* its socket cannot be watched for now, and is looked at by the timer */
    uint64_t due_ms; /* the end, unless there is progress before */
    uint64_t end_ms; /* the end in spite of progress; 0 while bytes are left to send */
    struct unsent unsent;
    size_t sent; /* bytes of `unsent` */
};

/* Takes over the socket `fd` and the bytes that are still to be sent (data NULL: none): lingers, or
 * closes if it cannot. */
void svc__linger_begin(struct loop *loop, int fd, struct unsent unsent);

/* Closes all lingering sockets, for a loop that ends. */
void svc__linger_close_all(struct loop *loop);

#endif
