/*
 * An exchange that others have: a layer that waits, a worker, or who will answer later. Each of
 * them has all of it alone; its home keeps what it needs to answer without it (struct lent), since
 * a deadline may pass or a client leave. Then another exchange stands in: it has the request's head
 * and the layers that are not lent, answers, and leaves the first one to whoever has it. What comes
 * back then is only put away. So nobody ever touches what another thread has, and nothing is freed
 * that somebody still holds.
 */
#ifndef SVC_EXCHANGE_AWAY_H
#define SVC_EXCHANGE_AWAY_H

#include "libsvc/exchange/exchange.h"

/* What is told of an exchange that is away; a bit each, and a count. */
enum news {
    NEWS_LAYER = 1 << 0,   /* svc_request_resume */
    NEWS_WORK = 1 << 1,    /* its worker is done with it */
    NEWS_ANSWER = 1 << 2,  /* svc_pending_complete has won */
    NEWS_DROPPED = 1 << 3, /* nobody has the svc_pending any more */
    NEWS_WRITER = 1 << 4,  /* the writer of a reply has ended */
    NEWS_STREAM = 1 << 5   /* a stream has room, or something to send: the word counts these */
};

/*
 * Makes it possible to be without the exchange: copies what lies in the host's memory. The layers
 * from `from` on are lent with it. 0 or SVC_ENOMEM.
 */
int svc__away_prepare(struct exchange *x, size_t from);

/* Somebody else may hold it from now on, until he tells. The thread that has it. */
void svc__away_hold(struct exchange *x);

/* Ends a hold without news. The exchange may be gone then. The home's thread. */
void svc__away_drop(struct exchange *x);

/* Tells its home, and ends a hold, but for NEWS_ANSWER: the caller must not touch it any more,
 * unless he has another. Any thread. */
void svc__away_tell(struct exchange *x, enum news news);

/* Hands it to a worker, who runs `next`; when the queue has taken it and no worker can be had after
 * all, its home runs `otherwise`. 0, SVC_ENOMEM, or SVC_EAGAIN when there is no room. */
int svc__away_work(struct exchange *x, enum exchange_step (*next)(struct exchange *x),
                   enum exchange_step (*otherwise)(struct exchange *x), size_t from);

/* Takes it back from the queue of the workers. False: it is not in there. */
bool svc__away_withdraw(struct exchange *x);

/* Takes the news of an exchange that its `wake` was called with, and tells its transport if there
 * is something for it. The exchange must not be touched afterwards. On the home's thread. */
void svc__away_news(struct exchange *x);

/* Whether others have it. The home's thread. */
bool svc__away_is(const struct exchange *x);

/* Whether another can stand in for it while it is away: not where there was no memory to keep its
 * head, which whoever has it may be reading. Then it is waited for. The home's thread. */
bool svc__away_replaceable(const struct exchange *x);

#endif
