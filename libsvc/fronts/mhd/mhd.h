/*
 * HTTP/1 by libmicrohttpd, a front of the server: its state for each loop and connection.
 *
 * Each loop has a daemon that never listens, never waits and has no timeouts. libmicrohttpd handles
 * the bytes on the wire. The library handles all deadlines, since libmicrohttpd only knows
 * inactivity.
 *
 * All calls of this folder are for the loop's thread.
 */
#ifndef SVC_MHD_MHD_H
#define SVC_MHD_MHD_H

#include "libsvc/server/conn.h"
#include "libsvc/server/flight.h"
#include "libsvc/server/front.h"
#include "libsvc/server/linger.h"

struct MHD_Connection;
struct MHD_Response;
struct MHD_Daemon;
struct file_replies;
struct file_reply;
struct kept_replies;
struct mhd_conn;

enum {
    MHD_NODE_BYTES = 64,       /* that libmicrohttpd takes for each field and cookie */
    MHD_REPLY_HEAD_BYTES = 256 /* status line, Date, Connection, Content-Length, and roundings */
};

/* A loop's feed: the socket that replaces a connection's own for one read, see early.h. */
struct early_feed {
    int ends[2];                    /* libmicrohttpd reads from the first */
    int parked;                     /* the connection's own socket meanwhile */
    struct mhd_conn *conn;          /* the connection that is fed; NULL: none */
    struct mhd_conn *first, **last; /* the queue of connections whose heads are whole */
};

/* A head that the loop reads itself, see early.h. */
struct early {
    struct mhd_conn *next; /* the next in the feed's queue */
    size_t held;           /* bytes that libmicrohttpd has already */
    size_t len;
    size_t space; /* bytes that libmicrohttpd has room for */
    char data[];
};

/* The chunked framing of a body, see chunks.h. */
struct chunks {
    const char *end; /* where the last piece ended, or the head */
    uint64_t run;    /* the run of libmicrohttpd in which that was seen; 0: it counts in none */
    bool is_head;    /* no piece has come yet */
    bool ends;       /* the bytes behind `end` ended the body, well formed */
};

/* The reply of a large file, see mhd_large.h. */
struct large_reply {
    bool active; /* there is one: libmicrohttpd has the connection no longer, or not for long */
    bool closes; /* the connection closes behind it */
    bool copies; /* the file is read and sent, and not sent by the kernel */
    int fd;      /* the duplicate by which the socket lives on */
    uint64_t sent;
};

struct mhd_loop {
    struct front_part part; /* first */
    struct MHD_Daemon *daemon;
    struct watch watch;      /* of libmicrohttpd's epoll */
    struct mhd_conn *adding; /* the connection that libmicrohttpd is just taking */
    uint64_t runs;           /* the daemon's runs: in each it reads once from each connection */
    bool closes;             /* a connection was marked as closed, which takes one more run */
    bool pipe_harmless;      /* SIGPIPE, which sendfile raises, does not end the program */
    bool known_layout;       /* the layout of a connection's memory is known: that of 0.9.75 */
    size_t pool;             /* the size of a connection's memory */
    struct kept_replies *replies; /* see mhd_reply.h */
    struct file_replies *files;   /* see mhd_file.h */
    struct early_feed feed;
    struct mhd_conn *streams_over; /* see mhd_detach.h: they are freed in the front's turn */
};

/* The phase of a connection; its flight has phases of its own. */
enum mhd_phase {
    MHD_NEW,     /* accepted, no request yet */
    MHD_IDLE,    /* between requests, in the first second */
    MHD_WATCHED, /* between requests, its socket watched for a first byte */
    MHD_HEAD,    /* a request's first byte has come, its head has not */
    MHD_FLIGHT,  /* the head is in: the flight has phases of its own */
    MHD_CLOSING  /* the answer was written to the socket directly, which is shut for writing */
};

/* The call of the access handler that libmicrohttpd makes next. */
enum mhd_call {
    CALL_FIRST, /* the head is in */
    CALL_AGAIN, /* the first call is repeated after a wait */
    CALL_BODY,  /* pieces, then the final call */
    CALL_DROP,  /* the same, for a body that is dropped: the reply is queued at its end */
    CALL_FINAL  /* no body: the next call is the final one */
};

struct mhd_conn {
    struct conn conn; /* first */
    struct flight flight;
    struct mhd_loop *mhd;
    struct MHD_Connection *connection; /* NULL until the first head is whole, see early.h */
    struct MHD_Response *trailing;     /* the reply, if trailers follow its body; or NULL */
    struct file_reply *file;           /* the reply, if it sends a file by sendfile; or NULL */
    enum mhd_phase phase;
    enum mhd_call call;
    bool suspended; /* in libmicrohttpd */
    bool first;     /* libmicrohttpd handles it before it reads from any connection */
    bool raw;       /* the reply was written to the socket directly */
    bool lingers;   /* the peer may still be sending when the socket closes */
    bool drained;   /* the socket has had room since the last look (unix sockets) */
    bool spared;    /* a reply in a drain has left it open once: a request may have followed */

    /* The current request, in libmicrohttpd's memory. */
    const char *base;     /* where libmicrohttpd stores requests; NULL: not known */
    const char *target;   /* its target */
    char *fields;         /* where its first field begins */
    const char *head_end; /* and its head ends */
    const char *fault;    /* a fault that was seen in the head as it was sent; NULL: none */
    int fault_status;     /* to refuse it with */
    size_t head_bytes;    /* when the head has come; 0: not known */
    struct chunks chunks;
    uint64_t first_run; /* the run of libmicrohttpd that handled it before it read from it */

    /* Bytes, see mhd_taken.h. */
    uint64_t taken;   /* bytes of requests so far, to compare with the kernel's count */
    bool taken_known; /* `taken` has every byte so far */
    bool recounted;   /* it did not once, and counting began anew */
    bool had_body;    /* the last request had a body */
    size_t skipped;   /* bytes of empty lines before the first request */
    size_t target_at; /* bytes before the target in the first request's head */

    uint64_t dropped;     /* bytes of an unwanted body */
    uint64_t held;        /* bytes of a body that are left with libmicrohttpd while it stalls */
    uint64_t given;       /* by the reply's source, when it last had nothing to give */
    uint64_t sent;        /* as has_moved counted last */
    struct unsent unsent; /* of a reply written directly: sent while the socket lingers; or the head
                             of a large file */
    struct large_reply large;
    struct early *early; /* a head that the loop reads; NULL: none */

    /* Of a reply in frames, see mhd_detach.h. */
    bool streams;               /* such a reply is sent, without libmicrohttpd */
    bool left_alone;            /* libmicrohttpd has closed its part of the connection */
    bool progress;              /* the socket has taken bytes of late */
    bool stream_over;           /* it is in the list of those that have ended */
    size_t piece_sent;          /* bytes of the frame, or of `unsent`, that were sent */
    struct mhd_conn *next_over; /* in that list */
};

static inline struct mhd_conn *svc__mhd_conn_of(struct conn *conn)
{
    return (struct mhd_conn *)(void *)conn;
}

static inline struct mhd_conn *svc__mhd_conn_of_flight(struct flight *flight)
{
    return (struct mhd_conn *)(void *)((char *)flight - offsetof(struct mhd_conn, flight));
}

static inline const svc_config *svc__mhd_config(const struct mhd_conn *conn)
{
    return &conn->conn.loop->server->app->config;
}

#endif
