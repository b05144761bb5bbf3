/*
 * An event loop: one thread that accepts, runs libmicrohttpd without ever letting it wait, keeps
 * the deadlines of its connections, and takes what other threads hand over.
 */
#ifndef SVC_SERVER_LOOP_H
#define SVC_SERVER_LOOP_H

#include "libsvc/base/clock.h"
#include "libsvc/base/mailbox.h"
#include "libsvc/base/wheel.h"
#include "libsvc/run/reactor.h"
#include "libsvc/server/conn.h"
#include "libsvc/server/linger.h"
#include "libsvc/server/server.h"

struct MHD_Daemon;
struct kept_replies;

/* Deadlines have ticks of 1 << this milliseconds. A tick is as short as the clock that they go by:
 * the wheel's cost is by timer, not by tick. */
enum { LOOP_TICK_SHIFT = 0 };

struct loop {
    struct exchange_host host; /* first: a host is its loop's address */
    struct log log;
    struct server *server;
    pthread_t thread;
    struct svc_loop reactor;
    struct watch mhd_watch;
    struct MHD_Daemon *daemon;
    int mhd_fd;          /* libmicrohttpd's epoll */
    struct conn *adding; /* whose socket libmicrohttpd is just taking */
    uint64_t runs;       /* of libmicrohttpd, in each of which it reads once from a connection */
    bool run_again;      /* libmicrohttpd has work that its epoll does not show */
    bool closes;         /* a connection that libmicrohttpd has to handle once more */
    bool known_layout;   /* it is clear how this libmicrohttpd uses a connection's memory */
    struct kept_replies *replies; /* see loop_mhd_reply.h */
    size_t pool;                  /* bytes of a connection's memory in libmicrohttpd */

    struct early_feed feed; /* heads that it has read itself, see early.h */

    struct mailbox handed;   /* connections accepted by other threads */
    struct mailbox woken;    /* exchanges of which there is news */
    struct mail *woken_left; /* of those that were taken from it */
    struct wheel wheel;
    struct conn *conns;
    struct lingering *lingers;
    unsigned suspended;       /* connections, in libmicrohttpd */
    bool news;                /* of exchanges, which waits for its time */
    uint64_t news_ms;         /* when the next may be taken */
    _Atomic unsigned count;   /* of connections, those still in `handed` included */
    _Atomic unsigned posting; /* threads that are just waking this loop for an exchange */
    _Atomic int stage;        /* the last stage that this loop has acted on */
    _Atomic bool ended;

    uint64_t now_ms;   /* of this turn */
    uint64_t began_ns; /* the same, when it began */
    uint64_t sweep_ms; /* when silent connections are looked for next */
    char date[CLOCK_IMF_SIZE];
    int64_t date_second;
    int spare_fd;                 /* closed to make room when descriptors run out */
    struct deadline accept_pause; /* armed while accepting pauses */
    struct deadline watch_again;  /* armed while sockets of connections could not be watched */
};

/* Makes a loop and its daemon; its thread is not running yet. NULL with `*error` set. */
struct loop *svc__loop_new(struct server *server, int *error);

/* Starts the thread. 0 or SVC_ESYSTEM. */
int svc__loop_start(struct loop *loop);

/* Has the loop look at what was handed over, or at the stage. Any thread. */
void svc__loop_wake(struct loop *loop);

/* How long the loop may wait for events at `now_ns` of svc__clock_ns, in milliseconds: until then
 * it has nothing to do, and after that it asks again. -1 for ever. The loop's thread. */
int svc__loop_wait_ms(const struct loop *loop, uint64_t now_ns);

/* Frees a loop whose thread has ended or never ran. Accepts NULL. */
void svc__loop_free(struct loop *loop);

/* The loop of a reactor. */
static inline struct loop *svc__loop_of(struct svc_loop *reactor)
{
    return (struct loop *)(void *)((char *)reactor - offsetof(struct loop, reactor));
}

/* The current second as an IMF-fixdate, for the Date field. The loop's thread. */
const char *svc__loop_date(struct loop *loop);

/* Logs a fault of the loop's work, at most one line a second for the whole server: `*logged_ms` is
 * when there last was one. The loop's thread. */
void svc__loop_log_fault(struct loop *loop, _Atomic uint64_t *logged_ms, const char *message,
                         const char *reason);

/* Counts system calls that failed, and logs the fault likewise. The loop's thread. */
void svc__loop_fault(struct loop *loop, unsigned count, const char *message, const char *reason);

/* Has svc__conn_watch_again called for all connections before long. The loop's thread. */
void svc__loop_watch_later(struct loop *loop);

/* Adds what the loop's epoll watches, or changes it; changes it only; or removes it. 0, or
 * SVC_ESYSTEM, counted and logged: the caller tries again. The loop's thread. */
int svc__loop_watch(struct loop *loop, int fd, uint32_t events, struct watch *watch);
int svc__loop_rewatch(struct loop *loop, int fd, uint32_t events, struct watch *watch);
void svc__loop_unwatch(struct loop *loop, int fd);

#endif
