/*
 * The reactor: the part of an event loop that needs no sockets. It has watched descriptors, a way
 * to wake it, timers, and functions that were posted to it. A server's loop embeds a reactor and
 * turns it as part of its own turn; svc_app_test has one that turns by itself. The application
 * knows it as svc_loop.
 *
 * All calls are for the loop's thread, unless their comment names another.
 */
#ifndef SVC_RUN_REACTOR_H
#define SVC_RUN_REACTOR_H

#include <stdatomic.h>

#include <svc/loop.h>

#include "libsvc/base/arena.h"
#include "libsvc/base/mailbox.h"
#include "libsvc/base/wheel.h"
#include "libsvc/run/watchdog.h"

struct event_hub;

/* The target of an event of the loop's epoll: a member of the struct that watches a descriptor. */
struct watch {
    void (*ready)(struct svc_loop *loop, struct watch *watch, uint32_t events);
};

/* A watch that its owner may free in the midst of a turn, while an event of that turn still points
 * at it, and to which the loop's end is reported. It begins its owner's memory. */
struct own_watch {
    struct watch watch;
    struct own_watch *next, **at; /* in a list of the loop's, and the pointer to it in that list */
    void (*forget)(struct own_watch *watch);
};

/* A time limit: a member of the struct that waits for it. Set and cancelled by its timer. */
struct deadline {
    struct timer timer; /* first */
    void (*expired)(struct svc_loop *loop, struct deadline *deadline);
};

/* A state that a program has on each loop. */
struct loop_state {
    const svc_key *key;
    void *state;
    void (*end)(void *state, void *arg);
    void *arg;
};

struct svc_loop {
    int epoll_fd, wake_fd;
    struct watch wake_watch;
    _Atomic unsigned failed; /* wake-ups that came another way; see svc__reactor_take_failed */
    bool woken;              /* the host has been handed work */
    bool ended;              /* no code of the application runs any more */
    struct mailbox posted;   /* struct post */
    struct wheel timers;     /* of struct deadline, in nanoseconds of svc__clock_ns */
    struct own_watch *watches;
    struct own_watch *freed; /* watches that events of this turn may still point at */
    struct watchdog watchdog;
    struct loop_state *states; /* made before the loop serves, and ended after that */
    size_t state_count;
    struct event_hub *events;  /* see events/event_hub.h; NULL: no stream of events is open here */
    struct arena_cache arenas; /* for requests, and for responses that are made here */
};

/* Opens a reactor, whose watchdog is off, in memory that stays where it is. 0, or SVC_ESYSTEM: the
 * reactor can only be closed then. Any thread. */
int svc__reactor_open(struct svc_loop *loop);

/* Closes the descriptors, after svc__reactor_end if the reactor was ever used. Any thread, when
 * nobody uses it any more. */
void svc__reactor_close(struct svc_loop *loop);

/* Makes the calling thread the loop's, or, with NULL, no loop's. Returns the loop that it was the
 * thread of before. */
struct svc_loop *svc__reactor_enter(struct svc_loop *loop);

/* The loop whose thread the calling one is; NULL on other threads. Any thread. */
struct svc_loop *svc__reactor_here(void);

/* The free arena memory of the calling thread's loop; NULL on other threads. Any thread. */
struct arena_cache *svc__reactor_arenas(void);

/* Whether the calling thread is an event loop's, which must not wait for others. Any thread. */
bool svc__reactor_on_loop(void);

/* Whether the application may make and set timers and watches: on the loop's thread, before its
 * end.
 */
bool svc__reactor_is_open(const struct svc_loop *loop);

/* Ends the turn's wait, now or the next time, and makes svc__reactor_take_wake true. On the loop's
 * own thread it costs no system call. Any thread. */
void svc__reactor_wake(struct svc_loop *loop);

/* Whether the loop was woken since the last call. */
bool svc__reactor_take_wake(struct svc_loop *loop);

/* How many wake-ups since the last call could not be written to the eventfd, and came by another
 * way. */
unsigned svc__reactor_take_failed(struct svc_loop *loop);

/* How long the loop may wait until it asks again, in milliseconds rounded up; -1 for ever. */
int svc__reactor_wait_ms(const struct svc_loop *loop, uint64_t now_ns);

/* Lists a watch: the reactor reports its end to the watch from here on. */
void svc__reactor_own(struct svc_loop *loop, struct own_watch *watch);

/* Frees the memory of a watch that it lists once no event of this turn is left; until then the
 * watch's `ready` must do nothing. */
void svc__reactor_bury(struct svc_loop *loop, struct own_watch *watch);

/* Runs posted functions and timers that are due, after all events of the turn. Does nothing after
 * the loop's end. */
void svc__reactor_run(struct svc_loop *loop, uint64_t now_ns);

/* A whole turn, for a host without events of its own; waits until `until_ms` of svc__clock_ms at
 * most. */
void svc__reactor_turn(struct svc_loop *loop, uint64_t until_ms);

/*
 * Ends the application's part of the loop: disarms its timers, forgets its watches, runs the
 * functions posted until now, and refuses later ones. Does nothing a second time. On the loop's
 * thread, or another when that one has ended.
 */
void svc__reactor_end(struct svc_loop *loop);

#endif
