/*
 * Bytes from one thread to another, bounded: a pipe between a writing and a reading end. It is how
 * a body passes between a handler that waits and an event loop that must not, in either direction.
 *
 * One thread at a time reads, and one writes; either may be any thread, and both may be the same.
 * svc_pipe_end, svc_pipe_cancel, svc_pipe_ref and svc_pipe_unref are for any thread at any time, so
 * that whoever gives a request up ends what the two sides wait for. There are no timeouts here for
 * that reason: the pipe of a request is ended or cancelled with the request.
 *
 * An end that must not block uses the try calls, and is called back:
 *
 *     svc_pipe_on_data(pipe, wake, loop);
 *     while ((n = svc_pipe_try_read(pipe, data, sizeof data)) > 0)
 *         use(data, n);
 *     if (n == SVC_EAGAIN)
 *         return;   and wake(loop) is called once there is more
 *
 * A callback runs on the thread whose call moved the pipe, which is at its other end, with no lock
 * of the pipe held, before that call returns. It must not block: it tells the thread of its own
 * end. It may call anything of the pipe that does not block, and give up its reference. The same
 * end's callback never runs on two threads at once.
 *
 * All calls accept NULL, which svc_pipe_new returns when memory runs out: reads and writes are then
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
 * Memory for them is taken as they come, and kept until the pipe has ended and been read. Owned by
 * the caller, who gives it up with svc_pipe_unref. NULL when out of memory or for a larger
 * capacity. Any thread. Since: 0.1
 */
SVC_API svc_pipe *svc_pipe_new(size_t capacity) SVC_MUST_CHECK;

/* One more owner, say for the other end. Returns `pipe`. Any thread. Since: 0.1 */
SVC_API svc_pipe *svc_pipe_ref(svc_pipe *pipe);

/*
 * One owner less; the last frees the pipe. It neither ends nor cancels it: an end that goes says so
 * first, or the other waits for ever. Accepts NULL. Any thread. Since: 0.1
 */
SVC_API void svc_pipe_unref(svc_pipe *pipe);

/* ---- The writing end */

/*
 * Writes `len` bytes, which are copied, and blocks until the pipe has taken all. 0; SVC_ECANCELLED
 * when the reader has gone; SVC_ECLOSED after svc_pipe_end, also by another thread meanwhile;
 * SVC_ENOMEM; SVC_ESTATE on an event loop where it would block. After an error some of the bytes may
 * have been taken: end the pipe with it. The writer's thread. Since: 0.1
 */
SVC_API int svc_pipe_write(svc_pipe *pipe, const void *data, size_t len);

/*
 * Writes what there is room for at once, and does not block. Bytes taken, which may be fewer than
 * `len` (0 only for 0); SVC_EAGAIN when there is no room, after which the function of
 * svc_pipe_on_room is called once; else errors as svc_pipe_write, with nothing taken. The writer's
 * thread. Since: 0.1
 */
SVC_API int64_t svc_pipe_try_write(svc_pipe *pipe, const void *data, size_t len);

/*
 * Ends the pipe: no more is written. `error` 0 is the end: the reader gets what is held, then 0. A
 * negative code says that the bytes are not whole: the reader gets the code at once, also one that
 * is blocked, and what is held is dropped. (Of a reply, that cuts the connection, so that the
 * client can tell.) A positive one is SVC_EINVAL. Only the first call counts. The function of
 * svc_pipe_on_room is not called any more. Any thread. Since: 0.1
 */
SVC_API void svc_pipe_end(svc_pipe *pipe, int error);

/*
 * Calls `fn(arg)` once, on the reader's thread or on one that cancels, when the pipe is at most
 * half full again or the reader has gone, after svc_pipe_try_write said SVC_EAGAIN. It is set
 * before the first try and stays for the next. NULL takes it back.
 *
 * Once this returns, the function that was set before is not called any more and does not run:
 * where it runs on another thread, this waits for it to return. So hold no lock that it takes, and
 * take back from within a callback only that callback itself (it is not waited for then). The
 * writer's thread. Since: 0.1
 */
SVC_API void svc_pipe_on_room(svc_pipe *pipe, void (*fn)(void *arg), void *arg);

/* ---- The reading end */

/*
 * Reads up to `len` bytes, and blocks until there are any. Bytes read, more than 0; 0 at the end;
 * the code of svc_pipe_end; SVC_ECANCELLED after svc_pipe_cancel, also by another thread meanwhile;
 * SVC_EINVAL for a `len` of 0; SVC_ESTATE on an event loop where it would block. The reader's thread.
 * Since: 0.1
 */
SVC_API int64_t svc_pipe_read(svc_pipe *pipe, void *data, size_t len);

/*
 * Reads as svc_pipe_read, and does not block: SVC_EAGAIN when nothing is there yet, after which the
 * function of svc_pipe_on_data is called once. The reader's thread. Since: 0.1
 */
SVC_API int64_t svc_pipe_try_read(svc_pipe *pipe, void *data, size_t len);

/*
 * The reader goes: what is held is dropped, and the writer gets SVC_ECANCELLED, also one that is
 * blocked. The function of svc_pipe_on_data is not called any more. A pipe that has been read to
 * its end may be cancelled too. Any thread. Since: 0.1
 */
SVC_API void svc_pipe_cancel(svc_pipe *pipe);

/*
 * Calls `fn(arg)` once, on the writer's thread or on one that ends the pipe, when there is data or
 * the end has come, after svc_pipe_try_read said SVC_EAGAIN. Else as svc_pipe_on_room. The reader's
 * thread. Since: 0.1
 */
SVC_API void svc_pipe_on_data(svc_pipe *pipe, void (*fn)(void *arg), void *arg);

SVC_END_DECLS

#endif
