/*
 * A server, as all threads of a store share it: the connections that are idle, and whether it can
 * be asked at all.
 *
 * Workers have connections of their own, as many as calls were under way at once. A call takes the
 * one that was used last, and sends and waits by itself: a call posted to a loop's connection would
 * cost two more wake-ups of threads, and would wait behind whatever the loop does (docs/redis.md
 * has the figures).
 *
 * A breaker stands before the server. It opens when a connection is refused, and when
 * REDIS_FAILURES calls in succession have failed; calls then fail at once. Its thread tries to
 * connect until it has succeeded, which closes the breaker. So no call waits for a server that is
 * known to be down, and no request pays for an attempt. The same thread looks up the host's name,
 * for which there is no time limit; calls connect to the address that it has found.
 */
#ifndef SVC_REDIS_REDIS_SERVER_H
#define SVC_REDIS_REDIS_SERVER_H

#include <pthread.h>

#include "libsvc/redis/redis_command.h"
#include "libsvc/redis/redis_dial.h"
#include "libsvc/redis/redis_link.h"

enum { REDIS_FAILURES = 3 };

/* A loop, as the server knows it. The thread makes the loop's connection, and then has `news` run
 * on the loop; so does the opening of the breaker. */
struct redis_seat {
    struct redis_seat *next;
    svc_loop *loop;
    void (*news)(void *seat);
    struct redis_link *link; /* that was made for it */
    bool seeks;              /* it waits for one */
    bool posted;             /* `news` will run */
    bool left;               /* it is `news` that frees it */
};

struct redis_server {
    svc_app *app;              /* for its log and metrics */
    struct redis_cache *cache; /* NULL: none. It is set before the first call. */
    struct redis_track *track; /* which owns it */
    struct redis_url url;
    struct redis_commands commands;
    size_t most;               /* bytes of a reply */
    _Atomic bool down;         /* the breaker is open; written under the lock */
    _Atomic unsigned failures; /* calls that have failed since one has succeeded */
    _Atomic unsigned age;      /* connections that were made at an earlier one are to be replaced */
    _Atomic uint64_t renewed_ms; /* when `age` was raised last */
    _Atomic uint64_t logged_ms;  /* when an error of the server's was logged last */
    _Atomic uint64_t suppressed; /* errors that were not logged since */

    pthread_mutex_t lock;         /* for what follows */
    pthread_cond_t wake;          /* of the thread */
    pthread_cond_t settled;       /* of calls: an attempt has ended */
    struct redis_address address; /* unknown until an attempt has succeeded; not for unix sockets */
    struct redis_link *idle;
    struct redis_seat *seats;
    unsigned attempts;   /* that have failed since it is down */
    uint64_t closed_ms;  /* when the breaker was closed last */
    uint64_t attempt_ms; /* when the next one is made */
    struct redis_why why;
    bool stopping;

    int stop_fd;
    pthread_t thread;
};

/* Makes it, and starts its thread, which connects at once. 0, SVC_EINVAL with `why`, SVC_ENOMEM or
 * SVC_ESYSTEM. */
int svc__redis_server_open(svc_app *app, const svc_sys_store_place *place,
                           struct redis_server **server, const char **why);

/* Ends the thread, and frees all. No call is under way. */
void svc__redis_server_close(struct redis_server *server);

/* Whether calls fail at once. */
static inline bool svc__redis_server_is_down(const struct redis_server *server)
{
    return atomic_load_explicit(&server->down, memory_order_relaxed);
}

/* Takes a connection, or makes one. 0; SVC_EUNAVAILABLE, SVC_ETIMEDOUT, SVC_ESYNTAX or SVC_ENOMEM.
 * For threads that may wait. */
int svc__redis_server_take(struct redis_server *server, uint64_t deadline_ms,
                           struct redis_link **link);

/* Gives a connection back after a call that has ended with `error`: if it is not 0, the connection
 * is closed, and the failure is counted. */
void svc__redis_server_give(struct redis_server *server, struct redis_link *link, int error);

/* Counts a call that has failed with `error`, or has succeeded. Any thread. */
void svc__redis_server_count(struct redis_server *server, int error);

/* Replaces all connections by new ones, since the address may lead to another server by now; at
 * most once in five seconds. Any thread. */
void svc__redis_server_renew(struct redis_server *server);

/* Logs an error that the server has replied, at most one in ten seconds. Any thread. */
void svc__redis_server_report(struct redis_server *server, const char *fault);

/* Adds a loop, and has a connection made for it. The seat's `loop` and `news` are set. The loop's
 * thread, as below. */
void svc__redis_server_join(struct redis_server *server, struct redis_seat *seat);

/* Has a connection made for a loop, when there is a server. */
void svc__redis_server_seek(struct redis_server *server, struct redis_seat *seat);

/* Within `news`: takes the connection, or NULL. `*left`: the seat has left and may be freed. */
struct redis_link *svc__redis_server_fetch(struct redis_server *server, struct redis_seat *seat,
                                           bool *left);

/* Removes a loop. False: `news` will run still, and the seat must stay until then. */
bool svc__redis_server_leave(struct redis_server *server, struct redis_seat *seat);

#endif
