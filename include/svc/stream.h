/*
 * Bodies that are streamed and never whole in memory.
 *
 * A route with SVC_STREAM_BODY in its flags has its handler called when the head is in, and reads the
 * body as it comes. A slow reader slows the client down, since at most 64 KiB are buffered. With
 * SVC_BLOCKING the handler reads on its worker as from a file:
 *
 *     char data[16384];
 *     int64_t n;
 *     while ((n = svc_request_read(req, data, sizeof data)) > 0)
 *         error = store(data, (size_t)n);
 *
 * Without SVC_BLOCKING, it defers its answer (svc_request_defer) and reads when svc_request_on_data calls.
 *
 * A handler may answer before the end: the rest of the body is read and dropped for a while (1 MiB,
 * 5 s), then the connection is closed behind the answer. An answer that is a stream itself waits for
 * that end, since it cannot be sent while the body comes, and is replaced by a 500 without it. The
 * route's max_body holds for the body, and its timeout_ms for all of the time until the answer: routes
 * for large bodies set both. `body_timeout_ms` is for the time without any byte of the body, while
 * somebody wants more. Middleware that wants the whole body cannot be used on such a route: the start
 * is refused; layers for pieces run on the reader's thread.
 *
 * When a client leaves, the library notices within a second, while a handler, layer, reader, writer or
 * source waits. A reset counts as leaving, and so does a FIN, unless `cancel_half_closed` is off: then a
 * client that has only shut its sending side is served to the end, and only a reset or a failed write shows
 * that it has left. The request is cancelled (svc_request_cancelled), an answer that exists is sent, and a
 * reply that has nothing to send at the moment, its head included (svc_response_hold_head), ends: its pipe is
 * cancelled, its source closed. A FIN before
 * the end of the body counts as leaving by either setting, and reading the body ends with SVC_ECANCELLED. A
 * FIN behind unread bytes that fill the socket cannot be seen.
 *
 * A route with SVC_DUPLEX, which is SVC_STREAM_BODY as well, has its body read on while the reply goes out:
 * by the writer of svc_response_writer, or, after a deferred answer has been completed, by a thread that
 * holds its svc_pending. The end of the reply ends the body too. If a body is over its limit, reading ends
 * with SVC_ETOOBIG, and the reply's writer must end the reply. The limits of such an exchange:
 *
 * - until the reply begins, those of any other route;
 * - the route's timeout_ms holds for the body to its end: then reading ends with SVC_ECANCELLED, and the
 *   writer must end the reply, which may say so. So a client cannot hold the exchange by sending slowly, and
 *   routes for long conversations set their timeout_ms;
 * - `send_timeout_ms` cuts the connection when the client takes nothing of a reply that is there for so long,
 *   and when nothing comes either way for so long: while the service has nothing to send, bytes of the body
 *   count, since the reply may wait for them. `body_timeout_ms` ends with the beginning of the reply, since a
 *   client may have nothing to say before it has read more.
 *
 * No layer may see the body of such a route (on_body): the start fails. It also fails if the front of a
 * listener does not support this: over HTTP/1 only `native` does (docs/fronts.md).
 */
#ifndef SVC_STREAM_H
#define SVC_STREAM_H

#include <svc/pipe.h>
#include <svc/types.h>

SVC_BEGIN_DECLS

/*
 * Reads up to `len` bytes of the body, and blocks until there are any. Bytes read, more than 0; 0 at the
 * end; SVC_ECANCELLED when no more comes, because the client has left, the deadline has passed or the
 * service stops; SVC_ETOOBIG when the body is over its limit; the code of a layer that refused it;
 * SVC_ESTATE for a route without SVC_STREAM_BODY or on an event loop's thread; SVC_EINVAL for a `len`
 * of 0. A handler may return such an error: the client is answered 413, 504 or as the layer decided, and
 * the error is neither logged nor counted as a failure of the service. One thread at a time, which has the
 * request. Since: 0.1
 */
SVC_API int64_t svc_request_read(svc_request *req, void *data, size_t len) SVC_MUST_CHECK;

/* Reads as svc_request_read, and does not block: SVC_EAGAIN when nothing is there yet, after which the
 * function of svc_request_on_data is called once. Since: 0.1 */
SVC_API int64_t svc_request_try_read(svc_request *req, void *data, size_t len) SVC_MUST_CHECK;

/*
 * Calls `fn(arg)` once after each SVC_EAGAIN, when more bytes or the end have come; on the event loop's
 * thread, where it must not block and may itself read. Pass NULL to remove the callback; do so before
 * svc_pending_complete. Otherwise as svc_pipe_on_data. 0 or SVC_ESTATE. The reader's thread. Since: 0.1
 */
SVC_API int svc_request_on_data(svc_request *req, void (*fn)(void *arg), void *arg);

/* The length of the body that the client has declared; SVC_LENGTH_UNKNOWN (svc/response.h) if it has
 * declared none, 0 if there is no body. Any thread that has the request. Since: 0.1 */
SVC_API uint64_t svc_request_length(const svc_request *req);

/*
 * Answers with the bytes that any thread writes into a pipe, until svc_pipe_end: the head is sent at once,
 * and the body as it comes. If a client reads slowly, the pipe fills; if it leaves, the service stops by
 * force or the answer ends, the pipe is cancelled. Ending the pipe with an error cuts the connection, so
 * that the client notices. So does silence for `send_timeout_ms`: an idle stream must send some keep-alive
 * bytes more often. Takes one reference of the pipe, also on failure, when the pipe is cancelled; the writer
 * keeps its own. 0 or as svc_response_source. Since: 0.1
 */
SVC_API int svc_response_pipe(svc_response *res, int status, const char *type, svc_pipe *pipe);

/*
 * Answers with the bytes that `write` writes into the given pipe, on a worker, where it may block. It
 * is called when the answer is on its way, and not at all for an answer that is never sent. If the workers'
 * queue is full or no worker can be had, it is not called and the client gets a 503, as for a handler. Once
 * queued, the head is sent at once; the writer then waits for a worker for `send_timeout_ms` instead of
 * `worker_queue_ms`, since it can no longer be refused; if no worker can begin then, the connection is cut.
 * The result of `write` ends the pipe: 0, or a negative code, which cuts the connection. `arg` is borrowed
 * until `write` returns; the request's memory is kept that long. 0, SVC_ENOMEM, or as svc_response_source.
 * Since: 0.1
 */
SVC_API int svc_response_writer(svc_response *res, int status, const char *type,
                                int (*write)(svc_pipe *pipe, void *arg), void *arg);

/*
 * Delays the reply's head until the first byte of its body, if the body is a source, a pipe or a writer; for
 * other bodies this does nothing. Without it the head is sent at once. Until the first byte or the end:
 *
 * - the writer, or the source's read, may still change the reply by svc_response_set_status, by setting,
 *   adding and removing header fields, and by svc_response_on_trailers, in the response that is the answer,
 *   also one of svc_response_new; by no other call, and not once a byte has been written. A thread that
 *   writes into a pipe of its own may not, since the response is not kept for it;
 * - if a writer, pipe or source fails, the client is answered 500, or as for a handler's failure, instead
 *   of a cut connection;
 * - the request's deadline applies: the answer is then 504. The writer may go on, as a handler may.
 *
 * Layers see the response (on_response) in its final form. For HEAD, nothing is written or read, so the
 * reply is as the handler has made it. 0, or SVC_ENOMEM for NULL. The thread that has the response.
 * Since: 0.1
 */
SVC_API int svc_response_hold_head(svc_response *res);

SVC_END_DECLS

#endif
