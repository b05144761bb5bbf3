/*
 * What every event loop has whether or not it serves sockets: descriptors that it watches, a way to
 * wake it, timers, and functions that were posted to it. A server's loop embeds one and turns it as
 * part of its own turn; svc_app_test has one that turns by itself. It is what the application knows
 * as svc_loop.
 *
 * All calls are for the loop's thread, where nothing else is said.
 */
#ifndef SVC_RUN_REACTOR_H
#define SVC_RUN_REACTOR_H

#include <stdatomic.h>

#include <svc/loop.h>

#include "libsvc/base/arena.h"
#include "libsvc/base/mailbox.h"
#include "libsvc/base/wheel.h"
#include "libsvc/run/watchdog.h"

/* What an event of the loop's epoll points at: a member of whatever watches a descriptor. */
struct watch {
    void (*ready)(struct svc_loop *loop, struct watch *watch, uint32_t events);
};

/* A watch that its owner may free in the midst of a turn, while an event of that turn still points
 * at it, and that has to learn of the loop's end. The beginning of its owner's memory. */
struct own_watch {
    struct watch watch;
    struct own_watch *next, **at; /* in a list of the loop's, and what points to it there */
    void (*forget)(struct own_watch *watch);
};

/* What is due at a time: a member of whatever waits for it. Set and cancelled by its timer. */
struct deadline {
    struct timer timer; /* first */
    void (*expired)(struct svc_loop *loop, struct deadline *deadline);
};

/* What somebody has of his own on a loop. */
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
    bool woken;              /* something was handed over to the host */
    bool ended;              /* nothing of the application's runs any more */
    struct mailbox posted;   /* struct post */
    struct wheel timers;     /* of struct deadline, in nanoseconds of svc__clock_ns */
    struct own_watch *watches;
    struct own_watch *freed; /* what events of this turn may still point at */
    struct watchdog watchdog;
    struct loop_state *states; /* made before the loop serves, and ended after that */
    size_t state_count;
    struct arena_cache arenas; /* for requests, and for responses that are made here */
};

/* Opens a reactor, whose watchdog is off, in memory that stays where it is. 0 or SVC_ESYSTEM, and
 * then it can only be closed. Any thread. */
int svc__reactor_open(struct svc_loop *loop);

/* Closes the descriptors, after svc__reactor_end if the reactor was ever used. Any thread, when
 * nobody uses it any more. */
void svc__reactor_close(struct svc_loop *loop);

/* Makes the calling thread the loop's, or with NULL that of none. Returns the loop it was before.
 */
struct svc_loop *svc__reactor_enter(struct svc_loop *loop);

/* The free memory of the loop whose thread this is; NULL on others. Any thread. */
struct arena_cache *svc__reactor_arenas(void);

/* Whether this thread is an event loop's, which must not wait for others. */
bool svc__reactor_on_loop(void);

/* Whether the application may make and set things here: on the loop's thread, before its end. */
bool svc__reactor_is_open(const struct svc_loop *loop);

/* Ends the turn's wait, now or the next time, and has svc__reactor_take_wake say so. On the loop's
 * own thread it costs no system call. Any thread. */
void svc__reactor_wake(struct svc_loop *loop);

/* Whether the loop was woken since the last call. */
bool svc__reactor_take_wake(struct svc_loop *loop);

/* How many wake-ups since the last call could not be written to the eventfd, and came by another
 * way. */
unsigned svc__reactor_take_failed(struct svc_loop *loop);

/* How long the loop may wait until it asks again, in milliseconds rounded up; -1 for ever. */
int svc__reactor_wait_ms(const struct svc_loop *loop, uint64_t now_ns);

/* Lists a watch, which is the reactor's to tell of its end from here on. */
void svc__reactor_own(struct svc_loop *loop, struct own_watch *watch);

/* Frees the memory of a watch that it lists, when no event of this turn is left; it has to do
 * nothing when it is ready until then. */
void svc__reactor_bury(struct svc_loop *loop, struct own_watch *watch);

/* Runs what was posted and what is due, when all events of the turn have been taken. Nothing to do
 * after the end. */
void svc__reactor_run(struct svc_loop *loop, uint64_t now_ns);

/* A whole turn, for a host without events of its own; waits until `until_ms` of svc__clock_ms at
 * most. */
void svc__reactor_turn(struct svc_loop *loop, uint64_t until_ms);

/*
 * Ends what the application has here: disarms its timers, forgets its watches, and runs what was
 * posted until now; nothing is taken after that. Nothing to do the second time. On the loop's
 * thread, or another when that one has ended.
 */
void svc__reactor_end(struct svc_loop *loop);

#endif
