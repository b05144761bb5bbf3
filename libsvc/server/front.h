/*
 * A protocol's front: all that a loop knows of the protocol. The loop has sockets, deadlines, news
 * of exchanges and the stages of the server's life; only the front knows the bytes on a connection,
 * and the exchange to which they belong.
 *
 * A front has a part of each loop, made before the loop's thread runs, and connections, each of
 * which is in one loop. The loop calls the front about a connection's socket and deadline by the
 * functions that the front has put into conn->watch and conn->limit, and about news of an exchange
 * by its transport.
 *
 * All calls are for the loop's thread, unless their comment names another.
 */
#ifndef SVC_SERVER_FRONT_H
#define SVC_SERVER_FRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;
struct flight;
struct front;
struct loop;

/* The states of a connection in metrics: X(NAME, label). */
#define CONN_STATE_LIST(X)                                                                         \
    X(IDLE, "idle")       /* no byte of a request has come */                                      \
    X(HEAD, "head")       /* the head of one arrives */                                            \
    X(BODY, "body")       /* its body arrives, or waits for its reader */                          \
    X(HANDLER, "handler") /* a layer, worker or handler has the request */                         \
    X(WRITING, "writing") /* the reply is sent */                                                  \
    X(CLOSING, "closing") /* the last reply is sent, and the peer still to close */

#define FRONT_CONN_STATE(name, label) CONN_##name,
enum conn_state { CONN_STATE_LIST(FRONT_CONN_STATE) CONN_STATES };
#undef FRONT_CONN_STATE

/* The beginning of a front's part of a loop. */
struct front_part {
    const struct front *front;
    struct loop *loop;
    bool again; /* it has work that no event reports: its `turn` is due */
    /* Its connections by state. The loop's thread alone writes, and others read for metrics. */
    _Atomic unsigned conns[CONN_STATES];
};

struct front {
    const char *name;   /* in settings, logs and metrics: a word of the setting http1 */
    const char *scheme; /* of its requests: "http" */
    bool reads_on;      /* a request's body can come in while its reply goes out (SVC_DUPLEX) */
    size_t conn_size;   /* of its connections: struct conn, and its own members, at first zeros */

    /* ---- Of a loop */

    /* Makes the front's part. NULL if memory or a system call fails. Before the thread runs. */
    struct front_part *(*start)(struct loop *loop);

    /* Does the work of a part whose `again` is set, without waiting, and sets `again` to whether
     * more is left. Called once a turn, after all events. */
    void (*turn)(struct front_part *part);

    /* Closes every connection, because the loop ends. None of their exchanges is away. */
    void (*close)(struct front_part *part);

    /* Frees the part; its loop's thread has closed it, or never ran. Any thread. */
    void (*stop)(struct front_part *part);

    /* Refuses a client whose socket never becomes a connection: sends `status` and `detail`, as far
     * as the socket takes them at once, and closes `fd`, perhaps after lingering. */
    void (*refuse)(struct front_part *part, int fd, int status, const char *detail);

    /* ---- Of a connection */

    /* Takes over a connection that was just added to the loop; may close and free it. */
    void (*open)(struct front_part *part, struct conn *conn);

    /* Shuts a connection that has no request and has been silent. If a request has begun on it, it
     * must have been silent since `stop_ms` (of svc__clock_ms). Called again and again while the
     * server stops. Frees nothing. */
    void (*close_silent)(struct conn *conn, uint64_t stop_ms);

    /* Ends a connection in any state, at the server's cut. Exchanges that are away are cancelled,
     * and answered 503 if that is possible. May be called again. Frees nothing. */
    void (*cut)(struct conn *conn);

    /* Calls `visit` for each flight of a connection, also for one without a request; it must change
     * nothing. */
    void (*visit_flights)(const struct conn *conn,
                          void (*visit)(const struct flight *flight, void *arg), void *arg);
};

#endif
