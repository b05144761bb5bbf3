/*
 * An event loop: one thread that accepts, has fronts speak their protocols, keeps the deadlines of
 * its connections, and takes work from other threads. This header has the calls for all code that
 * runs on a loop; the thread itself is in loop_thread.h.
 */
#ifndef SVC_SERVER_LOOP_H
#define SVC_SERVER_LOOP_H

#include "libsvc/base/clock.h"
#include "libsvc/base/mailbox.h"
#include "libsvc/base/wheel.h"
#include "libsvc/run/reactor.h"
#include "libsvc/server/server.h"

struct conn;
struct front_part;
struct lingering;

/* The wheel of deadlines has ticks of 1 << LOOP_TICK_SHIFT milliseconds. They are as short as its
 * clock allows, since the wheel's cost grows with timers and not with ticks. */
enum { LOOP_TICK_SHIFT = 0 };

/* Between looks for silent connections while the server stops. */
enum { LOOP_SWEEP_MS = 100 };

struct loop {
    struct exchange_host host; /* first: a host is its loop's address */
    struct log log;
    struct server *server;
    pthread_t thread;
    struct svc_loop reactor;
    struct front_part *parts[SERVER_FRONTS_MAX];
    size_t part_count;

    struct mailbox handed;   /* connections accepted by other threads */
    struct mailbox woken;    /* exchanges with news */
    struct mail *woken_left; /* exchanges taken from `woken` whose news is not handled yet */
    struct wheel wheel;
    struct conn *conns;
    struct lingering *lingers;
    unsigned suspended;       /* suspended connections: each costs a look whenever news is taken */
    bool news;                /* exchanges have news, which waits for `news_ms` */
    uint64_t news_ms;         /* the earliest time for the next news */
    _Atomic unsigned count;   /* connections, those still in `handed` included */
    _Atomic unsigned posting; /* threads that are just posting to the loop, which does not end */
    _Atomic int stage;        /* the last stage that this loop has acted on */
    _Atomic bool ended;

    uint64_t now_ms;          /* the clock of this turn */
    uint64_t began_ns;        /* the start of this turn */
    _Atomic uint64_t turn_ns; /* the same, for other threads to read; 0 while it waits for events */
    uint64_t sweep_ms;        /* the time of the next look for silent connections */
    char date[CLOCK_IMF_SIZE];
    int64_t date_second;
    int spare_fd;                 /* closed to make room when descriptors have run out */
    struct deadline accept_pause; /* armed while accepting pauses */
    struct deadline lag_probe;    /* of the reactor's timers; armed while the loop is active */
    struct deadline watch_again;  /* armed while epoll refuses to watch sockets of connections */
};

/* Wakes the loop: it takes the connections handed over and follows the stage. Any thread. */
void svc__loop_wake(struct loop *loop);

/* Returns the part of the loop that a front of its server has. The loop's thread. */
struct front_part *svc__loop_part(const struct loop *loop, const struct front *front);

/* Whether a front has work that no event reports. The loop's thread. */
bool svc__loop_has_work(const struct loop *loop);

/* The milliseconds for which the loop may wait for events from `now_ns` (of svc__clock_ns) on; -1:
 * without limit. The loop's thread. */
int svc__loop_wait_ms(const struct loop *loop, uint64_t now_ns);

/* The loop of a reactor. */
static inline struct loop *svc__loop_of(struct svc_loop *reactor)
{
    return (struct loop *)(void *)((char *)reactor - offsetof(struct loop, reactor));
}

/* The current second as an IMF-fixdate, for the Date field. The loop's thread. */
const char *svc__loop_date(struct loop *loop);

/* Logs a fault of the loop's work, at most one line a second for the whole server: `*logged_ms` is
 * the time of the last line. The loop's thread. */
void svc__loop_log_fault(struct loop *loop, _Atomic uint64_t *logged_ms, const char *message,
                         const char *reason);

/* Counts system calls that failed, and logs the fault as svc__loop_log_fault. The loop's thread. */
void svc__loop_fault(struct loop *loop, unsigned count, const char *message, const char *reason);

/* Has svc__conn_watch_again called soon for all connections. The loop's thread. */
void svc__loop_watch_later(struct loop *loop);

/* The loop's epoll: svc__loop_watch adds a descriptor, or changes one that it has;
 * svc__loop_rewatch changes one; svc__loop_unwatch removes it. 0, or SVC_ESYSTEM, which is counted
 * and logged: the caller tries again. The loop's thread. */
int svc__loop_watch(struct loop *loop, int fd, uint32_t events, struct watch *watch);
int svc__loop_rewatch(struct loop *loop, int fd, uint32_t events, struct watch *watch);
void svc__loop_unwatch(struct loop *loop, int fd);

#endif
