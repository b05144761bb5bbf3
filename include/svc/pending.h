/*
 * Answers that come later, from any thread: a handler defers its answer, returns, and the event loop
 * goes on with other requests meanwhile.
 *
 *     static int read_quote(svc_request *req, svc_response *res)
 *     {
 *         svc_pending *pending = svc_request_defer(req, NULL, NULL);
 *         return pending ? ask_for_quote(pending) : SVC_ENOMEM;
 *     }
 *
 *     // later, on whatever thread the quote arrives on
 *     svc_response *res = svc_response_new();
 *     svc_response_text(res, 200, quote);
 *     svc_pending_complete(pending, res);
 *     svc_pending_unref(pending);
 *
 * The request's deadline holds: when it passes first, the client is answered 504, and what comes later
 * finds SVC_ELATE.
 */
#ifndef SVC_PENDING_H
#define SVC_PENDING_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/*
 * Defers the answer: the handler returns 0 afterwards, and of its response the header fields are kept,
 * where the answer has none of that name. A negative code that it returns is answered as ever, and nothing
 * later: for when it could not hand the reference on. The request stays readable, by one thread at a time, as long as anybody holds a reference.
 *
 * `cancelled`, which may be NULL, is called at most once, on the event loop's thread, when nobody waits
 * any more: the client has left, the deadline has passed, or the service stops by force. It must not
 * block; it may complete, and give references back. Once svc_pending_complete or the last svc_pending_unref has returned it is
 * not running and will not be called, so what `arg` points to can be freed then.
 *
 * Returns a reference, the caller's to give back with svc_pending_unref; NULL when out of memory, when
 * the answer is deferred already, or outside of a handler, such as in a layer. The handler's thread.
 * Since: 0.1
 */
SVC_API svc_pending *svc_request_defer(svc_request *req,
                                       void (*cancelled)(svc_pending *pending, void *arg),
                                       void *arg) SVC_MUST_CHECK;

/*
 * Answers with `res`, of svc_response_new, which is taken in every case. The first call wins: 0.
 * SVC_ENOMEM for no `pending`, which svc_request_defer returns when memory runs out.
 * SVC_ELATE when there was one before, or the deadline, the handler's failure or the service's stop
 * came first; SVC_EINVAL for NULL, or a response that has no answer in it (which is answered 500).
 * The reference stays the caller's. Any thread. Since: 0.1
 */
SVC_API int svc_pending_complete(svc_pending *pending, svc_response *res);

/* Another reference, for another thread. Accepts NULL. Any thread that has one. Since: 0.1 */
SVC_API svc_pending *svc_pending_ref(svc_pending *pending);

/*
 * Gives a reference back. When the last one goes without an answer, nobody can give one: the client is
 * answered 500 at once, or, where it has left, counted as 499. A reference that is never given back keeps its request's memory, is answered
 * 504 at the deadline, and makes a stop of the service a forced one. Accepts NULL. Any thread. Since: 0.1
 */
SVC_API void svc_pending_unref(svc_pending *pending);

/* The request, borrowed until svc_pending_complete has won or the reference goes. Only one thread at a
 * time may use it, and until the handler returns that is the handler. NULL for NULL. Any thread. Since: 0.1 */
SVC_API svc_request *svc_pending_request(const svc_pending *pending);

/*
 * A response of its own, with memory of its own, to be built on any thread by one at a time. Errors in
 * it (svc_response_problem) are JSON whatever the client accepts. It is for svc_pending_complete, or
 * svc_response_free. NULL when out of memory. Since: 0.1
 */
SVC_API svc_response *svc_response_new(void) SVC_MUST_CHECK;

/* Frees a response of svc_response_new that was not taken. Accepts NULL. Any thread. Since: 0.1 */
SVC_API void svc_response_free(svc_response *res);

SVC_END_DECLS

#endif
