/*
 * Event loops for the application's own use: functions posted from other threads, timers, and watches of
 * file descriptors, beside the requests that a loop serves.
 *
 * A loop is a thread. A callback on it must not block, as a handler must not, and may use everything
 * that was made for the same loop without a lock. A callback may free, cancel and set any timer and
 * watch of its loop, its own included.
 *
 * When the service stops, a loop serves until its last request is over. By then every posted function has
 * run, and the remaining timers and watches never fire. The program must still free them, in a stop hook
 * for example. A loop may be used in calls until the stop hooks have run, so the program's own threads that
 * post must end before. After a stop by force (SVC_EFORCED) a loop that a handler blocks runs nothing more,
 * and functions posted to it may never run.
 *
 * In svc_app_test the calling thread is the only loop: it turns while a request waits, and runs all posted
 * functions before the call returns. Its timers and watches stay from one call to the next, until the app
 * is freed.
 */
#ifndef SVC_LOOP_H
#define SVC_LOOP_H

#include <svc/types.h>

SVC_BEGIN_DECLS

typedef struct svc_loop svc_loop;   /* an event loop of a started app */
typedef struct svc_timer svc_timer; /* calls a function on a loop at a given time */
typedef struct svc_watch svc_watch; /* calls a function on a loop when a descriptor is ready */

/* The loop that serves the request. Borrowed; NULL only for NULL. Any thread that holds the request.
 * Since: 0.1 */
SVC_API svc_loop *svc_request_loop(const svc_request *req);

/*
 * Loop `index` of the app, from 0; NULL past the last one, and before the start (in start hooks too).
 * For a mounted app, the outer app's loops. Borrowed until the stop hooks have run. Any
 * thread. Since: 0.1
 */
SVC_API svc_loop *svc_app_loop(const svc_app *app, size_t index);

/*
 * Registers a state for each loop, such as a client library's connection to a backend. `begin` runs on the
 * loop's thread before any loop serves a request, and stores the state that svc_loop_get then returns. It
 * may make timers and watches; if it waits, the start is delayed. If it returns non-zero, the start fails,
 * and `end` runs for each state made so far, on this loop and the others. `end` runs on the loop's thread
 * for the state that `begin` has made, after the last request, when timers and watches fire no more and no
 * function is posted any more; it may be NULL. After a stop by force it does not run on a loop that a
 * handler blocks.
 *
 * Begins run in order of registration, an app's before those of apps mounted on it, and ends in reverse. In
 * svc_app_test `begin` runs on the thread of the first call, and `end` on that of svc_app_free.
 *
 * The address of `key` identifies the state, so that independent libraries do not collide: each has a key of
 * its own, static, or one in each of its objects if an app may have several. It is borrowed until the app is
 * freed; its name is for reports. 0; SVC_EINVAL for NULL or a key that the app has already, and at the start
 * if an app mounted on it has it too; SVC_ESTATE or SVC_ENOMEM. Before start only. Since: 0.1
 */
SVC_API int svc_app_each_loop(svc_app *app, const svc_key *key,
                              int (*begin)(svc_app *app, svc_loop *loop, void *arg, void **state),
                              void (*end)(void *state, void *arg), void *arg);

/* The state that `begin` has stored for the loop under that key; NULL for none, and for a NULL loop. The
 * loop's thread, or another that holds a request of the loop. Since: 0.1 */
SVC_API void *svc_loop_get(const svc_loop *loop, const svc_key *key);

/*
 * Runs `fn(arg)` once on the loop's thread, soon but never within this call. Functions run in the order in
 * which they were posted. The caller keeps `arg` alive until then. Accepted functions also run when the
 * service stops; once the loop has ended, no function is accepted. On the loop's own thread this makes no
 * system call. 0, SVC_ENOMEM, or SVC_ESTATE once the loop has ended and for a NULL loop, which svc_app_loop
 * returns before the start: `fn` is then never called. Any thread. Since: 0.1
 */
SVC_API int svc_loop_post(svc_loop *loop, void (*fn)(void *arg), void *arg) SVC_MUST_CHECK;

/*
 * Makes a timer, not yet set, that calls `fn(arg)` each time it fires. `arg` is borrowed until the timer is
 * freed. The caller frees it with svc_timer_free. NULL when out of memory, for a NULL loop, on a thread that
 * is not the loop's, or once the loop has ended; the calls below accept that NULL (SVC_ENOMEM). The loop's
 * thread. Since: 0.1
 */
SVC_API svc_timer *svc_timer_new(svc_loop *loop, void (*fn)(void *arg), void *arg) SVC_MUST_CHECK;

/*
 * Sets the timer to fire once, `ms` milliseconds from now: never earlier, and at most about 1 ms later when
 * the loop is idle. If it is set already, the new time replaces the old one; if it has fired, it may be set
 * again, also by its own function. Timers whose times are at least half a millisecond apart fire in the
 * order of their times. 0, SVC_EINVAL for more than 366 days, or SVC_ESTATE once the loop has ended; on an
 * error the timer does not change. The loop's thread. Since: 0.1
 */
SVC_API int svc_timer_set(svc_timer *timer, uint64_t ms);

/* Cancels the timer: it does not fire unless it is set again. Does nothing if it is not set. The loop's
 * thread. Since: 0.1 */
SVC_API void svc_timer_cancel(svc_timer *timer);

/* Frees the timer, which then never fires. Accepts NULL. The loop's thread, or any thread once the loop has
 * ended. Since: 0.1 */
SVC_API void svc_timer_free(svc_timer *timer);

/* The events that a watch waits for and reports. */
enum {
    SVC_READABLE = 1 << 11, /* a read would not block: there are bytes, end of file, or an error */
    SVC_WRITABLE = 1 << 12  /* a write would not block: there is room, or an error */
};

/*
 * Watches a descriptor: calls `fn(events, arg)` in each turn of the loop in which the descriptor is ready
 * for some of `events` (level-triggered). On an error or hang-up every event that the watch waits for is
 * reported, so that your read or write returns the error. With `events` 0 it waits for nothing until
 * svc_watch_set. `fd`, which should be non-blocking, is borrowed: free the watch before you close it. `arg`
 * is borrowed until the watch is freed. The caller frees it with svc_watch_free. NULL for other events, when
 * out of memory, when the system refuses the descriptor (a regular file; one that this loop watches
 * already), for a NULL loop, on a thread that is not the loop's, or once the loop has ended; the calls below
 * accept that NULL (SVC_ENOMEM). The loop's thread. Since: 0.1
 */
SVC_API svc_watch *svc_watch_new(svc_loop *loop, int fd, unsigned events,
                                 void (*fn)(unsigned events, void *arg), void *arg) SVC_MUST_CHECK;

/*
 * Sets the events that the watch waits for from now on; 0 for none. 0; SVC_EINVAL for unknown events;
 * SVC_ESTATE once the loop has ended; SVC_ENOMEM or SVC_ESYSTEM when the system refuses: the events then
 * stay as they were. The loop's thread. Since: 0.1
 */
SVC_API int svc_watch_set(svc_watch *watch, unsigned events);

/* Frees the watch; its function is not called again, not even for an event that has happened already. The
 * descriptor stays open. Accepts NULL. The loop's thread, or any thread once the loop has ended.
 * Since: 0.1 */
SVC_API void svc_watch_free(svc_watch *watch);

SVC_END_DECLS

#endif
