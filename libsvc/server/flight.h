/*
 * A flight: an exchange on its connection, with the phase that it is in and the time limit of that
 * phase. It decides what happens when that time is over, the peer leaves, news comes, or the server
 * is cut. A connection of HTTP/1 has one flight for its requests, a protocol with streams one for
 * each stream.
 *
 * All calls are for the loop's thread.
 */
#ifndef SVC_SERVER_FLIGHT_H
#define SVC_SERVER_FLIGHT_H

#include "libsvc/exchange/exchange.h"
#include "libsvc/exchange/transport.h"
#include "libsvc/server/time_limit.h"

enum flight_phase {
    FLIGHT_NONE,   /* no request, or its head has not come whole */
    FLIGHT_BODY,   /* the body arrives */
    FLIGHT_STALL,  /* the body waits for its reader */
    FLIGHT_HANDLE, /* others have the exchange */
    FLIGHT_SEND    /* the response is being sent */
};

struct flight;

/* The front's part of a flight. No function may free the flight. */
struct flight_ops {
    /* Goes on after a wait, with the body, the exchange, or the reply, which is decided if
     * svc__exchange_has_reply is true. */
    void (*resume)(struct flight *flight);

    /* Drops the rest of the body, which still arrives: the reply is decided. */
    void (*drop_body)(struct flight *flight);

    /* Sends the decided reply although the body has not been read; drops the part that cannot be
     * sent now. Nothing follows on that exchange; if it waits, it is resumed next. */
    void (*reply_unread)(struct flight *flight);

    /* Ends with a bare reply: there is no exchange any more, and no memory for a reply. */
    void (*reply_bare)(struct flight *flight);

    /* Ends at once: the peer has left, or nothing is left to send. */
    void (*abort)(struct flight *flight);

    /* Looks at a flight that has waited, arrived or been sent for a while: has the peer's departure
     * noticed, and checks that the file that is sent is still whole. */
    void (*look)(struct flight *flight);

    /* Whether the peer has taken bytes of the reply since the last call. */
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
    uint64_t progress; /* of a streamed body: the bytes that had come at the last look */
};

/* Makes a flight without an exchange. */
void svc__flight_init(struct flight *flight, const struct flight_ops *ops, struct loop *loop,
                      struct time_limit *limit, const struct peer *peer, const char *scheme);

/* Makes the exchange of a request that begins, with its target. False when out of memory. */
bool svc__flight_begin(struct flight *flight, struct bytes raw_target);

/* Enters a phase and sets its limit. */
void svc__flight_enter(struct flight *flight, enum flight_phase phase);

/* Notes that the flight waits, until svc__flight_ops.resume. */
void svc__flight_wait(struct flight *flight);

/* Decides when the time limit has expired: the phase's time is over, or a look is due. */
void svc__flight_expired(struct flight *flight);

/* Drops the rest of the body, if the exchange has its reply by now. */
void svc__flight_answer_early(struct flight *flight);

/* Drops the rest of the body: no more of it is wanted. */
void svc__flight_drop_body(struct flight *flight);

/* Answers with an error of the library, also while others have the exchange. False: memory for that
 * is lacking, and svc__flight_ops.reply_bare has been called. */
bool svc__flight_refuse(struct flight *flight, int status, const char *reason);

/*
 * Decides when the peer has left while the flight waits: for good (`ended`), or by shutting its
 * sending side, after which the bytes that have come may be the whole body. An answer, a piece of a
 * reply or the rest of a body that is there is sent or read all the same. But the flight waits for
 * nobody any more, and a body or reply that can have no end is ended.
 */
void svc__flight_departed(struct flight *flight, bool ended, bool may_be_whole);

/* Counts a request or a head that a deadline ends. */
void svc__flight_time_out(struct flight *flight);

/* Ends the flight, since the server waits no longer: cancels the exchange, and answers 503 if it
 * can.
 */
void svc__flight_cut(struct flight *flight);

/* Takes the exchange of a request that is over back from its holder, who gets `outcome` as the
 * reason if it is given up. False: it was given up, and nothing is left to end. */
bool svc__flight_reclaim(struct flight *flight, enum svc_outcome outcome);

/* Ends the request: its layers see the end, and the exchange is freed. */
void svc__flight_end(struct flight *flight, enum svc_outcome outcome, uint64_t bytes_out);

static inline struct flight *svc__flight_of(struct transport *transport)
{
    return (struct flight *)(void *)transport;
}

#endif
