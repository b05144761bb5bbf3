/* The part of an event loop that needs no server. */
#include "libsvc/run/reactor.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "libsvc/base/wait.h"

enum {
    EVENTS = 16,         /* taken at once by a turn of its own */
    TICK_SHIFT = 18,     /* of the timers: 0.26 ms */
    CACHED_CHUNKS = 1024 /* arena chunks that are kept for later requests: 4 MiB */
};

/* A function that waits to run. */
struct post {
    struct mail mail; /* first */
    void (*fn)(void *arg);
    void *arg;
};

/* The loop of this thread. */
static _Thread_local struct svc_loop *here;

/* Has epoll report the eventfd's bytes, or also its room, which it always has. */
static int watch_wakes(struct svc_loop *loop, int call, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = &loop->wake_watch};
    return epoll_ctl(loop->epoll_fd, call, loop->wake_fd, &event) ? SVC_ESYSTEM : 0;
}

static void on_wake(struct svc_loop *loop, struct watch *watch, uint32_t events)
{
    uint64_t seen;
    (void)watch;
    if (events & EPOLLOUT)
        (void)watch_wakes(loop, EPOLL_CTL_MOD, EPOLLIN);
    loop->woken = read(loop->wake_fd, &seen, sizeof seen) == sizeof seen || (events & EPOLLOUT) ||
                  loop->woken;
}

int svc__reactor_open(struct svc_loop *loop)
{
    *loop = (struct svc_loop){.wake_watch.ready = on_wake};
    svc__watchdog_init(&loop->watchdog, 0, NULL, NULL);
    svc__arena_cache_init(&loop->arenas, CACHED_CHUNKS);
    svc__wheel_init(&loop->timers, svc__clock_ns(), TICK_SHIFT);
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->epoll_fd < 0 || loop->wake_fd < 0)
        return SVC_ESYSTEM;
    return watch_wakes(loop, EPOLL_CTL_ADD, EPOLLIN);
}

void svc__reactor_close(struct svc_loop *loop)
{
    svc__arena_cache_free(&loop->arenas);
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
}

struct svc_loop *svc__reactor_enter(struct svc_loop *loop)
{
    struct svc_loop *before = here;
    here = loop;
    if (loop)
        svc__watchdog_enter(&loop->watchdog);
    return before;
}

struct svc_loop *svc__reactor_here(void)
{
    return here;
}

struct arena_cache *svc__reactor_arenas(void)
{
    return here ? &here->arenas : NULL;
}

bool svc__reactor_on_loop(void)
{
    return here;
}

bool svc__reactor_is_open(const struct svc_loop *loop)
{
    return loop == here && !loop->ended;
}

/* By the eventfd's bytes (one that is full of them wakes as well), or where it takes none, by its
 * room: a wake-up that is lost would be lost for good. */
static void interrupt(struct svc_loop *loop)
{
    uint64_t one = 1;
    if (write(loop->wake_fd, &one, sizeof one) >= 0 || errno == EAGAIN)
        return;
    atomic_fetch_add(&loop->failed, 1);
    (void)watch_wakes(loop, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
}

void svc__reactor_wake(struct svc_loop *loop)
{
    if (loop == here)
        loop->woken = true;
    else
        interrupt(loop);
}

bool svc__reactor_take_wake(struct svc_loop *loop)
{
    bool woken = loop->woken;
    loop->woken = false;
    return woken;
}

unsigned svc__reactor_take_failed(struct svc_loop *loop)
{
    unsigned failed = atomic_load_explicit(&loop->failed, memory_order_relaxed);
    return failed ? atomic_exchange(&loop->failed, 0) : 0;
}

int svc__reactor_wait_ms(const struct svc_loop *loop, uint64_t now_ns)
{
    if (loop->woken || !svc__mailbox_is_empty(&loop->posted))
        return 0;
    int64_t wait_ns = svc__wheel_wait(&loop->timers, now_ns);
    return svc__wait_epoll_ms(wait_ns < 0 ? -1 : wait_ns / 1000000 + (wait_ns % 1000000 != 0));
}

static void enlist(struct own_watch **list, struct own_watch *watch)
{
    watch->next = *list;
    watch->at = list;
    if (watch->next)
        watch->next->at = &watch->next;
    *list = watch;
}

static void unlist(struct own_watch *watch)
{
    *watch->at = watch->next;
    if (watch->next)
        watch->next->at = watch->at;
}

void svc__reactor_own(struct svc_loop *loop, struct own_watch *watch)
{
    enlist(&loop->watches, watch);
}

void svc__reactor_bury(struct svc_loop *loop, struct own_watch *watch)
{
    unlist(watch);
    enlist(&loop->freed, watch);
}

static void free_buried(struct svc_loop *loop)
{
    struct own_watch *watch;
    while ((watch = loop->freed)) {
        unlist(watch);
        free(watch);
    }
}

/* Runs a list that was taken whole: later posts wait for the next turn, so that requests get
 * theirs.
 */
static void run_posts(struct svc_loop *loop, struct mail *list)
{
    while (list) {
        struct post post = *(struct post *)(void *)list;
        free(list);
        list = post.mail.next;
        post.fn(post.arg);
        svc__watchdog_look(&loop->watchdog, WATCHED_POST, NULL);
    }
}

void svc__reactor_run(struct svc_loop *loop, uint64_t now_ns)
{
    if (loop->ended)
        return;
    if (!svc__mailbox_is_empty(&loop->posted))
        run_posts(loop, svc__mailbox_take_all(&loop->posted));
    struct timer *timer;
    while ((timer = svc__wheel_expire(&loop->timers, now_ns))) {
        struct deadline *deadline = (struct deadline *)(void *)timer;
        deadline->expired(loop, deadline);
    }
    free_buried(loop);
}

void svc__reactor_turn(struct svc_loop *loop, uint64_t until_ms)
{
    struct epoll_event events[EVENTS];
    uint64_t now_ns = svc__clock_ns(), now_ms = now_ns / 1000000;
    uint64_t most = until_ms > now_ms ? until_ms - now_ms : 0;
    int wait = svc__reactor_wait_ms(loop, now_ns);
    if (wait < 0 || (uint64_t)wait > most)
        wait = most < INT_MAX ? (int)most : INT_MAX;
    int count = epoll_wait(loop->epoll_fd, events, EVENTS, wait);
    now_ns = svc__clock_ns();
    svc__watchdog_woken(&loop->watchdog, now_ns);
    for (int i = 0; i < count; i++) {
        struct watch *watch = events[i].data.ptr;
        watch->ready(loop, watch, events[i].events);
    }
    svc__reactor_run(loop, now_ns);
}

void svc__reactor_end(struct svc_loop *loop)
{
    if (loop->ended)
        return;
    struct mail *posted = svc__mailbox_close(&loop->posted);
    loop->ended = true;
    svc__wheel_clear(&loop->timers);
    struct own_watch *watch;
    while ((watch = loop->watches)) {
        unlist(watch);
        watch->forget(watch);
    }
    run_posts(loop, posted);
    free_buried(loop); /* posted functions may have been the last that use them */
}

int svc_loop_post(svc_loop *loop, void (*fn)(void *arg), void *arg)
{
    if (!loop) /* there is none yet: see svc_app_loop */
        return SVC_ESTATE;
    struct post *post = malloc(sizeof *post);
    if (!post)
        return SVC_ENOMEM;
    post->fn = fn;
    post->arg = arg;
    bool first;
    if (!svc__mailbox_offer(&loop->posted, &post->mail, &first)) {
        free(post);
        return SVC_ESTATE;
    }
    if (first && loop != here) /* its own thread looks before it waits */
        interrupt(loop);
    return 0;
}

void *svc_loop_get(const svc_loop *loop, const svc_key *key)
{
    for (size_t i = 0; loop && i < loop->state_count; i++)
        if (loop->states[i].key == key)
            return loop->states[i].state;
    return NULL;
}
