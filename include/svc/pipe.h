/*
 * Bytes from one thread to another, bounded: a pipe between a writing and a reading end. It is how
 * a body passes between a handler that waits and an event loop that must not, in either direction.
 *
 * One thread at a time reads, and one writes; either may be any thread, and both may be the same.
 * svc_pipe_end, svc_pipe_cancel, svc_pipe_ref and svc_pipe_unref are for any thread at any time, so that
 * the thread that gives up a request can end the waits of both sides. A pipe therefore has no timeouts:
 * a request's pipe is ended or cancelled with the request.
 *
 * An end that must not block uses the try calls, and is called back:
 *
 *     svc_pipe_on_data(pipe, wake, loop);
 *     while ((n = svc_pipe_try_read(pipe, data, sizeof data)) > 0)
 *         use(data, n);
 *     if (n == SVC_EAGAIN)
 *         return;   and wake(loop) is called once there is more
 *
 * A callback runs on the thread at the other end, within the call that gave it data or room, with no lock
 * of the pipe held. It must not block: it only wakes the thread of its own end. It may make any call on the
 * pipe that does not block, and give up its reference. The callback of one end never runs on two threads
 * at once.
 *
 * All calls accept NULL, which svc_pipe_new returns when out of memory: reads and writes then return
 * SVC_ENOMEM.
 */
#ifndef SVC_PIPE_H
#define SVC_PIPE_H

#include <svc/types.h>

SVC_BEGIN_DECLS

typedef struct svc_pipe svc_pipe;

/* The largest capacity of a pipe, and the one that 0 stands for, in bytes. */
#define SVC_PIPE_MAX ((size_t)16 << 20)
#define SVC_PIPE_DEFAULT ((size_t)64 << 10)

/*
 * Makes a pipe that holds at most `capacity` bytes, up to SVC_PIPE_MAX; 0 is SVC_PIPE_DEFAULT.
 * Memory is allocated as bytes are written, and kept until the pipe has ended and been read. Owned by the
 * caller, which releases it with svc_pipe_unref. NULL when out of memory or for a larger capacity. Any
 * thread. Since: 0.1
 */
SVC_API svc_pipe *svc_pipe_new(size_t capacity) SVC_MUST_CHECK;

/* Adds an owner, such as the other end. Returns `pipe`. Any thread. Since: 0.1 */
SVC_API svc_pipe *svc_pipe_ref(svc_pipe *pipe);

/*
 * Removes an owner; the last one frees the pipe. This neither ends nor cancels the pipe: call svc_pipe_end or
 * svc_pipe_cancel first, or the other end waits for ever. Accepts NULL. Any thread. Since: 0.1
 */
SVC_API void svc_pipe_unref(svc_pipe *pipe);

/* ---- The writing end */

/*
 * Writes `len` bytes, which are copied, and blocks until the pipe has taken all. 0; SVC_ECANCELLED
 * when the reader has cancelled; SVC_ECLOSED after svc_pipe_end, also by another thread meanwhile;
 * SVC_ENOMEM; SVC_ESTATE on an event loop if it would block. After an error some of the bytes may
 * have been taken: end the pipe with that error. The writer's thread. Since: 0.1
 */
SVC_API int svc_pipe_write(svc_pipe *pipe, const void *data, size_t len) SVC_MUST_CHECK;

/*
 * Writes as many bytes as there is room for, and does not block. Returns the number of bytes taken, which
 * may be fewer than `len` (0 only for a `len` of 0); SVC_EAGAIN when there is no room, after which the
 * function of svc_pipe_on_room is called once; else errors as for svc_pipe_write, with nothing taken. The
 * writer's thread. Since: 0.1
 */
SVC_API int64_t svc_pipe_try_write(svc_pipe *pipe, const void *data, size_t len) SVC_MUST_CHECK;

/*
 * Ends the pipe: no more is written. With `error` 0 the reader gets the buffered bytes, then 0. A negative
 * `error` means that the bytes are incomplete: the reader, even if it is blocked, gets that code at once,
 * and buffered bytes are dropped. (For a reply, this cuts the connection, so that the client notices.) A
 * positive `error`, or SVC_EAGAIN, counts as SVC_EINVAL. Only the first call has an effect. The function of
 * svc_pipe_on_room is not called after it. Any thread. Since: 0.1
 */
SVC_API void svc_pipe_end(svc_pipe *pipe, int error);

/*
 * Sets a callback: after svc_pipe_try_write has returned SVC_EAGAIN, `fn(arg)` is called once when the pipe
 * is at most half full again or the reader has cancelled, on the reader's thread or the one that cancels.
 * Set it before the first try; it stays set. Pass NULL to remove it.
 *
 * Once this returns, the former callback is not running and will not be called: if it runs on another
 * thread, this waits until it returns. So hold no lock that the callback takes. A callback may remove or
 * replace only itself (this does not wait for it then). The writer's thread. Since: 0.1
 */
SVC_API void svc_pipe_on_room(svc_pipe *pipe, void (*fn)(void *arg), void *arg);

/* ---- The reading end */

/*
 * Reads up to `len` bytes, and blocks until there are any. The number of bytes read, more than 0; 0 at the
 * end; the code of svc_pipe_end; SVC_ECANCELLED after svc_pipe_cancel, also by another thread meanwhile;
 * SVC_EINVAL for a `len` of 0; SVC_ESTATE on an event loop if it would block. The reader's thread.
 * Since: 0.1
 */
SVC_API int64_t svc_pipe_read(svc_pipe *pipe, void *data, size_t len) SVC_MUST_CHECK;

/*
 * Reads as svc_pipe_read, and does not block: SVC_EAGAIN when nothing is there yet, after which the
 * function of svc_pipe_on_data is called once. The reader's thread. Since: 0.1
 */
SVC_API int64_t svc_pipe_try_read(svc_pipe *pipe, void *data, size_t len) SVC_MUST_CHECK;

/*
 * Ends the reading: buffered bytes are dropped, and the writer, even if it is blocked, gets SVC_ECANCELLED.
 * The function of svc_pipe_on_data is not called after it. A pipe that has been read to its end may be
 * cancelled too. Any thread. Since: 0.1
 */
SVC_API void svc_pipe_cancel(svc_pipe *pipe);

/*
 * Sets a callback: after svc_pipe_try_read has returned SVC_EAGAIN, `fn(arg)` is called once when there are
 * bytes or the end has come, on the writer's thread or the one that ends the pipe. Otherwise as
 * svc_pipe_on_room. The reader's thread. Since: 0.1
 */
SVC_API void svc_pipe_on_data(svc_pipe *pipe, void (*fn)(void *arg), void *arg);

SVC_END_DECLS

#endif
