/*
 * HTTP/1 without a library: a front that reads and writes its sockets itself.
 *
 * A connection that waits for its client has no memory but its own. Bytes are read into the loop's
 * room, and replies are rendered into the loop's buffer. When the loop turns to other work, the
 * connection copies what is left in either. The head of a request is copied into its exchange's
 * memory before any other code sees it, so its strings stay where they are until the request ends.
 *
 * All calls of this folder are for the loop's thread.
 */
#ifndef SVC_HTTP1_HTTP1_H
#define SVC_HTTP1_HTTP1_H

#include "libsvc/base/buf.h"
#include "libsvc/fronts/http1/http1_io.h"
#include "libsvc/proto/http1_chunks.h"
#include "libsvc/proto/http1_head.h"
#include "libsvc/server/conn.h"
#include "libsvc/server/flight.h"
#include "libsvc/server/front.h"
#include "libsvc/server/linger.h"

struct http1_conn;

enum { HTTP1_ROOM = 65536 /* bytes that are read at once; every head is shorter */ };

/* Where the bytes of one connection lie while it is served. */
struct http1_room {
    char data[HTTP1_ROOM];
    struct field fields[]; /* of a head: as many as the settings allow */
};

struct http1_loop {
    struct front_part part; /* first */
    struct http1_room *room;
    struct buf out;                         /* replies that are not written yet */
    struct http1_conn *again, **again_last; /* a queue: see http1_life.h */
    unsigned budget;    /* requests and reads that are left to the connection that is served */
    bool pipe_harmless; /* SIGPIPE, which sendfile raises, does not end the program */
};

/* The phase of a connection; its flight has phases of its own. */
enum http1_phase {
    HTTP1_NEW,    /* accepted, no byte of a request yet */
    HTTP1_IDLE,   /* between requests */
    HTTP1_HEAD,   /* a request's first byte has come, its head has not */
    HTTP1_FLUSH,  /* replies of ended flights wait for the socket's room */
    HTTP1_FLIGHT, /* the head is in: the flight has phases of its own */
    HTTP1_OVER    /* the front's next turn closes it */
};

/* How far a request has come. */
enum http1_step {
    STEP_HEAD, /* the head is in; what follows is not read before it is wanted */
    STEP_BODY, /* the body comes, wanted or not */
    STEP_WHOLE /* nothing more comes */
};

/* Bytes that were read, and are not used yet. */
struct http1_input {
    char *data;        /* in the room while the connection is served, or of malloc; NULL: none */
    size_t begin, end; /* the unused bytes in it */
};

struct http1_conn {
    struct conn conn; /* first */
    struct flight flight;
    const struct http1_io *io;
    struct http1_conn *next_again; /* in the loop's queue */
    bool queued;                   /* it is in it */
    enum http1_phase phase;
    enum http1_step step;
    bool readable; /* the socket may have bytes, or their end */
    bool ended;    /* nothing more comes from it */
    bool served;   /* it has had a request, or was looked at for another server */
    bool lingers;  /* the peer may still be sending when the socket closes */
    bool closes;   /* the connection closes behind the reply */
    bool corked;

    /* What comes in. */
    struct http1_input input;
    struct http1_reading reading; /* of a head, or of trailers */
    struct http1_chunks chunks;
    uint64_t body_left; /* of a body with a length: bytes that have not come */
    size_t piece;       /* the first bytes of the input are a piece of the body */
    bool chunked;
    bool data_over;   /* all pieces of a chunked body have come, the trailers have not */
    uint64_t dropped; /* bytes of an unwanted body */

    /* What goes out. */
    struct unsent unsent; /* before all else */
    size_t unsent_at;     /* bytes of it that are sent */
    uint64_t written;     /* bytes on this connection, to notice progress */
    uint64_t sent;        /* of a body in memory or a file, or of a frame */
    uint64_t moved;       /* as has_moved counted last */
    uint64_t given;       /* by the reply's source, when it last had nothing to give */
    bool replying;        /* the reply is decided, and due */
    bool rendered;        /* its head has been */
    bool body_ended;      /* the reply's source has */
    bool copies;          /* the file is read and written, and not sent by the kernel */
};

static inline struct http1_conn *svc__http1_conn_of(struct conn *conn)
{
    return (struct http1_conn *)(void *)conn;
}

static inline struct http1_conn *svc__http1_conn_of_flight(struct flight *flight)
{
    return (struct http1_conn *)(void *)((char *)flight - offsetof(struct http1_conn, flight));
}

static inline struct http1_loop *svc__http1_loop_of(const struct http1_conn *conn)
{
    return (struct http1_loop *)(void *)conn->conn.part;
}

static inline const svc_config *svc__http1_config(const struct http1_conn *conn)
{
    return &conn->conn.loop->server->app->config;
}

static inline struct head_limits svc__http1_limits(const struct http1_conn *conn)
{
    const svc_config *config = svc__http1_config(conn);
    return (struct head_limits){(size_t)config->max_target_bytes, (size_t)config->max_head_bytes,
                                (size_t)config->max_fields};
}

#endif
