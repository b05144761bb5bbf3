/* A watch for each connection, and a timer for the answers that are overdue. */
#include "libsvc/memcached/memcached_loop.h"

#include <poll.h>
#include <stdlib.h>

#include "libsvc/memcached/memcached_clock.h"
#include "libsvc/memcached/memcached_lanes.h"

/* A watch, and what it needs to know. */
struct watched {
    struct memcached_loop *loop;
    svc_watch *watch; /* NULL: there is none */
    int fd;
    unsigned events; /* that it waits for */
};

enum { TURNSTILES = 256 };

/*
 * Limits of one key that are decided on at once would undo one another, and each would begin again
 * as often as there are others. So on a loop they go one by one, with those of the other keys that
 * hash to the same turnstile.
 */
struct turnstile {
    bool busy; /* one has passed, and has not ended */
    struct memcached_queue held;
};

/* A task on a loop. */
struct loop_task {
    struct memcached_task task; /* first */
    size_t turnstile;           /* of a limit */
};

struct memcached_loop {
    svc_loop *loop;
    svc_timer *timer;
    uint64_t timer_at; /* UINT64_MAX: it is not set */
    struct memcached_lanes lanes;
    struct watched watched[MEMCACHED_SERVERS];
    struct memcached_queue ready; /* that go to their servers when this entry settles */
    struct turnstile turnstiles[TURNSTILES];
};

/* ---- Operations */

static size_t turnstile_of(const svc_sys_store_op *op)
{
    uint32_t hash = 2166136261;
    for (size_t i = 0; i < op->key_len; i++)
        hash = (hash ^ (unsigned char)op->key[i]) * 16777619;
    return hash % TURNSTILES;
}

/* Lets the next limit pass whose operation was not forgotten. */
static void open_turnstile(struct memcached_loop *loop, struct turnstile *turnstile)
{
    struct memcached_task *task;
    while ((task = svc__memcached_queue_take(&turnstile->held)) && !task->op)
        free(task);
    turnstile->busy = task != NULL;
    if (task)
        svc__memcached_queue_put(&loop->ready, task);
}

static void begin_task(struct memcached_loop *loop, struct loop_task *task)
{
    struct memcached_queue *queue = &loop->ready;
    if (task->task.kind == SVC_SYS_STORE_LIMIT) {
        task->turnstile = turnstile_of(task->task.op);
        struct turnstile *turnstile = &loop->turnstiles[task->turnstile];
        if (turnstile->busy)
            queue = &turnstile->held;
        turnstile->busy = true;
    }
    svc__memcached_queue_put(queue, &task->task);
}

/* An operation that was forgotten has no caller. */
static void end_operation(void *arg, struct memcached_task *task)
{
    struct memcached_loop *loop = arg;
    svc_sys_store_op *op = task->op;
    if (task->kind == SVC_SYS_STORE_LIMIT) {
        const struct loop_task *own = (const struct loop_task *)(const void *)task;
        open_turnstile(loop, &loop->turnstiles[own->turnstile]);
    }
    free(task);
    if (op)
        svc_sys_store_done(op);
}

/* Hands the tasks that are ready to their servers' connections. One that ends at once may make
 * others ready. */
static void assign_ready(struct memcached_loop *loop)
{
    struct memcached_task *task;
    while ((task = svc__memcached_queue_take(&loop->ready)))
        if (task->op)
            svc__memcached_lanes_assign(&loop->lanes, task);
        else
            end_operation(loop, task);
}

/* ---- Watches and the timer */

static void end_watch(struct watched *watched)
{
    svc_watch_free(watched->watch);
    watched->watch = NULL;
}

/* A watch must end before its descriptor does. */
static void before_close(void *arg, int fd)
{
    struct memcached_loop *loop = arg;
    for (size_t i = 0; i < loop->lanes.state->place.count; i++)
        if (loop->watched[i].watch && loop->watched[i].fd == fd)
            end_watch(&loop->watched[i]);
}

static void take_events(unsigned events, void *arg);

/* Makes a watch wait for what its connection waits for. False: the system refuses. */
static bool set_watch(struct watched *watched, const struct memcached_link *link)
{
    short wanted = svc__memcached_link_events(link);
    unsigned events = (wanted & POLLIN ? (unsigned)SVC_READABLE : 0) |
                      (wanted & POLLOUT ? (unsigned)SVC_WRITABLE : 0);
    if (watched->watch && events == watched->events)
        return true;
    watched->events = events;
    if (watched->watch)
        return svc_watch_set(watched->watch, events) == 0;
    watched->fd = link->fd;
    watched->watch = svc_watch_new(watched->loop->loop, link->fd, events, take_events, watched);
    return watched->watch != NULL;
}

/* Sets the timer for the next answer that is awaited. Answers that come do not put it off: it
 * fires, finds that nothing is overdue, and is set again. */
static void set_timer(struct memcached_loop *loop, uint64_t now, uint64_t next)
{
    if (next < loop->timer_at && svc_timer_set(loop->timer, next > now ? next - now : 0) == 0)
        loop->timer_at = next;
}

/* Sends what there is to send, and sees to the watches and the timer. The end of each entry. */
static void settle_loop(struct memcached_loop *loop)
{
    bool again;
    uint64_t now = svc__memcached_clock_ms(), next;
    do {
        again = false;
        assign_ready(loop);
        svc__memcached_lanes_send(&loop->lanes);
        next = svc__memcached_lanes_expire(&loop->lanes, now);
        for (size_t i = 0; i < loop->lanes.state->place.count; i++)
            if (loop->lanes.links[i] && !set_watch(&loop->watched[i], loop->lanes.links[i])) {
                svc__memcached_lanes_fail(&loop->lanes, i, SVC_ENOMEM);
                again = true;
            }
    } while (again || loop->ready.first);
    set_timer(loop, now, next);
    loop->lanes.failed = 0;
}

static void take_events(unsigned events, void *arg)
{
    struct watched *watched = arg;
    struct memcached_loop *loop = watched->loop;
    (void)events;
    svc__memcached_lanes_pump(&loop->lanes, (size_t)(watched - loop->watched));
    settle_loop(loop);
}

static void take_time(void *arg)
{
    struct memcached_loop *loop = arg;
    loop->timer_at = UINT64_MAX;
    settle_loop(loop);
}

/* ---- The calls */

struct memcached_loop *svc__memcached_loop_new(struct memcached_state *state, svc_loop *on)
{
    struct memcached_loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return NULL;
    loop->loop = on;
    loop->timer_at = UINT64_MAX;
    loop->lanes = (struct memcached_lanes){
        .state = state, .done = end_operation, .closing = before_close, .arg = loop};
    for (size_t i = 0; i < MEMCACHED_SERVERS; i++)
        loop->watched[i].loop = loop;
    loop->timer = svc_timer_new(on, take_time, loop);
    if (loop->timer)
        return loop;
    free(loop);
    return NULL;
}

/* Tasks whose operations were forgotten may still be there. */
static void free_tasks(struct memcached_queue *queue)
{
    struct memcached_task *task;
    while ((task = svc__memcached_queue_take(queue)))
        free(task);
}

void svc__memcached_loop_free(struct memcached_loop *loop)
{
    for (size_t i = 0; i < loop->lanes.state->place.count; i++) {
        if (!loop->lanes.links[i])
            continue;
        free_tasks(&loop->lanes.links[i]->sent);
        free_tasks(&loop->lanes.links[i]->waiting);
        svc__memcached_lanes_close(&loop->lanes, i);
    }
    free_tasks(&loop->ready);
    for (size_t i = 0; i < TURNSTILES; i++)
        free_tasks(&loop->turnstiles[i].held);
    svc_timer_free(loop->timer);
    free(loop);
}

void svc__memcached_loop_submit(struct memcached_loop *loop, svc_sys_store_op *first)
{
    while (first) {
        svc_sys_store_op *op = first;
        struct loop_task *task = malloc(sizeof *task);
        first = op->next;
        op->owned = task;
        if (!task) {
            op->error = SVC_ENOMEM;
            svc_sys_store_done(op);
            continue;
        }
        svc__memcached_task_init(&task->task, op);
        begin_task(loop, task);
    }
    settle_loop(loop);
}

/* The reply may be under way, so the task stays, and the reply is thrown away. */
void svc__memcached_loop_forget(struct memcached_loop *loop, svc_sys_store_op *op)
{
    struct memcached_task *task = &((struct loop_task *)op->owned)->task;
    for (size_t i = 0; i < loop->lanes.state->place.count; i++)
        if (loop->lanes.links[i])
            svc__memcached_link_forget(loop->lanes.links[i], task);
    task->op = NULL;
}
