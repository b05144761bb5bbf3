/*
 * The door to an exchange. It knows no sockets: an event loop, the tests and the fuzzers all come
 * in here, in this order:
 *
 *     svc__dispatch_new      the request line is in
 *     svc__dispatch_head     the head is in: checks, routes, decides who answers
 *     svc__dispatch_run      middleware; says whether to wait, to read the body, or to reply
 *     svc__dispatch_body     for each piece of the body
 *     svc__dispatch_body_end the body is whole: the handler runs
 *     svc__dispatch_refuse   instead, when a deadline passes
 *     svc__dispatch_done     the reply is on its way, or the client is gone
 *     svc__exchange_unref
 *
 * All calls are for the thread that made the exchange: its home. Between EXCHANGE_WAIT and the
 * host's wake others have it: see away.h.
 */
#ifndef SVC_DISPATCH_DISPATCH_H
#define SVC_DISPATCH_DISPATCH_H

#include "libsvc/exchange/exchange.h"

/* A new exchange with one reference, for the request that comes by `transport`. `raw_target` is
 * copied. NULL when out of memory. */
struct exchange *svc__dispatch_new(const struct plan *plan, struct exchange_host *host,
                                   struct transport *transport, struct bytes raw_target);

/*
 * Takes the head, which is borrowed until the reply is done (method, fields and their text); its
 * target is the one given before. Never fails: a bad head makes an exchange that answers so.
 */
void svc__dispatch_head(struct exchange *x, const struct head *head);

/* The same for a head that the host knows to be bad: the answer will be `status`. */
void svc__dispatch_head_failed(struct exchange *x, const struct head *head, int status,
                               const char *reason);

/* Runs middleware, and the handler when there is no body to read; or goes on after a wait. */
enum exchange_step svc__dispatch_run(struct exchange *x);

/*
 * Takes a piece of the body. EXCHANGE_BODY for more, EXCHANGE_FULL when it was not taken, or
 * EXCHANGE_REPLY or EXCHANGE_WAIT when no more is wanted: what follows is then dropped by the
 * caller.
 */
enum exchange_step svc__dispatch_body(struct exchange *x, const char *data, size_t len);

/* Counts a piece of the body that its host has dropped. */
void svc__dispatch_drop(struct exchange *x, size_t len);

/* Notes that what speaks the protocol has answered by itself, with `status`. False, and not noted:
 * the exchange had its reply by then. */
bool svc__dispatch_refused_below(struct exchange *x, int status);

/* The body is whole. Runs the handler; EXCHANGE_REPLY or EXCHANGE_WAIT. */
enum exchange_step svc__dispatch_body_end(struct exchange *x);

/*
 * Answers with an error of the library instead of whatever was under way, such as 408 or 504.
 * Returns the exchange that holds the reply: `x`, or one that stands in for it from then on, when
 * others have `x`, which is told that it is cancelled and given up with `outcome`; it takes the
 * caller's reference then. NULL when there is no memory for that: `x` is given up all the same. Not
 * after the reply is decided.
 */
struct exchange *svc__dispatch_refuse(struct exchange *x, int status, const char *reason,
                                      enum svc_outcome outcome);

/* Replaces a decided response by a 500, when it cannot be sent as it is. Layers do not see it. */
void svc__dispatch_fail_reply(struct exchange *x, const char *reason);

/* The same by `status`, because of the client or a stop: the service has not failed. */
void svc__dispatch_excuse_reply(struct exchange *x, int status, const char *reason);

/*
 * The next bytes of a reply whose body is a source: as svc_source.read, with what does not fit the
 * stated length turned into an error. SVC_EAGAIN: nothing until the host's wake; a source that says
 * so with nobody left to wake it has failed.
 */
int64_t svc__dispatch_reply_read(struct exchange *x, char *data, size_t len);

/* The deadline has passed, so it is to be refused. False: the host will be woken with the answer,
 * since who has won by svc_pending_complete was told so, or nobody can stand in for it. */
bool svc__dispatch_expire(struct exchange *x);

/* Takes it back from the queue of the workers and answers 503. False: it is not in there. */
bool svc__dispatch_unqueue(struct exchange *x);

/* The client has left: who has the exchange is told. Whether it is answered now, by 499 that nobody
 * reads: it was in the queue of the workers, or its head waits for a byte, and what makes the body
 * is ended.
 * `*x` may then be another, as after svc__dispatch_refuse. */
bool svc__dispatch_leave(struct exchange **x);

/* The exchange is over: on_done runs, and what the response holds is released. */
void svc__dispatch_done(struct exchange *x, enum svc_outcome outcome, uint64_t bytes_out);

#endif
