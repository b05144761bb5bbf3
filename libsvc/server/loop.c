/* An event loop. */
#include "libsvc/server/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "libsvc/app/life.h"
#include "libsvc/app/stalls.h"
#include "libsvc/base/thread.h"
#include "libsvc/base/wait.h"
#include "libsvc/exchange/away.h"
#include "libsvc/fronts/mhd/loop_mhd.h"
#include "libsvc/server/acceptor.h"

enum {
    EVENTS = 128,
    SCRATCH = 1 << 24,     /* the largest thing that is rendered for one response */
    TELL_MS = 1000,        /* until it is told how many lines were suppressed */
    SUSPENDED_A_MS = 2500, /* of which libmicrohttpd looks at one in some 20 ns */
    WOKEN_A_TURN = 32,     /* exchanges of which the news is taken, and one more for each: */
    SUSPENDED_A_WOKEN = 64,
    LOG_EVERY_MS = 1000,
    WATCH_AGAIN_MS = 50,
    SWEEP_MS = 100,   /* between looks for silent connections while the server stops */
    LONG_NS = 1000000 /* of a turn for which what came meanwhile has waited */
};

void svc__loop_log_fault(struct loop *loop, _Atomic uint64_t *logged_ms, const char *message,
                         const char *reason)
{
    uint64_t last = atomic_load(logged_ms);
    if (last && loop->now_ms < last + LOG_EVERY_MS)
        return;
    if (atomic_compare_exchange_strong(logged_ms, &last, loop->now_ms))
        svc__log(&loop->log, SVC_LEVEL_ERROR, message, svc_kv_str("reason", reason),
                 svc_kv_uint("connections", atomic_load(&loop->server->connections)));
}

void svc__loop_fault(struct loop *loop, unsigned count, const char *message, const char *reason)
{
    svc__metric_add(loop->host.cells, loop->server->metrics.faults, count);
    svc__loop_log_fault(loop, &loop->server->fault_logged_ms, message, reason);
}

static int watch(struct loop *loop, int operation, int fd, uint32_t events, struct watch *watch)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (!epoll_ctl(loop->reactor.epoll_fd, operation, fd, &event))
        return 0;
    int error = errno;
    if (error != EEXIST && loop->host.cells)
        svc__loop_fault(loop, 1, "a socket cannot be watched", strerror(error));
    errno = error;
    return SVC_ESYSTEM;
}

int svc__loop_watch(struct loop *loop, int fd, uint32_t events, struct watch *what)
{
    int error = watch(loop, EPOLL_CTL_ADD, fd, events, what);
    return error && errno == EEXIST ? svc__loop_rewatch(loop, fd, events, what) : error;
}

int svc__loop_rewatch(struct loop *loop, int fd, uint32_t events, struct watch *what)
{
    return watch(loop, EPOLL_CTL_MOD, fd, events, what);
}

void svc__loop_watch_later(struct loop *loop)
{
    svc__wheel_set(&loop->wheel, &loop->watch_again.timer, loop->now_ms + WATCH_AGAIN_MS);
}

void svc__loop_unwatch(struct loop *loop, int fd)
{
    epoll_ctl(loop->reactor.epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

void svc__loop_wake(struct loop *loop)
{
    svc__reactor_wake(&loop->reactor);
}

/* Any thread: there is news of an exchange. */
static void wake_exchange(struct exchange_host *host, struct exchange *x)
{
    struct loop *loop = (struct loop *)(void *)host;
    /* Once the mail is there, its exchange may end and with it the reason for the loop to live. */
    atomic_fetch_add(&loop->posting, 1);
    if (svc__mailbox_post(&loop->woken, &x->mail))
        svc__loop_wake(loop);
    atomic_fetch_sub(&loop->posting, 1);
}

const char *svc__loop_date(struct loop *loop)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec != loop->date_second) {
        loop->date_second = now.tv_sec;
        svc__clock_imf(loop->date, now.tv_sec);
    }
    return loop->date;
}

static void init_host(struct loop *loop)
{
    const svc_app *app = loop->server->app;
    loop->host = (struct exchange_host){
        .arenas = &loop->reactor.arenas,
        .cells = svc__metric_cells_new(app->metrics),
        .log = &loop->log,
        .scheme = "http",
        .wake = wake_exchange,
        .loop = &loop->reactor,
    };
    svc__log_init(&loop->log, loop->server->logger);
    loop->log.skips_taker = loop->server->logger != &app->logger; /* as the admin pages' */
    svc__buf_init(&loop->host.scratch, SCRATCH);
}

static int open_descriptors(struct loop *loop)
{
    int error = svc__reactor_open(&loop->reactor);
    svc__stalls_watch(loop->server->app, &loop->reactor.watchdog);
    loop->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (error || svc__early_start(loop) || svc__loop_mhd_start(loop))
        return SVC_ESYSTEM;
    return svc__loop_watch(loop, loop->mhd_fd, EPOLLIN, &loop->mhd_watch);
}

static void mhd_ready(struct svc_loop *reactor, struct watch *watch, uint32_t events)
{
    (void)watch;
    (void)events;
    svc__loop_of(reactor)->run_again = true;
}

static void watch_conns_again(struct svc_loop *reactor, struct deadline *deadline)
{
    (void)deadline;
    for (struct conn *conn = svc__loop_of(reactor)->conns; conn; conn = conn->next)
        svc__conn_watch_again(conn);
}

struct loop *svc__loop_new(struct server *server, int *error)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop) {
        *error = SVC_ENOMEM;
        return NULL;
    }
    loop->server = server;
    loop->spare_fd = -1;
    loop->mhd_watch.ready = mhd_ready;
    loop->watch_again.expired = watch_conns_again;
    svc__acceptor_init(loop);
    loop->now_ms = svc__clock_ms();
    svc__wheel_init(&loop->wheel, loop->now_ms, LOOP_TICK_SHIFT);
    init_host(loop);
    *error = open_descriptors(loop);
    if (!*error && !loop->host.cells)
        *error = SVC_ENOMEM;
    if (!*error)
        return loop;
    svc__loop_free(loop);
    return NULL;
}

static struct conn *conn_of_mail(struct mail *mail)
{
    return (struct conn *)(void *)((char *)mail - offsetof(struct conn, mail));
}

/* Connections for a loop whose thread never ran. */
static void free_handed(struct loop *loop)
{
    struct mail *next;
    for (struct mail *mail = svc__mailbox_take_all(&loop->handed); mail; mail = next) {
        next = mail->next;
        close(conn_of_mail(mail)->fd);
        free(conn_of_mail(mail));
    }
}

void svc__loop_free(struct loop *loop)
{
    if (!loop)
        return;
    free_handed(loop);
    svc__loop_mhd_stop(loop);
    svc__early_stop(loop);
    svc__metric_cells_release(loop->server->app->metrics, loop->host.cells);
    svc__log_free(&loop->log);
    svc__buf_free(&loop->host.scratch);
    svc__reactor_end(&loop->reactor); /* for one whose thread never ran */
    svc__reactor_close(&loop->reactor);
    if (loop->spare_fd >= 0)
        close(loop->spare_fd);
    free(loop);
}

static void take_handed(struct loop *loop)
{
    struct mail *next;
    for (struct mail *mail = svc__mailbox_take_all(&loop->handed); mail; mail = next) {
        next = mail->next;
        svc__conn_open(loop, conn_of_mail(mail));
    }
}

/* The next exchange of which there is news, in the order in which it came; NULL when there is none.
 */
static struct exchange *next_woken(struct loop *loop)
{
    if (!loop->woken_left)
        loop->woken_left = svc__mailbox_take_all(&loop->woken);
    struct mail *mail = loop->woken_left;
    if (!mail)
        return NULL;
    loop->woken_left = mail->next;
    return svc__exchange_of_mail(mail);
}

/* False when there may be more. */
static bool take_woken(struct loop *loop, size_t most)
{
    for (; most > 0; most--) {
        struct exchange *x = next_woken(loop);
        if (!x)
            return true;
        if (svc__away_news(x))
            svc__conn_news(x->transport);
        if (atomic_load(&loop->stage) != STAGE_SERVE)
            svc__server_notify(loop->server);
    }
    return false;
}

static void close_silent(struct loop *loop)
{
    loop->sweep_ms = loop->now_ms + SWEEP_MS;
    for (struct conn *conn = loop->conns; conn; conn = conn->next)
        svc__conn_close_if_silent(conn, loop->server->stop_ms);
}

static void cut(struct loop *loop)
{
    for (struct conn *conn = loop->conns; conn; conn = conn->next)
        svc__conn_cut(conn);
    svc__linger_close_all(loop);
}

/*
 * Stages may be skipped: what an earlier one would have done is part of the later one. Not while
 * events of this turn are left, which may point at a listener or at a lingering socket.
 */
static void follow_stage(struct loop *loop)
{
    int stage = atomic_load(&loop->server->stage), before = atomic_load(&loop->stage);
    if (stage == before)
        return;
    if (before == STAGE_SERVE)
        svc__acceptor_end(loop);
    if (stage >= STAGE_CUT)
        cut(loop);
    atomic_store(&loop->stage, stage);
    svc__server_notify(loop->server);
}

/*
 * Each batch of resumed connections has libmicrohttpd look at all that are suspended. So that this
 * stays a small part of the work, batches keep a distance that grows with their number. And they
 * have an end: all that are handled in a turn send their next requests together, which then wait
 * for the end of a turn that is as long, and the crowd would stay one.
 */
static void take_news(struct loop *loop)
{
    if (!loop->news || loop->now_ms < loop->news_ms)
        return;
    loop->news = !take_woken(loop, WOKEN_A_TURN + loop->suspended / SUSPENDED_A_WOKEN);
    if (!loop->news)
        loop->news_ms = loop->now_ms + loop->suspended / SUSPENDED_A_MS;
}

static void take_wake(struct loop *loop)
{
    if (!svc__reactor_take_wake(&loop->reactor))
        return;
    unsigned failed = svc__reactor_take_failed(&loop->reactor);
    if (failed)
        svc__loop_fault(loop, failed, "a loop was woken by another way",
                        "its eventfd takes nothing");
    loop->news = true;
    take_handed(loop);
}

/* Of two times to wait, each of which may be -1: for ever. */
static int at_most(int wait, int ms)
{
    return wait < 0 || (ms >= 0 && wait > ms) ? ms : wait;
}

int svc__loop_wait_ms(const struct loop *loop, uint64_t now_ns)
{
    uint64_t now_ms = now_ns / 1000000;
    if (loop->run_again)
        return 0;
    int wait = at_most(svc__reactor_wait_ms(&loop->reactor, now_ns),
                       svc__wait_epoll_ms(svc__wheel_wait(&loop->wheel, now_ms)));
    if (loop->news)
        wait = at_most(wait, loop->news_ms > now_ms ? (int)(loop->news_ms - now_ms) : 0);
    if (svc__log_suppresses(&loop->log))
        wait = at_most(wait, TELL_MS);
    bool sweeping = atomic_load(&loop->stage) >= STAGE_CLOSE_IDLE;
    return sweeping ? at_most(wait, SWEEP_MS) : wait;
}

/*
 * What a turn serves has come while the one before ran, or while the loop slept: after a long turn
 * it may have waited for all of that, if something is there without waiting.
 */
static int await_events(struct loop *loop, struct epoll_event events[EVENTS])
{
    bool was_long = svc__clock_ns() - loop->began_ns > LONG_NS;
    int count = was_long ? epoll_wait(loop->reactor.epoll_fd, events, EVENTS, 0) : 0;
    bool queued = was_long && (count > 0 || loop->run_again);
    if (count <= 0)
        count = epoll_wait(loop->reactor.epoll_fd, events, EVENTS,
                           svc__loop_wait_ms(loop, svc__clock_ns()));
    uint64_t now_ns = svc__clock_ns();
    loop->host.turn_ns = queued ? loop->began_ns : now_ns;
    loop->host.turn_first_ns = 0;
    loop->began_ns = now_ns;
    loop->now_ms = now_ns / 1000000;
    svc__watchdog_woken(&loop->reactor.watchdog, now_ns);
    return count;
}

/*
 * Own events come first: a connection that they free or add is settled before libmicrohttpd runs,
 * which alone may free others. So no event of this turn can point at a connection that is gone.
 */
static void turn(struct loop *loop)
{
    struct epoll_event events[EVENTS];
    int count = await_events(loop, events);
    for (int i = 0; i < count; i++) {
        struct watch *ready = events[i].data.ptr;
        ready->ready(&loop->reactor, ready, events[i].events);
    }
    svc__reactor_run(&loop->reactor, loop->began_ns);
    take_wake(loop);
    take_news(loop);
    follow_stage(loop);
    if (loop->run_again)
        svc__loop_mhd_run(loop);
    struct timer *timer;
    while ((timer = svc__wheel_expire(&loop->wheel, loop->now_ms))) {
        struct deadline *deadline = (struct deadline *)(void *)timer;
        deadline->expired(&loop->reactor, deadline);
    }
    if (atomic_load(&loop->stage) >= STAGE_CLOSE_IDLE && loop->now_ms >= loop->sweep_ms)
        close_silent(loop);
    if (svc__log_suppresses(&loop->log))
        svc__log_tell(&loop->log);
}

static void *run(void *arg)
{
    struct loop *loop = arg;
    svc__life_adopt_thread(loop->server->app);
    svc__log_adopt(&loop->log);
    svc__reactor_enter(&loop->reactor);
    svc__acceptor_begin(loop);
    while (atomic_load(&loop->stage) < STAGE_EXIT || atomic_load(&loop->host.away) ||
           atomic_load(&loop->posting))
        turn(loop);
    take_handed(loop);
    cut(loop);
    svc__loop_mhd_run(loop); /* those that were suspended get their 503 */
    struct server *server = loop->server;
    svc__loop_mhd_stop(loop);
    svc__early_close_all(loop);
    svc__linger_close_all(loop);
    svc__reactor_end(&loop->reactor);
    atomic_store(&loop->ended, true);
    svc__server_notify(server);
    return NULL;
}

int svc__loop_start(struct loop *loop)
{
    int error = svc__thread_start_program(&loop->thread, 0, run, loop);
    if (!error)
        pthread_setname_np(loop->thread, "svc-loop");
    return error ? SVC_ESYSTEM : 0;
}
