/* The life of an event loop. */
#include "libsvc/server/loop_thread.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "libsvc/app/life.h"
#include "libsvc/app/loop_hooks.h"
#include "libsvc/app/stalls.h"
#include "libsvc/base/thread.h"
#include "libsvc/exchange/away.h"
#include "libsvc/server/acceptor.h"
#include "libsvc/server/conn.h"
#include "libsvc/server/front.h"
#include "libsvc/server/linger.h"

enum {
    EVENTS = 128,
    SCRATCH = 1 << 24,        /* the most bytes that are rendered for one response */
    SUSPENDED_A_MS = 2500,    /* libmicrohttpd looks at each in some 20 ns: 5% of a millisecond */
    WOKEN_A_TURN = 32,        /* exchanges whose news one turn takes, */
    SUSPENDED_A_WOKEN = 64,   /* and one more for each so many suspended connections */
    LAG_EVERY_NS = 100000000, /* between looks at how late the loop is */
    LONG_NS = 1000000         /* a turn for whose time the next events may have waited */
};

/* ---- Making and freeing */

/* Called by any thread that has news of an exchange. */
static void wake_for_exchange(struct exchange_host *host, struct exchange *x)
{
    struct loop *loop = (struct loop *)(void *)host;
    /* When the mail is posted, the exchange may end at once, and the loop without this count. */
    atomic_fetch_add(&loop->posting, 1);
    if (svc__mailbox_post(&loop->woken, &x->away.mail))
        svc__loop_wake(loop);
    atomic_fetch_sub(&loop->posting, 1);
}

static void init_host(struct loop *loop)
{
    const svc_app *app = loop->server->app;
    loop->host = (struct exchange_host){
        .arenas = &loop->reactor.arenas,
        .log = &loop->log,
        .wake = wake_for_exchange,
        .loop = &loop->reactor,
    };
    svc__log_init(&loop->log, loop->server->logger);
    /* The admin pages' loop runs no code of the program, not even its log sink. */
    loop->log.skips_taker = loop->server->logger != &svc__app_root(app)->logger;
    svc__buf_init(&loop->host.scratch, SCRATCH);
}

static int start_fronts(struct loop *loop)
{
    for (const struct front *const *front = loop->server->fronts; *front; front++) {
        struct front_part *part = (*front)->start(loop);
        if (!part)
            return SVC_ESYSTEM;
        loop->parts[loop->part_count++] = part;
    }
    return 0;
}

static void watch_conns_again(struct svc_loop *reactor, struct deadline *deadline)
{
    (void)deadline;
    for (struct conn *conn = svc__loop_of(reactor)->conns; conn; conn = conn->next)
        svc__conn_watch_again(conn);
}

/* Of the turn's begin: what the turn does before its timers is no lag of the loop's. */
static void observe_lag(struct svc_loop *reactor, struct deadline *deadline)
{
    const struct loop *loop = svc__loop_of(reactor);
    uint64_t lag_ns = loop->began_ns - deadline->timer.due;
    svc__histogram_observe(loop->server->metrics.lag, (double)lag_ns * 1e-9);
}

struct loop *svc__loop_thread_new(struct server *server, int *error)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop) {
        *error = SVC_ENOMEM;
        return NULL;
    }
    loop->server = server;
    loop->watch_again.expired = watch_conns_again;
    loop->lag_probe.expired = observe_lag;
    svc__acceptor_init(loop);
    loop->now_ms = svc__clock_ms();
    svc__wheel_init(&loop->wheel, loop->now_ms, LOOP_TICK_SHIFT);
    init_host(loop);
    *error = svc__reactor_open(&loop->reactor);
    svc__stalls_watch(server->app, &loop->reactor.watchdog);
    loop->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (!*error)
        *error = start_fronts(loop);
    if (!*error)
        return loop;
    svc__loop_thread_free(loop);
    return NULL;
}

void svc__loop_thread_free(struct loop *loop)
{
    if (!loop)
        return;
    struct mail *next;
    for (struct mail *mail = svc__mailbox_take_all(&loop->handed); mail; mail = next) {
        next = mail->next; /* the loop's thread never ran */
        close(svc__conn_of_mail(mail)->fd);
        free(svc__conn_of_mail(mail));
    }
    for (size_t i = 0; i < loop->part_count; i++)
        loop->parts[i]->front->stop(loop->parts[i]);
    svc__log_free(&loop->log);
    svc__buf_free(&loop->host.scratch);
    svc__reactor_end(&loop->reactor); /* if the loop's thread never ran */
    svc__reactor_close(&loop->reactor);
    if (loop->spare_fd >= 0)
        close(loop->spare_fd);
    free(loop);
}

/* ---- A turn */

/*
 * The events of a turn have come during the turn before, or while the loop slept. If that turn was
 * long and events are there without waiting, they may have waited since its beginning.
 */
static int await_events(struct loop *loop, struct epoll_event events[EVENTS])
{
    bool was_long = svc__clock_ns() - loop->began_ns > LONG_NS;
    int count = was_long ? epoll_wait(loop->reactor.epoll_fd, events, EVENTS, 0) : 0;
    atomic_store_explicit(&loop->turn_ns, 0, memory_order_relaxed);
    bool queued = was_long && (count > 0 || svc__loop_has_work(loop));
    if (count <= 0)
        count = epoll_wait(loop->reactor.epoll_fd, events, EVENTS,
                           svc__loop_wait_ms(loop, svc__clock_ns()));
    uint64_t now_ns = svc__clock_ns();
    loop->host.turn_ns = queued ? loop->began_ns : now_ns;
    loop->host.turn_first_ns = 0;
    loop->began_ns = now_ns;
    atomic_store_explicit(&loop->turn_ns, now_ns, memory_order_relaxed);
    loop->now_ms = now_ns / 1000000;
    svc__watchdog_woken(&loop->reactor.watchdog, now_ns);
    return count;
}

static void take_handed(struct loop *loop)
{
    struct mail *next;
    for (struct mail *mail = svc__mailbox_take_all(&loop->handed); mail; mail = next) {
        next = mail->next;
        svc__conn_open(loop, svc__conn_of_mail(mail));
    }
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

/* The next exchange that has news, in the order in which the news came; NULL when there is none. */
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

/*
 * For each batch of resumed connections libmicrohttpd looks at all suspended ones. To keep this a
 * small part of the work, batches keep a distance that grows with the number of suspended
 * connections. The size of a batch is limited too: all clients of a batch send their next requests
 * together, these wait for the end of a turn that is as long, and so a crowd would stay a crowd.
 */
static void take_news(struct loop *loop)
{
    if (!loop->news || loop->now_ms < loop->news_ms)
        return;
    size_t most = WOKEN_A_TURN + loop->suspended / SUSPENDED_A_WOKEN;
    struct exchange *x;
    for (; most > 0 && (x = next_woken(loop)); most--) {
        svc__away_news(x);
        if (atomic_load(&loop->stage) != STAGE_SERVE)
            svc__server_notify(loop->server);
    }
    loop->news = most == 0;
    if (!loop->news)
        loop->news_ms = loop->now_ms + loop->suspended / SUSPENDED_A_MS;
}

static void cut_all(struct loop *loop)
{
    for (struct conn *conn = loop->conns; conn; conn = conn->next)
        conn->front->cut(conn);
    svc__linger_close_all(loop);
}

/*
 * Stages may be skipped, so a later stage does the work of the earlier ones. To be called when all
 * events of the turn are handled, since they may point at a listener or at a lingering socket.
 */
static void follow_stage(struct loop *loop)
{
    int stage = atomic_load(&loop->server->stage), before = atomic_load(&loop->stage);
    if (stage == before)
        return;
    if (before == STAGE_SERVE)
        svc__acceptor_end(loop);
    if (stage >= STAGE_CUT)
        cut_all(loop);
    atomic_store(&loop->stage, stage);
    svc__server_notify(loop->server);
}

static void close_silent(struct loop *loop)
{
    if (atomic_load(&loop->stage) < STAGE_CLOSE_IDLE || loop->now_ms < loop->sweep_ms)
        return;
    loop->sweep_ms = loop->now_ms + LOOP_SWEEP_MS;
    for (struct conn *conn = loop->conns; conn; conn = conn->next)
        conn->front->close_silent(conn, loop->server->stop_ms);
}

/*
 * The loop's own events come first: a connection that they free or add is settled before fronts
 * have their turn, which alone may free others. So no event of this turn points at a connection
 * that is gone.
 */
static void take_turn(struct loop *loop)
{
    struct epoll_event events[EVENTS];
    int count = await_events(loop, events);
    /* Its own end is no event, so that a loop with nothing to do sleeps on. */
    if (count > 0 && !svc__wheel_armed(&loop->lag_probe.timer))
        svc__wheel_set(&loop->reactor.timers, &loop->lag_probe.timer,
                       loop->began_ns + LAG_EVERY_NS);
    for (int i = 0; i < count; i++) {
        struct watch *ready = events[i].data.ptr;
        ready->ready(&loop->reactor, ready, events[i].events);
    }
    svc__reactor_run(&loop->reactor, loop->began_ns);
    take_wake(loop);
    take_news(loop);
    follow_stage(loop);
    for (size_t i = 0; i < loop->part_count; i++)
        if (loop->parts[i]->again)
            loop->parts[i]->front->turn(loop->parts[i]);
    struct timer *timer;
    while ((timer = svc__wheel_expire(&loop->wheel, loop->now_ms))) {
        struct deadline *deadline = (struct deadline *)(void *)timer;
        deadline->expired(&loop->reactor, deadline);
    }
    close_silent(loop);
    if (svc__log_suppresses(&loop->log))
        svc__log_report(&loop->log);
}

static void *run_loop(void *arg)
{
    struct loop *loop = arg;
    struct server *server = loop->server;
    svc__life_adopt_thread(server->app);
    svc__log_adopt(&loop->log);
    svc__reactor_enter(&loop->reactor);
    int error = svc__loop_hooks_begin(server->app, &loop->reactor);
    if (error)
        atomic_store(&server->begin_error, error);
    atomic_fetch_add(&server->loops_begun, 1);
    svc__server_notify(server);
    bool accepts = false;
    while (atomic_load(&loop->stage) < STAGE_EXIT || atomic_load(&loop->host.away) ||
           atomic_load(&loop->posting)) {
        /* No loop accepts before all have their states: a start that fails has served nothing. */
        if (!accepts && atomic_load(&server->open) && atomic_load(&loop->stage) == STAGE_SERVE) {
            accepts = true;
            svc__acceptor_begin(loop);
        }
        take_turn(loop);
    }
    take_handed(loop);
    cut_all(loop);
    for (size_t i = 0; i < loop->part_count; i++)
        loop->parts[i]->front->close(loop->parts[i]);
    svc__linger_close_all(loop);
    svc__reactor_end(&loop->reactor);
    svc__loop_hooks_end(&loop->reactor);
    atomic_store(&loop->ended, true);
    svc__server_notify(server);
    return NULL;
}

int svc__loop_thread_start(struct loop *loop)
{
    int error = svc__thread_start_program(&loop->thread, 0, run_loop, loop);
    if (!error)
        pthread_setname_np(loop->thread, "svc-loop");
    return error ? SVC_ESYSTEM : 0;
}
