/*
 * A connection: which part of an exchange it is in, and which deadline that part has. What is on
 * the wire is libmicrohttpd's; what is due when is ours, since libmicrohttpd only knows inactivity.
 *
 * Everything here is for the thread of the connection's loop, where nothing else is said.
 */
#ifndef SVC_SERVER_CONN_H
#define SVC_SERVER_CONN_H

#include <sys/socket.h>

#include "libsvc/base/mailbox.h"
#include "libsvc/exchange/exchange.h"
#include "libsvc/fronts/mhd/chunks.h"
#include "libsvc/fronts/mhd/early.h"
#include "libsvc/fronts/mhd/wire.h"
#include "libsvc/run/reactor.h"

struct loop;
struct MHD_Connection;

enum conn_phase {
    CONN_NEW,     /* accepted, no request yet */
    CONN_IDLE,    /* between requests, in the first second */
    CONN_WATCHED, /* between requests, its socket watched for a first byte */
    CONN_HEAD,    /* a request's first byte has come, its head has not */
    CONN_BODY,    /* the body arrives */
    CONN_STALL,   /* it waits for who reads it */
    CONN_HANDLE,  /* others have the exchange */
    CONN_SEND,    /* the response is being sent */
    CONN_CLOSING  /* answered past libmicrohttpd and shut for writing */
};

/* Where libmicrohttpd's calls of the access handler stand. */
enum conn_call {
    CALL_FIRST, /* the head is in */
    CALL_AGAIN, /* the first call is repeated after a wait */
    CALL_BODY,  /* pieces, then the final call */
    CALL_DROP,  /* the same, for a body nobody wants: the reply goes out at its end */
    CALL_FINAL  /* no body: the next call is the final one */
};

struct conn {
    struct watch watch; /* first */
    struct deadline deadline;
    struct mail mail; /* in a loop's mailbox while it is handed over */
    struct loop *loop;
    struct conn *next, *previous;      /* in the loop's list */
    struct MHD_Connection *connection; /* NULL until the first head is whole, see early.h */
    struct exchange *x;                /* the current one; NULL between requests */
    struct early *early;               /* a head that the loop reads; NULL: none */
    const char *target;                /* of the current request, in libmicrohttpd's memory */
    char *fields;                      /* where its first field begins there */
    const char *head_end;              /* and its head ends */
    const char *fault;    /* a fault that was seen in the head as it was sent; NULL: none */
    int fault_status;     /* to refuse it with */
    struct chunks chunks; /* the framing of its body */
    uint64_t first_run;   /* in which it was handled before it was read from */
    size_t skipped;       /* bytes of empty lines before the first request */
    size_t target_at;     /* where the first request's target begins in its head */
    int fd;
    enum conn_phase phase;
    enum conn_call call;
    bool watched;      /* known to the loop's epoll */
    bool left;         /* the peer sends nothing more, or is gone */
    bool suspended;    /* in libmicrohttpd */
    bool first;        /* libmicrohttpd handles it before it reads from any */
    bool raw;          /* the reply was written past libmicrohttpd */
    bool linger;       /* the peer may still be sending when the socket closes */
    bool taken_known;  /* `taken` counts every byte so far */
    bool recounted;    /* it did not once */
    bool timed_out;    /* a deadline has ended it */
    bool cut;          /* the server or a body source has ended it */
    bool abandoned;    /* its peer has left, or its reply's time is over, while it was suspended */
    bool drained;      /* a unix socket has taken more of the reply since it was last looked at */
    bool had_body;     /* the last request whose head is in */
    bool spared;       /* a reply has left it open in a drain, for what may be behind its request */
    uint32_t watching; /* the events for which it is */
    uint32_t unwatched;   /* those for which it could not be, and is to be before long */
    size_t head_bytes;    /* of the current request, once it is in; 0: not known */
    const char *base;     /* where libmicrohttpd reads requests to; NULL: not known */
    uint64_t taken;       /* bytes of requests so far, to compare with the kernel's count */
    uint64_t since_ms;    /* when the phase began */
    uint64_t due_ms;      /* when it must be over */
    uint64_t progress;    /* of the reply, when it was last looked at */
    uint64_t given;       /* by the reply's source, when it last had nothing more */
    uint64_t dropped;     /* bytes of an unwanted body */
    uint64_t held;        /* bytes of a body that are left with libmicrohttpd while it stalls */
    struct unsent unsent; /* of a reply written past libmicrohttpd; goes out while lingering */
    socklen_t address_len;
    struct sockaddr_storage address;
    struct peer peer;
};

/* A connection for an accepted socket, which it owns on success. NULL when out of memory. Any
 * thread. */
struct conn *svc__conn_new(int fd, const struct sockaddr_storage *address, socklen_t len);

/* Takes a connection into its loop; may close and free it. */
void svc__conn_open(struct loop *loop, struct conn *conn);

/* Hands its socket over to libmicrohttpd. False: that has refused and closed it, and it is freed.
 */
bool svc__conn_hand_over(struct conn *conn);

/* libmicrohttpd is about to close the socket: lingers where needed, and frees the connection. */
void svc__conn_closed(struct conn *conn);

/* Enters a phase and sets its deadline. */
void svc__conn_enter(struct conn *conn, enum conn_phase phase);

/* The deadline has come: answers 408 or 504, closes, or looks again. */
void svc__conn_expired(struct svc_loop *reactor, struct deadline *deadline);

/* Moves the deadline of the current phase up to `ms` from now, if it is later. */
void svc__conn_hurry(struct conn *conn, uint64_t ms);

/* Watches for the peer's departure: also of one that has left already there is an event then. */
void svc__conn_watch_departure(struct conn *conn);

/* Watches the socket until more of a head, or its end, comes. */
void svc__conn_watch_head(struct conn *conn);

/* Watches for what it could not be watched for before. */
void svc__conn_watch_again(struct conn *conn);

/* The watched socket has an event. */
void svc__conn_ready(struct svc_loop *reactor, struct watch *watch, uint32_t events);

/* Its exchange goes on. */
void svc__conn_news(struct conn *conn);

/* Answers with an error of the library, in place of whoever has the exchange. False: there is no
 * memory for that, and svc__conn_refuse_bare has been. */
bool svc__conn_refuse(struct conn *conn, int status, const char *reason);

/* Answers 503 without an exchange, of which there is none any more, and closes the connection: for
 * when there is nothing to answer with. libmicrohttpd's calls for it end it from now on. */
void svc__conn_refuse_bare(struct conn *conn, const char *reason);

/*
 * Refuses a head that libmicrohttpd has not whole, past it: answers, logs how the request ended,
 * and closes when the peer does, sends more, or takes too long.
 */
void svc__conn_refuse_head(struct conn *conn, int status, const char *reason, const char *end);

/* Counts a request's head, whose method begins at `method`, as taken; 0 bytes: not known. */
void svc__conn_take_head(struct conn *conn, const char *method, size_t bytes);

/* A line in place of the access log's, which a request whose head never was understood has not:
 * `status` is what its peer was told, 0 for nothing. */
void svc__conn_log_headless(const struct conn *conn, int status, const char *end);

/* Whether bytes of a next request have arrived, as far as that can be known. */
bool svc__conn_has_unread(struct conn *conn);

/*
 * Closes a connection without a request when it has been silent for a second, for a server that
 * stops. One on which a request has begun must have been silent since `stop_ms` (of svc__clock_ms).
 */
void svc__conn_close_if_silent(struct conn *conn, uint64_t stop_ms);

/* Ends it whatever it does: a waiting layer's exchange is cancelled and answered 503. */
void svc__conn_cut(struct conn *conn);

/*
 * Writes the exchange's reply to the socket, past libmicrohttpd, which must close the connection
 * next: what the socket has no room for is sent while it lingers. A body that is a source cannot be
 * sent so: an error of `status` goes in its place.
 */
void svc__conn_send_raw(struct conn *conn, int status);

#endif
