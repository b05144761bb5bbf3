/*
 * A connection to a server, which never waits: its owner waits for its descriptor, in a call by
 * poll, or on an event loop by a watch. It connects, greets, sends the commands of all tasks that
 * wait in one write, and hands replies to tasks in order.
 *
 * The greeting is "mn", which servers without meta commands do not know, and "stats", whose times
 * tell one start of a server from another. Values get their version from the server's own counter,
 * which begins anew with each start, so the version of a value has a hash of that start in it.
 */
#ifndef SVC_MEMCACHED_MEMCACHED_LINK_H
#define SVC_MEMCACHED_MEMCACHED_LINK_H

#include "libsvc/memcached/memcached_server.h"
#include "libsvc/memcached/memcached_task.h"

enum { MEMCACHED_INPUT_BYTES = 16384 };

enum memcached_phase { MEMCACHED_CONNECTING, MEMCACHED_GREETING, MEMCACHED_READY };

/* A queue of tasks. */
struct memcached_queue {
    struct memcached_task *first, **last;
};

struct memcached_link {
    struct memcached_link *next; /* in a list of idle ones */
    struct memcached_server *server;
    void (*done)(void *arg, struct memcached_task *task); /* the task has ended, with `op->error` */
    void (*closing)(void *arg, int fd); /* NULL, or called before the descriptor is closed */
    void *arg;
    int fd;
    enum memcached_phase phase;
    size_t address, address_count;
    struct memcached_socket_address addresses[MEMCACHED_ADDRESSES];
    uint64_t identity, pid, time_s, uptime_s; /* of the server, by its greeting */
    uint64_t limit_at;                        /* when the next progress is due */
    uint64_t opaque;                          /* of the last command */
    struct memcached_queue waiting;           /* whose commands are not in `out` yet */
    struct memcached_queue sent;              /* whose replies are awaited */
    struct memcached_output out;
    struct memcached_reader reader;
    size_t in_len;
    char in[MEMCACHED_INPUT_BYTES];
};

void svc__memcached_queue_put(struct memcached_queue *queue, struct memcached_task *task);

/* NULL: it is empty. */
struct memcached_task *svc__memcached_queue_take(struct memcached_queue *queue);

/* A new connection that has begun to connect; a name may be waited for up to `wait_ms`. NULL: it
 * cannot. */
struct memcached_link *svc__memcached_link_open(struct memcached_server *server, uint64_t wait_ms);

/* Closes the connection. Its tasks must have been taken from it. Accepts NULL. */
void svc__memcached_link_free(struct memcached_link *link);

/* Whether nothing has come that no one has asked for, the end of the connection included. */
bool svc__memcached_link_is_quiet(const struct memcached_link *link);

/* Adds a task; svc__memcached_link_pump sends its command. Sets `limit_at` if the link was idle. */
void svc__memcached_link_add(struct memcached_link *link, struct memcached_task *task);

/* Nobody waits for a task any more: if its value is under way, the rest of it is thrown away. */
void svc__memcached_link_forget(struct memcached_link *link, const struct memcached_task *task);

/* Whether tasks wait for it, or it is not ready. */
bool svc__memcached_link_is_busy(const struct memcached_link *link);

/* The events of poll(2) that it waits for. */
short svc__memcached_link_events(const struct memcached_link *link);

/*
 * Goes on as far as it can; `readable`: the descriptor may have bytes. 0, or an error, after which
 * its owner takes the tasks and frees it: SVC_EUNAVAILABLE: the connection has ended, or was never
 * made; SVC_ESYNTAX: the server has sent what it must not, or only half of a reply; SVC_ENOMEM.
 */
int svc__memcached_link_pump(struct memcached_link *link, bool readable);

#endif
