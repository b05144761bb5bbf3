/*
 * An exchange that is away from its home: a layer that waits, a worker, or the holder of an
 * svc_pending has it, as a whole and alone. A deadline may pass or a client leave meanwhile, so the
 * home keeps a record from which it can answer (struct lent): then another exchange stands in. It
 * has the request's head and the layers that are not lent, and answers; the first exchange stays
 * with its holder, and is freed when it comes back. So no thread touches memory that another thread
 * has, and no memory is freed while a holder uses it.
 */
#ifndef SVC_EXCHANGE_AWAY_H
#define SVC_EXCHANGE_AWAY_H

#include "libsvc/exchange/exchange.h"

/* Events that others report to the home of an exchange: a bit each, and a count. */
enum news {
    NEWS_LAYER = 1 << 0,   /* svc_request_resume was called */
    NEWS_WORK = 1 << 1,    /* the worker has returned */
    NEWS_ANSWER = 1 << 2,  /* svc_pending_complete has won */
    NEWS_DROPPED = 1 << 3, /* nobody has the svc_pending any more */
    NEWS_WRITER = 1 << 4,  /* the writer of a reply has ended */
    NEWS_STREAM = 1 << 5   /* a stream has room, or bytes to send: the word counts these */
};

/* Copies the strings of the head, which lie in the host's memory, into the exchange's own. 0 or
 * SVC_ENOMEM. */
int svc__away_keep_head(struct exchange *x);

/* Notes that the strings of the head lie in the exchange's own memory already. */
static inline void svc__away_own_head(struct exchange *x)
{
    x->away.kept_head = true;
}

/*
 * Prepares an exchange for leaving its home: copies the head, which lies in the host's memory, and
 * notes that the layers from `from` on are lent. 0 or SVC_ENOMEM.
 */
int svc__away_prepare(struct exchange *x, size_t from);

/* Takes a reference for another holder, which lasts until that holder's report. For the thread that
 * has the exchange. */
void svc__away_hold(struct exchange *x);

/* Ends a hold without news. The exchange may be freed by this. The home's thread. */
void svc__away_drop(struct exchange *x);

/* No layer waits, though one was allowed to, and has perhaps been resumed. The thread that has the
 * exchange. */
void svc__away_forgo_wait(struct exchange *x);

/* Reports news to the home, and ends a hold, except with NEWS_ANSWER: a caller without another hold
 * must not touch the exchange any more. Any thread. */
void svc__away_report(struct exchange *x, enum news news);

/* Queues the exchange for a worker, which runs `next`. If no worker can be had after that, the home
 * runs `otherwise`. 0, SVC_ENOMEM, or SVC_EAGAIN when the queue is full. */
int svc__away_work(struct exchange *x, enum exchange_step (*next)(struct exchange *x),
                   enum exchange_step (*otherwise)(struct exchange *x), size_t from);

/* Counts how long work for it has waited until now, by route, when a worker begins with it. */
void svc__away_waited(const struct exchange *x, const struct work *work);

/* Takes the exchange back from the queue of the workers. False: it is not in the queue. */
bool svc__away_withdraw(struct exchange *x);

/* Takes the news of an exchange after its host's `wake`, and calls the transport's `news` if the
 * exchange goes on. The caller must not touch the exchange afterwards. The home's thread. */
void svc__away_news(struct exchange *x);

/* Whether the exchange is away. The home's thread. */
bool svc__away_is(const struct exchange *x);

/* Whether another exchange can stand in while this one is away: not where memory for a copy of its
 * head was lacking, since the holder may be reading the head. Then the home waits. The home's
 * thread. */
bool svc__away_replaceable(const struct exchange *x);

#endif
