/*
 * The door to an exchange. It knows no sockets: an event loop, the tests and the fuzzers all come
 * in here, in this order:
 *
 *     svc__dispatch_new      the request line has come
 *     svc__dispatch_head     the head has come: checks it, routes it, chooses the answer's function
 *     svc__dispatch_run      runs layers; says whether to wait, to read the body, or to reply
 *     svc__dispatch_body     takes a piece of the body
 *     svc__dispatch_body_end the body is whole: runs the handler
 *     svc__dispatch_refuse   instead of these, when a deadline passes
 *     svc__dispatch_done     the reply has been sent, or the client has left
 *     svc__exchange_unref
 *
 * All calls are for the thread that made the exchange: its home. Between EXCHANGE_WAIT and the
 * host's wake the exchange is away: see away.h.
 */
#ifndef SVC_DISPATCH_DISPATCH_H
#define SVC_DISPATCH_DISPATCH_H

#include "libsvc/exchange/exchange.h"

struct frame;

/* A new exchange with one reference, for the request that comes by `transport`. `raw_target` is
 * copied. NULL when out of memory. */
struct exchange *svc__dispatch_new(const struct plan *plan, struct exchange_host *host,
                                   struct transport *transport, struct bytes raw_target);

/*
 * Takes the head, which is borrowed until the reply is done (method, fields and their text); its
 * target is the one given before. Never fails: a bad head makes an exchange that answers with an
 * error.
 */
void svc__dispatch_head(struct exchange *x, const struct head *head);

/* The same for a head that the host has found to be bad: the answer will be `status`. */
void svc__dispatch_head_failed(struct exchange *x, const struct head *head, int status,
                               const char *reason);

/* Runs layers, and the handler when there is no body to read; or goes on after a wait. */
enum exchange_step svc__dispatch_run(struct exchange *x);

/*
 * Takes a piece of the body. EXCHANGE_BODY asks for more; EXCHANGE_FULL: the piece was not taken;
 * EXCHANGE_REPLY or EXCHANGE_WAIT: no more is wanted, and the caller drops the rest of the body.
 */
enum exchange_step svc__dispatch_body(struct exchange *x, const char *data, size_t len);

/* Counts a piece of the body that its host has dropped. */
void svc__dispatch_drop(struct exchange *x, size_t len);

/* Notes that the protocol's implementation has answered by itself, with `status`. False, and not
 * noted: the exchange had its reply by then. */
bool svc__dispatch_refused_below(struct exchange *x, int status);

/* The body is whole. Runs the handler; EXCHANGE_REPLY or EXCHANGE_WAIT. */
enum exchange_step svc__dispatch_body_end(struct exchange *x);

/*
 * Answers with an error of the library, such as 408 or 504, in place of the answer under way. Not
 * after the reply is decided. Returns the exchange that holds the reply: `x`, or, if `x` is away,
 * one that stands in for it and takes the caller's reference. `x` is then cancelled, and given up
 * with `outcome`; so it is without memory for a stand-in, and then NULL is returned.
 */
struct exchange *svc__dispatch_refuse(struct exchange *x, int status, const char *reason,
                                      enum svc_outcome outcome);

/* Replaces a decided response that cannot be sent by a 500, which layers do not see. */
void svc__dispatch_fail_reply(struct exchange *x, const char *reason);

/* The same by `status`, because of the client or a stop: it is not logged as an error. */
void svc__dispatch_excuse_reply(struct exchange *x, int status, const char *reason);

/*
 * Reads the next bytes of a reply whose body is a source, as svc_source.read. A body that does not
 * fit its stated length is an error. SVC_EAGAIN: nothing comes until the host's wake; when no waker
 * is held any more, that is an error too.
 */
int64_t svc__dispatch_reply_read(struct exchange *x, char *data, size_t len);

/* The same for the next frame of a reply that has frames (reply/response_frames.h): 1 with a frame
 * that is borrowed until svc__dispatch_reply_passed, which reports that it is sent. */
int svc__dispatch_reply_frame(struct exchange *x, const struct frame **frame);
void svc__dispatch_reply_passed(struct exchange *x, const struct frame *frame);

/* Whether an exchange whose deadline has passed can be refused. False: the host waits on, and will
 * be woken with the answer, because svc_pending_complete has returned success for it, or because no
 * exchange can stand in. */
bool svc__dispatch_expire(struct exchange *x);

/* Takes the exchange back from the queue of the workers and answers 503. False: it is not in the
 * queue. */
bool svc__dispatch_unqueue(struct exchange *x);

/* Cancels the exchange, since its client has left. True: it is answered now, by a 499 that nobody
 * reads, because it was in the queue of the workers, or because its head waited for the first byte
 * of a body, whose source is then closed. `*x` may be another exchange afterwards, as after
 * svc__dispatch_refuse. */
bool svc__dispatch_leave(struct exchange **x);

/* Ends the exchange: runs on_done, and releases the response's body. */
void svc__dispatch_done(struct exchange *x, enum svc_outcome outcome, uint64_t bytes_out);

#endif
