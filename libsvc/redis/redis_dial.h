/* Connecting: the address, the socket, and the words before the first command. */
#ifndef SVC_REDIS_REDIS_DIAL_H
#define SVC_REDIS_REDIS_DIAL_H

#include <sys/socket.h>

#include "libsvc/redis/redis_link.h"
#include "libsvc/redis/redis_url.h"

/* Why a connection could not be made; for the log, without a secret. */
struct redis_why {
    char text[320];
};

/* An address to which a host's name has led. */
struct redis_address {
    struct sockaddr_storage socket;
    socklen_t len; /* 0: none is known */
};

/*
 * Connects, authenticates, chooses the database, and asks whether the server serves (PING). Waits
 * until `deadline_ms`. If no `*address` is known, the host's name is looked up, for which the
 * system has time limits of its own, and `*address` becomes the one that was connected. 0 with
 * `*link`, or an error with `why`: SVC_EUNAVAILABLE, SVC_ETIMEDOUT, SVC_ECANCELLED as of
 * svc__redis_link_wait, SVC_ESYNTAX for a server that speaks another protocol, SVC_ENOMEM. Any
 * thread that may wait.
 */
int svc__redis_dial(const struct redis_url *url, struct redis_address *address, size_t most,
                    uint64_t deadline_ms, int stop_fd, struct redis_link **link,
                    struct redis_why *why);

#endif
