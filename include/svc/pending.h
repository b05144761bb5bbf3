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
 * The request's deadline applies: if it passes first, the client is answered 504, and a later answer is
 * refused (SVC_ELATE).
 */
#ifndef SVC_PENDING_H
#define SVC_PENDING_H

#include <svc/types.h>

SVC_BEGIN_DECLS

/*
 * Defers the answer; the handler then returns 0. Header fields that it has set are kept unless the later
 * answer sets the same name. If it returns an error instead, the client gets a 500 at once and a later
 * answer is refused (SVC_ELATE); use this when handing the reference on has failed. The request stays
 * readable, by one thread at a time, as long as any reference is held.
 *
 * `cancelled`, which may be NULL, is called at most once, on the event loop's thread, when the answer is not
 * needed any more: the client has left, the deadline has passed, or the service stops by force. It must not
 * block; it may complete the answer and give references back. Once svc_pending_complete or the last
 * svc_pending_unref has returned, `cancelled` is not running and will not be called, so the memory behind
 * `arg` can be freed then.
 *
 * Returns a reference, which the caller gives back with svc_pending_unref; NULL when out of memory, when
 * the answer is deferred already, or outside of a handler, such as in a layer. The handler's thread.
 * Since: 0.1
 */
SVC_API svc_pending *svc_request_defer(svc_request *req,
                                       void (*cancelled)(svc_pending *pending, void *arg),
                                       void *arg) SVC_MUST_CHECK;

/*
 * Answers with `res`, made by svc_response_new, which is taken in every case. Only the first call answers
 * and returns 0. SVC_ELATE after an earlier call, or when the deadline, the handler's failure or the
 * service's stop came first; SVC_EINVAL for a NULL `res`, or one without an answer (the client gets a 500);
 * SVC_ENOMEM for a NULL `pending`, which svc_request_defer returns when out of memory. The caller keeps its
 * reference. Any thread. Since: 0.1
 */
SVC_API int svc_pending_complete(svc_pending *pending, svc_response *res);

/* Takes another reference, for another thread. Accepts NULL. Any thread that has a reference. Since: 0.1 */
SVC_API svc_pending *svc_pending_ref(svc_pending *pending);

/*
 * Gives a reference back. If the last one is given back without an answer, the client is answered 500 at
 * once or, if it has left, the request is counted as 499. If a reference is never given back, the request's
 * memory is kept, the client is answered 504 at the deadline, and a stop of the service becomes a forced
 * one. Accepts NULL. Any thread. Since: 0.1
 */
SVC_API void svc_pending_unref(svc_pending *pending);

/* The request, borrowed until svc_pending_complete has returned 0 or the reference is given back. Only one
 * thread at a time may use it, and until the handler returns only the handler's. NULL for NULL. Any thread.
 * Since: 0.1 */
SVC_API svc_request *svc_pending_request(const svc_pending *pending);

/*
 * Makes a response with its own memory. Any thread may build it, one at a time. Its errors
 * (svc_response_problem) are JSON, whatever the client accepts. End it by svc_pending_complete or
 * svc_response_free. NULL when out of memory. Any thread. Since: 0.1
 */
SVC_API svc_response *svc_response_new(void) SVC_MUST_CHECK;

/* Frees a response of svc_response_new that was not taken. Accepts NULL. Any thread. Since: 0.1 */
SVC_API void svc_response_free(svc_response *res);

SVC_END_DECLS

#endif
