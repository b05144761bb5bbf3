/*
 * Event loops for the application's own use: functions posted from other threads, timers, and file
 * descriptors, beside the requests that a loop serves.
 *
 * A loop is a thread. What it calls must not block, as a handler must not, and may use everything
 * that was made for the same loop without a lock. A callback may free, cancel and set any timer and
 * watch of its loop, its own included.
 *
 * When the service stops, a loop serves until its last request is over. Then every function that was
 * posted has run, and timers and watches that are left never fire. They are still the program's to
 * free, in a stop hook for example. A loop can be named in calls until the stop hooks have run, so
 * threads of the program's own that post have ended by then. After a stop by force (SVC_EFORCED) a
 * loop that a handler holds runs nothing any more, and its functions may never run.
 *
 * In svc_app_test there is one loop, that of the thread which calls it: it turns while a request waits,
 * and runs what was posted before the call returns. Its timers and watches stay from one call to the
 * next, until the app is freed.
 */
#ifndef SVC_LOOP_H
#define SVC_LOOP_H

#include <svc/types.h>

SVC_BEGIN_DECLS

typedef struct svc_loop svc_loop;   /* an event loop of a started app */
typedef struct svc_timer svc_timer; /* calls a function of a loop at a time */
typedef struct svc_watch svc_watch; /* calls a function of a loop when a descriptor is ready */

/* The loop that serves the request. Borrowed; never NULL. Any thread that holds the request.
 * Since: 0.1 */
SVC_API svc_loop *svc_request_loop(const svc_request *req);

/*
 * Loop `index` of the app, from 0; NULL past the last one, and before the start (in start hooks too).
 * A mounted app's are those of the app that serves. Borrowed until the stop hooks have run. Any
 * thread. Since: 0.1
 */
SVC_API svc_loop *svc_app_loop(const svc_app *app, size_t index);

/*
 * Registers what each loop has of its own, such as a client library's connection to a backend. `begin` runs
 * on the loop's thread before any loop serves a request, and stores what svc_loop_get then gives; it may make
 * timers and watches, and what it waits for delays the start. A non-zero return refuses the start: what was
 * begun, on this loop and the others, is ended. `end` runs on the loop's thread for what its `begin` has made,
 * after the last request, when timers and watches never fire any more and nothing more is posted; it may be
 * NULL. After a stop by force it does not run on a loop that a handler holds.
 *
 * Begins run in order of registration, an app's before those of apps mounted on it, and ends in reverse. In
 * svc_app_test `begin` runs on the thread of the first call, and `end` on that of svc_app_free.
 *
 * `key` says whose state it is, by its address, so that libraries that know nothing of one another do not
 * meet: each has one of its own, static, or within what it makes for each of its users where an app may have
 * several. It is borrowed until the app is freed; its name is for reports. 0; SVC_EINVAL for NULL or a key
 * that the app has, and at the start where an app mounted on it has it too; SVC_ESTATE or SVC_ENOMEM. Before
 * start only. Since: 0.1
 */
SVC_API int svc_app_each_loop(svc_app *app, const svc_key *key,
                              int (*begin)(svc_app *app, svc_loop *loop, void *arg, void **state),
                              void (*end)(void *state, void *arg), void *arg);

/* What `begin` has stored for the loop under that key; NULL where there is nothing, and for no loop. The
 * loop's thread, or another that holds a request of the loop. Since: 0.1 */
SVC_API void *svc_loop_get(const svc_loop *loop, const svc_key *key);

/*
 * Has `fn(arg)` run once on the loop's thread, soon and never within this call: functions run in the
 * order in which they were posted. `arg` is the caller's to keep alive until then. What was taken
 * runs, also when the service stops; from the end of the loop on nothing is taken. From the loop's
 * own thread this costs no system call. 0, SVC_ENOMEM, or SVC_ESTATE once the loop has ended: `fn` is
 * then never called; SVC_ESTATE too for NULL, as svc_app_loop has it before the start. Any thread.
 * Since: 0.1
 */
SVC_API int svc_loop_post(svc_loop *loop, void (*fn)(void *arg), void *arg) SVC_MUST_CHECK;

/*
 * Makes a timer, not set, that calls `fn(arg)` each time it fires. `arg` is borrowed until the free.
 * The caller's, ends with svc_timer_free, and may be NULL in the calls below (SVC_ENOMEM). NULL when out
 * of memory, for no loop, on a thread that is not the loop's, or once the loop has ended. The loop's thread. Since: 0.1
 */
SVC_API svc_timer *svc_timer_new(svc_loop *loop, void (*fn)(void *arg), void *arg) SVC_MUST_CHECK;

/*
 * Has the timer fire once, `ms` milliseconds from now: never earlier, and about one later at most
 * when the loop is idle. One that is set already is moved; one that has fired may be set again, in its
 * own function too. Timers fire in the order of their times, as far as these are half a millisecond
 * apart. 0, SVC_EINVAL for more than 366 days, or SVC_ESTATE once the loop has ended: it is then as it
 * was. The loop's thread. Since: 0.1
 */
SVC_API int svc_timer_set(svc_timer *timer, uint64_t ms);

/* Takes the time back: the timer does not fire unless it is set again. Nothing happens when it is not
 * set. The loop's thread. Since: 0.1 */
SVC_API void svc_timer_cancel(svc_timer *timer);

/* Frees the timer, which never fires any more. Accepts NULL. The loop's thread, or any when the loop
 * has ended. Since: 0.1 */
SVC_API void svc_timer_free(svc_timer *timer);

/* What a watch waits for, and tells. */
enum {
    SVC_READABLE = 1 << 11, /* a read would not block: there are bytes, or their end, or an error */
    SVC_WRITABLE = 1 << 12  /* a write would not block: there is room, or an error */
};

/*
 * Watches a descriptor: `fn(events, arg)` is called in each turn of the loop in which it is ready for
 * some of `events`, as long as it is (level-triggered). On an error or a hang-up all that it waits for
 * is told, so that the read or write finds out. With `events` 0 it waits for nothing until
 * svc_watch_set. `fd`, which should be non-blocking, is borrowed: the watch must be freed before it is
 * closed. `arg` is borrowed until the free. The caller's, ends with svc_watch_free. NULL for other
 * events, when out of memory, when the system refuses (a regular file; a descriptor that this loop
 * watches already), for no loop, on a thread that is not the loop's, or once the loop has ended; the
 * calls below accept it (SVC_ENOMEM). The loop's thread. Since: 0.1
 */
SVC_API svc_watch *svc_watch_new(svc_loop *loop, int fd, unsigned events,
                                 void (*fn)(unsigned events, void *arg), void *arg) SVC_MUST_CHECK;

/*
 * Waits for other events from now on, 0 for none. 0; SVC_EINVAL for other events; SVC_ESTATE once the
 * loop has ended; SVC_ENOMEM or SVC_ESYSTEM when the system refuses: it then waits for what it did. The
 * loop's thread. Since: 0.1
 */
SVC_API int svc_watch_set(svc_watch *watch, unsigned events);

/* Frees the watch, whose function is never called any more, also for what has happened already. The
 * descriptor stays open. Accepts NULL. The loop's thread, or any when the loop has ended. Since: 0.1 */
SVC_API void svc_watch_free(svc_watch *watch);

SVC_END_DECLS

#endif
