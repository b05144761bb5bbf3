/*
 * A protocol's front: all that a loop knows of a protocol. The loop has sockets, deadlines, news of
 * exchanges and the stages of the server's life; what is on the wire of a connection, and which
 * exchange it belongs to, its front alone knows.
 *
 * A front has a part of each loop, begun before the loop's thread runs, and connections, each of
 * which is in one loop. Its connections' sockets, and their deadlines, call it by what it puts into
 * conn->watch and conn->deadline, and news of their exchanges by the transport that it gives them.
 *
 * All calls are for the loop's thread, where nothing else is said.
 */
#ifndef SVC_SERVER_FRONT_H
#define SVC_SERVER_FRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;
struct front;
struct loop;

/* The beginning of what a front keeps for a loop. */
struct front_part {
    const struct front *front;
    struct loop *loop;
    bool again; /* it has work of which no event tells: it is run in this turn, or in the next */
};

struct front {
    const char *name;
    const char *scheme; /* of requests by it: "http" */
    bool reads_on;      /* a request's body can come in while its reply goes out (SVC_DUPLEX) */
    size_t conn_size;   /* of what begins with a struct conn, all else zero for a new one */

    /* ---- Of a loop */

    /* Makes the front's part. NULL where memory or a system call fails. Before the thread runs. */
    struct front_part *(*start)(struct loop *loop);

    /* Does the work that there is, without waiting, and says in `again` whether more is left. Only
     * where `again` is set: that is once a turn, after all events. */
    void (*turn)(struct front_part *part);

    /* The loop ends: closes every connection, none of which has an exchange that others hold. */
    void (*close)(struct front_part *part);

    /* Frees the part; its loop's thread has closed it, or never ran. Any thread. */
    void (*stop)(struct front_part *part);

    /* Tells a client that it is not served, which is never the front's connection: sends what can
     * be said of `status` and `detail`, without waiting, and closes `fd`, perhaps lingering. */
    void (*refuse)(struct front_part *part, int fd, int status, const char *detail);

    /* ---- Of a connection */

    /* Takes a connection over that has just come into the loop; may close and free it. */
    void (*open)(struct front_part *part, struct conn *conn);

    /* Again and again while the server stops: shuts a connection that has no request, and has been
     * silent. One on which a request has begun must have been silent since `stop_ms` (of
     * svc__clock_ms). Frees nothing. */
    void (*close_silent)(struct conn *conn, uint64_t stop_ms);

    /* The server waits no longer: ends a connection whatever it does. Exchanges that wait are
     * cancelled, and answered 503 where that can be. More than once, and frees nothing. */
    void (*cut)(struct conn *conn);
};

#endif
