/* One poll for the connections to all servers that a call needs. */
#include "libsvc/memcached/memcached_run.h"

#include <poll.h>
#include <stdlib.h>

#include "libsvc/memcached/memcached_clock.h"
#include "libsvc/memcached/memcached_lanes.h"

enum { FEW_TASKS = 4 /* that stand on the stack */ };

/* Tasks are the caller's, and end with their call. */
static void end_task(void *arg, struct memcached_task *task)
{
    (void)arg, (void)task;
}

static struct memcached_lanes start_lanes(struct memcached_state *state, bool pooled,
                                          uint64_t wait_ms)
{
    return (struct memcached_lanes){.state = state,
                                    .done = end_task,
                                    .pooled = pooled,
                                    .until = svc__memcached_clock_ms() + wait_ms};
}

/* Waits for any connection that is busy, and goes on with each. False: none is, or the time is
 * over. */
static bool wait_once(struct memcached_lanes *lanes)
{
    struct pollfd polled[MEMCACHED_SERVERS];
    size_t servers[MEMCACHED_SERVERS];
    nfds_t count = 0;
    svc__memcached_lanes_send(lanes);
    uint64_t now = svc__memcached_clock_ms(), next = svc__memcached_lanes_expire(lanes, now);
    if (next == UINT64_MAX || now >= lanes->until)
        return false;
    for (size_t i = 0; i < lanes->state->place.count; i++) {
        const struct memcached_link *link = lanes->links[i];
        if (!link || !svc__memcached_link_is_busy(link))
            continue;
        polled[count] = (struct pollfd){link->fd, svc__memcached_link_events(link), 0};
        servers[count++] = i;
    }
    uint64_t wait_ms = (next < lanes->until ? next : lanes->until) - now;
    int ready = poll(polled, count, wait_ms < INT32_MAX ? (int)wait_ms : INT32_MAX);
    for (nfds_t i = 0; i < count && ready > 0; i++)
        if (polled[i].revents)
            svc__memcached_lanes_pump(lanes, servers[i]);
    return true;
}

/* Keeps the connections that are not busy. The others' tasks have had no time: that is no fault of
 * a server. */
static void end_lanes(struct memcached_lanes *lanes)
{
    for (size_t i = 0; i < lanes->state->place.count; i++) {
        struct memcached_link *link = lanes->links[i];
        struct memcached_task *task;
        if (!link)
            continue;
        if (lanes->pooled && !svc__memcached_link_is_busy(link)) {
            svc__memcached_state_keep(lanes->state, i, link);
            continue;
        }
        while ((task = svc__memcached_queue_take(&link->sent)))
            task->op->error = SVC_ETIMEDOUT;
        while ((task = svc__memcached_queue_take(&link->waiting)))
            task->op->error = SVC_ETIMEDOUT;
        svc__memcached_lanes_close(lanes, i);
    }
}

void svc__memcached_run_all(struct memcached_state *state, svc_sys_store_op *first,
                            uint64_t wait_ms)
{
    struct memcached_task few[FEW_TASKS], *tasks = few;
    struct memcached_lanes lanes = start_lanes(state, true, wait_ms);
    size_t count = 0, i = 0;
    for (const svc_sys_store_op *op = first; op; op = op->next)
        count++;
    if (count > FEW_TASKS)
        tasks = malloc(count * sizeof *tasks);
    for (svc_sys_store_op *op = first; op; op = op->next, i++) {
        if (!tasks) {
            op->error = SVC_ENOMEM;
            continue;
        }
        svc__memcached_task_init(&tasks[i], op);
        svc__memcached_lanes_assign(&lanes, &tasks[i]);
    }
    while (wait_once(&lanes))
        ;
    end_lanes(&lanes);
    if (tasks != few)
        free(tasks);
}

bool svc__memcached_run_check(struct memcached_state *state, uint64_t wait_ms)
{
    struct memcached_lanes lanes = start_lanes(state, false, wait_ms);
    bool greeted = false;
    for (size_t i = 0; i < state->place.count; i++)
        if (svc__memcached_server_may_ask(&state->servers[i]))
            (void)svc__memcached_lanes_open(&lanes, i);
    do {
        for (size_t i = 0; i < state->place.count && !greeted; i++)
            greeted = lanes.links[i] && lanes.links[i]->phase == MEMCACHED_READY;
    } while (!greeted && wait_once(&lanes));
    end_lanes(&lanes);
    return greeted;
}
