/*
 * HTTP/1 by libmicrohttpd, a front of the server: what it keeps for a loop and for a connection.
 *
 * Each loop has a daemon that never listens, never waits and never times anything. What is on the
 * wire is libmicrohttpd's; what is due when is ours, since libmicrohttpd only knows inactivity.
 *
 * All of this folder is for the loop's thread.
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
struct kept_replies;
struct mhd_conn;

enum {
    MHD_NODE_BYTES = 64,       /* that it keeps for each field and cookie */
    MHD_REPLY_HEAD_BYTES = 256 /* status line, Date, Connection, Content-Length, and roundings */
};

/* Of each loop: the socket that takes the place of a connection's own, see early.h. */
struct early_feed {
    int ends[2];                    /* libmicrohttpd reads from the first */
    int parked;                     /* where the connection's own socket is meanwhile */
    struct mhd_conn *conn;          /* whose place is taken; NULL for nobody's */
    struct mhd_conn *first, **last; /* whose heads are whole and wait for their turn */
};

/* A head that the loop reads itself, see early.h. */
struct early {
    struct mhd_conn *next; /* among those that wait for their turn */
    size_t held;           /* of its bytes, those that are in libmicrohttpd's memory already */
    size_t len;
    size_t space; /* what libmicrohttpd has room for */
    char data[];
};

/* The chunked framing of a body, see chunks.h. */
struct chunks {
    const char *end; /* where the last piece ended, or the head */
    uint64_t run;    /* of libmicrohttpd, when that was seen; 0: not what was there with it */
    bool is_head;    /* no piece has come yet */
    bool ends;       /* behind it, the body ended in good order */
};

struct mhd_loop {
    struct front_part part; /* first */
    struct MHD_Daemon *daemon;
    struct watch watch;           /* of libmicrohttpd's epoll */
    struct mhd_conn *adding;      /* whose socket libmicrohttpd is just taking */
    uint64_t runs;                /* of the daemon, in each of which it reads once from each */
    bool closes;                  /* a connection that it has to handle once more */
    bool known_layout;            /* it is clear how it uses a connection's memory */
    size_t pool;                  /* bytes of that memory */
    struct kept_replies *replies; /* see mhd_reply.h */
    struct early_feed feed;
};

/* Where a connection stands beside its flight. */
enum mhd_phase {
    MHD_NEW,     /* accepted, no request yet */
    MHD_IDLE,    /* between requests, in the first second */
    MHD_WATCHED, /* between requests, its socket watched for a first byte */
    MHD_HEAD,    /* a request's first byte has come, its head has not */
    MHD_FLIGHT,  /* the head is in: the flight has phases of its own */
    MHD_CLOSING  /* answered past libmicrohttpd and shut for writing */
};

/* Where libmicrohttpd's calls of the access handler stand. */
enum mhd_call {
    CALL_FIRST, /* the head is in */
    CALL_AGAIN, /* the first call is repeated after a wait */
    CALL_BODY,  /* pieces, then the final call */
    CALL_DROP,  /* the same, for a body nobody wants: the reply goes out at its end */
    CALL_FINAL  /* no body: the next call is the final one */
};

struct mhd_conn {
    struct conn conn; /* first */
    struct flight flight;
    struct mhd_loop *mhd;
    struct MHD_Connection *connection; /* NULL until the first head is whole, see early.h */
    struct MHD_Response *trailing;     /* the reply, where trailers follow its body; or NULL */
    enum mhd_phase phase;
    enum mhd_call call;
    bool suspended; /* in libmicrohttpd */
    bool first;     /* libmicrohttpd handles it before it reads from any */
    bool raw;       /* the reply was written past libmicrohttpd */
    bool lingers;   /* the peer may still be sending when the socket closes */
    bool drained;   /* a unix socket has taken more of the reply since it was last looked at */
    bool spared;    /* a reply has left it open in a drain, for what may be behind its request */

    /* The current request, in libmicrohttpd's memory. */
    const char *base;     /* where requests are read to; NULL: not known */
    const char *target;   /* its target */
    char *fields;         /* where its first field begins */
    const char *head_end; /* and its head ends */
    const char *fault;    /* a fault that was seen in the head as it was sent; NULL: none */
    int fault_status;     /* to refuse it with */
    size_t head_bytes;    /* once it is in; 0: not known */
    struct chunks chunks;
    uint64_t first_run; /* of libmicrohttpd, in which it was handled before it was read from */

    /* Bytes, see mhd_taken.h. */
    uint64_t taken;   /* of requests so far, to compare with the kernel's count */
    bool taken_known; /* that is every byte so far */
    bool recounted;   /* it was not once */
    bool had_body;    /* the last request whose head is in */
    size_t skipped;   /* of empty lines before the first request */
    size_t target_at; /* before the first request's target, in its head */

    uint64_t dropped;     /* bytes of an unwanted body */
    uint64_t held;        /* bytes of a body that are left with libmicrohttpd while it stalls */
    uint64_t given;       /* by the reply's source, when it last had nothing more */
    uint64_t sent;        /* of the reply, when it was last looked at */
    struct unsent unsent; /* of a reply written past libmicrohttpd; goes out while lingering */
    struct early *early;  /* a head that the loop reads; NULL: none */
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
