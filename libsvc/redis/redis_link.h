/* A connection to a server: a socket that never blocks, commands that wait to be sent, and the
 * reader of replies. One thread at a time. */
#ifndef SVC_REDIS_REDIS_LINK_H
#define SVC_REDIS_REDIS_LINK_H

#include "libsvc/redis/redis_reply.h"
#include "libsvc/redis/redis_text.h"

struct redis_link {
    struct redis_link *next; /* of those that are idle */
    int fd;
    struct redis_text out;
    struct redis_reader *in;
    struct redis_reply reply; /* the last one */
    unsigned age;             /* of the server's connections when it was made */
};

/* Makes a link of a connected socket, which it owns from then on. A reply may have up to `most`
 * bytes. NULL when out of memory: the socket is then closed. */
struct redis_link *svc__redis_link_new(int fd, size_t most);

/* Closes the socket. Accepts NULL. */
void svc__redis_link_free(struct redis_link *link);

/* Sends what waits, by one call of the system if the socket takes it. 0: all is sent; SVC_EAGAIN:
 * the socket has no room; SVC_EUNAVAILABLE: the connection is broken. */
int svc__redis_link_send(struct redis_link *link);

/* Reads what has arrived, up to some amount. 0; SVC_EAGAIN: nothing has; SVC_EUNAVAILABLE: the
 * server has closed the connection, or it is broken; SVC_ENOMEM. */
int svc__redis_link_receive(struct redis_link *link);

/* Whether nothing has happened on an idle connection: no reply that nobody has asked for, and no
 * end. */
bool svc__redis_link_is_quiet(const struct redis_link *link);

/*
 * Waits for the next reply, as svc__redis_reply_next reads it, and sends what waits until then. 0;
 * SVC_ETIMEDOUT at `deadline_ms` (svc__redis_time_ms); SVC_ECANCELLED when `stop_fd`, unless it is
 * -1, is readable; SVC_EUNAVAILABLE, SVC_ESYNTAX or SVC_ENOMEM: the link is then of no use.
 */
int svc__redis_link_wait(struct redis_link *link, uint64_t deadline_ms, int stop_fd,
                         redis_take *take, void *arg);

#endif
