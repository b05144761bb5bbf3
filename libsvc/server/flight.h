/*
 * An exchange on its way: which part of it is under way, how long that may take, and what becomes
 * of it when that time is over, its peer leaves, there is news of it, or the server is cut. A
 * connection of HTTP/1 has one for its requests, a protocol with streams one for each of them.
 *
 * For the loop's thread.
 */
#ifndef SVC_SERVER_FLIGHT_H
#define SVC_SERVER_FLIGHT_H

#include "libsvc/exchange/exchange.h"
#include "libsvc/exchange/transport.h"
#include "libsvc/server/time_limit.h"

enum flight_phase {
    FLIGHT_NONE,   /* no request, or its head is not in */
    FLIGHT_BODY,   /* the body arrives */
    FLIGHT_STALL,  /* it waits for who reads it */
    FLIGHT_HANDLE, /* others have the exchange */
    FLIGHT_SEND    /* the response is being sent */
};

struct flight;

/* What the front does for it. None may free the flight. */
struct flight_ops {
    /* What it has waited for is there: the front goes on with the body, the exchange or the reply,
     * which is decided if svc__exchange_has_reply says so. */
    void (*resume)(struct flight *flight);

    /* The reply is decided, and of the body, which still arrives, no more is wanted. */
    void (*drop_body)(struct flight *flight);

    /* Sends the reply, which is decided, before the body has been read: what cannot be sent now is
     * not sent. Nothing follows on that exchange; when it waits it is resumed next. */
    void (*reply_unread)(struct flight *flight);

    /* There is no exchange any more, nor memory for a reply: says as much, and ends. */
    void (*reply_bare)(struct flight *flight);

    /* Ends it at once: there is nobody to send to, or nothing more to be sent. */
    void (*abort)(struct flight *flight);

    /* It waits, or has arrived or been sent for a while: has the peer's departure noticed, and
     * looks whether what is sent is still there. */
    void (*look)(struct flight *flight);

    /* Whether the peer has taken something of the reply since the last call. */
    bool (*has_moved)(struct flight *flight);
};

struct flight {
    struct transport transport; /* first */
    struct exchange *x;         /* NULL between requests */
    struct loop *loop;
    struct time_limit *limit; /* the stream's own, or the connection's, which may be its only one */
    const struct flight_ops *ops;
    enum flight_phase phase;
    bool waits;        /* others have the exchange, or the reply's source has nothing: see resume */
    bool unwanted;     /* no more of the body is wanted */
    bool timed_out;    /* a deadline has ended it */
    bool cut;          /* the server or a body source has ended it */
    bool gone;         /* its peer has left, or its reply's time is over, while it waited */
    uint64_t progress; /* bytes of a body that is read as it comes, when it was last looked at */
};

/* Makes one that is for nothing yet. */
void svc__flight_init(struct flight *flight, const struct flight_ops *ops, struct loop *loop,
                      struct time_limit *limit, const struct peer *peer, const char *scheme);

/* A request begins, whose target is as given: makes its exchange. False when out of memory. */
bool svc__flight_begin(struct flight *flight, struct bytes raw_target);

/* Enters a phase and sets its limit. */
void svc__flight_enter(struct flight *flight, enum flight_phase phase);

/* It waits: until svc__flight_ops.resume. */
void svc__flight_wait(struct flight *flight);

/* The time of its phase is over, or comes for a look. */
void svc__flight_expired(struct flight *flight);

/* In mid-body: the exchange may have its reply by now; if so, no more of the body is wanted. */
void svc__flight_answer_early(struct flight *flight);

/* No more of the body is wanted. */
void svc__flight_drop_body(struct flight *flight);

/* Answers with an error of the library, in place of whoever has the exchange. False: there is no
 * memory for that, and svc__flight_ops.reply_bare has been. */
bool svc__flight_refuse(struct flight *flight, int status, const char *reason);

/*
 * The peer has left while it waits: for good (`ended`), or it has shut its sending side, after
 * which what has come of the body may be all of it. What is there is sent or read all the same: an
 * answer, the next piece of a reply, the rest of a body. But nobody is waited for, and what can
 * have no end is ended.
 */
void svc__flight_departed(struct flight *flight, bool ended, bool may_be_whole);

/* Counts a request or a head that a deadline ends. */
void svc__flight_time_out(struct flight *flight);

/* The server waits no longer: cancels the exchange, answers 503 where that can be, and ends. */
void svc__flight_cut(struct flight *flight);

/* Takes the exchange back from whoever has it, for a request that is over; `outcome` is why, for
 * who has it still. False: it was given up, and nothing is left to end. */
bool svc__flight_reclaim(struct flight *flight, enum svc_outcome outcome);

/* The request is over: its layers see the end, and the exchange is freed. */
void svc__flight_end(struct flight *flight, enum svc_outcome outcome, uint64_t bytes_out);

static inline struct flight *svc__flight_of(struct transport *transport)
{
    return (struct flight *)(void *)transport;
}

#endif
