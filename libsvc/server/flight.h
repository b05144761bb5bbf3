/*
 * A flight: an exchange on its connection, with the phase that it is in and the time limit of that
 * phase. It decides what happens when that time is over, the peer leaves, news comes, or the server
 * is cut. A connection of HTTP/1 has one flight for its requests; a protocol with streams has one
 * for each stream.
 *
 * All calls are for the loop's thread.
 */
#ifndef SVC_SERVER_FLIGHT_H
#define SVC_SERVER_FLIGHT_H

#include "libsvc/exchange/exchange.h"
#include "libsvc/exchange/transport.h"
#include "libsvc/server/time_limit.h"

enum flight_phase {
    FLIGHT_NONE,   /* there is no request, or its head is not complete */
    FLIGHT_BODY,   /* the body arrives */
    FLIGHT_STALL,  /* the body waits for its reader */
    FLIGHT_HANDLE, /* the exchange is away */
    FLIGHT_SEND    /* the response is being sent */
};

/* What is read and dropped of a body that nobody wants. */
enum {
    FLIGHT_DROP_MOST = 1 << 20, /* bytes of one over its limit; then the connection is closed */
    FLIGHT_DROP_MS = 5000       /* for the rest of any */
};

struct flight;

/* The front's part of a flight. No function may free the flight. */
struct flight_ops {
    /* Continues after a wait: with the body, the exchange, or the reply, which is decided if
     * svc__exchange_has_reply is true. Also called without a wait, when the reader of a body that
     * is read on while the reply goes out has made room. */
    void (*resume)(struct flight *flight);

    /* Reads and drops the rest of the body, because the reply is decided. */
    void (*drop_body)(struct flight *flight);

    /* Sends the decided reply although the body was not read to its end; a part that the socket
     * does not take now may be lost. Nothing follows on that exchange. If the flight waits,
     * `resume` is called next. */
    void (*reply_unread)(struct flight *flight);

    /* Ends the request by a reply that needs no memory: the exchange was given up, and there was no
     * memory for another. */
    void (*reply_bare)(struct flight *flight);

    /* Ends the connection or stream at once: the peer has left, or nothing is left to send. */
    void (*abort)(struct flight *flight);

    /* Checks a flight that begins to wait, or whose body arrives or file is sent for a while: has
     * the peer's departure noticed, and checks that the file is still whole. */
    void (*look)(struct flight *flight);

    /* Whether the peer has taken bytes of the reply since the last call. */
    bool (*has_moved)(struct flight *flight);
};

struct flight {
    struct transport transport; /* first */
    struct exchange *x;         /* NULL between requests */
    struct loop *loop;
    struct time_limit *limit; /* the stream's; the connection's, if it has one flight only */
    const struct flight_ops *ops;
    enum flight_phase phase;
    bool waits;        /* the exchange is away, or the reply's source has nothing: until `resume` */
    bool unwanted;     /* no more of the body is wanted */
    bool timed_out;    /* a deadline has ended it */
    bool cut;          /* the server or a body source has ended it */
    bool gone;         /* while it waited, its peer has left or its time to send was over */
    uint64_t progress; /* of a streamed body: its bytes when the limit last expired */
};

/* Makes a flight without an exchange. */
void svc__flight_init(struct flight *flight, const struct flight_ops *ops, struct loop *loop,
                      struct time_limit *limit, const struct peer *peer, const char *scheme);

/* Makes the exchange of a request whose target has come. False when out of memory. */
bool svc__flight_begin(struct flight *flight, struct bytes raw_target);

/* Enters a phase and sets its time limit. */
void svc__flight_enter(struct flight *flight, enum flight_phase phase);

/* Marks the flight as waiting, until flight_ops.resume. */
void svc__flight_wait(struct flight *flight);

/* Acts when the timer of the limit comes: the phase's time is over, or a look is due. */
void svc__flight_expired(struct flight *flight);

/* Drops the rest of the body, if the exchange has its reply by now. */
void svc__flight_answer_early(struct flight *flight);

/* Drops the rest of the body, of which no more is wanted. */
void svc__flight_drop_body(struct flight *flight);

/* Answers with an error of the library, even if the exchange is away. False: there was no memory
 * for that, and flight_ops.reply_bare has been called. */
bool svc__flight_refuse(struct flight *flight, int status, const char *reason);

/*
 * Acts when the peer has left while the flight waits: for good (`ended`), or by shutting its
 * sending side. `may_be_whole`: the bytes that have come may be the whole body. If an answer, a
 * piece of a reply or the rest of a body exists, it is still sent or read. But the flight waits for
 * its holder no longer, and a body or reply that cannot be completed is ended.
 */
void svc__flight_departed(struct flight *flight, bool ended, bool may_be_whole);

/* Marks a request or a head as ended by a deadline, and counts it. */
void svc__flight_time_out(struct flight *flight);

/* Ends the flight at the server's cut: cancels the exchange, and answers 503 if it can. */
void svc__flight_cut(struct flight *flight);

/* Takes back the exchange of a request that is over. If its holder keeps it, it is given up, with
 * `outcome` as the reason. False: it was given up, and there was no memory for another, so nothing
 * is left to end. */
bool svc__flight_reclaim(struct flight *flight, enum svc_outcome outcome);

/* Ends the request: its layers see the end, and the exchange is freed. */
void svc__flight_end(struct flight *flight, enum svc_outcome outcome, uint64_t bytes_out);

/* Whether the body of a request that is refused early is small enough to be read and dropped, so
 * that the connection can be kept. */
bool svc__flight_droppable(const struct flight *flight);

static inline struct flight *svc__flight_of(struct transport *transport)
{
    return (struct flight *)(void *)transport;
}

#endif
